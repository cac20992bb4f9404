"""What can go wrong with a deploy: each is told in whole words, and what was live stays live."""

from __future__ import annotations

import re
import socket

import pytest
from conftest import commit
from producing import Site, until


def refused(site: Site, *words: str, says: str, **variables: str) -> str:
    """Assert that the command line refuses, in these words, and return what it printed first."""
    done = site.run(*words, **variables)
    assert (done.returncode, done.stderr) == (2, says)
    assert site.leftovers() == []
    return done.stdout


def test_no_commit_yet(site: Site) -> None:
    (site.project / "app.py").write_text("")
    says = (
        f"error: {site.project}: there is no commit yet\n"
        '       Make commit #1: git add . && git commit -m "Start"\n'
    )
    assert refused(site, "deploy", says=says) == ""
    assert not site.place.folder.exists()


def test_a_home_that_is_no_folder(site: Site) -> None:
    site.commit("one")
    file = site.project / "app.py"
    done = site.run("deploy", WORKSHOP_HOME=str(file / "x"))
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        f"error: {re.escape(str(file))}/x/projects/.*/production:"
        " the workshop can't write here: Not a directory\n"
        "       Name a folder of yours: export WORKSHOP_HOME=...\n",
        done.stderr,
    )
    done = site.run("releases", WORKSHOP_HOME=str(file / "x"))  # who only looks
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("No releases yet.")


def test_uncommitted_changes(site: Site) -> None:
    made = site.deploy("one")
    (site.project / "app.py").write_text("x")
    for number in range(11):
        (site.project / f"new-{number:02d}.txt").touch()
    shown = "".join(f"    ?? new-{number:02d}.txt\n" for number in range(9))
    says = (
        f"error: {site.project}: there are uncommitted changes:\n"
        "     M app.py\n"
        f"{shown}"
        "    and 2 more\n"
        "       Only commits reach production. Commit them, or put them away with: git stash -u\n"
    )
    assert refused(site, "deploy", says=says) == ""
    site.serves("one", made)
    assert len(site.log()) == 1


def test_no_such_revision(site: Site) -> None:
    site.commit("one")
    says = f"error: {site.project}: there is no commit v9\n       See `git log` and `git tag`.\n"
    assert refused(site, "deploy", "--rev", "v9", says=says) == ""


@pytest.mark.parametrize("verb", ["deploy", "rollback", "releases"])
def test_no_such_environment(site: Site, verb: str) -> None:
    site.commit("one")
    says = (
        "error: there is no environment moon\n"
        "       The environments are: development, integration, production\n"
    )
    assert refused(site, verb, "moon", says=says) == ""
    assert not site.place.folder.parent.exists()


def test_no_requirements(site: Site) -> None:
    made = commit(site.project, {"app.py": ""})
    says = (
        f"error: {made}: the commit has no requirements.txt\n"
        "       Write it: a line for each package that the project needs. Then commit.\n"
    )
    assert refused(site, "deploy", says=says) == ""
    assert site.log() == [("deploy", made, "failed")]


def test_requirements_that_cannot_be_installed(site: Site) -> None:
    first = site.deploy("one")
    made = commit(site.project, {"requirements.txt": "gunicorn==27.0.1\ngunicorn==26.0.0\n"})
    file = site.place.releases / made / "requirements.txt"
    says = (
        f"error: {file}: the requirements can't be installed: No solution found when resolving"
        " dependencies: Because you require gunicorn==27.0.1 and gunicorn==26.0.0,"
        " we can conclude that your requirements are unsatisfiable.\n"
        "       Mend the requirements, and try again.\n"
    )
    assert refused(site, "deploy", says=says) == ""
    site.serves("one", first)
    assert site.log() == [("deploy", first, "live"), ("deploy", made, "failed")]


