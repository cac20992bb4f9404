"""A bounded load on a server of this machine, and an honest count of what was lost."""

from __future__ import annotations

from urllib.parse import urlsplit

from workshop.errors import WorkshopError
from workshop.sending import CONNECTIONS, Load, Report

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


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
    host = urlsplit(url).hostname
    if host not in _LOOPBACK:
        raise WorkshopError(f"{host} is not this machine", "Load a server on 127.0.0.1.", path=url)
    return Load(
        url, requests=requests, rate=rate, keep_alive=keep_alive,
        connections=connections, timeout=timeout,
    )  # fmt: skip
