"""The only caller of a container engine. It uses the engine's own command line, and so finds the
engine that the person has chosen: by a socket, by a context, on another machine."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

# Compose is a plugin of Docker's client, or a program of its own. Its version 1, which has that
# name, too, knows less, and nobody maintains it.
_COMPOSE = (("docker", "compose"), ("docker-compose",))
_NAMELESS = re.compile(r"[0-9a-f]{64}")
_MADE = re.compile(r"^ ---> ([0-9a-f]{12})$", re.MULTILINE)  # by an instruction, as builders tell
_TAKEN_AWAY = "No such image"
_PATIENCE = 10.0  # seconds for a question
_HERE = "localhost/"  # Podman says of an image that was made here where that is
# What a client needs to find its engine. Nothing else of ours reaches a file of services: what is
# `${SECRET_KEY}` there must not come from the shell of whoever runs this.
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "USERPROFILE", "SYSTEMROOT", "APPDATA", "SSH_AUTH_SOCK")


class Ended(NamedTuple):
    """How a command ended (0 is good), what it printed, and what it said beside."""

    code: int
    out: str
    said: str


def compose() -> tuple[str, ...]:
    """The command of Compose 2 or later on this machine; empty when there is none."""
    for command in _COMPOSE:
        if shutil.which(command[0]) is None:
            continue
        version = _run([*command, "version", "--short"], timeout=_PATIENCE).out.strip().lstrip("v")
        if version.partition(".")[0].isdigit() and int(version.partition(".")[0]) >= 2:
            return command
    return ()


class Group:
    """Services that Compose runs together, under a name of its own; `folder` is where their files
    are."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder

    @functools.cached_property
    def _command(self) -> tuple[str, ...]:
        return compose() or _COMPOSE[0]

    def run(self, *args: str, model: Path | None = None, timeout: float | None = None) -> Ended:
        """Run Compose on the folder's own file, or on `model`. Kills it after `timeout` seconds:
        then the code is -1."""
        file = ("--file", str(model)) if model else ()
        return _run(
            [*self._command, "--project-name", self.name, "--project-directory", str(self.folder),
             *file, *args],
            cwd=self.folder, timeout=timeout,
        )  # fmt: skip

    def down(self, model: Path | None = None) -> None:
        """End every container of the group, and remove it, its networks and its volumes."""
        nameless = self._nameless_volumes()
        self.run("down", "--volumes", "--remove-orphans", "--timeout", "1", model=model)
        if nameless:
            _engine("volume", "rm", "--force", *nameless)

    def _nameless_volumes(self) -> list[str]:
        """The volumes that nobody gave a name. Compose hands them on to a container that is made
        anew, and forgets then that they are its own."""
        mine = f"label=com.docker.compose.project={self.name}"
        command = ("ps", "--all", "--no-trunc", "--filter", mine)
        mounts = _engine(*command, "--format", "{{.Mounts}}").out.replace("\n", ",").split(",")
        return [each for each in mounts if _NAMELESS.fullmatch(each)]


def groups() -> tuple[str, ...]:
    """The names of all groups that the engine has containers of, running or not."""
    ended = _run([*(compose() or _COMPOSE[0]), "ls", "--all", "--format", "json"])
    found: list[dict[str, str]] = json.loads(ended.out or "[]") if ended.code == 0 else []
    return tuple(each["Name"] for each in found)


def image(name: str) -> Mapping[str, Any]:
    """How an image wants to be run: `Entrypoint`, `Cmd`, `Env`. Empty when it isn't there."""
    ended = _engine("image", "inspect", "--format", "{{json .Config}}", name)
    found: Mapping[str, Any] = json.loads(ended.out) if ended.code == 0 else {}
    return found


def fetch(name: str, timeout: float) -> Ended:
    """Fetch an image, unless it is there."""
    return Ended(0, "", "") if image(name) else _engine("pull", name, timeout=timeout)


def build(
    folder: Path, file: str, name: str, arguments: Mapping[str, str], timeout: float
) -> Ended:
    """Build an image from what is in a folder, with the Dockerfile `file` in it."""
    given = [word for each in arguments.items() for word in ("--build-arg", "=".join(each))]
    command = ["build", "--force-rm", "--file", str(folder / file), "--tag", name]
    ended = _engine(*command, *given, str(folder), timeout=timeout)
    if ended.code != 0 and _TAKEN_AWAY in ended.said:
        # Somebody else has removed an image, and with it a layer that this build had begun to use.
        ended = _engine(*command, *given, str(folder), timeout=timeout)
    return ended


def forget(ended: Ended) -> None:
    """Remove what a build has left that has no name. Old builders leave each stage, and of a build
    that failed all that was made until then."""
    made = set(_MADE.findall(ended.out))
    left = _engine("images", "--filter", "dangling=true", "--quiet").out.split()
    if ours := made.intersection(left):
        _engine("image", "rm", *ours)


def push(name: str, reference: str) -> Ended:
    """Bring an image to a registry, where it has the name `reference`."""
    tagged = _engine("tag", name, reference)
    return tagged if tagged.code else _engine("push", reference)


def digest(reference: str) -> str:
    """By which digest a registry knows an image that was brought there, as `NAME@DIGEST`; empty
    when it does not."""
    ended = _engine("image", "inspect", "--format", "{{json .RepoDigests}}", reference)
    known: list[str] = (json.loads(ended.out) or []) if ended.code == 0 else []
    wanted = reference.rpartition(":")[0] + "@"
    return next((each for each in known if each.startswith(wanted)), "")


