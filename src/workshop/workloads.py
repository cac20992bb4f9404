"""What a cluster is asked for, and what it says of that: pure readings of objects, as kubectl gives
them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from workshop.kubectl import Object

AUTOSCALER = "HorizontalPodAutoscaler"
# Why a container does not start, as Kubernetes has it, and what helps.
_NO_IMAGE = "Is there such an image? Look at its name and its version, letter by letter."
_NOT_SO = "Mend what it says: a name in the file that nothing has, or something it may not do."
_ENDS = "Mend what the last words say."
UNMADE = "FailedCreate"  # of what makes pods, and not of a pod: there is none
STUCK = {
    "ErrImagePull": _NO_IMAGE, "ImagePullBackOff": _NO_IMAGE, "InvalidImageName": _NO_IMAGE,
    "ErrImageNeverPull": _NO_IMAGE, "CreateContainerConfigError": _NOT_SO,
    "CreateContainerError": _NOT_SO, "RunContainerError": _NOT_SO, "CrashLoopBackOff": _ENDS,
    UNMADE: _NOT_SO,
}  # fmt: skip


class Pod(NamedTuple):
    """A pod, as it was when somebody looked. `uid` is its own: its successor has another one, even
    under the same name. `leaves`: it has been told to go. `spec` says what the cluster was asked
    for, and `labels` who it belongs to."""

    name: str
    uid: str
    ready: bool
    leaves: bool
    spec: Mapping[str, Any]
    status: Mapping[str, Any]
    labels: Mapping[str, str]

    def has(self, labels: Mapping[str, str]) -> bool:
        """Whether it has all of these labels."""
        return labels.items() <= self.labels.items()

    @property
    def image(self) -> str:
        """The image of its first container."""
        return str(self.spec["containers"][0]["image"])


def pod(found: Object) -> Pod:
    """A pod, as the cluster describes it."""
    meta, status = found["metadata"], found.get("status", {})
    ready = any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in status.get("conditions", ())
    )
    leaves = "deletionTimestamp" in meta
    labels = meta.get("labels", {})
    return Pod(meta["name"], meta["uid"], ready, leaves, found["spec"], status, labels)


def trouble(seen: Pod) -> tuple[str, str, Pod] | None:
    """Why a container of a pod does not start, and what the cluster says of it."""
    for each in _statuses(seen):
        waiting = each.get("state", {}).get("waiting", {})
        if waiting.get("reason") in STUCK:
            return waiting["reason"], waiting.get("message", ""), seen
    return None


def failures(seen: Pod) -> tuple[str, ...]:
    """The names of its containers that have failed, now or before."""
    return tuple(each["name"] for each in _statuses(seen) if _has_failed(each))


def started(seen: Pod) -> bool:
    """Whether all containers of a pod have started, ready or not."""
    own = seen.status.get("containerStatuses", ())
    return bool(own) and all(each.get("started") for each in own)


def prepares(seen: Pod) -> bool:
    """Whether a pod still waits for its init containers: none of its own has ever started."""
    told = {each["type"]: each["status"] for each in seen.status.get("conditions", ())}
    return told.get("Initialized") == "False"


def probed(seen: Pod) -> bool:
    """Whether somebody asks each container of a pod if it is ready. Without a probe, a container is
    from its first moment on, even if that is its last."""
    return all("readinessProbe" in each for each in seen.spec["containers"])


def states(seen: Pod) -> tuple[tuple[str, ...], ...]:
    """In which state each container of a pod is, without since when and why."""
    marks = ("started", "ready")
    return tuple(
        (each["name"], *each.get("state", {}), *(mark for mark in marks if each.get(mark)))
        for each in _statuses(seen)
    )


def _has_failed(status: Object) -> bool:
    ends = [status.get(each, {}).get("terminated", {}) for each in ("state", "lastState")]
    return any(each.get("exitCode") for each in ends)


def _statuses(seen: Pod) -> tuple[Object, ...]:
    kinds = ("initContainerStatuses", "containerStatuses")
    return tuple(each for kind in kinds for each in seen.status.get(kind, ()))


def template(found: Object) -> Object | None:
    """What the pods of a workload are made from; None when it has none."""
    spec = found.get("spec") or {}
    if found["kind"] == "Pod":
        return found
    if found["kind"] == "CronJob":
        spec = spec.get("jobTemplate", {}).get("spec", {})
    made: Object | None = spec.get("template") if isinstance(spec, dict) else None
    return made


def containers(made: Object) -> tuple[Object, ...]:
    """The containers of a pod, or of what pods are made from: first those that prepare it."""
    spec = made.get("spec") or {}
    return (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))


def done(found: Object, every: Iterable[Object] = ()) -> bool:
    """Whether a workload is as its description wants it: rolled out, or run to its end. Anything
    else, such as a Service, always is. `every` are the workloads that were seen with it.

    A Deployment is when all pods are of the new description, and available, and none is left of the
    old one, as `kubectl rollout status` has it. An autoscaler is when as many pods are wanted as
    there must be: whoever is new begins with one. What it scales says so at once. The autoscaler
    itself looks every 15 seconds only, and is asked when the other one was not seen.
    """
    spec, status = found.get("spec", {}), found.get("status", {})
    if found["kind"] == AUTOSCALER:
        scaled = next((each for each in every if _scales(found, each)), None)
        now = scaled["spec"].get("replicas", 1) if scaled else status.get("currentReplicas", 0)
        return bool(now >= spec.get("minReplicas", 1))
    if found["kind"] == "Job":
        return _condition(found, "Complete") is not None
    if found["kind"] not in ("Deployment", "StatefulSet"):
        return True
    wanted = spec.get("replicas", 1)
    if status.get("observedGeneration", 0) < found["metadata"].get("generation", 0):
        return False
    if found["kind"] == "StatefulSet":
        newest = status.get("updateRevision") == status.get("currentRevision")
        return newest and bool(status.get("readyReplicas", 0) == wanted)
    counts = [status.get(each, 0) for each in ("updatedReplicas", "replicas", "availableReplicas")]
    return counts == [wanted] * 3


def _scales(autoscaler: Object, found: Object) -> bool:
    target = autoscaler["spec"].get("scaleTargetRef", {})
    known = found["kind"], found["metadata"]["name"]
    return known == (target.get("kind"), target.get("name"))


def failed(found: Object) -> str:
    """Why a workload will never be done, in the cluster's words; empty while there is hope."""
    late = _condition(found, "Progressing", "False")
    if late is not None and late.get("reason") == "ProgressDeadlineExceeded":
        seconds = found["spec"].get("progressDeadlineSeconds", 600)
        return f"after {seconds} seconds (progressDeadlineSeconds), not all of its pods were ready"
    why = _condition(found, "Failed") if found["kind"] == "Job" else late
    return "" if why is None else str(why.get("message") or why.get("reason") or "it failed")


def hopeless(found: Object) -> str:
    """The same, for who has no time to lose: a Job whose pods have failed twice will fail again,
    however often it is allowed to."""
    again = found["kind"] == "Job" and found.get("status", {}).get("failed", 0) > 1
    return failed(found) or ("one pod after the other fails" if again else "")


def _condition(found: Object, kind: str, value: str = "True") -> Object | None:
    every: list[Object] = found.get("status", {}).get("conditions", [])
    return next((each for each in every if (each["type"], each["status"]) == (kind, value)), None)
