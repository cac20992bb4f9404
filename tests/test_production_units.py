"""The parts of the production, one by one: the log, the place, the way to the supervisor."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import ClassVar, cast

import psutil
import pytest
from producing import ended, until

from workshop.errors import WorkshopError
from workshop.production import client, log, processes, release, supervisor, switching
from workshop.production import place as places
from workshop.production.place import Place

# --- the log -------------------------------------------------------------------------------------


def test_an_entry_is_a_line_and_comes_back(place: Place) -> None:
    assert log.entries(place) == ()
    one = log.begin(place, "deploy", "a" * 40, "2026-01-01T00:00:00+00:00")
    assert json.loads((place.folder / "deploying.json").read_text())["pid"] == os.getpid()
    log.end(place, one._replace(outcome="failed", reason="two\nlines"))
    assert not (place.folder / "deploying.json").exists()
    assert log.begun(place) is None
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
    said: list[str] = []
    release.clear_up(place, lambda *words: said.append(": ".join(words)))
    assert said == [f"repaired: the deploy of {'b' * 10} was interrupted"]
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


def test_where_nobody_runs_any_more_the_port_is_free(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python takes a while to end. Here, a second; it lets go of the lock before that.
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, time\natexit.register(time.sleep, 1)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    client.ensure(place, 0)
    with client.call(place) as call:
        call.say({"do": "down"})
        call.hear()
    until(lambda: not client.running(place))
    socket.create_server(("127.0.0.1", place.port or 0)).close()


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


def test_one_that_is_silent_holds_up_nobody(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    client.ensure(place, 0)
    owner = places.read(place.folder / "supervisor.json") or {}
    try:
        monkeypatch.setattr(client, "ANSWER", 3.0)
        with contextlib.ExitStack() as stack:
            for _ in range(5):
                stack.enter_context(socket.create_connection(("127.0.0.1", owner["port"]), 3))
            with client.call(place) as call:
                call.say({"do": "down"})
                assert call.hear()["live"] is None
        switching.await_end(place)
    finally:
        client.kill(place)


def test_one_that_stays_silent_is_hung_up_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER", 0.1)
    ours, theirs = Pipe()
    owner = supervisor.Supervisor(place.folder, 0)
    hearing = threading.Thread(target=supervisor._hear, args=(theirs, owner, b"key"), daemon=True)
    with ours:
        hearing.start()
        hearing.join(10)
        assert not hearing.is_alive()
        assert ours.recv_bytes().startswith(b"#CHALLENGE#")
        with pytest.raises(EOFError):
            ours.recv_bytes()
    assert not owner.ended.is_set()


def test_only_the_greeting_has_a_limit() -> None:
    ours, theirs = Pipe()
    with ours, theirs:
        with client.limited(ours, 0.1), pytest.raises(OSError, match="unavailable"):
            ours.recv_bytes()
        later = threading.Timer(0.4, theirs.send_bytes, [b"late"])
        later.start()
        assert ours.recv_bytes() == b"late"
        later.join()


@pytest.mark.parametrize("greets", [True, False])
def test_whoever_does_not_answer_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch, greets: bool
) -> None:
    """It lets nobody in any more, or falls silent in the middle of the greeting."""
    monkeypatch.setattr(client, "ANSWER", 0.3)
    told = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, contextlib.ExitStack() as stack:
        port = deaf.getsockname()[1]
        places.write(place.folder / "supervisor.json", {"port": port, "key": "00"})
        if not greets:
            for _ in range(4):  # fill its queue
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.1", port))

        def be_silent() -> None:
            if greets:
                with Connection(deaf.accept()[0].detach()) as connection:
                    connection.send_bytes(b"#CHALLENGE#" + b"x" * 20)
                    told.wait(9)
            told.wait(9)
            deaf.close()

        silence = threading.Thread(target=be_silent)
        silence.start()
        began = time.monotonic()
        with pytest.raises(WorkshopError, match="does not answer"), client.call(place):
            pass
        waited = time.monotonic() - began
        told.set()
        silence.join()
    assert waited < 5


def test_who_cannot_be_let_in_is_tried_again_after_a_breath(place: Place) -> None:
    class Full:
        """No descriptor is left."""

        times: ClassVar[list[float]] = []

        def accept(self) -> Connection:
            self.times.append(time.monotonic())
            if len(self.times) > 3:
                raise SystemExit
            raise OSError(errno.EMFILE, "Too many open files")

    with pytest.raises(SystemExit):
        supervisor._accept(cast("Listener", Full()), supervisor.Supervisor(place.folder, 0), b"")
    assert Full.times[-1] - Full.times[0] >= 0.3


# --- who was left --------------------------------------------------------------------------------


@pytest.fixture
def left() -> Iterator[psutil.Popen]:
    """A process that waits."""
    with psutil.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as made:
        yield made


def set_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told as a time of day moves with it."""
    told = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: told(self) + 1)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the time of a start never moves")
def test_who_was_left_is_ended_though_the_clock_was_set(
    place: Place, left: psutil.Popen, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = place.folder / "servers.json"
    places.write(file, {str(left.pid): processes.born(left.pid)})
    set_the_clock(monkeypatch)
    assert client.end_orphans(place) == 1
    assert ended([left])
    assert not file.exists()


def test_a_note_of_an_older_workshop(
    place: Place, left: psutil.Popen, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = place.folder / "servers.json"
    note = {str(left.pid): left.create_time()}
    places.write(file, note)
    with monkeypatch.context() as patch:
        set_the_clock(patch)
        assert client.end_orphans(place) == 0  # it may be somebody else
    assert (left.poll(), places.read(file)) == (None, note)  # or it, so that it stays noted
    assert client.end_orphans(place) == 1
    assert ended([left])
    assert not file.exists()


@pytest.mark.parametrize("noted", ["", 0.0, "another-start-of-the-machine 7"])
def test_nobody_is_ended_for_one_that_is_certainly_gone(
    place: Place, left: psutil.Popen, noted: str | float
) -> None:
    file = place.folder / "servers.json"
    places.write(file, {str(left.pid): noted})
    assert client.end_orphans(place) == 0
    assert left.poll() is None
    assert not file.exists()
    left.kill()
    until(lambda: not processes.born(left.pid))  # nobody has buried it yet
    places.write(file, {str(left.pid): 1.0})
    assert client.end_orphans(place) == 0
    assert not file.exists()


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