def hand_over(name: str, context: str, minikube: bool) -> Ended:
    """Copy an image into a cluster on this machine that has an engine of its own: one that kind has
    made, or minikube."""
    if minikube:
        return _run(["minikube", "--profile", context, "image", "load", name])
    return _run(["kind", "load", "docker-image", name, "--name", context.removeprefix("kind-")])


def answers() -> bool:
    """Whether the engine that all of this asks is there: Docker where that is installed, or else
    Podman."""
    return _engine("info", timeout=_PATIENCE).code == 0


def engine() -> str:
    """The version of the engine; empty when none answers."""
    ended = _engine("version", "--format", "{{.Server.Version}}", timeout=_PATIENCE)
    return ended.out.strip() if ended.code == 0 else ""


def save(name: str, file: Path) -> Ended:
    """Write an image into a file, as it would travel: a tar archive of tar archives."""
    return _engine("save", "--output", str(file), name)


def start(name: str, of: str, command: Sequence[str] = (), options: Sequence[str] = ()) -> Ended:
    """Start a container of an image, under a name of its own, and don't wait for its end."""
    return _engine("run", "--detach", "--name", name, *options, of, *command)


def state(name: str) -> tuple[bool, int]:
    """Whether a container runs, and the exit code of one that has ended."""
    wanted = "{{.State.Running}} {{.State.ExitCode}}"
    said = _engine("container", "inspect", "--format", wanted, name).out.split()
    return (said[0] == "true", int(said[1])) if said else (False, -1)


class Watch:
    """Hears of a container's end when it comes. To ask again and again costs as much as whatever
    runs inside: each question is a new process here and another one in the engine."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._code: int | None = None
        self._process = subprocess.Popen(
            [_program(), "wait", name], env=_kept(), encoding="utf-8",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def code(self, seconds: float = 0.0) -> int | None:
        """Its exit code, as soon as it has ended; None if it still runs after so many seconds."""
        if self._code is None:
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                return None
            said = self._process.communicate()[0].strip()
            self._code = int(said) if said.isdecimal() else state(self._name)[1]
        return self._code

    def close(self) -> None:
        """Listen no more."""
        if self._code is None:
            self._process.kill()
            self._process.communicate()


def port(name: str, inside: int) -> int:
    """The port of this machine that leads to one inside a container; 0 if none does."""
    said = _engine("port", name, str(inside)).out.strip()
    return int(said.rpartition(":")[2] or 0)


def logs(name: str) -> str:
    """All that a container has said, on either way."""
    ended = _engine("logs", name)
    return ended.out + ended.said


def ask(name: str, *argv: str, timeout: float | None = None) -> Ended:
    """Run a command inside a container that runs."""
    return _engine("exec", name, *argv, timeout=timeout)


def signal(name: str, which: str) -> None:
    """Send a signal to a container's first process."""
    _engine("kill", "--signal", which, name)


@contextlib.contextmanager
def frozen(name: str) -> Iterator[None]:
    """Nothing inside a container moves while this lasts."""
    _engine("pause", name)
    try:
        yield
    finally:
        _engine("unpause", name)


def network(name: str) -> None:
    """Make a network, in which containers find each other by their names."""
    _engine("network", "create", name)


def remove(name: str) -> None:
    """Remove what has this name, or goes on with a dash behind it: containers, their own volumes,
    networks, images."""
    wanted = re.compile(rf"{re.escape(name.removeprefix(_HERE))}(?![^-:])")
    for one, all_of_it, listed in _KINDS:
        ours = [each for each in _names(listed) if wanted.match(each.removeprefix(_HERE))]
        if ours:
            _engine(one, "rm", *all_of_it, *ours)


def names() -> tuple[str, ...]:
    """The names of all containers, networks and images that the engine has."""
    every = (each for _, _, listed in _KINDS for each in _names(listed))
    return tuple(dict.fromkeys(each.removeprefix(_HERE) for each in every))


# Each kind of thing, in the order in which they can be removed: how, and how they are listed.
_KINDS = (
    ("container", ("--force", "--volumes"), ("ps", "--all", "--format", "{{.Names}}")),
    ("network", (), ("network", "ls", "--format", "{{.Name}}")),
    ("image", ("--force",), ("images", "--format", "{{.Repository}}:{{.Tag}}")),
)


def _names(listed: Sequence[str]) -> list[str]:
    return _engine(*listed).out.split()


def _engine(*args: str, timeout: float | None = None) -> Ended:
    """Run the engine's own command. Podman takes the same ones as Docker."""
    return _run([_program(), *args], timeout=timeout)


def _program() -> str:
    return "podman" if shutil.which("docker") is None and shutil.which("podman") else "docker"


def _kept() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.startswith(("DOCKER_", "XDG_", "LC_", "KIND_", "MINIKUBE_"))
    }


def _run(command: Sequence[str], *, cwd: Path | None = None, timeout: float | None = None) -> Ended:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=_kept(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ended(-1, "", f"it did not end within {timeout:.0f} seconds")
    except OSError as error:
        return Ended(-1, "", str(error))
    return Ended(done.returncode, done.stdout, done.stderr)
