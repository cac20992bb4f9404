"""One judgement of the warm process (see `warm.py`), in a fork that waits to be told what to judge.

It may begin before it is asked for: most likely, the same is wanted as the last time, with
something changed in the project. Then it is at the first check already.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from workshop import course as courses
from workshop.checks import runner
from workshop.checks.processes import Warmth
from workshop.errors import WorkshopError
from workshop.model import Course, Verdict

_REHEARSAL = Path(__file__).with_name("rehearsal.py")

_Gate = Callable[[Sequence[str]], runner.Wanted | None]


def wait(
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
                self._run(words, course, lambda together: self._wanted(words, together))
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

    def _gate(self, likely: dict[str, Any], course: Course) -> _Gate:
        then = _contents(likely)

        def gate(together: Sequence[str]) -> runner.Wanted | None:
            words = self._order()
            same = all(words[name] == likely[name] for name in ("project", "tests"))
            if same and _contents(words) == then and courses.load(self._root) == course:
                self._begun = True
                return self._wanted(words, together)
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

    def _wanted(self, words: dict[str, Any], together: Sequence[str]) -> runner.Wanted:
        if together:
            self._say({"together": together})
        return runner.Wanted(words.get("only", ()), words.get("until_red", False))

    def _run(self, words: dict[str, Any], course: Course, gate: _Gate) -> None:
        runner.run(
            [Path(each) for each in words["tests"]], Path(words["project"]), course,
            on_verdict=self._show, warmth=self._warmth, gate=gate,
        )  # fmt: skip

    def _show(self, verdict: Verdict) -> None:
        self._say({"verdict": verdict._asdict()})

    def _say(self, words: dict[str, Any]) -> None:
        if self._words is not None:  # before, nobody has asked
            say({"run": self._words["run"], **words}, self._out)


def _contents(words: dict[str, Any]) -> list[bytes]:
    return [Path(each).read_bytes() for each in words["tests"]]


def _needs_much(course: Course, words: dict[str, Any]) -> bool:
    """Whether these are checks that need what may come and go, such as a container engine."""
    folders = {Path(each).parent for each in words["tests"]}
    return any(step.needs for step in course.steps if step.folder in folders)


def say(words: dict[str, Any], out: int) -> None:
    """A line for whoever listens, if anybody still does."""
    with contextlib.suppress(BrokenPipeError):
        os.write(out, json.dumps(words).encode() + b"\n")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
