"""What the checks of the way back stand on: which release was before, where a `kubectl` goes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workshop import git
from workshop.checks import earlier, elsewhere
from workshop.checks.pipeline import FILE, Pipeline

PERSON = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "demo"
    folder.mkdir()
    git.run("init", "--quiet", "--template=", "--initial-branch=main", cwd=folder)
    return folder


def commit(project: Path, text: str) -> str:
    (project / "it.txt").write_text(text, "utf-8")
    git.run("add", "--all", cwd=project)
    git.run(*PERSON, "commit", "--quiet", "--message", text, cwd=project)
    return git.text("rev-parse", "HEAD", cwd=project)


def test_nothing_was_before_the_first_release(project: Path, tmp_path: Path) -> None:
    assert earlier.commit(project) == ""
    assert earlier.unpacked(project, tmp_path / "before") == project
    commit(project, "one")
    assert earlier.commit(project) == ""


def test_before_what_is_committed_is_the_commit_before(project: Path, tmp_path: Path) -> None:
    one = commit(project, "one")
    commit(project, "two")
    assert earlier.commit(project) == one
    folder = earlier.unpacked(project, tmp_path / "before")
    assert (folder / "it.txt").read_text("utf-8") == "one"


@pytest.mark.parametrize("name", ["it.txt", "new.txt"])
def test_before_what_is_not_committed_is_the_last_commit(project: Path, name: str) -> None:
    commit(project, "one")
    two = commit(project, "two")
    (project / name).write_text("three", "utf-8")
    assert earlier.commit(project) == two


def kubectl(tmp_path: Path, *words: str) -> tuple[int, str]:
    """What is called in the end, when a job types `kubectl` and these words."""
    real = tmp_path / "kubectl"
    real.write_text('#!/bin/sh\necho "$@"\nexit 5\n', "utf-8")
    real.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-I", elsewhere.__file__, str(real), "demo-production", "it", *words],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    "where",
    [("-n", "demo-production"), ("--namespace", "demo-production"),
     ("--namespace=demo-production",)],
)  # fmt: skip
def test_what_is_for_production_is_done_elsewhere(tmp_path: Path, where: tuple[str, ...]) -> None:
    for words in ((*where, "rollout", "undo", "it"), ("rollout", "undo", "it", *where)):
        code, said = kubectl(tmp_path, *words)
        assert code == 5  # as the real one ends
        assert sorted(said.split()) == ["--namespace", "it", "it", "rollout", "undo"]
        assert said.index("--namespace it") >= 0


@pytest.mark.parametrize(
    "words",
    [
        ("rollout", "undo", "it"),
        ("-n", "demo-integration", "rollout", "undo", "it"),
        ("-n", "demo-production", "-n", "kube-system", "rollout", "undo", "it"),
        ("-n", "demo-production", "--context=other", "rollout", "undo", "it"),
        ("-n", "demo-production", "--context", "other", "rollout", "undo", "it"),
        ("-n", "demo-production", "get", "pods", "-A"),
        ("-n", "demo-production", "delete", "namespace", "demo-production"),
        ("-n", "demo-production"),
        ("-n",),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    code, said = kubectl(tmp_path, *words)
    assert code == 1
    assert said.startswith("error: ")
    assert said.endswith(f"kubectl {' '.join(words)}\n")


def test_the_variables_of_a_job(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(
        "variables:\n  PLACE: nowhere\n  NAME: {value: demo, description: its name}\n"
        "back:\n  variables: {PLACE: production}\n  script: [kubectl version]\n",
        "utf-8",
    )
    pipeline = Pipeline(tmp_path)
    job = pipeline.jobs["back"]
    assert pipeline.variables(job) == {"PLACE": "production", "NAME": "demo"}
