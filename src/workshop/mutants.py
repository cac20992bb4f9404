"""The checks, proven: of all mutants of each solution, hardly one may pass them.

A check that no mistake turns red proves nothing. So each step's solution is spoiled in many small
ways, one at a time (see `mutate.py`), and a check must find it: one of the step's own, or, after
those, one of an earlier step, for what they say holds on. What none finds is listed in the step's
`survivors.toml`, with the reason; anything else is a problem.

A mutant is judged until its first red check, the quickest checks first, in warm processes.
What came out is kept under the key of what it depends on.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Literal, NamedTuple

from workshop import course as courses
from workshop import history, keys, store, survivors
from workshop.errors import WorkshopError
from workshop.judge import Judge
from workshop.model import Course, Finding, Step, Survivor, Survivors, Verdict
from workshop.mutate import Mutant

Outcome = Literal["killed", "survived", "not judged", "broken"]
# What a verdict on a mutant can depend on in the engine.
_ENGINE = (
    "checks", "production", "containers.py", "environments.py", "postgres.py", "git.py", "paths.py",
    "kubectl.py", "manifests.py", "workloads.py", "underload.py", "sending.py",
    "own.py", "sealed.py", "sealing.py", "secret.py", "documents.py",
    "judge.py", "history.py", "course.py", "model.py", "keys.py", "errors.py",
)  # fmt: skip
_KEPT = "mutants"
_Order = Mapping[str, Mapping[str, float]]  # by step: its checks, the quickest first, in seconds
# Slower than that, in seconds and compared with the solution, a check is red because it waited in
# vain. So does everybody on a machine that has too much to do: it is asked once more.
_SLOW, _SLOWER = 5.0, 3.0


class Result(NamedTuple):
    """What became of a mutant. `why` names the check that found it, or says why none could; `by` is
    the slug of the step that this check belongs to."""

    step: Step
    mutant: Mutant
    outcome: Outcome
    why: str = ""
    by: str = ""
    seconds: float = 0.0
    cached: bool = False


class _Trial(NamedTuple):
    """The checks of a step, by name, and the key of what they say of a mutant."""

    step: Step
    checks: tuple[str, ...]
    key: str


class _Task(NamedTuple):
    """A mutant, the files of its stage with it in them, and who judges it, one after another."""

    step: Step
    mutant: Mutant
    files: Mapping[str, history.File]
    trials: tuple[_Trial, ...]


def run(
    course: Course,
    steps: Sequence[Step],
    *,
    fresh: bool = False,
    within: float | None = None,
    report: Callable[[Result, int, int], None],
) -> tuple[Result, ...]:
    """Judge the mutants of `steps` (all, when empty). `report` is told each result as it is there,
    its number, and how many there are.

    With `within`, it is a sample: always in the same order, from every step that has a record and
    needs no containers, as many as there is time for, in seconds. Returns the results in the
    course's order. Raises WorkshopError when a solution itself is not green.
    """
    if not hasattr(os, "fork"):
        raise WorkshopError("mutants are judged where a process can fork", "Use Linux, macOS, WSL.")
    tasks = _plan(course, steps or course.steps)
    if within is not None:
        tasks = _sample(tasks)
    results: dict[int, Result] = {}

    def end(number: int, result: Result) -> None:
        results[number] = result
        report(result, len(results), len(tasks))

    known = [None if fresh else _known(task) for task in tasks]
    for number, result in enumerate(known):
        if result is not None:
            end(number, result)
    missing = [number for number, result in enumerate(known) if result is None]
    if missing:
        steps = [tasks[each].step for each in missing]
        with _judges(course, steps, within) as judges:
            order: _Order = {}
            if within is None:
                order = _quickest(course, {step.tag for step in steps}, judges)
                # Who takes longest comes last: what is soon known is soon told.
                missing.sort(key=lambda each: [*order].index(tasks[each].step.tag))
            for number, result in _all(tasks, missing, order, judges):
                end(number, result)
    return tuple(results[number] for number in sorted(results))


def problems(results: Sequence[Result]) -> Iterator[Finding]:
    """What is not as the records say."""
    for tag in dict.fromkeys(each.step.tag for each in results):
        own = [each for each in results if each.step.tag == tag]
        recorded = courses.survivors(own[0].step)
        listed = {(each.file, each.mutation) for each in recorded.survivors} if recorded else set()
        for each in own:
            name = f"{each.mutant.file}: {each.mutant.mutation}"
            known = each.mutant[:2] in listed
            where = f"steps/{tag}/{survivors.FILE}"
            if each.outcome == "broken":
                yield Finding(where, f"a check broke, and should be red: {name}: {each.why}")
            elif each.outcome == "survived" and not known:
                yield Finding(where, f"no check finds it, and no reason is listed: {name}")
            elif each.outcome == "killed" and known:
                yield Finding(where, f"it is listed, and {each.why} finds it: {name}")


def record(course: Course, results: Sequence[Result]) -> tuple[Path, ...]:
    """Write the list of each step whose mutants were all judged. What is known of a survivor stays;
    a new one has no reason, which `workshop lint` does not accept. Returns the files."""
    files = []
    for stage, mutants in survivors.made(course):
        own = [each for each in results if each.step.tag == stage.step.tag]
        if len(own) != len(mutants) or any(_open(each) for each in own):
            continue
        before = courses.survivors(stage.step)
        known = {each[:2]: each for each in before.survivors} if before else {}
        left = [each.mutant[:2] for each in own if each.outcome == "survived"]
        found = tuple(known.get(each, Survivor(*each, reason="")) for each in left)
        also = tuple(sorted({each.by for each in own} - {"", stage.step.slug}))
        seal = survivors.seal(course, stage, mutants, also)
        files.append(survivors.write(stage.step, Survivors(seal, len(mutants), also, found)))
    return tuple(files)


def _open(result: Result) -> bool:
    return result.outcome in ("not judged", "broken")


def _plan(course: Course, steps: Sequence[Step]) -> list[_Task]:
    """Every mutant of `steps`: the order is the order of the course."""
    engine = keys.engine(_ENGINE)
    tasks = []
    wanted = {step.tag for step in steps}
    for stage, mutants in survivors.made(course):
        if stage.step.tag not in wanted:
            continue
        judges = [(step, checks, [file.read_bytes() for file in step.tests])
                  for step, checks in _checks(course, stage.step)]  # fmt: skip
        for mutant in mutants:
            files = dict(stage.files)
            file = files.pop(mutant.file)
            if mutant.data is not None:
                files[mutant.file] = file._replace(data=mutant.data)
            trials = tuple(
                _Trial(step, checks, keys.digest(engine, course.platform, checks, texts, files))
                for step, checks, texts in judges
            )
            tasks.append(_Task(stage.step, mutant, files, trials))
    return tasks


def _checks(course: Course, step: Step) -> Iterator[tuple[Step, tuple[str, ...]]]:
    """Whose checks judge a solution of `step`, and which: all that still hold."""
    replaced = {
        name for each in course.steps if each.number <= step.number for name in each.replaces
    }
    earlier = [each for each in course.steps if each.number < step.number and not each.needs]
    for each in (step, *earlier):
        yield each, tuple(name for name in each.red if f"{each.slug}::{name}" not in replaced)


def _sample(tasks: Sequence[_Task]) -> list[_Task]:
    """Mixed, always in the same way, and a task of each step in turn."""
    mixed: dict[str, list[_Task]] = {}
    for task in sorted(tasks, key=lambda each: keys.digest(each.mutant[:2])):
        if courses.survivors(task.step) and not task.step.needs:
            mixed.setdefault(task.step.tag, []).append(task)
    turns = [(turn, task) for own in mixed.values() for turn, task in enumerate(own)]
    return [task for _, task in sorted(turns, key=lambda each: each[0])]


def _quickest(course: Course, tags: set[str], judges: _Judges) -> _Order:
    """The checks of these steps, and the steps, the quickest first: they tell it on the solution
    as it is."""

    def one(stage: history.Stage) -> tuple[float, str, dict[str, float]]:
        with judges.one() as judge:
            verdicts = judge.verdicts(stage.files, stage.step, ()) or ()
        for each in verdicts:
            if each.outcome in ("red", "error"):
                raise WorkshopError(
                    f"{each.check} is {each.outcome} on the solution itself: {each.seen}",
                    f"Mend it first: workshop verify {stage.step.number:02d}",
                    path=stage.step.solution,
                )
        quickest = sorted(verdicts, key=lambda each: each.seconds)
        seconds = sum(each.seconds for each in verdicts)
        return seconds, stage.step.tag, {each.check: each.seconds for each in quickest}

    stages = [stage for stage in history.stages(course) if stage.step.tag in tags]
    with ThreadPoolExecutor(max_workers=len(judges)) as pool:
        told = sorted(pool.map(one, stages), key=lambda each: each[0])
        return {tag: checks for _, tag, checks in told}


def _all(
    tasks: Sequence[_Task], missing: Sequence[int], order: _Order, judges: _Judges
) -> Iterator[tuple[int, Result]]:
    """Judge the missing tasks, with all judges, and hand each result over."""
    with ThreadPoolExecutor(max_workers=len(judges)) as pool:
        running = {pool.submit(_try, tasks[each], order, judges): each for each in missing}
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            judges.close()  # nobody waits for what runs
            raise


def _try(task: _Task, order: _Order, judges: _Judges) -> Result:
    """Judge one mutant: by one step's checks after another, until one check is red."""
    began = time.monotonic()
    result = Result(task.step, task.mutant, "survived")
    for trial in task.trials:
        kept = _kept(trial)
        if kept is None:
            usual = order.get(trial.step.tag) or dict.fromkeys(trial.checks, 0.0)
            checks = [each for each in usual if each in trial.checks]
            with judges.one() as judge:
                verdicts = judge.verdicts(task.files, trial.step, checks)
                last = verdicts[-1] if verdicts else None
                if last and last.outcome == "red" and _slow(last, usual[last.check]):
                    again = judge.verdicts(task.files, trial.step, [last.check])
                    if not again or again[-1].outcome != "red":
                        verdicts = judge.verdicts(task.files, trial.step, checks)
            kept = _said(verdicts)
            if kept[0] in ("killed", "survived"):
                _keep(trial, kept)
        outcome, why = kept
        if outcome != "survived":
            result = result._replace(outcome=outcome, why=why, by=trial.step.slug)
            break
    return result._replace(seconds=round(time.monotonic() - began, 3))


