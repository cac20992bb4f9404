"""What the gates let through, each with a reason and a date. One that nobody needs is a finding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workshop.model import Finding, Waiver


class Waivers:
    """The waivers of a course, and which of them were needed."""

    def __init__(self, every: Iterable[Waiver]) -> None:
        self._every = tuple(every)
        self._used: set[Waiver] = set()

    def allow(self, gate: str, page: str, text: str) -> bool:
        """Whether what begins with a waiver's text, on its page, is let through this gate.

        A page is named by its source: `docs/contributing.md`.
        """
        found = [
            each
            for each in self._every
            if (each.gate, each.page) == (gate, page) and text.startswith(each.text)
        ]
        self._used.update(found)
        return bool(found)

    def stale(self, gates: Sequence[str]) -> tuple[Finding, ...]:
        """Those of these gates that let nothing through."""
        return tuple(
            Finding("steps/waived.toml", f"nobody needs the waiver of {each.page}: {each.text!r}")
            for each in self._every
            if each.gate in gates and each not in self._used
        )
