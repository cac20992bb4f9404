"""A bounded load on a server of this machine, and an honest count of what was lost.

Requests are sent at a fixed rate, whether the server keeps up or not, and none is sent twice: a
retry would hide a loss. It stops by itself.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from workshop.errors import WorkshopError

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
CONNECTIONS = 8


class Report(NamedTuple):
    """What came of a load.

    `lost` counts the requests without a good answer, by kind: refused, reset, timeout, cut short,
    or the status from 500 on. `releases` counts the answers by their header X-Release. `longest`
    is the longest wait for an answer, `seconds` the whole time.
    """

    sent: int
    answered: int
    lost: Mapping[str, int]
    releases: Mapping[str, int]
    statuses: Mapping[int, int]
    longest: float
    seconds: float


class Load:
    """A load that runs in the background until all requests are sent, or `stop` is called."""

    def __init__(
        self, url: str, *, requests: int, rate: float, keep_alive: bool,
        connections: int = CONNECTIONS, timeout: float = 10.0,
    ) -> None:  # fmt: skip
        parts = urlsplit(url)
        if parts.hostname not in _LOOPBACK:
            raise WorkshopError(
                f"{parts.hostname} is not this machine", "Load a server on 127.0.0.1.", path=url
            )
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._path = parts.path or "/"
        self._requests, self._rate, self._timeout = requests, rate, timeout
        self._keep_alive = keep_alive
        self._lock = threading.Lock()
        self._sent = self._answered = 0
        self._lost: Counter[str] = Counter()
        self._releases: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()
        self._longest = 0.0
        self._stopped = threading.Event()
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=self._work) for _ in range(connections)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> Report:
        """Send no more, wait for what is under way, and count."""
        self._stopped.set()
        return self.wait()

    def wait(self) -> Report:
        """Wait until all requests are sent and answered, or lost, and count."""
        for thread in self._threads:
            thread.join()
        return Report(
            self._sent, self._answered, dict(self._lost), dict(self._releases),
            dict(self._statuses), self._longest, time.monotonic() - self._began,
        )  # fmt: skip

    def _turn(self) -> float | None:
        """When the next request is due (monotonic seconds); None when there is none."""
        with self._lock:
            if self._sent >= self._requests or self._stopped.is_set():
                return None
            due = self._began + self._sent / self._rate
            self._sent += 1
            return due

    def _work(self) -> None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        headers = {"Connection": "keep-alive" if self._keep_alive else "close"}
        while (due := self._turn()) is not None:
            # sleeps through a stop, for one interval at most: what is counted as sent is sent
            time.sleep(max(0.0, due - time.monotonic()))
            self._request(connection, headers)
        connection.close()

    def _request(self, connection: http.client.HTTPConnection, headers: Mapping[str, str]) -> None:
        began = time.monotonic()
        release, status, lost = None, 0, ""
        try:
            connection.request("GET", self._path, headers=dict(headers))
            response = connection.getresponse()
            response.read()
            release, status = response.getheader("X-Release"), response.status
            lost = str(status) if status >= 500 else ""
            if not self._keep_alive:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            lost = _kind(error)
            connection.close()
        with self._lock:
            self._longest = max(self._longest, time.monotonic() - began)
            if status:
                self._statuses[status] += 1
            if lost:
                self._lost[lost] += 1
            else:
                self._answered += 1
                self._releases[release or ""] += 1


def run(
    url: str, *, requests: int, rate: float, keep_alive: bool,
    connections: int = CONNECTIONS, timeout: float = 10.0,
) -> Report:  # fmt: skip
    """Send `requests` at `rate` a second over `connections` at once; count what came of them."""
    return start(
        url, requests=requests, rate=rate, keep_alive=keep_alive,
        connections=connections, timeout=timeout,
    ).wait()  # fmt: skip


def start(
    url: str, *, requests: int, rate: float, keep_alive: bool,
    connections: int = CONNECTIONS, timeout: float = 10.0,
) -> Load:  # fmt: skip
    """Begin to send, and return at once. Raises WorkshopError for a server that isn't local."""
    return Load(
        url, requests=requests, rate=rate, keep_alive=keep_alive,
        connections=connections, timeout=timeout,
    )  # fmt: skip


def _kind(error: Exception) -> str:
    """What happened to a request, in one word or two."""
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead):
        return "cut short"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "reset"
    return type(error).__name__