def _slow(verdict: Verdict, usual: float) -> bool:
    return verdict.seconds > usual * _SLOWER + _SLOW


def _said(verdicts: Sequence[Verdict] | None) -> tuple[Outcome, str]:
    """What the verdicts make of a mutant, and the check, or the reason."""
    if verdicts is None:
        return "not judged", "there was no time"
    by = {each.outcome: each for each in reversed(verdicts)}
    if "red" in by:
        return "killed", by["red"].check
    if "error" in by or not verdicts:
        broken = by.get("error")
        return "broken", f"{broken.check}: {broken.seen}" if broken else "no check ran"
    if "skipped" in by:
        return "not judged", by["skipped"].seen
    return "survived", ""


class _Judges:
    """Several judges: whoever needs one waits for one that is free."""

    def __init__(self, course: Course, many: int) -> None:
        self._all = [Judge(course) for _ in range(many)]
        self._free: queue.Queue[Judge] = queue.Queue()
        for each in self._all:
            self._free.put(each)

    def __len__(self) -> int:
        return len(self._all)

    @contextlib.contextmanager
    def one(self) -> Iterator[Judge]:
        """A judge, for as long as the block lasts."""
        judge = self._free.get()
        try:
            yield judge
        finally:
            self._free.put(judge)

    def close(self) -> None:
        """End them all. Who is asked now has nothing to say."""
        for each in self._all:
            each.close()


