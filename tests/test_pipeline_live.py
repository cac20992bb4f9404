"""The demo project's pipeline, run for real: its tests, an engine, a registry, a cluster.

Nothing is played here. A good commit goes all the way, and a red one stops before production.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import commit

from workshop import course, environments, git, history, kubectl, underload
from workshop.checks import needs
from workshop.checks.database import PostgreSQL

pytestmark = pytest.mark.cluster

PLACES = ("integration", "production")
JOBS = ("check", "unit", "acceptance", "build", *PLACES)
PATIENCE = 600
COMES_BY = (
    90  # seconds until an autoscaler has seen that there is one pod only, and two more are up
)
# What a commit changes in urls.py, by the job that minds.
BROKEN = {"unit": ("It works", "It wroks"), "acceptance": ('"admin/"', '"office/"')}
# It fails where there is data, as such migrations do: in the database of the tests there is none.
FAILS = """
from django.db import migrations


def fail(apps, schema_editor):
    if not schema_editor.connection.settings_dict["NAME"].startswith("test_"):
        raise RuntimeError("a row that nobody thought of")


class Migration(migrations.Migration):
    operations = [migrations.RunPython(fail)]
"""


class Line(NamedTuple):
    """A project with its pipeline, the places that it deploys to, and where its images go."""

    project: Path
    prefix: str
    name: str
    env: dict[str, str]

    def run(self) -> dict[str, str]:
        """How each job ended that was begun: PASS or FAIL."""
        tag = git.text("rev-parse", "--short", "HEAD", cwd=self.project).strip()
        done = subprocess.run(
            ["gitlab-ci-local", "--no-color", "--variable", f"NAME={self.name}:{tag}"],
            cwd=self.project, env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
            encoding="utf-8", errors="replace", timeout=PATIENCE, check=False,
        )  # fmt: skip
        found = re.findall(r"^ (PASS|FAIL) +(\S+)", done.stdout, re.MULTILINE)
        assert found, done.stdout + done.stderr
        assert done.returncode == int("FAIL" in dict(found)), done.stdout + done.stderr
        return {job: how for how, job in found}

    def digests(self) -> str:
        """By which names a registry knows the image of the last commit."""
        tag = git.text("rev-parse", "--short", "HEAD", cwd=self.project).strip()
        command = [
            "docker",
            "image",
            "inspect",
            "--format",
            "{{.RepoDigests}}",
            f"{self.name}:{tag}",
        ]
        return subprocess.check_output(command, text=True)

    def image(self, place: str) -> str:
        """What a place is told to run."""
        (one,) = kubectl.objects("deployments", "--namespace", f"{self.prefix}-{place}")
        return str(one["spec"]["template"]["spec"]["containers"][0]["image"])

    def ready(self, place: str) -> int:
        """How many of its pods serve: three, or how many do when the autoscaler has come by."""
        give_up = time.monotonic() + COMES_BY
        while True:
            (one,) = kubectl.objects("deployments", "--namespace", f"{self.prefix}-{place}")
            ready = int(one["status"].get("readyReplicas", 0))
            if ready == 3 or time.monotonic() > give_up:
                return ready
            time.sleep(1)


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    if missing := needs.missing(["containers", "cluster", "pipelines"]):
        pytest.skip(missing)
    registry = os.environ.get("WORKSHOP_REGISTRY") or os.environ.get("LAB_REGISTRY")
    if not registry:
        pytest.skip("needs a registry that WORKSHOP_REGISTRY names")
    prefix = f"line-{os.getpid()}-{secrets.token_hex(2)}"
    home = Path(tempfile.mkdtemp(prefix="workshop-"))
    home.chmod(0o755)
    database = PostgreSQL(home)
    project = home / "project"
    project.mkdir()
    made = Line(
        project, prefix, f"{registry}/{prefix}", _environment(home, database.database().url)
    )
    try:
        _stage(project, prefix)
        _places(made)
        yield made
    finally:
        for place in PLACES:
            kubectl.run("delete", "namespace", f"{prefix}-{place}", "--wait=false")
        database.close()
        form = "{{.Repository}}:{{.Tag}}"
        names = subprocess.check_output(
            ["docker", "image", "ls", "--format", form, f"{registry}/{prefix}"], text=True
        )
        subprocess.run(["docker", "image", "rm", *names.split()], check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


def _environment(home: Path, database: str) -> dict[str, str]:
    """What a runner has: the programs, a database for the tests, the key to the cluster."""
    kept = {name: os.environ[name] for name in ("KUBECONFIG", "DOCKER_HOST") if name in os.environ}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return environments.tools() | kept | {
        "PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "DATABASE_URL": database,
    }  # fmt: skip


def _stage(project: Path, prefix: str) -> None:
    """The last stage, with namespaces of its own."""
    git.run("init", "--quiet", "--template=", "--initial-branch=main", cwd=project)
    for name, value in (("name", "A Learner"), ("email", "learner@example.org")):
        git.run("config", f"user.{name}", value, cwd=project)
    with history.built(course.load(course.default_root())) as (built, tags):
        git.run("fetch", "--quiet", str(built), f"refs/tags/{tags[-1].name}", cwd=project)
        git.run("checkout", "--quiet", "-B", "main", tags[-1].commit, cwd=project)
    file = project / ".gitlab-ci.yml"
    text = file.read_text("utf-8")
    assert "demo-$PLACE" in text
    commit(project, {file.name: text.replace("demo-$PLACE", f"{prefix}-$PLACE")}, "Other places")


def _places(line: Line) -> None:
    """The namespaces, with their secrets, and a database each: what a person does once."""
    built = subprocess.run(
        ["docker", "build", "--quiet", "--file", "deployment/application/Dockerfile", "--tag",
         f"{line.name}:first", "."],
        cwd=line.project, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    made = (line.project / "deployment" / "postgres-secrets.yaml").read_text("utf-8")
    database = (line.project / "deployment" / "postgres.yaml").read_text("utf-8")
    for place in PLACES:
        space = ("--namespace", f"{line.prefix}-{place}")
        for words, text in (
            (("create", "namespace", f"{line.prefix}-{place}"), ""),
            ((*space, "create", "secret", "generic", "application", "--from-literal",
              f"SECRET_KEY={secrets.token_urlsafe(50)}"), ""),
            ((*space, "apply", "--filename", "-"), made.replace("demo:1", f"{line.name}:first")),
            ((*space, "apply", "--filename", "-"), database),
        ):  # fmt: skip
            done = kubectl.run(*words, stdin=text)
            assert done.code == 0, done.said


def test_a_good_commit_goes_all_the_way(line: Line) -> None:
    assert line.run() == dict.fromkeys(JOBS, "PASS")
    images = {line.image(place) for place in PLACES}
    (image,) = images  # the same bytes
    assert re.fullmatch(r"\S+@sha256:[0-9a-f]{64}", image)
    assert image in line.digests()
    assert [line.ready(place) for place in PLACES] == [3, 3]


@pytest.mark.parametrize("stops", BROKEN)
def test_a_red_test_stops_it(line: Line, stops: str) -> None:
    before = {place: line.image(place) for place in PLACES}
    file = line.project / "application" / "urls.py"
    good = file.read_text("utf-8")
    assert BROKEN[stops][0] in good
    slip = {"application/urls.py": good.replace(*BROKEN[stops])}
    commit(line.project, slip, "A slip of the pen")
    done = line.run()
    assert list(done)[-1] == stops
    assert list(done.values()).count("FAIL") == 1
    assert {place: line.image(place) for place in PLACES} == before
    commit(line.project, {"application/urls.py": good}, "Mend it")


def test_a_failing_migration_stops_it_before_production(line: Line) -> None:
    before = line.image("production")
    settings = (line.project / "application" / "settings.py").read_text("utf-8")
    manifest = (line.project / "deployment" / "application.yaml").read_text("utf-8")
    assert "progressDeadlineSeconds: 180" in manifest
    commit(
        line.project,
        {
            "application/migrations/__init__.py": "",
            "application/migrations/0001_fails.py": FAILS,
            "application/settings.py": f"{settings}\nINSTALLED_APPS += ['application']\n",
            # or we would wait for three minutes here
            "deployment/application.yaml": manifest.replace("Seconds: 180", "Seconds: 50"),
        },
        "A migration that fails where there is data",
    )
    space = f"{line.prefix}-integration"
    with underload.inside(space, before, "http://application/", 30_000, 20) as visitors:
        done = line.run()
        report = visitors.stop()
    assert done == dict.fromkeys(JOBS[:-2], "PASS") | {"integration": "FAIL"}
    assert line.image("production") == before
    assert [line.ready(place) for place in PLACES] == [3, 3]
    # even integration, where it failed, has served all the time
    assert not report.lost, f"lost: {dict(report.lost)}"  # and so it is not tried again
    assert set(report.statuses) == {200}
    assert report.sent > 500
