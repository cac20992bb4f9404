"""The project's application in a cluster: released, and released again while people visit it."""

from __future__ import annotations

import copy
import functools
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from workshop import kubectl, underload, workloads
from workshop.checks import commands as commands_
from workshop.checks import elsewhere, near, words
from workshop.checks.cluster import Cluster
from workshop.checks.described import FILE, KEY, NAME, Described, asked_twice
from workshop.checks.failure import CheckFailed
from workshop.checks.image import Image
from workshop.checks.layered import PAGE, TABLE, Layered
from workshop.checks.pod import Pod as Alone
from workshop.kubectl import Object
from workshop.sending import Report
from workshop.workloads import Pod

DATABASE, WEB = "deployment/postgres.yaml", "deployment/webserver/nginx.conf"
URL = f"http://{NAME}"
PRODUCTION = "demo-production"  # the namespace of production, as READMEs and pipelines call it
ROLLOUT = 300.0  # seconds until a release has taken over, on a slow machine
_STUCK = 25.0  # seconds without a change, until what should become ready has shown that it won't
_TRIED = 12.0  # the same for what should not, at least: see `asked_twice`
_POLL = 1.0
_KEPT = ("HOME", "LANG", kubectl.VARIABLE)
T = TypeVar("T")
_RATE, _MOST = 50.0, 30_000  # requests in a second, and in all
_ASK = """import json, sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=10)
except urllib.error.HTTPError as error:
    answer = error
except OSError as error:
    print(json.dumps([0, str(error)]))
    sys.exit()
print(json.dumps([answer.status, answer.read().decode("utf-8", "replace")]))
"""


class Answer(NamedTuple):
    """What a visitor in another pod got; status 0: nothing, and `text` says why."""

    status: int
    text: str


class Undone(NamedTuple):
    """How the commands of a way back ended, whether the first release alone serves now, and how
    many seconds it took until that was so."""

    done: commands_.Result
    good: bool
    seconds: float


class Rush(NamedTuple):
    """How many pods served: on a quiet day, when more were asked for, and then, when the file was
    applied once more."""

    before: int
    reached: int
    kept: int


