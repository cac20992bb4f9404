"""Nothing is ever lost: thousands of projects that nobody would think of, and moves that die.

Full numbers by default, about four minutes on one core, most of it in the projects. Set
WORKSHOP_EXAMPLES and WORKSHOP_KILLS for others; with the first, the projects are new each time.
Everything happens in memory where the system has a disk for that.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import projects
import pytest
from hypothesis import HealthCheck, Phase, event, example, given, settings
from hypothesis import strategies as st
from projects import ASSUME, EXECUTABLE, FILE, GITLINK, INTENT, LINK, SKIP, Seen, State, Thing

from workshop import git, history, moving
from workshop.errors import WorkshopError
from workshop.kept import interruptions
from workshop.model import Course

FULL = 2600  # projects, of which a fifth is refused, rightly
EXAMPLES = int(os.environ.get("WORKSHOP_EXAMPLES", FULL))
MOVED = 2000  # of a full number, so many are moved at least
KILLS = int(os.environ.get("WORKSHOP_KILLS", "300"))
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

# Paths of the course, paths in their way, and paths that only the person has.
PATHS = (
    b"app/main.py", b"app/deep/x.py", b"app/deep", b"app", b"run.sh", b"README.rst", b".gitignore",
    b"README.rst/inside/x", b"run.sh/y.log", b"app/main.py/z", b"app/own.py", b"app/deep/own.log",
    b"notes.md", b"old.log", b"venv/bin/python", b" two  words ", b"-rf", b'quo"te', b"new\nline",
    b"tab\tback\\slash", b"caf\xe9", b"\xff\xfe/\x80", "grüße/ß".encode(), b"a/b/c/d",
    b".gitattributes", b".env", b"*", b".gitmodules", b"git~1", b"docs/.GIT", b"App/main.py",
    b"a\\.git",
)  # fmt: skip
CONTENTS = (
    b"", b"mine\n", b"theirs\r\n", b"no end", b"\0binary\xff\r\n\n", b"print(1)\n", b"x = 2\n",
    b"*.log\nvenv/\n", b"*.py\n!own.py\n", b"* text=auto eol=crlf filter=bad\n",
    b"* working-tree-encoding=UTF-16 ident\n", b"[submodule \"x\"]\n\turl = -x\n", b"z" * 300,
)  # fmt: skip
BITS = (0o644, 0o755, 0o600, 0o444, 0o700, 0o640, 0o000)
TARGETS = (b"notes.md", b"/nowhere", b"..", b"app", b"\xe9", b"README.rst", b"./notes.md", b"app/",
           b"a//b")  # fmt: skip

contents = st.sampled_from(CONTENTS)
plain = st.tuples(contents, st.sampled_from((FILE, EXECUTABLE)), st.sampled_from(BITS))
links = st.tuples(st.sampled_from(TARGETS), st.just(LINK), st.just(0o777))
things = st.one_of(plain, plain, plain, links).map(lambda drawn: Thing(*drawn))
flags = st.sampled_from((0, 0, 0, INTENT, SKIP, ASSUME))
paths = st.sampled_from(PATHS)
# What git itself refuses in a commit or an index; in a working tree it may well lie around.
FORBIDDEN = {b"git~1", b"docs/.GIT", b".gitmodules", b"a\\.git"}


def fitting(drawn: dict[bytes, Thing], *, git: bool = False) -> dict[bytes, Thing]:
    """Without what can't be together: a file and a folder of the same name."""
    kept: dict[bytes, Thing] = {}
    for path, thing in drawn.items():
        together = any(
            a.startswith(b + b"/") for old in kept for a, b in ((old, path), (path, old))
        )
        if not together and not (git and path in FORBIDDEN):
            kept[path] = thing
    return kept


