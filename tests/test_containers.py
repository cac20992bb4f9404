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


def test_what_a_build_left_without_a_name_is_removed(programs: Path, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    program(programs, "docker", f'echo "$*" >> {asked}; echo 0123456789ab; echo ffffffffffff')
    said = "Step 1/2 : FROM a\n ---> 111111111111\nStep 2/2 : RUN b\n ---> 0123456789ab\n"
    containers.forget(containers.Ended(1, said, ""))
    assert asked.read_text().splitlines()[1:] == ["image rm 0123456789ab"]


def test_only_what_has_the_name_is_removed(programs: Path, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    there = "demo-1 demo-10 demo-1-database demo-1:latest demo"
    program(programs, "docker", f'echo "$*" >> {asked}; printf "%s\\n" {there}')
    containers.remove("demo-1")
    removed = [line for line in asked.read_text().splitlines() if " rm " in line]
    ours = "demo-1 demo-1-database demo-1:latest"
    assert removed == [
        f"container rm --force --volumes {ours}", f"network rm {ours}", f"image rm --force {ours}",
    ]  # fmt: skip


def test_podman_takes_the_same(programs: Path, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    program(programs, "podman", f'echo "$*" >> {asked}; echo localhost/demo-1:latest')
    containers.remove("demo-1")
    assert "image rm --force localhost/demo-1:latest" in asked.read_text()


def test_a_layer_that_was_taken_away_is_made_again(programs: Path, tmp_path: Path) -> None:
    program(
        programs, "docker",
        f"if test -e {tmp_path}/again; then echo built; exit 0; fi\n"
        f": > {tmp_path}/again; echo 'No such image: sha256:0' >&2; exit 1",
    )  # fmt: skip
    ended = containers.build(tmp_path, "Dockerfile", "demo", {"A": "b"}, 10)
    assert (ended.code, ended.out) == (0, "built\n")


def test_who_is_not_there_does_not_run(programs: Path) -> None:
    program(programs, "docker", "exit 1")
    assert containers.state("demo") == (False, -1)
    assert containers.port("demo", 8000) == 0


def test_an_end_is_heard_of(programs: Path, tmp_path: Path) -> None:
    over = tmp_path / "over"
    program(programs, "docker", f"until test -e {over}; do /bin/sleep 0.01; done; echo 7")
    watch = containers.Watch("demo")
    assert watch.code() is None
    assert watch.code(0.2) is None
    over.touch()
    assert watch.code(20) == 7
    assert watch.code() == 7
    watch.close()


def test_one_that_is_removed_meanwhile_has_ended(programs: Path) -> None:
    program(programs, "docker", 'test "$1" != wait && echo "false 137"; exit 1')
    assert containers.Watch("demo").code(20) == 137


def test_who_listens_no_more_leaves_no_process(programs: Path) -> None:
    program(programs, "docker", "exec /bin/sleep 60")
    watch = containers.Watch("demo")
    watch.close()
    assert watch._process.returncode == -9


def test_an_environment_in_either_form() -> None:
    assert _variables({"DEBUG": "1"}) == _variables(["DEBUG=1"]) == {"DEBUG": "1"}
    assert _variables(["SECRET_KEY"]) == {"SECRET_KEY": ""}
