"""A deploy: the commit answers, says who it is, and nobody who visits meanwhile is lost."""

from __future__ import annotations

import contextlib
import json
import socket
import stat
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest
from conftest import commit
from producing import Answer, Site, page, until

from workshop import load, production
from workshop.production import log
from workshop.production import place as places


def test_commit_one_is_in_production(site: Site) -> None:
    made = site.commit("one")
    done = site.run("deploy", "--port", "0")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"  release      {made[:10]} one\n"
        "  ready        /ready answered, traffic moved\n"
        "\n"
        f"production is live: http://127.0.0.1:{site.place.port}/\n"
        f"It answers with this commit (header X-Release):\n  {made}\n"
    )
    site.serves("one", made)


def test_who_is_not_given_the_first_port_is_told_once(site: Site) -> None:
    made = site.commit("one")
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # somebody has it already, which is the same
            stack.enter_context(socket.create_server(("127.0.0.1", places.FIRST_PORT)))
        done = site.run("deploy")
    port = site.place.port
    told = f"  port         8000 is taken, so it is {port} from now on\n"
    assert done.stdout.startswith(f"  release      {made[:10]} one\n{told}")
    assert "port  " not in site.run("deploy").stdout


def test_what_another_environment_has_is_not_taken(site: Site) -> None:
    other = Site(site.project, "integration")
    for each, port in ((site, 8000), (other, 8001)):
        places.prepare(each.place)
        places.write(each.place.folder / "port.json", {"port": port})
        assert places.taken(each.place) is None
    places.write(other.place.folder / "port.json", {"port": 8002})
    assert places.taken(other.place) == 8001
    places.write(site.place.folder / "port.json", {"port": 8005})
    assert places.taken(other.place) == 8000


def test_from_then_on_nobody_gets_the_old_one(site: Site) -> None:
    site.deploy("one")
    for word in ("two", "three", "four", "five"):
        made = site.deploy(word)
        assert {tuple(site.get().release) for _ in range(20)} == {(made,)}


def test_nobody_waits_for_a_visitor_of_the_old_one(site: Site) -> None:
    files = page("one")
    files["app.py"] = files["app.py"].replace("time.sleep(1)", "time.sleep(8)")
    first = commit(site.project, files, "one")
    assert site.run("deploy").returncode == 0
    slow: list[Answer] = []
    visiting = threading.Thread(target=lambda: slow.append(site.get("/slow")))
    visiting.start()
    time.sleep(0.3)
    second = site.deploy("two")
    assert slow == []
    site.serves("two", second)
    visiting.join()
    assert slow == [Answer(200, [first], "one")]


def test_the_header_is_on_every_answer_and_cannot_be_faked(site: Site) -> None:
    made = site.deploy("one")
    assert site.get("/faked") == Answer(200, [made], "one")
    assert site.get("/boom") == Answer(500, [made], "Internal Server Error\n")
    assert "RuntimeError: boom" in (site.place.logs / f"{made}.log").read_text()


def test_only_this_machine_can_reach_it(site: Site) -> None:
    site.deploy("one")
    heard = {
        (connection.laddr.ip, connection.laddr.port)
        for process in site.processes()
        for connection in process.net_connections("inet")
        if connection.status == "LISTEN"
    }
    assert {ip for ip, _ in heard} == {"127.0.0.1"}
    assert ("127.0.0.1", site.place.port) in heard


def test_it_is_the_commit_that_is_deployed_not_the_folder(site: Site) -> None:
    first = site.commit("one")
    site.commit("two")
    (site.project / "app.py").write_text("not yet\n")
    assert site.run("deploy", "--rev", first[:12]).returncode == 0
    site.serves("one", first)


def test_a_release_cannot_be_changed(site: Site) -> None:
    made = site.commit("one", **{"pages/index.txt": "hello\n"})
    (site.project / "run.sh").write_text("#!/bin/sh\n")
    (site.project / "run.sh").chmod(0o755)
    made = commit(site.project, {})
    site.run("deploy")
    folder = site.place.releases / made
    modes = {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in folder.rglob("*")
    }
    assert not any(mode & 0o222 for mode in modes.values())
    assert modes["run.sh"] & 0o111
    assert (folder / "pages" / "index.txt").read_bytes() == b"hello\n"
    assert not list(folder.rglob("__pycache__"))


def test_the_log_has_a_line_for_each_deploy(site: Site) -> None:
    first, second = site.deploy("one"), site.deploy("two")
    lines = (site.place.folder / "deploys.jsonl").read_text("utf-8").splitlines()
    one, two = (json.loads(line) for line in lines)
    assert list(one) == [
        "kind", "environment", "commit", "authored", "start", "live", "outcome", "reason",
    ]  # fmt: skip
    assert (one["commit"], two["commit"]) == (first, second)
    assert (one["kind"], one["environment"]) == ("deploy", "production")
    assert (one["outcome"], one["reason"]) == ("live", "")
    authored, start, live = (
        datetime.fromisoformat(one[name]) for name in ("authored", "start", "live")
    )
    assert authored <= start < live < datetime.fromisoformat(two["start"])


