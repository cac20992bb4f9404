"""Manifests of secrets: a Secret becomes a SealedSecret, which may stand in git, and is opened.

What is kept of a Secret, and what its values are bound to, is as kubeseal has it: the controller
that has the key opens in a cluster what is written here.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from workshop import documents, sealing, secret
from workshop.documents import Fields
from workshop.errors import WorkshopError
from workshop.model import ENVIRONMENTS
from workshop.paths import program
from workshop.secret import Place, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

API = "bitnami.com/v1alpha1"
KIND = "SealedSecret"


class Opened(NamedTuple):
    """What a SealedSecret holds. The values of the keys in `old` were sealed to an older pair:
    whoever is told so should reseal."""

    place: Place
    values: Mapping[str, bytes]
    old: tuple[str, ...]


class Here(NamedTuple):
    """What a manifest holds for one namespace: what was opened, and which Secrets stay closed, each
    with the reason."""

    opened: tuple[Opened, ...]
    closed: tuple[tuple[str, WorkshopError], ...]


class ClosedError(WorkshopError):
    """A value is sound, and not for us: for another place, or sealed to another key."""


def seal(
    raw: bytes, certificate: bytes, *, path: Path | str, keys: Sequence[bytes] = (),
    target: Target | None = None,
) -> str:  # fmt: skip
    """Seal each Secret of a manifest. What is sealed already is opened with the keys, and sealed
    anew. Raises WorkshopError for what is neither."""
    found, target = documents.read(raw, path), target or Target()
    if target.name and len(found) > 1:
        raise WorkshopError(
            f"there are {len(found)} manifests, and one name for them",
            "Leave --name out: each says its own.",
            path=path,
        )
    return documents.written([_sealed(each, certificate, keys, target, path) for each in found])


def made(place: Place, values: Mapping[str, bytes], certificate: bytes) -> str:
    """The SealedSecret of these values, without a Secret before it."""
    return documents.written([_document(place, {}, {}, _texts(values, place, certificate))])


def merged(
    raw: bytes, place: Place, values: Mapping[str, bytes], certificate: bytes, *, path: Path | str
) -> str:
    """The SealedSecret of a file with these values. What it holds beside them stays.

    Raises WorkshopError unless it is for the same place.
    """
    found = documents.read(raw, path)
    if [_kind(each) for each in found] != [KIND] or _place(found[0], path) != place:
        raise WorkshopError(
            "this file holds something else, which would be lost",
            "Write to another file, or name the same namespace, name and scope.",
            path=path,
        )
    (old,) = found
    texts = {**_encrypted(old, path), **_texts(values, place, certificate)}
    outer, template = secret.metadata_of(old, path), _kept(_template(old, path), path)
    return documents.written([_document(place, outer, template, texts)])


def is_sealed(raw: bytes, path: Path | str) -> bool:
    """Is there nothing in it that nobody may see?"""
    return all(_kind(each) == KIND for each in documents.read(raw, path))


def opened(
    raw: bytes, keys: Sequence[bytes], *, path: Path | str, namespace: str | None = None
) -> tuple[Opened, ...]:
    """Open each SealedSecret of a manifest with the private keys (PEM), the newest first.

    `namespace` is where it is applied: it counts where the manifest names none, and what names
    another one is refused, as kubectl does. Raises WorkshopError for what was never sealed, or for
    another place, or to another key.
    """
    return tuple(_opened(each, keys, path, namespace) for each in documents.read(raw, path))


def opened_here(raw: bytes, keys: Sequence[bytes], *, path: Path | str, namespace: str) -> Here:
    """As `opened`. But what is not for us is no error: in a cluster, too, all else goes on."""
    found, closed = [], []
    for document in documents.read(raw, path):
        try:
            found.append(_opened(document, keys, path, namespace))
        except ClosedError as error:
            closed.append((_place(document, path, namespace).name, error))
    return Here(tuple(found), tuple(closed))


def _opened(
    document: Fields, keys: Sequence[bytes], path: Path | str, namespace: str | None = None
) -> Opened:
    where = f"{path}:{document.line}"
    if _kind(document) == "Secret":
        raise WorkshopError(
            "this Secret was never sealed: base64 is no lock, who has the file has the values",
            f"Seal it: {program()} seal FILE --output ANOTHER-FILE\n"
            "Was it ever committed? Then its values are known: seal new ones.",
            path=where,
        )
    if _kind(document) != KIND or document.get("apiVersion") != API:
        raise WorkshopError(
            f"this is no {KIND}", f"One has: apiVersion: {API}, and kind: {KIND}", path=where
        )
    place = _place(document, path, namespace)
    if namespace and place.namespace != namespace:
        raise ClosedError(
            f"it is for the namespace {place.namespace}, and not for {namespace}",
            f"Seal the values for that one: {program()} seal --namespace {namespace} …",
            path=where,
        )
    encrypted, template = _encrypted(document, path), _template(document, path)
    if template.get("data"):
        raise WorkshopError(
            "spec.template.data makes values out of sealed ones, which only a controller does",
            "Seal each value as it is needed.",
            path=where,
        )
    others = tuple(_others(place, secret.metadata_of(template, path)))
    found = {
        key: _value(key, text, keys, place, others, f"{path}:{encrypted.lines[key]}")
        for key, text in encrypted.items()
    }
    values = {key: each.value for key, each in found.items()}
    return Opened(place, values, tuple(key for key, each in found.items() if each.key))


def _value(
    key: str, text: str, keys: Sequence[bytes], place: Place, others: Sequence[bytes], at: str
) -> sealing.Opened:
    kind: type[WorkshopError] = ClosedError
    try:
        return sealing.opened(text, keys, place.label)
    except sealing.DamagedError as error:
        kind, fact = WorkshopError, f"the sealed value of {key} is damaged: {error}"
    except sealing.OtherKeyError:
        fact = f"no key of ours opens {key}: it was sealed to another one, or it is damaged"
    except sealing.OtherLabelError as error:
        truth = [each for each in others if hashlib.sha256(each).digest() == error.digest]
        sealed_as = _shown(truth[0]) if truth else "something else"
        fact = (
            f"{key} does not open as {_shown(place.label)}:"
            f" it was sealed as {sealed_as}, and opens only there"
        )
    scope = "" if place.scope == sealing.STRICT else f"--scope {place.scope} "
    namespace = f"--namespace {place.namespace} " if place.namespace else ""
    again = f"Seal it for here: {program()} seal {scope}{namespace}{place.name} {key}"
    raise kind(fact, again, path=at)


def _shown(label: bytes) -> str:
    return label.decode() or "cluster-wide"


def _others(place: Place, metadata: Mapping[str, Any]) -> Iterator[bytes]:
    """What it may have been sealed as: people copy a file, rename it, and forget the scope."""
    ends = [each for each in ENVIRONMENTS if place.namespace.endswith(f"-{each}")]
    beside = [f"{place.namespace.removesuffix(ends[0])}{each}" for each in ENVIRONMENTS if ends]
    every = (place.namespace, metadata.get("namespace"), *beside, *ENVIRONMENTS, "default")
    for namespace in every:
        for name in (place.name, metadata.get("name")):
            for scope in sealing.SCOPES:
                yield sealing.label(str(namespace), str(name), scope)


def _sealed(
    document: Fields, certificate: bytes, keys: Sequence[bytes], target: Target, path: Path | str
) -> Mapping[str, Any]:
    if _kind(document) == KIND:
        found = _opened(document, keys, path)
        template = _template(document, path)
        outer = secret.metadata_of(document, path)
        values: Mapping[str, bytes] = found.values
    elif _kind(document) == "Secret" and document.get("apiVersion") == "v1":
        template, outer = document, Fields(document.line)
        values = secret.values(document, path)
    else:
        raise WorkshopError(
            "this is no Secret, and nothing else is sealed",
            "One has: apiVersion: v1, and kind: Secret",
            path=f"{path}:{document.line}",
        )
    place = secret.place_of(document, target, path)
    texts = _texts(values, place, certificate)
    return _document(place, outer, _kept(template, path), texts)


def _kept(template: Fields, path: Path | str) -> dict[str, Any]:
    """What stays of a Secret, beside its values."""
    found: dict[str, Any] = {"metadata": secret.metadata_of(template, path)}
    for name, kind in (("immutable", bool), ("type", str)):
        each = template.get(name)
        if each is not None and not isinstance(each, kind):
            expected = "true or false" if kind is bool else "text"
            raise WorkshopError(
                f"{name} is not {expected}", "Mend it.", path=f"{path}:{template.lines[name]}"
            )
        if each is not None:
            found[name] = each
    return found


def _texts(values: Mapping[str, bytes], place: Place, certificate: bytes) -> dict[str, str]:
    return {key: sealing.seal(each, certificate, place.label) for key, each in values.items()}


def _document(
    place: Place, outer: Mapping[str, Any], template: Mapping[str, Any], texts: Mapping[str, str]
) -> Mapping[str, Any]:
    """Inside stands the metadata of the Secret that comes out, outside that of the sealed one."""
    inner = {**template, "metadata": secret.kept(template.get("metadata") or {}, place)}
    return {
        "apiVersion": API,
        "kind": KIND,
        "metadata": secret.kept(outer, place),
        "spec": {"encryptedData": texts, "template": inner},
    }


def _kind(document: Fields) -> object:
    return document.get("kind")


def _place(document: Fields, path: Path | str, namespace: str | None = None) -> Place:
    own = secret.metadata_of(document, path).get("namespace")
    return secret.place_of(document, Target(namespace=None if own else namespace), path)


def _template(document: Fields, path: Path | str) -> Fields:
    found = document["spec"].get("template")
    if found is None:
        return Fields(document.line)
    if not isinstance(found, Fields):
        raise WorkshopError(
            "there are no keys under template", "Leave it out.", path=f"{path}:{document.line}"
        )
    return found


def _encrypted(document: Fields, path: Path | str) -> Fields:
    spec = document.get("spec")
    encrypted = spec.get("encryptedData") if isinstance(spec, Fields) else None
    if not isinstance(encrypted, Fields) or not encrypted:
        raise WorkshopError(
            "there is no encryptedData under spec",
            "Each value stands there, sealed, behind its key.",
            path=f"{path}:{document.line}",
        )
    for key, text in encrypted.items():
        if not isinstance(text, str):
            raise WorkshopError(
                f"the sealed value of {key} is damaged: it is not text",
                "Seal it again.",
                path=f"{path}:{encrypted.lines[key]}",
            )
    return encrypted
