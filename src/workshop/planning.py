"""What there is to prove of the course, and under which keys: pure, and so nothing is tried here.

A step may name files that mean nothing to its checks (`unseen` in step.toml). On later stages, its
checks are given a project in which these are as they were when the step was done, or are not there
at all. So stages that differ in nothing else are one trial: it is made once, and counts for each.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Literal, NamedTuple

from workshop import deploys, history, keys
from workshop.model import Course, Step
from workshop.trial import Kind

# What a verdict can depend on in the engine; renderers and other verbs are not in it.
_ENGINE = (
    "checks", "production", "containers.py", "environments.py", "postgres.py", "load.py",
    "sending.py", "git.py", "history.py", "keys.py", "planning.py", "verify.py", "trial.py",
    "deploys.py", "store.py", "kubectl.py", "manifests.py", "underload.py", "workloads.py",
    "own.py", "sealed.py", "sealing.py", "secret.py", "documents.py", "commands/sealing.py",
    "model.py", "course.py", "paths.py", "errors.py",
)  # fmt: skip
# Fixtures that look at commits before the last one, or at all of them.
_PAST = re.compile(r"\b(?:earlier|committed)\b")
EMPTY = "empty"
Place = Literal["rollout", "cluster", "here"]
_Files = Mapping[str, history.File]


class Task(NamedTuple):
    """A trial to be made: which checks, on which stage, which of its files are as they were in the
    step's own (see `unseen`), and the key."""

    kind: Kind
    step: Step
    stage: str
    hidden: tuple[str, ...]
    key: str

    @property
    def place(self) -> Place:
        """Where it is made: a rollout in the cluster, and so are the checks of a step that needs
        it, at its start or later."""
        if self.kind == "rollout":
            return "rollout"
        checks = self.kind != "deploy"
        return "cluster" if checks and "cluster" in self.step.needs else "here"


def plan(course: Course, steps: Sequence[Step]) -> list[Task]:
    """Every trial of `steps`, pure: the order is the order of the report."""
    engine = keys.engine(_ENGINE)
    stages: dict[str, _Files] = {EMPTY: {}}
    stages |= {stage.step.tag: stage.files for stage in history.stages(course)}
    tags = list(stages)
    told = [(step.tag, step.message, _digest(stages[step.tag])) for step in course.steps]
    tasks = []
    for step in steps:
        texts = [file.read_bytes() for file in step.tests]
        looks_back = any(_PAST.search(text.decode()) for text in texts)
        index = tags.index(step.tag)
        before, own = tags[index - 1], stages[step.tag]
        given: list[tuple[Kind, str, _Files, tuple[str, ...]]] = [
            ("start", before, stages[before], ())
        ]
        for tag in tags[index:]:
            hidden = _hidden(step, own, stages[tag])
            given.append(("solution", tag, _as_it_was(own, stages[tag], hidden), hidden))
        for kind, tag, files, hidden in given:
            past = (tag, *told) if looks_back else ()
            parts = (engine, "check", *texts, _digest(files), past, course.platform, step.own)
            tasks.append(Task(kind, step, tag, hidden, keys.digest(*parts)))
        for kind in _deploys(course, own):
            key = keys.digest(engine, kind, _digest(stages[before]), _digest(own), course.platform)
            tasks.append(Task(kind, step, step.tag, (), key))
    return tasks


def _hidden(step: Step, own: _Files, later: _Files) -> tuple[str, ...]:
    """The files of the step's own stage, and of a later one, that mean nothing to its checks, and
    have changed in between."""
    return tuple(
        path
        for path in sorted({*own, *later})
        if own.get(path) != later.get(path)
        and any(fnmatch.fnmatchcase(path, pattern) for pattern in step.unseen)
    )


def _as_it_was(own: _Files, later: _Files, hidden: Sequence[str]) -> _Files:
    """A later stage, but with these files as they were in the step's own, or without them."""
    kept = {path: file for path, file in later.items() if path not in hidden}
    return kept | {path: file for path, file in own.items() if path in hidden}


def _digest(files: _Files) -> str:
    """A hash over a whole tree. A changed message alone proves nothing new."""
    return keys.digest(*chain.from_iterable(
        ((path, file.mode), file.data) for path, file in sorted(files.items())
    ))  # fmt: skip


def _deploys(course: Course, files: _Files) -> tuple[Kind, ...]:
    """Where a stage is deployed to: on this machine, and, once it has what that takes, to a
    cluster."""
    return ("deploy", "rollout") if deploys.rolls(course, files) else ("deploy",)
