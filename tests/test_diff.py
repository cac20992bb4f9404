"""My files against the stage: only what the step changes, as git shows it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from workshop import course as courses
from workshop import diff
from workshop.model import Course


@pytest.fixture
def good(course_folder: Path) -> Course:
    return courses.load(course_folder)


def stage(course: Course, number: int, project: Path) -> None:
    from workshop import history

    for name, file in history.stages(course)[number - 1].files.items():
        target = project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
        target.chmod(0o755 if file.mode == "100755" else 0o644)


def test_equal_files_have_no_difference(good: Course, project: Path) -> None:
    stage(good, 2, project)
    assert diff.diff(good, project, good.steps[1]) == ""


def test_minus_is_mine_and_plus_is_the_stage(good: Course, project: Path) -> None:
    stage(good, 2, project)
    path = diff.paths(good, good.steps[1])[0]
    right = (project / path).read_text()
    (project / path).write_text(right + "mine = True\n")
    found = diff.diff(good, project, good.steps[1])
    lines = found.splitlines()
    assert lines[0] == f"diff --git mine/{path} stage/{path}"
    assert [line for line in lines if line.startswith(("-", "+"))] == [
        f"--- mine/{path}", f"+++ stage/{path}", "-mine = True",
    ]  # fmt: skip


def test_it_can_be_applied(good: Course, project: Path) -> None:
    found = diff.diff(good, project, good.steps[0])
    subprocess.run(["git", "apply", "-"], cwd=project, input=found, text=True, check=True)
    assert diff.diff(good, project, good.steps[0]) == ""


def test_line_ends_and_other_files_make_no_difference(good: Course, project: Path) -> None:
    stage(good, 1, project)
    for path in diff.paths(good, good.steps[0]):
        file = project / path
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    (project / "notes.txt").write_text("my own")
    assert diff.diff(good, project, good.steps[0]) == ""


def test_a_file_that_the_step_removes(course_folder: Path, project: Path) -> None:
    toml = course_folder / "steps" / "02-name" / "step.toml"
    text = re.sub(r"(?m)^removes = .*\n", "", toml.read_text())
    toml.write_text('removes = ["app.py"]\n' + text)
    (course_folder / "solutions" / "02-name" / "app.py").unlink()
    (course_folder / "solutions" / "02-name" / "name.py").write_text("x = 1\n")
    course = courses.load(course_folder)
    stage(course, 1, project)
    assert diff.paths(course, course.steps[1]) == ("app.py", "name.py")
    found = diff.diff(course, project, course.steps[1])
    assert "deleted file mode 100644" in found
    assert "new file mode 100644" in found


def test_colour_only_when_asked_for(good: Course, project: Path) -> None:
    assert "\x1b" not in diff.diff(good, project, good.steps[0])
    assert "\x1b[32m" in diff.diff(good, project, good.steps[0], colour=True)


def test_nobody_elses_git_changes_it(
    good: Course, project: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    (home / ".gitconfig").write_text(
        "[diff]\n\texternal = false\n\tnoprefix = false\n\tmnemonicPrefix = true\n"
    )
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    assert diff.diff(good, project, good.steps[0]).startswith("diff --git")