@st.composite
def states(draw: st.DrawFn) -> State:
    """A project, with HEAD, index and working tree apart from each other, or near each other."""
    some = st.dictionaries(paths, things, max_size=8)
    head = draw(st.none() | some)
    files = draw(some)
    index: dict[bytes, Thing] | None = None
    if draw(st.booleans()):
        files = {**files, **(head or {})}
    if draw(st.integers(0, 4)):
        near = {**draw(some), **(head or {})}
        near |= {path: thing for path, thing in files.items() if draw(st.integers(0, 3)) == 0}
        index = {}
        for path, thing in fitting(near, git=True).items():
            flag = draw(flags)
            index[path] = thing._replace(flags=0 if flag == INTENT and thing.mode == LINK else flag)
    nested: tuple[bytes, ...] = ()
    if draw(st.integers(0, 3)) == 0:
        nested = (draw(st.sampled_from((b"nested", b"app", b"vendor/inner", b"README.rst"))),)
        inside = {path: thing for path, thing in files.items() if path != nested[0]}
        files = {nested[0] + b"/precious.txt": Thing(b""), **inside}
        if index is not None and draw(st.booleans()):
            index = fitting({nested[0]: Thing(b"", GITLINK), **index}, git=True)
    files = fitting(files)
    folders = tuple(
        folder
        for folder in draw(
            st.sets(st.sampled_from((b"empty/er", b"app/deep", b"README.rst", b"lib")))
        )
        if not any(folder == path or folder.startswith(path + b"/") for path in files)
    )
    branch = draw(st.sampled_from(("main", "main", "topic", None))) if head is not None else "main"
    done = draw(st.sampled_from((None, '{"course": "Moves", "done": []}', "{ damaged")))
    return State(
        None if head is None else fitting(head, git=True), index, files, branch, folders, nested,
        done,
    )  # fmt: skip


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="workshop-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def course(memory: Path) -> Course:
    return projects.course(memory / "course")


@pytest.fixture
def untraced() -> Iterator[None]:
    """Nobody counts lines: with thousands of projects that takes as long as the moves. The same
    lines are counted in the tests below."""
    tracer = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracer)


@pytest.fixture
def outcomes() -> Iterator[Counter[str]]:
    """How many projects were moved, and how many refused: too many refusals would show little."""
    counted: Counter[str] = Counter()
    yield counted
    if EXAMPLES >= FULL <= counted.total():  # or else the test has failed before its end
        assert counted["moved"] >= MOVED, counted


# What is right to refuse, among the projects that are made here.
NESTED = "this folder is a git repository of its own, and a file in it would have to change"
REFUSALS = (
    NESTED,
    "this file is damaged: the workshop can't read your progress in it",
    "you have done every step: there is none to begin again",
)


Report = Callable[[moving.Backup], None]


def move(course: Course, project: Path, target: int, report: Report = lambda _: None) -> str:
    """goto a step, or, for 0, reset. Returns the backup's name."""
    if target:
        step = course.steps[target - 1]
        return moving.goto(course, project, step, report=report).backup.name
    return moving.reset(course, project, report=report).backup.name


def tried(course: Course, project: Path, target: int) -> str | None:
    """Move, or be refused for a good reason: then nothing has changed, and it returns None."""
    before = projects.observe(project)
    try:
        return move(course, project, target)
    except WorkshopError as error:
        assert error.fact in REFUSALS, error
        assert projects.observe(project) == before
        return None


def sound(project: Path) -> None:
    """git finds nothing wrong in the repository."""
    fsck = subprocess.run(
        ["git", "fsck", "--strict", "--no-dangling"], cwd=project, capture_output=True, text=True
    )
    assert (fsck.returncode, fsck.stdout) == (0, ""), fsck


def is_stage(course: Course, seen: Seen, done: int) -> None:
    """The course's own paths are as the stage has them, byte for byte, and executable or not."""
    stages = history.stages(course)
    files = stages[done - 1].files if done else {}
    for path in {os.fsencode(path) for stage in stages for path in stage.files}:
        wanted = files.get(os.fsdecode(path))
        if wanted is None:
            assert path not in seen.files
        else:
            mode, data = seen.files[path]
            assert data == wanted.data
            assert bool(mode & 0o100) == (wanted.mode == "100755")


def brought_back(project: Path, backup: str, nested: tuple[bytes, ...]) -> None:
    """Restore. Nothing is changed in a repository of its own: if that is needed, it is refused, and
    comes back as soon as the repository is out of the way."""
    spoiled = projects.observe(project)
    try:
        moving.restore(project, backup, report=lambda _: None)
    except WorkshopError as error:
        assert error.fact == NESTED, error
        assert projects.observe(project) == spoiled
        (own,) = (project / os.fsdecode(each) / ".git" for each in nested)
        aside = own.rename(project.with_name("aside"))
        moving.restore(project, backup, report=lambda _: None)
        aside.rename(own)


