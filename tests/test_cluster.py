"""The cluster for checks: a namespace of its own, manifests that stay in it, clear words.

What needs no cluster is shown with a kubectl that only pretends. The rest needs a real one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from workshop import kubectl, underload
from workshop.checks import CheckFailed, cluster, needs
from workshop.checks.cluster import Cluster

RESOURCES = """\
pods po v1 true Pod
services svc v1 true Service
statefulsets sts apps/v1 true StatefulSet
"""
# It keeps what it is told, and says what a file of the test has for it.
PRETENDS = """#!/bin/sh
echo "$@" >> "$SAID/told"
case "$*" in
  *api-resources*) cat "$SAID/resources" ;;
  *"get namespaces"*) cat "$SAID/namespaces" 2>/dev/null ;;
  *--dry-run=client*) cat "$SAID/objects" 2>/dev/null && exit 0; cat "$SAID/refused" >&2; exit 1 ;;
  *create*) cat > "$SAID/made" ;;
  *" pods "*) cat "$SAID/pods"; mv "$SAID/later" "$SAID/pods" 2>/dev/null ;;
  *" events "*) cat "$SAID/events" 2>/dev/null ;;
  *" logs "*) echo "Last words." ;;
esac
"""


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What kubectl says, in files. No other one can be found, and no cluster."""
    folder = tmp_path / "said"
    folder.mkdir()
    (folder / "resources").write_text(RESOURCES, "utf-8")
    program = tmp_path / "bin" / "kubectl"
    program.parent.mkdir()
    program.write_text(PRETENDS, "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("SAID", str(folder))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nowhere"))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "app.yaml").write_text("# kind: Pod\nkind: Pod\n  hostPath: /\n", "utf-8")
    return folder


def told(said: Path) -> str:
    file = said / "told"
    return file.read_text("utf-8") if file.exists() else ""


def objects(*each: Mapping[str, object]) -> str:
    return "\n".join(json.dumps({"apiVersion": "v1", "metadata": {"name": "it"}, **one})
                     for one in each)  # fmt: skip


def refusal(project: Path, name: str = "app.yaml") -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        Cluster(project).apply(name)
    return caught.value


