"""What `pip install .` gives: a command for any folder, with the course inside."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import uv

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from a wheel that was built from this clone's files."""
    folder = tmp_path_factory.mktemp("package")
    clone = folder / "clone"
    shutil.copytree(
        ROOT, clone,
        ignore=shutil.ignore_patterns(".git", ".nox", "build", "_build", "__pycache__", ".*_cache"),
    )  # fmt: skip
    venv = folder / "venv"
    binary = uv.find_uv_bin()
    subprocess.run([binary, "build", "--quiet", "--wheel", "-o", folder, clone], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([binary, "venv", "--quiet", venv], check=True)
    # Without what it depends on: these verbs need Python and git only.
    subprocess.run(
        [binary, "pip", "install", "-q", "--no-deps", "--compile", "--python", venv, wheel],
        check=True,
    )  # fmt: skip
    shutil.rmtree(clone)
    return venv / ("Scripts" if os.name == "nt" else "bin") / "workshop"


def test_it_builds_the_recorded_hashes_from_any_folder(installed: Path, tmp_path: Path) -> None:
    subprocess.run([installed, "build", "demo"], cwd=tmp_path, check=True, capture_output=True)
    recorded = (ROOT / "steps" / "tags.txt").read_text("ascii").splitlines()
    assert recorded
    for line in recorded:
        commit, tag, name = line.split()
        words = ["git", "rev-parse", f"{name}^{{commit}}", name]
        out = subprocess.check_output(words, cwd=tmp_path / "demo", text=True)
        assert out.split() == [commit, tag]


def test_the_course_inside_is_sound(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run([installed, "lint"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("0 findings in ")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_katas_are_inside(installed: Path, tmp_path: Path) -> None:
    out = subprocess.check_output([installed, "kata", "list"], cwd=tmp_path, text=True)
    assert "commit-one" in out


def test_another_course_can_be_named(installed: Path, tmp_path: Path, course_folder: Path) -> None:
    words: list[str | Path] = [installed, "start", "mine", "--course", course_folder]
    out = subprocess.check_output(words, cwd=tmp_path, text=True)
    # what it prints can be typed as it stands, though the command is not on the PATH
    assert out.endswith(f"  cd mine\n  {installed} check\n")