def test_secrets_are_made_once_and_only_we_can_read_them(site: Site) -> None:
    site.deploy("one")
    secret = site.get("/variable/SECRET_KEY").body
    assert len(secret) > 50
    file = site.place.folder / "secrets.json"
    assert json.loads(file.read_text()) == {"SECRET_KEY": secret}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert site.project not in file.parents
    site.deploy("two")
    assert site.get("/variable/SECRET_KEY").body == secret
    assert secret not in "".join(
        path.read_text("utf-8", "replace") for path in site.place.logs.iterdir()
    )


def test_the_projects_own_configuration_wins(site: Site) -> None:
    configuration = "# what differs here\n\nSECRET_KEY='mine'\nGREETING = hello = you\n"
    site.commit("one", **{"deployment/envs/production": configuration})
    assert site.run("deploy").returncode == 0
    assert site.get("/variable/SECRET_KEY").body == "mine"
    assert site.get("/variable/GREETING").body == "hello = you"
    assert site.get("/variable/ALLOWED_HOSTS").body == "127.0.0.1,localhost"
    other = Site(site.project, "integration")
    assert other.run("deploy", "integration").returncode == 0
    assert other.get("/variable/GREETING").body == "unset"
    assert other.get("/variable/SECRET_KEY").body != "mine"


def test_the_persons_own_variables_stay_with_the_person(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "mine")
    site.deploy("one")
    for name in ("DJANGO_SETTINGS_MODULE", "WORKSHOP_COMMIT", "WORKSHOP_HOME"):
        assert site.get(f"/variable/{name}").body == "unset"


@pytest.mark.parametrize("keep_alive", [False, True])
def test_no_request_is_lost_over_three_deploys(site: Site, keep_alive: bool) -> None:
    made = [site.deploy("one")]
    running = load.start(site.place.url, requests=3000, rate=240, keep_alive=keep_alive)
    made += [site.deploy(word) for word in ("two", "three", "four")]
    report = running.stop()
    assert report.lost == {}
    assert report.answered == report.sent > 60
    assert set(report.releases) <= set(made)
    assert {made[0], made[-1]} <= set(report.releases)
    assert len(report.releases) > 2


def test_what_an_old_release_began_it_finishes(site: Site) -> None:
    first = site.deploy("one")
    answers: list[Answer] = []
    visitor = threading.Thread(target=lambda: answers.append(site.get("/slow")))
    visitor.start()
    second = site.deploy("two")
    site.serves("two", second)
    visitor.join()
    assert answers == [Answer(200, [first], "one")]
    until(lambda: len(json.loads((site.place.folder / "servers.json").read_text())) == 1)


def test_nobody_is_sent_to_a_release_that_is_not_ready(site: Site, tmp_path: Path) -> None:
    first = site.deploy("one")
    gate, asked = tmp_path / "open", tmp_path / "asked"
    slow = page("two")["app.py"].replace(
        'path = environ["PATH_INFO"]\n',
        'path = environ["PATH_INFO"]\n'
        f"    if not os.path.exists({str(gate)!r}):\n"
        f"        open({str(asked)!r}, 'a').close()\n"
        '        start_response("503 Not Yet", [])\n'
        '        return [b"not yet"]\n',
    )
    second = commit(site.project, {"app.py": slow})
    deploying = site.begin("deploy")
    until(lambda: asked.exists() or deploying.poll() is not None)
    for _ in range(30):
        site.serves("one", first)
    assert deploying.poll() is None
    gate.touch()
    out, _ = deploying.communicate()
    assert out.endswith(f"It answers with this commit (header X-Release):\n  {second}\n")
    site.serves("two", second)


def test_a_browser_that_connects_and_says_nothing_blocks_nobody(site: Site) -> None:
    made = site.deploy("one")
    silent = [socket.create_connection(("127.0.0.1", site.place.port or 0)) for _ in range(3)]
    for _ in range(5):
        site.serves("one", made)
    for each in silent:
        each.close()


def test_a_port_of_ones_own_and_moving_it(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    first = site.deploy("one", port=port)
    assert site.place.url == f"http://127.0.0.1:{port}/"
    site.serves("one", first)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        other = probe.getsockname()[1]
    site.commit("two")
    done = site.run("deploy", "--port", str(other))
    assert (done.returncode, done.stderr) == (
        2,
        f"error: {site.project}: production answers on port {port} already\n"
        f"       To move it: python -m workshop production down, then deploy with --port {other}\n",
    )
    site.serves("one", first)
    production.down(site.project)
    assert site.run("deploy", "--port", str(other)).returncode == 0
    assert site.place.port == other
    assert site.get().body == "two"


def test_two_environments_stand_side_by_side(site: Site) -> None:
    made = site.deploy("one")
    other = Site(site.project, "integration")
    newer = other.deploy("two")
    assert other.place.port != site.place.port
    site.serves("one", made)
    other.serves("two", newer)
    assert [each.environment for each in log.entries(other.place)] == ["integration"]
