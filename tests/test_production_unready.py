"""Releases that do not come up: they crash, never get ready, or their migration fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import commit
from producing import GOOD, Site, page, until

from workshop import cli
from workshop.production import log


def test_a_first_deploy_that_crashes_leaves_nothing_and_the_next_one_works(site: Site) -> None:
    crash = "raise SystemExit('no configuration')\n"
    made = commit(site.project, page("x") | {"app.py": crash})
    file = site.place.logs / f"{made}.log"
    done = site.run("deploy")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert lines[0] == (f"error: {site.project}: the release {made[:10]} did not come up: it ended")
    assert any("no configuration" in line for line in lines)
    assert lines[-2:] == [
        "       Nothing is live. Mend it, commit, and deploy again. The whole log:",
        f"       {file}",
    ]
    until(lambda: site.processes() == [], 5)
    assert site.run("production", "status").stdout == "Production:  nothing deployed yet\n"
    site.serves("one", site.deploy("one"))


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("raise RuntimeError('no configuration')\n", "RuntimeError: no configuration"),
        ("def wrong(): pass\n", "Failed to find attribute 'application' in 'app'."),
        ("import nowhere\n", "ModuleNotFoundError: No module named 'nowhere'"),
        (
            "import os\nos.close(3)\nimport socket\n"
            "here = socket.create_server(('127.0.0.1', 1))\n",
            "",
        ),
    ],
)
def test_a_release_that_crashes(site: Site, app: str, said: str) -> None:
    first = site.deploy("one")
    made = commit(site.project, {"app.py": app.replace("1))", f"{site.place.port}))")})
    done = site.run("deploy")
    assert done.returncode == 2
    head, *middle, last, file = done.stderr.splitlines()
    assert head == f"error: {site.project}: the release {made[:10]} did not come up: it ended"
    assert said in "\n".join(middle)
    assert last == (
        f"       The release {first[:10]} keeps serving. Mend it, commit, and deploy again."
        " The whole log:"
    )
    assert Path(file.strip()).name == f"{made}.log"
    site.serves("one", first)
    assert site.log() == [("deploy", first, "live"), ("deploy", made, "failed")]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("    start_response('503 Busy', [])\n    return [b'']\n", "GET /ready answers 503 Busy"),
        ("    raise ValueError('no\\ndata')\n", "GET /ready: ValueError: no data"),
        ("    import time; time.sleep(60)\n", ""),
    ],
)
def test_a_release_that_never_gets_ready(
    site: Site,
    answer: str,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = site.deploy("one")
    made = commit(site.project, {"app.py": f"def application(environ, start_response):\n{answer}"})
    monkeypatch.setattr("workshop.production.switching.READY", 2.0)
    words = ["deploy", "--course", str(GOOD), "--project", str(site.project)]
    assert cli.main(words) == 2
    head, *_ = capsys.readouterr().err.splitlines()
    assert head == (
        f"error: {site.project}: the release {made[:10]} did not come up:"
        " it was not ready within 2 seconds" + (f": {why}" if why else "")
    )
    site.serves("one", first)
    assert log.entries(site.place)[-1].outcome == "failed"
    until(lambda: len(site.processes()) == 3, 5)  # the supervisor, gunicorn and its worker


def test_a_failing_migration_changes_nothing(site: Site) -> None:
    first = site.deploy("one")
    made = commit(
        site.project,
        {
            "settings.py": "'DATABASE_URL'\n",
            "migrate.py": "print('column missing')\nraise SystemExit(1)\n",
        },
        "two",
    )
    says = (
        f"error: {site.project}: `migrate.py` failed:\n"
        "    column missing\n"
        "       Mend it, commit, and deploy again.\n"
    )
    done = site.run("deploy")
    assert (done.returncode, done.stderr) == (2, says)
    assert done.stdout == f"  release      {made[:10]} two\n  database     PostgreSQL made\n"
    site.serves("one", first)
    entry = log.entries(site.place)[-1]
    assert (entry.commit, entry.outcome, entry.live) == (made, "failed", None)
    assert entry.reason == "`migrate.py` failed: column missing"
    # the next one does not wait for the one that failed
    again = commit(site.project, {"migrate.py": "import os\nos.environ['DATABASE_URL']\n"})
    done = site.run("deploy")
    assert done.returncode == 0
    assert "  database     PostgreSQL runs\n  migrate      done\n" in done.stdout
    site.serves("one", again)


def test_a_crash_before_the_migration_has_ended_is_told_as_one(site: Site) -> None:
    made = commit(
        site.project,
        page("x")
        | {
            "app.py": "raise SystemExit('DATABASE_URL')\n",
            "migrate.py": "import time\ntime.sleep(1)\n",
        },
    )
    done = site.run("deploy")
    assert done.returncode == 2
    head = done.stderr.splitlines()[0]
    assert head == f"error: {site.project}: the release {made[:10]} did not come up: it ended"
