"""Production in a cluster: bring a commit live, bring the one before back, look, end.

This module tells the order. `images` builds what runs, `description` reads what goes into a
namespace, `objects` has the words for it, `namespace` puts it there, `waiting` waits. What a
release is, where it is kept and what is logged is the same as on this machine: see the package.

What was applied last, and became ready, is kept as it was: see `applied`. When the next release
does not become ready, that is applied again, to the letter.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from workshop import kubectl
from workshop.errors import WorkshopError
from workshop.model import Orchestration, Platform
from workshop.production import (
    Report,
    applied,
    back,
    commit_of,
    description,
    images,
    log,
    namespace,
    objects,
    release,
    silent,
    unsealed,
    waiting,
)
from workshop.production import place as places
from workshop.production.applied import Begun, Identity
from workshop.production.description import Parts
from workshop.production.namespace import Namespace
from workshop.production.place import Place

TARGET = "kubernetes"
_UNDONE = 120.0  # seconds until what was live is as it was
# What keeps data is not removed because a release does not name it any more.
_STAYS = ("PersistentVolumeClaim", "Secret")


class Rollout(NamedTuple):
    """What is live now: where, from which commit, and how many seconds that took.

    `look` is the command that brings it to this machine, `image` is what the cluster was told to
    run.
    """

    environment: str
    namespace: str
    commit: str
    image: str
    look: str
    seconds: float


class Pods(NamedTuple):
    """An environment: where it is, with which commit, and how many pods of those that it wants are
    ready."""

    environment: str
    namespace: str
    commit: str
    ready: int
    wanted: int


def deploy(
    project: Path,
    environment: str,
    platform: Platform,
    *,
    revision: str = "HEAD",
    mend: bool = False,
    report: Report = silent,
) -> Rollout:
    """Bring a commit of `project` live in `environment`.

    As on this machine: `report(what, how)` is told of each stage, and what was live before is live
    still when this raises WorkshopError.
    """
    began = time.monotonic()
    _cluster(platform)
    kubectl.needed()
    place = places.of(project, environment, TARGET)
    commit = commit_of(project, revision)
    with places.locked(place):
        release.clear_up(place, report)  # what it left in the cluster, this one replaces
        return _bring(place, platform, commit, "mend" if mend else "deploy", began, report)


def rollback(
    project: Path,
    environment: str,
    platform: Platform,
    *,
    to: str | None = None,
    report: Report = silent,
) -> Rollout:
    """Bring the release before back, or the kept release `to`. The data stays as it is."""
    began = time.monotonic()
    _cluster(platform)
    kubectl.needed()
    place = places.of(project, environment, TARGET)
    with places.locked(place):
        release.clear_up(place, report)
        chosen, space = back(place, to), _space(place)
        if not space.there():
            raise WorkshopError(
                f"the namespace {space.name} is gone, and its data with it",
                "There is nothing to roll back. Begin anew: workshop deploy --target kubernetes",
            )
        return _bring(place, platform, chosen, "rollback", began, report)


def status(project: Path) -> tuple[Pods, ...]:
    """Every environment that the project was ever deployed to, as the cluster has it."""
    found = [place for place in places.every(project, TARGET) if place.live is not None]
    if found:
        kubectl.needed()
    return tuple(_pods(place) for place in found)


def down(project: Path, environment: str | None = None) -> tuple[str, ...]:
    """End all pods of one environment, or of all. Data, releases and log stay.

    Returns the namespaces in which some ran.
    """
    ended = []
    for place in places.every(project, TARGET):
        if environment not in (None, place.environment):
            continue
        kubectl.needed()
        with places.locked(place):
            space = _space(place)
            if space.there() and space.sleep():
                ended.append(space.name)
    return tuple(ended)


def forget(project: Path) -> None:
    """Remove all of the project from the cluster, with its data, and its images from this machine.
    What is kept in its places stays."""
    for place in places.every(project, TARGET):
        with places.locked(place):
            _space(place).remove_all()
    images.forget(project)


def _bring(
    place: Place, platform: Platform, commit: str, kind: str, began: float, report: Report
) -> Rollout:
    """Make the release, put it in, write it down. The same for a deploy and a rollback."""
    cluster = _cluster(platform)
    entry = log.begin(place, kind, commit, "")
    try:
        new = _make(place, cluster, commit, report)
        entry = entry._replace(authored=new.authored)
        space = _space(place)
        parts = description.parts(place, cluster, new, space.name)
        opened = unsealed.of(place, platform.sealed, commit)
        if space.claim():
            _forget(place)  # somebody has removed all that was live
            report("namespace", f"{space.name} made")
        unsealed.tell(opened, report)
        begun = applied.of(place).begun.more(commit, parts.every)
        before = space.put_secrets(
            opened.secrets, lambda taken: applied.begin(place, begun.took(taken))
        )
        begun = begun.took(before)
        applied.begin(place, begun)
        try:
            if made := space.keep_secrets(_wanted(place, cluster, commit)):
                report("secrets", f"made: {', '.join(made)}")
            _put(place, space, parts, begun, jobs=kind != "rollback", report=report)
        except WorkshopError as error:
            said = _undo(place, space, begun, report)
            raise WorkshopError(error.fact, f"{said} {error.remedy}", path=error.path) from error
        except BaseException:
            _undo(place, space, begun, report)
            raise
    except BaseException as error:
        release.close(place, log.unfinished(entry, error))
        raise
    applied.finish(place, parts.every)
    places.write(place.folder / "live.json", {"commit": commit})
    release.book(place, entry)
    release.prune(place)
    look = (
        f"kubectl --namespace {space.name} port-forward service/{cluster.service}"
        f" 8080:{objects.port(parts.every, cluster.service)}"
    )
    return Rollout(place.environment, space.name, commit, new.image, look, time.monotonic() - began)


def _make(place: Place, cluster: Orchestration, commit: str, report: Report) -> release.Release:
    """Make the release of a commit, or find the one that is there."""
    known = release.find(place, commit)
    release.unpack(place, commit)
    for name in (cluster.dockerfile, *cluster.manifests, *cluster.files.values()):
        if not (place.releases / commit / name).is_file():
            raise WorkshopError(
                f"the commit {commit[:10]} has no {name}, and a cluster needs it",
                "Write it, and commit. Until then, this machine is enough: workshop deploy",
                path=place.project,
            )
    subject, authored = release.told(place, commit)
    report("release", f"{commit[:10]} {subject}" + (" (kept)" if known else ""))
    found = known or release.Release(commit, subject, authored)
    image = images.ready(place, cluster, commit, found.image or _elsewhere(place, commit), report)
    release.keep(place, found._replace(image=image))
    return found._replace(image=image)


def _elsewhere(place: Place, commit: str) -> str:
    """The image of a commit that another environment has: what was tried in one of them goes to the
    next, to the byte, even if nobody has it here any more."""
    found = (release.find(each, commit) for each in places.every(place.project, TARGET))
    return next((each.image for each in found if each and each.image), "")


def _wanted(place: Place, cluster: Orchestration, commit: str) -> dict[str, tuple[str, ...]]:
    """The Secrets, and their keys, that the project does not make itself."""
    folder = place.releases / commit
    return {
        name: keys for name, keys in cluster.secrets.items()
        if name not in cluster.generated or not (folder / cluster.generated[name]).is_file()
    }  # fmt: skip


def _put(
    place: Place, space: Namespace, parts: Parts, begun: Begun, *, jobs: bool, report: Report
) -> None:
    """Apply a release, one manifest after the other, and wait until each is ready."""
    for killed in begun.commits[:-1]:
        space.end_jobs(killed)  # two migrations at once would be one too many
    space.apply(parts.configuration)
    for each in parts.manifests:
        chosen = [one for one in each if jobs or one["kind"] != "Job"]
        space.apply(chosen)
        waiting.wait(space, chosen, report)
    before = (*map(objects.identity, applied.of(place).objects), *begun.objects)
    for kind, name in _remove(space, before, map(objects.identity, parts.every)):
        report("removed", f"{kind} {name}, which this release does not have")


def _remove(
    space: Namespace, before: Iterable[Identity], after: Iterable[Identity]
) -> tuple[Identity, ...]:
    """Remove what one release has, and another one has not. Returns what that was."""
    gone = set(before) - set(after)
    chosen = tuple(sorted(each for each in gone if each[0] not in _STAYS))
    space.remove(chosen)
    return chosen


def _undo(place: Place, space: Namespace, begun: Begun, report: Report) -> str:
    """Bring back what was live, as it was. Returns what a person must know of it. What could not be
    undone stays written down, for the next one."""
    live, before = place.live, applied.of(place).objects
    lost = ""
    try:
        space.put_back(begun.secrets)
        begun = begun._replace(secrets={})
        applied.begin(place, begun)
    except WorkshopError as error:  # all else must come back nevertheless
        lost = f"{error.fact}\n"
    try:
        if live is None or not before:
            for each in begun.commits:
                space.sleep(only=each)
            return f"{lost}Nothing is live."
        for each in begun.commits:
            space.end_jobs(each)  # none of them may try again in an hour
        space.apply(before)
        _remove(space, begun.objects, map(objects.identity, before))
        space.restart_stuck()
        waiting.wait(space, before, patience=_UNDONE)
    except WorkshopError as error:
        return f"{lost}It could not be undone: {error.fact}\nDeploy again what was well."
    applied.begin(place, Begun(secrets=begun.secrets))
    report("undone", f"{live[:10]} is as it was")
    return f"{lost}The release {live[:10]} keeps serving."


def _pods(place: Place) -> Pods:
    space, ready, wanted = _space(place), 0, 0
    seen = space.look() if space.there() else None
    for each in seen.workloads.values() if seen else ():
        if each["kind"] in objects.SCALED and objects.of_release(each) == place.live:
            wanted += each["spec"].get("replicas", 1)
            ready += seen.ready(each) if seen else 0
    return Pods(place.environment, space.name, str(place.live), ready, wanted)


def _space(place: Place) -> Namespace:
    """The namespace of a place. Its name is chosen once, and so is the mark by which it is ours."""
    file = place.folder / namespace.FILE
    known = places.read(file)
    if known is None:
        known = {"name": namespace.named(place), "mark": secrets.token_hex(8)}
        places.write(file, known)
    return Namespace(str(known["name"]), str(known["mark"]))


def _forget(place: Place) -> None:
    applied.forget(place)
    (place.folder / "live.json").unlink(missing_ok=True)


def _cluster(platform: Platform) -> Orchestration:
    if platform.cluster is None:
        raise WorkshopError(
            "this course does not say how a cluster runs its project",
            "Its steps/course.toml needs a table [production.cluster].",
        )
    return platform.cluster