def test_without_the_variable_no_cluster_is_asked(
    said: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert needs.missing(["cluster"]) == ""
    monkeypatch.delenv("KUBECONFIG")
    (said / "told").unlink()
    assert needs.missing(["cluster"]) == "needs a Kubernetes cluster that KUBECONFIG names"
    assert told(said) == ""


def test_without_kubectl_there_is_no_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nowhere"))
    assert not kubectl.answers()
    assert kubectl.run("version").code == -1


def test_who_does_not_answer_is_given_up(said: Path) -> None:
    (said.parent / "bin" / "kubectl").write_text("#!/bin/sh\nexec sleep 60\n", "utf-8")
    ended = kubectl.run("version", timeout=0.2)
    assert (ended.code, ended.said) == (-1, "it did not end within 0 seconds")


def test_the_cluster_is_the_same_from_every_folder(
    said: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = said.parent / "bin" / "kubectl"
    program.write_text('#!/bin/sh\necho "$KUBECONFIG"\n', "utf-8")
    here = Path.cwd()
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(["one", "", "/two"]))
    assert kubectl.run("version", cwd=tmp_path).out == f"{here / 'one'}{os.pathsep}/two\n"


def test_the_objects_of_kubectl_come_one_by_one_or_in_a_list() -> None:
    one, two = {"kind": "Pod", "n": 1}, {"kind": "PodList", "items": [{"kind": "Pod", "n": 2}]}
    text = f"{json.dumps(one, indent=2)}\n{json.dumps(two)}\n"
    assert [each["n"] for each in kubectl.parsed(text)] == [1, 2]
    assert list(kubectl.parsed("\n")) == []


def test_a_file_that_is_not_there_is_told_with_what_is(said: Path, project: Path) -> None:
    (project / "App.yaml").write_text("", "utf-8")
    (project / "app.yaml").unlink()
    error = refusal(project)
    assert error.seen == "there is no app.yaml, but there is App.yaml"
    assert error.do.endswith("mv App.yaml app.yaml")


def test_a_file_that_kubectl_cannot_read_is_told_in_its_words(said: Path, project: Path) -> None:
    (said / "refused").write_text("error: yaml: line 3: did not find expected key\n", "utf-8")
    assert refusal(project).seen == (
        "kubectl can't read app.yaml, about line 3:\nerror: yaml: did not find expected key"
    )


def test_another_namespace_is_refused_by_us_and_by_kubectl(said: Path, project: Path) -> None:
    (project / "app.yaml").write_text("kind: Pod\n  namespace: other\n", "utf-8")
    (said / "refused").write_text(
        'error: the namespace from the provided object "other" does not match', "utf-8"
    )
    by_kubectl = refusal(project)
    there = {"kind": "Pod", "metadata": {"name": "it", "namespace": "other"}}
    (said / "objects").write_text(objects(there), "utf-8")
    by_us = refusal(project)
    for error in (by_kubectl, by_us):
        assert error.seen == "app.yaml, line 2: it names the namespace other"
    assert " apply " not in told(said)


@pytest.mark.parametrize(
    ("one", "seen"),
    [
        ({"kind": "Node"}, "app.yaml: the Node it belongs to the whole cluster"),
        (
            {"kind": "Pod", "spec": {"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}},
            "app.yaml, line 3: Pod it has hostPath",
        ),
        ({"kind": "Pod", "spec": {"hostNetwork": True}}, "app.yaml: Pod it has hostNetwork"),
        (
            {"kind": "Pod", "spec": {"containers": [{"securityContext": {"privileged": True}}]}},
            "app.yaml: Pod it has privileged",
        ),
    ],
)
def test_what_reaches_beyond_the_namespace_is_refused(
    one: dict[str, object], seen: str, said: Path, project: Path
) -> None:
    (said / "objects").write_text(objects({"kind": "Service"}, one), "utf-8")
    assert refusal(project).seen == seen
    assert " apply " not in told(said)


def test_an_object_with_no_version_and_no_name_is_told(said: Path, project: Path) -> None:
    (said / "objects").write_text('{"kind": "Pod", "metadata": null}', "utf-8")
    assert refusal(project).seen == ("app.yaml, line 2: the Pod without a name has no apiVersion")


def test_who_says_no_to_a_right_is_welcome(said: Path, project: Path) -> None:
    (said / "objects").write_text(objects({"kind": "Pod", "spec": {"hostPID": False}}), "utf-8")
    space = Cluster(project)
    assert [each["kind"] for each in space.apply("app.yaml")] == ["Pod"]
    name = space.namespace
    assert f"--namespace {name} apply --filename app.yaml" in told(said)
    made = json.loads((said / "made").read_text("utf-8"))
    assert (made["kind"], made["metadata"]["name"]) == ("Namespace", name)
    space.close()
    assert told(said).endswith(f"delete namespace {name} --wait=false\n")


def test_a_key_without_a_value_is_left_out(said: Path, project: Path) -> None:
    spec = {"hostname": None, "containers": [{"name": "app", "lifecycle": {"preStop": None}}]}
    (said / "objects").write_text(objects({"kind": "Pod", "spec": spec}), "utf-8")
    (found,) = Cluster(project).read("app.yaml")
    assert found["spec"] == {"containers": [{"name": "app", "lifecycle": {}}]}


def test_a_file_that_starts_nothing_is_told(said: Path, project: Path) -> None:
    (said / "objects").write_text(objects({"kind": "Service"}), "utf-8")
    with pytest.raises(CheckFailed, match="starts nothing"):
        Cluster(project).ready("app.yaml")


def test_a_file_that_wants_no_pod_is_told(said: Path, project: Path) -> None:
    spec = {"replicas": 0, "template": {"metadata": {"labels": {"it": "is"}}}}
    (said / "objects").write_text(
        objects({"kind": "StatefulSet", "apiVersion": "apps/v1", "spec": spec}), "utf-8"
    )
    with pytest.raises(CheckFailed, match="it wants no pod"):
        Cluster(project).ready("app.yaml")


def test_nothing_is_made_before_it_is_needed(said: Path, project: Path) -> None:
    Cluster(project).close()
    assert told(said) == ""


def test_leftovers_of_a_killed_process_are_removed_and_no_others(said: Path, project: Path) -> None:
    names = ("workshop-999999999-0a1b2c", f"workshop-{os.getpid()}-0a1b2c", "workshop", "other")
    (said / "namespaces").write_text(
        objects(*({"kind": "Namespace", "metadata": {"name": name}} for name in names)), "utf-8"
    )
    assert Cluster(project).namespace.startswith(f"workshop-{os.getpid()}-")
    removed = [line for line in told(said).splitlines() if line.startswith("delete")]
    assert removed == ["delete namespace workshop-999999999-0a1b2c --wait=false"]
    assert f"get namespaces --selector workshop/machine={cluster._machine()}" in told(said)


APPLICATION = {
    "kind": "StatefulSet", "apiVersion": "apps/v1",
    "spec": {"template": {"metadata": {"labels": {"it": "app"}}}},
}  # fmt: skip


def pods(said: Path, status: dict[str, object], **meta: str) -> None:
    """One pod is there, and this is how it is."""
    spec = {"containers": [{"name": "app", "image": "busybox:1", "readinessProbe": {}}]}
    one = {"kind": "Pod", "metadata": {"name": "app-0", "uid": "1", **meta}, "spec": spec}
    (said / "objects").write_text(objects(APPLICATION), "utf-8")
    (said / "pods").write_text(json.dumps({**one, "status": status}), "utf-8")


def unready(project: Path) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        Cluster(project).ready("app.yaml")
    return caught.value


def test_who_is_ready_is_found_by_the_labels_and_can_be_asked(said: Path, project: Path) -> None:
    pods(said, {"conditions": [{"type": "Ready", "status": "True"}]})
    space = Cluster(project)
    (pod,) = space.ready("app.yaml")
    assert (pod.name, pod.uid, pod.image, pod.ready) == ("app-0", "1", "busybox:1", True)
    assert " pods --selector it=app --output json" in told(said)
    assert space.logs(pod) == "Last words.\n"
    space.run(pod, "id", "-u")
    space.delete_pod(pod)
    assert told(said).splitlines()[-2:] == [
        f"--namespace {space.namespace} exec app-0 --container app -- id -u",
        f"--namespace {space.namespace} delete pod app-0",
    ]


def test_who_does_not_start_is_told_with_the_reason(
    said: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_QUIET", 0.0)
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "it" not found'}
    pods(said, {"containerStatuses": [{"state": {"waiting": waiting}}]})
    error = unready(project)
    assert error.seen == (
        'a pod of app.yaml does not start (CreateContainerConfigError):\nsecret "it" not found'
    )
    waiting["reason"] = "CrashLoopBackOff"
    pods(said, {"initContainerStatuses": [{"state": {"waiting": waiting}}]})
    assert unready(project).seen.endswith("(CrashLoopBackOff):\nLast words.")


def test_who_is_not_even_made_is_told_soon(
    said: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_QUIET", 0.0)
    pods(said, {}, deletionTimestamp="now")
    complaint = {"kind": "Event", "message": "create Pod app-0 failed: no volume x", "count": 2}
    (said / "events").write_text(objects(complaint), "utf-8")
    assert unready(project).seen == (
        "a pod of app.yaml does not start (FailedCreate):\ncreate Pod app-0 failed: no volume x"
    )
    assert " events --field-selector type=Warning,reason=FailedCreate " in told(said)


@pytest.mark.parametrize(("counts", "told_of"), [((1,), 0), ((None,), 0), ((2,), 1), ((1, 1), 1)])
def test_who_is_not_made_at_once_may_be_made_later(
    counts: tuple[int | None, ...], told_of: int, said: Path, project: Path
) -> None:
    every = [{"kind": "Event", "message": "no account yet", "count": each} for each in counts]
    (said / "events").write_text(objects(*every), "utf-8")
    assert len(list(Cluster(project).troubles(()))) == told_of


def test_who_has_no_probe_and_ends_at_once_never_was_ready(
    said: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_QUIET", 0.6)
    ended = {"waiting": {"reason": "CrashLoopBackOff"}}
    pods(said, {"containerStatuses": [{"state": ended}]})
    (said / "pods").rename(said / "later")
    pods(said, {"conditions": [{"type": "Ready", "status": "True"}]})
    lucky = json.loads((said / "pods").read_text("utf-8"))
    del lucky["spec"]["containers"][0]["readinessProbe"]
    (said / "pods").write_text(json.dumps(lucky), "utf-8")
    assert unready(project).seen.endswith("(CrashLoopBackOff):\nLast words.")


def test_who_goes_is_not_waited_for_and_a_complaint_is_told_once(
    said: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "START", 0.0)
    pods(said, {}, deletionTimestamp="now")
    complaint = {"kind": "Event", "message": "no volume", "reason": "FailedScheduling"}
    (said / "events").write_text(objects(complaint, complaint), "utf-8")
    assert unready(project).seen == "after 0 seconds, 0 of 1 pods of app.yaml are ready:\nno volume"


def test_an_image_on_its_way_is_waited_for(
    said: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "START", 0.0)
    monkeypatch.setattr(cluster, "FETCH", 0.6)
    pods(said, {})
    on = {"kind": "Event", "reason": "Pulling", "involvedObject": {"name": "app-0"}, "message": "x"}
    (said / "events").write_text(objects(on), "utf-8")
    unready(project)
    assert told(said).count(" pods ") > 1


# --- A real one ------------------------------------------------------------------------------


APP = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: app}
spec:
  serviceName: app
  selector: {matchLabels: {it: app}}
  template:
    metadata: {labels: {it: app}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - {name: app, image: "IMAGE", command: [sh, -c, "COMMAND"]}
"""


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Cluster]:
    if missing := needs.missing(["cluster"]):
        pytest.skip(missing)
    (tmp_path / "demo").mkdir()
    space = Cluster(tmp_path / "demo")
    yield space
    space.close()


def write(tmp_path: Path, image: str = "busybox:1", command: str = "sleep 600") -> None:
    text = APP.replace("IMAGE", image).replace("COMMAND", command)
    (tmp_path / "demo" / "app.yaml").write_text(text, "utf-8")


@pytest.mark.cluster
def test_a_pod_is_run_and_replaced_and_another_one_visits(real: Cluster, tmp_path: Path) -> None:
    write(tmp_path)
    (pod,) = real.ready("app.yaml")
    assert (pod.name, pod.image, pod.ready) == ("app-0", "busybox:1", True)
    assert real.run(pod, "echo", "hello").out == "hello\n"
    assert real.run(pod, "sh", "-c", "exit 7").code == 7
    real.secret("it", {"word": "one"})
    real.secret("it", {"word": "two"})
    (found,) = kubectl.objects("--namespace", real.namespace, "secret", "it")
    assert found["data"] == {"word": "dHdv"}
    assert real.run(real.visitor("busybox:1"), "id", "-u").out == "10001\n"
    nobody = {"kind": "Service", "metadata": {"name": "app"}}
    (none, workload), every = real.look([nobody, *real.starts("app.yaml")])
    assert (none, workload and workload["status"]["readyReplicas"]) == (None, 1)
    assert [(each.name, each.has({"it": "app"})) for each in every] == [
        ("app-0", True), (underload.VISITOR, False),
    ]  # fmt: skip
    real.delete_pod(pod)
    (after,) = real.ready("app.yaml")
    assert (after.name, after.uid != pod.uid) == ("app-0", True)
    name = real.namespace
    real.close()
    (gone,) = kubectl.objects("namespaces", "--field-selector", f"metadata.name={name}") or [{}]
    assert not gone or gone["status"]["phase"] == "Terminating"


def say_more(folder: Path, more: str) -> None:
    """The container of the file gets one line more."""
    file = folder / "demo" / "app.yaml"
    file.write_text(f"{file.read_text('utf-8').rstrip().removesuffix('}')}, {more}}}\n", "utf-8")


@pytest.mark.cluster
def test_who_ends_again_and_again_is_told_with_its_last_words(
    real: Cluster, tmp_path: Path
) -> None:
    write(tmp_path, command="echo I am broken; exit 3")
    with pytest.raises(CheckFailed) as caught:
        real.ready("app.yaml")
    assert caught.value.seen == (
        "a pod of app.yaml does not start (CrashLoopBackOff):\nI am broken"
    )
    with pytest.raises(CheckFailed) as again:  # at once: nobody waits for it twice
        real.ready("app.yaml")
    assert again.value is caught.value


@pytest.mark.cluster
def test_who_can_not_be_made_is_told_at_once(real: Cluster, tmp_path: Path) -> None:
    write(tmp_path, command="sleep 600")
    say_more(tmp_path, "volumeMounts: [{name: nosuch, mountPath: /data}]")
    with pytest.raises(CheckFailed) as caught:
        real.ready("app.yaml")
    assert "(FailedCreate):" in caught.value.seen
    assert 'Not found: "nosuch"' in " ".join(caught.value.seen.split())


@pytest.mark.cluster
def test_who_is_never_ready_is_told(
    real: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "START", 15)
    write(tmp_path, command="echo I take my time; sleep 600")
    say_more(tmp_path, "readinessProbe: {exec: {command: ['false']}}")
    with pytest.raises(CheckFailed) as caught:
        real.ready("app.yaml")
    assert caught.value.seen.startswith("after 15 seconds, 0 of 1 pods of app.yaml are ready:")
    assert "I take my time" in caught.value.seen


@pytest.mark.cluster
def test_a_slip_is_told_with_the_line_of_the_file(real: Cluster, tmp_path: Path) -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: app}\n---\n"
    broken = APP.replace("  serviceName: app\n", "   serviceName: app\n")
    (tmp_path / "demo" / "app.yaml").write_text(f"# Two.\n{service}{broken}", "utf-8")
    with pytest.raises(CheckFailed) as caught:
        real.read("app.yaml")
    assert caught.value.seen.startswith("kubectl can't read app.yaml, about line 10:\n")


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        ("metadata: {name: app}\n", "", "name"),
        ("  serviceName: app\n", "  serviceNamex: app\n", 'unknown field "serviceNamex"'),
    ],
)
def test_what_the_cluster_would_not_take_is_told_before_anybody_reads_it(
    old: str, new: str, seen: str, real: Cluster, tmp_path: Path
) -> None:
    assert APP.count(old) == 1
    (tmp_path / "demo" / "app.yaml").write_text(APP.replace(old, new), "utf-8")
    with pytest.raises(CheckFailed) as caught:
        real.read("app.yaml")
    assert caught.value.seen.startswith("`kubectl apply --filename app.yaml` failed:\n")
    assert seen in caught.value.seen
    assert real.pods({}) == ()
