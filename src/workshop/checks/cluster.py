"""The cluster that KUBECONFIG names, and in it a namespace that is new, and gone afterwards.

What goes into it are the project's manifests (see `manifests.py`), and what a check needs beside.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workshop import kubectl, underload, workloads
from workshop.checks import clone, words
from workshop.checks.failure import CheckFailed, expect
from workshop.checks.manifests import Manifests
from workshop.containers import Ended
from workshop.kubectl import Object
from workshop.workloads import Pod

START = 120.0  # seconds until what was applied is ready
FETCH = 600.0  # the same while an image is being fetched: that depends on somebody's network
_JOB = 60.0  # seconds for a command inside
_POLL = 0.5
_QUIET = 5.0  # seconds that a reason must hold: some mend themselves
_PREFIX = "workshop"
# Several machines may share a cluster. Each sweeps only what it has left itself.
_MACHINE = "workshop/machine"


class Cluster:
    """A namespace of a check's own. It is made when the first thing is put into it."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._manifests = Manifests(project)
        self._made = ""
        self._failed: dict[str, CheckFailed] = {}  # what did not start: nobody waits for it again

    @property
    def namespace(self) -> str:
        """Its name, which nobody else has."""
        if not self._made:
            self._sweep()
            name = f"{_PREFIX}-{os.getpid()}-{secrets.token_hex(3)}"
            labels = {_MACHINE: _machine()}
            made = kubectl.run(
                "create", "--filename", "-", timeout=_JOB,
                stdin=_json("Namespace", name, labels=labels),
            )  # fmt: skip
            if made.code:
                raise CheckFailed(
                    seen=f"the cluster made no namespace:\n{made.said.strip()}",
                    expected="a namespace for the checks alone",
                    do="Let KUBECONFIG name a cluster in which you may make namespaces.",
                )
            self._made = name
        return self._made

    # What a file says

    def read(self, name: str) -> tuple[Object, ...]:
        """The objects in a file of the project, once it is certain that they stay in here."""
        return self._manifests.read(name, self.namespace)

    def starts(self, name: str) -> tuple[Object, ...]:
        """Those of them that start pods, and make a new one for each that is gone."""
        return self._manifests.starts(name, self.namespace)

    def behind(self, name: str, service: str) -> Object:
        """What starts the pods that visitors of a Service meet."""
        return self._manifests.behind(name, service, self.namespace)

    def line(self, name: str, text: str) -> str:
        """A file and the line where a text stands first; the file alone if it stands nowhere."""
        return self._manifests.line(name, text)

    # What it does

    def secret(self, name: str, values: Mapping[str, str]) -> None:
        """Have a Secret with these values, whatever was in it before."""
        text = _json("Secret", name, stringData=dict(values))
        done = self._kubectl("apply", "--filename", "-", stdin=text)
        assert done.code == 0, done.said

    def configuration(self, name: str, values: Mapping[str, str]) -> None:
        """Have a ConfigMap with these values, whatever was in it before."""
        text = _json("ConfigMap", name, data=dict(values))
        done = self._kubectl("apply", "--filename", "-", stdin=text)
        assert done.code == 0, done.said

    def apply(self, name: str) -> tuple[Object, ...]:
        """Apply a file of the project, as a person does. Returns what is in it."""
        found = self.read(name)
        self._manifests.accepted(name, self._made, self._kubectl("apply", "--filename", name))
        return found

    def apply_objects(self, name: str, objects: Sequence[Object]) -> None:
        """Apply the objects of a file, changed as they may be."""
        text = "\n".join(map(json.dumps, objects))
        done = self._kubectl("apply", "--filename", "-", stdin=text)
        self._manifests.accepted(name, self._made, done)

    def forget(self, kind: str, name: str) -> None:
        """Delete an object, if there is one, and wait until it is gone."""
        self._kubectl("delete", kind, name, "--ignore-not-found", timeout=START)

    def scale(self, described: Object, count: int) -> None:
        """Let a workload have so many pods from now on, as an autoscaler does, and don't wait."""
        what = f"{described['kind']}/{described['metadata']['name']}"
        done = self._kubectl("scale", what, f"--replicas={count}")
        assert done.code == 0, done.said

    def now(self, described: Object) -> Object | None:
        """An object as it is in the cluster; None when there is none."""
        name = f"{described['kind']}/{described['metadata']['name']}"
        return next(iter(self._objects(name, "--ignore-not-found")), None)

    def look(
        self, described: Sequence[Object]
    ) -> tuple[tuple[Object | None, ...], tuple[Pod, ...]]:
        """These objects as they are in the cluster, each in its place, and all pods. They are asked
        for at once: a call of kubectl takes a tenth of a second of a core, and whoever waits asks
        often."""
        kinds = dict.fromkeys(["Pod", *(each["kind"] for each in described)])
        found = self._objects(",".join(kinds))
        known = {(each["kind"], each["metadata"]["name"]): each for each in found}
        pods = [each for each in found if each["kind"] == "Pod"]
        return (
            tuple(known.get((each["kind"], each["metadata"]["name"])) for each in described),
            _in_order(pods),
        )

    def ready(self, name: str) -> tuple[Pod, ...]:
        """Apply a file, and wait until all that it runs is ready: the pods, in their order."""
        if name in self._failed:
            raise self._failed[name]
        try:
            workloads = self.starts(name)
            self.apply(name)
            return tuple(pod for each in workloads for pod in self._ready(name, each))
        except CheckFailed as error:
            self._failed[name] = error
            raise

    def pods(self, labels: Mapping[str, str]) -> tuple[Pod, ...]:
        """The pods that have these labels, and have not been told to go."""
        return tuple(each for each in self.every_pod(labels) if not each.leaves)

    def every_pod(self, labels: Mapping[str, str]) -> tuple[Pod, ...]:
        """The pods that have these labels, also those that have been told to go, in their order."""
        chosen = ",".join(f"{name}={value}" for name, value in labels.items())
        found = self._objects("pods", *(("--selector", chosen) if chosen else ()))
        return _in_order(found)

    def troubles(self, pods: Sequence[Pod]) -> Iterator[tuple[str, str, Pod | None]]:
        """Why these pods do not start, and what the cluster says of each; or, when there is none,
        why it can't even make one. Once is no trouble: what it waits for may stand further down in
        the file, and a Job tries again only after ten seconds."""
        if pods:
            yield from filter(None, map(workloads.trouble, pods))
            return
        chosen = f"type=Warning,reason={workloads.UNMADE}"
        found = self._objects("events", "--field-selector", chosen)
        if sum(each.get("count") or 1 for each in found) > 1:
            yield workloads.UNMADE, str(found[-1]["message"]).strip(), None

    def delete_pod(self, pod: Pod, seconds: float = START) -> None:
        """Delete a pod, and wait until it is gone."""
        gone = self._kubectl("delete", "pod", pod.name, timeout=seconds)
        expect(
            gone.code == 0,
            seen=f"{seconds:.0f} seconds after it was deleted, the pod was still there",
            expected="a pod that goes when it is told to",
            do="Let the program be the first process of its container, and end when it is told to."
            " Or give it less time: terminationGracePeriodSeconds.",
        )

    def run(self, pod: Pod, *command: str, timeout: float = _JOB) -> Ended:
        """Run a command in the first container of a pod."""
        first = pod.spec["containers"][0]["name"]
        return self._kubectl("exec", pod.name, "--container", first, "--", *command,
                             timeout=timeout)  # fmt: skip

    def visitor(self, image: str) -> Pod:
        """Another pod, of this image, that does nothing but wait for commands: see `run`."""
        text = json.dumps(underload.visitor(image))
        made = self._kubectl("apply", "--filename", "-", stdin=text)
        assert made.code == 0, made.said
        waiting = (
            "wait",
            "--for=condition=Ready",
            f"pod/{underload.VISITOR}",
            f"--timeout={START:.0f}s",
        )
        done = self._kubectl(*waiting, timeout=START + _JOB)
        assert done.code == 0, done.said
        return self.pods({"workshop": underload.VISITOR})[0]

    def logs(self, pod: Pod) -> str:
        """All that the first container of a pod has said since it started last."""
        return self._kubectl("logs", pod.name, pod.spec["containers"][0]["name"]).out

    def every_log(self, pod: Pod) -> str:
        """All that all of its containers have said."""
        return self._kubectl("logs", pod.name, "--all-containers").out

    def objects(self, kind: str) -> tuple[Object, ...]:
        """All objects of a kind in the namespace, as they are."""
        return self._objects(kind)

    def last_words(self) -> Iterator[str]:
        """What the containers have said last that failed, each once."""
        said: dict[str, None] = {}
        for pod in self.every_pod({}):
            for name in workloads.failures(pod):
                for options in (("--previous",), ()):
                    done = self._kubectl("logs", pod.name, "--container", name, *options)
                    if done.code == 0 and done.out.strip():
                        said[done.out.strip()] = None
                        break
        yield from said

    def close(self) -> None:
        """Remove the namespace and all that is in it. The cluster takes its time for that."""
        if self._made:
            _remove(self._made)
            self._made = ""

    # How

    def _kubectl(self, *args: str, stdin: str = "", timeout: float = _JOB) -> Ended:
        return kubectl.run(
            "--namespace", self.namespace, *args, cwd=self._project, stdin=stdin, timeout=timeout
        )

    def _objects(self, *args: str) -> tuple[Object, ...]:
        return kubectl.objects("--namespace", self.namespace, *args)

    def _sweep(self) -> None:
        """Remove the namespaces that a killed process of this machine has left."""
        ours = kubectl.objects("namespaces", "--selector", f"{_MACHINE}={_machine()}")
        for each in clone.left((str(one["metadata"]["name"]) for one in ours), _PREFIX):
            _remove(each)

    def _ready(self, name: str, workload: Object) -> tuple[Pod, ...]:
        """The pods of a workload, as soon as there are as many as it wants, and all are ready."""
        spec = workload["spec"]
        labels, wanted = spec["template"]["metadata"]["labels"], spec.get("replicas", 1)
        expect(
            wanted,
            seen=f"{self.line(name, 'replicas:')}: it wants no pod",
            expected="one, at least",
            do="replicas: 1",
        )
        began = time.monotonic()
        stuck, since = "", began
        ready = began
        while True:
            pods, now = self.pods(labels), time.monotonic()
            if len(pods) != wanted or not all(pod.ready for pod in pods):
                ready = now
            elif all(map(workloads.probed, pods)) or now - ready > _QUIET:
                return pods
            trouble = next(self.troubles(pods), None)
            reason = trouble[0] if trouble else ""
            stuck, since = (stuck, since) if reason == stuck else (reason, now)
            if trouble and now - since > _QUIET:
                raise self._stuck(name, *trouble)
            late = now - began > START
            if late and (now - began > FETCH or not self._fetches(pods)):
                raise self._never(name, pods, wanted)
            time.sleep(_POLL)

    def _stuck(self, name: str, reason: str, said: str, pod: Pod | None) -> CheckFailed:
        if pod and reason == "CrashLoopBackOff":
            said = words.tail(self._last(pod), Path("/"))
        return CheckFailed(
            seen=f"a pod of {name} does not start ({reason}):\n{self._told(said)}".rstrip(),
            expected="pods that become ready",
            do=workloads.STUCK[reason],
        )

    def _never(self, name: str, pods: Sequence[Pod], wanted: int) -> CheckFailed:
        count = sum(pod.ready for pod in pods)
        said = [*self._warnings(), *(words.tail(self.logs(pod), Path("/")) for pod in pods)]
        told = "\n".join(filter(None, said))
        return CheckFailed(
            seen=f"after {START:.0f} seconds, {count} of {wanted} pods of {name} are ready:\n"
            f"{self._told(told)}".rstrip(),
            expected="pods that become ready, in a namespace where there was nothing",
            do="Read the last words. Then ask the cluster: kubectl describe pods",
        )

    def _warnings(self) -> Iterator[str]:
        """What the cluster complains about, each complaint once."""
        found = self._objects("events", "--field-selector", "type=Warning")
        yield from dict.fromkeys(str(each["message"]).strip() for each in found)

    def _fetches(self, pods: Sequence[Pod]) -> bool:
        """Whether an image is on its way to one of these pods."""
        names = {pod.name for pod in pods if not pod.ready}
        if not names:
            return False
        reasons = [
            each["reason"] for each in self._objects("events", "--sort-by", ".lastTimestamp")
            if each["involvedObject"].get("name") in names
            and each["reason"] in ("Pulling", "Pulled", "Failed")
        ]  # fmt: skip
        return reasons[-1:] == ["Pulling"]

    def _last(self, pod: Pod) -> str:
        """What the first container said before it ended."""
        name = pod.spec["containers"][0]["name"]
        for options in (("--previous",), ()):
            done = self._kubectl("logs", pod.name, name, *options)
            if done.code == 0 and done.out.strip():
                return done.out
        return ""

    def _told(self, said: str) -> str:
        return self._manifests.told(said, self._made)


def _in_order(pods: Sequence[Object]) -> tuple[Pod, ...]:
    return tuple(
        workloads.pod(each) for each in sorted(pods, key=lambda one: str(one["metadata"]["name"]))
    )


def _json(kind: str, name: str, *, labels: Mapping[str, str] | None = None, **more: Any) -> str:
    meta = {"name": name, "labels": dict(labels or {})}
    return json.dumps({"apiVersion": "v1", "kind": kind, "metadata": meta, **more})


def _machine() -> str:
    """This machine, in a form that gives its name away to nobody."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _remove(namespace: str) -> None:
    with contextlib.suppress(OSError):
        kubectl.run("delete", "namespace", namespace, "--wait=false", timeout=_JOB)
