"""All checks of the course's two first layers, on the finished project: at first, and kept warm."""

from __future__ import annotations

import json
import subprocess
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
    python,
    run,
    workshop,
)
from benchmarks.tables import table
from benchmarks.tables import time as shown
from workshop import course
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
    with _judge() as judge:

        def again() -> float:
            total = 0.0
            for step in steps:
                time.sleep(_REST)
                took = judge.seconds(project, step)
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


class _Judge:
    """The process that judges while somebody watches."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._number = 0

    def seconds(self, project: Path, step: Step) -> float:
        """How long a judgement takes. Raises RuntimeError when something is red."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._number += 1
        words = {"run": self._number, "project": str(project), "tests": list(map(str, step.tests))}
        began = time.perf_counter()
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            said = json.loads(line)
            if said.get("verdict", {}).get("outcome") in ("red", "error") or "said" in said:
                raise RuntimeError(f"this should be green: {said}")
            if "code" in said:
                break
        return time.perf_counter() - began


@contextmanager
def _judge() -> Iterator[_Judge]:
    process = subprocess.Popen(
        [python(), "-m", "workshop.checks.warm", "--course", ROOT], env=environment() | _NO_ENGINE,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    try:
        yield _Judge(process)
    finally:
        process.communicate()


SUBJECT = Subject(
    "course",
    "All checks, one step after the other",
    "The finished project, judged by the checks of the two first layers, its tests included: they "
    "run again for each mistake that they must notice. Packages come from uv's cache. No container "
    "engine is asked, so what needs one is skipped. The table shows the best time of each step.",
    (_COLD, _WARM),
    measure,
)
