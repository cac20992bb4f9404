"""A client that can't count losses proves nothing: each kind is made, and must be counted."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from workshop import load
from workshop.errors import WorkshopError
from workshop.sending import Report

GOOD = b"HTTP/1.1 200 OK\r\nX-Release: abc\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
Answer = Callable[[socket.socket, int], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    """Starts a server on loopback that treats its n-th connection as it is told."""
    listeners: list[socket.socket] = []

    def start(answer: Answer) -> str:
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        listeners.append(listener)

        def accept() -> None:
            number = 0
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                number += 1
                with connection:
                    connection.recv(65536)
                    answer(connection, number)

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def good(connection: socket.socket, _: int) -> None:
    connection.sendall(GOOD)


def spoil_the_third(spoil: Callable[[socket.socket], None]) -> Answer:
    def answer(connection: socket.socket, number: int) -> None:
        if number == 3:
            spoil(connection)
        else:
            connection.sendall(GOOD)

    return answer


def reset(connection: socket.socket) -> None:
    # closing with linger 0 sends RST instead of FIN
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def run(url: str, **more: float) -> Report:
    options = {"requests": 10, "rate": 500.0, "keep_alive": False, "connections": 1} | more
    return load.run(url, **options)  # type: ignore[arg-type]


def test_what_is_answered_is_counted_by_release(serve: Callable[[Answer], str]) -> None:
    report = run(serve(good))
    assert (report.sent, report.answered, report.lost) == (10, 10, {})
    assert report.releases == {"abc": 10}
    assert report.statuses == {200: 10}


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("reset", reset),
        ("cut short", lambda _: None),
        ("cut short", lambda connection: connection.sendall(GOOD[:-1])),
        ("503", lambda connection: connection.sendall(GOOD.replace(b"200 OK", b"503 No"))),
        ("BadStatusLine", lambda connection: connection.sendall(b"what?\r\n\r\n")),
        ("timeout", lambda _: time.sleep(3)),
    ],
)
def test_each_kind_of_loss_is_counted(
    kind: str, spoil: Callable[[socket.socket], None], serve: Callable[[Answer], str]
) -> None:
    # a busy machine may be slow to answer the others, but not that slow
    report = run(serve(spoil_the_third(spoil)), timeout=2)
    assert report.lost == {kind: 1}
    assert (report.sent, report.answered) == (10, 9)


def test_a_refused_connection_is_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert run(f"http://127.0.0.1:{port}/").lost == {"refused": 10}


def test_the_rate_is_kept_and_a_slow_answer_does_not_slow_it(
    serve: Callable[[Answer], str],
) -> None:
    report = run(serve(good), requests=50, rate=250, connections=4)
    assert 0.19 < report.seconds < 1.0
    slow = run(serve(spoil_the_third(lambda _: time.sleep(0.3))), requests=5)
    assert slow.longest >= 0.3


def test_it_stops_when_told(serve: Callable[[Answer], str]) -> None:
    running = load.start(serve(good), requests=100_000, rate=200, keep_alive=False)
    time.sleep(0.1)
    report = running.stop()
    assert 0 < report.sent < 200
    assert report.answered == report.sent


def test_a_connection_is_kept_when_asked_for(serve: Callable[[Answer], str]) -> None:
    seen = []

    def answer(connection: socket.socket, number: int) -> None:
        seen.append(number)
        while True:
            connection.sendall(GOOD.replace(b"Connection: close", b"Connection: keep-alive"))
            if not connection.recv(65536):
                return

    report = load.run(serve(answer), requests=20, rate=500, keep_alive=True, connections=1)
    assert (report.answered, seen) == (20, [1])


def test_only_this_machine_is_loaded() -> None:
    with pytest.raises(WorkshopError) as error:
        load.run("http://example.org/", requests=1, rate=1, keep_alive=False)
    assert str(error.value) == (
        "http://example.org/: example.org is not this machine\nLoad a server on 127.0.0.1."
    )
