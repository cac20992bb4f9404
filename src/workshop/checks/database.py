"""Real databases for checks: PostgreSQL, on loopback, gone when the check's process ends."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from workshop import paths

if TYPE_CHECKING:
    from workshop.postgres import Cluster

_CHECKS = "checks"
_MEMORY = Path("/dev/shm")  # noqa: S108  where Linux keeps files in memory
_ROOM = 1 << 30  # bytes: far more than the servers of some judgements take


class PostgreSQL:
    """A server for one run of checks. It starts when the first database is asked for.

    One that is `kept`, in a folder of somebody else, runs on after the checks. Its databases are
    for one run only, all the same. `in_memory` says where its data may be: see `folder`.
    """

    def __init__(
        self, home: Path | None = None, kept: Path | None = None, *, in_memory: bool = False
    ) -> None:
        self._home = home or paths.home()
        self._kept = kept
        self._in_memory = in_memory
        self._cluster: Cluster | None = None
        self._folder: Path | None = None

    def database(self) -> Database:
        """A new, empty database."""
        if self._cluster is None:
            self._cluster = self._started()
        name = self._spare()
        if not name:
            name = _name()
            if self._kept is not None:
                (self._kept / f"{name}.used").touch()
            self._cluster.create(name)
        return Database(self._cluster, name)

    def _spare(self) -> str:
        """A database that was made ahead, and that nobody has seen; empty when there is none."""
        for spare in self._kept.glob("*.spare") if self._kept is not None else ():
            with contextlib.suppress(OSError):
                spare.rename(spare.with_suffix(".used"))
                return spare.stem
        return ""

    def close(self) -> None:
        """Stop the server, and remove all that it kept, unless somebody else keeps it."""
        if self._kept is not None:
            self._cluster = None
        if self._cluster is not None:
            self._cluster.stop()
            self._cluster = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _started(self) -> Cluster:
        from workshop.postgres import Cluster

        if self._kept is not None:
            cluster = Cluster(self._kept / "postgresql", fast=True)
            cluster.start()
            return cluster
        self._folder = folder(self._home, in_memory=self._in_memory)
        cluster = Cluster(self._folder / "postgresql", fast=True)
        cluster.start()
        return cluster


def folder(home: Path, *, in_memory: bool) -> Path:
    """A new folder for the data of a server for checks, which whoever asks for it removes.

    What is thrown away soon may be `in_memory`, where the system has a place for that with enough
    room; else it is in `home`. Making a database means making 300 files, and on some disks that
    takes ten times as long. What a process has left that was killed is removed first.
    """
    places = {home / _CHECKS: "", _MEMORY: f"workshop-{_user()}-"}
    for place, prefix in places.items():
        _sweep(place, prefix)
    where = _MEMORY if in_memory and _room() else home / _CHECKS
    where.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f"{places[where]}{os.getpid()}-", dir=where))
    made.chmod(0o755)  # when we are root, PostgreSQL runs as somebody else
    return made


def _sweep(place: Path, prefix: str) -> None:
    import psutil

    from workshop.postgres import Cluster

    for left in place.glob(f"{prefix}*"):
        found = re.fullmatch(rf"{prefix}(\d+)-\w+", left.name)
        if not found or psutil.pid_exists(int(found[1])):
            continue
        with contextlib.suppress(FileNotFoundError):  # another process sweeps, too
            if left.lstat().st_uid == _user():  # others may write there, and name it as we do
                with contextlib.suppress(Exception):
                    Cluster(left / "postgresql", fast=True).stop()
                shutil.rmtree(left, ignore_errors=True)


def _room() -> bool:
    import psutil

    try:
        free = shutil.disk_usage(_MEMORY).free
    except OSError:  # there is none
        return False
    return min(free, psutil.virtual_memory().available) > _ROOM and os.access(_MEMORY, os.W_OK)


def _user() -> int:
    """Our number, as files have it; 0 on Windows."""
    return os.getuid() if hasattr(os, "getuid") else 0


def used(kept: Path) -> tuple[str, ...]:
    """The databases of judgements that have ended: call it when none runs."""
    return tuple(each.stem for each in kept.glob("*.used"))


def renew(kept: Path, old: tuple[str, ...], spares: int) -> None:
    """Make new databases ahead, and remove the old ones. Does nothing while the kept server does
    not run."""
    from workshop.postgres import Cluster

    cluster = Cluster(kept / "postgresql", fast=True)
    if not cluster.running():
        return
    for _ in range(spares - len(list(kept.glob("*.spare")))):
        name = _name()
        cluster.create(name)
        (kept / f"{name}.spare").touch()
    for name in old:
        cluster.drop(name)
        (kept / f"{name}.used").unlink(missing_ok=True)


def _name() -> str:
    return f"check_{secrets.token_hex(4)}"


class Database:
    """One database, and the power over the server that it lives in."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self.url = cluster.url(name)

    @property
    def major(self) -> int:
        """The major version of PostgreSQL, the same as production's."""
        return self._cluster.major

    def stop(self) -> None:
        """Stop the server: nobody can connect, and who is connected is cut off."""
        self._cluster.stop()

    def start(self) -> None:
        """Start it again, at the same address."""
        self._cluster.start()

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Stopped for as long as the block lasts, and back after it, however it ends."""
        self.stop()
        try:
            yield
        finally:
            self.start()


class Tripwire:
    """A database's address where only somebody sits who counts calls, and hangs up."""

    def __init__(self) -> None:
        self.calls = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = f"postgres://nobody:nothing@127.0.0.1:{port}/nowhere"
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                caller, _ = self._listener.accept()
                self.calls += 1
                caller.close()

    def close(self) -> None:
        """Hang up for good."""
        # Wakes the thread that waits in accept(); a mere close() would not, on Linux.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
