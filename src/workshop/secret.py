"""What the manifest of a Secret says: for which place it is, what of it is kept, and its values."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from workshop import sealing
from workshop.documents import Fields
from workshop.errors import WorkshopError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SCOPE = "sealedsecrets.bitnami.com/"  # an annotation: this and the scope, unless it is strict
# Where kubectl and others keep a copy of what was applied: the Secret, with its values.
_COPIES = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "kubecfg.ksonnet.io/last-applied-configuration",
)
_TEXTS = ("labels", "annotations")
_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


class Target(NamedTuple):
    """What a secret shall be for. None stands for what its manifest says."""

    namespace: str | None = None
    name: str | None = None
    scope: str | None = None


class Place(NamedTuple):
    """What a secret is for. A namespace may be empty when the scope is the whole cluster."""

    namespace: str
    name: str
    scope: str

    @property
    def label(self) -> bytes:
        """What its values are bound to."""
        return sealing.label(*self)


def place(target: Target, path: Path | str | None = None) -> Place:
    """A place that a person names. Raises WorkshopError for one that no cluster can have."""
    namespace, name, scope = (target.namespace or "", target.name or "", target.scope or "strict")
    if scope not in sealing.SCOPES:
        scopes = ", ".join(sealing.SCOPES)
        raise WorkshopError(f"there is no scope {scope}", f"The scopes are: {scopes}", path=path)
    if not _NAME.fullmatch(name):
        raise WorkshopError(
            f"this is no name of a Secret: {name}" if name else "it has no name",
            "Name it in small letters, digits and dashes, such as application-secrets.",
            path=path,
        )
    if not namespace and scope != sealing.CLUSTER_WIDE:
        raise WorkshopError(
            "for which namespace? It opens only there",
            "Say it with --namespace NAMESPACE, or in the manifest's metadata.",
            path=path,
        )
    if namespace and not _NAMESPACE.fullmatch(namespace):
        raise WorkshopError(
            f"this is no namespace: {namespace}",
            "It has small letters, digits and dashes, such as production.",
            path=path,
        )
    return Place(namespace, name, scope)


def place_of(document: Fields, target: Target, path: Path | str) -> Place:
    """What a manifest says, unless the target says something else."""
    own = metadata_of(document, path)
    where = f"{path}:{document.line}"
    for each in ("namespace", "name"):
        if own.get(each) is not None and not isinstance(own[each], str):
            raise _quotes(f"metadata.{each}", f"{path}:{own.lines[each]}")
    namespace, name = target.namespace or own.get("namespace"), target.name or own.get("name")
    annotations = own.get("annotations") or {}
    stated = [scope for scope in ("cluster-wide", "namespace-wide")
              if annotations.get(f"{_SCOPE}{scope}") == "true"]  # fmt: skip
    scope = target.scope or (stated[0] if stated else sealing.STRICT)
    return place(Target(namespace, name, scope), where)


def metadata_of(document: Fields, path: Path | str) -> Fields:
    """The metadata of a manifest, or of a template. All its labels and annotations are text."""
    found = document.get("metadata")
    if found is None:
        return Fields(document.line)
    if not isinstance(found, Fields):
        raise _no_mapping("metadata", f"{path}:{document.lines['metadata']}")
    for name in _TEXTS:
        texts = found.get(name)
        if texts is None:
            continue
        if not isinstance(texts, Fields):
            raise _no_mapping(name, f"{path}:{found.lines[name]}")
        for key, text in texts.items():
            if not isinstance(text, str):
                raise _quotes(key, f"{path}:{texts.lines[key]}")
    return found


def kept(metadata: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """The metadata for that place: labels and annotations stay, and what a cluster added goes."""
    annotations = {
        name: text
        for name, text in (metadata.get("annotations") or {}).items()
        if name not in _COPIES and name.removeprefix(_SCOPE) not in sealing.SCOPES
    }
    if place.scope != sealing.STRICT:
        annotations[f"{_SCOPE}{place.scope}"] = "true"
    known = {
        "name": place.name,
        "namespace": place.namespace,
        "labels": metadata.get("labels"),
        "annotations": annotations,
    }
    return {name: each for name, each in known.items() if each}


def values(document: Fields, path: Path | str) -> dict[str, bytes]:
    """The values of a Secret. Raises WorkshopError for what is no text, and if there is none."""
    found: dict[str, bytes] = {}
    for section in ("data", "stringData"):  # the second wins, as in a cluster
        fields = document.get(section)
        if fields is None:
            continue
        if not isinstance(fields, Fields):
            raise _no_mapping(section, f"{path}:{document.lines[section]}")
        for key, text in fields.items():
            at = f"{path}:{fields.lines[key]}"
            if not isinstance(text, str):
                raise _quotes(checked(key, at), at)
            found[checked(key, at)] = (
                _decoded(key, text, at) if section == "data" else text.encode()
            )
    if not found:
        raise WorkshopError(
            "there is no value in this Secret",
            "Values stand under stringData, or, in base64, under data.",
            path=f"{path}:{document.line}",
        )
    return found


def checked(key: str, path: Path | str | None = None) -> str:
    """The key of a value. Raises WorkshopError for one that no Secret can have."""
    if not _KEY.fullmatch(key):
        raise WorkshopError(
            "a key has letters, digits, dashes, dots and underscores only",
            "Name it as the variable that it becomes, such as SECRET_KEY.",
            path=path,
        )
    return key


def _decoded(key: str, text: str, at: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise WorkshopError(
            f"the value of {key} is not base64, as all under data must be",
            "Write it as it is, under stringData.",
            path=at,
        ) from None


def _quotes(key: str, at: str) -> WorkshopError:
    return WorkshopError(f"the value of {key} is not text", "Put it in quotes.", path=at)


def _no_mapping(name: str, at: str) -> WorkshopError:
    return WorkshopError(
        f"there are no keys under {name}", "Write lines KEY: VALUE there.", path=at
    )
