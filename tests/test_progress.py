"""Progress by slug: to another machine, and to a newer course."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import pytest

from workshop import course as courses
from workshop import learner, progress
from workshop.errors import WorkshopError
from workshop.model import Course, Step, Verdict


@pytest.fixture
def good(course_folder: Path) -> Course:
    return courses.load(course_folder)


def do(course: Course, project: Path, step: Step) -> None:
    assert learner.record(course, project, step, (Verdict("test_x", "X.", "green"),))


def renumbered(folder: Path) -> Course:
    """The same course with a new step before the second, which becomes the third."""
    for kind in ("steps", "solutions"):
        (folder / kind / "02-name").rename(folder / kind / "03-name")
        shutil.copytree(folder / kind / "01-hello", folder / kind / "02-between")
    (folder / "solutions" / "02-between" / "app.py").write_text("x = 0\n")
    return courses.load(folder)


def test_export_and_import(good: Course, tmp_path: Path) -> None:
    one = learner.start(good, tmp_path / "one").project
    two = learner.start(good, tmp_path / "two").project
    do(good, one, good.steps[0])
    assert progress.export(one, tmp_path / "progress.json") == 1
    assert progress.join(good, two, tmp_path / "progress.json") == ("hello",)
    assert learner.current(good, two) is good.steps[1]
    assert progress.join(good, two, tmp_path / "progress.json") == ()


def test_import_undoes_nothing_and_survives_renumbering(
    course_folder: Path, tmp_path: Path
) -> None:
    old = courses.load(course_folder)
    one = learner.start(old, tmp_path / "one").project
    do(old, one, old.steps[1])
    progress.export(one, tmp_path / "progress.json")
    new = renumbered(course_folder)
    two = learner.start(new, tmp_path / "two").project
    do(new, two, new.steps[0])
    assert progress.join(new, two, tmp_path / "progress.json") == ("name",)
    assert learner.done(two) == ("hello", "name")


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("{", "this file holds no progress"),
        ("[]", "this file holds no progress"),
        ('{"done": 3}', "this file holds no progress"),
        pytest.param("[" * 200_000, "this file holds no progress", id="nested"),
        ('{"course": "Baking", "done": ["bread"]}', "this is progress in another course: Baking"),
    ],
)
def test_what_is_no_progress_is_refused(text: str, fact: str, good: Course, tmp_path: Path) -> None:
    project = learner.start(good, tmp_path / "mine").project
    file = tmp_path / "given.json"
    file.write_text(text)
    with pytest.raises(WorkshopError) as error:
        progress.join(good, project, file)
    assert error.value.fact == fact
    assert error.value.path == file
    assert learner.done(project) == ()


def test_export_writes_over_an_export_and_nothing_else(good: Course, tmp_path: Path) -> None:
    project = learner.start(good, tmp_path / "mine").project
    files = {"notes.md": "mine\n", "list.json": "[]\n", ".out.json.part": "mine too\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("notes.md", "list.json", "link"):
        with pytest.raises(WorkshopError) as error:
            progress.export(project, tmp_path / name)
        assert str(error.value) == f"{tmp_path / name}: this is a file of yours\nName another one."
    progress.export(project, tmp_path / "out.json")
    do(good, project, good.steps[0])
    assert progress.export(project, tmp_path / "out.json") == 1
    assert json.loads((tmp_path / "out.json").read_text())["done"] == ["hello"]
    assert {name: (tmp_path / name).read_text() for name in files} == files


def test_export_to_a_folder(good: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = learner.start(good, tmp_path / "mine").project
    monkeypatch.chdir(tmp_path)
    for folder in (Path(), Path("/"), project):
        with pytest.raises(WorkshopError, match="this is a folder"):
            progress.export(project, folder)


def test_an_export_that_fails_leaves_nothing(
    good: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, _: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    project = learner.start(good, tmp_path / "mine").project
    before = sorted(tmp_path.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(WorkshopError, match="can't be written: No space left"):
            progress.export(project, tmp_path / "progress.json")
    assert sorted(tmp_path.iterdir()) == before


def test_files_that_can_not_be_read_or_written(good: Course, tmp_path: Path) -> None:
    project = learner.start(good, tmp_path / "mine").project
    with pytest.raises(WorkshopError, match="can't be read: No such file"):
        progress.join(good, project, tmp_path / "nowhere.json")
    with pytest.raises(WorkshopError, match="can't be written: No such file"):
        progress.export(project, tmp_path / "nowhere" / "progress.json")


def test_a_new_project_has_no_news(good: Course, tmp_path: Path) -> None:
    project = learner.start(good, tmp_path / "mine").project
    assert not progress.news(good, project)


def test_an_older_file_is_read_and_knows_no_news(good: Course, tmp_path: Path) -> None:
    project = learner.start(good, tmp_path / "mine").project
    file = project / ".git" / "workshop" / "progress.json"
    file.write_text('{"course": "A miniature", "done": ["hello"]}')
    assert learner.current(good, project) is good.steps[1]
    assert not progress.news(good, project)
    progress.update(good, project)
    assert json.loads(file.read_text())["steps"].keys() == {"hello", "name"}
    assert learner.done(project) == ("hello",)


def test_a_newer_course_is_noticed_and_taken_over_with_the_position_kept(
    course_folder: Path, tmp_path: Path
) -> None:
    old = courses.load(course_folder)
    project = learner.start(old, tmp_path / "mine").project
    do(old, project, old.steps[0])
    new = renumbered(course_folder)
    check = new.steps[0].tests[0]
    check.write_text(check.read_text() + "# changed\n")
    news = progress.news(new, project)
    assert news == progress.News(new=(new.steps[1],), changed=(new.steps[0],))
    assert progress.update(new, project) == news
    assert not progress.news(new, project)
    assert learner.current(new, project) is new.steps[2]
    do(new, project, new.steps[2])
    assert learner.current(new, project) is new.steps[1]  # what came later comes last


def test_a_step_that_is_gone(course_folder: Path, tmp_path: Path) -> None:
    old = courses.load(course_folder)
    project = learner.start(old, tmp_path / "mine").project
    do(old, project, old.steps[1])
    for kind in ("steps", "solutions"):
        shutil.rmtree(course_folder / kind / "02-name")
    new = courses.load(course_folder)
    assert progress.news(new, project).gone == ("name",)
    progress.update(new, project)
    assert not progress.news(new, project)
    assert learner.done(project) == ("name",)  # it may come back


def test_a_step_done_since_the_change_is_no_news(course_folder: Path, tmp_path: Path) -> None:
    old = courses.load(course_folder)
    project = learner.start(old, tmp_path / "mine").project
    check = old.steps[0].tests[0]
    check.write_text(check.read_text() + "# changed\n")
    assert progress.news(old, project).changed == (old.steps[0],)
    do(old, project, old.steps[0])
    assert not progress.news(old, project)
