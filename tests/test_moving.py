"""goto and reset: what becomes of a project, and when they leave it alone. Each special case."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import projects
import pytest
from conftest import commit

from workshop import course as courses
from workshop import kept, learner, moving
from workshop.errors import WorkshopError
from workshop.model import Course
from workshop.moving import carry


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return projects.course(tmp_path / "course")


def git(project: Path, *words: str, check: bool = True) -> str:
    done = subprocess.run(
        ["git", *words], cwd=project, check=check, capture_output=True, text=True,
        env=os.environ | {"GIT_EDITOR": "true"},
    )  # fmt: skip
    return done.stdout


def goto(course: Course, project: Path, number: int) -> moving.Moved:
    return moving.goto(course, project, course.steps[number - 1], report=lambda _: None)


def reset(course: Course, project: Path) -> moving.Moved:
    return moving.reset(course, project, report=lambda _: None)


def back(project: Path, moved: moving.Moved) -> None:
    moving.restore(project, moved.backup.name, report=lambda _: None)


def refusal(call: Callable[[], object], project: Path) -> str:
    """The whole message of a move that was refused. Nothing has changed, and nothing was saved."""
    before = projects.observe(project)
    with pytest.raises(WorkshopError) as error:
        call()
    assert projects.observe(project) == before
    return str(error.value)


def test_goto_is_one_commit_on_my_branch_and_my_history_stays(
    course: Course, project: Path
) -> None:
    mine = commit(project, {"app/main.py": "mine\n", "notes.md": "n\n"})
    git(project, "switch", "--quiet", "-c", "topic")
    moved = goto(course, project, 2)
    assert git(project, "log", "--format=%an <%ae> %s", "topic").splitlines() == [
        "A Learner <learner@example.org> Go to stage 02-step-2",
        "A Learner <learner@example.org> Change",
    ]
    assert git(project, "log", "-1", "--format=%B").strip() == (
        "Go to stage 02-step-2\n\n"
        "Made by `workshop goto 02-step-2`. What was there before is in a backup."
    )
    assert git(project, "rev-parse", "topic", "topic^", "main").split() == [
        moved.commit, mine, mine,
    ]  # fmt: skip
    assert git(project, "ls-tree", "-r", "--name-only", "HEAD").split() == [
        ".gitignore", "README.rst", "app/deep/x.py", "app/main.py", "notes.md",
    ]  # fmt: skip
    assert git(project, "status", "--porcelain") == ""
    assert learner.done(project) == ("step-1", "step-2")
    assert learner.current(course, project) is course.steps[2]


def test_goto_goes_back_too_and_progress_goes_with_it(course: Course, project: Path) -> None:
    goto(course, project, 3)
    assert (project / "app" / "deep").read_text() == "a file now\n"
    goto(course, project, 2)
    assert (project / "app" / "deep" / "x.py").read_text() == "x = 2\n"
    goto(course, project, 1)
    assert sorted(path.name for path in project.iterdir()) == [
        ".git",
        "README.rst",
        "app",
        "run.sh",
    ]
    assert os.access(project / "run.sh", os.X_OK)
    assert learner.done(project) == ("step-1",)
    assert git(project, "rev-list", "--count", "HEAD") == "3\n"


def test_reset_begins_the_step_again(course: Course, project: Path) -> None:
    goto(course, project, 1)
    (project / "app" / "main.py").write_text("a mess\n")
    commit(project, {"app/deep/x.py": "more of it\n"})
    moved = reset(course, project)
    assert git(project, "show", "--stat", "--format=%s", "HEAD").startswith("Begin step 02-step-2")
    assert (project / "app" / "main.py").read_text() == "print(1)\n"
    assert not (project / "app" / "deep").exists()
    assert learner.done(project) == ("step-1",)
    assert moved.branch == "refs/heads/main"


def test_reset_of_the_first_step_is_the_empty_project(course: Course, project: Path) -> None:
    moved = reset(course, project)  # nothing was there, and commit #1 stays the learner's
    assert moved.commit is None
    assert git(project, "rev-list", "--count", "--all", "--", ".").strip() == "0"
    assert git(project, "rev-parse", "-q", "--verify", "HEAD", check=False) == ""
    commit(project, {"app/main.py": "mine\n", "run.sh": "x\n"})
    reset(course, project)
    assert [path.name for path in project.iterdir()] == [".git"]
    assert git(project, "ls-tree", "-r", "HEAD") == ""


def test_no_commit_is_made_for_nothing(course: Course, project: Path) -> None:
    goto(course, project, 2)
    (project / "app" / "main.py").write_text("not committed\n")
    moved = goto(course, project, 2)
    assert moved.commit is None
    assert (project / "app" / "main.py").read_text() == "print(2)\n"
    assert git(project, "rev-list", "--count", "HEAD") == "1\n"


def test_reset_at_the_end_of_the_course(course: Course, project: Path) -> None:
    goto(course, project, 3)
    assert refusal(lambda: reset(course, project), project) == (
        f"{project}: you have done every step: there is none to begin again\n"
        "Go to the stage of one: workshop goto STEP"
    )


def test_what_the_course_does_not_know_stays_as_it_is(course: Course, project: Path) -> None:
    commit(project, {"notes.md": "committed\n", "plan.md": "p\n"})
    (project / "notes.md").write_text("staged\n")
    (project / "new.md").write_text("new, staged\n")
    git(project, "add", "notes.md", "new.md")
    (project / "notes.md").write_text("not staged\n")
    (project / "app").mkdir()
    (project / "app" / "own.py").write_text("untracked\n")
    (project / "later.md").write_text("intent\n")
    git(project, "add", "--intent-to-add", "later.md")
    git(project, "update-index", "--skip-worktree", "plan.md")
    goto(course, project, 1)
    assert git(project, "status", "--porcelain").splitlines() == [
        " A later.md", "A  new.md", "MM notes.md", "?? app/own.py",
    ]  # fmt: skip
    assert git(project, "show", "HEAD:notes.md") == "committed\n"
    assert git(project, "show", ":notes.md") == "staged\n"
    assert (project / "notes.md").read_text() == "not staged\n"
    assert git(project, "ls-files", "-t", "plan.md") == "S plan.md\n"


def test_my_folder_with_the_name_of_a_stages_file_stays_in_the_commit(
    course: Course, project: Path
) -> None:
    commit(project, {"app/deep/own.py": "own\n"})  # app/deep is a file in stage 3
    goto(course, project, 2)
    assert git(project, "show", "HEAD:app/deep/own.py") == "own\n"
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("verb", "words", "what", "finish", "abort"),
    [
        ("merge", ("merge", "other"), "a merge", "git merge --continue", "git merge --abort"),
        ("rebase", ("rebase", "other"), "a rebase", "git rebase --continue", "git rebase --abort"),
        ("apply", ("rebase", "--apply", "other"), "a rebase", "git rebase --continue",
         "git rebase --abort"),
        ("pick", ("cherry-pick", "other"), "a cherry-pick", "git cherry-pick --continue",
         "git cherry-pick --abort"),
        ("revert", ("revert", "HEAD~1"), "a revert", "git revert --continue",
         "git revert --abort"),
        ("bisect", ("bisect", "start"), "a bisect", "git bisect run COMMAND", "git bisect reset"),
        ("am", ("am", "../patch"), "git am", "git am --continue", "git am --abort"),
    ],
)  # fmt: skip
def test_in_the_middle_of_something_it_refuses(
    verb: str, words: tuple[str, ...], what: str, finish: str, abort: str,
    course: Course, project: Path,
) -> None:  # fmt: skip
    commit(project, {"f": "1\n"})
    git(project, "switch", "--quiet", "-c", "other")
    commit(project, {"f": "theirs\n"})
    (project.parent / "patch").write_text(git(project, "format-patch", "-1", "--stdout"))
    git(project, "switch", "--quiet", "main")
    commit(project, {"f": "mine\n"})
    commit(project, {"f": "mine too\n"})
    git(project, *words, check=False)
    message = f"{project}: {what} is not finished here\nFinish it: {finish}\nOr give it up: {abort}"
    assert refusal(lambda: goto(course, project, 1), project) == message
    assert refusal(lambda: reset(course, project), project) == message
    git(project, *abort.split()[1:])  # what it says does help
    goto(course, project, 1)


def test_conflicts_without_a_merge_are_refused(course: Course, project: Path) -> None:
    commit(project, {"f": "1\n"})
    (project / "f").write_text("stashed\n")
    git(project, "stash", "--quiet")
    commit(project, {"f": "2\n"})
    git(project, "stash", "pop", check=False)
    assert refusal(lambda: goto(course, project, 1), project) == (
        f"{project}: there are conflicts that are not solved yet\n"
        "Solve them, and `git add` each file that `git status` calls unmerged."
    )


def test_a_locked_index_is_refused(course: Course, project: Path) -> None:
    lock = project / ".git" / "index.lock"
    lock.touch()
    assert refusal(lambda: goto(course, project, 1), project) == (
        f"{lock}: another git command is at work in this project, or one was killed\n"
        "Wait until it has ended. If none runs any more, delete this file."
    )
    assert lock.exists()


def test_git_that_begins_in_the_very_moment_wins(course: Course, project: Path) -> None:
    lock = project / ".git" / "index.lock"
    before = projects.observe(project)
    with pytest.raises(WorkshopError) as error:
        moving.goto(course, project, course.steps[0], report=lambda _: lock.touch())
    assert str(error.value) == (
        f"{lock}: another git command has just begun in this project\n"
        "Wait until it has ended, then try again."
    )
    assert projects.observe(project) == before
    assert kept.interruptions(project) == ()


@pytest.mark.parametrize("verb", ["goto", "reset", "restore"])
@pytest.mark.parametrize("kind", ["plain", "split"])
def test_what_is_staged_while_a_move_runs_is_not_thrown_away(
    kind: str, verb: str, course: Course, project: Path
) -> None:
    commit(project, {"notes.md": "committed\n"})
    name = goto(course, project, 2).backup.name
    if kind == "split":
        git(project, "update-index", "--split-index")

    def stage(_: moving.Backup) -> None:
        (project / "notes.md").write_text("staged\n")
        git(project, "add", "notes.md")
        (project / "notes.md").write_text("not staged\n")

    calls: dict[str, Callable[[], object]] = {
        "goto": lambda: moving.goto(course, project, course.steps[0], report=stage),
        "reset": lambda: moving.reset(course, project, report=stage),
        "restore": lambda: moving.restore(project, name, report=stage),
    }
    with pytest.raises(WorkshopError) as error:
        calls[verb]()
    assert str(error.value) == (
        f"{project / '.git' / 'index'}: git changed this at this very moment: "
        "it is not in the backup\n"
        "Wait until the other git command has ended, then try again."
    )
    assert git(project, "show", ":notes.md") == "staged\n"
    assert (project / "app" / "main.py").read_text() == "print(2)\n"
    assert not (project / ".git" / "index.lock").exists()
    assert kept.interruptions(project) == ()


@pytest.mark.parametrize(
    "words", [("switch", "--quiet", "topic"), ("commit", "--quiet", "--allow-empty", "-m", "Mine")]
)
def test_a_switch_or_a_commit_while_a_move_runs_is_not_undone(
    words: tuple[str, ...], course: Course, project: Path
) -> None:
    goto(course, project, 1)
    git(project, "branch", "topic")

    def meanwhile(_: moving.Backup) -> None:
        index = project / ".git" / "index"
        before = index.read_bytes()
        git(project, *words)
        index.write_bytes(before)  # only HEAD tells of it

    with pytest.raises(WorkshopError) as error:
        moving.goto(course, project, course.steps[0], report=meanwhile)
    assert str(error.value).startswith(f"{project / '.git' / 'HEAD'}: git changed this at this ")
    assert kept.interruptions(project) == ()


def test_a_branch_that_git_keeps_locked_is_refused(course: Course, project: Path) -> None:
    commit(project, {"f": "1\n"})
    (project / ".git" / "refs" / "heads" / "main.lock").touch()
    with pytest.raises(WorkshopError) as error:
        goto(course, project, 1)
    assert str(error.value).startswith(f"{project}: git did not move your branch: fatal: ")
    assert str(error.value).endswith(
        "Nothing has changed. See what git says of your project: git status"
    )
    assert not (project / "run.sh").exists()
    assert git(project, "status", "--porcelain") == ""


def test_two_moves_at_once(course: Course, project: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from workshop.moving.repository import alone\n"
        "with alone(Path(sys.argv[1])): print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, project], stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        other.stdout.readline()
        assert refusal(lambda: goto(course, project, 1), project) == (
            f"{project}: another workshop command moves this project just now\n"
            "Wait until it has ended, then try again."
        )
    finally:
        other.kill()
        other.communicate()
    goto(course, project, 1)


def test_a_sparse_checkout_is_refused(course: Course, project: Path) -> None:
    commit(project, {"a/x": "1\n", "b/x": "1\n"})
    git(project, "sparse-checkout", "set", "a")
    assert refusal(lambda: goto(course, project, 1), project) == (
        f"{project}: this is a sparse checkout: git hides a part of the files\n"
        "Show them all, then try again: git sparse-checkout disable"
    )
    git(project, "sparse-checkout", "disable")
    goto(course, project, 1)


def test_names_that_differ_in_case_alone(course: Course, project: Path) -> None:
    commit(project, {"readme.RST": "mine\n", "App/main.py": "mine\n"})
    git(project, "config", "core.ignoreCase", "true")
    message = refusal(lambda: goto(course, project, 1), project)
    assert message == (
        f"{project / 'App'}: this differs from app in case alone, "
        "and your disk takes both for one\n"
        "Give it another name than app, then try again."
    )
    git(project, "config", "core.ignoreCase", "false")  # here, they are two
    before = projects.observe(project)
    moved = goto(course, project, 1)
    assert (project / "readme.RST").read_text() == "mine\n"
    assert (project / "README.rst").read_text() == "One\n"
    back(project, moved)
    assert projects.observe(project) == before


def test_a_name_that_differs_in_case_alone_from_one_that_goes(
    course: Course, project: Path
) -> None:
    commit(project, {"Docs/app": "mine\n", "readme.rst": "mine\n"})
    git(project, "config", "core.ignoreCase", "true")
    message = refusal(lambda: reset(course, project), project)
    assert message.startswith(f"{project / 'readme.rst'}: this differs from README.rst in case ")


def test_a_detached_head(course: Course, project: Path) -> None:
    mine = commit(project, {"f": "1\n"})
    git(project, "switch", "--quiet", "--detach")
    before = projects.observe(project)
    moved = goto(course, project, 1)
    assert moved.branch is None
    assert git(project, "rev-parse", "HEAD", "HEAD^", "main").split() == [
        moved.commit,
        mine,
        mine,
    ]
    assert git(project, "symbolic-ref", "-q", "HEAD", check=False) == ""
    back(project, moved)
    assert projects.observe(project) == before


def test_a_branch_with_a_name_of_any_bytes(course: Course, project: Path) -> None:
    commit(project, {"f": "1\n"})
    subprocess.run([b"git", b"switch", b"-q", b"-c", b"caf\xe9/x"], cwd=project, check=True)
    head = (project / ".git" / "HEAD").read_bytes()
    moved = goto(course, project, 1)
    assert git(project, "rev-list", "--count", "HEAD", "^main") == "1\n"
    git(project, "switch", "--quiet", "main")
    back(project, moved)
    assert (project / ".git" / "HEAD").read_bytes() == head
    assert git(project, "rev-list", "--count", "HEAD", "^main") == "0\n"


@pytest.mark.parametrize("name", [b"caf\xe9", b"line\n"])
def test_a_project_whose_folder_has_a_name_of_any_bytes(name: bytes, tmp_path: Path) -> None:
    project = tmp_path / os.fsdecode(name)
    git(tmp_path, "init", "--quiet", str(project))
    (project / "sub").mkdir()
    done = workshop("goto", "1", "--course", GOOD, cwd=project / "sub")
    assert (done.returncode, done.stderr) == (0, "")
    assert (project / "app.py").is_file()


def test_a_disk_without_second_names_for_files(
    course: Course, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(self))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    commit(project, {"run.sh": "mine\n"})
    before = projects.observe(project)
    back(project, goto(course, project, 2))
    assert projects.observe(project) == before


def test_gits_folder_on_another_disk(
    course: Course, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "file.part":
            raise OSError(errno.EXDEV, "Invalid cross-device link", str(self))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    commit(project, {"run.sh": "mine\n", "app/main.py": "mine\n"})
    before = projects.observe(project)
    back(project, goto(course, project, 2))
    assert projects.observe(project) == before
    assert not (project / ".git" / "workshop" / "file.part").exists()


def test_a_full_disk_is_told_before_anything_moves(
    course: Course, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(WorkshopError) as error:
        goto(course, project, 1)
    monkeypatch.undo()
    assert str(error.value) == (
        f"{project / '.git' / 'workshop' / 'moving.part'}: this can't be read or written: "
        "No space left on device\n"
        "Mend that, then try again. What is saved already: workshop backups"
    )
    assert not (project / "run.sh").exists()


def test_an_unborn_branch(course: Course, project: Path) -> None:
    (project / "app").mkdir()
    (project / "app" / "main.py").write_text("staged\n")
    git(project, "add", ".")
    before = projects.observe(project)
    moved = goto(course, project, 1)
    assert git(project, "rev-list", "HEAD").split() == [moved.commit]
    back(project, moved)
    assert projects.observe(project) == before
    assert git(project, "status", "--porcelain") == "A  app/main.py\n"


def test_a_linked_working_tree(course: Course, project: Path) -> None:
    commit(project, {"f": "1\n"})
    linked = project.parent / "linked"
    git(project, "worktree", "add", "--quiet", "-b", "topic", str(linked))
    (linked / "run.sh").write_text("untracked\n")
    moved = goto(course, linked, 2)
    assert git(project, "status", "--porcelain") == ""
    assert git(project, "rev-parse", "topic").strip() == moved.commit
    assert learner.done(linked) == ("step-1", "step-2")
    assert learner.done(project) == ()
    back(linked, moved)
    assert (linked / "run.sh").read_text() == "untracked\n"
    assert git(linked, "status", "--porcelain") == "?? run.sh\n"
    message = refusal(lambda: back(project, moved), project)
    assert message == (
        f"{linked}: topic is checked out in another working tree of this repository\n"
        "There, switch to another branch: git switch --detach topic"
    )


def test_submodules_and_repositories_inside_are_left_alone(course: Course, project: Path) -> None:
    inner = project / "inner"
    inner.mkdir()
    git(inner, "init", "--quiet")
    git(
        inner,
        "-c",
        "user.name=I",
        "-c",
        "user.email=i@x",
        "commit",
        "--allow-empty",
        "-qm",
        "I",
    )
    (inner / "work").write_text("inner work\n")
    git(project, "-c", "advice.addEmbeddedRepo=false", "add", "inner")
    git(project, "commit", "--quiet", "-m", "With a repository inside")
    before, entry = (
        projects.observe(project),
        git(project, "ls-files", "--stage", "inner"),
    )
    moved = goto(course, project, 2)
    assert (inner / "work").read_text() == "inner work\n"
    assert git(project, "ls-files", "--stage", "inner") == entry
    assert git(project, "ls-tree", "HEAD", "inner").split()[0] == "160000"
    back(project, moved)
    assert projects.observe(project) == before
    inner.rename(project / "app")
    assert refusal(lambda: goto(course, project, 1), project) == (
        f"{project / 'app'}: this folder is a git repository of its own, and a file in it would "
        "have to change\nMove it out of the project, then try again."
    )


def test_a_folder_behind_a_link_is_never_written(course: Course, project: Path) -> None:
    outside = project.parent / "outside"
    outside.mkdir()
    (outside / "main.py").write_text("not yours\n")
    (project / "app").symlink_to(outside)
    before = projects.observe(project)
    moved = goto(course, project, 1)
    assert (project / "app").is_dir()
    assert not (project / "app").is_symlink()
    assert (outside / "main.py").read_text() == "not yours\n"
    back(project, moved)
    assert projects.observe(project) == before
    assert [path.name for path in outside.iterdir()] == ["main.py"]


def test_a_pipe_in_the_way_is_refused(course: Course, project: Path) -> None:
    os.mkfifo(project / "run.sh")
    with pytest.raises(WorkshopError) as error:
        goto(course, project, 1)
    assert str(error.value) == (
        f"{project / 'run.sh'}: this is neither a file nor a folder nor a link, and it is in the "
        "way\nRemove it, then try again."
    )
    assert [path.name for path in project.iterdir() if path.name != ".git"] == ["run.sh"]


def unprivileged(call: Callable[[], object], project: Path) -> str:
    """What the call says when it is made by somebody who is not root."""
    if os.geteuid() != 0:
        with pytest.raises(WorkshopError) as error:
            call()
        return str(error.value)
    for path in (project, *project.rglob("*")):
        os.lchown(path, 65534, 65534)
    for folder in project.resolve().parents:
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgid(65534)
            os.setuid(65534)
            call()
            os.write(sender, b"no error")
        except BaseException as error:
            os.write(sender, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(sender)
    with os.fdopen(receiver) as stream:
        return stream.read()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permission bits as POSIX has them")
def test_a_read_only_folder_is_refused(course: Course, project: Path) -> None:
    commit(project, {"app/main.py": "mine\n"})
    (project / "app").chmod(0o555)
    try:
        message = unprivileged(lambda: goto(course, project, 1), project)
    finally:
        (project / "app").chmod(0o755)
    assert message == (
        f"{project / 'app'}: this folder is read-only, and a file in it must change\n"
        "Make it writable: chmod u+wx app"
    )
    assert (project / "app" / "main.py").read_text() == "mine\n"
    assert not (project / ".git" / "refs" / "workshop").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permission bits as POSIX has them")
def test_a_file_that_cannot_be_read_is_refused(course: Course, project: Path) -> None:
    commit(project, {"notes.md": "mine\n"})
    (project / "notes.md").chmod(0)
    message = unprivileged(lambda: goto(course, project, 1), project)
    assert message == (
        f"{project / 'notes.md'}: this file can't be read, so it can't be saved: "
        "Permission denied\n"
        "Make it readable, or move it out of the project."
    )
    assert not (project / ".git" / "refs" / "workshop").exists()
    assert not (project / "run.sh").exists()


def test_a_read_only_file_is_replaced_and_comes_back_read_only(
    course: Course, project: Path
) -> None:
    (project / "run.sh").write_text("mine\n")
    (project / "run.sh").chmod(0o440)
    moved = goto(course, project, 1)
    assert (project / "run.sh").read_text() == "#!/bin/sh\n"
    back(project, moved)
    assert (project / "run.sh").read_text() == "mine\n"
    assert (project / "run.sh").stat().st_mode & 0o777 == 0o440


def test_a_file_that_is_written_at_this_very_moment_stops_the_move(
    course: Course, project: Path
) -> None:
    commit(project, {"run.sh": "saved\n"})
    file = project / "run.sh"

    def write(_: object) -> None:
        file.write_text("too late")

    with pytest.raises(WorkshopError) as error:
        moving.goto(course, project, course.steps[0], report=write)
    assert str(error.value) == (
        f"{file}: this file was written at this very moment: it is not in the backup\n"
        "Close the program that writes it, then try again."
    )
    assert file.read_text() == "too late"
    assert git(project, "rev-list", "--count", "HEAD") == "1\n"
    assert kept.interruptions(project) == ()


def test_a_move_that_stops_halfway_says_how_to_get_everything_back(
    course: Course, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(project, {"run.sh": "mine\n", "app/main.py": "mine\n"})
    before = projects.observe(project)
    write, broken = carry._write, "run.sh"

    def full(target: Path, *rest: object) -> None:
        if target.name == broken:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        write(target, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(carry, "_write", full)
    with pytest.raises(WorkshopError) as error:
        goto(course, project, 1)
    (backup,) = moving.backups(project)
    assert str(error.value) == (
        f"{project / 'run.sh'}: the move stopped halfway: No space left on device\n"
        f"Everything you had is saved. Bring it back: workshop backups restore {backup.name}"
    )
    assert kept.interruptions(project)[0] == backup.name
    assert projects.observe(project) != before
    broken = "main.py"
    with pytest.raises(WorkshopError) as error:  # the way back stops, too
        moving.restore(project, backup.name, report=lambda _: None)
    monkeypatch.undo()
    assert str(error.value).endswith(f"workshop backups restore {backup.name}")
    assert kept.interruptions(project)[0] == backup.name
    moving.restore(project, backup.name, report=lambda _: None)
    assert projects.observe(project) == before
    assert kept.interruptions(project) == ()


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Does a move that stops halfway."""

    def full(target: Path, *_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    def move(call: Callable[[], object]) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(carry, "_write", full)
            with pytest.raises(WorkshopError, match="the move stopped halfway"):
                call()

    return move


def test_a_refused_move_forgets_no_interrupted_one(
    course: Course, project: Path, broken: Callable[[Callable[[], object]], None]
) -> None:
    commit(project, {"run.sh": "mine\n"})
    broken(lambda: goto(course, project, 2))
    (first,) = moving.backups(project)
    lock = project / ".git" / "index.lock"
    with pytest.raises(WorkshopError, match="has just begun"):
        moving.restore(project, first.name, report=lambda _: lock.touch())
    lock.unlink()
    assert kept.interruptions(project) == (first.name,)


def test_all_interrupted_moves_are_remembered(
    course: Course, project: Path, broken: Callable[[Callable[[], object]], None]
) -> None:
    commit(project, {"run.sh": "mine\n", "app/main.py": "mine\n"})
    before = projects.observe(project)
    broken(lambda: goto(course, project, 2))
    broken(lambda: goto(course, project, 3))
    first, second = (backup.name for backup in moving.backups(project))
    assert kept.interruptions(project) == (first, second)  # the second does not have run.sh
    broken(lambda: moving.restore(project, first, report=lambda _: None))
    assert kept.interruptions(project) == (first, second)
    assert kept.interruptions(project)[0] == first
    moving.restore(project, first, report=lambda _: None)
    assert projects.observe(project) == before
    assert kept.interruptions(project) == ()


def test_an_index_that_can_not_be_locked(
    course: Course, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "hardlink_to", full)
    monkeypatch.setattr("shutil.copystat", full)
    lock, before = project / ".git" / "index.lock", projects.observe(project)
    with pytest.raises(WorkshopError) as error:
        goto(course, project, 1)
    assert str(error.value) == (
        f"{lock}: git's index can't be locked: No space left on device\n"
        "Nothing has changed. Mend that, then try again."
    )
    assert not lock.exists()
    assert projects.observe(project) == before
    assert kept.interruptions(project) == ()


def test_git_that_does_not_know_my_name_still_commits(course: Course, tmp_path: Path) -> None:
    project = learner.start(course, tmp_path / "mine").project
    goto(course, project, 1)
    author = git(project, "log", "-1", "--format=%an <%ae>")
    assert author == "A learner <learner@example.org>\n"


def test_what_git_itself_refuses_is_no_bug(course: Course, project: Path) -> None:
    git(project, "config", "core.repositoryFormatVersion", "99")
    with pytest.raises(WorkshopError) as error:
        goto(course, project, 1)
    said, remedy = str(error.value).splitlines()
    assert said.startswith(f"{project}: git refused: fatal: ")
    assert remedy == "See what git says of your project: git status"


def test_the_workshop_itself_is_left_alone(course: Course, project: Path) -> None:
    commit(project, {"steps/course.toml": ""})
    assert refusal(lambda: goto(course, project, 1), project) == (
        f"{project}: this is the workshop itself, not a project of yours\n"
        "Go to your project's folder, or make one with: workshop start DIR"
    )


@pytest.mark.parametrize("version", ["2", "3", "4", "split", "flags"])
def test_every_kind_of_index_comes_back(version: str, course: Course, project: Path) -> None:
    commit(
        project,
        {f"some/{name}": f"{name}\n" for name in "abcdefgh"} | {"run.sh": "mine\n"},
    )
    if version == "split":
        git(project, "config", "core.splitIndex", "true")
        git(project, "update-index", "--split-index")
    elif version == "flags":
        git(project, "update-index", "--assume-unchanged", "some/a", "run.sh")
        git(project, "update-index", "--skip-worktree", "some/b")
        (project / "later").write_text("")
        git(project, "add", "--intent-to-add", "later")
    else:
        git(project, "update-index", "--index-version", version)
    (project / "some" / "c").write_text("staged\n")
    git(project, "add", "some/c")
    listing = (
        git(project, "ls-files", "-v", "--stage"),
        git(project, "diff", "--cached"),
    )
    moved = goto(course, project, 2)
    back(project, moved)
    assert (
        git(project, "ls-files", "-v", "--stage"),
        git(project, "diff", "--cached"),
    ) == listing
    assert git(project, "fsck", "--strict") == ""


def test_a_repository_with_the_longer_hash(course: Course, tmp_path: Path) -> None:
    project = tmp_path / "long"
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "long")
    (project / "run.sh").write_text("mine\n")
    git(project, "add", ".")
    before = projects.observe(project)
    moved = goto(course, project, 2)
    assert moved.commit is not None
    assert len(moved.commit) == 64
    back(project, moved)
    assert projects.observe(project) == before


