"""Requests that are lost while a cluster changes releases. There is no peer: none may be lost."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from benchmarks import tables
from benchmarks.measure import ROOT, Bench, Result, Row, Subject, Target
from workshop import course, deploys, history
from workshop.checks import needs
from workshop.model import Course
from workshop.trial import Trial

_RUNS = 3
_LOST = Target(
    "requests lost: a rolling update to each stage from 14 on, three runs in a row, at least 5,000 "
    "requests in each update",
    "", 0, "requests",
)  # fmt: skip


class _Rollout(NamedTuple):
    run: int
    trial: Trial


def measure(bench: Bench) -> Result:
    """Roll every stage out over the one before, from the first one on that a cluster can have. A
    taste does that once. Without a cluster, nothing can be measured."""
    if missing := needs.missing(("containers", "cluster")):
        return Result((), f"This can't be measured on this machine: it {missing}.")
    known = course.load(ROOT)
    rollouts: list[_Rollout] = []
    for run in range(1, 2 if bench.quick else _RUNS + 1):
        # A cluster, which others may use, has a namespace of the project's name.
        project = bench.scratch / f"rollouts-{bench.scratch.name.rpartition('-')[2]}-{run}"
        history.build(known, project)
        try:
            _run(known, project, run, rollouts)
        finally:
            deploys.end(project)
    lost = sum(each.trial.lost for each in rollouts)
    return Result((Row(_LOST, float(lost)),), _details(rollouts))


def _run(known: Course, project: Path, run: int, rollouts: list[_Rollout]) -> None:
    """All rollouts of one production. Raises RuntimeError for one that shows nothing: it was none,
    or too few visitors came."""
    before = None
    for stage in history.stages(known):
        if not deploys.rolls(known, stage.files):
            continue
        tag = stage.step.tag
        trial = deploys.rollout(known, Trial("rollout", tag, tag), before, project)
        if trial.verdicts and not trial.lost:
            raise RuntimeError(f"{tag}: {'; '.join(each.seen for each in trial.verdicts)}")
        print(f"    {run} {tag}: {trial.sent} sent, {trial.lost} lost", flush=True)
        rollouts.append(_Rollout(run, trial))
        before = tag


def _details(rollouts: list[_Rollout]) -> str:
    rows = [
        (str(run), trial.stage, f"{trial.sent:,}", str(trial.lost), f"{trial.live:.0f}")
        for run, trial in rollouts
    ]
    return tables.table(("run", "stage", "sent", "lost", "seconds until live"), rows)


SUBJECT = Subject(
    "rollouts",
    "Rolling updates",
    "In a cluster, each stage takes over from the one before, and the first one that can run there "
    "takes over from itself, configured anew. Meanwhile a pod sends the service 100 requests a "
    "second and tries none twice. What counts as lost is the same as without a cluster. Each run "
    "has a production of its own.",
    (_LOST,),
    measure,
)
