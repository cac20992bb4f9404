"""What goes wrong in every cluster, done on purpose: pods that are killed, a database that is away.

The last stage is live in a real cluster. Each test breaks one thing, and waits until all is well.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import measuring
import pytest
from conftest import commit

from workshop import containers, course, git, history, kubectl, underload, workloads
from workshop.checks import needs
from workshop.containers import Ended
from workshop.production import kubernetes, log
from workshop.production import place as places
from workshop.workloads import Pod

pytestmark = pytest.mark.cluster

LIVENESS = 90.0  # seconds: after so many, a liveness probe has said whatever it has to say
FROZEN = 60.0
RUSH, CALLED = 40.0, 240.0  # visitors a second, and the seconds until more pods serve
BUSY = 20  # percent of what pods request: on any machine, so many visitors make them busier
WELL = 180.0  # seconds until all is well again
VISITORS = 50.0  # a second
DOOR = "http://application/"
# Who is with a server that dies is cut off: nginx, in front of it, says so with 502. That goes on
# until the cluster has noticed, and the name leads there no more. One visitor of three comes there.
CUT = {"502", "cut short", "reset"}
NOTICED = 10.0  # seconds: no more than that
SETTLED = 3.0  # seconds from when it is known until the name has moved
FEW = VISITORS / 3 * NOTICED
# A release that is never ready, and is given up sooner than the project's own file says.
NEVER = """
urlpatterns.insert(0, path("readyz", lambda request: HttpResponse("never\\n", status=503)))
"""
GIVEN_UP = 30  # seconds
MANY, OFTEN = 5000, 100.0  # visitors at least, and how many a second: for 50 seconds
NOTE = "CREATE TABLE IF NOT EXISTS note (text text); INSERT INTO note VALUES ('still here')"


class Live(NamedTuple):
    """A project that is live in a cluster, and where."""

    project: Path
    namespace: str
    image: str

    def kubectl(self, *args: str) -> Ended:
        return kubectl.run("--namespace", self.namespace, *args, timeout=WELL)

    def pods(self, app: str = "application") -> list[Pod]:
        found = kubectl.objects("pods", "--namespace", self.namespace, "--selector", f"app={app}")
        return [pod for pod in map(workloads.pod, found) if not pod.leaves]

    def ready(self, app: str = "application") -> int:
        return sum(pod.ready for pod in self.pods(app))

    def restarts(self) -> dict[str, int]:
        """How often each container of the application was started again."""
        return {
            f"{pod.name} {each['name']}": each["restartCount"]
            for pod in self.pods()
            for each in pod.status["containerStatuses"]
        }

    def well(self) -> bool:
        return self.ready() >= 3 and self.ready("postgres") == 1

    def visitors(
        self, rate: float = VISITORS, least: int = 0
    ) -> contextlib.AbstractContextManager[underload.Inside]:
        """Ten minutes of them, at most."""
        return underload.inside(self.namespace, self.image, DOOR, int(600 * rate), rate, least)

    def later(self) -> contextlib.closing[underload.Inside]:
        """More of them, from where the others come; they are counted for themselves."""
        return contextlib.closing(
            underload.Inside(
                self.namespace, underload.VISITOR, DOOR, requests=30_000, rate=VISITORS
            )
        )

    def sql(self, query: str) -> str:
        said = self.kubectl("exec", "postgres-0", "--", "psql", "--username", "postgres", "-tAc",
                            query)  # fmt: skip
        assert said.code == 0, said.said
        return said.out.strip()


def until(true: Callable[[], object], seconds: float = WELL) -> None:
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up, "it never became true"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def kept() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="workshop-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _one_home(home: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSHOP_HOME", str(kept))


@pytest.fixture(scope="module")
def stage(kept: Path) -> Iterator[Live]:
    if missing := needs.missing(["containers", "cluster"]):
        pytest.skip(missing)
    every = course.load(course.default_root())
    project = kept / f"chaos-{os.getpid()}"
    project.mkdir()
    git.run("init", "--quiet", "--template=", "--initial-branch=main", cwd=project)
    for name, value in (("name", "A Learner"), ("email", "learner@example.org")):
        git.run("config", f"user.{name}", value, cwd=project)
    with history.built(every) as (built, tags):
        git.run("fetch", "--quiet", str(built), f"refs/tags/{tags[-1].name}", cwd=project)
        git.run("checkout", "--quiet", "-B", "main", tags[-1].commit, cwd=project)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSHOP_HOME", str(kept))
        done = kubernetes.deploy(project, "production", every.platform)
        yield Live(project, done.namespace, done.image)
        kubernetes.forget(project)


@pytest.fixture
def live(stage: Live) -> Live:
    """The same, when all is well."""
    until(stage.well)
    return stage


def test_a_pod_that_is_sent_away_costs_nobody_an_answer(live: Live) -> None:
    gone = live.pods()[0]
    with live.visitors() as visitors:
        assert live.kubectl("delete", "pod", gone.name).code == 0
        until(lambda: gone.name not in [pod.name for pod in live.pods()] and live.well())
        report = visitors.stop()
    assert not report.lost, f"lost: {dict(report.lost)}"  # and so it is not tried again
    assert set(report.statuses) == {200}
    assert report.sent > 500


def test_a_server_that_dies_is_started_again_and_the_others_serve(live: Live) -> None:
    """Who is with it is cut off, and so are those who come to its pod until the cluster knows.
    Nobody else is: the two other pods serve all the while."""
    pod, before = live.pods()[0], live.restarts()
    others = _names(live) - {pod.name}
    serving: list[set[str]] = []

    def look() -> bool:
        """Note who serves now. Returns whether the cluster has noticed that one has died."""
        serving.append({each.name for each in live.pods() if each.ready})
        return pod.name not in serving[-1] or live.restarts() != before

    with live.visitors(least=1000) as visitors:
        time.sleep(SETTLED)  # they are there
        # The first process of a container takes no SIGKILL from within; its end is the container's.
        killed = live.kubectl("exec", pod.name, "--container", "application", "--", "python", "-c",
                              "import os, signal; os.kill(1, signal.SIGINT)")  # fmt: skip
        assert killed.code == 0, killed.said
        until(look)
        time.sleep(SETTLED)
        with live.later() as later:
            until(lambda: look() and live.restarts() != before and live.well())
            afterwards = later.stop()
        report = visitors.stop()
    again = {name for name, count in live.restarts().items() if count != before[name]}
    assert again == {f"{pod.name} application"}
    assert len(others) >= 2
    assert all(others <= each for each in serving), serving
    # What was lost is not tried again.
    assert report.lost.keys() <= CUT, f"lost: {dict(report.lost)}"
    assert sum(report.lost.values()) <= FEW, f"lost: {dict(report.lost)}"
    assert report.sent >= 1000
    assert set(report.statuses) <= {200, 502}
    assert not afterwards.lost, f"lost after it was known: {dict(afterwards.lost)}"
    assert set(afterwards.statuses) == {200}


def test_a_database_pod_that_is_killed_comes_back_with_its_data(live: Live) -> None:
    live.sql(NOTE)
    before = live.restarts()
    assert live.kubectl("delete", "pod", "postgres-0", "--grace-period=0", "--force").code == 0
    until(lambda: live.ready("postgres") == 1)
    until(live.well)
    assert live.sql("SELECT text FROM note LIMIT 1") == "still here"
    assert live.restarts() == before


def test_a_frozen_database_restarts_nobody_and_visitors_wait_elsewhere(live: Live) -> None:
    """For a minute it says nothing. Nobody is ready then, and nobody is started again."""
    live.sql(NOTE)
    rows, before = live.sql("SELECT count(*) FROM note"), live.restarts()
    name = _container("postgres-0", live.namespace)
    if not name:
        pytest.skip("the cluster's containers are not in this machine's engine")
    began = time.monotonic()
    with containers.frozen(name):
        until(lambda: live.ready() == 0, FROZEN)
        time.sleep(max(0.0, began + FROZEN - time.monotonic()))
    until(live.well)
    time.sleep(max(0.0, began + LIVENESS - time.monotonic()))
    assert live.restarts() == before
    assert live.sql("SELECT count(*) FROM note") == rows


def test_a_deploy_that_is_killed_in_the_middle_changes_nothing_and_the_next_one_repairs(
    live: Live,
) -> None:
    deploy = [sys.executable, "-m", "workshop", "deploy", "--target", "kubernetes"]
    before = {pod.name for pod in live.pods()}
    commit(live.project, {"README.rst": "Another release.\n"}, "Another release")
    with live.visitors() as visitors:
        running = subprocess.Popen(deploy, cwd=live.project, stdout=subprocess.DEVNULL)
        until(lambda: {pod.name for pod in live.pods()} - before)
        running.send_signal(signal.SIGKILL)
        running.wait()
        said = subprocess.run(deploy, cwd=live.project, capture_output=True, text=True, check=False)
        report = visitors.stop()
    assert (said.returncode, said.stderr) == (0, "")
    assert "was interrupted" in said.stdout
    assert not report.lost, f"lost: {dict(report.lost)}"  # and so it is not tried again
    assert set(report.statuses) == {200}
    entries = log.entries(places.of(live.project, "production", "kubernetes"))
    assert [each.outcome for each in entries] == ["live", "interrupted", "live"]
    assert not {pod.name for pod in live.pods()} & before


def test_a_release_that_never_becomes_ready_turns_nobody_away_and_the_one_before_serves_on(
    live: Live,
) -> None:
    """After the deploy that is killed: that test counts what is in the log."""
    deploy = [sys.executable, "-m", "workshop", "deploy", "--target", "kubernetes"]
    place = places.of(live.project, "production", "kubernetes")
    good, images, names = place.live, {pod.image for pod in live.pods()}, _names(live)
    pages, manifest = "application/urls.py", "deployment/application.yaml"
    text, deadlines = re.subn(
        r"(progressDeadlineSeconds:) \d+",
        rf"\1 {GIVEN_UP}",
        (live.project / manifest).read_text("utf-8"),
    )
    assert deadlines == 1
    never = {pages: (live.project / pages).read_text("utf-8") + NEVER, manifest: text}
    bad = commit(live.project, never, "Never ready")
    try:
        with live.visitors(OFTEN, least=MANY) as visitors:
            said = subprocess.run(
                deploy, cwd=live.project, capture_output=True, text=True, check=False
            )
            report = visitors.stop()
    finally:
        git.run("reset", "--quiet", "--hard", f"{bad}^", cwd=live.project)
    assert said.returncode == 2, said  # something to mend
    assert f"after {GIVEN_UP} seconds (progressDeadlineSeconds), not all of its" in said.stderr
    assert f"The release {str(good)[:10]} keeps serving." in said.stderr
    assert not report.lost, f"lost: {dict(report.lost)}"  # and so it is not tried again
    assert set(report.statuses) == {200}
    assert MANY <= report.sent < 600 * OFTEN  # they came all the while
    assert {pod.image for pod in live.pods()} == images
    assert names <= _names(live)  # they are the same pods; an autoscaler may have called more
    assert place.live == good
    last = log.entries(place)[-1]
    assert (last.commit, last.outcome) == (bad, "failed")


def test_a_rush_calls_for_more_pods_and_loses_nobody(live: Live) -> None:
    """The last one: the pods that are called stay for minutes. They are called at fewer percent
    than the project's own file says, or a fast machine would never be busy enough."""
    if missing := measuring.missing():
        pytest.skip(missing)
    door = "http://application/admin/login/"
    sooner = json.dumps({"spec": {"targetCPUUtilizationPercentage": BUSY}})
    assert live.kubectl("patch", "hpa", "application", "--patch", sooner).code == 0
    with (
        measuring.there(),
        underload.inside(live.namespace, live.image, door, 30_000, RUSH) as visitors,
    ):
        until(lambda: live.ready() > 3, CALLED)
        report = visitors.stop()
    assert not report.lost, f"lost: {dict(report.lost)}"  # and so it is not tried again
    assert set(report.statuses) == {200}
    (found,) = kubectl.objects("horizontalpodautoscalers", "--namespace", live.namespace)
    assert found["status"]["desiredReplicas"] > 3


def _names(live: Live) -> set[str]:
    return {pod.name for pod in live.pods()}


def _container(pod: str, namespace: str) -> str:
    """The engine's name of a pod's container; empty when this machine's engine does not have it."""
    (found,) = kubectl.objects("pod", pod, "--namespace", namespace)
    kind, _, name = str(found["status"]["containerStatuses"][0]["containerID"]).partition("://")
    known = containers.state(name) if kind == "docker" else (False, -1)
    return name if known[0] else ""
