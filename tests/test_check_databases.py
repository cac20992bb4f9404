"""The databases for checks: where their data is, and what becomes of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from conftest import COURSES

from workshop import course as courses
from workshop.checks import database, runner

MUCH = SimpleNamespace(free=4 << 30, available=4 << 30)
LITTLE = SimpleNamespace(free=64 << 20, available=64 << 20)  # as in a container


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place in memory that has much room, and is nobody else's."""
    # Not below pytest's own folder, which every other run of pytest closes to PostgreSQL's user.
    place = Path(tempfile.mkdtemp(prefix="workshop-"))
    place.chmod(0o755)

    def much(asked: Path) -> SimpleNamespace:
        asked.stat()
        return MUCH

    monkeypatch.setattr(database, "_MEMORY", place)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", much)
        patched.setattr(psutil, "virtual_memory", lambda: MUCH)
        yield place
    shutil.rmtree(place, ignore_errors=True)


def test_it_is_in_memory_where_others_may_read_it_and_in_no_home(memory: Path, home: Path) -> None:
    made = database.folder(home, in_memory=True)
    assert made.parent == memory
    assert str(os.getpid()) in made.name
    assert made.stat().st_mode & 0o777 == 0o755
    assert not (home / "checks").exists()


def test_without_such_a_place_it_is_in_the_home(memory: Path, home: Path) -> None:
    memory.rmdir()
    assert database.folder(home, in_memory=True).parent == home / "checks"


@pytest.mark.parametrize(("module", "asks"), [(shutil, "disk_usage"), (psutil, "virtual_memory")])
def test_without_enough_room_it_is_in_the_home(
    module: object, asks: str, memory: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, asks, lambda *_: LITTLE)
    assert database.folder(home, in_memory=True).parent == home / "checks"
    assert list(memory.iterdir()) == []


def test_who_does_not_ask_for_memory_gets_none(memory: Path, home: Path) -> None:
    assert database.folder(home, in_memory=False).parent == home / "checks"
    assert list(memory.iterdir()) == []


def test_the_runner_asks_for_memory(memory: Path, home: Path, tmp_path: Path) -> None:
    check = tmp_path / "test_it.py"
    check.write_text(
        f"""def test_where(postgresql):
    "Somewhere."
    postgresql.database()
    assert str(postgresql._folder.parent) == {str(memory)!r}
""",
        encoding="utf-8",
    )
    (verdict,) = runner.run([check], tmp_path, courses.load(COURSES / "good"), home=home)
    assert verdict.outcome == "green", verdict


def test_what_a_killed_process_left_is_removed_and_nobody_elses(memory: Path, home: Path) -> None:
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True, encoding="utf-8", check=True,
    ).stdout.strip()  # fmt: skip
    prefix = f"workshop-{database._user()}-"
    stale = [memory / f"{prefix}{gone}-a", home / "checks" / f"{gone}-a"]
    fresh = [memory / f"{prefix}{os.getppid()}-b", home / "checks" / f"{os.getppid()}-b",
             memory / "PostgreSQL.1", memory / f"workshop-other-{gone}-c",
             memory / f"{prefix}odd", memory / f"{prefix}{gone}-d-e"]  # fmt: skip
    for each in (*stale, *fresh):
        each.mkdir(parents=True)
    server = database.PostgreSQL(home, in_memory=True)
    try:
        assert server.database().url
    finally:
        server.close()
    assert [each for each in stale if each.exists()] == []
    assert [each for each in fresh if not each.exists()] == []
    assert {*memory.iterdir()} == {each for each in fresh if each.parent == memory}


def test_what_is_called_like_ours_and_is_somebody_elses_stays(
    memory: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_user", lambda: 4711)
    theirs = memory / f"workshop-4711-{2**22 + 1}-a"  # no process has such a number
    theirs.mkdir()
    database.folder(home, in_memory=False)
    assert theirs.exists()
    monkeypatch.setattr(database, "_user", os.getuid)
    ours = theirs.rename(memory / f"workshop-{os.getuid()}-{2**22 + 1}-a")
    database.folder(home, in_memory=False)
    assert not ours.exists()
