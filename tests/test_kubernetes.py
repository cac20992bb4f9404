"""Production in a cluster. What needs none is shown with one that only pretends (`pretended.py`).

What a real one must prove is at the end.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from clustering import (
    APP,
    CLUSTER,
    DATABASE,
    MIGRATE,
    PLATFORM,
    SERVICE,
    Pretended,
    image,
    workload,
)
from conftest import COURSES, begin_anew, commit

from workshop import containers, course, git, history, kubectl, production, workloads
from workshop.checks import needs
from workshop.errors import WorkshopError
from workshop.production import kubernetes, log, metrics, objects, release, waiting
from workshop.production import place as places
from workshop.production.namespace import Namespace

# --- What goes into it -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("demo", "demo-production"),
        ("My Shop_2", "my-shop-2-production"),
        ("Ünïcode", "n-code-production"),
        ("--", "project-production"),
        ("kube-system", "project-kube-system-production"),
        ("x" * 80, "x" * 52 + "-production"),
        ("x" * 51 + "-y", "x" * 51 + "-production"),
    ],
)
def test_a_namespace_has_the_projects_name(folder: str, name: str) -> None:
    assert objects.name(folder, "production") == name
    assert len(name) <= 63


def configured(**variables: str) -> tuple[dict[str, Any], ...]:
    return objects.configuration(CLUSTER, variables, {"web/nginx.conf": "serve;"})


def test_what_is_secret_is_in_no_configuration() -> None:
    settings, web = configured(KEY="hidden", password="hidden", SHOWN="yes")
    assert (settings["metadata"]["name"], settings["data"]) == ("settings", {"SHOWN": "yes"})
    assert (web["metadata"]["name"], web["data"]) == ("web", {"nginx.conf": "serve;"})


def test_each_container_of_the_project_gets_the_image_and_no_other_one() -> None:
    pod = {"initContainers": [{"image": "demo:1"}, {"image": "demo:10"}],
           "containers": [{"image": "demo:1"}, {"image": "nginx:1"}]}  # fmt: skip
    one = {"kind": "Deployment", "metadata": {"name": "app"}, "spec": {"template": {"spec": pod}}}
    (made,) = objects.fitted([one], CLUSTER, "new:2", "c0ffee", configured())
    spec = made["spec"]["template"]["spec"]
    assert [each["image"] for each in spec["initContainers"]] == ["new:2", "demo:10"]
    assert [each["image"] for each in spec["containers"]] == ["new:2", "nginx:1"]
    assert objects.of_release(made) == "c0ffee"
    assert pod["containers"][0]["image"] == "demo:1"  # what was read stays as it was


def test_pods_change_with_the_configuration_that_they_read_and_only_then() -> None:
    def notes(*, of: dict[str, Any], **variables: str) -> dict[str, str]:
        (made,) = objects.fitted([of], CLUSTER, "new:2", "c0ffee", configured(**variables))
        return dict(made["spec"]["template"]["metadata"].get("annotations", {}))

    assert notes(of=APP, A="1") == notes(of=APP, A="1")
    assert notes(of=APP, A="1") != notes(of=APP, A="2")
    assert notes(of=DATABASE, A="1") == {}  # it reads none, and runs on
    volume = workload("Deployment", "other", "nginx:1")
    volume["spec"]["template"]["spec"]["volumes"] = [{"name": "x", "configMap": {"name": "web"}}]
    assert notes(of=volume, A="1") == notes(of=volume, A="2") != {}


# --- A deploy --------------------------------------------------------------------------------


def test_a_commit_goes_live_and_each_stage_is_told(pretended: Pretended) -> None:
    made = pretended.commit()
    said: list[str] = []
    live = pretended.deploy(said)
    assert said == [
        f"release: {made[:10]} One",
        "image: is being built; the first time takes a while",
        "image: built, in the cluster's own engine",
        "namespace: project-production made",
        "secrets: made: database, app",
        "database: 1 of 1 ready",
        "migrate: done",
        "app: 3 of 3 ready",
    ]
    assert live.commit == made == pretended.place.live
    assert live.look == ("kubectl --namespace project-production port-forward service/app 8080:81")
    assert [pretended.runs(each) for each in ("Deployment app", "Job migrate")] == [image(made)] * 2
    assert pretended.runs("StatefulSet database") == "postgres:18"
    assert pretended.has("ConfigMap settings")["data"] == {"HOSTS": "app,localhost"}
    assert pretended.has("ConfigMap web")["data"] == {"nginx.conf": "serve;\n"}
    assert pretended.log() == [("deploy", made, "live")]
    (kept,) = production.releases(pretended.project, "production", "kubernetes")
    assert (kept.commit, kept.subject, kept.live) == (made, "One", True)
    assert production.measure(pretended.project, "production", "kubernetes").deploys == 1
    assert kubernetes.status(pretended.project) == (
        kubernetes.Pods("production", "project-production", made, 3, 3),
    )
    # the other target has none of it
    assert production.releases(pretended.project, "production") == ()
    assert production.status(pretended.project) == ()


def test_an_image_is_built_once_of_what_is_committed(pretended: Pretended) -> None:
    made = pretended.commit()
    (pretended.project / ".gitignore").write_text("junk\n", "utf-8")
    commit(pretended.project, {}, "Ignore")
    (pretended.project / "junk").write_text("", "utf-8")
    later = pretended.deploy().commit
    assert later != made
    built = json.loads((pretended.said / "images").read_text("utf-8"))[image(later)]
    assert "junk" not in built
    assert built["word.txt"] == "0o644"  # and not as read-only as the release that is kept
    again: list[str] = []
    pretended.deploy(again)
    assert len(pretended.told("docker build")) == 1
    assert "image: kept, in the cluster's own engine" in again
    assert list(pretended.place.releases.glob(".*")) == []


def test_an_image_that_is_not_built_is_told_and_nothing_is_applied(pretended: Pretended) -> None:
    made = pretended.commit()
    pretended.say("build", 1)
    error = pretended.refused()
    assert error.fact == "the image was not built:\n    Last words of the build."
    assert pretended.told("apply") == pretended.told("create --filename") == []
    assert pretended.log() == [("deploy", made, "failed")]
    assert list(pretended.place.releases.glob(".*")) == []


def test_what_is_not_committed_goes_nowhere(pretended: Pretended) -> None:
    pretended.commit()
    (pretended.project / "word.txt").write_text("Two", "utf-8")
    assert pretended.refused().fact.startswith("there are uncommitted changes")
    assert pretended.told("docker") == []


def test_a_commit_without_manifests_is_told_what_it_lacks(pretended: Pretended) -> None:
    made = commit(pretended.project, {"Dockerfile": "FROM busybox:1\n"})
    error = pretended.refused()
    assert error.fact == f"the commit {made[:10]} has no database.json, and a cluster needs it"
    assert error.remedy.endswith("Until then, this machine is enough: workshop deploy")
    assert pretended.told("docker") == []


def test_a_course_without_a_cluster_is_told(pretended: Pretended) -> None:
    pretended.commit()
    bare = course.platform(COURSES / "good")
    with pytest.raises(WorkshopError, match="does not say how a cluster runs"):
        kubernetes.deploy(pretended.project, "production", bare)


@pytest.mark.parametrize(
    ("one", "fact"),
    [
        ({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "it"}},
         "app.json: the Node it belongs to the whole cluster"),
        (SERVICE | {"metadata": {"name": "it", "namespace": "other"}},
         "app.json: it names the namespace other"),
        (workload("Deployment", "app", "shop:1"), "no manifest runs the project: none has"
         " `image: demo:1`"),
    ],
)  # fmt: skip
def test_what_must_not_be_applied_is_refused_before(
    one: dict[str, Any], fact: str, pretended: Pretended
) -> None:
    pretended.commit(**{"app.json": one})
    assert pretended.refused().fact == fact
    assert pretended.told("apply") == pretended.told("create --filename") == []


def test_a_namespace_of_somebody_else_is_refused(pretended: Pretended) -> None:
    pretended.commit()
    theirs = {"kind": "Namespace", "metadata": {"name": "project-production"}}
    pretended.say("state", {"Namespace project-production": theirs})
    error = pretended.refused()
    assert error.fact == (
        "the namespace project-production is there already, and it is not this project's"
    )
    taken_over = error.remedy.rpartition("workshop/project=")[2]
    assert pretended.told(" apply ") == []
    assert pretended.has("Secret app") == {}
    theirs["metadata"]["labels"] = {"workshop/project": taken_over}  # type: ignore[index]
    pretended.say("state", {"Namespace project-production": theirs})
    pretended.deploy()


def test_a_secret_is_made_once_and_said_to_nobody(pretended: Pretended) -> None:
    pretended.commit()
    said: list[str] = []
    pretended.deploy(said)
    before = pretended.has("Secret database")
    password = base64.b64decode(before["data"]["password"]).decode()
    assert len(password) == 64
    assert password.isalnum()
    pretended.commit("Two")
    pretended.deploy(said)
    assert pretended.has("Secret database") == before
    assert pretended.told(" replace ") == []
    assert password not in "".join(said + pretended.told())
    # a key that a later course wants is added, and the others stay
    more = CLUSTER._replace(secrets={"database": ("password", "other")})
    kubernetes.deploy(pretended.project, "production", PLATFORM._replace(cluster=more))
    after = pretended.has("Secret database")["data"]
    assert (after["password"], set(after)) == (before["data"]["password"], {"password", "other"})


def test_configuration_comes_from_the_course_the_commit_and_a_person(pretended: Pretended) -> None:
    pretended.commit(**{"deployment/envs/production": "HOSTS=example.org\nSALE=False\n"})
    by_hand = places.of(pretended.project, "production")
    places.prepare(by_hand)
    places.configure(by_hand, {"SALE": "True", "KEY": "mine"})
    pretended.deploy()
    assert pretended.has("ConfigMap settings")["data"] == {"HOSTS": "example.org", "SALE": "True"}


def test_what_a_release_no_longer_has_is_removed(pretended: Pretended) -> None:
    extra = SERVICE | {"metadata": {"name": "old"}}
    pretended.commit(**{"app.json": [SERVICE, extra, APP]})
    pretended.deploy()
    pretended.commit("Two")
    said: list[str] = []
    pretended.deploy(said)
    assert said[-1] == "removed: Service old, which this release does not have"
    assert pretended.has("Service old") == {}
    assert pretended.has("Service app") != {}


def test_a_job_is_made_anew_at_each_deploy(pretended: Pretended) -> None:
    pretended.commit()
    pretended.deploy()
    pretended.commit("Two")
    pretended.forget()
    pretended.deploy()
    told = [each.split("project-production ")[-1] for each in pretended.told()]
    gone = told.index("delete job migrate --ignore-not-found --cascade=foreground")
    assert "apply --filename -" in told[gone:]


# --- When it fails ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "fact"),
    [
        ("Failed", "Job migrate failed: too often\n    Last words."),
        ("CrashLoopBackOff", "the pod app-0 does not start (CrashLoopBackOff):\n"
         "    Last words."),
        ("ErrImagePull", "the pod app-0 does not start (ErrImagePull):\n    It says why."),
    ],
)  # fmt: skip
def test_a_bad_release_is_undone(how: str, fact: str, pretended: Pretended) -> None:
    good = pretended.commit(**{"deployment/envs/production": "A=1\n"})
    pretended.deploy()
    new = SERVICE | {"metadata": {"name": "new"}}
    bad = pretended.commit("Two", **{"app.json": [SERVICE, new, MIGRATE, APP],
                                     "deployment/envs/production": "A=2\n"})  # fmt: skip
    pretended.say("broken", {bad: how})
    error = pretended.refused()
    assert error.fact == fact
    assert error.remedy.startswith(f"The release {good[:10]} keeps serving.")
    assert pretended.runs("Deployment app") == image(good)
    assert pretended.has("ConfigMap settings")["data"]["A"] == "1"
    assert pretended.has("Job migrate") == {}  # it does not try again
    assert pretended.has("Service new") == {}
    assert pretended.place.live == good
    assert pretended.log() == [("deploy", good, "live"), ("deploy", bad, "failed")]
    assert log.entries(pretended.place)[-1].reason == " ".join(fact.split())
    assert metrics.of(log.entries(pretended.place)).deploys == 1


def test_the_same_commit_with_a_bad_configuration_is_undone_to_the_good_one(
    pretended: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = pretended.commit()
    pretended.deploy()
    by_hand = places.of(pretended.project, "production")
    places.prepare(by_hand)
    places.configure(by_hand, {"HOSTS": "bad"})
    waited = waiting.wait

    def late(self: Namespace, described: Any, *more: Any, **options: Any) -> None:
        if not options:  # what is undone is waited for, too, and with another patience
            raise WorkshopError("not ready", "Wait.")
        waited(self, described, *more, **options)

    monkeypatch.setattr(waiting, "wait", late)
    assert pretended.refused().fact == "not ready"
    assert pretended.has("ConfigMap settings")["data"] == {"HOSTS": "app,localhost"}
    assert pretended.place.live == good


def test_a_first_release_that_fails_leaves_nothing_running_but_the_database(
    pretended: Pretended,
) -> None:
    bad = pretended.commit()
    pretended.say("broken", {bad: "Failed"})
    assert pretended.refused().remedy.startswith("Nothing is live.")
    assert pretended.has("Deployment app")["spec"]["replicas"] == 0
    assert pretended.has("StatefulSet database")["spec"]["replicas"] == 1
    assert pretended.has("Job migrate") == {}
    assert kubernetes.status(pretended.project) == ()


def test_who_is_never_ready_is_told_after_a_while(
    pretended: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = pretended.commit()
    pretended.say("broken", {bad: "ContainerCreating"})
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    assert pretended.refused().fact.startswith("after 0 seconds, ")


def test_what_the_cluster_refuses_is_told_in_its_words(pretended: Pretended) -> None:
    pretended.commit()
    pretended.say("refused", True)
    assert pretended.refused().fact == (
        "the cluster does not take what the release describes:\n    The cluster says no."
    )


def test_an_interrupted_one_is_undone_and_noted(
    pretended: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = pretended.commit()
    pretended.deploy()
    bad = pretended.commit("Two")
    waited = waiting.wait

    def interrupted(self: Namespace, described: Any, *more: Any, **options: Any) -> None:
        if any(objects.of_release(each) == bad for each in described):
            raise KeyboardInterrupt
        waited(self, described, *more, **options)

    monkeypatch.setattr(waiting, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pretended.deploy()
    assert pretended.runs("Deployment app") == image(good)
    assert pretended.log()[-1] == ("deploy", bad, "interrupted")


def test_what_a_killed_one_left_is_repaired_by_the_next(pretended: Pretended) -> None:
    first = pretended.commit()
    pretended.deploy()
    killed = pretended.commit("Two")
    log.begin(pretended.place, "deploy", killed, "")
    left = pretended.place.releases / f".{killed}.1.build.part"
    left.mkdir()
    third = pretended.commit("Three")
    said: list[str] = []
    pretended.deploy(said)
    assert said[0] == f"repaired: the deploy of {killed[:10]} was interrupted"
    assert not left.exists()
    assert pretended.log() == [
        ("deploy", first, "live"), ("deploy", killed, "interrupted"), ("deploy", third, "live"),
    ]  # fmt: skip


WORKER = workload("Deployment", "worker", "demo:1", replicas=2)
OTHER = workload("Job", "other", "demo:1")
MORE = {"app.json": [SERVICE, MIGRATE, OTHER, APP, WORKER]}


def test_what_a_killed_one_has_added_goes_with_the_next_that_succeeds(pretended: Pretended) -> None:
    pretended.commit()
    pretended.deploy()
    pretended.commit("Two", **MORE)
    pretended.killed()
    assert pretended.has("Deployment worker") != {}
    pretended.commit("Three")
    said: list[str] = []
    pretended.deploy(said)
    assert "removed: Deployment worker, which this release does not have" in said
    assert [pretended.has(each) for each in ("Deployment worker", "Job other")] == [{}, {}]
    said.clear()
    pretended.deploy(said)
    assert [each for each in said if each.startswith("removed")] == []  # that is done


def test_what_a_killed_one_has_added_is_undone_with_the_next_that_fails(
    pretended: Pretended,
) -> None:
    good = pretended.commit()
    pretended.deploy()
    pretended.commit("Two", **MORE)
    pretended.killed()
    bad = pretended.commit("Three")
    pretended.say("broken", {bad: "Failed"})
    assert pretended.refused().remedy.startswith(f"The release {good[:10]} keeps serving.")
    assert [pretended.has(each) for each in ("Deployment worker", "Job other")] == [{}, {}]
    pretended.forget()
    pretended.refused()
    assert pretended.told("delete Deployment worker") == []  # that is done


def test_what_a_killed_first_one_left_does_not_run_when_nothing_is_live(
    pretended: Pretended,
) -> None:
    pretended.commit(**MORE)
    pretended.killed()
    assert pretended.has("Deployment worker")["spec"]["replicas"] == 2
    bad = pretended.commit("Two")
    pretended.say("broken", {bad: "Failed"})
    assert pretended.refused().remedy.startswith("Nothing is live.")
    assert [pretended.has(f"Deployment {each}")["spec"]["replicas"]
            for each in ("app", "worker")] == [0, 0]  # fmt: skip
    pretended.commit("Three")
    pretended.deploy()
    assert pretended.has("Deployment worker") == {}


def test_a_job_that_cleans_up_after_itself_is_done_when_it_is_gone(pretended: Pretended) -> None:
    tidy = workload("Job", "tidy", "demo:1", ttlSecondsAfterFinished=0)
    waiting.wait(Namespace("project-production", ""), [tidy], patience=0)
    with pytest.raises(WorkshopError, match="after 0 seconds, Job migrate is not ready"):
        waiting.wait(Namespace("project-production", ""), [MIGRATE], patience=0)


# --- Back, and down --------------------------------------------------------------------------


def test_a_rollback_brings_the_one_before_back_and_runs_no_job(pretended: Pretended) -> None:
    first = pretended.commit(**{"web/nginx.conf": "first"})
    pretended.deploy()
    second = pretended.commit("Two")
    pretended.deploy()
    pretended.forget()
    back = kubernetes.rollback(pretended.project, "production", PLATFORM)
    assert back.commit == first == pretended.place.live
    assert pretended.runs("Deployment app") == image(first)
    assert pretended.runs("Job migrate") == image(second)  # the data stays as it is
    assert pretended.has("ConfigMap web")["data"] == {"nginx.conf": "first"}
    assert pretended.told("docker build") == []
    assert pretended.log()[-1] == ("rollback", first, "live")
    with pytest.raises(WorkshopError, match="no release to roll back to"):
        kubernetes.rollback(pretended.project, "production", PLATFORM)
    named = kubernetes.rollback(pretended.project, "production", PLATFORM, to=second[:8])
    assert named.commit == second


def test_a_rollback_needs_no_commit_that_the_repository_has_lost(pretended: Pretended) -> None:
    first = pretended.commit()
    pretended.deploy()
    pretended.commit("Two")
    pretended.deploy()
    begin_anew(pretended.project)
    assert kubernetes.rollback(pretended.project, "production", PLATFORM).commit == first


@pytest.mark.parametrize("point", ["end", "prune"])
def test_a_rollback_that_is_ended_after_the_switch_was_one(
    pretended: Pretended, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    first = pretended.commit()
    pretended.deploy()
    second = pretended.commit("Two")
    pretended.deploy()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(log if point == "end" else release, point, killed)
        kubernetes.rollback(pretended.project, "production", PLATFORM)
    with pytest.raises(WorkshopError, match="no release to roll back to"):
        kubernetes.rollback(pretended.project, "production", PLATFORM)
    assert pretended.log()[1:] == [("deploy", second, "live"), ("rollback", first, "live")]


def test_down_ends_the_pods_and_keeps_the_rest(pretended: Pretended) -> None:
    unsaid = workload("Deployment", "app", "demo:1")  # it does not say how many
    made = pretended.commit(**{"app.json": [SERVICE, MIGRATE, unsaid]})
    pretended.deploy()
    before = pretended.has("Secret database")
    assert kubernetes.down(pretended.project) == ("project-production",)
    assert [pretended.has(each)["spec"]["replicas"]
            for each in ("Deployment app", "StatefulSet database")] == [0, 0]  # fmt: skip
    assert kubernetes.status(pretended.project)[0].wanted == 0
    assert kubernetes.down(pretended.project) == ()
    assert pretended.told("delete namespace") == []
    pretended.deploy()
    (now,) = kubernetes.status(pretended.project)
    assert (now.commit, now.ready, now.wanted) == (made, 1, 1)
    assert pretended.has("Secret database") == before


def test_when_somebody_removed_the_namespace_nothing_is_live(pretended: Pretended) -> None:
    pretended.commit()
    pretended.deploy()
    (pretended.said / "state").unlink()
    bad = pretended.commit("Two")
    pretended.say("broken", {bad: "Failed"})
    assert pretended.refused().remedy.startswith("Nothing is live.")


def test_a_rollback_into_nothing_is_refused(pretended: Pretended) -> None:
    pretended.commit()
    pretended.deploy()
    pretended.commit("Two")
    pretended.deploy()
    (pretended.said / "state").unlink()
    with pytest.raises(WorkshopError, match="project-production is gone, and its data with it"):
        kubernetes.rollback(pretended.project, "production", PLATFORM)
    assert pretended.told("create --filename")[3:] == []


# --- What it needs ---------------------------------------------------------------------------


def test_without_kubectl(pretended: Pretended, monkeypatch: pytest.MonkeyPatch) -> None:
    pretended.commit()
    monkeypatch.setenv("PATH", "/nowhere")
    assert pretended.refused().fact == "kubectl is not installed"


def test_without_a_name_no_cluster_is_asked(
    pretended: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretended.commit()
    monkeypatch.delenv("KUBECONFIG")
    assert pretended.refused().fact.startswith("KUBECONFIG names no cluster")
    assert pretended.told() == []


def test_a_cluster_that_does_not_answer(pretended: Pretended) -> None:
    pretended.commit()
    pretended.say("version", 1)
    assert pretended.refused().fact == "the cluster does not answer"


def test_without_an_engine(pretended: Pretended) -> None:
    pretended.commit()
    (pretended.said.parent / "bin" / "docker").write_text("#!/bin/sh\nexit 1\n", "utf-8")
    assert pretended.refused().fact == "no container engine answers, and an image must be built"


def test_a_registry_is_told_the_image_and_the_cluster_its_digest(
    pretended: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKSHOP_REGISTRY", "registry.example.org:5000/team/")
    made = pretended.commit()
    pretended.deploy()
    name = f"registry.example.org:5000/team/workshop/project:{made}"
    assert pretended.told("docker push") == [f"docker push {name}"]
    assert pretended.runs("Deployment app") == f"{name.rpartition(':')[0]}@sha256:0a1b"
    pretended.commit("Two")
    pretended.deploy()
    pretended.forget()
    kubernetes.rollback(pretended.project, "production", PLATFORM)
    assert pretended.told("docker") == []  # a digest is known for good


def test_a_commit_has_one_image_in_all_environments(
    pretended: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when nobody has it here any more: built again, it might be another one."""
    monkeypatch.setenv("WORKSHOP_REGISTRY", "registry.example.org")
    pretended.commit()
    seen = set()
    for name in ("integration", "development", "production"):
        seen.add(kubernetes.deploy(pretended.project, name, PLATFORM).image)
        pretended.say("images", {})  # somebody has cleared up
    assert seen == {"registry.example.org/workshop/project@sha256:0a1b"}
    assert len(pretended.told("docker build")) == 1
    pretended.commit("Two")
    pretended.deploy()
    assert len(pretended.told("docker build")) == 2


