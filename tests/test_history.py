"""The stream, the hashes, and what an interrupted build leaves behind: nothing."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workshop import course, history
from workshop.errors import WorkshopError
from workshop.git import GitError, feed
from workshop.model import Course, Step

ROOT = Path(__file__).parent.parent
GOOD = ROOT / "tests" / "courses" / "good"


@pytest.fixture
def good() -> Course:
    return course.load(GOOD)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may write to, and walk to."""
    folder = Path(tempfile.mkdtemp(prefix="workshop-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def git(folder: Path, *words: str) -> str:
    return subprocess.check_output(["git", *words], cwd=folder, text=True)


def recorded(root: Path) -> dict[str, tuple[str, str]]:
    lines = (root / "steps" / "tags.txt").read_text("ascii").splitlines()
    return {name: (commit, tag) for commit, tag, name in map(str.split, lines)}


def test_a_stage_is_the_one_before_plus_the_solution_minus_what_it_removes(good: Course) -> None:
    first, second = history.stages(good)
    assert list(first.files) == ["app.py", "requirements.txt", "run.sh"]
    assert [file.mode for file in first.files.values()] == ["100644", "100644", "100755"]
    assert list(second.files) == ["app.py", "requirements.txt"]
    assert b"Hello, World" in second.files["app.py"].data


def test_every_tag_holds_its_stage_byte_for_byte(good: Course, tmp_path: Path) -> None:
    history.build(good, tmp_path / "demo")
    for stage in history.stages(good):
        listing = git(tmp_path / "demo", "ls-tree", "-r", stage.step.tag).splitlines()
        assert [(line.split()[0], line.split("\t")[1]) for line in listing] == [
            (file.mode, path) for path, file in stage.files.items()
        ]
        for path, file in stage.files.items():
            shown = subprocess.check_output(
                ["git", "show", f"{stage.step.tag}:{path}"], cwd=tmp_path / "demo"
            )
            assert shown == file.data


def test_the_repository_is_a_normal_one(good: Course, tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    tags = history.build(good, demo)
    assert git(demo, "tag", "-n") == "01-hello        Say hello\n02-name         Say your name\n"
    assert git(demo, "status", "--porcelain", "--branch") == "## main\n"
    assert git(demo, "rev-parse", "main").strip() == tags[-1].commit
    assert git(demo, "log", "--format=%s").splitlines() == ["Say your name", "Say hello"]
    assert git(demo, "for-each-ref", "--format=%(objecttype)", "refs/tags") == "tag\ntag\n"
    git(demo, "fsck", "--strict", "--full")
    git(demo, "checkout", "--quiet", "01-hello")
    assert (demo / "run.sh").stat().st_mode & 0o111
    assert "World" not in (demo / "app.py").read_text()


def test_a_file_once_executable_stays_so_when_it_changes(course_folder: Path) -> None:
    (course_folder / "solutions" / "02-name" / "run.sh").write_text("#!/bin/sh\n")
    toml = course_folder / "steps" / "02-name" / "step.toml"
    toml.write_text(toml.read_text().replace('removes = ["run.sh"]\n', ""))
    second = history.stages(course.load(course_folder))[1]
    assert second.files["run.sh"].mode == "100755"


def test_crlf_in_a_checkout_changes_no_hash(course_folder: Path, tmp_path: Path) -> None:
    file = course_folder / "solutions" / "01-hello" / "app.py"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    tags = history.build(course.load(course_folder), tmp_path / "demo")
    assert {tag.name: (tag.commit, tag.object) for tag in tags} == recorded(GOOD)


def test_the_bundle_clones_to_the_same_hashes(good: Course, tmp_path: Path) -> None:
    tags = history.build(good, tmp_path / "demo", bundle=tmp_path / "demo.bundle")
    git(tmp_path, "clone", "--quiet", "demo.bundle", "clone")
    for tag in tags:
        assert git(tmp_path / "clone", "rev-parse", tag.name).strip() == tag.object


HOSTILE = """
[core]
    autocrlf = true
    eol = crlf
    excludesFile = {folder}/ignore
    hooksPath = {folder}/hooks
    attributesFile = {folder}/attributes
    quotePath = true
    fileMode = false
    precomposeUnicode = true
    symlinks = false
[user]
    name = Someone Else
    email = else@example.org
    useConfigOnly = true
[i18n]
    commitEncoding = ISO-8859-1
    logOutputEncoding = UTF-16
[commit]
    gpgSign = true
[tag]
    gpgSign = true
    forceSignAnnotated = true
[gpg]
    program = /bin/false
[init]
    templateDir = {folder}/template
    defaultBranch = trunk
    defaultObjectFormat = sha256
[extensions]
    worktreeConfig = true
[fastimport]
    unpackLimit = 1
[pack]
    compression = 0
[transfer]
    fsckObjects = true
"""


def hostile(folder: Path) -> dict[str, str]:
    """The variables of a person whose git is set up in the most inconvenient way."""
    (folder / "ignore").write_text("*.py\n*\n")
    (folder / "attributes").write_text("* text eol=crlf ident\n")
    for name in ("hooks", "template/hooks"):
        (folder / name).mkdir(parents=True)
        for hook in ("post-checkout", "pre-commit", "reference-transaction", "post-index-change"):
            (folder / name / hook).write_text("#!/bin/sh\nexit 1\n")
            (folder / name / hook).chmod(0o755)
    (folder / "template" / "config").write_text("[core]\n\tautocrlf = true\n")
    (folder / "gitconfig").write_text(HOSTILE.format(folder=folder))
    for path in folder.rglob("*"):
        path.chmod(0o755)
    return {
        "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
        "GIT_CONFIG_SYSTEM": str(folder / "gitconfig"),
        "GIT_DEFAULT_HASH": "sha256",
        "GIT_TEMPLATE_DIR": str(folder / "template"),
        "GIT_AUTHOR_NAME": "Someone",
        "GIT_COMMITTER_DATE": "2001-01-01T00:00:00",
        "GIT_DIR": str(folder / "elsewhere"),
        "GIT_WORK_TREE": str(folder),
        "GIT_OBJECT_DIRECTORY": str(folder / "objects"),
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONHASHSEED": "7",
    }


@pytest.mark.parametrize("root", [GOOD, ROOT], ids=["miniature", "the course"])
@pytest.mark.parametrize("who", ["us", "another user"])
def test_hostile_configurations_give_the_recorded_hashes(
    root: Path, who: str, open_folder: Path
) -> None:
    if who == "another user" and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    variables = os.environ | hostile(open_folder)
    # another user may not be able to read this clone: they get a copy
    copy = open_folder / "course"
    for name in ("steps", "solutions", "katas"):
        if (root / name).is_dir():
            shutil.copytree(root / name, copy / name)
    package = open_folder / "packages" / "workshop"
    shutil.copytree(Path(history.__file__).parent, package)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path;"
        "from workshop import course, history;"
        "tags = history.build(course.load(Path(sys.argv[2])), Path(sys.argv[3]));"
        "print(*(f'{t.commit} {t.object} {t.name}' for t in tags), sep='\\n')"
    )
    # the system's Python: this one's venv may be closed to others
    python = sys.executable if who == "us" else shutil.which("python3", path="/usr/bin:/bin")
    if python is None or (who != "us" and _version(python) < (3, 11)):
        pytest.skip("no Python 3.11 or newer that another user may run")
    out = subprocess.run(
        [python, "-c", code, open_folder / "packages", copy, open_folder / "a b" / "demo"],
        env=variables, cwd="/", umask=0o077 if who == "us" else 0o002,
        user=None if who == "us" else 65534, capture_output=True, text=True,
    )  # fmt: skip
    assert out.stderr == ""
    assert out.stdout == (root / "steps" / "tags.txt").read_text("ascii")
    if who == "us":
        lines = git(open_folder / "a b" / "demo", "ls-files", "--eol").splitlines()
        assert lines
        assert {line.split()[1] for line in lines} <= {"w/lf", "w/none"}  # none: an empty file
        assert sum(line.split()[1] == "w/lf" for line in lines) > 1


def _version(python: str) -> tuple[int, int]:
    out = subprocess.check_output([python, "-c", "import sys; print(*sys.version_info[:2])"])
    major, minor = out.split()
    return int(major), int(minor)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_nothing_behind(
    number: signal.Signals, course_folder: Path, tmp_path: Path
) -> None:
    # so large that it can be caught in the middle
    (course_folder / "solutions" / "02-name" / "large.bin").write_bytes(os.urandom(160 << 20))
    where = tmp_path / "out"
    where.mkdir()
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-m", "workshop", "build", "demo", "--course", str(course_folder)],
            cwd=where, stderr=subprocess.PIPE,
        )  # fmt: skip
        give_up = time.monotonic() + 20
        while not list(where.glob(".demo.*/.git/objects/pack/tmp_pack*")):
            assert process.poll() is None, "the build was too fast to be caught"
            assert time.monotonic() < give_up
            time.sleep(0.005)
        process.send_signal(number)
        process.communicate(timeout=60)
        if process.returncode != 0:
            break
        shutil.rmtree(where / "demo")  # it had ended before the signal came: once more
    assert process.returncode == (130 if number is signal.SIGINT else 128 + number)
    assert list(where.iterdir()) == []


def test_what_a_killed_build_left_is_swept_by_the_next(good: Course, tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    left = tmp_path / f".demo.{dead.pid}.part"
    (left / ".git").mkdir(parents=True)
    running = tmp_path / f".demo.{os.getppid()}.part"
    running.mkdir()
    history.build(good, tmp_path / "demo")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([running.name, "demo"])


def test_a_folder_with_something_in_it_is_refused_and_left_alone(
    good: Course, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(WorkshopError) as error:
        history.build(good, tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: this folder is not empty\n"
        "Name a folder that does not exist yet, or an empty one."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_and_a_missing_parent_are_fine(good: Course, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    history.build(good, tmp_path / "empty")
    history.build(good, tmp_path / "new" / "deep")
    assert (tmp_path / "empty" / "app.py").is_file()
    assert (tmp_path / "new" / "deep" / "app.py").is_file()


def test_a_shell_that_stands_in_the_empty_folder_still_stands_in_it(
    good: Course, tmp_path: Path
) -> None:
    (here := tmp_path / "here").mkdir()
    number = here.stat().st_ino
    history.build(good, here)
    assert here.stat().st_ino == number
    assert sorted(each.name for each in here.iterdir()) == sorted(
        [".git", *history.stages(good)[-1].files]
    )
    assert git(here, "status", "--porcelain") == ""


def test_an_empty_folder_is_empty_again_when_it_goes_wrong(
    course_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here := tmp_path / "here").mkdir()
    rename = Path.rename

    def full(entry: Path, to: Path) -> Path:
        if to == here / ".git":
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(entry, to)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="No space left"):
        history.build(course.load(course_folder), here)
    assert list(here.iterdir()) == []


def test_a_build_that_was_killed_in_an_empty_folder_is_swept_by_the_next(
    good: Course, tmp_path: Path
) -> None:
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    (tmp_path / f".{tmp_path.name}.{dead.pid}.part" / ".git").mkdir(parents=True)
    history.build(good, tmp_path)
    assert not list(tmp_path.glob("*.part"))
    assert git(tmp_path, "status", "--porcelain") == ""


def test_what_a_mac_leaves_in_a_folder_is_no_part_of_a_solution(
    course_folder: Path, tmp_path: Path
) -> None:
    (course_folder / "solutions" / "01-hello" / ".DS_Store").write_bytes(b"Bud1")
    tags = history.build(course.load(course_folder), tmp_path / "demo")
    assert {tag.name: (tag.commit, tag.object) for tag in tags} == recorded(GOOD)


def test_a_file_in_the_way_is_refused(good: Course, tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("")
    with pytest.raises(WorkshopError) as error:
        history.build(good, tmp_path / "demo")
    assert str(error.value) == (
        f"{tmp_path / 'demo'}: this is not a folder\nName a folder that does not exist yet."
    )


def test_a_symbolic_link_in_a_solution_is_refused(course_folder: Path, tmp_path: Path) -> None:
    link = course_folder / "solutions" / "01-hello" / "passwords"
    link.symlink_to("/etc/passwd")
    with pytest.raises(WorkshopError) as error:
        history.build(course.load(course_folder), tmp_path / "demo")
    assert str(error.value) == (
        f"{link}: a solution may not hold symbolic links: they can lead out of the step\n"
        "Replace it by the file."
    )
    assert not list(tmp_path.glob(".demo*"))
    assert not (tmp_path / "demo").exists()


def test_what_git_refuses_is_told(course_folder: Path, tmp_path: Path) -> None:
    folder = course_folder / "solutions" / "02-name" / ".GIT"
    folder.mkdir()
    (folder / "config").write_text("")
    with pytest.raises(WorkshopError) as error:
        history.build(course.load(course_folder), tmp_path / "demo")
    assert str(error.value) == (
        f"{course_folder}: git refused the history: error: invalid path '.GIT/config'\n"
        "Mend the step."
    )
    assert [each.name for each in tmp_path.iterdir()] == ["course"]


def test_what_git_refuses_is_told_even_when_it_no_longer_reads(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    for _ in range(20):  # how much is left in the pipe is luck
        more = (os.urandom(5000) for _ in range(500))
        with pytest.raises(GitError) as error:
            feed("fast-import", "--quiet", cwd=tmp_path, stdin=itertools.chain([b"no\n"], more))
        assert "Unsupported command: no" in error.value.said


def test_each_step_is_read_when_its_turn_comes(good: Course, tmp_path: Path) -> None:
    def reading() -> Iterator[Step]:
        yield good.steps[0]
        (begun,) = tmp_path.glob(".demo.*.part")
        assert (begun / ".git").is_dir()  # git did not wait for the second
        yield good.steps[1]

    tags = history.write(reading(), good.root, tmp_path / "demo")
    assert {tag.name: (tag.commit, tag.object) for tag in tags} == recorded(GOOD)


def test_a_step_that_cannot_be_read_leaves_nothing_behind(
    course_folder: Path, tmp_path: Path
) -> None:
    (course_folder / "steps" / "02-name" / "step.toml").write_text("title =\n")
    where = tmp_path / "out"
    where.mkdir()
    with pytest.raises(WorkshopError, match="this is not TOML"):
        history.write(course.steps(course_folder), course_folder, where / "demo")
    assert list(where.iterdir()) == []


def test_a_bundle_that_cannot_be_written_leaves_no_repository(good: Course, tmp_path: Path) -> None:
    with pytest.raises(WorkshopError) as error:
        history.build(good, tmp_path / "demo", bundle=tmp_path / "no" / "demo.bundle")
    assert "the bundle can't be written" in error.value.fact
    assert not (tmp_path / "demo").exists()


def test_odd_names_survive(course_folder: Path, tmp_path: Path) -> None:
    names = ["with space.txt", 'quo"te.txt', '"first.txt', "back\\slash.txt", "ümläut.txt"]
    for name in names:
        (course_folder / "solutions" / "02-name" / name).write_text(name)
    history.build(course.load(course_folder), tmp_path / "demo")
    assert {path.name for path in (tmp_path / "demo").glob("*.txt")} == {
        *names,
        "requirements.txt",
    }
