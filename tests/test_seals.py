"""The sealed secrets of a project, as they open here: which one counts, and that none is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pairs import short
from wrong_secrets import FILE, text

from workshop import sealed
from workshop.checks import CheckFailed
from workshop.checks.seals import Hidden, Seals
from workshop.errors import WorkshopError
from workshop.production import place, sealer

VALUE = "canary-in-a-coal-mine"


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A project that has a key pair."""
    folder = tmp_path / "Demo 1"
    (folder / "deployment").mkdir(parents=True)
    sealer.newest(folder, short)
    return folder


def seals(demo: Path, *documents: str) -> Seals:
    (demo / FILE).write_text("---\n".join(documents), "utf-8")
    return Seals(demo)


def refused(found: Seals) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        assert found.value
    assert VALUE not in str(caught.value)
    return caught.value


def test_the_namespace_that_production_would_get(demo: Path) -> None:
    assert Seals(demo).namespace == "demo-1-production"


def test_the_namespace_that_production_has(demo: Path) -> None:
    folder = place.of(demo, "production", "kubernetes").folder
    folder.mkdir(parents=True)
    (folder / "namespace.json").write_text(json.dumps({"name": "shop-production", "mark": "x"}))
    found = seals(demo, text(demo, VALUE, space="shop-production"))
    assert (found.namespace, found.value.value) == ("shop-production", VALUE.encode())


def test_the_one_for_production_of_several(demo: Path) -> None:
    others = [text(demo, "no", space="demo-1-integration"),
              text(demo, "no", space="demo-1-production", name="another")]  # fmt: skip
    found = seals(demo, *others, text(demo, VALUE, space="demo-1-production"))
    assert found.value.value == VALUE.encode()


def test_one_that_says_no_namespace(demo: Path) -> None:
    whole = text(demo, VALUE, space="demo-1-production")
    found = seals(demo, whole.replace("  namespace: demo-1-production\n", "", 1))
    assert found.value.value == VALUE.encode()


def test_what_was_sealed_to_an_older_pair_opens(demo: Path) -> None:
    found = seals(demo, text(demo, VALUE, space="demo-1-production"))
    sealer.rotate(demo, short)
    assert found.value.value == VALUE.encode()


def test_a_complaint_names_the_line_in_the_whole_file(demo: Path) -> None:
    first = text(demo, "no", space="demo-1-integration")
    wrong = text(demo, VALUE, space="demo-1-integration").replace("integration", "production", 1)
    error = refused(seals(demo, first, wrong))
    lines = (demo / FILE).read_text("utf-8").splitlines()
    (value,) = [n for n, each in enumerate(lines, 1) if n > lines.index("---") and "KEY: " in each]
    assert error.seen.startswith(f"{FILE}, line {value}: SECRET_KEY does not open")


def test_another_key(demo: Path) -> None:
    error = refused(seals(demo, text(demo, VALUE, space="demo-1-production", key="KEY")))
    assert error.seen == f"the SealedSecret application in {FILE} has no SECRET_KEY"


def test_no_yaml_is_not_quoted(demo: Path) -> None:
    assert "line 2" in refused(seals(demo, f"a: b\n {VALUE}: [\n")).seen


def test_no_file(demo: Path) -> None:
    assert refused(Seals(demo)).seen == f"there is no {FILE}"


def test_a_value_is_hidden() -> None:
    hidden = Hidden(VALUE.encode())
    assert VALUE not in f"{hidden} {hidden!r} {[hidden]}"


def test_the_course_has_one_that_nobody_opens(demo: Path) -> None:
    course = Path(__file__).parents[1] / "solutions/16-secrets" / FILE
    pairs = [each.private for each in sealer.pairs(demo)]
    with pytest.raises(WorkshopError, match="no key of ours"):
        sealed.opened(course.read_bytes(), pairs, path=FILE, namespace="demo-production")
