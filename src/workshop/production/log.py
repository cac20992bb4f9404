"""The deploy log: a line of JSON for each deploy and each rollback, never changed afterwards.

    kind         deploy, mend (a deploy that answers an incident) or rollback
    environment  development, integration or production
    commit       the full hash of what was to go live
    authored     when its author wrote it (ISO 8601)
    start        when the command began (ISO 8601, UTC)
    live         when it answered (ISO 8601, UTC); null when it never did
    outcome      live, failed or interrupted
    reason       why it failed, or that it did not come to its end; empty when all went well

`metrics` makes five numbers of these lines.
"""

from __future__ import annotations

import errno
import json
import os
from datetime import UTC, datetime
from typing import NamedTuple

from workshop.errors import WorkshopError
from workshop.production.place import Place, read, write

_REASON = 300  # characters of a reason that the log keeps


class Entry(NamedTuple):
    """One line of the log. Times are ISO 8601 texts."""

    kind: str
    environment: str
    commit: str
    authored: str
    start: str
    live: str | None
    outcome: str
    reason: str = ""


def now() -> str:
    """This moment, in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def begin(place: Place, kind: str, commit: str, authored: str) -> Entry:
    """Note that a deploy begins, and what was live before: so that an interrupted one can be told,
    and whether it had gone live."""
    entry = Entry(kind, place.environment, commit, authored, now(), None, "interrupted")
    write(
        place.folder / "deploying.json",
        {**entry._asdict(), "before": place.live, "pid": os.getpid()},
    )
    return entry


def end(place: Place, entry: Entry) -> None:
    """Append the line, in one write: a crash leaves no half of it, and neither does a full disk.

    A power failure may leave one. Then this line takes its place: nobody can read it any more.
    """
    line = (json.dumps(entry._asdict()) + "\n").encode()
    # Windows would write another line end
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    descriptor = os.open(place.folder / "deploys.jsonl", flags, 0o600)
    try:
        before = _whole(descriptor)
        if os.write(descriptor, line) < len(line):
            os.ftruncate(descriptor, before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)
    (place.folder / "deploying.json").unlink(missing_ok=True)


def _whole(descriptor: int) -> int:
    """Let the log end with the end of a line. Returns its size."""
    with os.fdopen(os.dup(descriptor), "rb") as file:
        data = file.read()
    rest = data[data.rfind(b"\n") + 1 :]
    if rest and _read(rest) is None:
        os.ftruncate(descriptor, len(data) - len(rest))
    elif rest:  # only its end is missing
        os.write(descriptor, b"\n")
    return os.fstat(descriptor).st_size


def unfinished(entry: Entry, error: BaseException) -> Entry:
    """The line of a deploy that ended with an error, and why."""
    said = error.fact if isinstance(error, WorkshopError) else type(error).__name__
    reason = " ".join(said.split())[:_REASON]  # a line of the log is for one look
    outcome = "failed" if isinstance(error, Exception) else "interrupted"
    return entry._replace(outcome=outcome, reason=reason)


def begun(place: Place) -> Entry | None:
    """The deploy that has begun, and is not written down yet. Who holds the lock, and has begun
    none, finds one that was interrupted."""
    left = read(place.folder / "deploying.json")
    return None if left is None else Entry(**{name: left[name] for name in Entry._fields})


def before(place: Place) -> str | None:
    """What was live when this deploy began."""
    # a workshop from before this was noted has left none
    return (read(place.folder / "deploying.json") or {}).get("before")


def entries(place: Place) -> tuple[Entry, ...]:
    """The whole log, oldest first. A last line that was cut off, by a power failure, is left out.

    Raises WorkshopError for any other line that nobody can read.
    """
    file = place.folder / "deploys.jsonl"
    try:
        *lines, rest = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return ()
    found = []
    for number, line in enumerate(lines, 1):
        entry = _read(line)
        if entry is None:
            raise WorkshopError(
                "this line of the deploy log is damaged",
                "Take it out of the file, then try again. The other lines are well.",
                path=f"{file}:{number}",
            )
        found.append(entry)
    last = _read(rest)
    return (*found, last) if last else tuple(found)


def _read(line: bytes) -> Entry | None:
    """The entry of a line; None when it holds none."""
    try:
        return Entry(**json.loads(line))
    except (ValueError, TypeError):
        return None
