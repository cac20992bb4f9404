"""`workshop verify`, when nothing is known yet, and when there is nothing left to prove."""

from __future__ import annotations

import time

from benchmarks.measure import (
    ROOT,
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
from workshop.checks import needs

_FIRST = Target("`workshop verify`, with nothing known", "", 1500, "seconds")
_AGAIN = Target("`workshop verify` again, with nothing changed", "", 1.5, "seconds")
_PARTS = ("containers", "compose", "cluster", "pipelines")


def measure(bench: Bench) -> Result:
    """Prove the course once, and then see how fast it is known. A taste proves one step. Where
    something is missing that checks need, they are skipped, and the first time says nothing."""
    command: Command = [workshop(), "verify", "--course", ROOT, *(["1"] if bench.quick else [])]
    began = time.perf_counter()
    said = " ".join(run(command, cwd=bench.scratch).rpartition("\n\n")[2].split())
    first = time.perf_counter() - began
    missing = needs.missing(_PARTS)
    print(f"    the first time took {first:.1f} s. {said} {missing}".rstrip(), flush=True)
    (again,) = medians(bench.runs, lambda: seconds(command, cwd=bench.scratch))
    rows = (*([] if missing or bench.quick else [Row(_FIRST, first)]), Row(_AGAIN, again))
    return Result(rows, f"The first time: {said}", bench.runs)


SUBJECT = Subject(
    "verify",
    "Proving the course",
    "All of it: containers, a cluster, pipelines, on two cores. What was proven stays proven until"
    " something that it depends on changes.",
    (_FIRST, _AGAIN),
    measure,
)
