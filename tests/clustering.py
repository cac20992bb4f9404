"""A project, and a cluster that only pretends (see `pretended.py`), for whoever tests a deploy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import commit

from workshop.errors import WorkshopError
from workshop.model import Orchestration, Platform
from workshop.production import kubernetes, log, namespace, waiting
from workshop.production import place as places

CLUSTER = Orchestration(
    dockerfile="Dockerfile",
    image="demo:1",
    manifests=("database.json", "app.json"),
    service="app",
    config="settings",
    variables={"HOSTS": "app,localhost"},
    files={"web": "web/nginx.conf"},
    secrets={"database": ("password",), "app": ("KEY",)},
)
PLATFORM = Platform("", (), (), "", cluster=CLUSTER)
PRETENDED = Path(__file__).with_name("pretended.py")


def workload(kind: str, name: str, image: str, **spec: Any) -> dict[str, Any]:
    """A workload whose pods read the settings, if they run the project's image."""
    container: dict[str, Any] = {"name": "it", "image": image}
    if image == "demo:1":
        container["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    version = "batch/v1" if kind == "Job" else "apps/v1"
    made = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name},
            "spec": {**spec, "template": made}}  # fmt: skip


SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "app"},
           "spec": {"ports": [{"port": 81}]}}  # fmt: skip
DATABASE = workload("StatefulSet", "database", "postgres:18", replicas=1)
MIGRATE = workload("Job", "migrate", "demo:1")
APP = workload("Deployment", "app", "demo:1", replicas=3)


def files(**more: Any) -> dict[str, str]:
    """The files of a project that can go into a cluster."""
    every = {"database.json": DATABASE, "app.json": [SERVICE, MIGRATE, APP]} | more
    texts = {
        name: each if isinstance(each, str) else "\n".join(
            json.dumps(one) for one in (each if isinstance(each, list) else [each])
        )
        for name, each in every.items()
    }  # fmt: skip
    return {"Dockerfile": "FROM busybox:1\n", "web/nginx.conf": "serve;\n"} | texts


class Pretended(NamedTuple):
    """A project, and a cluster that only pretends."""

    project: Path
    said: Path

    @property
    def place(self) -> places.Place:
        return places.of(self.project, "production", "kubernetes")

    def commit(self, word: str = "One", /, **more: Any) -> str:
        return commit(self.project, files(**more) | {"word.txt": word}, word)

    def deploy(self, *reports: list[str], **more: Any) -> kubernetes.Rollout:
        def report(*words: str) -> None:
            for each in reports:
                each.append(": ".join(words))

        return kubernetes.deploy(self.project, "production", PLATFORM, **more, report=report)

    def killed(self, *sealed: str, after: str = "apply apply apply") -> None:
        """Deploy in a process that is killed (SIGKILL) as soon as it has told kubectl all of these.
        The third manifest is the last one."""
        code = (
            "import os, pathlib, signal, sys\n"
            "from clustering import PLATFORM\n"
            "from workshop import kubectl\n"
            "from workshop.production import kubernetes\n"
            "run, left = kubectl.run, sys.argv[2].split()\n"
            "def dies(*words, **more):\n"
            "    done = run(*words, **more)\n"
            "    if left[0] in words and (left.pop(0), not left)[1]:\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n"
            "    return done\n"
            "kubectl.run = dies\n"
            "platform = PLATFORM._replace(sealed=tuple(sys.argv[3:]))\n"
            "kubernetes.deploy(pathlib.Path(sys.argv[1]), 'production', platform)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, self.project, after, *sealed], cwd=PRETENDED.parent,
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == -9, done

    def refused(self, **more: Any) -> WorkshopError:
        with pytest.raises(WorkshopError) as caught:
            self.deploy(**more)
        return caught.value

    def say(self, name: str, value: Any) -> None:
        (self.said / name).write_text(json.dumps(value), "utf-8")

    def told(self, word: str = "") -> list[str]:
        file = self.said / "told"
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        return [each for each in lines if word in each]

    def forget(self) -> None:
        (self.said / "told").unlink()

    def has(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.said / "state").read_text("utf-8")).get(name, {})
        return found

    def runs(self, name: str) -> str:
        """The image of a workload."""
        return str(self.has(name)["spec"]["template"]["spec"]["containers"][0]["image"])

    def log(self) -> list[tuple[str, str, str]]:
        return [(each.kind, each.commit, each.outcome) for each in log.entries(self.place)]


def image(made: str) -> str:
    return f"localhost/workshop/project:{made}"


@pytest.fixture
def pretended(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pretended]:
    """No program but these can be found, and git."""
    said, programs = tmp_path / "said", tmp_path / "bin"
    said.mkdir()
    programs.mkdir()
    for name in ("kubectl", "docker", "kind", "minikube"):
        program = programs / name
        program.write_text(
            f'#!/bin/sh\nSAID={said} exec {sys.executable} -S -E {PRETENDED} {name} "$@"\n', "utf-8"
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nowhere"))
    monkeypatch.delenv("WORKSHOP_REGISTRY", raising=False)
    monkeypatch.delenv("MINIKUBE_ACTIVE_DOCKERD", raising=False)
    monkeypatch.setattr(namespace, "_POLL", (0.01, 0.01))
    monkeypatch.setattr(waiting, "_QUIET", 0.0)
    monkeypatch.setattr(waiting, "PATIENCE", 20.0)
    yield Pretended(project, said)
