"""The project's image, run as an operator runs it: with few rights, beside a database of its own.

What a check adds to the project, such as a page that takes its time, is laid over one of its files
while it runs. The image stays as it is.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from workshop import containers, paths
from workshop.checks import beside, clone, near, visits, words
from workshop.checks.failure import CheckFailed, expect
from workshop.checks.image import Image
from workshop.checks.running import START, Container, Ended, Running
from workshop.checks.site import Site

PORT, WEB_PORT = 8000, 8080  # where the application listens, and where the web server does
_FETCH = 600.0
_JOB = 60.0  # seconds for a command that is no server
_POLL = 0.1
_WORDS = 3  # lines
_TRACEBACK = "Traceback (most recent call last):"
_PREFIX = "workshop-pod"
_WEB = "deployment/webserver/nginx.conf"
_WEB_IMAGE = "nginx:1"
_NO_FILE = "no such file or directory"
_LINES = (
    "Is the file in the image? Then look at its lines: they must end as on Linux, with LF alone."
)
# As few rights as an operator gives: no file to write but in /tmp, and no privilege.
_STRICT = (
    "--read-only", "--tmpfs", "/tmp",  # noqa: S108  the container's, and no folder of ours
    "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
)  # fmt: skip
_NOBODY = ("--user", "10001:10001")


class Pod:
    """A server of the project at a time, with all that belongs to it. What was before it, ends."""

    def __init__(self, project: Path, image: Image, home: Path | None = None) -> None:
        self._project = project
        self._image = image
        self._home = (home or paths.home()) / "pods"
        self._name = ""
        self._count = 0
        self._parts: list[Container] = []  # what has been started
        self._timer: threading.Timer | None = None  # starts the database

    @property
    def config(self) -> dict[str, str]:
        """What an operator tells the project."""
        return {
            "SECRET_KEY": "known-to-this-check-alone-and-gone-with-it",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "DATABASE_URL": beside.URL,
        }

    # What it does

    def up(
        self, *, late: float = 0, env: Mapping[str, str] | None = None, web: bool = False
    ) -> Running:
        """Start a server, and wait until /livez answers 200. The database starts `late` seconds
        later; with `web`, the project's web server stands in front."""
        running = self.start(late=late, env=env, web=web)
        parts = [each for each in (running.web, running.application) if each]
        answer = None
        give_up = time.monotonic() + START + late
        while time.monotonic() < give_up:
            with contextlib.suppress(CheckFailed):
                answer = running.site.get("/livez")
                if answer.status == 200:
                    return running
            for each in parts:
                if not each.runs:
                    raise CheckFailed(
                        seen=f"the {each.role} ended:\n{self._last(each.said)}".rstrip(),
                        expected="a server that goes on",
                        do=_LINES
                        if _NO_FILE in each.said
                        else "Mend what the last words say. It"
                        " may write to /tmp alone, and it is not root.",
                    )
            time.sleep(_POLL)
        said = "".join(f"\n{self._last(each.said)}" for each in reversed(parts)).rstrip()
        raise CheckFailed(
            seen=f"GET /livez got {answer or 'no answer'} within {START:.0f} seconds{said}",
            expected="200",
            do=f"Read the last words. Inside its container, the {parts[0].role} must listen on"
            f" 0.0.0.0:{WEB_PORT if web else PORT}.",
        )

    def start(
        self, *, database: bool = True, late: float = 0, env: Mapping[str, str] | None = None,
        instead: Mapping[str, str] | None = None, web: bool = False,
    ) -> Running:  # fmt: skip
        """Start a server, and wait for nothing. `env` are all its variables (`config` when None);
        `instead` has other texts for files of the project."""
        front = self._read(_WEB) if web else ""
        static = ("--volume", self.static_root) if web else ()
        network = self._network(database=database, late=late)
        texts = {visits.URLS: self._read(visits.URLS) + visits.CODE, **(instead or {})}
        inside = WEB_PORT if web else PORT
        application = self._container(
            "application", self._image.built, "--network", network, *static,
            "--publish", f"127.0.0.1::{inside}", *self._laid_over(texts),
            *_variables(self.config if env is None else env),
        )  # fmt: skip
        site = Site(containers.port(application.name, inside), {})
        return Running(network, application, self._web(application, front) if web else None, site)

    def run(self, *command: str, late: float = 0) -> Ended:
        """Run a command of the image to its end, with a new database."""
        return self._job(self._network(database=True, late=late), self.config, command)

    def beside(self, running: Running, *command: str, **env: str) -> Ended:
        """Run a command of the image to its end, with the database of a server."""
        return self._job(running.network, self.config | env, command)

    def tables(self) -> int:
        """How many tables the database has."""
        asked = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        said = containers.ask(
            beside.container(self._name), "psql", "--username", "postgres", "-tAc", asked
        ).out
        return int(said.strip() or 0)

    def close(self) -> None:
        """End all of it, and leave no container, network or file behind."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
            self._timer = None
        if self._name:
            containers.remove(self._name)
            while self._parts:
                self._parts.pop().forget()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._name = ""

    # What is inside

    @functools.cached_property
    def static_root(self) -> str:
        """The folder of the image that has all static files."""
        found = self._asked(
            "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'application.settings';"
            " from django.conf import settings; print(settings.STATIC_ROOT or '')"
        )
        expect(
            found.startswith("/"),
            seen=f"STATIC_ROOT is {found or 'not set'}",
            expected="a folder for all static files, named from the root",
            do='In application/settings.py: STATIC_ROOT = Path(__file__).parents[1] / "static"',
        )
        return found

    @functools.cached_property
    def root(self) -> str:
        """Where the project is, in its image."""
        code = "import os, application as it; print(os.path.dirname(list(it.__path__)[0]))"
        return self._asked(code)

    def has(self, path: str) -> bool:
        """Whether there is such a file in the image."""
        return self._asked(f"import os; print(os.path.isfile({path!r}))") == "True"

    def _asked(self, code: str) -> str:
        """What Python prints in the image, without its entry point."""
        name = f"{self._image.built}-asked"
        began = time.monotonic()
        containers.start(
            name, self._image.built, ("-c", code),
            (*_STRICT, "--entrypoint", "python", *_variables(self.config)),
        )  # fmt: skip
        asked = Container(name, "question", began)
        try:
            ended = asked.ended(_JOB)
        finally:
            containers.remove(name)
            asked.forget()
        last = words.tail(ended.said, Path("/"))
        expect(
            ended.code == 0,
            seen=f"in the image, Python can't load the project:\n{last}",
            expected="manage.py and application/ in the image's working folder",
            do="Look at WORKDIR and COPY in the Dockerfile.",
        )
        return ended.said.strip().splitlines()[-1] if ended.said.strip() else ""

    # How

    @property
    def _folder(self) -> Path:
        return self._home / self._name.removeprefix(f"{_PREFIX}-")

    def _network(self, *, database: bool, late: float) -> str:
        """A new network. Its database, if it has one, starts so many seconds later."""
        self.close()
        clone.sweep(self._home)
        for each in clone.left(containers.names(), _PREFIX):
            containers.remove(each)
        assert self.root  # before any clock runs
        self._name = f"{_PREFIX}-{os.getpid()}-{secrets.token_hex(3)}"
        self._folder.mkdir(parents=True)
        containers.network(self._name)
        if database:
            beside.fetch()
            self._timer = threading.Timer(late, beside.start, [self._name])
            self._timer.start()
            if not late:
                self._timer.join()
                beside.wait(self._name, START)
        return self._name

    def _container(
        self, role: str, image: str, *options: str, command: Sequence[str] = ()
    ) -> Container:
        self._count += 1
        name, began = f"{self._name}-{self._count}", time.monotonic()
        started = containers.start(name, image, command, (*_STRICT, *options))
        if started.code:
            raise CheckFailed(
                seen=f"the container of the {role} did not start:\n{_why(started.said)}",
                expected="a container that starts",
                do=_LINES
                if _NO_FILE in started.said
                else "Is it executable? chmod +x, and on Windows: git update-index --chmod=+x",
            )
        self._parts.append(Container(name, role, began))
        return self._parts[-1]

    def _web(self, application: Container, config: str) -> Container:
        """The web server, with the network and the static files of the application."""
        containers.fetch(_WEB_IMAGE, _FETCH)
        file = self._file("nginx.conf", config)
        return self._container(
            "web server", _WEB_IMAGE, *_NOBODY, "--network", f"container:{application.name}",
            "--volumes-from", f"{application.name}:ro",
            "--volume", f"{file}:/etc/nginx/nginx.conf:ro",
        )  # fmt: skip

    def _job(self, network: str, env: Mapping[str, str], command: Sequence[str]) -> Ended:
        job = self._container(
            "command", self._image.built, "--network", network, *_variables(env), command=command
        )
        ended = job.ended(_JOB)
        return ended._replace(said=self._last(ended.said))

    def _laid_over(self, texts: Mapping[str, str]) -> Iterator[str]:
        """Options that put other texts in the places of files."""
        for number, (name, text) in enumerate(texts.items()):
            yield from ("--volume", f"{self._file(f'{number}', text)}:{self.root}/{name}:ro")

    def _file(self, name: str, text: str) -> Path:
        file = self._folder / name
        file.write_text(text, encoding="utf-8")
        file.chmod(0o644)  # whoever runs inside is somebody else
        return file

    def _read(self, name: str) -> str:
        near.must_be_there(self._project, name)
        return (self._project / name).read_text("utf-8")

    def _last(self, said: str) -> str:
        """The last words. Of a server that tells its whole life, only the end."""
        last = words.tail(said, Path(self.root))
        return last if _TRACEBACK in said else "\n".join(last.splitlines()[-_WORDS:])


def _why(said: str) -> str:
    """The reason in what the engine's client says of a container that it could not start."""
    found = re.search(
        r"(?m)(?:exec: |Error response from daemon: )(?!.*exec: )(.*?)(?:: unknown\.?)?$", said
    )
    return found[1] if found else said.strip()


def _variables(env: Mapping[str, str]) -> list[str]:
    return [word for name, value in env.items() for word in ("--env", f"{name}={value}")]