@pytest.mark.parametrize(
    ("context", "command"),
    [
        ({"current-context": "kind-two"}, "kind load docker-image IMAGE --name two"),
        ({"current-context": "mine", "by": "minikube.sigs.k8s.io"},
         "minikube --profile mine image load IMAGE"),
    ],
)  # fmt: skip
def test_an_image_is_copied_into_a_cluster_that_has_an_engine_of_its_own(
    context: dict[str, str], command: str, pretended: Pretended
) -> None:
    made = pretended.commit()
    pretended.say("context", context)
    pretended.deploy()
    assert command.replace("IMAGE", image(made)) in pretended.told()


def test_a_cluster_that_gets_no_image_of_ours_is_told(pretended: Pretended) -> None:
    pretended.commit()
    pretended.say("runtime", "containerd://1.7")
    error = pretended.refused()
    assert error.fact == "images that are built here can't reach this cluster"
    assert "WORKSHOP_REGISTRY" in error.remedy


# --- The command line ------------------------------------------------------------------------


def workshop(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workshop", *words], cwd=project,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_cluster_takes_no_port(project: Path) -> None:
    done = workshop(project, "deploy", "--target", "kubernetes", "--port", "8000")
    assert (done.returncode, done.stderr) == (
        2,
        "error: a cluster takes no port of this machine\n"
        "       Leave out --port. The last line says how to look.\n",
    )


def test_the_command_line_speaks_of_the_cluster(pretended: Pretended) -> None:
    pretended.commit()
    made = pretended.deploy().commit
    target = ("--target", "kubernetes")
    assert workshop(pretended.project, "production", "status", *target).stdout == (
        f"Production:  {made[:10]} 3 of 3 pods ready, namespace project-production\n"
    )
    assert workshop(pretended.project, "releases", *target).stdout.startswith(f"live  {made[:10]}")
    assert workshop(pretended.project, "releases").stdout.startswith("No releases yet.")
    assert workshop(pretended.project, "production", "down", *target).stdout == (
        "Ended: project-production. The data stays, and so does all else.\n"
        "To remove it for good, with its data:\n"
        "  kubectl delete namespace project-production\n"
    )
    down = workshop(pretended.project, "production", "status", *target).stdout
    assert "down; `deploy --target kubernetes` brings it up" in down


def test_who_stays_on_this_machine_does_not_wait_for_the_cluster(project: Path) -> None:
    code = (
        "import sys; from workshop import cli; cli.main(sys.argv[1:])\n"
        "print([each for each in sys.modules if 'kube' in each or each in"
        " ('workshop.containers', 'workshop.manifests')])"
    )
    for words in (["deploy"], ["releases"], ["metrics"], ["production", "status"]):
        out = subprocess.check_output(
            [sys.executable, "-c", code, *words], cwd=project, text=True, stderr=subprocess.DEVNULL
        )
        assert out.splitlines()[-1] == "[]"


# --- The course ------------------------------------------------------------------------------


def test_the_course_says_how_a_cluster_runs_its_project() -> None:
    known = course.platform(COURSES.parent.parent).cluster
    assert known is not None
    stage = history.stages(course.load(COURSES.parent.parent))[-1]
    for name in (known.dockerfile, *known.manifests, *known.files.values()):
        assert name in stage.files
    text = b"".join(stage.files[name].data for name in known.manifests).decode()
    assert f"image: {known.image}\n" in text
    for name in (known.config, *known.files, *known.secrets):
        assert f"name: {name}\n" in text


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('secrets = {app = "KEY"}', "`production.cluster.secrets.app` must be a list of texts,"
         " and is 'KEY'"),
        ('files = {web = "../nginx.conf"}', "`files` leads out of the project: '../nginx.conf'"),
        ("colour = 1", "unknown key `production.cluster.colour`"),
    ],
)  # fmt: skip
def test_a_course_that_says_it_wrong_is_told(table: str, said: str, course_folder: Path) -> None:
    toml = course_folder / "steps" / "course.toml"
    toml.write_text(
        toml.read_text("utf-8") + '[production.cluster]\ndockerfile = "Dockerfile"\n'
        f'image = "demo:1"\nmanifests = []\nservice = "app"\nconfig = "app"\n{table}\n', "utf-8"
    )  # fmt: skip
    with pytest.raises(WorkshopError) as caught:
        course.platform(course_folder)
    assert caught.value.fact == said


