"""The preflight: what it finds, one command for each problem, and nothing but Python needed."""

from __future__ import annotations

import ast
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workshop import doctor

FILE = Path(doctor.__file__)
GOOD = Path(__file__).parent / "courses" / "good"
SYSTEMS = ("debian", "macos", "wsl")


def run(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run it as a fresh clone does: another Python's `-I`, no packages, no PYTHONPATH."""
    return subprocess.run(
        [sys.executable, "-S", "-E", str(FILE), *words],
        capture_output=True, text=True, env=os.environ | env, check=False,
    )  # fmt: skip


def programs(folder: Path, **scripts: str) -> str:
    """A PATH with these programs alone."""
    folder.mkdir(exist_ok=True)
    for name, body in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def one(what: str, where: str = "debian", folder: str = "") -> doctor.Finding:
    return next(each for each in doctor.examine(where, folder) if each.what == what)


def test_it_needs_nothing_but_python() -> None:
    tree = ast.parse(FILE.read_text("utf-8"), feature_version=(3, 7))
    names = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom)
                     else [each.name for each in node.names])
    }  # fmt: skip
    assert names <= set(sys.stdlib_module_names)


def test_a_fit_laptop_is_0_and_offline_it_is_quick(tmp_path: Path) -> None:
    path = programs(
        tmp_path / "bin", git="echo git version 2.40.1", docker="exit 0", kubectl="exit 0",
        firefox="exit 0", rsync="exit 0", **{"gitlab-ci-local": "exit 0"},
    )  # fmt: skip
    began = time.monotonic()
    done = run("--json", PATH=path, PYTHONIOENCODING="utf-8", http_proxy="", https_proxy="",
               KUBECONFIG="named")  # fmt: skip
    assert time.monotonic() - began < 10
    assert (done.returncode, done.stderr) == (0, "")
    found = {each["what"]: each for each in json.loads(done.stdout)}
    assert list(found) == [
        "processes", "python", "git", "place", "space", "ports", "proxy", "certificates",
        "file events", "clock", "locale", "containers", "cluster", "browser",
        "pipelines",
    ]  # fmt: skip
    programs_ = ("git", "containers", "cluster", "browser", "pipelines")
    for what in ("processes", "python", "locale", *programs_):
        assert (what, found[what]["state"], found[what]["fix"]) == (what, "good", "")


def test_an_old_git_and_a_missing_one_are_1(tmp_path: Path) -> None:
    path = programs(tmp_path / "bin", git="echo git version 2.25.1")
    done = run(PATH=path)
    assert done.returncode == 1
    assert (
        "  MEND  git           git version 2.25.1 is too old: the workshop needs 2.31\n"
        "                      $ sudo apt install git\n"
    ) in done.stdout
    assert done.stdout.endswith("Mend what says MEND first, from the top. Then ask again.\n")
    assert "git is not installed" in run(PATH=str(tmp_path)).stdout


def test_a_hanging_program_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleep = "/bin/sleep 60"
    path = programs(tmp_path / "bin", git=sleep, docker=sleep, podman=sleep, kubectl=sleep)
    monkeypatch.setenv("PATH", path)
    monkeypatch.setenv("KUBECONFIG", "named")
    monkeypatch.setattr(doctor, "PATIENCE", 0.3)
    began = time.monotonic()
    found = {each.what: each for each in doctor.examine("debian", str(tmp_path))}
    assert time.monotonic() - began < 10
    assert found["git"].state == "bad"
    assert found["containers"].fact == "docker is installed, and does not answer"
    assert found["cluster"].fact == "kubectl is there, and no cluster answers"


@pytest.mark.parametrize("where", SYSTEMS)
def test_what_runs_pipelines_calls_another_program(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path / "bin", **{"gitlab-ci-local": "exit 0"})
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    found = one("pipelines", where, str(tmp_path))
    assert found.fact == "gitlab-ci-local is there, and rsync, which it calls, is not"
    assert found.fix.endswith(" install rsync") or where == "windows"


