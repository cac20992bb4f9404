"""An image of the project, built from a fresh clone, and looked at as anybody could.

Into the clone come canaries (see `canaries.py`): whichever is inside the image has leaked.
"""

from __future__ import annotations

import contextlib
import functools
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workshop import containers, paths
from workshop.checks import beside, clone, near, words
from workshop.checks.canaries import Canaries
from workshop.checks.commands import Result
from workshop.checks.failure import CheckFailed, expect
from workshop.checks.parcel import Parcel, bases
from workshop.checks.site import Site

DOCKERFILE = "deployment/application/Dockerfile"
LOCK = "requirements/production.txt"
BUILD = 600.0  # seconds for a build; the base image and the packages are fetched in it
READY = 30.0  # seconds until a container answers, or ends
READ_ONLY = ("--read-only", "--tmpfs", "/tmp")  # noqa: S108  the container's, and no folder of ours
_PORT = 8000  # unless the image names another one
_POLL = 0.1
_PREFIX = "workshop-image"

# What builders say, and what helps nobody who looks for a mistake.
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_NUMBERED = re.compile(r"^#\d+ (?:\d+\.\d+ )?")
_STEP = re.compile(r"^Step \d+/\d+ : ")
_NOISE = re.compile(
    r" ---> |Removing intermediate|\[notice\]|WARNING: Running pip as|DEPRECATED: The legacy"
    r"|\s+Install the buildx|\s+https://docs\.docker\.com/go/"
)


class Leak(NamedTuple):
    """What is inside an image, and was not meant to be: as the person knows it, and where it is."""

    what: str
    where: str
    secret: bool


class Running:
    """A container that was started from the image."""

    def __init__(self, name: str, site: Site) -> None:
        self.name = name
        self.site = site
        self._watch = containers.Watch(name)

    @property
    def logs(self) -> str:
        """All that it has said."""
        return containers.logs(self.name)

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._watch.code()

    def signal(self, which: str) -> None:
        """Send it a signal, such as TERM."""
        containers.signal(self.name, which)

    def wait(self, seconds: float) -> int | None:
        """Its exit code, as soon as it has ended; None if it still runs then."""
        return self._watch.code(seconds)

    def forget(self) -> None:
        """Listen to it no more: it is removed."""
        self._watch.close()


