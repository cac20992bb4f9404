"""The process that owns the listening socket, for as long as the environment is up.

Every release's server inherits that socket. So between two releases it is never closed: who
connects at the wrong moment waits in its queue, and is answered by whoever comes next. That is
the whole trick of losing no request.

    python -m workshop.production.supervisor FOLDER DESCRIPTOR

It is told what to do over a connection on 127.0.0.1, with a key that only the owner can read.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any

from workshop.production import client, processes
from workshop.production import place as places

DRAIN = 35.0  # seconds that an old release gets to finish what it began
LEAVING = 5.0  # seconds until it must have stopped to accept; after that nobody waits for it
_BREATH = 0.1  # seconds until somebody is let in again, after that failed
_CALLED_OFF = "it was called off"
_CONF = Path(__file__).with_name("gunicorn_conf.py")


class Server:
    """One release's gunicorn, with the pipes through which it says that it is ready."""

    def __init__(self, order: Mapping[str, Any], socket: int) -> None:
        self.order = order
        self.commit = str(order["commit"])
        self.stopping = False
        self.answered = ""  # what the application said when it was asked whether it is ready
        self._ending = threading.Lock()  # `down` may come while it drains
        ends: list[int] = []
        try:
            for _ in range(2):
                ends += os.pipe()
            self._said, ready, gate, self._gate = ends
            with Path(order["log"]).open("ab") as log:
                self.process = subprocess.Popen(
                    [order["python"], "-m", "gunicorn", "--config", _CONF,
                     "--bind", f"fd://{socket}", order["wsgi"]],
                    cwd=order["folder"],
                    env={
                        **order["variables"],
                        "WORKSHOP_COMMIT": self.commit,
                        "WORKSHOP_PROBE": order["probe"],
                        "WORKSHOP_HOST": order["host"],
                        "WORKSHOP_READY": str(ready),
                        "WORKSHOP_GATE": str(gate),
                    },
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=(socket, ready, gate),
                    start_new_session=True,
                )  # fmt: skip
        except BaseException:
            for each in ends:  # `_watch` tries for good: nothing may be left of a try
                os.close(each)
            raise
        self._pipes = [self._said, self._gate]
        os.close(ready)  # so that its end is seen when the last process of the server ends
        os.close(gate)

    def go(self) -> None:
        """Whatever had to be done before is done: the workers may ask for readiness."""
        with contextlib.suppress(BrokenPipeError):  # it ended already, as `await_ready` will tell
            os.write(self._gate, b"g")

    def await_ready(self, caller: Connection | None = None) -> str:
        """Empty when it is ready; else why not. When `caller` hangs up, it is called off."""
        seconds = float(self.order["patience"])
        give_up = time.monotonic() + seconds
        heard, reason = b"", f"it was not ready within {seconds:.0f} seconds"
        watched: list[Any] = [self._said, *([caller] if caller else [])]
        while (left := give_up - time.monotonic()) > 0:
            found = select.select(watched, [], [], left)[0]
            if not found:
                break
            if self._said not in found:
                return _CALLED_OFF
            chunk = os.read(self._said, 4096)
            if not chunk:
                return "it ended"
            *lines, heard = (heard + chunk).split(b"\n")
            for line in lines:
                if line.startswith(b"ready"):
                    self.answered = line[6:].decode()
                    return ""
                reason = f"it was not ready within {seconds:.0f} seconds: {line[3:].decode()}"
        return reason

    def leave(self) -> None:
        """Let it accept nobody any more, and wait until that is so. What it began, it finishes."""
        self._terminate()
        give_up = time.monotonic() + LEAVING
        heard = b"\n"
        while b"\nleft\n" not in heard and (left := give_up - time.monotonic()) > 0:
            if not select.select([self._said], [], [], left)[0]:
                return
            chunk = os.read(self._said, 4096)
            if not chunk:
                return  # it has ended
            heard += chunk

    def _terminate(self) -> None:
        if not self.stopping:
            self.stopping = True
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)

    def end(self, *, drain: bool = True) -> None:
        """Let it finish what it began, if it served at all, and wait until it has ended."""
        with self._ending:
            self._terminate()
            try:
                self.process.wait(DRAIN if drain else 0)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
            while self._pipes:
                os.close(self._pipes.pop())


