"""A real PostgreSQL: it keeps what it is told, comes back, and lets in only who may come in."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from producing import ended, until

from workshop import postgres
from workshop.errors import WorkshopError
from workshop.postgres import Cluster


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    """PostgreSQL's programs, copied once for the whole file when we are root.

    Not below pytest's own folder: any other run of pytest closes that for other users.
    """
    folder = Path(tempfile.mkdtemp(prefix="workshop-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def cluster(home: Path, shared: Path) -> Iterator[Cluster]:
    (home / "postgresql").symlink_to(shared, target_is_directory=True)
    made = Cluster(home / "postgres")
    yield made
    made.stop()
    assert not made.running()


def sql(cluster: Cluster, command: str, *, url: str = "") -> str:
    """What the server answers to a command, or why it does not."""
    done = subprocess.run(
        [postgres._programs() / "psql", url or cluster.url("demo"), "-Atc", command],
        env=os.environ | {"PGCONNECT_TIMEOUT": "5"},
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    return (done.stdout + done.stderr).strip()


def server(cluster: Cluster) -> psutil.Process:
    number = (cluster.folder / "data" / "postmaster.pid").read_text().split()[0]
    return psutil.Process(int(number))


def test_it_keeps_its_data_over_a_restart_and_a_kill(cluster: Cluster) -> None:
    assert not cluster.running()
    cluster.start()
    cluster.create("demo")
    assert sql(cluster, "create table t as select 7 as n") == "SELECT 1"
    first, url = server(cluster), cluster.url("demo")
    cluster.start()  # runs already
    assert server(cluster) == first
    cluster.create("demo")  # is there already
    assert sql(cluster, "select n from t") == "7"

    cluster.stop()
    assert not cluster.running()
    until(lambda: ended([first]))  # it takes its pid file away, and goes
    cluster.stop()  # is stopped already
    cluster.start()
    assert (cluster.url("demo"), sql(cluster, "select n from t")) == (url, "7")

    server(cluster).kill()
    until(lambda: not cluster.running())
    cluster.start()
    assert (cluster.url("demo"), sql(cluster, "select n from t")) == (url, "7")

    cluster.drop("demo")
    assert 'database "demo" does not exist' in sql(cluster, "select 1")
    cluster.drop("demo")  # is gone already


def test_who_may_come_in(cluster: Cluster) -> None:
    cluster.start()
    cluster.create("demo")
    # only the server itself listens; its children come and go, and inherit what it listens on
    heard = {
        connection.laddr.ip
        for connection in server(cluster).net_connections()
        if connection.status == "LISTEN"
    }
    assert heard == {"127.0.0.1"}
    assert sql(cluster, "select 1") == "1"
    bare = f"postgres://workshop@127.0.0.1:{cluster.port}/demo"
    assert "no password supplied" in sql(cluster, "select 1", url=bare)
    wrong = bare.replace("@", ":wrong@")
    assert "password authentication failed" in sql(cluster, "select 1", url=wrong)
    for name in ("password", "port"):
        assert (cluster.folder / name).stat().st_mode & 0o777 == 0o600
    if os.geteuid() == 0:  # which PostgreSQL refuses to run as
        assert server(cluster).username() == "nobody"


def test_a_port_that_somebody_took_is_no_reason_to_stop(cluster: Cluster) -> None:
    cluster.start()
    cluster.create("demo")
    sql(cluster, "create table t as select 7 as n")
    cluster.stop()
    port = cluster.port
    with socket.create_server(("127.0.0.1", port)):
        cluster.start()
        assert cluster.port != port
        assert sql(cluster, "select n from t") == "7"


def test_a_number_that_another_process_has_now(cluster: Cluster) -> None:
    cluster.start()
    file = cluster.folder / "data" / "postmaster.pid"
    lines = file.read_text().splitlines()
    cluster.stop()
    file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert not cluster.running()
    cluster.start()
    assert cluster.running()
    assert server(cluster).pid != os.getpid()


@pytest.mark.parametrize("may_look", [True, False])
def test_a_number_that_another_server_has_now(
    cluster: Cluster, home: Path, monkeypatch: pytest.MonkeyPatch, may_look: bool
) -> None:
    if not may_look:  # as for root in a container

        def refused(*_: object) -> bool:
            raise PermissionError

        monkeypatch.setattr(Path, "samefile", refused)
    other = Cluster(home / "other")
    other.start()
    try:
        cluster.start()
        file = cluster.folder / "data" / "postmaster.pid"
        lines = file.read_text().splitlines()
        cluster.stop()
        theirs = server(other)
        file.write_text("\n".join([str(theirs.pid), *lines[1:]]) + "\n")
        assert not cluster.running()
        cluster.stop()  # nothing that is ours
        assert other.running()
        cluster.start()
        assert cluster.running()
        assert server(cluster) != theirs
        assert other.running()
    finally:
        other.stop()


def test_a_server_that_is_not_ready_keeps_its_data_alone(cluster: Cluster) -> None:
    cluster.start()
    file = cluster.folder / "data" / "postmaster.pid"
    noted = file.read_text()
    file.write_text(noted.replace("ready", "starting"))
    try:
        with pytest.raises(WorkshopError, match="PostgreSQL did not start"):
            cluster.start()
        assert file.read_text().split()[0] == noted.split()[0]
    finally:
        file.write_text(noted)


def test_the_persons_own_variables_lead_nowhere(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGUSER": "me"}.items():
        monkeypatch.setenv(name, value)
    cluster.start()
    cluster.create("demo")


def test_one_for_checks_is_a_copy(home: Path, shared: Path) -> None:
    (home / "postgresql").symlink_to(shared, target_is_directory=True)
    one, two = (Cluster(home / name, fast=True) for name in ("one", "two"))
    for each in (one, two):
        each.start()
        each.create("demo")
    try:
        assert one.port != two.port
        assert sql(one, "show fsync") == "off"
        sql(one, "create table t as select 7 as n")
        assert 'relation "t" does not exist' in sql(two, "select n from t")
    finally:
        for each in (one, two):
            each.stop()


def test_why_it_does_not_start_is_told(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    with (cluster.folder / "data" / "postgresql.conf").open("a") as file:
        file.write("max_connections = many\n")
    with pytest.raises(WorkshopError) as error:
        cluster.start()
    assert error.value.path == cluster.folder
    assert error.value.fact.startswith("PostgreSQL did not start: ")
    assert 'invalid value for parameter "max_connections": "many"' in error.value.fact
    assert error.value.remedy == f"The whole log is in {cluster.folder / 'log'}"
    assert not cluster.running()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount a small disk")
def test_half_made_is_made_again(cluster: Cluster) -> None:
    cluster.folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", cluster.folder], check=True)
    try:
        with pytest.raises(WorkshopError) as error:
            cluster.start()
    finally:
        subprocess.run(["umount", "--lazy", cluster.folder], check=True)
    assert error.value.fact.startswith("PostgreSQL can't make its data folder: ")
    assert error.value.remedy == "Mend what it says, such as a full disk, and try again."
    assert not cluster.running()
    (cluster.folder / "data.part").mkdir()
    (cluster.folder / "data.part" / "half").touch()
    cluster.start()
    assert cluster.running()
