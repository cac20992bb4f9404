"""A fresh clone has what git would take, and what a killed process left is found."""

from __future__ import annotations

import os
from pathlib import Path

from workshop import git
from workshop.checks import clone

DEAD = 2**22 + 1  # no system counts its processes that far


def test_what_git_has_or_would_take(tmp_path: Path) -> None:
    project = tmp_path / "mine"
    project.mkdir()
    git.run("init", "--quiet", "--template=", cwd=project)
    for name, text in {".gitignore": ".env\n", ".env": "mine", "new.py": "", "old.py": ""}.items():
        (project / name).write_text(text)
    git.run("add", "old.py", cwd=project)
    name, folder = clone.make(project, tmp_path / "home", "workshop-image")
    assert name.startswith(f"workshop-image-{os.getpid()}-")
    assert sorted(each.name for each in folder.iterdir()) == [".gitignore", "new.py", "old.py"]
    assert list(clone.left([name], "workshop-image")) == []


def test_what_is_left_is_ours_and_dead() -> None:
    ours = f"workshop-image-{DEAD}-0a1b2c"
    names = [
        f"{ours}:latest", f"{ours}-database", f"workshop-image-{os.getpid()}-0a1b2c",
        f"workshop-{DEAD}-0a1b2c", f"my-{ours}", f"workshop-image-{DEAD}-0a1b2cd", "<none>:<none>",
    ]  # fmt: skip
    assert list(clone.left(names, "workshop-image")) == [ours]
    assert list(clone.left(names)) == [f"workshop-{DEAD}-0a1b2c"]


def test_clones_of_the_dead_are_removed(tmp_path: Path) -> None:
    (tmp_path / f"{DEAD}-0a1b2c" / "demo").mkdir(parents=True)
    (tmp_path / f"{os.getpid()}-0a1b2c").mkdir()
    clone.sweep(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == [f"{os.getpid()}-0a1b2c"]