# A file that is in a repository of its own, and beside others that the project has.
INSIDE = State(
    head={b"app/main.py": Thing(b"")}, index={b"app/main.py": Thing(b"")}, nested=(b"app",)
)


@pytest.mark.usefixtures("untraced")
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="WORKSHOP_EXAMPLES" not in os.environ,
    print_blob=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),  # explaining takes minutes
    suppress_health_check=list(HealthCheck),
)
@given(
    state=states(),
    first=st.integers(0, 3),
    careless=st.booleans(),
    second=st.sampled_from((None, None, None, 0, 1, 3)),  # a second move makes it twice as long
)
@example(state=INSIDE, first=0, careless=True, second=None)
def test_every_original_byte_comes_back(
    state: State, first: int, careless: bool, second: int | None, course: Course, memory: Path,
    outcomes: Counter[str],
) -> None:  # fmt: skip
    folder = Path(tempfile.mkdtemp(dir=memory))
    try:
        project = projects.make(folder / "p", state)
        before = projects.observe(project)
        precious = projects.not_ignored(project, before) if careless else set()
        backup = tried(course, project, first)
        outcome = "refused" if backup is None else "moved"
        outcomes[outcome] += 1
        event(outcome)
        if backup is None:
            return
        after = projects.observe(project)
        is_stage(course, after, first)
        if careless:  # what was there comes back, whatever happens to it meanwhile
            for path in precious & after.files.keys():
                projects.spoil(project, path)
            brought_back(project, backup, state.nested)
            assert projects.observe(project) == before
            return
        assert moving.restore(project, backup, report=lambda _: None).backup.name > backup
        assert projects.observe(project) == before
        undo = moving.backups(project)[-1].name
        if second is not None:
            moving.restore(project, undo, report=lambda _: None)
            assert projects.observe(project) == after
            again = tried(course, project, second)
            if again is not None:
                moving.restore(project, again, report=lambda _: None)
            assert projects.observe(project) == after
            moving.restore(project, backup, report=lambda _: None)
            assert projects.observe(project) == before
        assert not (project / ".git" / "HOOKED").exists(), "something of the person's was woken"
        if second is not None:
            sound(project)
    finally:
        shutil.rmtree(folder)


BUSY_PROJECT = State(
    head={b"app/main.py": Thing(b"first\n"), b"notes.md": Thing(b"n\n"), b"old.py": Thing(b"o\n")},
    index={b"app/main.py": Thing(b"staged\n"), b"notes.md": Thing(b"n\n"), b"new.py": Thing(b"")},
    files={
        b"app/main.py": Thing(b"not staged\r\n"), b"notes.md": Thing(b"edited\n", bits=0o600),
        b"run.sh/inside": Thing(b"\0in the way"), b"README.rst": Thing(b"notes.md", LINK),
        b"caf\xe9": Thing(b"untracked\n"), b".gitignore": Thing(b"*.py\n"),
    },
    folders=(b"app/deep",),
    done='{"course": "Moves", "done": ["step-1"]}',
)  # fmt: skip


def prepared(folder: Path, course: Course, verb: str) -> tuple[Path, Callable[[Report], object]]:
    """A project with work of every kind, and a move that waits for its start."""
    project = projects.make(folder / "p", BUSY_PROJECT)
    if verb == "restore":
        name = move(course, project, 3)
        (project / "app" / "main.py").write_text("mine again\n")
        return project, lambda report: moving.restore(project, name, report=report)
    target = {"goto": 3, "reset": 0}[verb]
    return project, lambda report: move(course, project, target, report)


