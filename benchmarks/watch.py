"""`workshop watch`: from save to verdict against a cold pytest, and its cost while it waits."""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import uv

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
    seconds,
    workshop,
)
from workshop import course, environments, history, watch
from workshop.checks.keeper import Said
from workshop.checks.keepers import Keepers
from workshop.model import Course, Step

_PEER = "`pytest` on the same file, cold"
_PLAIN = Target("from save to verdict, the first lesson", _PEER, 0.15)
_DATABASE = Target("from save to verdict, /livez and /readyz with their database", _PEER, 0.25)
_LOGIN = Target("from save to verdict, log in with two databases", _PEER, 0.25)
_UNIT = Target("from save to verdict, unit tests and what they must notice", _PEER, 0.25)
_EXERCISE = Target(
    "the first lesson, judged warm, without a save", "check50 on an equal exercise", 0.15
)
_IDLE = Target("of one core, in percent, waiting beside 2,000 files", "", 0.2, "percent")
_DOCTOR = Target("`workshop doctor`, whatever it finds", "", 10, "seconds")
_CHECK50 = "check50==3.5.0"  # not of ours: it is installed where it is measured
_FILES = 2000
_IDLE_SECONDS = 30
_REST = 1.5  # seconds, until databases are renewed: nobody saves faster than that for long


def measure(bench: Bench) -> Result:
    """Save a file in the demo project again and again; then only wait."""
    project = demo.clone(bench.scratch)
    known = course.load(ROOT)
    rows = []
    for target, name in (
        (_PLAIN, "commit-one"), (_DATABASE, "health"), (_LOGIN, "backing-service"),
        (_UNIT, "unit-tests"),
    ):  # fmt: skip
        step = course.find(known, name)
        rows.append(_compare(target, bench, known, project, step, _pytest(project, step)))
    details = ""
    try:
        theirs = _check50(bench, project)
    except RuntimeError as error:
        details = f"check50 can't be had on this machine, so nothing is compared with it: {error}"
    else:
        first = course.find(known, "commit-one")
        rows.append(_judged(bench, known, project, first, theirs))
    rows.append(Row(_IDLE, _idle(bench.scratch / "large", 5 if bench.quick else _IDLE_SECONDS)))
    (answer,) = medians(min(bench.runs, 3), lambda: _doctor(bench.scratch))
    rows.append(Row(_DOCTOR, answer))
    return Result(tuple(rows), details)


def _compare(
    target: Target, bench: Bench, known: Course, project: Path, step: Step,
    theirs: Callable[[], float],
) -> Row:  # fmt: skip
    _stage(known, project, step)
    with _Watching(known, project, step) as watching:
        watching.judged()
        for _ in range(2):  # the stem grows, databases are made ahead
            time.sleep(2 * _REST)
            watching.save()

        def ours() -> float:
            time.sleep(_REST)
            return watching.save()

        return Row(target, *medians(bench.runs, ours, theirs))


def _judged(
    bench: Bench, known: Course, project: Path, step: Step, theirs: Callable[[], float]
) -> Row:
    """check50 waits for no save, so neither do we."""
    _stage(known, project, step)
    heard: queue.Queue[Said] = queue.Queue()
    keepers = Keepers(known.root, heard.put)

    def ours() -> float:
        time.sleep(_REST)
        began = time.perf_counter()
        run = keepers.ask(project, step)
        while True:
            said = heard.get()
            if said.run == run and said.code is not None:
                return time.perf_counter() - began
            if said.verdict is not None and said.verdict.outcome != "green":
                raise RuntimeError(f"this should be green: {said.verdict}")

    try:
        for _ in range(3):  # the stem grows
            ours()
        return Row(_EXERCISE, *medians(bench.runs, ours, theirs))
    finally:
        keepers.close()


def _pytest(project: Path, step: Step) -> Callable[[], float]:
    return lambda: seconds(
        (python(), "-m", "pytest", "-q", "-c", os.devnull, "-p", "workshop.checks.plugin",
         "--project", project, *step.tests),
        cwd=project,
    )  # fmt: skip


