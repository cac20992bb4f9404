"""What the workshop remembers of a learner's project: small JSON files in `.git/workshop/`.

No commit ever holds them. Everything here can be made again: what can't be read counts as nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workshop import git
from workshop.model import Step, Verdict, plain

_VERDICTS = "verdicts"
_BY_EDITORS = (b".swp", b".swx", b".swo", b"~")  # they come and go with a file that is open


def folder(project: Path) -> Path:
    """Where all of it lies."""
    return git.git_folder(project) / "workshop"


def read(project: Path, name: str) -> dict[str, Any]:
    """What is remembered under this name; nothing when it was never written, or is damaged."""
    try:
        kept = json.loads((folder(project) / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) else {}


def write(project: Path, name: str, value: Mapping[str, Any]) -> None:
    """Remember this, whole or not at all."""
    file = folder(project) / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    text = json.dumps(value, indent=2, ensure_ascii=False)
    part.write_text(text + "\n", encoding="utf-8", newline="\n")
    part.replace(file)


def interruptions(project: Path) -> tuple[str, ...]:
    """The backups of all moves that were begun and not ended since the last that was, in order.

    The moves' journal is among these files, so that who only looks imports nothing that moves.
    """
    journal = read(project, "moving")
    later = journal.get("later")  # an older version knew but one
    names = [journal.get("backup"), *(later if isinstance(later, list) else [])]
    return tuple(str(name) for name in names if name is not None)


def seal(project: Path, step: Step) -> str:
    """A hash over what the verdicts of a step depend on: the project's files, and the checks.

    A file counts by its name, size and time, not by what is in it: asking for that takes
    milliseconds in a large project, too. A change of the environment or of the commits is not seen.
    """
    import hashlib  # with all of OpenSSL: `status` need not wait for that

    digest = hashlib.sha256()
    listed = git.run(
        "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=project, sealed=False
    )
    for name in sorted(set(listed.split(b"\0")) - {b""}):
        if name.endswith(_BY_EDITORS):
            continue
        digest.update(name)
        try:
            found = (project / os.fsdecode(name)).stat()
            digest.update(b"%d %d\n" % (found.st_size, found.st_mtime_ns))
        except OSError:  # removed, and git still knows it
            digest.update(b"-\n")
    for file in step.tests:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def keep_verdicts(
    project: Path, step: Step, seal_before: str, verdicts: tuple[Verdict, ...]
) -> None:
    """Remember the last verdicts, and what they were about."""
    value = {"step": step.slug, "seal": seal_before, "verdicts": plain(verdicts)}
    write(project, _VERDICTS, value)


def last_verdicts(project: Path, step: Step, seal_now: str) -> tuple[Verdict, ...]:
    """The verdicts that are still true: for this step, and nothing has changed. Else none."""
    kept = read(project, _VERDICTS)
    if kept.get("step") != step.slug or kept.get("seal") != seal_now:
        return ()
    try:
        return tuple(Verdict(**each) for each in kept["verdicts"])
    except (KeyError, TypeError):  # by an older version
        return ()
