"""Backups: what is in one, how they are listed, and that everything comes back."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import projects
import pytest
from conftest import commit

from workshop import kept, learner, moving
from workshop.errors import WorkshopError
from workshop.model import Course
from workshop.moving import indexfile


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return projects.course(tmp_path / "course")


def git(project: Path, *words: str, check: bool = True) -> str:
    done = subprocess.run(["git", *words], cwd=project, check=check, capture_output=True)
    return done.stdout.decode(errors="surrogateescape")


def goto(course: Course, project: Path, number: int) -> str:
    step = course.steps[number - 1]
    return moving.goto(course, project, step, report=lambda _: None).backup.name


def restore(project: Path, name: str) -> str:
    """Restore, and return the backup that was made of what was there."""
    return moving.restore(project, name, report=lambda _: None).backup.name


def workshop(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workshop", *map(str, words)],
        cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip


GOOD = Path(__file__).parent / "courses" / "good"


def test_a_backup_is_a_commit_that_git_can_show(course: Course, project: Path) -> None:
    head = commit(project, {"notes.md": "committed\n", "gone.md": "g\n"})
    (project / "notes.md").write_text("staged\n")
    git(project, "add", "notes.md")
    (project / "notes.md").write_text("not staged\n")
    (project / "gone.md").unlink()
    (project / "new.md").write_text("untracked\n")
    ref = f"refs/workshop/backups/{goto(course, project, 2)}"
    assert git(project, "ls-tree", "-r", "--name-only", ref).split() == ["new.md", "notes.md"]
    assert git(project, "show", f"{ref}:notes.md") == "not staged\n"
    assert git(project, "rev-parse", f"{ref}^1").strip() == head
    assert git(project, "show", f"{ref}^2:notes.md") == "staged\n"
    message = git(project, "log", "-1", "--format=%B", ref)
    assert re.sub(r"\d\d+", "N", re.sub(r"[0-9a-f]{40}", "HASH", message)).splitlines() == [
        "Backup before: goto N-step-2", "", "When: N-N-N N:N:N", "Files: 2", "State: HASH",
        "Bring it back: workshop backups restore N-N-N", "",
    ]  # fmt: skip


def test_staged_and_not_staged_come_back_apart(course: Course, project: Path) -> None:
    commit(project, {"run.sh": "committed\n", "old": "o\n", "moved": "m\n"})
    (project / "run.sh").write_text("staged\n")
    git(project, "add", "run.sh")
    git(project, "mv", "moved", "app")
    git(project, "rm", "--quiet", "--cached", "old")
    (project / "run.sh").write_text("not staged\n")
    (project / "run.sh").chmod(0o750)
    before, status = projects.observe(project), git(project, "status", "--porcelain")
    restore(project, goto(course, project, 3))
    assert projects.observe(project) == before
    assert git(project, "status", "--porcelain") == status


def test_no_filter_and_no_line_end_setting_touches_a_byte(course: Course, project: Path) -> None:
    commit(project, {"f": "1\n"})
    git(project, "config", "core.autocrlf", "true")
    git(project, "config", "filter.lfs.clean", "false")
    git(project, "config", "filter.lfs.smudge", "false")
    git(project, "config", "filter.lfs.required", "true")
    files = {
        ".gitattributes": b"* text eol=crlf\n*.bin filter=lfs\n*.t working-tree-encoding=UTF-16\n",
        "app/main.py": b"mixed\r\nline\nends\r",
        "big.bin": b"\0\r\n" * 100,
        "run.sh": b"#!/bin/sh\r\n",
        "utf.t": "grüße\r\n".encode("utf-16"),
    }
    (project / "app").mkdir()
    for name, data in files.items():
        (project / name).write_bytes(data)
    restore(project, goto(course, project, 1))
    assert {name: (project / name).read_bytes() for name in files} == files


def test_a_link_comes_back_as_it_is_written(course: Course, project: Path) -> None:
    os.symlink("./notes//", project / "run.sh")  # noqa: PTH211  (a Path would tidy it up)
    restore(project, goto(course, project, 1))
    assert os.readlink(project / "run.sh") == "./notes//"  # noqa: PTH115


def test_names_that_differ_in_case_alone_are_two_files_in_a_backup(
    course: Course, project: Path
) -> None:
    git(project, "config", "core.ignoreCase", "true")  # as a careless tool or a copy leaves it
    for name in ("Notes.md", "notes.md", "README.rst"):
        (project / name).write_text(f"{name}\n")
    before = projects.observe(project)
    if len(before.files) < 3:
        pytest.skip("this disk takes both for one")
    name = goto(course, project, 1)
    kept = git(project, "ls-tree", "-r", "--name-only", f"refs/workshop/backups/{name}")
    assert kept.split() == ["Notes.md", "README.rst", "notes.md"]
    restore(project, name)
    assert projects.observe(project) == before


def test_names_that_some_disk_takes_for_gits_own(course: Course, project: Path) -> None:
    for name in ("a\\.git", "b\\.git\\config", "git~1", ".GITMODULES", "gi7d29~1"):
        (project / name).write_text("mine\n")
    (project / ".gitattributes").write_text("*.x " + "a" * 3000)  # fsck minds a line that long
    before = projects.observe(project)
    name = goto(course, project, 1)
    assert git(project, "fsck", "--strict") == ""
    for file in project.iterdir():
        if file.name != ".git" and file.is_file():
            file.write_text("spoiled\n")
    restore(project, name)
    assert projects.observe(project) == before


def test_ignored_files_in_the_way_are_saved_and_others_stay(course: Course, project: Path) -> None:
    commit(project, {".gitignore": "*\n!.gitignore\n"})
    (project / "run.sh").write_text("ignored, and in the way\n")
    (project / "secret").write_text("ignored\n")
    before = projects.observe(project)
    name = goto(course, project, 1)
    assert (project / "run.sh").read_text() == "#!/bin/sh\n"
    assert (project / "secret").read_text() == "ignored\n"
    kept = git(project, "ls-tree", "-r", "--name-only", f"refs/workshop/backups/{name}")
    assert kept.split() == [".gitignore", "run.sh"]
    restore(project, name)
    assert projects.observe(project) == before


def test_folders_come_back_with_their_modes(course: Course, project: Path) -> None:
    for folder in ("app/deep/empty", "run.sh/also/empty"):
        (project / folder).mkdir(parents=True)
    (project / "run.sh").chmod(0o700)
    (project / "README.rst").mkdir(0o755)
    (project / "README.rst" / "x").write_text("x\n")
    before = projects.observe(project)
    name = goto(course, project, 3)
    assert (project / "README.rst").read_text() == "Three\n"
    restore(project, name)
    assert projects.observe(project) == before


def test_a_restore_can_be_undone(course: Course, project: Path) -> None:
    commit(project, {"app/main.py": "mine\n"})
    git(project, "switch", "--quiet", "-c", "topic")
    first = projects.observe(project)
    name = goto(course, project, 2)
    git(project, "switch", "--quiet", "main")
    commit(project, {"more.md": "m\n"})
    (project / "app" / "main.py").write_text("again\n")
    second = projects.observe(project)
    undo = restore(project, name)
    seen = projects.observe(project)
    assert seen.head == first.head
    assert seen.branches["topic"] == first.branches["topic"]
    assert seen.branches["main"] == second.branches["main"]  # not that backup's business
    assert (project / "app" / "main.py").read_text() == "mine\n"
    restore(project, undo)
    assert projects.observe(project) == second


@pytest.mark.parametrize("lock", ["HEAD.lock", "refs/heads/topic.lock"])
def test_a_ref_that_git_keeps_locked_changes_nothing(
    lock: str, course: Course, project: Path
) -> None:
    commit(project, {"f": "1\n"})
    git(project, "switch", "--quiet", "-c", "topic")
    name = goto(course, project, 1)
    git(project, "switch", "--quiet", "main")
    before = projects.observe(project)
    (project / ".git" / lock).touch()
    with pytest.raises(WorkshopError) as error:
        restore(project, name)
    assert error.value.fact.startswith("git did not move your branch: ")
    assert error.value.remedy.startswith("Nothing has changed. ")
    (project / ".git" / lock).unlink()
    assert projects.observe(project) == before
    assert kept.interruptions(project) == ()


def test_a_head_that_can_not_be_put_back_is_a_move_that_stopped_halfway(
    course: Course, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(project, {"f": "1\n"})
    git(project, "switch", "--quiet", "-c", "topic")
    first = projects.observe(project)
    name = goto(course, project, 1)
    git(project, "switch", "--quiet", "main")
    lock, head = project / ".git" / "refs" / "heads" / "topic.lock", project / ".git" / "HEAD.lock"
    module = importlib.import_module("workshop.moving.backups")  # not the function of that name
    point = module._point

    def once(*args: object) -> None:
        point(*args)
        head.touch()

    lock.touch()
    with monkeypatch.context() as patch, pytest.raises(WorkshopError) as error:
        patch.setattr(module, "_point", once)
        restore(project, name)
    own = moving.backups(project)[-1].name
    assert str(error.value).startswith(f"{project}: the move stopped halfway: git refused: ")
    assert str(error.value).endswith(f"workshop backups restore {own}")
    assert kept.interruptions(project)[0] == own
    packed = project / ".git" / "packed-refs.lock"
    packed.touch()  # of a git that was killed, like the others
    restore(project, name)
    assert projects.observe(project) == first
    assert not packed.exists()


def test_commits_that_were_made_since_are_kept_by_the_new_backup(
    course: Course, project: Path
) -> None:
    first = commit(project, {"f": "1\n"})
    name = goto(course, project, 1)
    since = commit(project, {"f": "since\n"})
    git(project, "switch", "--quiet", "--detach", first)
    undo = restore(project, name)
    assert git(project, "rev-parse", "main").strip() == first
    reachable = git(project, "rev-list", f"refs/workshop/backups/{undo}")
    assert since in reachable.split()
    restore(project, undo)
    assert git(project, "rev-parse", "main").strip() == since
    assert git(project, "symbolic-ref", "-q", "HEAD", check=False) == ""


def test_files_that_were_made_since_stay(course: Course, project: Path) -> None:
    (project / "before.md").write_text("b\n")
    name = goto(course, project, 1)
    (project / "since.md").write_text("s\n")
    (project / "app" / "own.py").write_text("o\n")
    restore(project, name)
    left = sorted(str(path.relative_to(project)) for path in project.rglob("*.*")
                  if ".git" not in path.parts)  # fmt: skip
    assert left == ["app/own.py", "before.md", "since.md"]


def test_backups_outlive_gc_and_expired_reflogs(course: Course, project: Path) -> None:
    commit(project, {"f": "1\n"})
    (project / "run.sh").write_text("precious\n")
    git(project, "add", "run.sh")
    (project / "run.sh").write_text("more precious\n")
    before = projects.observe(project)
    name = goto(course, project, 1)
    git(project, "reflog", "expire", "--expire=now", "--all")
    git(project, "gc", "--quiet", "--aggressive", "--prune=now")
    restore(project, name)
    seen = projects.observe(project)
    assert (seen.files, seen.index, seen.head) == (before.files, before.index, before.head)


def test_what_the_index_names_beside_its_entries_outlives_gc(course: Course, project: Path) -> None:
    commit(project, {"notes.md": "1\n"})
    (project / "notes.md").write_text("stashed\n")
    git(project, "stash", "--quiet")
    commit(project, {"notes.md": "2\n"})
    git(project, "stash", "pop", check=False)  # a conflict: REUC remembers its sides
    (project / "notes.md").write_text("solved\n")
    git(project, "add", "notes.md")
    git(project, "stash", "drop", "--quiet")
    git(project, "commit", "--message", "", check=False)  # given up: TREE names a tree of nobody's
    assert "notes.md" in git(project, "ls-files", "--resolve-undo")
    before = projects.observe(project)
    name = goto(course, project, 1)
    (project / ".git" / "index").unlink()
    git(project, "reset", "--quiet")
    git(project, "reflog", "expire", "--expire=now", "--all")
    git(project, "gc", "--quiet", "--prune=now")
    restore(project, name)
    assert projects.observe(project).index == before.index
    assert git(project, "fsck", "--strict", "--no-dangling") == ""
    git(project, "gc", "--quiet")


def test_a_change_in_the_same_moment_as_the_index_is_still_seen(
    course: Course, project: Path
) -> None:
    commit(project, {"notes.md": "aaaa\n"})
    git(project, "config", "core.trustCTime", "false")
    notes, index, then = project / "notes.md", project / ".git" / "index", (10**9, 10**18)
    notes.write_text("bbbb\n")
    os.utime(notes, ns=then)
    git(project, "add", "notes.md")
    notes.write_text("cccc\n")  # of the same size, at the same time: git must look into it
    os.utime(notes, ns=then)
    os.utime(index, ns=then)
    name = goto(course, project, 1)
    assert git(project, "diff", "--name-only") == "notes.md\n"
    restore(project, name)
    assert index.stat().st_mtime_ns == then[1]
    assert git(project, "diff", "--name-only") == "notes.md\n"


def test_a_backup_of_an_empty_project(course: Course, project: Path) -> None:
    before = projects.observe(project)
    name = goto(course, project, 2)
    restore(project, name)
    assert projects.observe(project) == before
    assert moving.backups(project)[0].files == 0


def test_the_list_is_in_order_when_the_clock_on_the_wall_goes_back(
    course: Course, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, names = time.time(), []
    try:
        for second, zone in enumerate(("UTC-5", "UTC", "UTC+5")):
            with monkeypatch.context() as patch:
                patch.setenv("TZ", zone)
                time.tzset()
                patch.setattr(time, "time", lambda second=second: now + second)
                names.append(goto(course, project, 1))
    finally:
        time.tzset()
    assert [backup.name for backup in moving.backups(project)] == names
    assert names != sorted(names)


def test_what_git_replace_puts_in_a_files_place_is_not_brought_back(
    course: Course, project: Path
) -> None:
    (project / "run.sh").write_text("mine\n")
    (project / "other").write_text("other\n")
    name = goto(course, project, 1)
    blobs = (f"refs/workshop/backups/{name}:{path}" for path in ("run.sh", "other"))
    git(project, "replace", *blobs)
    restore(project, name)
    assert (project / "run.sh").read_text() == "mine\n"


def test_folders_of_any_depth(course: Course, project: Path) -> None:
    deep = project / "README.rst"
    deep.mkdir()
    for _ in range(sys.getrecursionlimit() + 100):
        deep = deep / "a"
        deep.mkdir()
    (deep / "mine").write_text("mine\n")
    try:
        name = goto(course, project, 1)
        assert (project / "README.rst").read_text() == "One\n"
        restore(project, name)
        assert (deep / "mine").read_text() == "mine\n"
    finally:  # pytest could not
        subprocess.run(["rm", "-rf", project / "README.rst"], check=True)


def test_damaged_progress_comes_back_as_it_was(course: Course, tmp_path: Path) -> None:
    project = learner.start(course, tmp_path / "mine").project
    progress = project / ".git" / "workshop" / "progress.json"
    progress.write_bytes(b'{"done": \xff')
    restore(project, goto(course, project, 1))
    assert progress.read_bytes() == b'{"done": \xff'


def test_a_lost_object_is_named_and_nothing_moves(course: Course, project: Path) -> None:
    (project / "run.sh").write_text("mine\n")
    name = goto(course, project, 1)
    blob = git(project, "rev-parse", f"refs/workshop/backups/{name}:run.sh").strip()
    git(project, "gc", "--quiet")
    git(project, "unpack-objects", "-q", check=False)
    for pack in (project / ".git" / "objects" / "pack").glob("*.pack"):
        data = pack.read_bytes()
        for old in (pack, pack.with_suffix(".idx"), pack.with_suffix(".rev")):
            old.unlink(missing_ok=True)
        subprocess.run(["git", "unpack-objects", "-q"], cwd=project, input=data, check=True)
    (project / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    before = projects.observe(project)
    with pytest.raises(WorkshopError) as error:
        restore(project, name)
    assert str(error.value) == (
        f"{project}: an object of the backup is lost: {blob} missing\n"
        "See what is wrong here: git fsck"
    )
    assert projects.observe(project) == before


def test_the_list_and_the_printed_command(project: Path) -> None:
    done = workshop("backups", cwd=project)
    assert (done.returncode, done.stdout) == (
        0, "No backups yet. `goto`, `reset` and `backups restore` make one first.\n"
    )  # fmt: skip
    (project / "app.py").write_text("mine\n")
    done = workshop("goto", "1", "--course", GOOD, cwd=project)
    workshop("reset", "--course", GOOD, cwd=project)
    first, second = moving.backups(project)
    done = workshop("backups", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"{first.name}  {first.when}     1 file  goto 01-hello\n"
        f"{second.name}  {second.when}    3 files  reset\n"
        "\n"
        "Bring one back: python -m workshop backups restore NAME\n"
    )
    done = workshop("backups", "--project", project, cwd=project.parent)
    command = done.stdout.splitlines()[-1].partition(": ")[2].replace("NAME", first.name)
    words = [sys.executable, *shlex.split(command)[1:]]
    done = subprocess.run(words, cwd=project.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    third = moving.backups(project)[-1].name
    assert done.stdout == (
        "Saved what you had: 3 files. Bring it back:\n"
        "\n"
        f"  python -m workshop backups restore {third} --project {project}\n"
        "\n"
        f"Restored: {first.name}. HEAD, index, files and progress are as they were.\n"
    )
    assert (project / "app.py").read_text() == "mine\n"
    assert git(project, "rev-parse", "-q", "--verify", "HEAD", check=False) == ""


def test_a_backup_that_is_not_there(course: Course, project: Path) -> None:
    done = workshop("backups", "restore", cwd=project)
    assert (done.returncode, done.stderr) == (
        2, "error: which backup?\n       Name one from the list: python -m workshop backups\n"
    )  # fmt: skip
    done = workshop("backups", "restore", "x", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {project}: there is no backup x\n"
        "       List them all: python -m workshop backups\n"
    )
    newest = goto(course, project, 1)
    done = workshop("backups", "restore", "x", cwd=project)
    assert done.stderr == (
        f"error: {project}: there is no backup x\n"
        f"       The newest is {newest}. List them all: python -m workshop backups\n"
    )


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_the_index_is_read_as_git_reads_it(version: str, project: Path) -> None:
    names = [*"abcdefghij", "a-long/path/" + "x" * 200, "deep/" + "y/" * 2100 + "z", "caf\udce9"]
    for name in names[:11]:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(name)
    git(project, "add", ".")
    blob = "1" * 40
    lines = "".join(f"160000 {blob}\t{name}\0" for name in names[11:])
    subprocess.run(["git", "update-index", "-z", "--index-info"], cwd=project, check=True,
                   input=lines.encode(errors="surrogateescape"))  # fmt: skip
    git(project, "update-index", "--index-version", version)
    if version == "3":
        (project / "later").write_text("")
        git(project, "add", "--intent-to-add", "later")
    found = indexfile.parse((project / ".git" / "index").read_bytes())
    listed = [
        f"{entry.mode:06o} {entry.blob} {entry.stage}\t{os.fsdecode(entry.path)}"
        for entry in found.entries
    ]
    assert listed == git(project, "ls-files", "--stage", "-z").rstrip("\0").split("\0")
    assert [entry.path for entry in found.entries if entry.intent] == [b"later"] * (version == "3")


def test_an_index_that_is_none(course: Course, project: Path) -> None:
    commit(project, {"f": "1\n"})
    index = project / ".git" / "index"
    whole = index.read_bytes()
    for damaged in (b"", whole[:40], b"DIRX" + whole[4:], whole[:7] + b"\x09" + whole[8:]):
        index.write_bytes(damaged)
        with pytest.raises(WorkshopError) as error:
            goto(course, project, 1)
        assert str(error.value).startswith(f"{index}: git's index can't be read: ")
        assert str(error.value).endswith("\nSee what git says of it: git status")
