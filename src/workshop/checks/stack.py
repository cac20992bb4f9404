"""A fresh clone of the project, started by its own Compose file, and nothing else."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workshop import containers, paths
from workshop.checks import clone, words
from workshop.checks.failure import CheckFailed, expect
from workshop.checks.site import Answer, Site

COLD = 180.0  # seconds from `up` until a page answers; images are fetched before
WARM = 90.0  # the same when the packages are there already
_FETCH = 600.0
_POLL = 0.25
_LOOK = 2.0  # seconds between two looks at who has ended
_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_MODEL = "compose.json"  # what is really started, beside the clone
_UP = "`docker compose up`"
# A late service does the very same, only later. `$$` is how a Compose file writes `$`.
_LATE = 'sleep {seconds}; exec "$$0" "$$@"'

Services = Mapping[str, dict[str, Any]]


class Stack:
    """The services of one fresh clone. They start when the first check asks for them."""

    def __init__(self, project: Path, home: Path | None = None) -> None:
        self._project = project
        self._home = (home or paths.home()) / "stacks"
        self._group: containers.Group | None = None
        self._site: Site | None = None  # where it answers, once it does
        self._cold: CheckFailed | None = None  # it did not start: no check waits for that again
        self._configs: dict[tuple[str, ...], str] = {}  # what Compose said, by its options
        self._took = 0  # whole seconds until the page answered, from cold

    # What the file says

    @property
    def services(self) -> Services:
        """What the file says of each service, with defaults filled in: but in the environment,
        `${NAME}` stands as it is."""
        found: Services = self._model()["services"]
        written = self._model("--no-interpolate")["services"]
        for name, service in found.items():
            service["environment"] = _variables(written[name].get("environment") or {})
        return found

    @property
    def databases(self) -> tuple[str, ...]:
        """The names of the services that run PostgreSQL."""
        names = tuple(
            name for name, each in self.services.items() if "postg" in each.get("image", "")
        )
        expect(
            names,
            seen="no service runs PostgreSQL",
            expected="a service with an image of PostgreSQL",
            do="Add a service whose image is postgres, in the version that production has.",
        )
        return names

    # What it does

    def up(self, *, late: int = 0) -> Site:
        """Start what isn't running, and wait until the start page answers.

        With `late`, everything is stopped first, and the database starts that many seconds later
        than all was up before. So whoever is busy for a while, installing packages, and never asks
        whether it is there, comes too early nevertheless, on a slow machine as well.
        """
        if self._cold is not None:
            raise self._cold
        if self._site is None:
            began = time.monotonic()
            try:
                self._site = self._up(self._file(self._resolved()), COLD)
            except CheckFailed as error:
                self._cold = error
                raise
            self._took = math.ceil(time.monotonic() - began)
        if late:
            late += self._took
            self._site = None
            model = self._with_late(late)
            self._clone.run("stop", "--timeout", "1")
            self._site = self._up(self._file(model), WARM + late)
        return self._site

    def eventually(self, site: Site, path: str, seconds: float) -> Answer | None:
        """The first answer 200 of `path`; after so many seconds the last answer, or None."""
        give_up = time.monotonic() + seconds
        answer = None
        while time.monotonic() < give_up:
            with contextlib.suppress(CheckFailed):
                answer = site.get(path)
                if answer.status == 200:
                    return answer
            time.sleep(_POLL)
        return answer

    def append(self, name: str, text: str) -> None:
        """Add text to the end of a file of the clone."""
        with (self._clone.folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    def ask(self, service: str, *argv: str) -> str:
        """What a command prints that is run inside a service; empty when it fails."""
        ended = self._clone.run("exec", "-T", service, *argv, timeout=WARM)
        return ended.out.strip() if ended.code == 0 else ""

    def close(self) -> None:
        """End all of it, and leave no container, volume or file behind."""
        if self._group is not None:
            model = self._group.folder.with_name(_MODEL)
            self._group.down(model if model.is_file() else None)
            shutil.rmtree(self._group.folder.parent, ignore_errors=True)
            self._group = None

    # How

    @property
    def _clone(self) -> containers.Group:
        """What a colleague would get: the files that git has, or would take."""
        if self._group is None:
            expect(
                any((self._project / name).is_file() for name in _FILES),
                seen="there is no docker-compose.yml",
                expected="a file that says how to start everything",
                do="Write docker-compose.yml, in the project's folder.",
            )
            clone.sweep(self._home)
            for left in clone.left(containers.groups()):
                containers.Group(left, self._home).down()
            self._group = containers.Group(*clone.make(self._project, self._home))
        return self._group

    def _model(self, *options: str) -> dict[str, Any]:
        """What Compose makes of the clone's file. It is asked once: nobody changes that file."""
        found: dict[str, Any] = json.loads(self._config(*options))
        expect(
            found.get("services"),
            seen="the Compose file has no services",
            expected="a service for each program that must run",
            do="Write `services:`, and below it a name for each of them.",
        )
        return found

    def _config(self, *options: str) -> str:
        if options in self._configs:
            return self._configs[options]
        ended = self._clone.run("config", "--format", "json", *options)
        expect(
            ended.code == 0,
            seen=f"Compose can't read its file:\n{self._last(ended.said)}",
            expected="a file that `docker compose config` accepts, in a fresh clone",
            do="Mend what it says.",
        )
        return self._configs.setdefault(options, ended.out)

    def _resolved(self) -> dict[str, Any]:
        """The file, but for what would meet the person's own containers: names and ports. And it
        leaves no byte code in the clone, which nobody but root could remove."""
        model = self._model()
        for name, volume in (model.get("volumes") or {}).items():
            if not volume.get("external"):
                volume["name"] = f"{self._clone.name}_{name}"
        for service in model["services"].values():
            service.pop("container_name", None)
            for port in service.get("ports", ()):
                port.pop("published", None)
                port["host_ip"] = "127.0.0.1"
            service["environment"] = {
                **(service.get("environment") or {}), "PYTHONDONTWRITEBYTECODE": "1"
            }  # fmt: skip
        return model

    def _with_late(self, seconds: int) -> dict[str, Any]:
        model = self._resolved()
        jobs = self._ended(self._clone.folder.with_name(_MODEL))  # no server, and not twice late
        for name in self.databases:
            if name in jobs:
                continue
            service = model["services"][name]
            wanted = containers.image(service["image"])
            own = service.get("entrypoint")
            command = service.get("command") or (None if own else wanted.get("Cmd")) or []
            entrypoint = own or wanted.get("Entrypoint") or []
            service["entrypoint"] = [
                "sh", "-c", _LATE.format(seconds=seconds), *entrypoint, *command
            ]  # fmt: skip
            service["command"] = []
            if "healthcheck" in service:
                # It is late because of us: who waits must not lose patience over that.
                service["healthcheck"]["start_period"] = f"{seconds + WARM:.0f}s"
        return model

    def _file(self, model: Mapping[str, Any]) -> Path:
        file = self._clone.folder.with_name(_MODEL)
        file.write_text(json.dumps(model), encoding="utf-8")
        return file

    def _up(self, model: Path, seconds: float) -> Site:
        # Fetching depends on somebody's network, and is no part of the time.
        self._clone.run(
            "pull", "--quiet", "--policy", "missing", "--ignore-buildable",
            model=model, timeout=_FETCH,
        )  # fmt: skip
        began = time.monotonic()
        started = self._clone.run("up", "--detach", "--no-color", model=model, timeout=seconds)
        expect(
            started.code == 0,
            seen=f"{_UP} failed:\n{self._last(started.said)}\n{self._logs(model)}".rstrip(),
            expected="everything starts, in a fresh clone",
            do="Mend what the last lines say.",
        )
        answer = None
        while time.monotonic() < began + seconds:
            name, port = self._page(model)
            site = Site(port, {})
            answer = self.eventually(site, "/", _LOOK) if port else None
            if answer is not None and answer.status == 200:
                return site
            if name in self._ended(model):
                raise CheckFailed(
                    seen=f"after {_UP}, the service {name} ended:\n{self._logs(model)}",
                    expected="a page that answers, after one command in a fresh clone",
                    do="The last lines say why it gave up. Mend that, or let it wait.",
                )
        raise CheckFailed(
            seen=f"{_UP}: GET / got {answer or 'no answer'} within {seconds:.0f} seconds\n"
            f"{self._logs(model)}".rstrip(),
            expected="200, after one command in a fresh clone",
            do="Read the last lines. Does the server listen on 0.0.0.0, inside its container?",
        )

    def _page(self, model: Path) -> tuple[str, int]:
        """Who serves the page, and where: the first port that is published by a service without a
        database. The port is 0 while the service does not run."""
        for name, service in self.services.items():
            for port in service.get("ports", ()) if name not in self.databases else ():
                said = self._clone.run("port", name, str(port["target"]), model=model).out
                return name, int(said.strip().rpartition(":")[2] or 0)
        raise CheckFailed(
            seen=f"after {_UP}, no port leads to the project",
            expected="a port on this machine, published by the service of the project",
            do='Publish it: ports: ["127.0.0.1:8080:8000"]',
        )

    def _last(self, said: str) -> str:
        """What failed, of all that Compose reports."""
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        last = (lines or ["it gave no reason"])[-1]
        return last.replace(f"{self._clone.name}-", "").replace(f"{self._clone.folder}/", "")

    def _ended(self, model: Path) -> Sequence[str]:
        command = ("ps", "--all", "--status", "exited", "--services")
        return self._clone.run(*command, model=model).out.split()

    def _logs(self, model: Path) -> str:
        """The last words of whatever has ended, or of everything."""
        said = self._clone.run(
            "logs", "--no-color", "--no-log-prefix", "--tail", "300", *self._ended(model),
            model=model,
        )  # fmt: skip
        return words.tail(said.out, Path("/project"))


def _variables(written: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    """An environment by name, from either form that a Compose file may have."""
    if isinstance(written, Mapping):
        return dict(written)
    pairs = (each.partition("=") for each in written)
    return {name: value for name, _, value in pairs}
