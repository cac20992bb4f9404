"""The proof of a deploy: a stage takes over from the stage before while visitors come, and none of
them is turned away. On this machine (`deploy`), and in a cluster (`rollout`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from workshop import git, load, paths, production, underload
from workshop.errors import WorkshopError
from workshop.model import Course, Orchestration, Verdict
from workshop.sending import Report
from workshop.trial import Trial, broken

# The load: bounded, and gentle enough for a laptop. Whoever deploys for longer proves nothing.
_MOST = 180_000
_RATE = 100.0
_LEAST = 5000  # in a cluster
_AFTERWARDS = 20
_ENVIRONMENT = "production"
_SENTENCE = "The stage deploys, and no request is lost."
_RATE_INSIDE = 100.0  # a second: the cluster, its pods and the visitors share the cores
_AGAIN = "WORKSHOP_AGAIN"  # a variable that nobody reads


def deploy(course: Course, trial: Trial, before: str | None, project: Path) -> Trial:
    """Deploy the stage before, then this one under load: it must be live, and nothing lost."""
    wanted = git.commit(project, f"refs/tags/{trial.stage}")
    try:
        running = None
        if before:
            first = production.deploy(project, _ENVIRONMENT, course.platform, revision=before)
            running = load.start(first.url, requests=_MOST, rate=_RATE, keep_alive=False)
        try:
            live = production.deploy(project, _ENVIRONMENT, course.platform, revision=trial.stage)
        finally:
            during = running.stop() if running else None
        after = load.run(live.url, requests=_AFTERWARDS, rate=_RATE, keep_alive=False)
        reports = [each for each in (during, after) if each is not None]
        trial = _counted(trial._replace(live=round(live.seconds, 3)), reports)
        if set(after.releases) != {wanted}:
            seen = f"answers came from {dict(after.releases)}, not from {wanted}"
            trial = broken(trial, _SENTENCE, seen)
    except WorkshopError as error:
        trial = broken(trial, _SENTENCE, str(error))
    finally:
        production.down(project, _ENVIRONMENT)
        shutil.rmtree(paths.project_home(project), ignore_errors=True)
    return trial


def rollout(course: Course, trial: Trial, before: str | None, project: Path) -> Trial:
    """The same in a cluster. The first stage that a cluster can have takes over from itself: a
    variable is another one, and so every pod is new.

    What is live stays, for the next rollout of this project, unless something went wrong. Who ends
    it is who made the project: see `end`.
    """
    from workshop.production import kubernetes
    from workshop.production import place as places

    def bring(revision: str) -> kubernetes.Rollout:
        return kubernetes.deploy(project, _ENVIRONMENT, course.platform, revision=revision)

    try:
        first = bring(before or trial.stage)
        if before is None:
            place = places.of(project, _ENVIRONMENT)
            with places.locked(place):
                places.configure(place, {_AGAIN: "yes"})
        url = f"http://{_cluster(course).service}/"
        with underload.inside(
            first.namespace, first.image, url, _MOST, _RATE_INSIDE, _LEAST
        ) as visitors:
            live = bring(trial.stage)
            report = visitors.stop()
        trial = _counted(trial._replace(live=round(live.seconds, 3)), [report])
        if report.sent < _LEAST:
            seen = f"{report.sent} requests were sent, and {_LEAST} were meant"
            trial = broken(trial, _SENTENCE, seen)
        if set(report.statuses) != {200}:
            trial = broken(trial, _SENTENCE, f"visitors got {dict(report.statuses)}, and not 200")
    except WorkshopError as error:
        trial = broken(trial, _SENTENCE, str(error))
    if trial.verdicts:
        end(project)  # the next one begins anew: it has to answer for itself alone
    return trial


def end(project: Path) -> None:
    """Remove all that the rollouts of a project have left in the cluster, and here."""
    from workshop.production import kubernetes

    kubernetes.forget(project)
    shutil.rmtree(paths.project_home(project), ignore_errors=True)


def rolls(course: Course, files: Iterable[str]) -> bool:
    """Whether a stage with these files has all that a cluster needs."""
    cluster = course.platform.cluster
    if cluster is None:
        return False
    return {cluster.dockerfile, *cluster.manifests, *cluster.files.values()} <= set(files)


def skipped(trial: Trial, reason: str) -> Trial:
    """A trial that this machine can't make."""
    verdict = Verdict(trial.kind, _SENTENCE, "skipped", seen=reason)
    return trial._replace(verdicts=(verdict,))


def _counted(trial: Trial, reports: Sequence[Report]) -> Trial:
    if any(each.sent >= _MOST for each in reports):
        seen = f"all {_MOST} visitors had been there before the release was"
        trial = broken(trial, _SENTENCE, seen)
    lost = [dict(each.lost) for each in reports if each.lost]
    trial = trial._replace(
        sent=sum(each.sent for each in reports), lost=sum(sum(each.values()) for each in lost)
    )
    if lost:
        seen = f"{trial.lost} of {trial.sent} requests were lost: {lost}"
        trial = broken(trial, _SENTENCE, seen)
    return trial


def _cluster(course: Course) -> Orchestration:
    assert course.platform.cluster is not None
    return course.platform.cluster
