"""The Dockerfiles of the solutions are as those who look at many of them want it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCKERFILES = sorted((ROOT / "solutions").rglob("*Dockerfile*"))


def hadolint(file: Path) -> str:
    """What it says of a Dockerfile."""
    program = shutil.which("hadolint")
    if program is None:
        pytest.skip("needs hadolint")
    done = subprocess.run(
        [program, "--no-color", file], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_our_dockerfiles_are_clean(file: Path) -> None:
    assert hadolint(file) == ""


def test_a_bad_one_is_found(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python:latest\nRUN cd /tmp && pip install django\n", encoding="utf-8")
    said = hadolint(bad)
    assert [rule for rule in ("DL3007", "DL3003", "DL3013") if rule not in said] == []
