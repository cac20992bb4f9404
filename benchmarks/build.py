"""`workshop build` against git itself, fed by hand."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import synthetic
from benchmarks.measure import (
    Bench,
    Command,
    Result,
    Row,
    Subject,
    Target,
    medians,
    run,
    seconds,
    workshop,
)
from workshop import course, git, history

_RAW = "`git init`, then `git fast-import` of the same stream"
_LONG = Target("`workshop build`, 1,000 steps", _RAW, 1.25)
_BY_HAND = Target(
    "`workshop build`, 1,000 steps", "`git add`, `git commit`, `git tag` for each step", 0.1
)
_SHORT = Target("`workshop build`, 20 steps", _RAW, 2.2)
# A thousand commits by hand take long, and vary little.
_FEW = 3


def measure(bench: Bench) -> Result:
    """Build a long and a short made-up course, and the same history without us."""
    many = 100 if bench.quick else 1000
    long, short = _Case(bench.scratch / "long", many), _Case(bench.scratch / "short", 20)
    ours, raw = medians(bench.runs, long.ours, long.raw)
    ours_again, by_hand = medians(min(bench.runs, _FEW), long.ours, long.by_hand, warm=False)
    ours_short, raw_short = medians(3 * bench.runs, short.ours, short.raw)
    return Result(
        (
            Row(_LONG, ours, raw),
            Row(_BY_HAND, ours_again, by_hand),
            Row(_SHORT, ours_short, raw_short),
        )
    )


class _Case:
    """A made-up course, and the three ways to its history."""

    def __init__(self, folder: Path, steps: int) -> None:
        self._course = synthetic.write(folder / "course", steps)
        self._target = folder / "demo"
        self._known = course.load(self._course)
        self._stream = folder / "stream"
        with self._stream.open("wb") as file:
            file.writelines(history.stream(self._known.steps))

    def ours(self) -> float:
        command: Command = [workshop(), "build", "--course", self._course, self._target]
        return self._into(lambda: seconds(command, cwd=self._course))

    def raw(self) -> float:
        def call() -> float:
            self._target.mkdir()
            return seconds(
                ["git", "init", "--quiet", "--template="], ["git", "fast-import", "--quiet"],
                cwd=self._target, stdin=self._stream, more=git.environment(),
            )  # fmt: skip

        return self._into(call)

    def by_hand(self) -> float:
        """As a script would do it that a person writes first."""

        def call() -> float:
            self._target.mkdir()
            identity = {
                f"GIT_{who}_{what}": value
                for who in ("AUTHOR", "COMMITTER")
                for what, value in (("NAME", "A Person"), ("EMAIL", "person@example.org"))
            }
            more = git.environment() | identity
            run(["git", "init", "--quiet", "--template="], cwd=self._target, more=more)
            began = time.perf_counter()
            for step in self._known.steps:
                # `copyfile` leaves the date alone: git takes a file of the same age and length
                # for unchanged
                shutil.copytree(
                    step.solution, self._target, dirs_exist_ok=True, copy_function=shutil.copyfile
                )
                for words in (
                    ("add", "--all"),
                    ("-c", "gc.auto=0", "commit", "--quiet", "-m", step.message),
                    ("tag", "-a", "-m", step.title, step.tag),
                ):
                    run(["git", *words], cwd=self._target, more=more)
            return time.perf_counter() - began

        return self._into(call)

    def _into(self, call: Callable[[], float]) -> float:
        """Make the target, and remove it when the clock has stopped."""
        try:
            return call()
        finally:
            shutil.rmtree(self._target, ignore_errors=True)


SUBJECT = Subject(
    "build",
    "The demo project",
    "How long it takes to write the steps as a git repository, the whole command, with its working "
    "tree. The steps are made up: three files change in each.",
    (_LONG, _BY_HAND, _SHORT),
    measure,
)
