"""A made-up course of any length, to see what length costs."""

from __future__ import annotations

from pathlib import Path

_COURSE = """\
title = "Made up"

[production]
wsgi = "app:application"
requirements = ["requirements.txt"]
release = ["app.py"]
readiness = "/"
"""
_FILES = 20  # so many files does the last stage have
_CHANGED = 3  # so many of them change in a step


def write(folder: Path, steps: int) -> Path:
    """Write the course into `folder`, which must not exist, and return it."""
    (folder / "steps").mkdir(parents=True)
    (folder / "steps" / "course.toml").write_text(_COURSE, encoding="utf-8")
    for number in range(1, steps + 1):
        name = f"{number:04d}-step-{number}"
        (folder / "steps" / name).mkdir()
        (folder / "steps" / name / "step.toml").write_text(
            f'title = "Step {number}"\nlayer = "Application"\nminutes = 5\n'
            f'message = "Make step {number}"\n',
            encoding="utf-8",
        )
        for index in range(_CHANGED):
            which = (number * _CHANGED + index) % _FILES
            file = folder / "solutions" / name / "application" / f"part_{which}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            lines = (f"line_{line} = {number * line + index}\n" for line in range(40))
            file.write_text("".join(lines), encoding="utf-8")
    return folder
