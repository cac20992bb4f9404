"""Killed in the middle, whoever it is: the next command repairs it, and says so."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import commit
from producing import GOOD, Site, ended, own_port, page, until

from workshop import course, production
from workshop.errors import WorkshopError
from workshop.production import client, log
from workshop.production import place as places

PLATFORM = course.platform(GOOD)
BEFORE_THE_SWITCH = [
    "workshop.production.release._requirements",
    "workshop.environments._build",
    "tarfile.TarFile.extractall",
    "workshop.production.place.Path.replace",
    "workshop.production.client.ensure",
    "workshop.production.client.call",
    "workshop.production.switching._go",
]


@pytest.mark.parametrize("point", BEFORE_THE_SWITCH)
def test_a_killed_deploy_changes_nothing_and_the_next_one_repairs(site: Site, point: str) -> None:
    first = site.deploy("one")
    second = site.commit("two", **{"requirements.txt": f"# {time.time()}\n"})
    site.killed(point, "deploy")
    site.serves("one", first)
    done = site.run("deploy")
    assert (done.returncode, done.stderr) == (0, "")
    said = f"  repaired     the deploy of {second[:10]} was interrupted\n"
    # at the very first write nothing had begun
    assert done.stdout.startswith("" if point.endswith("replace") else said)
    assert said in done.stdout or point.endswith("replace")
    site.serves("two", second)
    assert site.leftovers() == []
    outcomes = [outcome for _, _, outcome in site.log()]
    assert outcomes in (["live", "interrupted", "live"], ["live", "live"])
    assert "interrupted" in outcomes or point.endswith("replace")
    until(lambda: len(site.processes()) == 3)  # the supervisor, gunicorn and its worker


@pytest.mark.parametrize(
    "point", ["tarfile.TarFile.extractall", "workshop.production.switching._go"]
)
def test_a_killed_first_deploy_leaves_nothing_live(site: Site, point: str) -> None:
    made = site.commit("one")
    site.killed(point, "deploy")
    until(lambda: site.processes() == [])
    assert site.live is None
    done = site.run("deploy")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"  repaired     the deploy of {made[:10]} was interrupted\n")
    site.serves("one", made)


def test_the_migration_of_a_killed_deploy_stays_the_only_one(site: Site, tmp_path: Path) -> None:
    first = site.deploy("one")
    runs, go = tmp_path / "runs", tmp_path / "go"
    migrate = (
        "import os, pathlib, time\n"
        f"with open({str(runs)!r}, 'a') as file:\n"
        "    print(os.getpid(), file=file)\n"
        f"while not pathlib.Path({str(go)!r}).exists():\n"
        "    time.sleep(0.02)\n"
    )
    second = site.commit("two", **{"settings.py": "'DATABASE_URL'\n", "migrate.py": migrate})
    with site.begin("deploy") as deploying:
        until(lambda: runs.exists() and runs.read_text())
        deploying.kill()
    left = psutil.Process(int(runs.read_text()))
    try:
        since = json.loads((site.place.folder / "deploying.json").read_text("utf-8"))["start"]
        done = site.run("deploy")
        assert (done.returncode, done.stdout, done.stderr) == (
            2, "",
            f"error: {site.project}: another deploy to production is running"
            f" (process {left.pid}, since {since})\n"
            "       Wait until it has ended, then try again.\n",
        )  # fmt: skip
        site.serves("one", first)
    finally:
        go.touch()
    until(lambda: ended([left]))
    assert len(runs.read_text().split()) == 1
    done = site.run("deploy")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"  repaired     the deploy of {second[:10]} was interrupted\n")
    site.serves("two", second)


@pytest.mark.parametrize(
    "point", ["workshop.production.release.Release._replace", "workshop.production.log.end"]
)
def test_killed_right_after_the_switch_it_stays_live_and_can_be_rolled_back_to(
    site: Site, point: str
) -> None:
    site.deploy("one")
    second = site.commit("two")
    site.killed(point, "deploy")
    site.serves("two", second)
    third = site.commit("three")
    done = site.run("deploy")
    assert done.stdout.startswith(f"  repaired     the deploy of {second[:10]} was interrupted\n")
    site.serves("three", third)
    entry = log.entries(site.place)[1]
    assert (entry.commit, entry.outcome) == (second, "live")
    assert entry.reason == "the command was ended after the switch"
    assert site.run("rollback").returncode == 0
    site.serves("two", second)


def test_what_visitors_saw_counts_though_the_command_was_killed(site: Site) -> None:
    first, second = site.deploy("one"), site.commit("two")
    site.killed("workshop.production.log.end", "deploy")
    later = log.now()
    assert site.run("rollback").returncode == 0
    assert site.log() == [
        ("deploy", first, "live"), ("deploy", second, "live"), ("rollback", first, "live"),
    ]  # fmt: skip
    entry = log.entries(site.place)[1]
    assert entry.start < str(entry.live) <= later  # when it answered, not when that was found out
    assert entry.authored
    found = production.measure(site.project, "production")
    assert (found.deploys, found.failed, found.answers) == (2, 1, 1)


@pytest.mark.parametrize("point", ["release.Release._replace", "log.end", "release.prune"])
def test_a_rollback_that_is_killed_after_the_switch_was_one(site: Site, point: str) -> None:
    first, second = site.deploy("one"), site.deploy("two")
    site.killed(f"workshop.production.{point}", "rollback")
    site.serves("one", first)
    done = site.run("rollback")
    assert done.returncode == 2
    assert "there is no release to roll back to" in done.stderr
    site.serves("one", first)
    assert site.log()[1:] == [("deploy", second, "live"), ("rollback", first, "live")]


def test_a_release_that_is_back_counts_as_good_though_the_command_was_killed(site: Site) -> None:
    site.deploy("one")
    second = site.deploy("two")
    production.rollback(site.project, "production", PLATFORM)
    site.killed("workshop.production.release.Release._replace", "deploy")
    site.deploy("three")
    assert production.rollback(site.project, "production", PLATFORM).commit == second


def test_what_was_live_before_a_killed_deploy_is_no_news(site: Site) -> None:
    first = site.deploy("one")
    site.killed("workshop.production.client.call", "deploy")
    assert site.run("rollback").returncode == 2
    assert site.log() == [("deploy", first, "live"), ("deploy", first, "interrupted")]


def test_interrupted_after_the_switch_it_is_live(site: Site) -> None:
    first, second = site.deploy("one"), site.commit("two")
    (old,) = site.supervisor().children()
    old.suspend()  # for as long as it does not leave, the command waits
    try:
        deploying = site.begin("deploy")
        until(lambda: site.live == second)
        deploying.send_signal(signal.SIGINT)
        assert deploying.communicate()[1] == "interrupted\n"
    finally:
        old.resume()
    assert site.log() == [("deploy", first, "live"), ("deploy", second, "live")]
    assert production.rollback(site.project, "production", PLATFORM).commit == first


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_it_waits_for_readiness(site: Site, number: int) -> None:
    first = site.deploy("one")
    busy = "    start_response('503 Busy', [])\n    return []\n"
    made = commit(site.project, {"app.py": f"def application(environ, start_response):\n{busy}"})
    deploying = site.begin("deploy")
    until(lambda: len(site.processes()) == 5)
    deploying.send_signal(number)
    _, said = deploying.communicate()
    assert deploying.returncode == 128 + number
    assert said == ("interrupted\n" if number == signal.SIGINT else "")
    site.serves("one", first)
    assert site.log() == [("deploy", first, "live"), ("deploy", made, "interrupted")]
    until(lambda: len(site.processes()) == 3, 5)
    site.serves("one", first)


def test_a_killed_supervisor_comes_back_with_what_was_live(site: Site) -> None:
    first = site.deploy("one")
    port = site.place.port
    left = site.processes()
    site.supervisor().kill()
    until(lambda: not client.running(site.place))
    bad = commit(site.project, {"app.py": "1 / 0\n"})
    done = site.run("deploy")
    assert done.returncode == 2
    assert done.stdout == (
        f"  repaired     {first[:10]} was down, and is live again\n"
        f"  release      {bad[:10]} Change\n"
    )
    assert f"The release {first[:10]} keeps serving." in done.stderr
    site.serves("one", first)
    assert site.place.port == port
    assert ended(left)
    second = site.deploy("two")
    site.serves("two", second)
    assert site.run("deploy").stdout.startswith("  release ")  # nothing to repair any more


def test_a_machine_that_shuts_down_orderly_comes_back_with_what_was_live(site: Site) -> None:
    first = site.deploy("one")
    left = site.processes()
    for each in left:
        each.terminate()
    until(lambda: not client.running(site.place))
    until(lambda: ended(left))
    commit(site.project, {"app.py": "1 / 0\n"})
    done = site.run("deploy")
    assert done.returncode == 2
    assert done.stdout.startswith(f"  repaired     {first[:10]} was down, and is live again\n")
    site.serves("one", first)


def test_what_a_person_ended_is_not_brought_back(site: Site) -> None:
    site.deploy("one")
    owner = site.supervisor()
    assert production.down(site.project) == ("production",)
    until(lambda: ended([owner]))
    site.commit("two")
    assert site.run("deploy").stdout.startswith("  release ")
    owner = site.supervisor()
    owner.terminate()
    until(lambda: not client.running(site.place))
    assert site.run("production", "down").returncode == 0
    assert site.processes() == []
    assert site.run("deploy").returncode == 0


def test_all_processes_killed_and_a_rollback(site: Site) -> None:
    first, second = site.deploy("one"), site.deploy("two")
    until(lambda: len(site.processes()) == 3)
    for each in site.processes():
        each.kill()
    until(lambda: site.processes() == [])
    done = site.run("rollback")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"  repaired     {second[:10]} was down, and is live again\n")
    site.serves("one", first)


def test_down_after_a_killed_supervisor_ends_its_servers(site: Site) -> None:
    site.deploy("one")
    left = site.processes()
    site.supervisor().kill()
    assert site.run("production", "down").returncode == 0
    assert ended(left)
    assert "repaired" not in site.run("deploy").stdout  # it was down because somebody wanted it


def all_killed(site: Site) -> None:
    """As when the machine was switched off."""
    until(lambda: len(site.processes()) == 3)
    for each in site.processes():
        each.kill()
    until(lambda: site.processes() == [])


def test_what_was_live_comes_back_on_another_port_when_its_own_is_taken(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = site.deploy("one")
    all_killed(site)
    monkeypatch.setattr(client, "UNKNOWN", 0.1)
    second, port = site.commit("two"), own_port()
    with socket.create_server(("127.0.0.1", site.place.port or 0)):
        with pytest.raises(WorkshopError, match="can't be had") as error:
            production.deploy(site.project, "production", PLATFORM)
        assert "name another port: workshop deploy production --port" in error.value.remedy
        done = site.run("deploy", "--port", str(port))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"  repaired     {first[:10]} was down, and is live again\n")
        assert site.place.port == port
        site.serves("two", second)


def test_what_was_live_comes_back_though_its_python_is_gone(site: Site) -> None:
    first = site.deploy("one")
    all_killed(site)
    file = site.place.releases / f"{first}.json"
    places.write(file, (places.read(file) or {}) | {"python": str(site.project / "gone")})
    done = site.run("deploy", "--rev", site.commit("two"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"  repaired     {first[:10]} was down, and is live again\n")


def test_what_was_live_and_cannot_come_back_is_in_nobodys_way(site: Site, tmp_path: Path) -> None:
    (needed := tmp_path / "needed").touch()
    whole = page("one")["app.py"]
    commit(site.project, page("one") | {"app.py": f"open({str(needed)!r}).close()\n{whole}"})
    site.run("deploy", "--port", str(own_port()))
    first = site.live or ""
    all_killed(site)
    needed.unlink()
    second = site.commit("two")
    done = site.run("deploy")
    assert (done.returncode, done.stderr) == (0, "")  # whoever failed has let go of the port
    assert done.stdout.startswith(f"  not repaired {first[:10]} was down, and stays so: ")
    assert "No such file or directory" in done.stdout
    site.serves("two", second)


def test_nobody_else_is_ended_in_place_of_a_server_that_is_gone(site: Site) -> None:
    site.deploy("one")
    site.supervisor().kill()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        file = site.place.folder / "servers.json"
        known = file.read_text()
        file.write_text(f'{{"{other.pid}": 1.0, {known.strip()[1:]}')
        production.down(site.project)
        assert other.poll() is None


@pytest.mark.parametrize("whom", ["gunicorn", "worker", "both"])
def test_a_killed_server_comes_back_by_itself(site: Site, whom: str) -> None:
    made = site.deploy("one")
    (master,) = site.supervisor().children()
    (worker,) = master.children()
    for each in {"gunicorn": [master], "worker": [worker], "both": [master, worker]}[whom]:
        each.kill()
    psutil.wait_procs([worker], timeout=10)
    site.serves("one", made)  # it waited, and was not refused
    until(lambda: len(site.processes()) == 3)
    assert site.supervisor().children()[0].is_running()
    second = site.deploy("two")
    site.serves("two", second)


def test_a_supervisor_that_does_not_answer_is_told_and_can_be_ended(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = site.deploy("one")
    second = site.commit("two")
    monkeypatch.setattr(client, "ANSWER", 0.5)
    site.supervisor().suspend()
    with pytest.raises(WorkshopError) as error:
        production.deploy(site.project, "production", PLATFORM)
    assert str(error.value) == (
        f"{site.project}: the process that runs this environment does not answer\n"
        "End it with `workshop production down`, then deploy again."
    )
    assert site.log()[-1] == ("deploy", second, "failed")
    site.serves("one", first)
    assert production.down(site.project) == ("production",)
    assert site.run("deploy").returncode == 0
    site.serves("two", second)


def test_a_supervisor_that_stops_in_the_middle_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = site.deploy("one")
    owner = site.supervisor().pid
    stop = f"import os, signal\nos.kill({owner}, signal.SIGSTOP)\n"
    site.commit("two", **{"settings.py": "'DATABASE_URL'\n", "migrate.py": stop})
    monkeypatch.setattr(client, "SWITCHED", 0.5)
    with pytest.raises(WorkshopError, match="does not answer"):
        production.deploy(site.project, "production", PLATFORM)
    site.serves("one", first)


def test_a_supervisor_that_dies_over_a_switch_is_told(site: Site) -> None:
    first = site.deploy("one")
    site.commit(
        "two",
        **{
            "settings.py": "'DATABASE_URL'\n",
            "migrate.py": f"import os\nos.kill({site.supervisor().pid}, 9)\n",
        },
    )
    done = site.run("deploy")
    assert (done.returncode, done.stderr) == (
        2,
        "error: the process that runs this environment ended in the middle of it\n"
        "       Try again: the next command repairs what it left.\n",
    )
    second = site.commit("two", **{"migrate.py": ""})
    done = site.run("deploy")
    assert done.returncode == 0
    assert done.stdout.startswith(f"  repaired     {first[:10]} was down, and is live again\n")
    site.serves("two", second)


def test_who_nobody_knows_has_time_to_leave_the_port(site: Site) -> None:
    """A server ends by itself whose supervisor was killed before it noted whom it had started."""
    first = site.deploy("one")
    for each in site.processes():
        each.kill()
    until(lambda: site.processes() == [])
    code = f"import socket, time; s = socket.create_server(('127.0.0.1', {site.place.port}))"
    unknown = subprocess.Popen([sys.executable, "-c", f"{code}; print(1, flush=True); input()"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    with unknown:
        assert unknown.stdout is not None
        assert unknown.stdin is not None
        assert unknown.stdout.readline() == b"1\n"
        second = site.commit("two")
        deploying = site.begin("deploy")
        with pytest.raises(subprocess.TimeoutExpired):
            deploying.wait(2)
        unknown.stdin.write(b"\n")
        unknown.stdin.flush()
        said, errors = deploying.communicate(timeout=30)
    assert (deploying.returncode, errors) == (0, "")
    assert said.startswith(f"  repaired     {first[:10]} was down, and is live again\n")
    site.serves("two", second)


def unmeasured() -> dict[str, str]:
    """The variables without those of coverage: it would want to write a file, too."""
    return {name: value for name, value in os.environ.items() if "COVERAGE" not in name}


@pytest.mark.parametrize("size", [0, 500])
def test_a_full_disk_is_told_and_changes_nothing(site: Site, size: int) -> None:
    first = site.deploy("one")
    second = site.commit("two")
    done = subprocess.run(
        [sys.executable, "-m", "workshop", "deploy", "--course", GOOD], cwd=site.project,
        capture_output=True, text=True, check=False, env=unmeasured(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {site.place.folder}: the disk is full: File too large\n"
        "       Make room, then try again.\n"
    )
    site.serves("one", first)
    assert site.leftovers() == []
    assert site.run("deploy").returncode == 0
    site.serves("two", second)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount a small disk")
def test_a_disk_that_gets_full_anywhere(site: Site, home: Path) -> None:
    disk = home / "projects"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk], check=True)
    try:
        fill_it_up(site, disk)
    finally:
        production.down(site.project)
        subprocess.run(["umount", "--lazy", disk], check=True)


def fill_it_up(site: Site, disk: Path) -> None:
    """Deploy with a page more of room each time, until it works."""
    first = site.deploy("one")
    second = site.commit("two")
    ballast = disk / "ballast"
    refused = 0
    for pages in range(40):
        free = os.statvfs(disk).f_bavail
        room = free + (ballast.stat().st_blocks // 8 if ballast.exists() else 0)
        ballast.write_bytes(b"x" * 4096 * (room - pages))
        done = site.run("deploy")
        if done.returncode == 0:
            break
        refused += 1
        assert (done.returncode, done.stderr) == (
            2,
            f"error: {site.place.folder}: the disk is full: No space left on device\n"
            "       Make room, then try again.\n",
        )
        site.serves("one", first)
        assert site.leftovers() == []
    assert refused > 2
    site.serves("two", second)
    ballast.write_bytes(b"x" * 4096 * (os.statvfs(disk).f_bavail + ballast.stat().st_blocks // 8))
    assert site.run("production", "down").returncode == 0
    until(lambda: site.processes() == [])
    ballast.unlink()
    assert site.run("deploy").returncode == 0
    site.serves("two", second)
