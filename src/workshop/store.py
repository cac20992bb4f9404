"""Results that are known, in the workshop's home, each under the key of what it depends on.

A result is a small JSON object. It is there whole or not at all, and what can't be read counts as
not there: then it is made again.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from workshop import paths


def read(kind: str, key: str) -> dict[str, Any] | None:
    """What is kept of this kind under this key; None when there is nothing, or it is damaged."""
    try:
        value = json.loads(_file(kind, key).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def write(kind: str, key: str, value: object) -> None:
    """Keep this JSON object. Several processes and threads may do so at the same time."""
    file = _file(kind, key)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}.part")
    part.write_text(json.dumps(value), encoding="utf-8")
    part.replace(file)


def _file(kind: str, key: str) -> Path:
    return paths.home() / kind / f"{key}.json"
