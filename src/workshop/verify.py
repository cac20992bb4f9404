"""The course, proven: every step is red on its start, green on its solution, green later, deploys.

A trial is one set of checks on one stage, or one deploy of a stage under load. What a trial
depends on makes its key (see `planning.py`); what came out is kept under that key in the workshop's
home, so that nothing is proven twice. Judging is pure and comes after: a changed `red` needs no new
trial.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import get_args

from workshop import deploys, git, history, own, paths, planning, store
from workshop.checks import needs
from workshop.model import Course, Step, Verdict, plain
from workshop.trial import Trial

_KEPT = "verified"


def verify(
    course: Course,
    steps: Sequence[Step],
    *,
    fresh: bool = False,
    report: Callable[[Trial, int, int], None],
) -> tuple[Trial, ...]:
    """Prove `steps` (all, when empty). `report` is told each trial as it ends, its number, and
    how many there are. Returns the trials in the course's order."""
    tasks = planning.plan(course, steps or course.steps)
    ended: dict[int, Trial] = {}

    def end(number: int, trial: Trial) -> None:
        ended[number] = trial._replace(problems=_problems(course, tasks[number], trial))
        report(ended[number], len(ended), len(tasks))

    for number, task in enumerate(tasks):
        kept = None if fresh else _kept(task)
        if kept is not None:
            end(number, kept)
    missing = [number for number in range(len(tasks)) if number not in ended]
    for number, trial in _run(course, tasks, missing) if missing else ():
        task = tasks[number]
        end(number, trial)
        # whoever has saved a file meanwhile has it judged again
        if not ended[number].problems and task in planning.plan(course, [task.step]):
            _keep(task, trial)
        for other in missing:
            if other not in ended and tasks[other].key == task.key:
                end(other, _again(tasks[other], trial))
    return tuple(ended[number] for number in range(len(tasks)))


def _run(
    course: Course, tasks: Sequence[planning.Task], numbers: Sequence[int]
) -> Iterator[tuple[int, Trial]]:
    """Make the trials with these numbers, on every core, and hand each over as it ends."""
    # The longest first, so that no core waits for them at the end: whose checks need most, they
    # wait most. Then deploys.
    first = {tasks[number].key: number for number in reversed(numbers)}  # one of each key
    order = sorted(
        sorted(first.values()),
        key=lambda each: (-len(tasks[each].step.needs), tasks[each].kind != "deploy"),
    )
    queue = {
        place: deque(each for each in order if tasks[each].place == place)
        for place in get_args(planning.Place)
    }
    queue["rollout"] = deque(sorted(queue["rollout"]))  # each takes over from the one before
    # Trials wait a lot, those in a cluster most of all, so there are two more of them than there
    # are cores. But a rollout has the cluster to itself, and under its load that keeps a core
    # busy: until all are done, there are no more than cores.
    cores = os.cpu_count() or 1
    rolled_out = threading.Event()
    ended: SimpleQueue[tuple[int, Trial] | BaseException] = SimpleQueue()

    def numbered(place: planning.Place) -> Iterator[int]:
        while queue[place]:
            try:
                number = queue[place].popleft()
            except IndexError:  # another one was quicker
                return
            yield number

    def work(repository: Path, *places: planning.Place, late: bool = False) -> None:
        try:
            for place in places:
                if late or place == "cluster":  # a rollout has the cluster to itself
                    rolled_out.wait()
                for number in numbered(place):
                    ended.put((number, _try(course, repository, tasks[number])))
        except BaseException as error:
            ended.put(error)

    def roll(repository: Path) -> None:
        try:
            if queue["rollout"]:
                with _production(course, repository) as project:
                    for number in numbered("rollout"):
                        ended.put((number, _roll(course, project, tasks[number])))
        except BaseException as error:
            ended.put(error)
            return
        rolled_out.set()
        work(repository, "cluster", "here")

    with history.built(course) as (repository, _), ThreadPoolExecutor(cores + 2) as pool:
        pool.submit(roll, repository)
        pool.submit(work, repository, "cluster", "here", late=True)
        pool.submit(work, repository, "here", "cluster", late=True)
        for _ in range(cores - 1):
            pool.submit(work, repository, "here", "cluster")
        try:
            for _ in order:
                came = ended.get()
                if isinstance(came, BaseException):
                    raise came
                yield came
        finally:
            for each in queue.values():
                each.clear()
            rolled_out.set()


def _try(course: Course, repository: Path, task: planning.Task) -> Trial:
    began = time.monotonic()
    with _project(repository, task.stage) as project:
        if task.hidden:
            _hide(project, task.step.tag, task.hidden)
        if task.kind == "deploy":
            index = course.steps.index(task.step)
            before = course.steps[index - 1].tag if index else None
            trial = deploys.deploy(course, _nothing_yet(task), before, project)
        else:
            trial = _check(course, task, project)
    return _timed(trial, began)


def _roll(course: Course, project: Path, task: planning.Task) -> Trial:
    """A rollout, in the production of all rollouts."""
    began, trial = time.monotonic(), _nothing_yet(task)
    if missing := needs.missing(("containers", "cluster")):
        return deploys.skipped(trial, missing)
    index = course.steps.index(task.step)
    earlier = history.stages(course)[index - 1] if index else None
    before = earlier.step.tag if earlier and deploys.rolls(course, earlier.files) else None
    return _timed(deploys.rollout(course, trial, before, project), began)


