"""Where one environment of one project is kept, and what is written there. Each target has a place
of its own; a cluster needs less.

lock            held by whoever deploys; `deploying.json` beside it says who
port            where the environment answers, for good
secrets.json    made once, mode 0600
config.json     what a person has set for this environment, mode 0600
namespace.json  its name in a cluster, and by which mark that is known as ours
live.json       the commit that answers, written by the supervisor at each switch
releases/       HASH/ is the commit's files, HASH.json what the release is
deploys.jsonl   the deploy log
postgres/       the database
logs/           a log for each server, and the supervisor's own
"""

import contextlib
import errno
import itertools
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from workshop import paths
from workshop.errors import WorkshopError
from workshop.model import ENVIRONMENTS, TARGETS

FIRST_PORT = 8000
_CONFIG = "config.json"
_held: dict[Path, int] = {}  # the locks of this process, by their places; see `held`


class Place(NamedTuple):
    """One environment (`production`, …) of one project."""

    project: Path
    environment: str
    folder: Path

    @property
    def releases(self) -> Path:
        """The folder of all releases."""
        return self.folder / "releases"

    @property
    def logs(self) -> Path:
        """The folder of all logs."""
        return self.folder / "logs"

    @property
    def port(self) -> int | None:
        """Where it answers; None before the first deploy."""
        value = read(self.folder / "port.json")
        return None if value is None else int(value["port"])

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def live(self) -> str | None:
        """The commit that answers, or did when the supervisor last ran."""
        value = read(self.folder / "live.json")
        return None if value is None else str(value["commit"])


def of(project: Path, environment: str, target: str = TARGETS[0]) -> Place:
    """The place of an environment, on a target: each has its own.

    Raises WorkshopError for an environment that the course does not have.
    """
    if environment not in ENVIRONMENTS:
        raise WorkshopError(
            f"there is no environment {environment}",
            f"The environments are: {', '.join(ENVIRONMENTS)}",
        )
    name = environment if target == TARGETS[0] else f"{environment}-{target}"
    return Place(project, environment, paths.project_home(project) / name)


def every(project: Path, target: str = TARGETS[0]) -> tuple[Place, ...]:
    """The places of all environments that this project was ever deployed to, on a target."""
    found = [of(project, name, target) for name in ENVIRONMENTS]
    return tuple(place for place in found if place.folder.is_dir())


def taken(place: Place) -> int | None:
    """The port that a person expects the environment to answer on, when it has a later one; else
    None. Expected is the first one that no other environment of the project has."""
    others = [each.port for each in every(place.project) if each.environment != place.environment]
    expected = next(port for port in itertools.count(FIRST_PORT) if port not in others)
    return expected if (place.port or 0) > expected else None


def prepare(place: Place) -> None:
    """Make the folders. Others may walk through, since PostgreSQL may be another user; not read."""
    for folder in (place.folder, place.releases, place.logs):
        folder.mkdir(parents=True, exist_ok=True)
    place.folder.chmod(0o711)
    place.releases.chmod(0o700)
    place.logs.chmod(0o700)


@contextlib.contextmanager
def locked(place: Place) -> Iterator[None]:
    """Hold the place alone. Raises WorkshopError when somebody else deploys right now."""
    with _ours(place), _room(place):
        prepare(place)
        lock = (place.folder / "lock").open("ab")
    try:
        _lock(lock)
    except (BlockingIOError, PermissionError) as error:
        lock.close()
        other = read(place.folder / "deploying.json") or {}
        who = ""
        if other:
            who = f" (process {_holder(lock.name, other['pid'])}, since {other['start']})"
        raise WorkshopError(
            f"another deploy to {place.environment} is running{who}",
            "Wait until it has ended, then try again.",
            path=place.project,
        ) from error
    _held[place.folder] = lock.fileno()
    try:
        with _room(place):
            yield
    finally:
        del _held[place.folder]
        lock.close()  # which also lets go of it


def held(place: Place) -> tuple[int, ...]:
    """The descriptor of the lock that we hold on a place, for a child that must hold it, too: one
    that outlives us, when we are killed, and still changes what is in there."""
    here = sys.platform != "win32" and place.folder in _held  # Windows hands on no descriptor
    return (_held[place.folder],) if here else ()


def _holder(lock: str, noted: int) -> int:
    """Who holds the lock: who has noted so, unless that one is gone and a child of it is left."""
    import psutil

    file = os.path.realpath(lock)
    found = [
        each.pid
        for each in psutil.process_iter(["open_files"])
        if any(one.path == file for one in each.info["open_files"] or ())
    ]
    return noted if noted in found or not found else found[0]


def _lock(file: IO[bytes]) -> None:
    """Lock a file for as long as it is open. Raises an OSError when somebody else has it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # `filelock` would take longer to import than a deploy to prepare

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def _ours(place: Place) -> Iterator[None]:
    """A home that can't be written to is somebody else's, or no folder at all."""
    try:
        yield
    except OSError as error:
        raise WorkshopError(
            f"the workshop can't write here: {error.strerror}",
            "Name a folder of yours: export WORKSHOP_HOME=...",
            path=place.folder,
        ) from error


@contextlib.contextmanager
def _room(place: Place) -> Iterator[None]:
    """A full disk is nothing unheard of, and a person can mend it."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise WorkshopError(
            f"the disk is full: {error.strerror}", "Make room, then try again.", path=place.folder
        ) from error


def secret(place: Place, name: str) -> str:
    """A secret of this environment: made once, then the same for good."""
    file = place.folder / "secrets.json"
    known = read(file) or {}
    if name not in known:
        import secrets

        known[name] = secrets.token_urlsafe(50)
        write(file, known)
    return str(known[name])


def configuration(place: Place) -> dict[str, str]:
    """The variables that a person has set for this environment, by name."""
    return {name: str(value) for name, value in (read(place.folder / _CONFIG) or {}).items()}


def configure(place: Place, variables: Mapping[str, str]) -> None:
    """Keep exactly these variables. Some may be secret: only the owner can read the file."""
    write(place.folder / _CONFIG, variables)


def read(file: Path) -> dict[str, Any] | None:
    """What `write` wrote, or None when there is nothing."""
    try:
        value: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise WorkshopError(
            "this file is damaged", "Delete it, and deploy again.", path=file
        ) from error
    return value


def write(file: Path, value: Mapping[str, Any]) -> None:
    """Write JSON that only its owner may read, whole or not at all."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(value, out, indent=2)
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