def test_any_stage_of_our_course_is_quick(tmp_path: Path) -> None:
    ours = courses.load(courses.default_root())
    project = learner.start(ours, tmp_path / "mine").project
    times = []
    for step in [*ours.steps, *reversed(ours.steps)]:
        began = time.perf_counter()
        moving.goto(ours, project, step, report=lambda _: None)
        times.append(time.perf_counter() - began)
    assert sorted(times)[int(0.95 * (len(times) - 1))] < 2, times


def workshop(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workshop", *map(str, words)],
        cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip


GOOD = Path(__file__).parent / "courses" / "good"


def test_goto_and_reset_say_what_they_did(project: Path) -> None:
    (project / "app.py").write_text("mine\n")
    done = workshop("goto", "1", "--course", GOOD, cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    name, short = (
        moving.backups(project)[0].name,
        git(project, "rev-parse", "HEAD")[:10],
    )
    assert done.stdout == (
        "Saved what you had: 1 file. Bring it back:\n"
        "\n"
        f"  python -m workshop backups restore {name}\n"
        "\n"
        "Your project is stage 01-hello now, with every step up to it done.\n"
        f"It is commit {short} on main.\n"
        "\n"
        "Now step 02, Say your name (4 minutes). Next:\n"
        "\n"
        "  python -m workshop check\n"
    )
    done = workshop("reset", "--course", GOOD, "--project", project, cwd=project.parent)
    assert done.returncode == 0
    assert re.sub(r"\d{8}-\d{6}-\d{3}", "NAME", done.stdout) == (
        "Saved what you had: 3 files. Bring it back:\n"
        "\n"
        f"  python -m workshop backups restore NAME --project {project}\n"
        "\n"
        "Your project is as this step begins.\n"
        "No commit was due: it was like this already.\n"
        "\n"
        "Now step 02, Say your name (4 minutes). Next:\n"
        "\n"
        f"  python -m workshop check --project {project}\n"
    )
    git(project, "switch", "--quiet", "--detach")
    done = workshop("goto", "name", "--course", GOOD, cwd=project)
    short = git(project, "rev-parse", "HEAD")[:10]
    assert done.stdout.endswith(
        "\nYour project is stage 02-name now, with every step up to it done.\n"
        f"It is commit {short}, on no branch. Keep it: git switch -c NAME\n"
        "\n"
        "That was the last step. Deploy often!\n"
    )


def test_a_step_that_is_not_there(project: Path) -> None:
    done = workshop("goto", "9", "--course", GOOD, cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {GOOD}: there is no step 9\n       The steps are 01 to 02. See them:"
        " python -m workshop status\n"
    )


def test_an_interrupted_move_is_told(course: Course, project: Path) -> None:
    journal = project / ".git" / "workshop" / "moving.json"
    journal.parent.mkdir()
    journal.write_text('{"verb": "goto 01-hello", "backup": "20260101-000000-000"}\n')
    note = (
        "A move was interrupted here. What you had before it:\n"
        "\n"
        "  python -m workshop backups restore 20260101-000000-000\n"
        "\n"
    )
    for words in (("status",), ("backups",), ("goto", "1")):
        done = workshop(*words, "--course", GOOD, cwd=project)
        assert done.stdout.startswith(note), words
    assert not journal.exists()  # the next move has ended well
    journal.write_text("{")
    assert kept.interruptions(project) == ()