def _check50(bench: Bench, project: Path) -> Callable[[], float]:
    """check50, in an environment of its own, on the exercise beside this file. Raises RuntimeError
    when it can't be installed."""
    folder = bench.scratch / "check50"
    run((uv.find_uv_bin(), "venv", "--quiet", "--python", python(), folder), cwd=bench.scratch)
    install = (uv.find_uv_bin(), "pip", "install", "--quiet", "--python", folder)
    run((*install, _CHECK50), cwd=bench.scratch)
    made = environments.ensure([project / "requirements.txt"], extra=[environments.SERVER])
    command = (
        folder / "bin" / "check50", "--dev", "--output", "json", "--log-level", "warning", "--",
        Path(__file__).with_name("exercise"),
    )  # fmt: skip

    def judge() -> float:
        began = time.perf_counter()
        said = run(command, cwd=project, more={"EXERCISE_PYTHON": str(made.python)})
        took = time.perf_counter() - began
        wrong = [each for each in json.loads(said)["results"] if not each["passed"]]
        if wrong:
            raise RuntimeError(f"this should be green: {wrong}")
        return took

    return judge


class _Watching:
    """A watch, and a hand that saves."""

    def __init__(self, known: Course, project: Path, step: Step) -> None:
        self._project = project
        self._events = watch.watch(known, project, step)
        self._counter = itertools.count()

    def __enter__(self) -> _Watching:
        return self

    def __exit__(self, *_: object) -> None:
        self._events.close()

    def judged(self) -> None:
        """Wait for the end of a judgement. Raises RuntimeError when it is not green."""
        for event in self._events:
            if event.kind == "ended":
                if {each.outcome for each in event.verdicts} != {"green"}:
                    raise RuntimeError(f"this should be green: {event.verdicts}")
                return

    def save(self) -> float:
        """Save a file, and return how long it took until the last verdict was there."""
        file = self._project / "README.rst"
        text = file.read_text("utf-8").partition("\n.. saved")[0]
        began = time.perf_counter()
        file.write_text(f"{text}\n.. saved {next(self._counter)}\n", "utf-8")
        self.judged()
        return time.perf_counter() - began


def _stage(known: Course, project: Path, step: Step) -> None:
    for stage in history.stages(known):
        if stage.step == step:
            for name in project.rglob("*.py"):
                name.unlink()
            for path, file in stage.files.items():
                (project / path).parent.mkdir(parents=True, exist_ok=True)
                (project / path).write_bytes(file.data)


def _idle(project: Path, period: float) -> float:
    """What `workshop watch` and all its processes use of one core, in percent."""
    for number in range(_FILES):
        file = project / f"part{number // 50}" / f"module{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x = 1\n", "utf-8")
    seconds(("git", "init", "--quiet"), cwd=project)
    process = psutil.Popen(
        [workshop(), "watch", "commit-one"], cwd=project, env=environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    ended = threading.Event()

    def read() -> None:
        for line in process.stdout:
            if " green" in line and line[0].isdigit():
                ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        if not ended.wait(120):
            raise RuntimeError("workshop watch never judged")
        time.sleep(5)
        before = _used(process)
        time.sleep(period)
        return (_used(process) - before) / period * 100
    finally:
        process.terminate()
        process.wait(30)
        reader.join()
        process.stdout.close()


def _used(process: psutil.Popen) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in _family(process))


def _family(process: psutil.Popen) -> Iterator[psutil.Process]:
    yield process
    yield from process.children(recursive=True)


def _doctor(folder: Path) -> float:
    began = time.perf_counter()
    psutil.Popen(
        [workshop(), "doctor"], cwd=folder, env=environment(), stdout=subprocess.DEVNULL
    ).wait()
    return time.perf_counter() - began


SUBJECT = Subject(
    "watch",
    "Judging on save",
    "What is kept warm between two saves, end to end: the file event, the judgement, the last "
    "verdict. The peer is what a person would type instead, with its databases on disk, as "
    "anybody's are; ours are in memory. No server of a project is used twice.",
    (_PLAIN, _DATABASE, _LOGIN, _UNIT, _EXERCISE, _IDLE, _DOCTOR),
    measure,
)
