"""Waits until a release is ready in a namespace, and says why it never will be.

It looks again and again. A cluster can tell of changes, but by a stream for each kind of thing, and
those break off.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from workshop import kubectl, workloads
from workshop.errors import WorkshopError
from workshop.kubectl import Object
from workshop.production import Report, namespace, objects, release, silent
from workshop.production.namespace import MEND, Namespace, Seen

PATIENCE = 900.0  # seconds until all is done: images may have to come over somebody's network
_DEAF = 60.0  # seconds that a cluster may be silent: it may be busy, or start anew
_QUIET = 10.0  # seconds that trouble must last: some of it mends itself


def wait(
    space: Namespace,
    described: Iterable[Object],
    report: Report = silent,
    patience: float | None = None,
) -> None:
    """Wait until each workload is as it is described. Raises WorkshopError, with the last words
    of a pod, when one will never be."""
    watched = [each for each in described if each["kind"] in objects.AWAITED]
    patience = PATIENCE if patience is None else patience
    began = heard = since = time.monotonic()
    told: dict[str, str] = {}
    kind = ""
    for pause in namespace.pauses():
        if not watched:
            return
        now = time.monotonic()
        try:
            seen = space.look()
        except WorkshopError:
            if now - heard > min(_DEAF, patience):
                raise
            time.sleep(pause)
            continue
        heard = now
        left = [each for each in watched if not _done(space, each, seen, told, report)]
        if not left:
            return
        trouble = next(_troubles(left, seen), None)
        last, kind = kind, workloads.STUCK[trouble[0]] if trouble else ""
        since = since if kind == last else now
        if trouble and now - since > _QUIET:
            raise _stuck(space, *trouble)
        if now - began > patience:
            raise _late(space, left[0], seen, patience)
        time.sleep(pause)


def _done(space: Namespace, each: Object, seen: Seen, told: dict[str, str], report: Report) -> bool:
    """Whether a workload is as described. Reports what has changed since it was last looked at.
    Raises WorkshopError when it never will be."""
    found = seen.workloads.get(objects.identity(each))
    if found is None:  # a Job may want to be removed as soon as it has ended
        return "ttlSecondsAfterFinished" in each["spec"]
    name, done = each["metadata"]["name"], workloads.done(found, seen.workloads.values())
    new = found["metadata"].get("generation", 0) <= found.get("status", {}).get(
        "observedGeneration", found["metadata"].get("generation", 0)
    )
    if not done and new and (why := workloads.failed(found)):
        said = _last_words(space, seen.of(found))
        raise WorkshopError(f"{each['kind']} {name} failed: {why}\n{said}", MEND)
    if each["kind"] == workloads.AUTOSCALER:
        how = ""  # its pods are told of already
    elif each["kind"] == "Job":
        how = "done" if done else ""
    else:
        wanted, ready = found["spec"].get("replicas", 1), seen.ready(each)
        how = f"{wanted if done else min(ready, wanted)} of {wanted} ready"
        how = "" if not ready and not done else how
    if how and told.get(name) != how:
        report(name, how)
        told[name] = how
    return done


def _troubles(left: Sequence[Object], seen: Seen) -> Iterator[tuple[str, str, Object]]:
    """What keeps a pod of these workloads from its start: why, what is said of it, which."""
    for pod in seen.pods:
        trouble = workloads.trouble(workloads.pod(pod))
        if trouble and any(objects.is_pod_of(pod, each) for each in left):
            yield trouble[0], trouble[1], pod


def _stuck(space: Namespace, reason: str, said: str, pod: Object) -> WorkshopError:
    if reason == "CrashLoopBackOff":
        said = ""
    told = release.tail(said) if said else _last_words(space, [pod])
    name = pod["metadata"]["name"]
    return WorkshopError(
        f"the pod {name} does not start ({reason}):\n{told}", workloads.STUCK[reason]
    )


def _late(space: Namespace, each: Object, seen: Seen, patience: float) -> WorkshopError:
    said = _last_words(space, seen.of(each))
    kind, name = objects.identity(each)
    return WorkshopError(
        f"after {patience:.0f} seconds, {kind} {name} is not ready:\n{said}",
        f"Ask the cluster: kubectl --namespace {space.name} describe pods",
    )


def _last_words(space: Namespace, pods: Iterable[Object]) -> str:
    """What a container said that does not run as it should, else what the cluster says."""
    every = sorted(pods, key=lambda one: str(one["metadata"].get("creationTimestamp", "")))
    for pod in reversed(every):
        status = pod.get("status", {})
        for each in (*status.get("initContainerStatuses", ()),
                     *status.get("containerStatuses", ())):  # fmt: skip
            ended = each.get("state", {}).get("terminated")
            if each.get("ready") or (ended and ended.get("exitCode") == 0):
                continue
            for options in (("--previous",), ()):
                done = space.kubectl("logs", pod["metadata"]["name"], "--container",
                                     each["name"], "--tail", "20", *options)  # fmt: skip
                if done.code == 0 and done.out.strip():
                    return release.tail(done.out)
    names = {pod["metadata"]["name"] for pod in every}
    complaints = kubectl.objects("events", "--namespace", space.name, "--field-selector",
                                 "type=Warning")  # fmt: skip
    said = dict.fromkeys(
        str(each.get("message", "")).strip() for each in complaints
        if not names or each.get("involvedObject", {}).get("name") in names
    )  # fmt: skip
    return release.tail("\n".join(said))
