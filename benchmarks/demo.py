"""The demo project in a production of its own, which ends with the block."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import run, workshop
from workshop.production import place as places

PAUSE = 0.01  # seconds between two looks at a server that is about to answer


class Site(NamedTuple):
    """A project, and its production."""

    project: Path

    @property
    def place(self) -> places.Place:
        """Where its production is kept."""
        return places.of(self.project, "production")

    @property
    def port(self) -> int:
        """Where it answers. It must have been deployed."""
        port = self.place.port
        if port is None:
            raise RuntimeError("it was never deployed")
        return port

    def commit(self) -> str:
        """Make a new commit, and return its hash."""
        words = ("commit", "--quiet", "--allow-empty", "-m", "Change nothing")
        run(["git", *words], cwd=self.project)
        return self.hash("HEAD")

    def hash(self, revision: str) -> str:
        """The hash of a commit."""
        return run(["git", "rev-parse", f"{revision}^{{commit}}"], cwd=self.project).strip()

    def workshop(self, *words: str) -> None:
        """The command line, as a person uses it in the project."""
        run([workshop(), *words], cwd=self.project)


def clone(folder: Path) -> Path:
    """The demo project at its last stage, with an identity of its own."""
    project = folder / "demo"
    if not project.is_dir():
        run([workshop(), "build", project], cwd=folder)
        for name, value in (("user.name", "A Person"), ("user.email", "person@example.org")):
            run(["git", "config", name, value], cwd=project)
    return project


@contextlib.contextmanager
def deployed(folder: Path) -> Iterator[Site]:
    """The demo project, live from its last stage."""
    site = Site(clone(folder))
    try:
        site.workshop("deploy")
        yield site
    finally:
        site.workshop("production", "down")


def answered_by(port: int) -> str | None:
    """The release that answers the front page there: "" when it does not say, None when none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        response.read()
        return (response.getheader("X-Release") or "") if response.status < 500 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def await_answer(port: int, release: str, patience: float = 60.0) -> None:
    """Wait until the front page is answered by this release (`""`: one that does not say)."""
    give_up = time.monotonic() + patience
    while answered_by(port) != release:
        if time.monotonic() > give_up:
            raise RuntimeError(f"no answer from {release or 'the server'}")
        time.sleep(PAUSE)
