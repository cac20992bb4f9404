"""How fast the command line starts, and what it does not import."""

from __future__ import annotations

from pathlib import Path

from benchmarks import demo
from benchmarks.measure import (
    Bench,
    Command,
    Result,
    Row,
    Subject,
    Target,
    environment,
    medians,
    python,
    seconds,
    workshop,
)

_PEER = "`python -c pass`"
_HELP = Target("`workshop --help`", _PEER, 5)
_STATUS = Target("`workshop status`, with a release in production", _PEER, 5)
_HEAVY = Target("modules of Django, pytest and Sphinx that both import", "", 0, "modules")
_NOT_WANTED = {"django", "pytest", "_pytest", "sphinx"}


def measure(bench: Bench) -> Result:
    """Time the two commands that people wait for most often."""
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
    return Result(
        (
            Row(_HELP, helped, bare),
            Row(_STATUS, asked, bare),
            Row(_HEAVY, float(sum(name.partition(".")[0] in _NOT_WANTED for name in heavy))),
        ),
        rounds=rounds,
    )


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
    "How long a command takes that only prints something, from Return to prompt.",
    (_HELP, _STATUS, _HEAVY),
    measure,
)
