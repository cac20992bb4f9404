"""Judging on save: what is yielded, never two at once, and warm is as cold."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from workshop import course as courses
from workshop import doctor, kept, learner, watch
from workshop.model import Course
from workshop.watch import Event

GOOD = Path(__file__).parent / "courses" / "good"
SLOW = "import time\n\ndef test_slow():\n    '''It is slow.'''\n    time.sleep(20)\n"
KILLED = """import os, signal

def test_one():
    '''It is right.'''

def test_two():
    '''It dies.'''
    os.kill(os.getpid(), signal.SIGKILL)

def test_three():
    '''It is wrong.'''
    assert False
"""


@pytest.fixture
def good(course_folder: Path) -> Course:
    return courses.load(course_folder)


class Watching:
    """A watch in a thread of its own, and what came out so far."""

    def __init__(self, course: Course, project: Path, **more: object) -> None:
        self.events: queue.Queue[Event | None] = queue.Queue()
        self.seen: list[Event] = []
        read, self.keys = os.pipe()
        self._input = os.fdopen(read, "r")
        step = learner.current(course, project)
        assert step is not None
        self._watch = watch.watch(course, project, step, keys=self._input, **more)  # type: ignore
        self._thread = threading.Thread(target=self._go)
        self._thread.start()

    def _go(self) -> None:
        try:
            for event in self._watch:
                self.events.put(event)
        finally:
            self.events.put(None)

    def until(self, kind: str, seconds: float = 60) -> Event:
        deadline = time.monotonic() + seconds
        while True:
            event = self.events.get(timeout=max(0.1, deadline - time.monotonic()))
            assert event is not None, f"it ended; seen: {self.seen}"
            self.seen.append(event)
            if event.kind == kind:
                return event

    def press(self, key: str) -> None:
        os.write(self.keys, key.encode())

    def close(self) -> None:
        self.press("q")
        self._thread.join(30)
        assert not self._thread.is_alive()
        os.close(self.keys)
        self._input.close()


@pytest.fixture
def watching(started: Callable[[], set[psutil.Process]]) -> Iterator[Callable[..., Watching]]:
    opened: list[Watching] = []

    def begin(course: Course, project: Path, **more: object) -> Watching:
        opened.append(Watching(course, project, **more))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()
    assert started() == set()


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("polling", [True, False], ids=["polling", "events"])
def test_a_save_is_judged_and_n_goes_on(
    polling: bool, warm: bool, good: Course, project: Path, watching: Callable[..., Watching]
) -> None:
    seen = watching(good, project, polling=polling, warm=warm)
    assert seen.until("watching").text == ("as you said" if polling else "")
    first = seen.until("ended")
    assert [each.outcome for each in first.verdicts] == ["red", "red"]
    seen.press("n")
    assert seen.until("note").text == "Not yet: it is not green."
    (project / "app.py").write_text("x = 1\n")
    assert seen.until("judging").text == "app.py"
    second = seen.until("ended")
    assert [each.outcome for each in second.verdicts] == ["green", "green"]
    assert learner.done(project) == ("hello",)
    assert kept.last_verdicts(project, good.steps[0], kept.seal(project, good.steps[0]))
    seen.press("n")
    assert seen.until("judging").step == good.steps[1]
    assert seen.until("ended").step == good.steps[1]


def test_it_knows_the_last_step(
    good: Course, project: Path, watching: Callable[..., Watching]
) -> None:
    learner.settle(good, project, (good.steps[1].slug,))
    seen = watching(good, project, warm=False)
    assert not seen.until("ended").last  # it is the last one, and red
    (project / "app.py").write_text("x = 1\n")
    assert seen.until("ended").last
    seen.press("n")
    assert seen.until("note").text == "This is the last step."


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_checks_that_end_in_the_middle_make_no_step_done(
    warm: bool, good: Course, project: Path, watching: Callable[..., Watching]
) -> None:
    (project / "app.py").write_text("x = 1\n")
    good.steps[0].tests[0].write_text(KILLED)
    seen = watching(good, project, warm=warm)
    assert seen.until("verdict").verdict.outcome == "green"  # type: ignore[union-attr]
    assert seen.until("broken").text
    assert seen.until("ended").verdicts == ()
    assert learner.done(project) == ()


def test_a_system_without_file_events_is_polled(
    good: Course, project: Path, watching: Callable[..., Watching], monkeypatch: pytest.MonkeyPatch
) -> None:
    import watchfiles

    really = watchfiles.watch

    def used_up(*paths: Path, force_polling: bool, **more: Any) -> Iterator[Any]:
        if not force_polling:
            raise RuntimeError("Too many open files")
        yield from really(*paths, force_polling=True, **more)

    monkeypatch.setattr(watchfiles, "watch", used_up)
    seen = watching(good, project, warm=False, polling=False)
    assert seen.until("watching").text == ""
    assert "no file events left (Too many open files)" in seen.until("watching").text
    seen.until("ended")
    (project / "app.py").write_text("x = 1\n")
    assert seen.until("judging").text == "app.py"


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_a_newer_save_ends_the_older_judgement(
    warm: bool, good: Course, project: Path, watching: Callable[..., Watching]
) -> None:
    check = good.steps[0].tests[0]
    quick = check.read_text()
    check.write_text(SLOW)
    seen = watching(good, project, warm=warm)
    seen.until("judging")
    time.sleep(1.5)
    began = time.monotonic()
    check.write_text(quick)
    (project / "app.py").write_text("x = 1\n")
    ended = seen.until("ended")
    assert time.monotonic() - began < 15  # the slow one would take 20 seconds more
    assert [each.outcome for each in ended.verdicts] == ["green", "green"]
    assert sum(each.kind == "ended" for each in seen.seen) == 1


def test_what_is_no_change_is_not_judged(
    good: Course, project: Path, watching: Callable[..., Watching]
) -> None:
    (project / ".gitignore").write_text("*.log\n__pycache__/\n")
    seen = watching(good, project)
    seen.until("ended")
    for name in ("a.log", ".app.py.swp", "__pycache__"):
        if name == "__pycache__":
            (project / name).mkdir()
            (project / name / "x.pyc").write_text("")
        else:
            (project / name).write_text("noise")
    time.sleep(1)
    (project / "app.py").write_text("x = 1\n")
    assert seen.until("judging").text.startswith("app.py")


def test_broken_checks_are_said_and_the_watch_goes_on(
    good: Course, project: Path, watching: Callable[..., Watching]
) -> None:
    toml = good.root / "steps" / "course.toml"
    right = toml.read_text()
    seen = watching(good, project)
    seen.until("ended")
    toml.write_text("title =\n")
    (project / "app.py").write_text("x = 1\n")
    assert "this is not TOML" in seen.until("broken").text
    toml.write_text(right)
    (project / "app.py").write_text("x = 11\n")
    seen.until("judging")
    while (ended := seen.until("ended")).verdicts == ():
        pass
    assert [each.outcome for each in ended.verdicts] == ["green", "green"]


def test_when_the_warm_process_dies_it_goes_on_without(
    good: Course, project: Path, watching: Callable[..., Watching]
) -> None:
    seen = watching(good, project)
    seen.until("ended")
    for each in psutil.Process().children():
        if "workshop.checks.warm" in each.cmdline():
            each.kill()
            each.wait()
    (project / "app.py").write_text("x = 1\n")
    assert [each.outcome for each in seen.until("ended").verdicts] == ["green", "green"]


MOUNTS = """\
/dev/sda / ext4 rw 0 0
C:\\134 /mnt/c 9p rw 0 0
server:/home /home/my\\040files nfs4 rw 0 0
tmpfs /mnt/c/ram tmpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("/home/me/demo", ""),
        ("/mnt/c/demo", "this drive (9p) reports no file events"),
        ("/mnt/c/ram/demo", ""),
        ("/home/my files/demo", "this drive (nfs4) reports no file events"),
    ],
)
def test_where_events_are_missing_it_polls_and_says_so(
    folder: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    monkeypatch.setattr(doctor, "_MOUNTS", str(tmp_path / "mounts"))
    assert watch._why_polling(Path(folder)) == why


def test_on_macos_too_a_network_drive_is_polled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mount").write_text(f"#!/bin/sh\necho '//ada@nas/home on {tmp_path} (smbfs)'\n")
    (tmp_path / "mount").chmod(0o755)
    monkeypatch.setattr(doctor, "_MOUNTS", str(tmp_path / "nowhere"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert watch._why_polling(tmp_path) == "this drive (smbfs) reports no file events"