class Image:
    """The image of one fresh clone. It is built when the first check asks for it, once."""

    def __init__(self, project: Path, home: Path | None = None) -> None:
        self._project = project
        self._home = (home or paths.home()) / "images"
        self._name = ""
        self._folder = Path()
        self._canaries = Canaries()
        self._failed: CheckFailed | None = None
        self._said = containers.Ended(0, "", "")  # by the builder
        self._count = 0

    # What is inside

    @functools.cached_property
    def parcel(self) -> Parcel:
        """The image, opened."""
        name = self.built
        archive = self._folder.with_name("image.tar")
        saved = containers.save(name, archive)
        expect(
            saved.code == 0,
            seen=f"the engine does not hand out the image: {saved.said.strip()}",
            expected="an archive",
            do="Try it yourself: docker save.",
        )
        return Parcel(archive, self._dockerfile)

    @property
    def user(self) -> str:
        """Who runs inside, as the image says it; empty when it doesn't."""
        return str(self._says.get("User") or "")

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables that the image brings along."""
        pairs = (each.partition("=") for each in self._says.get("Env") or ())
        return {name: value for name, _, value in pairs}

    @functools.cached_property
    def leaks(self) -> tuple[Leak, ...]:
        """Every canary that is inside, in any layer, in the history and in the configuration."""
        found: dict[Leak, None] = {}
        for note in self.parcel.notes:
            for what, secret in self._canaries.found(note.text.encode()):
                found[Leak(what, f"in the image's history, by `{note.by}`", secret)] = None
        for name, value in self.variables.items():
            for what, secret in self._canaries.found(value.encode()):
                found[Leak(what, f"in the image's variable {name}", secret)] = None
        for file in self._files:
            for what, secret in file.canaries:
                found[Leak(what, file.where, secret)] = None
        return tuple(found)

    @property
    def bases(self) -> tuple[str, ...]:
        """The images that it is made from, as its Dockerfile names them."""
        return bases(self._dockerfile)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all files in all layers."""
        return tuple(file.name for file in self._files)

    @functools.cached_property
    def _files(self) -> tuple[_Seen, ...]:
        """One look at everything: it takes its time."""
        found = []
        for file in self.parcel.files():
            layer = f"the layer of `{file.by}`" if file.by else f"layer {file.layer}"
            later = ". A later instruction removes it, but the layer still has it"
            where = f"{file.name}, in {layer}{later if file.removed else ''}"
            found.append(_Seen(file.name, where, tuple(self._canaries.found(file.data))))
        return tuple(found)

    # What it does

    @property
    def config(self) -> dict[str, str]:
        """Variables that are good enough to start it: what production would give."""
        return {
            "SECRET_KEY": secrets.token_urlsafe(40),
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "DATABASE_URL": self.database,
        }

    @functools.cached_property
    def database(self) -> str:
        """The address of a new and empty PostgreSQL, of production's major version, which
        containers of the image can reach. It lasts as long as the image."""
        beside.fetch()
        containers.network(self.built)
        beside.start(self.built)
        beside.wait(self.built, READY)
        return beside.URL

    @contextlib.contextmanager
    def serve(
        self,
        env: Mapping[str, str] | None = None,
        *,
        command: Sequence[str] = (),
        options: Sequence[str] = READ_ONLY,
    ) -> Iterator[Running]:
        """A container of the image with `env` (`config` when None), as soon as it answers. It is
        removed at the end."""
        with self._started(env, command, options) as running:
            if not self._answers(running):
                code, logs = running.code, self._tail(running.logs)
                raise CheckFailed(
                    seen=f"the container ended with {code}:\n{logs}" if code is not None
                    else f"nobody answers on port {self.port}:\n{logs}",
                    expected="a server that answers, from the image alone",
                    do="Mend what the last line says." if code is not None
                    else f"Let it listen on 0.0.0.0:{self.port}, inside its container.",
                )  # fmt: skip
            yield running

    def ended(
        self,
        env: Mapping[str, str] | None = None,
        *,
        command: Sequence[str] = (),
        options: Sequence[str] = READ_ONLY,
    ) -> Result | None:
        """How a container ended that was started with `env`; None if it serves, or goes on."""
        with self._started(env, command, options) as running:
            if self._answers(running) or running.code is None:
                return None
            return Result(running.code, running.logs, self._tail(running.logs))

    @property
    def port(self) -> int:
        """Where it listens, inside."""
        exposed = list(self._says.get("ExposedPorts") or ())
        return int(exposed[0].partition("/")[0]) if len(exposed) == 1 else _PORT

    @contextlib.contextmanager
    def _started(
        self, env: Mapping[str, str] | None, command: Sequence[str], options: Sequence[str]
    ) -> Iterator[Running]:
        variables = self.config if env is None else env
        self._count += 1
        name = f"{self.built}-{self._count}"
        started = containers.start(
            name, self.built, command,
            (*options, *(word for each in variables.items() for word in ("--env", "=".join(each))),
             *(("--network", self.built) if "database" in self.__dict__ else ()),
             "--publish", f"127.0.0.1::{self.port}"),
        )  # fmt: skip
        running = None
        try:
            expect(
                started.code == 0,
                seen=f"the container does not start: {_final(started.said)}",
                expected="a container of the image",
                do="Start it yourself: docker run.",
            )
            running = Running(name, Site(containers.port(name, self.port), variables))
            yield running
        finally:
            containers.remove(name)
            if running is not None:
                running.forget()

    def _answers(self, running: Running) -> bool:
        """Whether anybody answers, before it ends and before long."""
        give_up = time.monotonic() + READY
        while running.code is None and time.monotonic() < give_up:
            with contextlib.suppress(CheckFailed):
                running.site.get("/")
                return True
            time.sleep(_POLL)
        return False

    def _tail(self, said: str) -> str:
        folder = Path(self._says.get("WorkingDir") or "/")
        return words.tail(said, folder) or "it gave no reason"

    @functools.cached_property
    def _says(self) -> Mapping[str, Any]:
        """How the image wants to be run. The engine knows, and need not hand out the image, which
        is as large as an operating system."""
        return containers.image(self.built)

    # How it is built

    @functools.cached_property
    def _dockerfile(self) -> str:
        what = "a file that says what the image is made of"
        near.must_be_there(self._project, DOCKERFILE, what)
        return (self._project / DOCKERFILE).read_text(encoding="utf-8", errors="replace")

    def must_be_built(self) -> None:
        """Raise CheckFailed, with the builder's last words, when it can't be built."""
        assert self.built

    @property
    def built(self) -> str:
        """The image's name. Raises CheckFailed when it can't be built."""
        if self._failed is not None:
            raise self._failed
        if not self._name:
            try:
                self._name = self._build()
            except CheckFailed as error:
                self._failed = error
                raise
        return self._name

    def rebuilt(self, changes: Mapping[str, str]) -> Result:
        """How a build ends in another clone, in which these files are others."""
        assert self._dockerfile
        name, folder = clone.make(self._project, self._home, _PREFIX)
        try:
            for file, text in changes.items():
                (folder / file).write_text(text, encoding="utf-8")
            ended = containers.build(folder, DOCKERFILE, name, {}, BUILD)
        finally:
            containers.remove(name)
            shutil.rmtree(folder.parent, ignore_errors=True)
        containers.forget(ended)
        return Result(ended.code, ended.out + ended.said, _last(ended, self._dockerfile))

    def _build(self) -> str:
        assert self._dockerfile
        for each in clone.left(containers.names(), _PREFIX):
            containers.remove(each)
        clone.sweep(self._home)
        name, self._folder = clone.make(self._project, self._home, _PREFIX)
        argument = self._canaries.plant(self._folder)
        self._said = ended = containers.build(
            self._folder, DOCKERFILE, name, {"SECRET_KEY": argument}, BUILD
        )
        expect(
            ended.code == 0,
            seen=f"`docker build` failed:\n{_last(ended, self._dockerfile)}",
            expected="an image, built from a fresh clone",
            do="Mend what the last lines say. Does .dockerignore let in what is copied?",
        )
        return name

    def close(self) -> None:
        """Leave no image, container, network or file behind."""
        if self._name:
            containers.remove(self._name)
        containers.forget(self._said)
        if self._folder.name:
            shutil.rmtree(self._folder.parent, ignore_errors=True)


class _Seen(NamedTuple):
    """A file that was looked at: its name, where it is, and the canaries in it."""

    name: str
    where: str
    canaries: tuple[tuple[str, bool], ...]


def _last(ended: containers.Ended, dockerfile: str) -> str:
    """What failed, of all that a build reports: what is said of the last instruction."""
    said = _COLOUR.sub("", f"{ended.out}\n{ended.said}")
    lines = [_NUMBERED.sub("", line) for line in said.splitlines() if not _NOISE.match(line)]
    steps = [index for index, line in enumerate(lines) if _STEP.match(line)]
    last = [_STEP.sub("", line) for line in lines[steps[-1] if steps else 0 :]]
    folders = re.findall(r"(?mi)^WORKDIR +(/\S+)", dockerfile)
    return words.tail("\n".join(last), Path(folders[-1] if folders else "/project"))


def _final(said: str) -> str:
    return (said.strip().splitlines() or ["it gave no reason"])[-1]
