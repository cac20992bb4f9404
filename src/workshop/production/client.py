"""Speaks to the supervisor of a place; starts it, and clears up after one that was killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from workshop.errors import WorkshopError
from workshop.production import place as places
from workshop.production.place import FIRST_PORT, Place

if TYPE_CHECKING:
    import socket
    from multiprocessing.connection import Connection

ANSWER = 10.0  # seconds until a supervisor that lives has answered
SWITCHED = 120.0  # seconds until it has let one release take over from another, or ended them all
# Seconds until a server that nobody knows has left the port by itself: its supervisor was killed
# between the start and the note of whom.
UNKNOWN = 10.0
_PORTS = 100  # how many are tried, from the first on
_POLL = 0.1
_BACKLOG = 1024  # how many visitors may wait while releases change


class Call:
    """One conversation with the supervisor."""

    def __init__(self, place: Place, connection: Any) -> None:
        self._place = place
        self._connection = connection

    def say(self, words: Mapping[str, Any]) -> None:
        """Tell it something. Whether it lives to hear it, `hear` finds out."""
        with contextlib.suppress(OSError):
            self._connection.send_bytes(json.dumps(words).encode())

    def hear(self) -> dict[str, Any]:
        """Wait for its answer. Raises WorkshopError when it died over it, or stays silent."""
        try:
            if not self._connection.poll(SWITCHED):
                raise _silent(self._place)
            answer: dict[str, Any] = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError) as error:
            raise WorkshopError(
                "the process that runs this environment ended in the middle of it",
                "Try again: the next command repairs what it left.",
            ) from error
        return answer


def running(place: Place) -> bool:
    """Whether the place has a supervisor: it holds a lock for as long as it lives."""
    import fcntl

    try:
        with (place.folder / "supervisor.lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextlib.contextmanager
def call(place: Place) -> Iterator[Call]:
    """Open a conversation. Raises WorkshopError when the supervisor does not run, or answer."""
    import socket
    from multiprocessing.connection import Connection, answer_challenge, deliver_challenge

    known = places.read(place.folder / "supervisor.json") or {}
    try:
        # As `Client` does it with a key; but that waits for good for one that was stopped.
        with socket.create_connection(("127.0.0.1", known["port"]), ANSWER) as opened:
            opened.setblocking(True)
            connection = Connection(opened.detach())
    except (OSError, KeyError) as error:
        raise _silent(place) from error
    with connection:
        try:
            key = bytes.fromhex(known["key"])
            with limited(connection, ANSWER):
                answer_challenge(connection, key)
                deliver_challenge(connection, key)
        except (OSError, EOFError) as error:
            raise _silent(place) from error
        yield Call(place, connection)


@contextlib.contextmanager
def limited(connection: Connection, seconds: float) -> Iterator[None]:
    """Wait no longer than `seconds` for each word of the other side: then it is an OSError."""
    _limit(connection, seconds)
    yield
    _limit(connection, 0)  # from now on, for as long as it takes


def _limit(connection: Connection, seconds: float) -> None:
    import socket
    import struct

    whole, rest = divmod(seconds, 1)
    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(whole), int(rest * 1e6))
        )


def _silent(place: Place) -> WorkshopError:
    return WorkshopError(
        "the process that runs this environment does not answer",
        "End it with `workshop production down`, then deploy again.",
        path=place.project,
    )


def ensure(place: Place, port: int | None, *, patience: float = 0.0) -> None:
    """Start the supervisor, unless it runs, on `port` or on the place's own. It waits until that is
    free, for `patience` seconds.

    Raises WorkshopError when the port is taken.
    """
    if running(place):
        if port is not None and port != place.port:
            raise WorkshopError(
                f"{place.environment} answers on port {place.port} already",
                f"To move it: workshop production down, then deploy with --port {port}",
                path=place.project,
            )
        return
    end_orphans(place)
    listening = _listen(place, port, patience)
    with listening, (place.logs / "supervisor.log").open("ab") as log:
        places.write(place.folder / "port.json", {"port": listening.getsockname()[1]})
        descriptor = listening.fileno()
        done = subprocess.run(
            [sys.executable, "-m", "workshop.production.supervisor", place.folder, str(descriptor)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[descriptor],
            start_new_session=True,
            check=False,
        )
    if done.returncode != 0:
        raise WorkshopError(
            "the process that runs this environment did not start",
            f"Its log: {place.logs / 'supervisor.log'}",
            path=place.project,
        )


def kill(place: Place) -> None:
    """End a supervisor that does not answer. While it holds its lock, its number is its own."""
    known = places.read(place.folder / "supervisor.json")
    if known and running(place):
        with contextlib.suppress(ProcessLookupError):
            os.kill(known["pid"], signal.SIGKILL)


def end_orphans(place: Place) -> int:
    """End the servers that a killed supervisor left, and nobody else. Returns how many."""
    known = places.read(place.folder / "servers.json")
    if not known:
        return 0
    import psutil

    from workshop.production.processes import is_it

    found = []
    for number, birth in known.items():
        if is_it(int(number), birth):
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(int(number))
                found += [process, *process.children(recursive=True)]
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    for process in psutil.wait_procs(found, timeout=5)[1]:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(found, timeout=5)
    # Who may live still stays noted: it has the port.
    if all(is_it(int(number), birth) is False for number, birth in known.items()):
        (place.folder / "servers.json").unlink(missing_ok=True)
    return len(found)


def _listen(place: Place, port: int | None, patience: float) -> socket.socket:
    """The listening socket: on the port that was asked for, or the place's own, or a free one."""
    import socket

    wanted = port if port is not None else place.port
    give_up = time.monotonic() + patience
    while wanted is not None:
        try:
            return socket.create_server(("127.0.0.1", wanted), backlog=_BACKLOG)
        except (OSError, OverflowError) as error:
            if time.monotonic() < give_up:
                time.sleep(_POLL)
                continue
            why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
            raise WorkshopError(
                f"port {wanted} can't be had: {why}",
                "End the program that uses it, or name another port: "
                f"workshop deploy {place.environment} --port {FIRST_PORT + 80}",
                path=place.project,
            ) from error
    for each in range(FIRST_PORT, FIRST_PORT + _PORTS):
        with contextlib.suppress(OSError):
            return socket.create_server(("127.0.0.1", each), backlog=_BACKLOG)
    raise WorkshopError(
        f"no port from {FIRST_PORT} to {FIRST_PORT + _PORTS - 1} is free",
        f"Name one: workshop deploy {place.environment} --port 9000",
        path=place.project,
    )
