"""How all subjects measure: whole processes from outside, in turns, and the median of each."""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
Unit = Literal["times", "seconds", "requests", "modules", "percent"]
Command = Sequence[str | Path]


class Target(NamedTuple):
    """What is measured, against what, and how much of it is allowed.

    With the unit `times`, `limit` is a ratio: our time to the peer's. With any other, there is no
    peer, and `limit` is an amount.
    """

    what: str
    peer: str
    limit: float
    unit: Unit = "times"


class Row(NamedTuple):
    """What came out for a target. Times are in seconds; without a peer, `ours` is the amount."""

    target: Target
    ours: float
    peers: float | None = None

    @property
    def value(self) -> float:
        """What is held against the limit."""
        return self.ours if self.peers is None else self.ours / self.peers

    @property
    def met(self) -> bool:
        """Whether it is within the limit. No rounding helps."""
        return self.value <= self.target.limit


class Bench(NamedTuple):
    """What a subject gets: how often to measure, whether only a taste is wanted, and a folder."""

    runs: int
    quick: bool
    scratch: Path


class Result(NamedTuple):
    """The rows of a subject, in the order of its targets, and more in Markdown, if need be.

    `rounds` is how many each time is the median of; None where rows differ in it.
    """

    rows: tuple[Row, ...]
    details: str = ""
    rounds: int | None = None


class Subject(NamedTuple):
    """Something to measure: its name on the command line, its heading and words in the docs."""

    name: str
    title: str
    text: str
    targets: tuple[Target, ...]
    measure: Callable[[Bench], Result]


def python() -> Path:
    """The Python that runs us, and everything that we measure."""
    return Path(sys.executable)


def workshop() -> Path:
    """The command line, as it is installed beside that Python."""
    return python().with_name("workshop")


def environment() -> dict[str, str]:
    """The variables for every process that is measured.

    A learner's Python keeps its bytecode, so ours may, whatever is set where we run.
    """
    return {name: value for name, value in os.environ.items() if name not in _UNUSUAL}


_UNUSUAL = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH"}


def run(
    command: Command,
    *,
    cwd: Path,
    stdin: Path | None = None,
    more: Mapping[str, str] | None = None,
) -> str:
    """Run a command to its end. Returns what it printed; raises RuntimeError when it fails."""
    with (stdin or Path(os.devnull)).open("rb") as given:
        done = subprocess.run(
            [str(word) for word in command], cwd=cwd, env=environment() | dict(more or {}),
            stdin=given, capture_output=True, encoding="utf-8", errors="replace", check=False,
        )  # fmt: skip
    if done.returncode != 0:
        shown = " ".join(map(str, command))
        said = (done.stderr or done.stdout).strip()
        raise RuntimeError(f"`{shown}` ended with {done.returncode}: {said}")
    return done.stdout


def seconds(
    *commands: Command,
    cwd: Path,
    stdin: Path | None = None,
    more: Mapping[str, str] | None = None,
) -> float:
    """The wall time of these commands, one after the other. The last one reads `stdin`."""
    began = time.perf_counter()
    for command in commands:
        run(command, cwd=cwd, stdin=stdin if command is commands[-1] else None, more=more)
    return time.perf_counter() - began


def medians(
    runs: int, *calls: Callable[[], float], warm: bool = True, turn: bool = True
) -> tuple[float, ...]:
    """The median of what each call returns, over `runs` rounds in which each has its turn.

    With `turn`, every other round goes backwards, so that none always follows the same. With
    `warm`, one more round comes first, and isn't counted.
    """
    if runs < 1:
        raise ValueError(f"at least one run, not {runs}")
    found: list[list[float]] = [[] for _ in calls]
    for number in range(-1 if warm else 0, runs):
        order = list(enumerate(calls))
        for index, call in reversed(order) if turn and number % 2 else order:
            value = call()
            if number >= 0:
                found[index].append(value)
    return tuple(statistics.median(each) for each in found)


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest of these values that so many percent of them do not exceed."""
    return sorted(values)[max(1, math.ceil(len(values) * percent / 100)) - 1]
