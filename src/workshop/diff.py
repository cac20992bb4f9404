"""The learner's files against a stage, as git shows it: only those that the step changes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from workshop import git, history, own
from workshop.model import Course, Step

_MINE, _STAGE = "mine", "stage"


def paths(course: Course, step: Step) -> tuple[str, ...]:
    """The files that the step writes, changes or removes."""
    stages = history.stages(course)
    index = next(number for number, stage in enumerate(stages) if stage.step == step)
    after = stages[index].files
    before = stages[index - 1].files if index else {}
    return tuple(path for path in sorted({*before, *after}) if before.get(path) != after.get(path))


def diff(course: Course, project: Path, step: Step, *, colour: bool = False) -> str:
    """What leads from my files to the stage: `-` is mine, `+` is the stage's. Empty when equal.

    What is each project's own is left out, as soon as I have it.

    It can be applied: `workshop diff | git apply`. How a file ends its lines makes no difference.
    """
    stage = next(each for each in history.stages(course) if each.step == step)
    with tempfile.TemporaryDirectory(prefix="workshop-") as name:
        scratch = Path(name)
        mine = own.kept(course.steps, project, stage.files)
        for path in (each for each in paths(course, step) if each not in mine):
            if path in stage.files:
                file = stage.files[path]
                _put(scratch / _STAGE / path, file.data, executable=file.mode == "100755")
            there = project / path
            if there.is_file():
                executable = bool(there.stat().st_mode & 0o100)
                _put(scratch / _MINE / path, history.lf(there.read_bytes()), executable=executable)
        for folder in (_MINE, _STAGE):
            (scratch / folder).mkdir(exist_ok=True)
        out = git.run(
            "diff", "--no-index", "--no-prefix", "--no-ext-diff", "--no-textconv",
            f"--color={'always' if colour else 'never'}", _MINE, _STAGE,
            cwd=scratch, good=(0, 1),
        )  # fmt: skip
    return out.decode(errors="replace")


def _put(file: Path, data: bytes, *, executable: bool) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    file.chmod(0o755 if executable else 0o644)
