"""A miniature project in a production of its own: what the tests of the production share.

The project is one file without Django, so that a deploy takes a fraction of a second.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from conftest import COURSES, commit

from workshop import course, production
from workshop.production import log
from workshop.production import place as places

GOOD = COURSES / "good"
# Tests run side by side. Whoever comes back to a port of the first hundred may find another there.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS = itertools.count(20_000 + 500 * (_WORKER % 20))

# WORD is what the page says; a path chooses what else it does.
_PAGE = """\
import os, time

def application(environ, start_response):
    path = environ["PATH_INFO"]
    headers = [("Content-Type", "text/plain")]
    if path == "/boom":
        raise RuntimeError("boom")
    if path == "/slow":
        time.sleep(1)
    if path == "/faked":
        headers += [("X-Release", "faked"), ("x-release", "twice")]
    start_response("200 OK", headers)
    if path.startswith("/variable/"):
        return [os.environ.get(path.removeprefix("/variable/"), "unset").encode()]
    return [b"WORD"]
"""


def page(word: str) -> dict[str, str]:
    """The project's files: a page that says `word`."""
    return {"app.py": _PAGE.replace("WORD", word), "requirements.txt": "# nothing is needed\n"}


class Answer(NamedTuple):
    """What a visitor gets."""

    status: int
    release: list[str]
    body: str


class Site(NamedTuple):
    """A project, and its production."""

    project: Path
    environment: str = "production"

    @property
    def place(self) -> places.Place:
        return places.of(self.project, self.environment)

    @property
    def live(self) -> str | None:
        return self.place.live

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The command line, as a person uses it."""
        return subprocess.run(
            self._command(words), cwd=self.project, env=os.environ | variables,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """The same, in the background."""
        return subprocess.Popen(
            self._command(words), cwd=self.project,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def _command(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "workshop", words[0], "--course", str(GOOD), *words[1:]]

    def killed(self, point: str, *words: str) -> None:
        """Run the command line, which is killed (SIGKILL) as soon as it calls `point`."""
        code = (
            "import os, pkgutil, signal, sys\n"
            "from workshop import cli\n"
            "owner, name = sys.argv[1].rsplit('.', 1)\n"
            "setattr(pkgutil.resolve_name(owner), name,\n"
            "        lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))\n"
            "cli.main(sys.argv[2:])\n"
        )
        if words[0] == "deploy" and self.place.port is None:
            words = (*words, "--port", str(own_port()))  # the next deploy wants it, too
        done = subprocess.run(
            [sys.executable, "-c", code, point, words[0], "--course", str(GOOD), *words[1:]],
            cwd=self.project, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == -9, done

    def commit(self, word: str, **more: str) -> str:
        """Commit a page that says `word`."""
        return commit(self.project, page(word) | more, word)

    def deploy(self, word: str, **more: Any) -> str:
        """Commit a page that says `word`, and bring it live, on a port that no other test has."""
        if self.place.port is None:
            more.setdefault("port", own_port())
        made = self.commit(word)
        again = production.deploy(self.project, self.environment, course.platform(GOOD), **more)
        assert again.commit == made
        return made

    def get(self, path: str = "/") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.place.port or 0, timeout=20)
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        return Answer(response.status, response.headers.get_all("X-Release", []), body)

    def serves(self, word: str, made: str) -> None:
        """Assert that this page answers, from this commit."""
        assert self.get() == Answer(200, [made], word)

    def log(self) -> list[tuple[str, str, str]]:
        """Kind, commit and outcome of each line of the deploy log."""
        return [(each.kind, each.commit, each.outcome) for each in log.entries(self.place)]

    def supervisor(self) -> psutil.Process:
        known = json.loads((self.place.folder / "supervisor.json").read_text("utf-8"))
        return psutil.Process(known["pid"])

    def processes(self) -> list[psutil.Process]:
        """All that runs for this environment, whether the supervisor lives or not."""
        return [
            each
            for each in psutil.process_iter(["cmdline", "environ"])
            if str(self.place.folder)
            in (*(each.info["cmdline"] or ()), (each.info["environ"] or {}).get("HOME"))
        ]

    def leftovers(self) -> list[str]:
        """What is half-made."""
        return sorted(path.name for path in self.place.folder.rglob("*.part"))


def own_port() -> int:
    """A port that no other test has, and nobody else."""
    for port in _PORTS:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("they never end")


def until(true: Callable[[], object], seconds: float = 20) -> None:
    """Wait until it is so."""
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up, "it never happened"
        time.sleep(0.02)


def ended(processes: Iterable[psutil.Process]) -> bool:
    """Whether all have ended. What only waits to be collected by its parent has."""

    def alive(process: psutil.Process) -> bool:
        try:
            return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    return not any(alive(each) for each in processes)


@pytest.fixture
def place(tmp_path: Path) -> places.Place:
    """An environment without a project: its folders."""
    made = places.Place(tmp_path / "project", "production", tmp_path / "place")
    places.prepare(made)
    return made


@pytest.fixture
def site(project: Path, home: Path, environments: Path) -> Iterator[Site]:
    """A project whose production ends with the test, whatever the test did to it."""
    (home / "environments").symlink_to(environments, target_is_directory=True)
    yield Site(project)
    for each in places.every(project):
        production.down(project, each.environment)
        left = Site(project, each.environment).processes()
        psutil.wait_procs(left, timeout=5)
        assert ended(left), left