# --- A real one ------------------------------------------------------------------------------

SERVES = {
    "Dockerfile": """\
FROM busybox:1
COPY word.txt /www/index.html
USER 10001:10001
CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
""",
    "database.json": json.dumps({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "app"},
        "spec": {"selector": {"it": "app"}, "ports": [{"port": 81, "targetPort": 8080}]}}),
    "app.json": """\
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - {name: it, image: "demo:1", command: [sh, -c, "MIGRATE"]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replicas: 3
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  selector: {matchLabels: {it: app}}
  template:
    metadata: {labels: {it: app}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: it
          image: demo:1
          envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: app}}]
          readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1, timeoutSeconds: 9}
""",
    "web/nginx.conf": "",
}  # fmt: skip


AUTOSCALER = """\
---
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: app}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: app}
  minReplicas: 2
  maxReplicas: 5
"""


class Real(NamedTuple):
    """A project, and its namespace in a real cluster."""

    project: Path

    @property
    def space(self) -> Namespace:
        place = places.of(self.project, "production", "kubernetes")
        return kubernetes._space(place)

    def commit(self, word: str, migrate: str = "true", *, scales: bool = False) -> str:
        app = SERVES["app.json"].replace("MIGRATE", migrate)
        if scales:
            app = app.replace("  replicas: 3\n", "") + AUTOSCALER
        return commit(self.project, SERVES | {"app.json": app, "word.txt": word}, word)

    def pods(self) -> list[tuple[str, bool]]:
        """The image of each pod of the application that was not told to go, and whether it is
        ready."""
        found = kubectl.objects("pods", "--namespace", self.space.name)
        return [
            (one.image, one.ready)
            for each, one in zip(found, map(workloads.pod, found), strict=True)
            if "deletionTimestamp" not in each["metadata"]
            and each["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"
        ]

    def answers(self, wanted: str) -> str:
        """What a visitor gets, by the name of the service. For some seconds after a rollout, a
        cluster may still lead to a pod that has to go."""
        words = ("exec", "deployment/app", "--", "wget", "-q", "-O", "-", "http://app:81/")
        give_up = time.monotonic() + 20
        while True:
            said = kubectl.run("--namespace", self.space.name, *words, timeout=30).out
            if said == wanted or time.monotonic() > give_up:
                return said
            time.sleep(0.5)


@pytest.fixture
def real(tmp_path: Path, project: Path) -> Iterator[Real]:
    """A project with a namespace that no other test has, and that goes with it."""
    if missing := needs.missing(["cluster", "containers"]):
        pytest.skip(missing)
    # A cluster takes its time to remove a namespace: the next test must have another one.
    folder = project.rename(tmp_path / f"demo-{os.getpid()}-{secrets.token_hex(2)}")
    yield Real(folder)
    if places.every(folder, "kubernetes"):
        kubectl.run("delete", "namespace", Real(folder).space.name, "--wait=false", timeout=60)
    listed = containers._engine("images", "--format", "{{.Repository}}:{{.Tag}}").out.split()
    for name in listed:
        if f"/workshop/{folder.name}:" in name:
            containers._engine("image", "rm", "--force", name)


@pytest.mark.cluster
def test_releases_follow_each_other_and_a_bad_one_is_undone(
    real: Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "LAB_REGISTRY" in os.environ:
        monkeypatch.setenv("WORKSHOP_REGISTRY", os.environ["LAB_REGISTRY"])
    first = real.commit("first")
    live = kubernetes.deploy(real.project, "production", PLATFORM)
    ((one, ready),) = set(real.pods())
    assert (len(real.pods()), ready, live.commit) == (3, True, first)
    assert ("@sha256:" in one) == ("LAB_REGISTRY" in os.environ)
    assert real.answers("first") == "first"
    before = real.space.look().pods
    kubernetes.deploy(real.project, "production", PLATFORM)  # the same again rolls nothing
    uids = [{each["metadata"]["uid"] for each in found if not _of_a_job(each)}
            for found in (before, real.space.look().pods)]  # fmt: skip
    assert uids[0] == uids[1]

    real.commit("second")
    kubernetes.deploy(real.project, "production", PLATFORM)
    ((two, _),) = set(real.pods())
    assert (two != one, real.answers("second")) == (True, "second")

    bad = real.commit("bad", "echo I am broken; exit 3")
    with pytest.raises(WorkshopError) as caught:
        kubernetes.deploy(real.project, "production", PLATFORM)
    assert caught.value.fact.startswith("Job migrate failed: ")
    assert caught.value.fact.endswith("\n    I am broken")
    assert set(real.pods()) == {(two, True)}
    assert real.answers("second") == "second"
    assert log.entries(places.of(real.project, "production", "kubernetes"))[-1][2] == bad

    kubernetes.rollback(real.project, "production", PLATFORM)
    assert (set(real.pods()), real.answers("first")) == ({(one, True)}, "first")
    assert kubernetes.status(real.project)[0][2:] == (first, 3, 3)
    assert kubernetes.down(real.project) == (real.space.name,)
    assert real.pods() == []


@pytest.mark.cluster
def test_an_autoscaler_decides_and_a_deploy_waits_for_its_least(real: Real) -> None:
    numbers: list[tuple[str, str]] = []
    real.commit("one", scales=True)
    kubernetes.deploy(
        real.project, "production", PLATFORM, report=lambda *told: numbers.append(told)
    )
    assert len(real.pods()) == 2
    assert [how for what, how in numbers if what == "app"][-1] == "2 of 2 ready"

    space = real.space.name
    kubectl.run("--namespace", space, "scale", "deployment", "app", "--replicas", "4")
    real.commit("two", scales=True)
    kubernetes.deploy(real.project, "production", PLATFORM)
    assert len(real.pods()) == 4  # a deploy sends nobody home

    assert kubernetes.down(real.project) == (space,)
    kubernetes.deploy(real.project, "production", PLATFORM)  # who slept wakes up
    assert len(real.pods()) >= 2

    real.commit("three")
    kubernetes.deploy(real.project, "production", PLATFORM)
    assert kubectl.objects("horizontalpodautoscalers", "--namespace", space) == ()
    assert len(real.pods()) == 3


def _of_a_job(pod: dict[str, Any]) -> bool:
    return bool(pod["metadata"]["ownerReferences"][0]["kind"] == "Job")


@pytest.mark.cluster
def test_the_last_stage_goes_live(real: Real) -> None:
    every = course.load(COURSES.parent.parent)
    with history.built(every) as (built, tags):
        git.run("fetch", "--quiet", str(built), tags[-1].name, cwd=real.project)
        git.run("reset", "--hard", "FETCH_HEAD^{commit}", cwd=real.project)
    live = kubernetes.deploy(real.project, "production", every.platform)
    assert live.commit == tags[-1].commit
    name = f"localhost/workshop/{real.project.name}:{live.commit}"
    assert real.pods() == [(name, True)] * 3
