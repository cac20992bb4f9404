"""What goes into a namespace, as Kubernetes has it: plain values of plain values."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from workshop import keys, workloads
from workshop.kubectl import Object
from workshop.manifests import settings
from workshop.model import Orchestration

PROJECT = "workshop/project"  # on a namespace: whose it is
RELEASE = "workshop/release"  # on a pod: the commit that it runs
CONFIG = "workshop/config"  # on a pod: a digest of the ConfigMaps that it reads
SCALED = ("Deployment", "StatefulSet")
WORKLOADS = (*SCALED, "Job")
AWAITED = (*WORKLOADS, workloads.AUTOSCALER)
_LABEL = 63  # characters, at most, of a name in Kubernetes
_REFERENCES = ("configMapRef", "configMapKeyRef", "configMap")


def slug(name: str) -> str:
    """A folder's name, as Kubernetes and image registries allow it."""
    made = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    # what begins with kube- is for Kubernetes itself
    return made if made and not made.startswith("kube-") else f"project-{made}".rstrip("-")


def name(project: str, environment: str) -> str:
    """The namespace for an environment of a project."""
    room = _LABEL - len(environment) - 1
    return f"{slug(project)[:room].rstrip('-')}-{environment}"


def namespace(called: str, mark: str) -> Object:
    """A namespace that is known as ours."""
    return _object("Namespace", called, labels={PROJECT: mark})


def secret(called: str, values: Mapping[str, str]) -> Object:
    """A Secret."""
    return _object("Secret", called, stringData=dict(values))


def configuration(
    cluster: Orchestration, variables: Mapping[str, str], files: Mapping[str, str]
) -> tuple[Object, ...]:
    """The ConfigMaps: of the variables, and of each file. `files` are texts, by their paths.

    What is in a Secret is in no ConfigMap, whoever has set it: more people may read those.
    """
    hidden = {key for keys in cluster.secrets.values() for key in keys}
    shown = {key: value for key, value in sorted(variables.items()) if key not in hidden}
    return (
        _object("ConfigMap", cluster.config, data=shown),
        *(
            _object("ConfigMap", called, data={PurePosixPath(path).name: files[path]})
            for called, path in cluster.files.items()
        ),
    )


def fitted(
    objects: Iterable[Object], cluster: Orchestration, image: str, commit: str,
    configs: Iterable[Object],
) -> tuple[Object, ...]:  # fmt: skip
    """The objects of a release: its own image is in each container that names the project's.

    Its pods bear the commit, and a digest of what they are configured by. So they change when one
    of these does, and only then.
    """
    known = {each["metadata"]["name"]: each["data"] for each in configs}
    return tuple(_fitted(copy.deepcopy(each), cluster, image, commit, known) for each in objects)


def _fitted(
    one: Object, cluster: Orchestration, image: str, commit: str, known: Mapping[str, Any]
) -> Object:
    made = workloads.template(one)
    if made is None:
        return one
    notes = {}
    for container in workloads.containers(made):
        if container.get("image") == cluster.image:
            container["image"] = image
            notes[RELEASE] = commit
    read = sorted(known.keys() & set(_config_maps(made)))
    if read:
        notes[CONFIG] = keys.digest(*((each, sorted(known[each].items())) for each in read))[:16]
    if notes:
        meta = made.setdefault("metadata", {})
        meta["annotations"] = {**(meta.get("annotations") or {}), **notes}
    return one


def of_release(found: Object) -> str:
    """The commit that the pods of a workload run, or a pod does; empty when it is not ours."""
    made = workloads.template(found) or {}
    return str((made.get("metadata", {}).get("annotations") or {}).get(RELEASE, ""))


def identity(found: Object) -> tuple[str, str]:
    """By what an object is known: its kind and its name."""
    return found["kind"], found["metadata"]["name"]


def is_pod_of(pod: Object, workload: Object) -> bool:
    """Whether a pod is made from a workload's description, from this one and no older one."""
    meta, made = pod["metadata"], workloads.template(workload) or {}
    if "deletionTimestamp" in meta:
        return False
    labels = meta.get("labels") or {}
    if workload["kind"] == "Job":
        return bool(labels.get("job-name") == workload["metadata"]["name"])
    wanted = made.get("metadata", {})
    notes, wanted_notes = meta.get("annotations") or {}, wanted.get("annotations") or {}
    return dict(wanted.get("labels") or {}).items() <= labels.items() and all(
        notes.get(each) == wanted_notes[each] for each in (RELEASE, CONFIG) if each in wanted_notes
    )


def port(objects: Iterable[Object], service: str) -> int:
    """The first port of a Service; 80 when there is no such one."""
    for each in objects:
        if identity(each) == ("Service", service):
            return int(each["spec"]["ports"][0]["port"])
    return 80


def _config_maps(made: Object) -> Iterator[str]:
    """The names of all ConfigMaps that a pod reads."""
    for key, value in settings(made.get("spec") or {}):
        if key in _REFERENCES and isinstance(value, dict) and "name" in value:
            yield str(value["name"])


def _object(kind: str, called: str, labels: Mapping[str, str] | None = None, **more: Any) -> Object:
    meta: Object = {"name": called} | ({"labels": dict(labels)} if labels else {})
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, **more}
