"""How a learner's project begins, and what is remembered of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from workshop import course, learner
from workshop.errors import WorkshopError
from workshop.model import Course, Outcome, Verdict


@pytest.fixture
def good(course_folder: Path) -> Course:
    return course.load(course_folder)


def verdict(outcome: Outcome) -> Verdict:
    return Verdict("test_x", "X.", outcome)


def test_a_project_begins_as_an_empty_repository(good: Course, tmp_path: Path) -> None:
    started = learner.start(good, tmp_path / "new" / "mine")
    assert started.project == tmp_path / "new" / "mine"
    assert not started.again
    assert [path.name for path in started.project.iterdir()] == [".git"]
    log = subprocess.run(["git", "log"], cwd=started.project, capture_output=True, text=True)
    assert "does not have any commits yet" in log.stderr
    head = subprocess.check_output(["git", "symbolic-ref", "HEAD"], cwd=started.project, text=True)
    assert head == "refs/heads/main\n"


def test_started_twice_it_goes_on(good: Course, tmp_path: Path) -> None:
    project = learner.start(good, tmp_path / "mine").project
    (project / "app.py").write_text("mine")
    learner.record(good, project, good.steps[0], (verdict("green"),))
    assert learner.start(good, tmp_path / "mine").again
    assert (project / "app.py").read_text() == "mine"
    assert learner.current(good, project) is good.steps[1]


@pytest.mark.parametrize(
    ("email", "named"), [("me@example.org", True), (None, False)], ids=["named", "unnamed"]
)
def test_it_says_whether_git_knows_who_commits(
    email: str | None, named: bool, good: Course, tmp_path: Path, home: Path
) -> None:
    if email:
        (home / ".gitconfig").write_text(f"[user]\n\tname = Me\n\temail = {email}\n")
    assert learner.start(good, tmp_path / "mine").named is named


def test_a_folder_with_other_things_in_it_is_refused(good: Course, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(WorkshopError) as error:
        learner.start(good, tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: this folder is not empty, and not a project of this workshop\n"
        "Name a folder that does not exist yet, or an empty one."
    )
    with pytest.raises(WorkshopError) as error:
        learner.start(good, tmp_path / "letter.txt")
    assert str(error.value) == (
        f"{tmp_path / 'letter.txt'}: this is not a folder\nName a folder that does not exist yet."
    )


@pytest.mark.parametrize(
    ("outcomes", "done"),
    [
        (("green", "green"), True),
        (("green", "skipped"), True),
        (("green", "red"), False),
        (("green", "error"), False),
        (("skipped", "skipped"), False),
        ((), False),
    ],
)
def test_a_step_is_done_when_nothing_is_red(
    outcomes: tuple[Outcome, ...], done: bool, good: Course, tmp_path: Path
) -> None:
    project = learner.start(good, tmp_path / "mine").project
    verdicts = tuple(verdict(outcome) for outcome in outcomes)
    assert learner.record(good, project, good.steps[0], verdicts) is done
    assert learner.done(project) == (("hello",) if done else ())


def test_where_nothing_can_be_judged_a_step_is_done_when_its_files_are_there(
    good: Course, tmp_path: Path
) -> None:
    project = learner.start(good, tmp_path / "mine").project
    first, second = good.steps
    (project / "app.py").write_text("mine")
    assert not learner.record(good, project, first, (verdict("skipped"),))
    (project / "run.sh").write_text("mine")
    (project / "requirements.txt").write_text("mine")
    assert learner.record(good, project, first, (verdict("skipped"),))
    assert learner.record(good, project, second, (verdict("skipped"),))  # it adds no file


def test_a_step_that_turns_red_again_stays_done(good: Course, tmp_path: Path) -> None:
    project = learner.start(good, tmp_path / "mine").project
    learner.record(good, project, good.steps[0], (verdict("green"),))
    learner.record(good, project, good.steps[0], (verdict("red"),))
    learner.record(good, project, good.steps[1], (verdict("green"),))
    assert learner.done(project) == ("hello", "name")
    assert learner.current(good, project) is None


def commit(project: Path) -> None:
    for words in (["add", "."], ["commit", "--quiet", "--allow-empty", "--message", "Mine"]):
        name = ["-c", "user.name=Me", "-c", "user.email=me@example.org"]
        subprocess.run(["git", *name, *words], cwd=project, check=True)


@pytest.mark.parametrize("born", [False, True], ids=["unborn", "born"])
def test_a_green_step_stays_at_hand_until_it_is_committed(
    born: bool, good: Course, tmp_path: Path
) -> None:
    project = learner.start(good, tmp_path / "mine").project
    if born:
        commit(project)
    (project / "app.py").write_text("mine")
    learner.record(good, project, good.steps[0], (verdict("green"),))
    assert learner.uncommitted(good, project) is good.steps[0]
    assert learner.at_hand(good, project) is good.steps[0]
    assert learner.current(good, project) is good.steps[1]
    commit(project)
    assert learner.uncommitted(good, project) is None
    (project / "app.py").write_text("for the next step")
    assert learner.at_hand(good, project) is good.steps[1]


def test_a_green_step_is_left_when_its_changes_are_taken_back(good: Course, tmp_path: Path) -> None:
    project = learner.start(good, tmp_path / "mine").project
    commit(project)
    (project / "app.py").write_text("mine")
    learner.record(good, project, good.steps[0], (verdict("green"),))
    (project / "app.py").unlink()
    assert learner.at_hand(good, project) is good.steps[1]


def test_what_is_committed_before_it_is_green_is_left_at_once(good: Course, tmp_path: Path) -> None:
    project = learner.start(good, tmp_path / "mine").project
    (project / "app.py").write_text("mine")
    learner.record(good, project, good.steps[0], (verdict("green"),))
    commit(project)
    learner.record(good, project, good.steps[1], (verdict("green"),))
    (project / "app.py").write_text("more")
    assert learner.at_hand(good, project) is None
    assert "green" not in learner.known(project)


@pytest.mark.parametrize("green", [None, "hello", {}, {"step": "gone", "head": "unborn"}])
def test_a_note_without_a_green_step_is_as_good_as_before(
    green: object, good: Course, tmp_path: Path
) -> None:
    project = learner.start(good, tmp_path / "mine").project
    (project / "app.py").write_text("mine")
    noted = {"course": "A miniature", "done": ["hello"], "green": green}
    learner.write(project, {key: value for key, value in noted.items() if value is not None})
    assert learner.at_hand(good, project) is good.steps[1]


def test_to_settle_elsewhere_forgets_what_was_green(good: Course, tmp_path: Path) -> None:
    project = learner.start(good, tmp_path / "mine").project
    (project / "app.py").write_text("mine")
    learner.record(good, project, good.steps[0], (verdict("green"),))
    learner.settle(good, project, ())
    assert learner.at_hand(good, project) is good.steps[0]
    assert learner.uncommitted(good, project) is None


def test_damaged_progress_is_named(good: Course, tmp_path: Path) -> None:
    project = learner.start(good, tmp_path / "mine").project
    file = project / ".git" / "workshop" / "progress.json"
    assert json.loads(file.read_text())["done"] == []
    file.write_text("{")
    with pytest.raises(WorkshopError) as error:
        learner.current(good, project)
    assert str(error.value) == (
        f"{file}: this file is damaged: the workshop can't read your progress in it\n"
        "Delete it. `workshop check STEP` makes it new, and your work is not in it."
    )


def test_a_repository_that_the_workshop_did_not_make_is_at_the_first_step(
    good: Course, project: Path
) -> None:
    assert learner.current(good, project) is good.steps[0]
