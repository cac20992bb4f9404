"""What is read of a cluster's answers, tried on answers as a cluster gives them."""

from __future__ import annotations

from typing import Any

import pytest

from workshop import workloads
from workshop.kubectl import Object

LATE = {"type": "Progressing", "status": "False", "message": "it has timed out progressing"}


def deployment(**status: Any) -> Object:
    counts = {"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3, "observedGeneration": 2}
    return {
        "kind": "Deployment", "metadata": {"name": "web", "generation": 2},
        "spec": {"replicas": 3}, "status": counts | status,
    }  # fmt: skip


def stateful(**status: Any) -> Object:
    counts = {"readyReplicas": 1, "updateRevision": "b", "currentRevision": "b"}
    return {
        "kind": "StatefulSet", "metadata": {"name": "db", "generation": 1}, "spec": {},
        "status": {"observedGeneration": 1} | counts | status,
    }  # fmt: skip


def autoscaler(**status: Any) -> Object:
    scaled = {"kind": "Deployment", "name": "web"}
    spec = {"minReplicas": 3, "maxReplicas": 10, "scaleTargetRef": scaled}
    counts = {"currentReplicas": 3, "desiredReplicas": 3}
    meta = {"name": "web"}
    kind = "HorizontalPodAutoscaler"
    return {"kind": kind, "metadata": meta, "spec": spec, "status": counts | status}


def job(*conditions: Object) -> Object:
    return {"kind": "Job", "metadata": {"name": "migrate"}, "status": {"conditions": [*conditions]}}


def pod(**status: Any) -> workloads.Pod:
    meta = {"name": "web-1", "uid": "1"}
    return workloads.pod({"metadata": meta, "spec": {}, "status": status})


def test_a_workload_is_done_when_nothing_of_the_old_one_is_left() -> None:
    assert workloads.done(deployment())
    assert workloads.done(stateful())
    assert workloads.done(job({"type": "Complete", "status": "True"}))
    assert workloads.done(autoscaler())
    assert workloads.done(autoscaler(currentReplicas=7))
    assert workloads.done({**autoscaler(currentReplicas=1), "spec": {}})  # one is what it means
    assert workloads.done({"kind": "Service", "metadata": {"name": "web"}})


def test_whom_an_autoscaler_scales_knows_first_how_many_there_must_be() -> None:
    late = autoscaler(currentReplicas=1)
    early = autoscaler(currentReplicas=3)
    one, other = {**deployment(), "spec": {}}, {**deployment(), "metadata": {"name": "other"}}
    assert workloads.done(late, [late, other, deployment()])
    assert not workloads.done(early, [early, other, one])  # nobody says how many: it is one
    assert workloads.done(early, [early, other])
    assert not workloads.done(late, [late, other])


@pytest.mark.parametrize(
    "found",
    [
        deployment(updatedReplicas=2), deployment(replicas=4), deployment(availableReplicas=2),
        deployment(observedGeneration=1), {**deployment(), "status": {}},
        stateful(readyReplicas=0), stateful(updateRevision="c"), stateful(observedGeneration=0),
        autoscaler(currentReplicas=1), {**autoscaler(), "status": {}},
        job(), job({"type": "Complete", "status": "False"}), {**job(), "status": {}},
    ],
)  # fmt: skip
def test_it_is_not_before(found: Object) -> None:
    assert not workloads.done(found)
    assert not workloads.failed(found)


def test_what_never_will_be_done_says_why() -> None:
    assert workloads.failed(deployment(conditions=[LATE])) == LATE["message"]
    late = deployment(conditions=[LATE | {"reason": "ProgressDeadlineExceeded"}])
    assert workloads.failed(late) == (
        "after 600 seconds (progressDeadlineSeconds), not all of its pods were ready"
    )
    told = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    assert workloads.failed(job(told)) == "BackoffLimitExceeded"
    assert workloads.failed(job({"type": "Failed", "status": "True"})) == "it failed"


def test_what_has_failed_twice_is_not_waited_for() -> None:
    for count, said in ((0, ""), (1, ""), (2, "one pod after the other fails")):
        assert workloads.hopeless({"kind": "Job", "status": {"failed": count}}) == said
    assert workloads.hopeless(job({"type": "Failed", "status": "True"})) == "it failed"
    assert workloads.hopeless({"kind": "ReplicaSet", "status": {"failed": 2}}) == ""


@pytest.mark.parametrize("kind", ["initContainerStatuses", "containerStatuses"])
def test_trouble_is_what_keeps_a_container_from_its_start(kind: str) -> None:
    waits = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    stuck = pod(**{kind: [{"name": "a", "state": waits}]})
    assert workloads.trouble(stuck) == ("ImagePullBackOff", "no such image", stuck)
    starts = {"waiting": {"reason": "PodInitializing"}}
    assert workloads.trouble(pod(**{kind: [{"name": "a", "state": starts}]})) is None
    assert workloads.trouble(pod()) is None


def test_failures_are_those_of_now_and_before() -> None:
    now = {"name": "a", "state": {"terminated": {"exitCode": 1}}}
    before = {"name": "b", "state": {"running": {}}, "lastState": {"terminated": {"exitCode": 137}}}
    fine = {"name": "c", "state": {"terminated": {"exitCode": 0}}}
    seen = pod(initContainerStatuses=[fine, now], containerStatuses=[before])
    assert workloads.failures(seen) == ("a", "b")


def test_a_pod_has_started_when_all_of_it_has() -> None:
    begun = {"name": "a", "state": {"running": {}}, "started": True}
    begins = {"name": "b", "state": {"running": {}}, "started": False}
    assert workloads.started(pod(containerStatuses=[begun, begun]))
    assert not workloads.started(pod(containerStatuses=[begun, begins]))
    assert not workloads.started(pod())


def test_states_tell_what_changes_and_not_since_when() -> None:
    begins = {"name": "a", "state": {"running": {"startedAt": "now"}}, "started": False}
    assert workloads.states(pod(containerStatuses=[begins])) == (("a", "running"),)
    later = {**begins, "started": True, "ready": True}
    assert workloads.states(pod(containerStatuses=[later])) == (
        ("a", "running", "started", "ready"),
    )


@pytest.mark.parametrize(("word", "ready"), [("True", True), ("False", False), ("Unknown", False)])
def test_a_pod_is_ready_when_it_says_so(word: str, *, ready: bool) -> None:
    assert pod(conditions=[{"type": "Ready", "status": word}]).ready is ready


def test_a_pod_that_was_told_to_go_leaves() -> None:
    meta = {"name": "web-1", "uid": "1", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    image = {"containers": [{"image": "demo:1"}]}
    found = workloads.pod({"metadata": meta, "spec": image})
    assert found.leaves
    assert found.image == "demo:1"
    assert not pod().leaves