@contextlib.contextmanager
def _judges(course: Course, steps: Sequence[Step], within: float | None) -> Iterator[_Judges]:
    """Judges for mutants of these steps, until the block ends, or the time is over: one for each
    core, and two where there is a cluster to wait for."""
    waits = any("cluster" in step.needs for step in steps)
    judges = _Judges(course, (os.cpu_count() or 1) * (1 + waits))
    clock = threading.Timer(within or 0, judges.close)
    clock.daemon = True
    if within is not None:
        clock.start()
    try:
        yield judges
    finally:
        clock.cancel()
        judges.close()


def _known(task: _Task) -> Result | None:
    """The result, when all that it takes is known."""
    for trial in task.trials:
        kept = _kept(trial)
        if kept is None:
            return None
        if kept[0] == "killed":
            return Result(task.step, task.mutant, *kept, by=trial.step.slug, cached=True)
    return Result(task.step, task.mutant, "survived", cached=True)


def _kept(trial: _Trial) -> tuple[Outcome, str] | None:
    kept = store.read(_KEPT, trial.key)
    return None if kept is None else (kept["outcome"], kept["why"])


def _keep(trial: _Trial, said: tuple[Outcome, str]) -> None:
    store.write(_KEPT, trial.key, {"outcome": said[0], "why": said[1]})
