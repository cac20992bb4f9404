"""All checks of the course's two first layers, on the finished project: at first, and kept warm."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import demo
from benchmarks.measure import (
    ROOT,
    Bench,
    Result,
    Row,
    Subject,
    Target,
    environment,
    medians,
    run,
    workshop,
)
from benchmarks.tables import table
from benchmarks.tables import time as shown
from workshop import course
from workshop.checks.keeper import Keeper
from workshop.model import Step

_COLD = Target("`workshop check` of nine steps, one by one, in an empty home", "", 90, "seconds")
_WARM = Target("the same nine, kept warm as by `workshop watch`", "", 20, "seconds")
_STEPS = 9
_ROUNDS = 2  # until all is warm
_REST = 3.0  # seconds, until databases are renewed and stems have grown
_NO_ENGINE = {"DOCKER_HOST": "tcp://127.0.0.1:1"}  # nobody listens there


def measure(bench: Bench) -> Result:
    """Judge the finished project by each step: all new first, then all warm."""
    project = demo.clone(bench.scratch)
    steps = course.load(ROOT).steps[:_STEPS]
    cold: dict[str, list[float]] = {each.tag: [] for each in steps}
    warm: dict[str, list[float]] = {each.tag: [] for each in steps}
    numbers = iter(range(1000))

    def from_nothing() -> float:
        home = bench.scratch / f"home-{next(numbers)}"
        home.mkdir()
        for step in steps:
            began = time.perf_counter()
            run([workshop(), "check", step.tag], cwd=project,
                more=_NO_ENGINE | {"WORKSHOP_HOME": str(home)})  # fmt: skip
            cold[step.tag].append(time.perf_counter() - began)
        return sum(times[-1] for times in cold.values())

    (at_first,) = medians(min(bench.runs, 3), from_nothing, warm=False)
    with _kept() as keeper:

        def again() -> float:
            total = 0.0
            for step in steps:
                time.sleep(_REST)
                took = _seconds(keeper, project, step)
                warm[step.tag].append(took)
                total += took
            return total

        for _ in range(_ROUNDS):
            again()
        (kept,) = medians(bench.runs, again, warm=False)
    rows = [
        (tag, shown(min(cold[tag])), shown(min(warm[tag]))) for tag in cold
    ]  # fmt: skip
    return Result(
        (Row(_COLD, at_first), Row(_WARM, kept)), table(("step", "at first", "warm"), rows)
    )


def _seconds(keeper: Keeper, project: Path, step: Step) -> float:
    """How long a judgement takes. Raises RuntimeError when something is not green."""
    began = time.perf_counter()
    verdicts = keeper.verdicts(keeper.ask(project, step.tests))
    took = time.perf_counter() - began
    wrong = [each for each in verdicts or () if each.outcome in ("red", "error")]
    if wrong or not verdicts:
        raise RuntimeError(f"this should be green: {wrong}")
    return took


@contextmanager
def _kept() -> Iterator[Keeper]:
    """What judges while somebody watches."""
    keeper = Keeper(ROOT, environment() | _NO_ENGINE)
    try:
        yield keeper
    finally:
        keeper.close()
        keeper.release()


SUBJECT = Subject(
    "course",
    "All checks, one step after the other",
    "The finished project, judged by the checks of the two first layers, its tests included: they "
    "run again for each mistake that they must notice. Packages come from uv's cache. No container "
    "engine is asked, so what needs one is skipped. The table shows the best time of each step.",
    (_COLD, _WARM),
    measure,
)
