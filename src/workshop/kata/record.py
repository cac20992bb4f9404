"""What is remembered of a kata: `.git/workshop/kata.json`, which no commit ever holds."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from workshop import git
from workshop.errors import WorkshopError


class Record(NamedTuple):
    """Which kata, when its clock started (with a time zone), and the workshop's version then."""

    slug: str
    started: datetime
    version: str


def write(repository: Path, record: Record) -> None:
    """Keep the record in this repository; it is there whole, or not at all."""
    file = _file(repository)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    kept = {
        "kata": record.slug,
        "started": record.started.isoformat(timespec="seconds"),
        "version": record.version,
    }
    part.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8", newline="\n")
    part.replace(file)


def read(repository: Path) -> Record | None:
    """The record of this repository, or None when no kata began here.

    Raises WorkshopError when somebody or something spoiled it.
    """
    file = _file(repository)
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        started = datetime.fromisoformat(kept["started"]).astimezone(UTC)
        return Record(str(kept["kata"]), started, str(kept["version"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise WorkshopError(
            "this file is damaged: the workshop can't read when your kata began",
            "Begin anew in another folder: workshop kata start KATA DIR",
            path=file,
        ) from error


def _file(repository: Path) -> Path:
    return git.git_folder(repository) / "workshop" / "kata.json"
