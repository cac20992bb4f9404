"""How visitors fare while a release comes: who counts as served, with a load that only pretends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from workshop import underload, workloads
from workshop.checks import releases as module
from workshop.checks.described import asked_twice
from workshop.checks.releases import Releases
from workshop.sending import Report

CAME = (workloads.Pod("web-0", "1", True, False, {}, {}, {}),)


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


def serving(image: str, *, ready: bool = True) -> workloads.Pod:
    """A pod of a release."""
    spec = {"containers": [{"name": "application", "image": image}]}
    return workloads.Pod("web-0", "1", ready, False, spec, {}, {"it": "is"})


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl that writes down its words, and fails when one of them is `99`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    log = tmp_path / "log"
    program = f'#!/bin/sh\necho "$@" >> {log}\n[ "$5" != 99 ] || exit 3\n'
    (folder / "kubectl").write_text(program, "utf-8")
    (folder / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(module, "_STUCK", 0.05)
    monkeypatch.setattr(module, "_POLL", 0.01)
    return log


@pytest.mark.parametrize(
    ("pods", "good"),
    [
        ([serving("first:1")], True),
        ([serving("first:1"), serving("bad:1")], False),
        ([serving("first:1", ready=False)], False),
        ([serving("first:1"), serving("bad:1")._replace(leaves=True)], True),
        ([], False),
    ],
)
def test_back_is_who_serves_the_first_release_alone(
    releases: Releases, kubectl: Path, monkeypatch: pytest.MonkeyPatch,
    pods: list[workloads.Pod], good: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(releases, "_first", "first:1")
    monkeypatch.setattr(releases, "pods", lambda: pods)
    commands = ["kubectl --namespace demo-$PLACE rollout undo it", "kubectl -n demo-production get"]
    undone, report = releases.undone(commands, {"PLACE": "production"})
    assert (undone.done.code, undone.good) == (0, good)
    assert report.lost == {"refused": 3, "no release": 30}
    assert kubectl.read_text("utf-8").splitlines() == [
        "--namespace it rollout undo it", "--namespace it get",
    ]  # fmt: skip
    assert Pretended.closed


def test_a_way_back_ends_with_the_first_command_that_fails(
    releases: Releases, kubectl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "_first", "first:1")
    monkeypatch.setattr(releases, "pods", lambda: [serving("first:1")])
    commands = ["kubectl -n demo-production rollout undo 99", "kubectl -n demo-production get"]
    undone, _ = releases.undone(commands, {})
    assert (undone.done.code, undone.good) == (3, False)
    assert kubectl.read_text("utf-8").splitlines() == ["--namespace it rollout undo 99"]


@pytest.mark.parametrize(
    ("probes", "seconds"),
    [
        ([None], 0),
        ([{"periodSeconds": 5}, {"periodSeconds": 2}], 10),
        ([{"failureThreshold": 3}], 20),
        ([{"initialDelaySeconds": 20, "successThreshold": 3, "periodSeconds": 1}, None], 24),
    ],
)
def test_who_asks_seldom_is_waited_for(probes: list[dict[str, int] | None], seconds: float) -> None:
    containers = [{"readinessProbe": each} if each is not None else {} for each in probes]
    assert asked_twice(containers) == seconds


def test_who_still_prepares_has_never_served() -> None:
    def pod(status: str) -> workloads.Pod:
        conditions = [
            {"type": "Initialized", "status": status},
            {"type": "Ready", "status": "False"},
        ]
        return CAME[0]._replace(status={"conditions": conditions})

    assert workloads.prepares(pod("False"))
    assert not workloads.prepares(pod("True"))
    assert not workloads.prepares(CAME[0])  # nobody says so
