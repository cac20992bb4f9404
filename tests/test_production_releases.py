"""After a deploy: look, go back, run a command, stop the database, end everything."""

from __future__ import annotations

import json
import signal
import threading
from datetime import datetime
from pathlib import Path

import psutil
import pytest
from conftest import begin_anew, commit
from producing import GOOD, Site, ended, until

from workshop import course, production
from workshop.errors import WorkshopError
from workshop.production import log, release, upkeep
from workshop.production import place as places
from workshop.production.place import Place

PLATFORM = course.platform(GOOD)
WITH_DATABASE = {"settings.py": "'DATABASE_URL'\n", "migrate.py": ""}


def test_a_rollback_brings_the_one_before_back(site: Site) -> None:
    first, second = site.deploy("one"), site.deploy("two")
    done = site.run("rollback")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"  release      {first[:10]} one (kept)\n"
        "  ready        /ready answered, traffic moved\n"
        "\n"
        f"production is live: {site.place.url}\n"
        f"It answers with this commit (header X-Release):\n  {first}\n"
    )
    site.serves("one", first)
    assert site.log() == [
        ("deploy", first, "live"), ("deploy", second, "live"), ("rollback", first, "live"),
    ]  # fmt: skip


def test_what_was_rolled_back_is_not_chosen_again(site: Site) -> None:
    one, two, three = (site.deploy(word) for word in ("one", "two", "three"))
    assert production.rollback(site.project, "production", PLATFORM).commit == two
    assert production.rollback(site.project, "production", PLATFORM).commit == one
    done = site.run("rollback")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {site.project}: there is no release to roll back to in production\n"
        "       A rollback needs two deploys. See `python -m workshop releases`.\n"
    )
    site.serves("one", one)
    # asked for by name it comes, and counts as good again
    assert production.rollback(site.project, "production", PLATFORM, to=three[:7]).commit == three
    site.serves("three", three)
    four = site.deploy("four")
    assert production.rollback(site.project, "production", PLATFORM).commit == three
    assert four != three


def test_one_that_was_rolled_back_stays_so_when_its_next_deploy_fails(site: Site) -> None:
    one, two = site.deploy("one"), site.deploy("two")
    production.rollback(site.project, "production", PLATFORM)
    # this time it does not come up: something broke its files
    (site.place.releases / two).chmod(0o700)
    (site.place.releases / two / "app.py").unlink()
    assert site.run("deploy").returncode == 2
    site.deploy("three")
    assert production.rollback(site.project, "production", PLATFORM).commit == one
    with pytest.raises(WorkshopError) as error:
        production.rollback(site.project, "production", PLATFORM)
    assert error.value.fact == "there is no release to roll back to in production"


def test_no_release_to_roll_back_to(site: Site) -> None:
    says = (
        f"error: {site.project}: there is no release to roll back to in production\n"
        "       A rollback needs two deploys. See `python -m workshop releases`.\n"
    )
    assert site.run("rollback").stderr == says
    made = site.deploy("one")
    done = site.run("rollback")
    assert (done.returncode, done.stderr) == (2, says)
    done = site.run("rollback", "--to", "abc")
    assert (done.returncode, done.stderr) == (
        2,
        f"error: {site.project}: there is no kept release abc\n       The others are: none\n",
    )
    site.deploy("two")
    done = site.run("rollback", "--to", "abc")
    assert done.stderr.endswith(f"       The others are: {made[:10]}\n")
    assert site.get().body == "two"
    assert len(site.log()) == 2


def test_five_releases_are_kept(site: Site) -> None:
    long = 6 * " and much to say of it"
    made = [site.deploy(f"{number}{long if number == 4 else ''}") for number in range(7)]
    assert {path.name.removesuffix(".json") for path in site.place.releases.iterdir()} == set(
        made[2:]
    )
    done = site.run("releases")
    assert (done.returncode, done.stderr) == (0, "")
    table, note = done.stdout.split("\n\n")
    assert note == "The times are in UTC.\n"
    assert max(map(len, table.splitlines())) == 80
    lines = [line.split("  ") for line in table.splitlines()]
    assert [(word, short, subject[:1]) for word, short, _, subject in lines] == [
        ("live" if number == 6 else "kept", made[number][:10], str(number))
        for number in (6, 5, 4, 3, 2)
    ]
    times = [datetime.fromisoformat(when) for _, _, when, _ in lines]
    assert times == sorted(times, reverse=True)
    assert all(when.microsecond == 0 and when.tzinfo is None for when in times)


def test_a_failed_release_is_not_among_them(site: Site) -> None:
    one = site.deploy("one")
    bad = commit(site.project, {"app.py": "1 / 0\n"})
    assert site.run("deploy").returncode == 2
    two = site.deploy("two")
    assert [each.commit for each in production.releases(site.project, "production")] == [two, one]
    assert not (site.place.releases / bad).exists()


