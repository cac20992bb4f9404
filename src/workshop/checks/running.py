"""Containers that run: how they end, what they say, and whether their visitors get an answer."""

from __future__ import annotations

import contextlib
import time
from typing import NamedTuple

from workshop import containers
from workshop.checks import visits
from workshop.checks.failure import CheckFailed, expect
from workshop.checks.site import Site

START = 60.0  # seconds until a server that has its database answers
_POLL = 0.1


class Ended(NamedTuple):
    """How a container ended: its exit code (None when it did not), its last words, and after how
    many seconds. `status` is what it answered when it served, and should not have."""

    code: int | None
    said: str
    seconds: float
    status: int = 0


class Container:
    """One container that has been started, at `began`. `role` is how a person calls it."""

    def __init__(self, name: str, role: str, began: float) -> None:
        self.name = name
        self.role = role
        self._began = began
        self._watch = containers.Watch(name)

    @property
    def said(self) -> str:
        """All that it has said."""
        return containers.logs(self.name)

    @property
    def first(self) -> str:
        """The command line of its first process; empty when it has ended."""
        return containers.ask(self.name, "cat", "/proc/1/cmdline").out.replace("\0", " ").strip()

    @property
    def runs(self) -> bool:
        """Whether its first process is there."""
        return self._watch.code() is None

    def signal(self, which: str) -> None:
        """Send a signal to its first process."""
        containers.signal(self.name, which)

    def frozen(self) -> contextlib.AbstractContextManager[None]:
        """Nothing in it moves while the context lasts."""
        return containers.frozen(self.name)

    def ended(self, seconds: float) -> Ended:
        """How it ends, if it does within so many seconds from now."""
        code = self._watch.code(seconds)
        return Ended(code, self.said, time.monotonic() - self._began)

    def forget(self) -> None:
        """Listen to it no more: it is removed."""
        self._watch.close()


class Running(NamedTuple):
    """A server that was started, what stands in front of it, and where its visitors go."""

    network: str
    application: Container
    web: Container | None
    site: Site

    def gives_up(self, seconds: float) -> Ended:
        """How the application ends within so many seconds, or what it answers to visitors."""
        give_up = time.monotonic() + seconds
        while self.application.runs and time.monotonic() < give_up:
            with contextlib.suppress(CheckFailed):
                status = self.site.get("/livez").status
                return self.application.ended(0)._replace(status=status)
            time.sleep(_POLL)
        return self.application.ended(0)

    def answers(self, path: str) -> bool:
        """Whether anybody answers."""
        try:
            return self.site.get(path).status > 0
        except CheckFailed:
            return False

    def visit(self, seconds: float) -> visits.Visit:
        """Let somebody in whose answer takes so long. Returns when they are inside."""
        visit = visits.Visit(self.site.port, seconds)
        expect(
            visit.inside(START),
            seen=f"a page that was added to {visits.URLS} did not answer",
            expected="200: it is one line more in urlpatterns",
            do=f"Keep `urlpatterns` in {visits.URLS}, and let the server load that file.",
        )
        return visit

    def crowd(self, people: int) -> visits.Crowd:
        """So many people, who come again and again until one is turned away."""
        return visits.Crowd(self.site.port, people=people, seconds=START)
