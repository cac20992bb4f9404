"""`workshop verify`, when there is nothing left to prove."""

from __future__ import annotations

from benchmarks.measure import (
    ROOT,
    Bench,
    Command,
    Result,
    Row,
    Subject,
    Target,
    medians,
    seconds,
    workshop,
)

_AGAIN = Target("`workshop verify` again, with nothing changed", "", 1.5, "seconds")


def measure(bench: Bench) -> Result:
    """Prove the course once, and then see how fast it is known."""
    command: Command = [workshop(), "verify", "--course", ROOT]
    print(f"    the first time took {seconds(command, cwd=bench.scratch):.1f} s", flush=True)
    (again,) = medians(bench.runs, lambda: seconds(command, cwd=bench.scratch))
    return Result((Row(_AGAIN, again),), rounds=bench.runs)


SUBJECT = Subject(
    "verify",
    "Proving the course again",
    "What was proven stays proven until something that it depends on changes.",
    (_AGAIN,),
    measure,
)