def test_a_clock_that_was_wrong_decides_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = site.deploy("one")
    with monkeypatch.context() as patch:
        patch.setattr(release, "_switched", lambda _: "2999-01-01T00:00:00.000+00:00")
        two = site.deploy("two")
    three, four = site.deploy("three"), site.deploy("four")
    kept = [each.commit for each in production.releases(site.project, "production")]
    assert kept == [four, three, two, one]
    assert production.rollback(site.project, "production", PLATFORM).commit == three


def test_notes_from_before_turns_were_counted_are_older(place: Place) -> None:
    for made, hour in (("a", "11"), ("b", "12")):
        note = release.Release(made, "", "", live_at=f"2026-01-01T{hour}:00:00.000+00:00")
        old = {name: value for name, value in note._asdict().items() if name != "turn"}
        places.write(place.releases / f"{made}.json", old)
    release.keep(place, release.Release("c", "", "", live_at="2026-01-01T00:00:00+00:00", turn=1))
    assert [each.commit for each in release.kept(place)] == ["c", "b", "a"]


def test_a_kept_release_comes_back_though_the_repository_has_lost_its_commit(site: Site) -> None:
    one, two = site.deploy("one"), site.deploy("two")
    begin_anew(site.project)
    file = site.place.releases / f"{one}.json"  # a Python that is gone, too: it is made anew
    places.write(file, (places.read(file) or {}) | {"python": str(site.project / "gone")})
    done = site.run("rollback")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"  release      {one[:10]} one (kept)\n" in done.stdout
    site.serves("one", one)
    release.discard(site.place.releases / two)  # what is not there, only git can give
    done = site.run("rollback", "--to", two)
    assert done.returncode == 2
    assert done.stderr.startswith(
        f"error: {site.project}: git does not give the commit {two[:10]}: fatal: "
    )
    site.serves("one", one)


