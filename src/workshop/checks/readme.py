"""What a README tells people to type."""

from __future__ import annotations

import re
from collections.abc import Iterator


def typed(text: str) -> Iterator[str]:
    """The commands behind a `$`, as they are compared. One that ends in a backslash goes on."""
    joined = re.sub(r"\\\n\s*", " ", text)
    yield from map(alike, re.findall(r"^\s*\$ (.+)$", joined, re.MULTILINE))


def alike(command: str) -> str:
    """A command as it looks when nobody minds spaces and kinds of quotes."""
    return " ".join(command.replace('"', "'").split())
