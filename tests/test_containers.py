"""Containers: Compose is found in either form, in a version that will do; nothing leaks into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from workshop import containers
from workshop.checks import needs
from workshop.checks.stack import _variables


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder with programs in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def test_the_plugin_comes_first(programs: Path) -> None:
    program(programs, "docker", "echo v2.40.3")
    program(programs, "docker-compose", "echo 2.1.0")
    assert containers.compose() == ("docker", "compose")


def test_a_program_of_its_own_will_do(programs: Path) -> None:
    program(programs, "docker", "echo unknown command: compose >&2; exit 1")
    program(programs, "docker-compose", "echo 2.1.0")
    assert containers.compose() == ("docker-compose",)


def test_version_1_will_not_do(programs: Path) -> None:
    program(programs, "docker-compose", "echo 1.29.2")
    assert containers.compose() == ()
    assert needs.missing(["compose"]) == "needs Docker Compose"


def test_none_at_all(programs: Path, tmp_path: Path) -> None:
    assert containers.compose() == ()
    assert containers.Group("demo", tmp_path).run("ps").code == -1
    assert containers.groups() == ()
    assert containers.image("postgres") == {}


def test_who_runs_it_gives_nothing_away(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "docker-compose", 'test "$1" = version && echo 2.40.3 || /usr/bin/env')
    monkeypatch.setenv("SECRET_KEY", "mine")
    monkeypatch.setenv("COMPOSE_FILE", "other.yml")
    monkeypatch.setenv("DOCKER_HOST", "unix:///there")
    said = containers.Group("demo", tmp_path).run("up").out
    assert "DOCKER_HOST=unix:///there" in said
    assert "SECRET_KEY" not in said
    assert "COMPOSE_FILE" not in said


def test_who_never_ends_is_ended(programs: Path, tmp_path: Path) -> None:
    program(programs, "docker-compose", 'test "$1" = version && echo 2.40.3 || exec /bin/sleep 60')
    ended = containers.Group("demo", tmp_path).run("up", timeout=0.3)
    assert (ended.code, ended.said) == (-1, "it did not end within 0 seconds")


def test_an_environment_in_either_form() -> None:
    assert _variables({"DEBUG": "1"}) == _variables(["DEBUG=1"]) == {"DEBUG": "1"}
    assert _variables(["SECRET_KEY"]) == {"SECRET_KEY": ""}
