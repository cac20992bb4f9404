"""What a result depends on, as one key: what is kept under it need not be made again."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable
from pathlib import Path

_DISTRIBUTION = "modern-continuous-delivery"


def digest(*parts: object) -> str:
    """A hash over all parts: bytes as they are, everything else as Python writes it."""
    found = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else repr(part).encode()
        found.update(b"%d:" % len(data) + data)
    return found.hexdigest()


def engine(names: Iterable[str]) -> str:
    """A hash over these modules and packages of ours, the tools and the Python that run them."""
    package = Path(__file__).parent
    files = [
        file
        for name in names
        for file in ([package / name] if "." in name else sources(package / name))
    ]
    return digest(sys.version, tools(), *(file.read_bytes() for file in files))


def sources(package: Path) -> list[Path]:
    """Whatever runs of a package: its modules, and the configuration of pytest beside them."""
    return sorted(file for kind in ("*.py", "*.ini") for file in package.rglob(kind))


def tools() -> tuple[str, ...]:
    """Everything that is installed with the workshop, and in which version."""
    from importlib import metadata

    needed = (each for each in metadata.requires(_DISTRIBUTION) or () if "extra ==" not in each)
    names = (re.split(r"[^\w.-]", each)[0] for each in needed)
    return tuple(f"{name}=={metadata.version(name)}" for name in names)
