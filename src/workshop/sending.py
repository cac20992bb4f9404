"""Requests at a fixed rate, whether the server keeps up or not, and what became of them.

None is sent twice: a retry would hide a loss. It stops by itself. This file needs nothing but
Python: as a program, it also runs where the workshop is not installed, such as in a pod (see
`underload`). Then it ends when its input does, and prints its report as JSON.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

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
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=self._work) for _ in range(connections)]
        for thread in self._threads:
            thread.start()

    def end(self, after: int = 0) -> None:
        """Send no more, as soon as so many are sent."""
        with self._lock:
            self._requests = min(self._requests, max(after, self._sent))

    def stop(self) -> Report:
        """Send no more, wait for what is under way, and count."""
        self.end()
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
            if self._sent >= self._requests:
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


def main(url: str, requests: str, rate: str, least: str) -> None:
    """Send until all is sent, or the input ends, and then until so many are sent at least."""
    running = Load(url, requests=int(requests), rate=float(rate), keep_alive=False)

    def until_told() -> None:
        sys.stdin.read()
        running.end(after=int(least))

    threading.Thread(target=until_told, daemon=True).start()
    print(json.dumps(running.wait()._asdict()))


if __name__ == "__main__":
    main(*sys.argv[1:])
