"""How visitors fare while a release comes: who counts as served, with a load that only pretends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from workshop import underload, workloads
from workshop.checks.releases import Releases
from workshop.sending import Report

CAME = (workloads.Pod("web-0", "1", True, False, {}, {}),)


class Pretended:
    """A load that was sent already."""

    closed = False

    def __init__(self, *_: object, **__: object) -> None:
        type(self).closed = False

    def stop(self) -> Report:
        counts = {"first": 8, "": 30, "second": 2}
        return Report(43, 40, {"refused": 3}, counts, {200: 10, 404: 30}, 0.1, 1.0)

    def close(self) -> None:
        type(self).closed = True


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Releases:
    monkeypatch.setattr(underload, "Inside", Pretended)
    nobody = cast(Any, SimpleNamespace(namespace="it", visitor=lambda _: CAME[0]))
    made = Releases(tmp_path, nobody, cast(Any, None), cast(Any, None))
    monkeypatch.setattr(made, "bring", lambda _: None)
    return made


def test_an_answer_of_somebody_else_is_a_visitor_lost(releases: Releases) -> None:
    came, report = releases.visited("demo:2", lambda _: CAME)
    assert came == CAME
    assert report.lost == {"refused": 3, "no release": 30}
    assert report.releases == {"first": 8, "second": 2}
    assert Pretended.closed


def test_the_load_ends_also_when_no_release_comes(releases: Releases) -> None:
    def fails(image: str) -> Sequence[workloads.Pod]:
        raise ZeroDivisionError(image)

    with pytest.raises(ZeroDivisionError):
        releases.visited("demo:2", fails)
    assert Pretended.closed
