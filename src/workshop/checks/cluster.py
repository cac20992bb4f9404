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
from typing import Any, NamedTuple

from workshop import kubectl
from workshop.checks import clone, words
from workshop.checks.failure import CheckFailed, expect
from workshop.checks.manifests import Manifests
from workshop.containers import Ended
from workshop.kubectl import Object

START = 120.0  # seconds until what was applied is ready
FETCH = 600.0  # the same while an image is being fetched: that depends on somebody's network
_JOB = 60.0  # seconds for a command inside
_POLL = 0.5
_QUIET = 5.0  # seconds that a reason must hold: some mend themselves
_PREFIX = "workshop"
# Several machines may share a cluster. Each sweeps only what it has left itself.
_MACHINE = "workshop/machine"
_VISITOR = "visitor"
# A cluster may refuse what asks for more.
_FEW_RIGHTS = {
    "runAsNonRoot": True, "runAsUser": 10001, "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
}  # fmt: skip
_TEMPTATION = "; if you choose to ignore these errors"  # which is never what helps
# Why a container does not start, as Kubernetes has it, and what helps.
_NO_IMAGE = "Is there such an image? Look at its name and its version, letter by letter."
_NOT_SO = "Mend what it says: a name in the file that nothing has, or something it may not do."
_ENDS = "Mend what the last words say."
_STUCK = {
    "ErrImagePull": _NO_IMAGE, "ImagePullBackOff": _NO_IMAGE, "InvalidImageName": _NO_IMAGE,
    "ErrImageNeverPull": _NO_IMAGE, "CreateContainerConfigError": _NOT_SO,
    "CreateContainerError": _NOT_SO, "RunContainerError": _NOT_SO, "CrashLoopBackOff": _ENDS,
}  # fmt: skip


class Pod(NamedTuple):
    """A pod, as it was when somebody looked. `uid` is its own: its successor has another one, even
    under the same name. `spec` says what the cluster was asked for."""

    name: str
    uid: str
    ready: bool
    spec: Mapping[str, Any]
    status: Mapping[str, Any]

    @property
    def image(self) -> str:
        """The image of its first container."""
        return str(self.spec["containers"][0]["image"])


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

    def line(self, name: str, text: str) -> str:
        """A file and the line where a text stands first; the file alone if it stands nowhere."""
        return self._manifests.line(name, text)

    # What it does

    def secret(self, name: str, values: Mapping[str, str]) -> None:
        """Have a Secret with these values, whatever was in it before."""
        text = _json("Secret", name, stringData=dict(values))
        done = self._kubectl("apply", "--filename", "-", stdin=text)
        assert done.code == 0, done.said

    def apply(self, name: str) -> tuple[Object, ...]:
        """Apply a file of the project, as a person does. Returns what is in it."""
        found = self.read(name)
        done = self._kubectl("apply", "--filename", name)
        expect(
            done.code == 0,
            seen=f"`kubectl apply --filename {name}` failed:\n"
            f"{self._told(done.said.partition(_TEMPTATION)[0])}",
            expected="a manifest that the cluster accepts",
            do="Mend what it says. It names the place from the outside in, with dots between.",
        )
        return found

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
        chosen = ",".join(f"{name}={value}" for name, value in labels.items())
        found = self._objects("pods", "--selector", chosen)
        return tuple(
            _pod(each)
            for each in sorted(found, key=lambda one: str(one["metadata"]["name"]))
            if "deletionTimestamp" not in each["metadata"]
        )

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
        labels = {"workshop": _VISITOR}
        container = {
            "name": _VISITOR, "image": image, "command": ["sleep", "86400"],
            "securityContext": _FEW_RIGHTS,
        }  # fmt: skip
        spec = {
            "containers": [container], "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False, "restartPolicy": "Never",
        }  # fmt: skip
        text = _json("Pod", _VISITOR, labels=labels, spec=spec)
        made = self._kubectl("apply", "--filename", "-", stdin=text)
        assert made.code == 0, made.said
        waiting = ("wait", "--for=condition=Ready", f"pod/{_VISITOR}", f"--timeout={START:.0f}s")
        done = self._kubectl(*waiting, timeout=START + _JOB)
        assert done.code == 0, done.said
        return self.pods(labels)[0]

    def logs(self, pod: Pod) -> str:
        """All that the first container of a pod has said since it started last."""
        return self._kubectl("logs", pod.name, pod.spec["containers"][0]["name"]).out

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
        while True:
            pods = self.pods(labels)
            if len(pods) == wanted and all(pod.ready for pod in pods):
                return pods
            now, trouble = time.monotonic(), next(filter(None, map(_trouble, pods)), None)
            reason = trouble[0] if trouble else ""
            stuck, since = (stuck, since) if reason == stuck else (reason, now)
            if trouble and now - since > _QUIET:
                raise self._stuck(name, *trouble)
            if now - began > (FETCH if self._fetches(pods) else START):
                raise self._never(name, pods, wanted)
            time.sleep(_POLL)

    def _stuck(self, name: str, reason: str, said: str, pod: Pod) -> CheckFailed:
        if reason == "CrashLoopBackOff":
            said = words.tail(self._last(pod), Path("/"))
        return CheckFailed(
            seen=f"a pod of {name} does not start ({reason}):\n{self._told(said)}".rstrip(),
            expected="pods that become ready",
            do=_STUCK[reason],
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
        """What kubectl says, without the name of a namespace that is gone when somebody reads it,
        and without the name of the file: it stands before."""
        said = said.replace(f"{self._made}/", "").replace(f' namespace "{self._made}"', " it")
        return words.tail(said, self._project)


def _pod(found: Object) -> Pod:
    meta, status = found["metadata"], found.get("status", {})
    ready = any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in status.get("conditions", ())
    )
    return Pod(meta["name"], meta["uid"], ready, found["spec"], status)


def _trouble(pod: Pod) -> tuple[str, str, Pod] | None:
    """Why a container of a pod does not start, and what the cluster says of it."""
    every = (*pod.status.get("initContainerStatuses", ()), *pod.status.get("containerStatuses", ()))
    for each in every:
        waiting = each.get("state", {}).get("waiting", {})
        if waiting.get("reason") in _STUCK:
            return waiting["reason"], waiting.get("message", ""), pod
    return None


def _json(kind: str, name: str, *, labels: Mapping[str, str] | None = None, **more: Any) -> str:
    meta = {"name": name, "labels": dict(labels or {})}
    return json.dumps({"apiVersion": "v1", "kind": kind, "metadata": meta, **more})


def _machine() -> str:
    """This machine, in a form that gives its name away to nobody."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _remove(namespace: str) -> None:
    with contextlib.suppress(OSError):
        kubectl.run("delete", "namespace", namespace, "--wait=false", timeout=_JOB)
