"""The parts of the production, one by one: the log, the place, the way to the supervisor."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from producing import until

from workshop.errors import WorkshopError
from workshop.production import client, log, release, switching
from workshop.production import place as places
from workshop.production.place import Place

# --- the log -------------------------------------------------------------------------------------


def test_an_entry_is_a_line_and_comes_back(place: Place) -> None:
    assert log.entries(place) == ()
    one = log.begin(place, "deploy", "a" * 40, "2026-01-01T00:00:00+00:00")
    assert json.loads((place.folder / "deploying.json").read_text())["pid"] == os.getpid()
    log.end(place, one._replace(outcome="failed", reason="two\nlines"))
    assert not (place.folder / "deploying.json").exists()
    assert log.sweep(place) is None
    assert log.entries(place) == (one._replace(outcome="failed", reason="two\nlines"),)
    assert len((place.folder / "deploys.jsonl").read_text().splitlines()) == 1


def test_a_line_that_the_disk_has_no_room_for_leaves_no_half(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.end(place, log.begin(place, "deploy", "a" * 40, ""))
    before = (place.folder / "deploys.jsonl").read_bytes()
    write = os.write
    entry = log.begin(place, "deploy", "b" * 40, "")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:20]))
        with pytest.raises(OSError, match="No space left"):
            log.end(place, entry)
    assert (place.folder / "deploys.jsonl").read_bytes() == before
    assert log.sweep(place) == entry  # and it is told next time
    assert [each.commit[0] for each in log.entries(place)] == ["a", "b"]


def test_a_last_line_that_was_cut_off_is_left_out_and_the_next_takes_its_place(
    place: Place,
) -> None:
    file = place.folder / "deploys.jsonl"
    log.end(place, log.begin(place, "deploy", "a" * 40, ""))
    whole = file.read_bytes()
    for cut in (whole[:50], b"\0" * 9, b"{}", b'"\xff'):
        file.write_bytes(whole + cut)
        assert [each.commit[0] for each in log.entries(place)] == ["a"]
        log.end(place, log.begin(place, "deploy", "b" * 40, ""))
        assert [each.commit[0] for each in log.entries(place)] == ["a", "b"]
    file.write_bytes(whole[:-1])  # only its end is missing
    assert len(log.entries(place)) == 1
    log.end(place, log.begin(place, "deploy", "b" * 40, ""))
    assert [each.commit[0] for each in log.entries(place)] == ["a", "b"]


def test_another_line_that_is_damaged_is_named(place: Place) -> None:
    file = place.folder / "deploys.jsonl"
    for letter in "ab":
        log.end(place, log.begin(place, "deploy", letter * 40, ""))
    one, two = file.read_bytes().splitlines(keepends=True)
    for damaged in (one[:50] + b"\n", b"{}\n", b"\xff\n", b"\n"):
        for number, lines in ((2, one + damaged + two), (3, one + two + damaged)):
            file.write_bytes(lines)
            with pytest.raises(WorkshopError) as error:
                log.entries(place)
            assert str(error.value) == (
                f"{file}:{number}: this line of the deploy log is damaged\n"
                "Take it out of the file, then try again. The other lines are well."
            )


# --- the place -----------------------------------------------------------------------------------


def test_a_file_is_written_whole_or_not_at_all(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = place.folder / "x.json"
    places.write(file, {"a": 1})
    with pytest.raises(TypeError):
        places.write(file, {"a": "b" * 9999, "c": object()})
    assert places.read(file) == {"a": 1}
    assert [each.name for each in place.folder.glob(".*")] == []
    assert file.stat().st_mode & 0o777 == 0o600
    assert places.read(place.folder / "absent.json") is None


def test_a_damaged_file_is_named(place: Place) -> None:
    file = place.folder / "live.json"
    for data in (b"{", b"\xff"):
        file.write_bytes(data)
        with pytest.raises(WorkshopError) as error:
            _ = place.live
        assert str(error.value) == f"{file}: this file is damaged\nDelete it, and deploy again."


def test_folders_others_may_walk_through_but_not_read(place: Place) -> None:
    modes = [
        oct(each.stat().st_mode & 0o777) for each in (place.folder, place.releases, place.logs)
    ]
    assert modes == ["0o711", "0o700", "0o700"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_nothing_unheard_of(place: Place, number: int) -> None:
    with pytest.raises(WorkshopError) as error, places.locked(place):
        raise OSError(number, os.strerror(number))
    assert str(error.value) == (
        f"{place.folder}: the disk is full: {os.strerror(number)}\nMake room, then try again."
    )
    with pytest.raises(PermissionError), places.locked(place):
        raise PermissionError(errno.EACCES, "no")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_home_that_cannot_be_written_to_is_told(
    place: Place, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "chmod", refuses)
    with pytest.raises(WorkshopError) as error, places.locked(place):
        pass
    assert str(error.value) == (
        f"{place.folder}: the workshop can't write here: {os.strerror(number)}\n"
        "Name a folder of yours: export WORKSHOP_HOME=..."
    )


# --- the client ----------------------------------------------------------------------------------


def test_a_supervisor_that_cannot_say_where_it_is_does_not_stay(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    places.write(place.folder / "live.json", {"commit": "a" * 40})
    # the file cannot be put there: a folder is in its place
    (place.folder / "supervisor.json").mkdir()
    (place.folder / "supervisor.json" / "x").touch()
    with pytest.raises(WorkshopError) as error:
        client.ensure(place, 0)
    assert str(error.value) == (
        f"{place.project}: the process that runs this environment did not start\n"
        f"Its log: {place.logs / 'supervisor.log'}"
    )
    until(lambda: not client.running(place), 5)


def test_who_only_looks_never_keeps_a_supervisor_from_starting(place: Place) -> None:
    (place.folder / "supervisor.lock").touch()
    looking = True

    def look() -> None:
        while looking:
            client.running(place)

    watchers = [threading.Thread(target=look) for _ in range(3)]
    for each in watchers:
        each.start()
    try:
        for _ in range(3):
            client.ensure(place, 0)
            with client.call(place) as call:
                call.say({"do": "down"})
                assert call.hear() == {"reason": "", "live": None, "answered": ""}
            until(lambda: not (place.folder / "supervisor.json").exists(), 5)
            switching.await_end(place)
    finally:
        looking = False
        for each in watchers:
            each.join()


def test_only_who_knows_the_key_is_heard(place: Place) -> None:
    client.ensure(place, 0)
    try:
        file = place.folder / "supervisor.json"
        known = places.read(file) or {}
        places.write(file, known | {"key": "00" * 32})
        from multiprocessing import AuthenticationError

        with pytest.raises(AuthenticationError), client.call(place):
            pass
    finally:
        places.write(file, known)
        with client.call(place) as call:
            call.say({"do": "down"})
            call.hear()
        switching.await_end(place)
    assert not client.running(place)


# --- the release command -------------------------------------------------------------------------

SCRIPT = """
import atexit, gc, sys
from beside import WORD

if __name__ == "__main__":
    print(WORD, sys.argv, gc.get_threshold()[0] > 100_000, sys.modules["__main__"].WORD)
    atexit.register(lambda: print("frozen", gc.get_freeze_count()))
    if sys.argv[1:]:
        raise SystemExit(int(sys.argv[1]))
"""


def once(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, release._ONCE, *words], cwd=folder, capture_output=True, text=True
    )


def test_a_script_runs_as_it_would_without_us(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "beside.py").write_text("WORD = 'hello'\n")
    done = once(tmp_path, "script.py")
    assert (done.returncode, done.stderr) == (0, "")
    # what the script registers is called before we freeze
    assert done.stdout == "hello ['script.py'] True hello\nfrozen 0\n"
    assert once(tmp_path, "script.py", "7").returncode == 7


def test_a_script_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("def f():\n    raise ValueError('no')\n\nf()\n")
    done = once(tmp_path, "script.py")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ValueError: no"
    assert 'script.py", line 2, in f' in done.stderr