@contextlib.contextmanager
def _production(course: Course, repository: Path) -> Iterator[Path]:
    """A project whose production in the cluster stays from one rollout to the next, as a learner's
    does. So each takes over from what the one before has brought, and that is not brought twice."""
    with _project(repository, course.steps[-1].tag) as project:
        try:
            yield project
        finally:
            deploys.end(project)


@contextlib.contextmanager
def _project(repository: Path, stage: str) -> Iterator[Path]:
    """A clone at this stage. Its name is its own: a cluster, which others may use, has a namespace
    of that name."""
    with tempfile.TemporaryDirectory(prefix="workshop-", ignore_cleanup_errors=True) as folder:
        project = Path(folder) / f"verify-{Path(folder).name.rpartition('-')[2]}"
        _materialize(repository, stage, project)
        yield project


def _nothing_yet(task: planning.Task) -> Trial:
    return Trial(task.kind, task.step.tag, task.stage)


def _timed(trial: Trial, began: float) -> Trial:
    return trial._replace(seconds=round(time.monotonic() - began, 3))


def _check(course: Course, task: planning.Task, project: Path) -> Trial:
    """Judge in a process of its own: pytest has one state a process, and a core each."""
    try:
        own.make(task.step, project)
        return _checked(course, task, project)
    finally:
        if task.step.own:  # its keys
            shutil.rmtree(paths.project_home(project), ignore_errors=True)


def _checked(course: Course, task: planning.Task, project: Path) -> Trial:
    done = subprocess.run(
        [
            sys.executable, "-m", "workshop.checks",
            "--project", str(project), "--course", str(course.root),
            *map(str, task.step.tests),
        ],
        capture_output=True, encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    verdicts = tuple(Verdict(**json.loads(line)) for line in lines)
    told = any(verdict.outcome == "error" for verdict in verdicts)
    if done.returncode not in (0, 1) and not told:
        said = (done.stderr or done.stdout).strip().splitlines()
        broken = Verdict(
            "checks", "The checks ran to their end.", "error", seen="\n".join(said[-20:])
        )
        verdicts = (*verdicts, broken)
    return Trial(task.kind, task.step.tag, task.stage, verdicts)


def _problems(course: Course, task: planning.Task, trial: Trial) -> tuple[str, ...]:
    """What came out, held against what the course promises. Pure."""
    if task.kind == "start":
        return tuple(_start_problems(task.step, trial.verdicts))
    replaced = {
        name.partition("::")[2]
        for step in course.steps
        if task.step.number < step.number and step.tag <= task.stage
        for name in step.replaces
        if name.partition("::")[0] == task.step.slug
    }
    problems = [
        f"{each.check} is {each.outcome}: {each.seen}"
        for each in trial.verdicts
        if each.outcome in ("red", "error") and each.check not in replaced
    ]
    if task.kind == "solution" and not trial.verdicts:
        problems.append("no check ran")
    return tuple(problems)


def _start_problems(step: Step, verdicts: Sequence[Verdict]) -> Iterator[str]:
    ran = {each.check: each for each in verdicts}
    for name, reason in step.red.items():
        verdict = ran.pop(name, None)
        if verdict is None:
            yield f"{name} did not run"
        elif verdict.outcome == "red" and reason not in verdict.seen:
            yield f"{name} is red for another reason: {verdict.seen!r} instead of {reason!r}"
        elif verdict.outcome not in ("red", "skipped"):
            yield f"{name} is {verdict.outcome}, and should be red: {verdict.seen}".rstrip(": ")
    for name, verdict in ran.items():
        if verdict.outcome in ("red", "error"):
            yield f"{name} is {verdict.outcome}, and step.toml does not say so: {verdict.seen}"


def _materialize(repository: Path, ref: str, project: Path) -> None:
    if ref == planning.EMPTY:
        project.mkdir()
        git.run("init", "--quiet", "--template=", "--initial-branch=main", cwd=project)
        return
    git.run(
        "-c", "advice.detachedHead=false", "clone", "--quiet", "--shared", "--template=",
        "--branch", ref, str(repository), str(project),
        cwd=repository,
    )  # fmt: skip


def _hide(project: Path, own: str, hidden: Sequence[str]) -> None:
    """Let these files of the last commit be as they were in the stage `own`, or not be there."""
    listed = git.text("ls-tree", "-r", "-z", "--name-only", own, "--", *hidden, cwd=project)
    there = [each for each in listed.split("\0") if each]
    gone = [each for each in hidden if each not in there]
    if there:
        git.run("checkout", "--quiet", own, "--", *there, cwd=project)
    if gone:
        git.run("rm", "--quiet", "--ignore-unmatch", "--", *gone, cwd=project)
    who = {"GIT_COMMITTER_NAME": "x", "GIT_COMMITTER_EMAIL": "x@localhost"}
    words = ("commit", "--quiet", "--amend", "--no-edit", "--allow-empty")
    git.run(*words, cwd=project, variables=who)


def _kept(task: planning.Task) -> Trial | None:
    kept = store.read(_KEPT, task.key)
    if kept is None:
        return None
    kept["verdicts"] = tuple(Verdict(**each) for each in kept["verdicts"])
    return _again(task, Trial(**kept))


def _again(task: planning.Task, trial: Trial) -> Trial:
    """A trial that was made before, under the same key, as one of this task."""
    return trial._replace(
        kind=task.kind, step=task.step.tag, stage=task.stage, cached=True, problems=()
    )


def _keep(task: planning.Task, trial: Trial) -> None:
    """Keep what came out as promised. What was skipped is tried again: another day may differ."""
    if any(each.outcome == "skipped" for each in trial.verdicts):
        return
    store.write(_KEPT, task.key, plain(trial))
