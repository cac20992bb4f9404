"""What runs between two deploys: one-off commands, variables, the database."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.errors import WorkshopError
from workshop.production import Running, client, needs_posix, release, silent, switching
from workshop.production import place as places
from workshop.production.place import Place

if TYPE_CHECKING:
    from workshop.model import Platform


def run(
    project: Path, environment: str, platform: Platform, command: Sequence[str],
    variables: Mapping[str, str],
) -> int:  # fmt: skip
    """Run a one-off command in the live release, with its configuration and then `variables`.

    It speaks with the person's terminal. Returns its exit code. Raises WorkshopError when nothing
    is live, or when there is no such command.
    """
    place = _up(project, environment)
    live = release.find(place, str(place.live))
    if live is None:
        raise WorkshopError(
            f"the release that is live in {environment} is not kept any more",
            "Deploy again: workshop deploy",
            path=project,
        )
    try:
        with _deaf_to_interrupts():
            done = subprocess.run(
                command,
                cwd=place.releases / live.commit,
                env=release.variables(place, platform, live)
                | {name: os.environ[name] for name in ("TERM", "NO_COLOR") if name in os.environ}
                | dict(variables),
                check=False,
            )
    except (FileNotFoundError, PermissionError) as error:
        raise WorkshopError(
            f"there is no command {command[0]}",
            "Check its name. `python` is the Python of the release.",
            path=project,
        ) from error
    # as a shell says it: ended by a signal
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Leave Ctrl-C to the program that runs: in a shell it only cancels a line.

    A handler that does nothing, since what is ignored would be ignored by the program, too.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:  # in the background of a script, nobody hears it
        signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def database(project: Path, environment: str, *, start: bool) -> None:
    """Start or stop the PostgreSQL of an environment, under the release that is live.

    Raises WorkshopError when nothing is live, or when it has no database.
    """
    place = _up(project, environment)
    live = release.find(place, str(place.live))
    if live is None or not live.database:
        raise WorkshopError(
            f"{environment} has no database",
            "It gets one as soon as the project reads DATABASE_URL.",
            path=project,
        )
    with places.locked(place):
        if start:
            release.attach_database(place)
        else:
            release.detach_database(place)


def configuration(project: Path, environment: str) -> tuple[str, ...]:
    """The names of the variables that a person has set for an environment. Never their values."""
    return tuple(sorted(places.configuration(places.of(project, environment))))


def configure(
    project: Path,
    environment: str,
    platform: Platform,
    variables: Mapping[str, str],
    *,
    unset: Sequence[str] = (),
) -> Running | None:
    """Set `variables` in an environment, and forget those in `unset`.

    What is live starts again with them: the same release, no request lost. Returns it, or None
    when nothing is live: then the next deploy uses them. Raises WorkshopError when the release
    does not come up with them; then nothing has changed.
    """
    needs_posix()
    place = places.of(project, environment)
    with places.locked(place):
        switching.repair(place, platform, silent)
        before = places.configuration(place)
        unknown = [name for name in unset if name not in before]
        if unknown:
            raise WorkshopError(
                f"{unknown[0]} is not set in {environment}",
                f"Set by hand are: {', '.join(sorted(before)) or 'none'}",
                path=project,
            )
        wanted = {name: value for name, value in before.items() if name not in unset}
        wanted |= variables
        live = release.find(place, place.live) if place.live and client.running(place) else None
        if live is not None and wanted != before:
            switching.switch(place, platform, live, configured=wanted)
        places.configure(place, wanted)
    return live and Running(environment, place.url, live.commit, up=True)


def _up(project: Path, environment: str) -> Place:
    """The place of an environment in which something is live right now."""
    place = places.of(project, environment)
    if place.live is None or not client.running(place):
        raise WorkshopError(
            f"nothing is live in {environment}",
            "Bring it up: workshop deploy" + f" {environment}" * (environment != "production"),
            path=project,
        )
    return place
