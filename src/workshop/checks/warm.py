"""Judges again and again, warm: `python -m workshop.checks.warm --course DIR`.

Everything that a judgement imports is imported once. Each judgement is a fork, made ahead: it
inherits that, and can spoil nothing. The PostgreSQL for checks keeps running, with a fresh database
for each judgement, and a project's programs start from a stem (see `stem.py`). No server of a
project is ever used twice.

One line of JSON in: `{"run": 1, "project": DIR, "tests": [FILE...]}`, or `{"stop": true}`;
`only` names the checks that are wanted, and with `until_red` the first red one is the last. A new
run ends the older one first. Lines of JSON out: `{"run": 1, "verdict": {...}}`, and at last
`{"run": 1, "code": 0}`, with `said` when it broke. It ends when its input does.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from workshop import course as courses
from workshop import paths
from workshop.checks import database, runner
from workshop.checks.processes import Warmth
from workshop.errors import WorkshopError
from workshop.model import Course, Verdict

_REHEARSAL = Path(__file__).with_name("rehearsal.py")
_SPARES = 2  # databases that are made ahead
_PATIENCE = 5.0  # seconds in which a run that is not wanted any more must end


class _Spare(NamedTuple):
    """A process that waits: where it is told, and where it can be heard."""

    pid: int
    order: int
    heard: int


class Runs:
    """The judgements, one at a time."""

    def __init__(self, course: Path, warmth: Warmth, ends: int) -> None:
        self._course = course
        self._warmth = warmth
        self._ends = ends  # the descriptor that keeps stems alive: only we may hold it
        self._child = 0
        self._tidying = 0
        self._number = 0
        self._pipe = -1
        self._last: dict[str, Any] | None = None
        self._spare: _Spare | None = None
        self.prepare()

    @property
    def pipe(self) -> int:
        """Where the running judgement can be heard; -1 when none runs."""
        return self._pipe

    def start(self, words: dict[str, Any]) -> None:
        """Begin a judgement. An older one is ended first."""
        self.stop()
        self.prepare()
        spare, self._spare = self._spare, None
        assert spare is not None
        self._last = words
        self._number = int(words["run"])
        self._child, self._pipe = spare.pid, spare.heard
        with os.fdopen(spare.order, "w") as order:
            order.write(json.dumps(words))

    def prepare(self) -> None:
        """Have a process that only waits to be told what to judge."""
        if self._spare is not None:
            return
        told, order = os.pipe()
        heard, out = os.pipe()
        pid = os.fork()
        if pid == 0:
            for each in (self._ends, order, heard):
                os.close(each)
            _wait(told, self._course, self._warmth, out, self._last)
        for each in (told, out):
            os.close(each)
        self._spare = _Spare(pid, order, heard)

    def hear(self) -> None:
        """Pass on what the judgement says; at its end, its exit code."""
        said = os.read(self._pipe, 65536)
        if said:
            os.write(1, said)
            return
        os.close(self._pipe)
        self._pipe = -1
        _, status = os.waitpid(self._child, 0)
        self._child = 0
        code = os.waitstatus_to_exitcode(status)
        _say({"run": self._number, "code": code})
        self._tidy()

    def stop(self) -> None:
        """End the running judgement: it ends its servers first, if it can."""
        if not self._child:
            return
        os.kill(self._child, signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if select.select([self._pipe], [], [], 0.1)[0] and not os.read(self._pipe, 65536):
                break
        else:
            os.kill(self._child, signal.SIGKILL)
        os.close(self._pipe)
        self._pipe = -1
        os.waitpid(self._child, 0)
        self._child = 0
        _say({"run": self._number, "code": 130})
        self._tidy()

    def close(self) -> None:
        """End everything, and leave nothing."""
        from workshop.postgres import Cluster

        self.stop()
        if self._spare is not None:  # it ends when it is told nothing
            os.close(self._spare.order)
            os.close(self._spare.heard)
            os.waitpid(self._spare.pid, 0)
        self._await_tidy()
        os.close(self._ends)
        with contextlib.suppress(Exception):
            Cluster(self._warmth.folder / "postgresql", fast=True).stop()
        for each in (self._warmth.folder, self._warmth.sockets):
            shutil.rmtree(each, ignore_errors=True)

    def _tidy(self) -> None:
        """Renew the databases while nobody waits, and what judges."""
        self.prepare()
        self._await_tidy()
        if not (self._warmth.folder / "postgresql").is_dir():
            return
        old = database.used(self._warmth.folder)
        self._tidying = os.fork()
        if self._tidying == 0:
            os.close(self._ends)
            if self._spare is not None:  # else it would not be seen that nobody tells it anything
                os.close(self._spare.order)
            with contextlib.suppress(BaseException):
                database.renew(self._warmth.folder, old, _SPARES)
            os._exit(0)

    def _await_tidy(self) -> None:
        if self._tidying:
            os.waitpid(self._tidying, 0)
            self._tidying = 0


def _wait(
    told: int, root: Path, warmth: Warmth, out: int, likely: dict[str, Any] | None
) -> NoReturn:
    """Do all that can be done before it is known what to judge; judge then, and end.

    Most likely the same is wanted as the last time, with something changed in the project.
    """
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    threading.Thread(target=_end_with, args=(warmth.owner,), daemon=True).start()
    _Judgement(told, root, warmth, out).judge(likely)


def _end_with(owner: int) -> None:
    """End this process in order when the one that keeps all warm is gone, however it went."""
    os.read(owner, 1)
    os.kill(os.getpid(), signal.SIGTERM)


class _Judgement:
    """One judgement, in a process of its own. It may begin before it is asked for."""

    def __init__(self, told: int, root: Path, warmth: Warmth, out: int) -> None:
        self._told = told
        self._root = root
        self._warmth = warmth
        self._out = out
        self._words: dict[str, Any] | None = None  # what is wanted, once that is told
        self._begun = False

    def judge(self, likely: dict[str, Any] | None) -> NoReturn:
        """Prepare, judge what is wanted, and end this process."""
        code = 3
        try:
            self._prepare(likely)
            if not self._begun:
                words = self._order()
                course = courses.load(self._root)  # as it is now
                self._run(words, course, lambda: _wanted(words))
            code = 0
        except KeyboardInterrupt:
            code = 130
        except WorkshopError as error:
            self._say({"said": str(error)})
        except BaseException as error:
            self._say({"said": f"{type(error).__name__}: {error}"})
        finally:
            os._exit(code)

    def _prepare(self, likely: dict[str, Any] | None) -> None:
        """Go as far as the first check, and judge if it is what is wanted. Without a guess, only
        warm up: pytest touches most of its memory when it starts, and a fork has to copy that."""
        try:
            course = courses.load(self._root)
            if likely is None or _needs_much(course, likely):
                runner.run([_REHEARSAL], self._warmth.folder, course)
            else:
                self._run(likely, course, self._gate(likely, course))
        except Exception:
            if self._begun:
                raise
            # the course is in the making: whoever asks will be told what is wrong with it then

    def _gate(self, likely: dict[str, Any], course: Course) -> Callable[[], runner.Wanted | None]:
        then = _contents(likely)

        def gate() -> runner.Wanted | None:
            words = self._order()
            same = all(words[name] == likely[name] for name in ("project", "tests"))
            if same and _contents(words) == then and courses.load(self._root) == course:
                self._begun = True
                return _wanted(words)
            return None

        return gate

    def _order(self) -> dict[str, Any]:
        """What to judge, as soon as it is told. Ends this process when that will never be."""
        if self._words is None:
            with os.fdopen(self._told) as order:
                line = order.read()
            if not line:
                os._exit(0)
            self._words = json.loads(line)
            signal.signal(signal.SIGTERM, _interrupt)
        return self._words

    def _run(
        self, words: dict[str, Any], course: Course, gate: Callable[[], runner.Wanted | None]
    ) -> None:
        runner.run(
            [Path(each) for each in words["tests"]], Path(words["project"]), course,
            on_verdict=self._show, warmth=self._warmth, gate=gate,
        )  # fmt: skip

    def _show(self, verdict: Verdict) -> None:
        self._say({"verdict": verdict._asdict()})

    def _say(self, words: dict[str, Any]) -> None:
        if self._words is not None:  # before, nobody has asked
            _say({"run": self._words["run"], **words}, self._out)


def _wanted(words: dict[str, Any]) -> runner.Wanted:
    return runner.Wanted(words.get("only", ()), words.get("until_red", False))


def _contents(words: dict[str, Any]) -> list[bytes]:
    return [Path(each).read_bytes() for each in words["tests"]]


def _needs_much(course: Course, words: dict[str, Any]) -> bool:
    """Whether these are checks that need what may come and go, such as a container engine."""
    folders = {Path(each).parent for each in words["tests"]}
    return any(step.needs for step in course.steps if step.folder in folders)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the input ends."""
    parser = argparse.ArgumentParser("python -m workshop.checks.warm", description=__doc__)
    parser.add_argument("--course", type=Path, required=True)
    args = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for whoever started us: they close our input
    _import_pytest()
    home = paths.home() / "checks"
    home.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=home))
    folder.chmod(0o755)  # when we are root, PostgreSQL runs as somebody else
    # Apart, and short: the address of a socket may have about 100 bytes, and a home may be deep.
    sockets = Path(tempfile.mkdtemp(prefix="workshop-"))
    owner, ends = os.pipe()
    platform = courses.load(args.course).platform
    runs = Runs(
        args.course, Warmth(folder, sockets, owner, platform.imports, platform.test_imports), ends
    )
    gc.collect()
    gc.freeze()  # what is shared with the judgements stays shared, and is not searched again
    buffer = b""
    try:
        while True:
            waiting = [0, *([runs.pipe] if runs.pipe >= 0 else [])]
            ready, _, _ = select.select(waiting, [], [])
            if runs.pipe in ready:
                runs.hear()
            if 0 in ready:
                more = os.read(0, 65536)
                if not more:
                    return 0
                buffer += more
                *lines, buffer = buffer.split(b"\n")
                for line in lines:
                    words = json.loads(line)
                    if "run" in words:
                        runs.start(words)
                    else:
                        runs.stop()
    finally:
        runs.close()


def _import_pytest() -> None:
    """pytest imports its parts when it starts; here, before that."""
    from _pytest.config import default_plugins

    for name in default_plugins:
        with contextlib.suppress(ImportError):
            importlib.import_module(f"_pytest.{name}")
    for name in ("psutil", "workshop.postgres", "importlib.metadata", "html.parser"):
        importlib.import_module(name)


def _say(words: dict[str, Any], out: int = 1) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(out, json.dumps(words).encode() + b"\n")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
