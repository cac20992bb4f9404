"""One release takes over from another, and what was interrupted is repaired first."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from workshop.errors import WorkshopError
from workshop.production import Report, client, release, silent
from workshop.production.place import Place

if TYPE_CHECKING:
    from workshop.model import Platform
    from workshop.production.client import Call
    from workshop.production.release import Release

READY = 30.0  # seconds from the release command's end until the application must be ready


def repair(place: Place, platform: Platform, report: Report, port: int | None = None) -> None:
    """Clear up after a command or a supervisor that was killed. The caller holds the lock.

    What was live comes back on `port`, or on the place's own. If it can't, that is only told: the
    release that comes next is needed all the more.
    """
    live = release.clear_up(place, report)
    if client.running(place) or not (place.folder / "supervisor.json").exists():
        return
    # It was killed, or the machine was switched off: what was live must be live again, first.
    client.end_orphans(place)
    if live is None:
        (place.folder / "supervisor.json").unlink()
        return
    try:
        live = release.make(place, platform, live.commit)  # its Python may be gone
        if live.database:
            release.attach_database(place)
        release.variables(place, platform, live)  # what is bad is told before anything starts
        client.ensure(place, port, patience=client.UNKNOWN)
        switch(place, platform, live)
    except WorkshopError as error:
        report("not repaired", f"{live.commit[:10]} was down, and stays so: {error.fact}")
    else:
        report("repaired", f"{live.commit[:10]} was down, and is live again")


def switch(
    place: Place,
    platform: Platform,
    new: Release,
    *,
    migrate: bool = False,
    report: Report = silent,
    configured: Mapping[str, str] | None = None,
) -> None:
    """Start the new server, run the release command beside it, and let it take over.

    `configured` is what a person wants to set, unless that is kept already.
    """
    log = place.logs / f"{new.commit}.log"
    said_before = log.stat().st_size if log.exists() else 0
    with client.call(place) as call:
        call.say(
            {
                "do": "switch",
                "commit": new.commit,
                "folder": str(place.releases / new.commit),
                "python": new.python,
                "wsgi": platform.wsgi,
                "probe": platform.readiness,
                "patience": READY,
                "host": f"127.0.0.1:{place.port}",
                "variables": release.variables(place, platform, new, configured),
                "log": str(log),
            }
        )
        try:
            if migrate:
                # It takes as long as the server's start, so both run at once.
                release.run_command(place, platform, new)
                report("migrate", "done")
        except BaseException:
            with contextlib.suppress(WorkshopError):  # it died over it: why it failed counts
                _go(place, call, on=False)
            raise
        reason, answered = _go(place, call, on=True)
    if reason:
        with log.open("rb") as file:
            file.seek(said_before)
            said = file.read().decode(errors="replace")
        before = place.live
        raise WorkshopError(
            f"the release {new.commit[:10]} did not come up: {reason}\n{release.tail(said)}",
            (
                f"The release {before[:10]} keeps serving. "
                if before and client.running(place)
                else "Nothing is live. "
            )
            + f"Mend it, commit, and deploy again. The whole log:\n{log}",
            path=place.project,
        )
    probe = platform.readiness
    how = f"there is no {probe} yet" if answered.startswith("404") else f"{probe} answered"
    report("ready", f"{how}, traffic moved")


def _go(place: Place, call: Call, *, on: bool) -> tuple[str, str]:
    """Let the switch go on, or call it off.

    Returns why it did not become live (empty if it did), and what the probe answered.
    """
    call.say({"go": on})
    answer = call.hear()
    if answer["live"] is None:
        await_end(place)  # with nothing to serve it ends, and the next command needs a new one
    return str(answer["reason"]), str(answer["answered"])


def await_end(place: Place) -> None:
    give_up = time.monotonic() + 60
    while client.running(place) and time.monotonic() < give_up:
        time.sleep(0.01)
