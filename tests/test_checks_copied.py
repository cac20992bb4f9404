"""Copies of a project: broken, tested by tox, and mended again."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from workshop.checks import mistakes, toxed
from workshop.checks.copied import Copy, Trials
from workshop.checks.failure import CheckFailed
from workshop.checks.processes import Warmth

TOX = """\
[tox]
env_list = unit
no_package = true

[testenv:unit]
deps = -r requirements.txt
pass_env = GIVEN
commands = python test.py

[testenv:seeded]
set_env = PYTHONHASHSEED = 1
commands = python test.py

[testenv:more]
commands = python --version
"""
TEST = """\
import os, sys
print("given", os.environ.get("GIVEN"), "secret", os.environ.get("SECRET"), "here", os.getcwd())
sys.exit(os.environ.get("GIVEN") == "bad")
"""
HANG = "open('begun', 'w').close(); import time; time.sleep(600)\n"
Another = Callable[[], Copy]


@pytest.fixture
def another(project: Path, tmp_path: Path, home: Path) -> Another:
    """A new copy of the project as it is now."""
    files = {
        "tox.ini": TOX, "test.py": TEST, "requirements.txt": "", ".gitignore": "*.log\n",
        "much.log": "noise",
    }  # fmt: skip
    for name, text in files.items():
        (project / name).write_text(text)
    numbers = iter(range(100))

    def make() -> Copy:
        variables = {"PATH": os.environ["PATH"], "SECRET": "ours"}
        return Copy(project, tmp_path / f"copy-{next(numbers)}", variables, home=home)

    return make


@pytest.fixture
def copy(another: Another) -> Copy:
    return another()


def made(home: Path) -> list[Path]:
    """The environments that are kept."""
    return sorted(home.glob("tox/*/unit"))


def test_it_has_what_git_would_commit(copy: Copy) -> None:
    assert sorted(copy.names) == [".gitignore", "requirements.txt", "test.py", "tox.ini"]
    assert sorted(path.name for path in copy.path.iterdir()) == sorted(copy.names)


def test_a_mistake_is_gone_after_it_however_the_check_ends(copy: Copy) -> None:
    twice = mistakes.appended("test.py", "mis") | mistakes.appended("test.py", "take")
    with pytest.raises(ZeroDivisionError), copy.spoiled(twice):
        assert (copy.path / "test.py").read_text() == f"{TEST}mistake"
        raise ZeroDivisionError
    assert (copy.path / "test.py").read_text() == TEST


def test_files_of_a_mistake_are_gone_after_it(copy: Copy) -> None:
    before = sorted(copy.path.rglob("*"))
    new = mistakes.appended("a/b/new.py", "mis") | mistakes.appended("a/b/new.py", "take")
    with copy.spoiled(new):
        assert (copy.path / "a/b/new.py").read_text() == "mistake"
        (copy.path / "a/b/__pycache__").mkdir()  # as Python does
    assert sorted(copy.path.rglob("*")) == before


def test_tox_sees_what_the_project_lets_through(copy: Copy) -> None:
    done = copy.tox("unit", {"GIVEN": "yes", "SECRET": "told"})
    assert (done.code, done.tail) == (0, "given yes secret None here .")


def test_tox_says_nothing_of_itself(copy: Copy) -> None:
    done = copy.tox("unit", {"GIVEN": "bad"})
    assert (done.code, done.tail) == (1, "given bad secret None here .")


def test_what_tox_runs_by_default(copy: Copy) -> None:
    assert copy.environments() == ("unit",)


def test_no_contract(copy: Copy) -> None:
    (copy.path / "tox.ini").unlink()
    with pytest.raises(CheckFailed, match=r"there is no tox\.ini"):
        copy.tox("unit", {})
    with pytest.raises(CheckFailed, match=r"there is no tox\.ini"):
        copy.environments()


def test_an_environment_that_there_is_not(copy: Copy) -> None:
    with pytest.raises(CheckFailed, match="tox can't prepare the environment units") as caught:
        copy.tox("units", {})
    assert "units" in caught.value.seen.splitlines()[-1]


def test_an_environment_is_kept_by_what_it_is_made_from(
    another: Another, project: Path, home: Path
) -> None:
    another().tox("unit", {})
    (first,) = made(home)
    before = (first / "pyvenv.cfg").stat().st_mtime_ns
    (project / "test.py").write_text(f"{TEST}# other code, the same packages\n")
    assert another().tox("unit", {}).code == 0
    assert made(home) == [first]
    assert (first / "pyvenv.cfg").stat().st_mtime_ns == before
    (project / "requirements.txt").write_text("# another content\n")
    assert another().tox("unit", {}).code == 0
    assert len(made(home)) == 2


def test_one_that_was_not_finished_is_not_believed(
    another: Another, project: Path, home: Path
) -> None:
    (project / "requirements.txt").write_text("no-such-package-anywhere-1 ==1\n")
    for _ in range(2):
        with pytest.raises(CheckFailed, match="tox can't prepare the environment unit"):
            another().tox("unit", {})


def test_what_is_installed_itself_is_never_kept(
    another: Another, project: Path, home: Path
) -> None:
    (project / "setup.cfg").write_text("[metadata]\nname = demo\n")
    assert another().tox("unit", {}).code == 0
    assert made(home) == []


def test_what_nobody_uses_any_more_is_removed(another: Another, project: Path, home: Path) -> None:
    another().tox("unit", {})
    (first,) = made(home)
    os.utime(first.parent, (0, 0))
    another().tox("unit", {})
    assert first.exists()  # it was used again
    os.utime(first.parent, (0, 0))
    (project / "requirements.txt").write_text("# another content\n")
    another().tox("unit", {})
    assert not first.exists()
    assert len(made(home)) == 1


RED = mistakes.appended("requirements.txt", "# the same environment: it is made already\n")
SPOILED = mistakes.appended("test.py", "", GIVEN="bad")


def test_many_mistakes_on_two_copies_at_once(another: Another) -> None:
    copies = [(another(), {"GIVEN": name}) for name in ("a", "b")]
    trials = Trials("unit", copies, [RED, SPOILED])
    try:
        assert trials.on().code == 0
        assert trials.on(SPOILED).code == 1
        assert trials.on(SPOILED).tail == "given bad secret None here ."
        assert trials.on(RED) is trials.on(RED)
        assert trials.on(mistakes.appended("tox.ini", "[testenv:unit]\n")).code != 0  # twice
    finally:
        trials.close()
    for copy, _ in copies:
        assert (copy.path / "test.py").read_text() == TEST


def test_who_goes_away_leaves_nothing_running(
    another: Another, project: Path, tmp_path: Path
) -> None:
    (project / "test.py").write_text(HANG)
    copies: list[tuple[Copy, dict[str, str]]] = [(another(), {}) for _ in range(2)]
    trials = Trials("unit", copies, [RED, SPOILED])
    deadline = time.monotonic() + 60
    while not all((copy.path / "begun").exists() for copy, _ in copies):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    began = time.monotonic()
    trials.close()
    assert time.monotonic() - began < 30
    cwds = [each.info["cwd"] or "" for each in psutil.process_iter(["cwd"])]
    assert [each for each in cwds if each.startswith(str(tmp_path))] == []


@pytest.mark.filterwarnings("ignore:subprocess:ResourceWarning")  # a stem ends by itself
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_warm_is_as_cold(another: Another, project: Path, tmp_path: Path, home: Path) -> None:
    """What tox starts grows from a stem as soon as there is one, and nobody can tell otherwise."""
    first = TEST.partition("sys.exit")[0]
    script = f"{first}print('stem.py' in ' '.join(sys.orig_argv))\nraise OSError\n"
    another()
    (project / "test.py").write_text(script)
    cold = another().tox("unit", {"GIVEN": "yes"})
    sockets = Path(tempfile.mkdtemp(prefix="workshop-"))
    owner, ends = os.pipe()
    warmth = Warmth(tmp_path, sockets, owner, (), ("json",))
    variables = {"PATH": os.environ["PATH"], "SECRET": "ours"}
    copy = Copy(project, tmp_path / "warm", variables, home=home, warmth=warmth)
    try:
        assert "False" in copy.tox("unit", {"GIVEN": "yes"}).out  # they grow meanwhile
        copy.tox("seeded", {})
        deadline = time.monotonic() + 30
        while len([each for each in sockets.iterdir() if each.suffix == ""]) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        warm = copy.tox("unit", {"GIVEN": "yes"})
        seeded = copy.tox("seeded", {"GIVEN": "yes"})
    finally:
        os.close(ends)
        os.close(owner)
        shutil.rmtree(sockets, ignore_errors=True)  # stems take their own addresses away
    assert "False" in cold.out
    assert "True" in warm.out
    assert (warm.code, warm.tail.replace("True", "False")) == (cold.code, cold.tail)
    assert "False" in seeded.out  # what Python must know at its start, a stem can't be told


def test_which_command_may_start_from_a_stem(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    script, shell, long = programs / "pytest", programs / "other", programs / "long"
    script.write_text(f"#!{programs}/python\nimport sys\n")
    shell.write_text("#!/bin/sh\necho\n")
    long.write_text(f"#!/bin/sh\n'''exec' '{programs}/python' \"$0\" \"$@\"\n' '''\nimport sys\n")
    python = str(programs / "python")
    assert toxed.program([str(script), "-q"], programs) == [str(script), "-q"]
    assert toxed.program([str(long)], programs) == [str(long)]
    assert toxed.program([python, "manage.py", "test"], programs) == ["manage.py", "test"]
    assert toxed.program([f"{python}3.11", "-m", "pytest"], programs) == ["-m", "pytest"]
    assert toxed.program([str(shell)], programs) == []
    assert toxed.program([python], programs) == []
    assert toxed.program([python, "-m"], programs) == []
    assert toxed.program([python, "-Werror", "manage.py"], programs) == []
    assert toxed.program([sys.executable, "manage.py"], programs) == []
