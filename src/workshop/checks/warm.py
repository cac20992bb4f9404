"""Judges again and again, warm: `python -m workshop.checks.warm --course DIR`.

Everything that a judgement imports is imported once. Each judgement is a fork, made ahead: it
inherits that, and can spoil nothing. The PostgreSQL for checks keeps running, with a fresh database
for each judgement, and a project's programs start from a stem (see `stem.py`). No server of a
project is ever used twice.

One line of JSON in: `{"run": 1, "project": DIR, "tests": [FILE...]}`, or `{"stop": true}`;
`only` names the checks that are wanted, and with `until_red` the first red one is the last. A new
run ends the older one first. Lines of JSON out: `{"run": 1, "together": [CHECK...]}` when there are
some that one process had better judge, `{"run": 1, "verdict": {...}}`, and at last
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
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workshop import course as courses
from workshop import paths
from workshop.checks import database, judgement
from workshop.checks.processes import Warmth

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
            judgement.wait(told, self._course, self._warmth, out, self._last)
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
        judgement.say({"run": self._number, "code": code}, 1)
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
        judgement.say({"run": self._number, "code": 130}, 1)
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the input ends."""
    parser = argparse.ArgumentParser("python -m workshop.checks.warm", description=__doc__)
    parser.add_argument("--course", type=Path, required=True)
    args = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for whoever started us: they close our input
    _import_pytest()
    folder = database.folder(paths.home(), in_memory=True)
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


if __name__ == "__main__":
    raise SystemExit(main())
