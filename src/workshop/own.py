"""What is each project's own, such as a secret that only its keys open.

A stage of the course shows an example of such a file. It is of no use to anybody else, so it does
not take the place of one that is there, and whoever proves the course makes one for each project.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from workshop.errors import WorkshopError
from workshop.model import Step


def paths(steps: Iterable[Step]) -> frozenset[str]:
    """The paths of all such files, relative to the project."""
    return frozenset(path for step in steps for path in step.own)


def kept(steps: Iterable[Step], project: Path, files: Mapping[str, object]) -> frozenset[str]:
    """Which of these files of a stage a project has as its own already, so that they stay."""
    return frozenset(path for path in paths(steps) if path in files and (project / path).is_file())


def make(step: Step, project: Path) -> None:
    """Make those of a step that the project has as an example. Raises WorkshopError when the
    command, which is the step's own, fails."""
    for path, words in step.own.items():
        file = project / path
        if not file.is_file():
            continue
        file.unlink()
        command = [sys.executable, "-m", "workshop", *words.split()]
        done = subprocess.run(
            [*command, "--project", str(project), "--output", str(file)],
            capture_output=True, encoding="utf-8", errors="replace", check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise WorkshopError(
                f"`workshop {words}` made no {path}:\n{done.stderr.strip()}",
                "Mend its table [own].",
                path=step.folder / "step.toml",
            )


def spoiled(changed: bytes, example: bytes, made: bytes) -> bytes:
    """What a change of the example is in the file that was made in its place: where both have a
    word each, the change keeps the latter. Raises ValueError when they are not alike, line by line
    and word by word, comments aside."""
    ours, theirs = (
        [line.split() for line in each.splitlines() if line and not line.startswith(b"#")]
        for each in (example, made)
    )
    for old, new in zip(ours, theirs, strict=True):
        for word, other in zip(old, new, strict=True):
            if word != other:
                changed = changed.replace(word, other)
    return changed
