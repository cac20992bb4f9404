"""The local production: bring a commit live, bring the one before back, look, end.

This module tells the order. `place` knows where things are kept, `release` what a release is,
`switching` lets one take over from another, `upkeep` is for what runs between two deploys,
`supervisor` owns the socket, `client` speaks to it, `log` remembers.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workshop.errors import WorkshopError
from workshop.model import TARGETS, Platform
from workshop.production import place as places
from workshop.production.place import Place

if TYPE_CHECKING:
    from workshop.production.metrics import Metrics

Report = Callable[[str, str], None]


class Deployment(NamedTuple):
    """What is live now: where, from which commit, and how many seconds that took."""

    environment: str
    url: str
    commit: str
    seconds: float


class Kept(NamedTuple):
    """A release that can be brought back. `deployed` is when it last went live (ISO 8601)."""

    commit: str
    subject: str
    deployed: str
    live: bool


class Running(NamedTuple):
    """An environment: where it answers, with which commit, and whether it is up."""

    environment: str
    url: str
    commit: str
    up: bool


def silent(_what: str, _how: str) -> None:
    """For callers that show nothing."""


def deploy(
    project: Path,
    environment: str,
    platform: Platform,
    *,
    revision: str = "HEAD",
    port: int | None = None,
    mend: bool = False,
    report: Report = silent,
) -> Deployment:
    """Bring a commit of `project` live in `environment`, and lose no request over it.

    With `mend`, it answers an incident, and the deploy log says so: see `metrics`.
    `report(what, how)` is told of each stage as it ends. Raises WorkshopError when it can't be
    done; then what was live before is live still.
    """
    began = time.monotonic()
    needs_posix()
    from workshop.production import switching

    place = places.of(project, environment)
    commit = commit_of(project, revision)
    with places.locked(place):
        switching.repair(place, platform, report, port)
        kind = "mend" if mend else "deploy"
        return _bring(place, platform, commit, kind, began, report, port)


def rollback(
    project: Path,
    environment: str,
    platform: Platform,
    *,
    to: str | None = None,
    report: Report = silent,
) -> Deployment:
    """Bring the release before back, or the kept release `to`. The data stays as it is."""
    began = time.monotonic()
    needs_posix()
    from workshop.production import switching

    place = places.of(project, environment)
    with places.locked(place):
        switching.repair(place, platform, report)
        chosen = back(place, to)
        return _bring(place, platform, chosen, "rollback", began, report, None)


def releases(project: Path, environment: str, target: str = TARGETS[0]) -> tuple[Kept, ...]:
    """The releases that are kept, the latest first."""
    from workshop.production import release

    place = places.of(project, environment, target)
    live = place.live
    return tuple(
        Kept(each.commit, each.subject, each.live_at, each.commit == live)
        for each in release.kept(place)
    )


def measure(project: Path, environment: str, target: str = TARGETS[0]) -> "Metrics":
    """The five DORA metrics of an environment, from its deploy log."""
    from workshop.production import log, metrics

    return metrics.of(log.entries(places.of(project, environment, target)))


def status(project: Path) -> tuple[Running, ...]:
    """Every environment that the project was ever deployed to."""
    from workshop.production import client

    return tuple(
        Running(place.environment, place.url, place.live, client.running(place))
        for place in places.every(project)
        if place.live is not None
    )


def down(project: Path, environment: str | None = None) -> tuple[str, ...]:
    """End all processes of one environment, or of all. Data, releases and log stay.

    Returns the names of those that were up.
    """
    from workshop.production import client, release, switching

    ended = []
    for place in places.every(project):
        if environment not in (None, place.environment):
            continue
        with places.locked(place):
            if client.running(place):
                try:
                    with client.call(place) as call:
                        call.say({"do": "down"})
                        call.hear()
                except WorkshopError:  # it is dying, or deaf; its servers are ended below
                    client.kill(place)
                switching.await_end(place)
                ended.append(place.environment)
            client.end_orphans(place)
            if not client.running(place):  # one that was killed has left its file: it is no more
                (place.folder / "supervisor.json").unlink(missing_ok=True)
            release.detach_database(place)
    return tuple(ended)


def _bring(
    place: Place,
    platform: Platform,
    commit: str,
    kind: str,
    began: float,
    report: Report,
    port: int | None,
) -> Deployment:
    """Make the release, switch to it, write it down. The same for a deploy and a rollback."""
    from workshop.production import client, log, release, switching, unsealed

    entry = log.begin(place, kind, commit, "")
    try:
        known = release.find(place, commit)
        new = release.make(place, platform, commit)
        entry = entry._replace(authored=new.authored)
        report("release", f"{commit[:10]} {new.subject}" + (" (kept)" if known else ""))
        if new.database:
            report("database", f"PostgreSQL {release.attach_database(place)}")
        release.variables(place, platform, new)  # what is bad is told before anything starts
        unsealed.tell(unsealed.of(place, platform.sealed, commit), report)
        unasked = port is None and place.port is None
        client.ensure(place, port)
        if unasked and (taken := places.taken(place)):
            report("port", f"{taken} is taken, so it is {place.port} from now on")
        migrate = kind != "rollback" and new.database
        switching.switch(place, platform, new, migrate=migrate, report=report)
    except BaseException as error:
        release.close(place, log.unfinished(entry, error))
        raise
    release.book(place, entry)
    release.prune(place)
    return Deployment(place.environment, place.url, commit, time.monotonic() - began)


def commit_of(project: Path, revision: str) -> str:
    """The commit to deploy. Only what is committed reaches production: HEAD needs a clean tree."""
    from workshop import git

    commit = git.commit(project, revision)
    if commit is None and git.head(project) is None:
        raise WorkshopError(
            "there is no commit yet",
            'Make commit #1: git add . && git commit -m "Start"',
            path=project,
        )
    if commit is None:
        raise WorkshopError(
            f"there is no commit {revision}", "See `git log` and `git tag`.", path=project
        )
    if revision == "HEAD":
        changed = git.changes(project)
        if changed:
            shown = "\n".join(f"    {each}" for each in changed[:10])
            more = f"\n    and {len(changed) - 10} more" if len(changed) > 10 else ""
            raise WorkshopError(
                f"there are uncommitted changes:\n{shown}{more}",
                "Only commits reach production. Commit them, or put them away with: git stash -u",
                path=project,
            )
    return commit


def back(place: Place, to: str | None) -> str:
    """The commit to roll back to."""
    from workshop.production import release

    others = [each for each in release.kept(place) if each.commit != place.live]
    if to is not None:
        for each in others:
            if each.commit.startswith(to):
                return each.commit
        known = ", ".join(each.commit[:10] for each in others) or "none"
        raise WorkshopError(
            f"there is no kept release {to}", f"The others are: {known}", path=place.project
        )
    for each in others:
        if not each.withdrawn:
            return each.commit
    raise WorkshopError(
        f"there is no release to roll back to in {place.environment}",
        "A rollback needs two deploys. See `workshop releases`.",
        path=place.project,
    )


def needs_posix() -> None:
    """Raise WorkshopError where the system has no way to hand a socket to another process."""
    if os.name == "nt":
        raise WorkshopError(
            "the local production does not run on Windows itself",
            "Use it inside WSL: wsl --install, then start the workshop there.",
        )