class Releases(Described):
    """The releases of one project, in one namespace. The first one comes when it is asked for."""

    def __init__(self, project: Path, cluster: Cluster, image: Image, alone: Alone) -> None:
        super().__init__(cluster)
        self._project = project
        self._layered = Layered(project, image)
        self._alone = alone
        self._failed: CheckFailed | None = None
        self._first = ""

    # What it does

    def first(self) -> None:
        """Bring the first release, into a namespace that has all that it needs, and wait."""
        if self._failed is not None:
            raise self._failed
        if self._first:
            return
        try:
            assert self.application  # before anything takes time
            self._first = self._layered.make("first", self._alone.root)
            self._surroundings()
            self.bring(self._first)
            self.settle(self._first)
        except CheckFailed as error:
            self._failed, self._first = error, ""
            raise

    def release(
        self, name: str, *, ready: bool = True, migrates: bool = True, broken: bool = False
    ) -> str:
        """The image of another release, which is never ready, whose migration fails, or whose first
        page is broken, though it is ready."""
        return self._layered.make(
            name, self._alone.root, ready=ready, migrates=migrates, broken=broken
        )

    def bring(self, image: str) -> None:
        """Apply the file with this image in the place of the project's own, and don't wait."""
        for each in self.objects:
            if each["kind"] == "Job":  # it can't be changed
                self._cluster.forget("job", each["metadata"]["name"])
        self._cluster.apply_objects(FILE, [self._with(image, each) for each in self.objects])

    def settle(self, image: str) -> tuple[Pod, ...]:
        """Wait until this release has taken over, and no pod of another one is left. One that goes
        and never served does not count: a shell that waits for a migration hears no SIGTERM."""
        began = time.monotonic()
        quiet = began
        while time.monotonic() - began < ROLLOUT:
            found, every = self._cluster.look(self.objects)
            pods = [pod for pod in every if pod.has(self._labels)]
            served = [pod for pod in pods if not (pod.leaves and workloads.prepares(pod))]
            gone = all(image in images(pod) for pod in served)
            there = [each for each in found if each]
            if (
                gone
                and len(there) == len(found)
                and all(workloads.done(each, there) for each in there)
            ):
                return tuple(served)
            why = next(filter(None, (workloads.hopeless(each) for each in found if each)), "")
            stuck = next(self._cluster.troubles(pods), None)
            quiet = quiet if stuck else time.monotonic()
            if why or (stuck and time.monotonic() - quiet > _STUCK):
                raise self._broken(why or f"{stuck[0]}: {stuck[1]}" if stuck else why)
            time.sleep(_POLL)
        raise self._broken(f"it was not done after {ROLLOUT:.0f} seconds")

    def tried(self, image: str) -> list[Pod]:
        """Wait until a release has shown that it never will be ready: some of it has failed, or all
        of it has started, and then nothing changes any more. Returns those of its pods that are
        ready: visitors are sent to them."""
        began = since = time.monotonic()
        before: object = None
        enough = max(_TRIED, asked_twice(self.pod_spec["containers"]))
        while time.monotonic() - began < ROLLOUT:
            pods = [pod for pod in self._every() if image in images(pod)]
            serving = [pod for pod in pods if pod.has(self._labels)]
            if ready := [pod for pod in serving if pod.ready]:
                return ready
            shown = any(map(workloads.failures, pods)) or any(map(workloads.started, serving))
            now = [workloads.states(pod) for pod in pods]
            since = since if now == before else time.monotonic()
            before = now
            if shown and time.monotonic() - since > enough:
                return []
            time.sleep(_POLL)
        return []

    def get(self, path: str) -> Answer:
        """What a visitor in another pod gets from the service."""
        done = self._cluster.run(self._visitor, "python", "-c", _ASK, f"{URL}{path}")
        assert done.code == 0, done.said
        return Answer(*json.loads(done.out))

    def visited(
        self, image: str, wait: Callable[[str], Sequence[Pod]]
    ) -> tuple[Sequence[Pod], Report]:
        """Bring a release while people come at a constant rate, and `wait` for what comes of it.
        Returns that, and how the visitors fared: lost is also who was answered by somebody else,
        such as a proxy on the way to where no pod was left."""

        def brought() -> Sequence[Pod]:
            self.bring(image)
            return wait(image)

        return self._visited(brought)

    def undone(self, commands: Sequence[str], env: Mapping[str, str]) -> tuple[Undone, Report]:
        """Type these commands of a job while people come, and see which release serves then. What
        they do to production is done in the namespace of these releases."""
        return self._visited(lambda: self._undone(commands, env))

    def rush(self, many: int) -> tuple[Rush, Report]:
        """So many pods come while people do, the release is applied once more in the middle of it,
        and the others go again."""

        def come() -> Rush:
            before = len(self.settle(self._first))
            reached = self._scaled(many)
            self.bring(self._first)
            kept = sum(not pod.leaves for pod in self.settle(self._first))
            self._scaled(before)
            return Rush(before, reached, kept)

        return self._visited(come)

    def _scaled(self, count: int) -> int:
        """Let there be so many pods, and wait until that is so. Returns how many are ready."""
        self._cluster.scale(self.deployment, count)
        until = time.monotonic() + ROLLOUT
        while time.monotonic() < until:
            pods = self.pods()
            if len(pods) == count and all(pod.ready and not pod.leaves for pod in pods):
                break
            time.sleep(_POLL)
        return sum(pod.ready and not pod.leaves for pod in pods)

    def _undone(self, commands: Sequence[str], env: Mapping[str, str]) -> Undone:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="workshop-") as folder:
            kubectl_ = shutil.which("kubectl") or ""
            words_ = (elsewhere.__file__, kubectl_, PRODUCTION, self._cluster.namespace)
            commands_.stand_in(Path(folder), "kubectl", sys.executable, "-I", *words_)
            path = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])
            kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
            done = commands_.run(
                ["sh", "-e", "-c", "\n".join(commands)], shown="the way back", cwd=self._project,
                env={**env, **kept, "PATH": path}, patience=ROLLOUT,
            )  # fmt: skip
        good = not done.code and self._back_again(began + ROLLOUT)
        return Undone(done, good, time.monotonic() - began)

    def _back_again(self, until: float) -> bool:
        """Whether visitors meet the first release, and no other, before that time; given up when
        nothing changes any more."""
        since, before = time.monotonic(), None
        while time.monotonic() < until:
            pods = [pod for pod in self.pods() if not pod.leaves]
            if pods and all(self._first in images(pod) and pod.ready for pod in pods):
                return True
            now = [(pod.name, workloads.states(pod)) for pod in pods]
            since = since if now == before else time.monotonic()
            before = now
            if time.monotonic() - since > _STUCK:
                return False
            time.sleep(_POLL)
        return False

    def _visited(self, do: Callable[[], T]) -> tuple[T, Report]:
        load = underload.Inside(
            self._cluster.namespace, self._visitor.name, f"{URL}/{PAGE}",
            requests=_MOST, rate=_RATE,
        )  # fmt: skip
        try:
            came, report = do(), load.stop()
        finally:
            load.close()
        assert report.sent, "nobody came, and so nobody can have been lost"
        by_release = {name: count for name, count in report.releases.items() if name}
        others = report.answered - sum(by_release.values())
        lost = {**report.lost, **({"no release": others} if others else {})}
        return came, report._replace(releases=by_release, lost=lost)

    def migrations(self) -> int:
        """How often the migration of the first release has been run."""
        database = self._cluster.ready(DATABASE)[0]
        asked = f"SELECT count(*) FROM {TABLE}"  # noqa: S608  a name of ours
        done = self._cluster.run(database, "psql", "--username", "postgres", "-tAc", asked)
        return int(done.out.strip() or 0) if done.code == 0 else 0

    def back(self) -> None:
        """Bring the first release again, after another one that failed."""
        self.bring(self._first)
        self.settle(self._first)

    # How

    @functools.cached_property
    def _visitor(self) -> Pod:
        return self._cluster.visitor(self._first)

    @functools.cached_property
    def _labels(self) -> Mapping[str, str]:
        labels: Mapping[str, str] = self.deployment["spec"]["selector"]["matchLabels"]
        return labels

    def pods(self) -> tuple[Pod, ...]:
        """The pods of the application, with those that have been told to go: they still serve."""
        return self._cluster.every_pod(self._labels)

    def _every(self) -> tuple[Pod, ...]:
        """All pods of the namespace, those of jobs, too."""
        return self._cluster.every_pod({})

    def _surroundings(self) -> None:
        """All that the file needs in its namespace: Secrets, configuration, and a database."""
        password, key = secrets.token_hex(16), secrets.token_hex(32)
        self._cluster.secret("postgres", {"password": password, "POSTGRES_PASSWORD": password})
        self._cluster.secret(NAME, {KEY: key})
        self._cluster.configuration(NAME, {"ALLOWED_HOSTS": f"{NAME},localhost"})
        near.must_be_there(self._project, WEB)
        config = (self._project / WEB).read_text("utf-8")
        self._cluster.configuration("webserver", {Path(WEB).name: config})
        self._cluster.ready(DATABASE)

    def _with(self, image: str, each: Object) -> Object:
        """An object with this image instead of the project's."""
        changed = copy.deepcopy(each)
        for container in workloads.containers(workloads.template(changed) or {}):
            if container.get("image") == self.application["image"]:
                container["image"] = image
        return changed

    def _broken(self, why: str) -> CheckFailed:
        """What the cluster says, and the last words of whoever did not do as it should."""
        said = [words.tail(each, Path(self._alone.root)) for each in self._cluster.last_words()]
        told = "\n".join(filter(None, said))
        return CheckFailed(
            seen=f"{FILE} was applied, and no release came that serves: {why}\n{told}".rstrip(),
            expected="three pods that become ready, after a migration that ends",
            do="Read the last words. Then ask the cluster: kubectl describe pods",
        )


def images(pod: Pod) -> Sequence[str]:
    """The images of a pod's containers."""
    return [each["image"] for each in pod.spec["containers"]]
