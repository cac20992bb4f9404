"""Who owns the socket, and how a worker starts: nobody takes over before it is ready."""

from __future__ import annotations

import errno
import gc
import importlib.util
import json
import os
import select
import sys
import threading
import types
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest
from producing import until

from workshop.production import place as places
from workshop.production import supervisor
from workshop.production.place import Place


class Fake:
    """A server that is ready at once, or not."""

    made: ClassVar[list[Fake]] = []
    leaving: ClassVar[threading.Event] = threading.Event()
    may_leave: ClassVar[threading.Event] = threading.Event()

    def __init__(self, order: dict[str, Any], _socket: int) -> None:
        self.order, self.commit, self.stopping = order, order["commit"], False
        self.reason = order["reason"]
        self.answered = ""
        self.ended: list[bool] = []
        self.gone = threading.Event()
        self.process = types.SimpleNamespace(pid=os.getpid(), wait=self.gone.wait, returncode=0)
        self.went = False
        Fake.made.append(self)

    def go(self) -> None:
        self.went = True

    def await_ready(self, _caller: object = None) -> str:
        assert self.went, "it was asked for readiness before it might go"
        return str(self.reason)

    def leave(self) -> None:
        self.stopping = True
        Fake.leaving.set()
        assert Fake.may_leave.wait(20)

    def end(self, *, drain: bool = True) -> None:
        self.stopping = True
        self.ended.append(drain)
        self.gone.set()