def killed(call: Callable[[Report], object], after: float, *, saved: bool, family: bool) -> bool:
    """Do it in another process, and kill that: alone, or with the git that it has started.

    It lives for `after` seconds, from its start, or from when it says that all is saved.
    """
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        with contextlib.suppress(BaseException):
            call(lambda _: os.close(sender))
        os._exit(0)
    os.close(sender)
    if saved:
        os.read(receiver, 1)  # returns when the other end is closed
    os.close(receiver)
    time.sleep(after)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        (os.killpg if family else os.kill)(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def all_is_there(course: Course, project: Path, before: Seen, kept: int, detour: bool) -> str:
    """After a kill: fsck is content, the next command works, and every byte comes back."""
    sound(project)
    new = moving.backups(project)[kept:]
    begun = interruptions(project)
    if not new:
        assert projects.observe(project) == before
        assert not begun
        move(course, project, 1)  # the next command works
        return "before the backup"
    if not begun and projects.observe(project) == before:
        move(course, project, 1)
        return "before the move"
    if detour:
        move(course, project, 2)
    moving.restore(project, new[0].name, report=lambda _: None)
    assert projects.observe(project) == before
    assert not interruptions(project)
    return "in the move" if begun else "after the move"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a process of its own, made by fork")
@pytest.mark.parametrize("verb", ["goto", "reset", "restore"])
def test_killed_at_any_time_nothing_is_lost(verb: str, course: Course, memory: Path) -> None:
    chance = random.Random(verb)
    places: Counter[str] = Counter()
    longest = {False: 0.05, True: 0.02}  # seconds; follows how fast this machine is just now
    deaths = 0
    while deaths < -(-KILLS // 3):
        folder = Path(tempfile.mkdtemp(dir=memory))
        project, call = prepared(folder, course, verb)
        before, kept = projects.observe(project), len(moving.backups(project))
        saved, family = chance.random() < 0.5, chance.random() < 0.5
        after = chance.uniform(0, longest[saved])
        died = killed(call, after, saved=saved, family=family)
        deaths += died
        longest[saved] *= 1.05 if died else 0.9
        places[all_is_there(course, project, before, kept, chance.random() < 0.5)] += 1
        shutil.rmtree(folder)
    if KILLS >= 300:
        assert places["before the backup"] >= 10, places
        assert places["in the move"] >= 10, places


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a process of its own, made by fork")
@pytest.mark.parametrize("verb", ["goto", "reset", "restore"])
def test_killed_before_each_single_step_nothing_is_lost(
    verb: str, course: Course, memory: Path
) -> None:
    seen = []
    for number in range(1000):
        folder = Path(tempfile.mkdtemp(dir=memory))
        project, call = prepared(folder, course, verb)
        before, kept = projects.observe(project), len(moving.backups(project))

        def dying(call: Callable[[Report], object] = call, number: int = number) -> None:
            _die_at(number)
            call(lambda _: None)

        died = _ended(dying)
        seen.append(all_is_there(course, project, before, kept, detour=bool(number % 2)))
        shutil.rmtree(folder)
        if not died:
            break
    assert seen[0] == "before the backup"
    assert seen.count("in the move") >= 10
    assert seen[-1] == "after the move"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a process of its own, made by fork")
def test_a_git_that_outlives_us_is_waited_for(course: Course, memory: Path) -> None:
    project, call = prepared(memory, course, "goto")
    before, kept = projects.observe(project), len(moving.backups(project))
    begun, go, slow = memory / "begun", memory / "go", memory / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(
        f'#!/bin/sh\ncase "$*" in *update-ref*)\n'
        f"touch {begun}; while [ ! -e {go} ]; do sleep 0.01; done;; esac\n"
        f'exec {shutil.which("git")} "$@"\n'
    )
    slow.chmod(0o755)
    child = os.fork()
    if child == 0:
        os.environ["PATH"] = f"{slow.parent}{os.pathsep}{os.environ['PATH']}"
        try:
            call(lambda _: None)
        finally:
            os._exit(0)
    while not begun.exists():
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)

    def meanwhile(_: object) -> None:  # were the move on its way already, this would disturb it
        go.touch()
        time.sleep(0.5)

    later = threading.Timer(0.5, go.touch)
    later.start()
    move(course, project, 2, meanwhile)
    later.join()
    assert all_is_there(course, project, before, kept, detour=False) == "after the move"


def _ended(call: Callable[[], object]) -> bool:
    """Do it in another process. Returns whether a signal ended that."""
    child = os.fork()
    if child == 0:
        try:
            call()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _die_at(number: int) -> None:
    """Kill this process before its `number`th call of git, or change of a file."""
    left = itertools.count()

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def dying(*args: object, **more: object) -> object:
            if next(left) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **more)

        return dying

    git.run, git.feed = counted(git.run), counted(git.feed)  # type: ignore[assignment]
    for name in ("replace", "unlink", "rmdir", "mkdir", "hardlink_to", "symlink_to", "chmod"):
        setattr(Path, name, counted(getattr(Path, name)))