def test_without_a_network_what_is_known_goes_on(site: Site) -> None:
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    away = dict.fromkeys([*proxies, *map(str.lower, proxies)], "http://127.0.0.1:9")
    away |= {"NO_PROXY": "", "no_proxy": "", "UV_HTTP_RETRIES": "0"}
    first = site.commit("one", **{"requirements.txt": "# another environment, from the cache\n"})
    assert site.run("deploy", **away).returncode == 0
    made = commit(site.project, {"requirements.txt": "never-seen-before==1\n"})
    done = site.run("deploy", **away)
    assert done.returncode == 2
    file = site.place.releases / made / "requirements.txt"
    assert done.stderr.startswith(f"error: {file}: the requirements can't be installed: ")
    assert "Failed to fetch" in done.stderr
    assert done.stderr.endswith("       Connect to a network once; after that it works without.\n")
    site.serves("one", first)


def test_a_bad_line_in_the_configuration(site: Site) -> None:
    first = site.deploy("one")
    commit(site.project, {"deployment/envs/production": "# ours\nDEBUG=1\nexport X=1\n"})
    says = (
        "error: deployment/envs/production:3: this is no configuration: 'export X=1'\n"
        "       Write lines such as DEBUG=False, commit, and deploy again.\n"
    )
    refused(site, "deploy", says=says)
    site.serves("one", first)


def test_configuration_that_is_no_text(site: Site) -> None:
    site.commit("one")
    file = site.project / "deployment" / "envs" / "production"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"NAME=Z\xfcrich\n")
    commit(site.project, {})
    says = (
        "error: deployment/envs/production:1: this is no configuration: 'NAME=Z\ufffdrich'\n"
        "       Write lines such as DEBUG=False, commit, and deploy again.\n"
    )
    refused(site, "deploy", says=says)
    assert site.place.port is None


def test_a_link_out_of_the_project(site: Site) -> None:
    first = site.deploy("one")
    (site.project / "passwd").symlink_to("/etc/passwd")
    made = commit(site.project, {})
    says = (
        f"error: {site.project}: the commit {made[:10]} can't be unpacked:"
        " 'passwd' is a link to an absolute path\n"
        "       Keep to files and links inside of the project.\n"
    )
    refused(site, "deploy", says=says)
    site.serves("one", first)


def test_odd_python_files_are_no_reason_to_stop(site: Site) -> None:
    site.commit("one")
    (site.project / "nowhere.py").symlink_to("gone.py")
    (site.project / "folder.py").mkdir()
    made = commit(site.project, {"folder.py/x.txt": ""})
    assert site.run("deploy").returncode == 0
    site.serves("one", made)


def test_a_port_that_is_taken(site: Site) -> None:
    made = site.commit("one")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        says = (
            f"error: {site.project}: port {port} can't be had: Address already in use\n"
            "       End the program that uses it, or name another port:"
            " python -m workshop deploy production --port 8080\n"
        )
        refused(site, "deploy", "--port", str(port), says=says)
    assert site.log() == [("deploy", made, "failed")]
    assert site.place.port is None


def test_a_port_that_is_none(site: Site) -> None:
    site.commit("one")
    says = (
        f"error: {site.project}: port 70000 can't be had: bind(): port must be 0-65535.\n"
        "       End the program that uses it, or name another port:"
        " python -m workshop deploy production --port 8080\n"
    )
    refused(site, "deploy", "--port", "70000", says=says)


def test_two_deploys_at_once(site: Site) -> None:
    first = site.commit("one", **{"migrate.py": "import time\ntime.sleep(3)\n'DATABASE_URL'\n"})
    one = site.begin("deploy")
    until((site.place.folder / "deploying.json").exists)
    two = site.run("deploy")
    assert two.returncode == 2
    assert re.fullmatch(
        f"error: {re.escape(str(site.project))}: another deploy to production is running"
        rf" \(process {one.pid}, since 20\S+\+00:00\)\n"
        r"       Wait until it has ended, then try again\.\n",
        two.stderr,
    )
    one.communicate()
    assert one.returncode == 0
    site.serves("one", first)
    assert site.log() == [("deploy", first, "live")]
