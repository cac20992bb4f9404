"""Judges the project whenever a file is saved. It prints nothing: it yields events.

One judgement at a time, and a newer save ends the older one. Where the system can fork, judgements
are warm (see `checks/warm.py`); elsewhere, each is a new process, and its verdicts are the same.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from workshop import doctor, git, kept, learner
from workshop.checks.keeper import Said
from workshop.checks.keepers import Keepers
from workshop.model import Course, Step, Verdict

Kind = Literal["watching", "judging", "verdict", "ended", "broken", "note"]

_STEP = 40  # milliseconds between two looks at the events: less than 0.2 % of a core
_POLL = 1000  # milliseconds between two looks at all files, where there are no events
_IGNORED = {".git", "__pycache__", "node_modules", ".venv", "venv", ".tox", ".nox", ".idea",
            ".mypy_cache", ".pytest_cache", ".ruff_cache"}  # fmt: skip
_LEFT_BY_EDITORS = (".swp", ".swx", ".swo", "~", ".pyc", ".part", ".tmp", "4913")


class Event(NamedTuple):
    """Something that happened, for whoever shows it.

    `watching`: it has begun; `text` says why it polls, if it does. `judging`: `text` names the file
    that was saved. `verdict`: one more. `ended`: all `verdicts`, and how many `seconds` since the
    save, and whether that was the `last` step, and all are done. `broken`: the checks could not
    run; `text` says why. `note`: a word to the person.
    """

    kind: Kind
    step: Step
    text: str = ""
    verdict: Verdict | None = None
    verdicts: tuple[Verdict, ...] = ()
    seconds: float = 0.0
    last: bool = False


class _Heard(NamedTuple):
    """What a thread has to say."""

    who: Literal["files", "judge", "keys", "deaf"]
    what: Any = None


def watch(
    course: Course,
    project: Path,
    step: Step,
    *,
    polling: bool | None = None,
    keys: IO[str] | None = None,
    warm: bool | None = None,
) -> Generator[Event]:
    """Judge now, and after each save, until `q` comes from `keys`, or forever.

    `n` goes on to the next step. `polling` None polls only where there are no file events. `warm`
    None is warm where the system can be. Close the iterator to end it: nothing runs on.
    """
    heard: queue.Queue[_Heard] = queue.Queue()
    stopped = threading.Event()
    why = _why_polling(project) if polling is None else "as you said" if polling else ""
    yield Event("watching", step, why)
    judge = _Judge(course, project, heard, warm=hasattr(os, "fork") if warm is None else warm)
    _thread(_files, project, bool(why), heard, stopped)
    if keys is not None:
        _thread(_keys, keys, heard)
    try:
        yield from _loop(course, project, step, judge, heard)
    finally:
        stopped.set()
        judge.close()


def _loop(
    course: Course, project: Path, step: Step, judge: _Judge, heard: queue.Queue[_Heard]
) -> Iterator[Event]:
    verdicts: list[Verdict] = []
    broken = False
    seal = kept.seal(project, step)
    began = time.monotonic()
    judge.start(step)
    yield Event("judging", step)
    while True:
        who, what = heard.get()
        if who == "files":
            now = kept.seal(project, step)
            if now == seal:  # an editor's own files, or nothing has changed
                continue
            seal, began, verdicts, broken = now, what[1], [], False
            judge.start(step)
            yield Event("judging", step, what[0])
        elif who == "deaf":
            yield Event("watching", step, what)
        elif who == "keys":
            if what == "q":
                return
            following = learner.current(course, project)
            if what != "n":
                continue
            if following is None or following == step:
                word = (
                    "This is the last step." if following is None else "Not yet: it is not green."
                )
                yield Event("note", step, word)
                continue
            step, verdicts, began, broken = following, [], time.monotonic(), False
            seal = kept.seal(project, step)
            judge.start(step)
            yield Event("judging", step)
        elif what.run != judge.number:
            continue  # of a judgement that nobody wants any more
        elif what.verdict is not None:
            verdicts.append(what.verdict)
            yield Event("verdict", step, verdict=what.verdict)
        elif what.broken:
            broken = True
            yield Event("broken", step, what.broken)
        elif what.code is not None:
            all_of_them = judge.in_order(verdicts)
            told = any(each.outcome == "error" for each in all_of_them)
            if what.code not in (0, 1) and not told:  # it died over one: the rest is not known
                if not broken:
                    yield Event("broken", step, "The checks ended in the middle. Save again.")
                all_of_them = ()
            kept.keep_verdicts(project, step, seal, all_of_them)
            learner.record(course, project, step, all_of_them)
            took = time.monotonic() - began
            last = learner.current(course, project) is None
            yield Event("ended", step, verdicts=all_of_them, seconds=took, last=last)


class _Judge:
    """Judgements, one at a time, in another process."""

    def __init__(
        self, course: Course, project: Path, heard: queue.Queue[_Heard], *, warm: bool
    ) -> None:
        self.number = 0
        self._course = course
        self._project = project
        self._heard = heard
        self._keepers = Keepers(course.root, self._tell) if warm else None
        self._process: subprocess.Popen[str] | None = None  # of a judgement that is not warm
        self._listener: threading.Thread | None = None

    def start(self, step: Step) -> None:
        """Begin a judgement. An older one is ended."""
        if self._keepers is not None:
            with contextlib.suppress(OSError):
                self.number = self._keepers.ask(self._project, step)
                return
            self._close_keepers()  # one died: go on without
        self._end()
        self.number += 1
        self._process = subprocess.Popen(
            [sys.executable, "-m", "workshop.checks", "--course", str(self._course.root),
             "--project", str(self._project), *map(str, step.tests)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for us: we end it in order
        )  # fmt: skip
        self._listener = _thread(self._listen, self._process, self.number)

    def in_order(self, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
        """The verdicts of a judgement in the order of the checks, whoever was the first."""
        by_name = {each.check: each for each in verdicts}
        if self._keepers is None or len(by_name) < len(verdicts):
            return tuple(verdicts)
        return tuple(by_name[name] for name in self._keepers.in_order(by_name))

    def close(self) -> None:
        """End what runs, and wait until it has ended."""
        self._close_keepers()
        self._end()

    def _close_keepers(self) -> None:
        if self._keepers is not None:
            self._keepers.close()
            self._keepers = None

    def _end(self) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._listener is not None:
            self._listener.join(5)

    def _tell(self, said: Said) -> None:
        self._heard.put(_Heard("judge", said))

    def _listen(self, process: subprocess.Popen[str], number: int) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                if line.startswith("{"):
                    verdict = Verdict(**json.loads(line))
                    self._tell(Said(number, verdict))
        self._tell(Said(number, code=process.wait()))


def _files(
    project: Path, polling: bool, heard: queue.Queue[_Heard], stopped: threading.Event
) -> None:
    import watchfiles

    index = git.git_folder(project) / "index"  # `git rm --cached` is a change, too

    def wanted(_: watchfiles.Change, path: str) -> bool:
        file = Path(path)
        if file == index:
            return True
        try:
            parts = file.relative_to(project).parts
        except ValueError:
            return False
        return _IGNORED.isdisjoint(parts) and not file.name.endswith(_LEFT_BY_EDITORS)

    def changes(*, polling: bool) -> Iterator[set[tuple[watchfiles.Change, str]]]:
        return watchfiles.watch(
            project, watch_filter=wanted, stop_event=stopped, step=_STEP, debounce=300,
            rust_timeout=60_000, force_polling=polling, poll_delay_ms=_POLL,
            raise_interrupt=False, ignore_permission_denied=True,
        )  # fmt: skip

    def all_changes() -> Iterator[set[tuple[watchfiles.Change, str]]]:
        try:
            yield from changes(polling=polling)
        except (OSError, RuntimeError) as error:  # editors and others may have used them up
            if polling:
                raise
            heard.put(_Heard("deaf", f"this system has no file events left ({error})"))
            yield from changes(polling=True)

    for each in all_changes():
        paths = sorted(Path(path) for _, path in each)
        names = [path for path in paths if not path.is_dir()] or paths  # a folder is seldom news
        name = names[0]
        shown = name.relative_to(project).as_posix() if name.is_relative_to(project) else name.name
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        heard.put(_Heard("files", (f"{shown}{more}", time.monotonic())))


def _keys(keys: IO[str], heard: queue.Queue[_Heard]) -> None:
    with contextlib.suppress(ValueError, OSError):  # it was closed
        while key := keys.read(1):
            heard.put(_Heard("keys", key.lower()))


def _thread(target: Any, *args: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=args, daemon=True)
    thread.start()
    return thread


def _why_polling(project: Path) -> str:
    """Why file events can't be trusted here; empty when they can."""
    kind = doctor.drive(str(project))
    return "" if doctor.has_events(kind) else f"this drive ({kind}) reports no file events"
