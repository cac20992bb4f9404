"""The image of a release: built once from what is committed, and brought to where the cluster finds
it. A cluster takes images from a registry, unless it lives on this machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

from workshop import containers, kubectl
from workshop.containers import Ended
from workshop.errors import WorkshopError
from workshop.model import Orchestration
from workshop.production import Report, release
from workshop.production.objects import slug
from workshop.production.place import Place

REGISTRY = "WORKSHOP_REGISTRY"
# Nobody on the internet can have an image of such a name, and so none of theirs is ever run.
_HERE = "localhost/workshop"
_BUILD = 1800.0  # seconds: somebody's network may be slow


def ready(place: Place, cluster: Orchestration, commit: str, known: str, report: Report) -> str:
    """By which name the cluster gets the image of a commit. `known` is the one that it had."""
    registry = _registry()
    if "@" in known and known.startswith(registry):
        return known  # a digest: it can't be another image
    name = f"{_name(place.project)}:{commit}"
    if not containers.engine():
        raise WorkshopError(
            "no container engine answers, and an image must be built",
            "Start Docker, or install it: https://docs.docker.com/get-started/get-docker/",
        )
    kept = bool(containers.image(name))
    if not kept:
        report("image", "is being built; the first time takes a while")
        _build(place, cluster, commit, name)
    found, how = brought(name)
    report("image", f"{'kept' if kept else 'built'}, {how}")
    return found


def brought(name: str) -> tuple[str, str]:
    """Bring an image of this machine to where the cluster finds it. Returns by which name it does,
    and how that was done. Raises WorkshopError when there is no way."""
    registry = _registry()
    return _pushed(name, registry) if registry else _on_this_machine(name)


def forget(project: Path) -> None:
    """Remove the images of all releases of a project from this machine."""
    containers.remove(_name(project))


def _name(project: Path) -> str:
    return f"{_HERE}/{slug(project.resolve().name)}"


def _build(place: Place, cluster: Orchestration, commit: str, name: str) -> None:
    # Not from the release's folder, in which nothing can be written: that would go into the image.
    folder = place.releases / f".{commit}.{os.getpid()}.build.part"
    try:
        release.export(place, commit, folder)
        ended = containers.build(folder, cluster.dockerfile, name, {}, _BUILD)
    finally:
        release.discard(folder)
    containers.forget(ended)
    if ended.code != 0:
        raise WorkshopError(
            f"the image was not built:\n{release.tail(_said(ended))}",
            "Mend what the last lines say, commit, and deploy again.",
            path=cluster.dockerfile,
        )


def _said(ended: Ended) -> str:
    """What a build said in the end. Builders tell it on one way or the other; old ones advertise
    the new ones first."""
    advice = "DEPRECATED" in ended.said
    return ended.out + (ended.said.partition("\n\n")[2] if advice else ended.said)


def _registry() -> str:
    return os.environ.get(REGISTRY, "").rstrip("/")


def _pushed(name: str, registry: str) -> tuple[str, str]:
    reference = f"{registry}/{name.removeprefix('localhost/')}"
    _worked(
        containers.push(name, reference),
        f"the registry {registry} did not take the image",
        f"May you write there? docker login {registry}",
    )
    found = containers.digest(reference)
    if not found:
        raise WorkshopError(
            f"the registry {registry} told no digest of the image",
            f"Does this show one? docker image inspect {reference}",
        )
    return found, f"pushed to {registry}"


def _on_this_machine(name: str) -> tuple[str, str]:
    """For a cluster on this machine: it has our engine, or its tool copies images into it."""
    view = kubectl.run("config", "view", "--minify", "--output", "json").out
    context = str(json.loads(view or "{}").get("current-context", ""))
    minikube = "minikube.sigs.k8s.io" in view
    if minikube and "MINIKUBE_ACTIVE_DOCKERD" in os.environ:  # by `minikube docker-env`
        return name, "in the cluster's own engine"
    if minikube or context.startswith("kind-"):
        tool = "minikube" if minikube else "kind"
        _worked(
            containers.hand_over(name, context, minikube),
            f"{tool} did not take the image into the cluster",
            f"Is the program `{tool}` on your PATH?",
        )
        return name, f"copied into the cluster by {tool}"
    runs = {
        each["status"]["nodeInfo"]["containerRuntimeVersion"] for each in kubectl.objects("nodes")
    }
    if runs == {f"docker://{containers.engine()}"}:
        return name, "in the cluster's own engine"
    raise WorkshopError(
        "images that are built here can't reach this cluster",
        f"Name a registry that you may write to, and the cluster may read:\n"
        f"export {REGISTRY}=registry.example.org/demo",
    )


def _worked(ended: Ended, fact: str, remedy: str) -> None:
    if ended.code != 0:
        raise WorkshopError(f"{fact}:\n{release.tail(ended.said or ended.out)}", remedy)
