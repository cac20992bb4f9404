"""What a machine must offer for some checks. What it can't do is said, never hidden."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from workshop import containers, kubectl

_PATIENCE = 10.0


def missing(needs: Iterable[str]) -> str:
    """Why checks with these needs can't run here; empty when they can."""
    absent = [need.what + need.which for need in map(_NEEDS.__getitem__, needs) if not need.met()]
    return f"needs {' and '.join(absent)}" if absent else ""


def said(needs: Iterable[str]) -> str:
    """These needs, as a person says them."""
    return ", ".join(_NEEDS[name].what for name in needs)


def _any(*commands: tuple[str, ...]) -> Callable[[], bool]:
    """Whether one of these commands succeeds."""
    return lambda: any(map(_works, commands))


def _all(*commands: tuple[str, ...]) -> Callable[[], bool]:
    """Whether each of these commands succeeds."""
    return lambda: all(map(_works, commands))


def _works(command: tuple[str, ...]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


class _Need(NamedTuple):
    """A need as a person says it, which one it must be, and whether it is met."""

    what: str
    met: Callable[[], bool]
    which: str = ""


_NEEDS: Mapping[str, _Need] = {
    "containers": _Need("a container engine", containers.answers),
    "compose": _Need("Docker Compose", lambda: bool(containers.compose())),
    "cluster": _Need(
        "a Kubernetes cluster", kubectl.answers, which=f" that {kubectl.VARIABLE} names"
    ),
    "browser": _Need(
        "a browser",
        _any(("chromium", "--version"), ("google-chrome", "--version"), ("firefox", "--version")),
    ),
    "pipelines": _Need(
        "gitlab-ci-local",
        _all(("gitlab-ci-local", "--version"), ("rsync", "--version")),
        which=" (and rsync, which it calls)",
    ),
}
