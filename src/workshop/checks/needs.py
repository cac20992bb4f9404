"""What a machine must offer for some checks. What it can't do is said, never hidden."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping

from workshop import containers, kubectl

_PATIENCE = 10.0


def missing(needs: Iterable[str]) -> str:
    """Why checks with these needs can't run here; empty when they can."""
    absent = [_NEEDS[name][0] for name in needs if not _NEEDS[name][1]()]
    return f"needs {' and '.join(absent)}" if absent else ""


def _any(*commands: tuple[str, ...]) -> Callable[[], bool]:
    """Whether one of these commands succeeds."""
    return lambda: any(map(_works, commands))


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


# Each need, as a person says it, and whether it is met.
_NEEDS: Mapping[str, tuple[str, Callable[[], bool]]] = {
    "containers": ("a container engine", _any(("docker", "info"), ("podman", "info"))),
    "compose": ("Docker Compose", lambda: bool(containers.compose())),
    "cluster": (f"a Kubernetes cluster that {kubectl.VARIABLE} names", kubectl.answers),
    "browser": (
        "a browser",
        _any(("chromium", "--version"), ("google-chrome", "--version"), ("firefox", "--version")),
    ),
    "pipelines": ("gitlab-ci-local", _any(("gitlab-ci-local", "--version"))),
}