def test_a_release_whose_removal_was_interrupted_is_not_served_half(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(folder: Path, **_: object) -> None:
        (folder / "app.py").unlink()
        raise KeyboardInterrupt

    one = site.deploy("one")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(release, "KEPT", 1)
        patch.setattr("workshop.production.release.shutil.rmtree", killed)
        site.deploy("two")
    done = site.run("deploy", "--rev", one)
    assert (done.returncode, done.stderr) == (0, "")
    site.serves("one", one)
    assert site.leftovers() == []


def test_status_and_down(site: Site) -> None:
    assert site.run("production", "status").stdout == "Production:  nothing deployed yet\n"
    assert site.run("production", "down").stdout == "Nothing was running.\n"
    made = commit(site.project, WITH_DATABASE)
    site.commit("one")
    made = commit(site.project, {})
    other = Site(site.project, "integration")
    assert site.run("deploy").returncode == 0
    assert other.run("deploy", "integration").returncode == 0
    assert site.run("production", "status").stdout == (
        f"Integration: {made[:10]} up, {other.place.url}\n"
        f"Production:  {made[:10]} up, {site.place.url}\n"
    )
    running = [*site.processes(), *other.processes()]
    pid = site.place.folder / "postgres" / "data" / "postmaster.pid"
    running.append(psutil.Process(int(pid.read_text().split()[0])))
    assert len(running) >= 6
    secret = (site.place.folder / "secrets.json").read_bytes()
    done = site.run("production", "down")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Ended: integration, production. The data stays.\n"
    until(lambda: ended(running), 5)
    assert site.run("production", "status").stdout == (
        f"Integration: {made[:10]} down; `deploy` brings it up\n"
        f"Production:  {made[:10]} down; `deploy` brings it up\n"
    )
    assert site.run("production", "down").stdout == "Nothing was running.\n"
    assert (site.place.folder / "secrets.json").read_bytes() == secret
    port = site.place.port
    done = site.run("deploy")
    assert f"  release      {made[:10]} Change (kept)\n  database     PostgreSQL started\n" in (
        done.stdout
    )
    assert site.place.port == port
    site.serves("one", made)


def test_down_while_an_old_release_still_has_a_visitor(site: Site) -> None:
    site.deploy("one")
    answers = []
    visitor = threading.Thread(target=lambda: answers.append(site.get("/slow")))
    visitor.start()
    until(lambda: site.get().status == 200)
    site.deploy("two")
    running = site.processes()
    assert production.down(site.project) == ("production",)
    until(lambda: ended(running), 5)
    visitor.join()
    assert answers[0].body == "one"


def test_a_command_runs_in_the_live_release(site: Site) -> None:
    site.commit("one", **{"deployment/envs/production": "GREETING=hello\n"})
    site.run("deploy")
    made = site.live
    (site.project / "only-here.txt").touch()
    code = (
        "import os, sys; print(os.path.basename(os.getcwd()), os.environ['GREETING'],"
        " os.environ.get('MINE'), os.environ.get('UV_CACHE_DIR')); sys.exit(7)"
    )
    done = site.run("run", "-e", "MINE=a=b", "python", "-c", code)
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout == f"{made} hello a=b None\n"
    done = site.run("run", "-e", "GREETING=bye", "sh", "-c", "echo $GREETING; kill -9 $$")
    assert (done.returncode, done.stdout) == (137, "bye\n")
    done = site.run("run", "python", "-c", "import sys; sys.stderr.write(sys.argv[1])", "--help")
    assert (done.returncode, done.stderr) == (0, "--help")


@pytest.mark.parametrize("hears", [True, False])
def test_an_interrupt_is_for_the_command_that_runs(site: Site, hears: bool) -> None:
    """In a shell, Ctrl-C cancels a line: whoever runs it must not end it."""
    site.deploy("one")
    wait = "import time\nprint('up', flush=True)\ntime.sleep(30)\n"
    shell = f"""
try:
    exec({wait!r})
except KeyboardInterrupt:
    time.sleep(1)
    print('still here')
    raise SystemExit(7)
"""
    running = site.begin("run", "python", "-c", shell if hears else wait)
    assert running.stdout is not None
    assert running.stdout.readline() == "up\n"
    (command,) = psutil.Process(running.pid).children()
    for each in (running, command):  # the terminal tells all that run in it
        each.send_signal(signal.SIGINT)
    said, errors = running.communicate(timeout=20)
    if hears:
        assert (running.returncode, said, errors) == (7, "still here\n", "")
    else:
        assert (running.returncode, said) == (130, "")
        assert errors.endswith("KeyboardInterrupt\n")


def test_interrupts_are_heard_again_afterwards(site: Site) -> None:
    site.deploy("one")
    before = signal.getsignal(signal.SIGINT)
    command = [
        "python",
        "-c",
        "import signal, sys; sys.exit(signal.getsignal(2) == signal.SIG_IGN)",
    ]
    assert upkeep.run(site.project, "production", PLATFORM, command, {}) == 0
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["run"],
            "error: which command?\n"
            "       Name one: python -m workshop run python manage.py check\n",
        ),
        (
            ["run", "-e", "A", "true"],
            "error: this sets no variable: A\n       Write it as -e NAME=VALUE\n",
        ),
        (
            ["run", "no-such-command"],
            "error: PROJECT: there is no command no-such-command\n"
            "       Check its name. `python` is the Python of the release.\n",
        ),
        (
            ["run", "./app.py"],
            "error: PROJECT: there is no command ./app.py\n"
            "       Check its name. `python` is the Python of the release.\n",
        ),
        (
            ["run", "--environment", "integration", "true"],
            "error: PROJECT: nothing is live in integration\n"
            "       Bring it up: python -m workshop deploy integration\n",
        ),
        (
            ["run", "--environment", "moon", "true"],
            "error: there is no environment moon\n"
            "       The environments are: development, integration, production\n",
        ),
        (
            ["database", "stop"],
            "error: PROJECT: production has no database\n"
            "       It gets one as soon as the project reads DATABASE_URL.\n",
        ),
        (
            ["database", "start", "integration"],
            "error: PROJECT: nothing is live in integration\n"
            "       Bring it up: python -m workshop deploy integration\n",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_run_and_database_refuse(site: Site, words: list[str], says: str) -> None:
    site.deploy("one")
    done = site.run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == says.replace("PROJECT", str(site.project))


def test_nothing_runs_in_an_environment_that_is_down(site: Site) -> None:
    site.deploy("one")
    production.down(site.project)
    done = site.run("run", "true")
    assert (done.returncode, done.stderr) == (
        2,
        f"error: {site.project}: nothing is live in production\n"
        "       Bring it up: python -m workshop deploy\n",
    )


def test_the_database_stops_and_starts_under_the_live_release(site: Site) -> None:
    commit(site.project, WITH_DATABASE)
    made = site.deploy("one")
    url = site.get("/variable/DATABASE_URL").body
    done = site.run("database", "stop")
    assert (done.returncode, done.stdout) == (0, "The database of production is stopped.\n")
    pid = site.place.folder / "postgres" / "data" / "postmaster.pid"
    assert not pid.exists()
    site.serves("one", made)
    done = site.run("database", "start")
    assert (done.returncode, done.stdout) == (0, "The database of production runs.\n")
    assert pid.exists()
    assert site.get("/variable/DATABASE_URL").body == url
    assert len(log.entries(site.place)) == 1


def test_json_of_the_place_is_private(site: Site) -> None:
    site.deploy("one")
    files = [each for each in site.place.folder.iterdir() if each.suffix in (".json", ".jsonl")]
    assert len(files) >= 5
    assert {oct(each.stat().st_mode & 0o777) for each in files} == {"0o600"}
    assert json.loads((site.place.folder / "live.json").read_text())["commit"] == site.live
