"""Visitors tell three things apart: a whole answer, half of one, and none."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from workshop.checks import pod, visits

HEAD = b"HTTP/1.0 200 OK\r\n\r\nbegan\n"


@pytest.fixture
def door() -> Iterator[socket.socket]:
    listening = socket.create_server(("127.0.0.1", 0))
    yield listening
    listening.close()


def answer(
    door: socket.socket, *, pieces: tuple[bytes, ...], visitors: int = 1
) -> threading.Thread:
    """Let so many in, one after the other, and give each of them these pieces."""

    def serve() -> None:
        for _ in range(visitors):
            connection, _ = door.accept()
            with connection:
                connection.recv(4096)
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(0.05)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("pieces", "begun", "answered"),
    [
        ((HEAD, b"ended\n"), True, True),
        ((HEAD,), True, False),
        ((), False, False),
        ((b"HTTP/1.0 503 Later\r\n\r\nended\n",), False, True),
    ],
)
def test_a_visit(
    door: socket.socket, pieces: tuple[bytes, ...], begun: bool, answered: bool
) -> None:
    server = answer(door, pieces=pieces)
    visit = visits.Visit(door.getsockname()[1], 0)
    assert visit.inside(5.0) is begun
    visit.join()
    server.join()
    assert (visit.begun, visit.answered) == (begun, answered)


def test_a_crowd_goes_when_one_is_turned_away(door: socket.socket) -> None:
    server = answer(door, pieces=(HEAD, b"ended\n"), visitors=3)
    crowd = visits.Crowd(door.getsockname()[1], people=1, seconds=30.0)
    server.join()
    door.close()
    assert [each.answered for each in crowd.gone()] == [True, True, True, False]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            "docker: Error response from daemon: OCI runtime create failed: unable to start"
            ' container process: exec: "run.sh": permission denied: unknown\n\n'
            "Run 'docker run --help' for more information\n",
            '"run.sh": permission denied',
        ),
        ("docker: Error response from daemon: no such network.\n", "no such network."),
        ("something else\n", "something else"),
    ],
)
def test_why_a_container_did_not_start(said: str, why: str) -> None:
    assert pod._why(said) == why
