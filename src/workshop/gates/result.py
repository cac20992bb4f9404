"""What a gate says: how much it has proven, what is not so, and what it could not look at."""

from __future__ import annotations

from typing import NamedTuple

from workshop.model import Finding


class Result(NamedTuple):
    """One gate's word. `proven` counts what was held against the truth; nothing proven is red."""

    gate: str
    proven: int
    findings: tuple[Finding, ...] = ()
    skipped: tuple[Finding, ...] = ()

    @property
    def green(self) -> bool:
        """Whether all is so, and there was something to prove."""
        return self.proven > 0 and not self.findings


class Lesson(NamedTuple):
    """What was held against the truth on the page of one lesson: how many listings, diffs and
    trees, how many commands the robot typed, and how many pages it opened. `skipped` counts the
    blocks of commands for other platforms."""

    tag: str
    listings: int
    commands: int
    pages: int
    skipped: int
