"""What a README says, and what it tells people to type."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it takes longer to import than most checks take
    from docutils import nodes

_WARNING, _NOTHING = 2, 5  # from which level on docutils complains


def document(text: str, *, complain: bool = False) -> nodes.document:
    """A README in reStructuredText, as docutils reads it. With `complain`, what is wrong with it
    stands in it, from warnings on."""
    from docutils import core

    settings = {
        "report_level": _WARNING if complain else _NOTHING, "halt_level": _NOTHING,
        "warning_stream": io.StringIO(), "syntax_highlight": "none",
        "file_insertion_enabled": False,
    }  # fmt: skip
    return core.publish_doctree(text, settings_overrides=settings)


def typed(text: str) -> Iterator[str]:
    """The commands behind a `$`, as they are compared. One that ends in a backslash goes on."""
    joined = re.sub(r"\\\n\s*", " ", text)
    yield from map(alike, re.findall(r"^\s*\$ (.+)$", joined, re.MULTILINE))


def alike(command: str) -> str:
    """A command as it looks when nobody minds spaces and kinds of quotes."""
    return " ".join(command.replace('"', "'").split())