def test_a_cluster_that_nobody_has_named_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path / "bin", kubectl="exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    found = one("cluster", "debian", str(tmp_path))
    assert found.fact == "kubectl is there, and KUBECONFIG names no cluster"
    assert found.fix == "export KUBECONFIG=~/.kube/config"


@pytest.mark.parametrize("where", SYSTEMS)
def test_each_problem_has_one_command_on_each_system(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere.pem"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setattr(doctor, "PYTHON", (9, 9))
    monkeypatch.setattr(doctor, "SPACE", 1e9)
    monkeypatch.setattr(doctor, "_OLDEST_CLOCK", time.time() + 1000)
    problems = [each for each in doctor.examine(where, str(tmp_path)) if each.state != "good"]
    expected = {"python", "git", "space", "proxy", "certificates", "clock", "containers", "cluster"}
    assert expected <= {each.what for each in problems}
    for each in problems:
        assert each.fix, each.what
        assert "\n" not in each.fix


def test_windows_itself_is_told_about_wsl(tmp_path: Path) -> None:
    found = one("processes", "windows", str(tmp_path))
    assert (found.state, found.fix) == ("bad", "wsl --install -d Debian")
    assert "WSL" in found.fact


def test_a_proxy_must_spare_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "example.org")
    found = one("proxy")
    assert found.state == "mind"
    assert found.fix == "export NO_PROXY=127.0.0.1,localhost,$NO_PROXY"
    monkeypatch.setenv("NO_PROXY", "example.org, 127.0.0.1")
    assert one("proxy").state == "good"


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [each.getsockname()[1] for each in sockets]
    monkeypatch.setattr(doctor, "PORTS", tuple(ports))
    yield ports
    for each in sockets:
        each.close()


def test_taken_ports_are_named(taken: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    found = one("ports")
    assert found.state == "mind"
    assert all(str(port) in found.fact for port in taken)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    monkeypatch.setattr(doctor, "PORTS", (taken[0], free))
    assert one("ports").fact == f"a port is free on 127.0.0.1, {taken[0]} taken"


def test_the_windows_drive_is_named(tmp_path: Path) -> None:
    found = one("place", "wsl", "/mnt/c/Users/me")
    assert (found.state, found.fix) == ("mind", "mkdir -p ~/workshop && cd ~/workshop")
    assert one("place", "debian", str(tmp_path)).state == "good"


def test_what_breaks_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("boom")

    monkeypatch.setattr(shutil, "disk_usage", broken)
    found = [each for each in doctor.examine() if each.fact == "can't be looked at: boom"]
    assert [each.what for each in found] == ["space"]


def test_which_steps_can_be_done_in_full() -> None:
    good = doctor.Finding("git", "good", "git version 2.40")
    without = doctor.Finding("containers", "mind", "no container engine", "apt install podman")
    wanted = {"01-a": [], "02-b": ["containers"], "03-c": ["containers", "cluster"]}
    assert doctor.report([good, without], wanted) == (
        "  good  git           git version 2.40\n"
        "  mind  containers    no container engine\n"
        "                      $ apt install podman\n"
        "\n"
        "This laptop can do 1 of 3 steps in full.\n"
        "  02-b                           without containers\n"
        "  03-c                           without containers\n"
        "There, what can't be checked here is skipped, and the summary says so."
    )
    assert doctor.report([good], wanted).endswith("\n\nThis laptop can do every step in full.")


def test_it_reads_what_steps_need(course_folder: Path) -> None:
    toml = course_folder / "steps" / "02-name" / "step.toml"
    toml.write_text('needs = ["containers", "browser"]\n' + toml.read_text())
    assert doctor.needs(str(course_folder / "steps")) == {
        "01-hello": [], "02-name": ["containers", "browser"],
    }  # fmt: skip


def test_the_verb_is_the_same(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workshop", "doctor", "--course", str(GOOD)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1)
    assert done.stdout.startswith("Is this laptop fit for the workshop?\n\n")
    long = [line for line in done.stdout.splitlines() if len(line) > 80]
    assert [line for line in long if str(tmp_path) not in line] == []  # a path stays whole
