"""Configuration by hand: the same release, another variable, nobody lost, nothing told."""

from __future__ import annotations

import stat

import pytest
from producing import GOOD, Site, until

from workshop import course, load
from workshop.errors import WorkshopError
from workshop.production import upkeep


def test_a_variable_reaches_the_release_that_is_live(site: Site) -> None:
    made = site.deploy("one")
    running = load.start(site.place.url, requests=5000, rate=200.0, keep_alive=False)
    try:
        done = site.run("config", "WORD=sale", "OTHER=a=b c")
    finally:
        report = running.stop()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"production has it, and no request was lost: {site.place.url}\n"
        f"The commit is the same as before: {made}\n"
    )
    assert site.get("/variable/WORD").body == "sale"
    assert site.get("/variable/OTHER").body == "a=b c"
    assert dict(report.lost) == {}
    assert set(report.releases) == {made}
    assert site.log() == [("deploy", made, "live")]  # no deploy: the log does not know it


def test_names_are_told_and_values_never(site: Site) -> None:
    site.deploy("one")
    assert site.run("config").stdout == "Set by hand in production: nothing\n"
    said = [site.run("config", "TOKEN=treasure", "A=1"), site.run("config")]
    assert said[-1].stdout == "Set by hand in production: A, TOKEN\n"
    assert not any("treasure" in each.stdout + each.stderr for each in said)
    file = site.place.folder / "config.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_outlives_the_next_release_and_wins_over_the_project(site: Site) -> None:
    site.commit("one", **{"deployment/envs/production": "WORD=file\nMORE=file\n"})
    site.run("deploy")
    site.run("config", "WORD=hand")
    site.commit("two", **{"deployment/envs/production": "WORD=new\nMORE=new\n"})
    site.run("deploy")
    assert [site.get(f"/variable/{name}").body for name in ("WORD", "MORE")] == ["hand", "new"]
    seen = site.run("run", "printenv", "WORD")
    assert seen.stdout == "hand\n"


def test_forgotten(site: Site) -> None:
    site.deploy("one")
    site.run("config", "WORD=hand", "A=1")
    assert site.run("config", "B=2", "--unset", "WORD").returncode == 0
    assert site.get("/variable/WORD").body == "unset"
    assert upkeep.configuration(site.project, "production") == ("A", "B")
    done = site.run("config", "--unset", "WORD")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {site.project}: WORD is not set in production\n       Set by hand are: A, B\n"
    )


def test_each_environment_has_its_own(site: Site) -> None:
    site.deploy("one")
    done = site.run("config", "integration", "WORD=early")
    assert (done.returncode, done.stdout) == (
        0, "integration will have it from its next deploy on.\n",
    )  # fmt: skip
    site.run("deploy", "integration")
    assert site._replace(environment="integration").get("/variable/WORD").body == "early"
    assert site.get("/variable/WORD").body == "unset"


def test_a_value_that_the_release_cannot_live_with_changes_nothing(site: Site) -> None:
    site.commit("one", **{"app.py": _PICKY})
    site.run("deploy")
    done = site.run("config", "WORD=bad")
    assert done.returncode == 2
    assert "did not come up" in done.stderr
    assert site.get("/").body == "none"
    assert upkeep.configuration(site.project, "production") == ()


def test_the_server_that_is_started_again_has_it_too(site: Site) -> None:
    site.deploy("one")
    site.run("config", "WORD=hand")
    for each in site.processes():
        if "gunicorn" in " ".join(each.cmdline()):
            each.kill()
    until(lambda: site.get("/variable/WORD").body == "hand")


@pytest.mark.parametrize("words", [("production", "WORD"), ("=1",), ("A-B=1",)])
def test_what_sets_nothing_is_refused(site: Site, words: tuple[str, ...]) -> None:
    done = site.run("config", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"this sets no variable: {words[-1]}" in done.stderr
    assert "NAME=VALUE" in done.stderr


def test_an_environment_that_there_is_not(site: Site) -> None:
    with pytest.raises(WorkshopError, match="there is no environment prodction"):
        upkeep.configure(site.project, "prodction", course.platform(GOOD), {"A": "1"})


_PICKY = """\
import os

word = os.environ.get("WORD", "none")
assert word != "bad"


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [word.encode()]
"""
