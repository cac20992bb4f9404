"""How fast the command line starts, and what it does not import."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from pathlib import Path

from benchmarks import demo
from benchmarks.measure import (
    ROOT,
    Bench,
    Command,
    Result,
    Row,
    Subject,
    Target,
    environment,
    medians,
    percentile,
    python,
    run,
    seconds,
    workshop,
)
from benchmarks.tables import time as shown
from workshop import course

_PEER = "`python -c pass`"
_HELP = Target("`workshop --help`", _PEER, 5)
_STATUS = Target("`workshop status`, with a release in production", _PEER, 5)
_HEAVY = Target("modules of Django, pytest and Sphinx that both import", "", 0, "modules")
_NOT_WANTED = {"django", "pytest", "_pytest", "sphinx"}
_GOTO = Target("`workshop goto`, any stage, the 95th percentile", "", 2, "seconds")
_TOURS = 3


def measure(bench: Bench) -> Result:
    """Time the two commands that people wait for most often, and the one that moves most."""
    with demo.deployed(bench.scratch) as site:
        project = site.project
        assistance: Command = [workshop(), "--help"]
        status: Command = [workshop(), "status"]
        nothing: Command = [python(), "-c", "pass"]
        rounds = 5 * bench.runs
        helped, asked, bare = medians(
            rounds,
            lambda: seconds(assistance, cwd=project),
            lambda: seconds(status, cwd=project),
            lambda: seconds(nothing, cwd=project),
        )
        heavy = _imported(project, "--help") | _imported(project, "status")
    moves = _moves(bench.scratch, min(bench.runs, _TOURS))
    return Result(
        (
            Row(_HELP, helped, bare),
            Row(_STATUS, asked, bare),
            Row(_HEAVY, float(sum(name.partition(".")[0] in _NOT_WANTED for name in heavy))),
            Row(_GOTO, percentile(moves, 95)),
        ),
        f"`workshop goto`: {len(moves)} moves in one project, from stage to stage, forth and back, "
        f"and in leaps. Half of them took {shown(statistics.median(moves))} at most, the longest "
        f"one {shown(max(moves))}.",
        rounds,
    )


def _moves(scratch: Path, tours: int) -> list[float]:
    """How long each `workshop goto` takes in a learner's project. All of them count, the first one,
    too, and none of the backups is taken away."""
    project = scratch / "learner"
    run([workshop(), "start", project], cwd=scratch)
    for name, value in (("user.name", "A Person"), ("user.email", "person@example.org")):
        run(["git", "config", name, value], cwd=project)
    tags = [step.tag for step in course.load(ROOT).steps]
    return [
        seconds([workshop(), "goto", tag], cwd=project) for _ in range(tours) for tag in tour(tags)
    ]


def tour(stages: Sequence[str]) -> list[str]:
    """Stages to visit one after the other: from the first to the last, step by step, and back, then
    from both ends to the middle. No two neighbours are the same, also when the next tour begins."""
    back = stages[-2:0:-1]
    ends = itertools.chain.from_iterable(zip(stages, reversed(stages), strict=True))
    return [*stages, *back, *itertools.islice(ends, len(stages))]


def _imported(project: Path, word: str) -> set[str]:
    """The names of all modules that Python imports for this command."""
    import subprocess

    done = subprocess.run(
        [python(), "-X", "importtime", "-m", "workshop", word],
        cwd=project, env=environment(), capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    names = {line.rpartition("|")[2].strip() for line in lines}
    if "workshop.cli" not in names:
        raise RuntimeError("Python did not tell what it imports")
    return names


SUBJECT = Subject(
    "cli",
    "The command line",
    "How long a command takes, from Return to prompt: two that only print something, and the one "
    "that makes a learner's project another stage.",
    (_HELP, _STATUS, _HEAVY, _GOTO),
    measure,
)
