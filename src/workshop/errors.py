"""What a person can mend is a WorkshopError; everything else is a bug."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class WorkshopError(Exception):
    """Something a person can mend: where it is, what is so, and what to do next.

    `path` may carry a line: "steps/02-x/step.toml:3".
    """

    def __init__(self, fact: str, remedy: str, *, path: Path | str | None = None) -> None:
        super().__init__(fact, remedy, path)
        self.fact = fact
        self.remedy = remedy
        self.path = path

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path is not None else ""
        return f"{where}{self.fact}\n{self.remedy}"
