"""The course's manifests fit the newest Kubernetes, too: a cluster that tests run on may be old."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml

from workshop import course, history

NEWEST = kubernetes_validate.latest_version()
Named = tuple[str, dict[str, Any]]


def described() -> Iterator[Named]:
    """Every object in a manifest of any stage, and where it stands first: most manifests stay the
    same for some stages."""
    seen: set[bytes] = set()
    for stage in history.stages(course.load(course.default_root())):
        for name, file in stage.files.items():
            manifest = name.startswith("deployment/") and name.endswith(".yaml")
            if not manifest or file.data in seen:
                continue
            seen.add(file.data)
            for each in yaml.safe_load_all(file.data):
                what = f"{each['kind']} {each['metadata']['name']}"
                yield f"{stage.step.tag} {name}: {what}", each


@pytest.mark.parametrize("named", list(described()), ids=lambda named: named[0])
def test_a_manifest_is_what_the_newest_version_wants(named: Named) -> None:
    _, each = named
    if each["apiVersion"].startswith("bitnami.com/"):
        pytest.skip("a SealedSecret is no part of Kubernetes: tests/test_sealed.py looks at those")
    kubernetes_validate.validate(each, NEWEST, strict=True)


def test_a_field_that_nobody_knows_is_found() -> None:
    named, each = next(one for one in described() if one[1]["kind"] == "Deployment")
    each["spec"]["replica"] = 3
    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        kubernetes_validate.validate(each, NEWEST, strict=True)
    assert named


def test_a_version_that_is_gone_is_found() -> None:
    _, each = next(one for one in described() if one[1]["kind"] == "Deployment")
    each["apiVersion"] = "extensions/v1beta1"
    with pytest.raises(kubernetes_validate.SchemaNotFoundError):
        kubernetes_validate.validate(each, NEWEST, strict=True)