class Supervisor:
    """Which release is live, and the switch from one to the next."""

    def __init__(self, folder: Path, socket: int) -> None:
        self._folder = folder
        self._socket = socket
        self._live: Server | None = None
        self._lock = threading.Lock()  # one switch at a time
        self._servers: list[Server] = []
        self._listing = threading.Lock()  # that list, and the file that tells it
        self.ended = threading.Event()

    def answer(self, connection: Connection) -> None:
        """Do what one connection asks for."""
        down = False
        with contextlib.suppress(EOFError, OSError):
            order = json.loads(connection.recv_bytes())
            if order["do"] == "switch":
                reply = self._switch(order, connection)
            elif order["do"] == "down":
                self.down()
                down, reply = True, self._reply("")
            else:
                reply = self._reply("")
            connection.send_bytes(json.dumps(reply).encode())
        connection.close()
        if down or (self._live is None and not self._lock.locked()):
            self.ended.set()  # nothing to serve: not even the first release came up

    def _switch(self, order: Mapping[str, Any], connection: Connection) -> dict[str, Any]:
        """Start the new release, and only when it is ready, see the old one off."""
        with self._lock:
            server: Server | None = None
            reason = ""
            try:
                server = self._start(order)
            except OSError as error:
                reason = str(error)  # told when the caller listens
            try:
                # The release command runs meanwhile, in the process that called.
                may_go = json.loads(connection.recv_bytes())["go"]
            except (EOFError, OSError):
                may_go = False
            if server is not None and may_go:
                server.go()
                reason = server.await_ready(connection)
            if server is None or reason or not may_go:
                if server is not None:
                    self._discard(server, drain=False)
                return self._reply(reason or _CALLED_OFF)
            try:
                places.write(self._folder / "live.json", {"commit": server.commit})
            except OSError as error:  # such as a full disk: what can't be noted is not live
                self._discard(server)
                return self._reply(str(error))
            old, self._live = self._live, server
            threading.Thread(target=self._watch, args=(server,), daemon=True).start()
            if old is not None:
                old.leave()  # who asks from now on is answered by the new one
                threading.Thread(target=self._discard, args=(old,)).start()
            return self._reply("")

    def _reply(self, reason: str) -> dict[str, Any]:
        """Why it did not become live (empty when it did), and what is live now."""
        live = self._live
        return {
            "reason": reason,
            "live": live.commit if live else None,
            "answered": live.answered if live else "",
        }

    def _start(self, order: Mapping[str, Any]) -> Server:
        server = Server(order, self._socket)
        with self._listing:
            self._servers.append(server)
        try:
            self._record()
        except OSError:
            self._discard(server, drain=False)
            raise
        return server

    def _discard(self, server: Server, *, drain: bool = True) -> None:
        server.end(drain=drain)
        with self._listing, contextlib.suppress(ValueError):  # another thread was first
            self._servers.remove(server)
        with contextlib.suppress(OSError):  # a full disk: its number names nobody any more
            self._record()

    def _watch(self, server: Server) -> None:
        """Start the live release again when its server dies. Until then, visitors wait."""
        pause = 0.0
        while True:
            server.process.wait()
            with self._lock:
                if server.stopping or server is not self._live:
                    return
                print(
                    f"{server.commit}: its server ended with {server.process.returncode}",
                    flush=True,
                )
                self._discard(server)
            again = None
            while again is None:
                time.sleep(pause)
                pause = min(max(1.0, 2 * pause), 30.0)
                with self._lock:
                    if server is not self._live:
                        return
                    try:
                        again = self._live = self._start(server.order)
                    except OSError as error:  # a full disk may have room again
                        print(f"{server.commit}: it can't be started: {error}", flush=True)
            server = again
            server.go()
            if not server.await_ready():
                pause = 0.0

    def down(self) -> str | None:
        """End every server. Returns the commit that was live until then."""
        with self._lock:
            live = self._live
            for server in list(self._servers):
                self._discard(server)
            self._live = None
        return live.commit if live else None

    def _record(self) -> None:
        """Whom the next command must end, should we be killed."""
        with self._listing:
            places.write(
                self._folder / "servers.json",
                {str(each.process.pid): processes.born(each.process.pid) for each in self._servers},
            )


def main() -> None:
    """Become a process of its own, say where to be reached, and serve until told to end."""
    folder, socket = Path(sys.argv[1]), int(sys.argv[2])
    # Held until our last moment, even by a SIGKILL: that is how others know that we live.
    alive = (folder / "supervisor.lock").open("ab")
    fcntl.flock(alive, fcntl.LOCK_EX)  # who only looks holds it for a moment
    key = secrets.token_bytes(32)
    listener = Listener(("127.0.0.1", 0), backlog=16)
    child = os.fork()
    if child:
        try:
            places.write(
                folder / "supervisor.json",
                {"pid": child, "port": listener.address[1], "key": key.hex()},
            )
        except BaseException:
            os.kill(child, signal.SIGKILL)  # nobody could ever reach it
            raise
        os._exit(0)  # who started us may go on: the listener is there already
    supervisor = Supervisor(folder, socket)

    def terminated(*_: object) -> None:
        supervisor.ended.set()

    signal.signal(signal.SIGTERM, terminated)
    threading.Thread(target=_accept, args=(listener, supervisor, key), daemon=True).start()
    supervisor.ended.wait()
    # Nothing that we started stays. What was live until then was ended by the machine, which shuts
    # down, and by no person: the note stays, and the next command brings it back.
    if supervisor.down() is None:
        (folder / "supervisor.json").unlink(missing_ok=True)
    os.close(socket)  # before the lock: who finds nobody here finds the port free, too


def _accept(listener: Listener, supervisor: Supervisor, key: bytes) -> None:
    """Let each who connects speak in a thread of its own: one that is silent holds up nobody."""
    while True:
        try:
            connection = listener.accept()
            hearing = threading.Thread(
                target=_hear, args=(connection, supervisor, key), daemon=True
            )
            hearing.start()
        except (OSError, RuntimeError):  # such as no descriptor left: there may be one soon
            time.sleep(_BREATH)


def _hear(connection: Connection, supervisor: Supervisor, key: bytes) -> None:
    """Answer one connection, once it has shown that it knows the key."""
    with connection:
        try:
            with client.limited(connection, client.ANSWER):
                deliver_challenge(connection, key)
                answer_challenge(connection, key)
        except (AuthenticationError, OSError, EOFError):
            return
        supervisor.answer(connection)


if __name__ == "__main__":
    main()
