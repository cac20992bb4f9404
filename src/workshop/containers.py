"""The only caller of a container engine. It uses the engine's own command line, and so finds the
engine that the person has chosen: by a socket, by a context, on another machine."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

# Compose is a plugin of Docker's client, or a program of its own. Its version 1, which has that
# name, too, knows less, and nobody maintains it.
_COMPOSE = (("docker", "compose"), ("docker-compose",))
_NAMELESS = re.compile(r"[0-9a-f]{64}")
_PATIENCE = 10.0  # seconds for a question
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
            _run(["docker", "volume", "rm", "--force", *nameless])

    def _nameless_volumes(self) -> list[str]:
        """The volumes that nobody gave a name. Compose hands them on to a container that is made
        anew, and forgets then that they are its own."""
        mine = f"label=com.docker.compose.project={self.name}"
        command = ["docker", "ps", "--all", "--no-trunc", "--filter", mine]
        mounts = _run([*command, "--format", "{{.Mounts}}"]).out.replace("\n", ",").split(",")
        return [each for each in mounts if _NAMELESS.fullmatch(each)]


def groups() -> tuple[str, ...]:
    """The names of all groups that the engine has containers of, running or not."""
    ended = _run([*(compose() or _COMPOSE[0]), "ls", "--all", "--format", "json"])
    found: list[dict[str, str]] = json.loads(ended.out or "[]") if ended.code == 0 else []
    return tuple(each["Name"] for each in found)


def image(name: str) -> Mapping[str, Any]:
    """How an image wants to be run: `Entrypoint`, `Cmd`, `Env`. Empty when it isn't there."""
    ended = _run(["docker", "image", "inspect", "--format", "{{json .Config}}", name])
    found: Mapping[str, Any] = json.loads(ended.out) if ended.code == 0 else {}
    return found


def _run(command: Sequence[str], *, cwd: Path | None = None, timeout: float | None = None) -> Ended:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.startswith(("DOCKER_", "XDG_", "LC_"))
    }
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=kept,
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