@pytest.fixture
def owner(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[supervisor.Supervisor]:
    Fake.made.clear()
    Fake.leaving.clear()
    Fake.may_leave.set()
    monkeypatch.setattr(supervisor, "Server", Fake)
    made = supervisor.Supervisor(place.folder, 0)
    yield made
    made.down()


def ask(owner: supervisor.Supervisor, *words: dict[str, Any]) -> dict[str, Any]:
    """What the supervisor answers when it is told these words, and then left alone."""
    ours, theirs = Pipe()
    with ours:
        for each in words:
            ours.send_bytes(json.dumps(each).encode())
        owner.answer(theirs)
        answer: dict[str, Any] = json.loads(ours.recv_bytes())
        return answer


def switch(commit: str, reason: str = "") -> dict[str, Any]:
    return {"do": "switch", "commit": commit, "reason": reason}


def test_a_switch_sees_the_old_one_off_after_the_new_one_is_ready(
    owner: supervisor.Supervisor, place: Place
) -> None:
    assert ask(owner, switch("a"), {"go": True}) == {"reason": "", "live": "a", "answered": ""}
    assert ask(owner, switch("b"), {"go": True}) == {"reason": "", "live": "b", "answered": ""}
    until(lambda: Fake.made[0].ended == [True])
    assert (Fake.made[1].ended, place.live) == ([], "b")
    assert not owner.ended.is_set()


def test_it_says_so_only_when_the_old_one_lets_nobody_in(owner: supervisor.Supervisor) -> None:
    ask(owner, switch("a"), {"go": True})
    Fake.may_leave.clear()
    answers: list[dict[str, Any]] = []
    asking = threading.Thread(
        target=lambda: answers.append(ask(owner, switch("b"), {"go": True})), daemon=True
    )
    asking.start()
    assert Fake.leaving.wait(20)
    asking.join(0.2)
    early = list(answers), list(Fake.made[0].ended)
    Fake.may_leave.set()
    assert early == ([], [])
    asking.join(20)
    assert answers == [{"reason": "", "live": "b", "answered": ""}]
    until(lambda: Fake.made[0].ended == [True])


@pytest.mark.parametrize(
    ("reason", "go", "said"), [("broken", True, "broken"), ("", False, "it was called off")]
)
def test_what_does_not_get_ready_never_takes_over(
    owner: supervisor.Supervisor, place: Place, reason: str, go: bool, said: str
) -> None:
    ask(owner, switch("a"), {"go": True})
    assert ask(owner, switch("b", reason), {"go": go}) == {
        "reason": said,
        "live": "a",
        "answered": "",
    }
    assert (Fake.made[0].ended, Fake.made[1].ended, place.live) == ([], [False], "a")


def test_with_nothing_live_it_ends(owner: supervisor.Supervisor) -> None:
    assert ask(owner, switch("a", "broken"), {"go": True}) == {
        "reason": "broken",
        "live": None,
        "answered": "",
    }
    assert owner.ended.is_set()


def test_what_cannot_be_noted_is_not_live(
    owner: supervisor.Supervisor, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(owner, switch("a"), {"go": True})
    write = places.write

    def full(file: Path, value: Any) -> None:
        if file.name == "live.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        write(file, value)

    with monkeypatch.context() as patch:
        patch.setattr(places, "write", full)
        answer = ask(owner, switch("b"), {"go": True})
    assert answer == {"reason": "[Errno 28] No space left on device", "live": "a", "answered": ""}
    assert (Fake.made[0].ended, Fake.made[1].ended, place.live) == ([], [True], "a")


def test_it_ends_on_a_full_disk_too(
    owner: supervisor.Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(owner, switch("a"), {"go": True})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(places, "write", full)
    refused = {"reason": "[Errno 28] No space left on device", "live": "a", "answered": ""}
    assert ask(owner, switch("b"), {"go": True}) == refused
    assert ask(owner, {"do": "down"}) == {"reason": "", "live": None, "answered": ""}
    assert [each.ended for each in Fake.made] == [[True], [False]]
    assert owner.ended.is_set()


@pytest.mark.parametrize("missing", ["python", "log"])
def test_nothing_is_left_of_a_server_that_cannot_be_started(place: Place, missing: str) -> None:
    order = {
        "commit": "a", "python": sys.executable, "log": str(place.logs / "log"), "wsgi": "app",
        "folder": str(place.folder), "variables": {}, "probe": "/", "host": "127.0.0.1:1",
    } | {missing: str(place.folder / "gone" / "away")}  # fmt: skip
    us = psutil.Process()
    before = us.num_fds()
    for _ in range(3):
        with pytest.raises(FileNotFoundError):
            supervisor.Server(order, 0)
    assert us.num_fds() == before


# --- a worker's start ----------------------------------------------------------------------------


class Worker:
    """As gunicorn has it: the n-th of its server."""

    def __init__(self, age: int, application: Callable[..., Any]) -> None:
        self.age, self.wsgi, self.notified = age, application, 0
        self.alive, self.accepting = True, True

    def notify(self) -> None:
        self.notified += 1

    def set_accept_enabled(self, enabled: bool) -> None:
        self.accepting = enabled


class Serving:
    """gunicorn_conf.py, with the supervisor's ends of its pipes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said, ready = os.pipe()
        gate, self.gate = os.pipe()
        for name, value in {
            "COMMIT": "c" * 40, "PROBE": "/ready", "HOST": "127.0.0.1:1",
            "READY": str(ready), "GATE": str(gate),
        }.items():  # fmt: skip
            monkeypatch.setenv(f"WORKSHOP_{name}", value)
        spec = importlib.util.spec_from_file_location("conf", supervisor._CONF)
        assert spec is not None
        assert spec.loader is not None
        self.conf = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.conf)
        self._mine = [self.said, ready, gate, self.gate]

    def hang_up(self) -> None:
        """As when the supervisor is killed."""
        self._mine.remove(self.gate)
        os.close(self.gate)

    def close(self) -> None:
        for each in self._mine:
            os.close(each)


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    made = Serving(monkeypatch)
    yield made
    made.close()


def answers(*statuses: str) -> Callable[..., list[bytes]]:
    """An application that gives these answers in turn, then the last for good."""
    waiting = list(statuses)

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        assert environ["PATH_INFO"] == "/ready"
        start_response(waiting.pop(0) if len(waiting) > 1 else waiting[0], [])
        return []

    return application


def test_it_waits_for_the_release_command_and_then_for_readiness(serving: Serving) -> None:
    worker = Worker(1, answers("503 Busy", "503 Busy", "500 Oops", "200 OK"))
    starting = threading.Thread(target=serving.conf.post_worker_init, args=(worker,))
    starting.start()
    until(lambda: worker.notified > 0)  # gunicorn must not take it for dead meanwhile
    assert starting.is_alive()
    os.write(serving.gate, b"g")
    starting.join()
    assert os.read(serving.said, 999) == (
        b"no GET /ready answers 503 Busy\nno GET /ready answers 500 Oops\nready 200 OK\n"
    )


def test_it_ends_when_its_supervisor_is_gone_before_it_may_go(serving: Serving) -> None:
    """Nobody has noted it, and the release command may not have run: it must not serve."""
    worker = Worker(1, answers("200 OK"))
    serving.hang_up()
    with pytest.raises(SystemExit) as end:
        serving.conf.post_worker_init(worker)
    assert end.value.code
    assert not select.select([serving.said], [], [], 0)[0]


def test_it_tells_when_it_lets_nobody_in_for_good(serving: Serving) -> None:
    worker = Worker(1, answers("200 OK"))
    os.write(serving.gate, b"g")
    serving.conf.post_worker_init(worker)
    assert os.read(serving.said, 999) == b"ready 200 OK\n"
    worker.set_accept_enabled(False)  # it has enough to do at the moment
    worker.alive = False
    worker.set_accept_enabled(True)  # the signal came in between
    assert not select.select([serving.said], [], [], 0)[0]
    worker.set_accept_enabled(False)
    assert not worker.accepting
    assert select.select([serving.said], [], [], 0)[0]
    assert os.read(serving.said, 999) == b"left\n"


def test_another_kind_of_worker_is_fine(serving: Serving) -> None:
    worker = types.SimpleNamespace(age=1, wsgi=answers("200 OK"))
    os.write(serving.gate, b"g")
    serving.conf.post_worker_init(worker)
    assert os.read(serving.said, 999) == b"ready 200 OK\n"


def test_a_worker_loads_its_application_without_a_look_at_the_dead(serving: Serving) -> None:
    worker = Worker(1, answers("200 OK"))
    os.write(serving.gate, b"g")
    frozen = gc.get_freeze_count()
    serving.conf.post_fork(None, worker)
    try:
        assert not gc.isenabled()
        serving.conf.post_worker_init(worker)
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()
        gc.enable()


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "302 Found", "404 Not Found"])
def test_these_are_ready(serving: Serving, status: str) -> None:
    assert serving.conf._ask(answers(status)) is None


@pytest.mark.parametrize("status", ["400 Bad", "401 No", "500 Oops", "503 Busy", "nonsense"])
def test_these_are_not(serving: Serving, status: str) -> None:
    assert serving.conf._ask(answers(status)) == f"GET /ready answers {status}"


def test_one_that_replaces_another_serves_at_once_but_only_when_that_was_ready(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    class HaltServer(BaseException):
        pass

    errors = types.ModuleType("gunicorn.errors")
    errors.HaltServer = HaltServer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gunicorn", types.ModuleType("gunicorn"))
    monkeypatch.setitem(sys.modules, "gunicorn.errors", errors)
    first, second = Worker(1, answers("200 OK")), Worker(2, answers("503 Busy"))
    serving.conf.pre_fork(None, first)
    with pytest.raises(HaltServer):
        serving.conf.pre_fork(None, second)
    os.write(serving.gate, b"g")
    serving.conf.post_worker_init(first)
    serving.conf.pre_fork(None, second)
    serving.conf.post_worker_init(second)
    assert os.read(serving.said, 999) == b"ready 200 OK\n"
