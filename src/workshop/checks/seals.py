"""The sealed secrets of a project, as they open on this machine: with its own keys, in the
namespace of its production. No cluster is asked."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from workshop import documents, sealed
from workshop.checks import near
from workshop.checks.failure import CheckFailed, expect
from workshop.documents import Fields
from workshop.errors import WorkshopError
from workshop.production import namespace, place, sealer

FILE = "deployment/application-secrets.yaml"
NAME, KEY = "application", "SECRET_KEY"
AGAIN = f"workshop seal --env production --generate {KEY} {NAME} --output {FILE}"
_ENVIRONMENT = "production"


class Hidden:
    """A value that no message shows, by whatever mistake it gets into one."""

    def __init__(self, value: bytes) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "a value that is not shown"


class Seals:
    """The file with the sealed secrets of one project."""

    def __init__(self, project: Path) -> None:
        self._project = project

    @functools.cached_property
    def namespace(self) -> str:
        """The namespace of production: the one that it has, or would get."""
        return namespace.called(place.of(self._project, _ENVIRONMENT))

    @functools.cached_property
    def documents(self) -> tuple[Fields, ...]:
        """All that is in the file."""
        near.must_be_there(self._project, FILE, do=f"Make it: {AGAIN}")
        try:
            return documents.read(self._raw, FILE)
        except WorkshopError as error:
            raise self.refused(error, "manifests, one YAML document each, with --- between them",
                               error.remedy) from None  # fmt: skip

    @functools.cached_property
    def opened(self) -> sealed.Opened:
        """What the secret of production holds."""
        found = [each for each in self.documents if self._is_ours(each)]
        here = [each for each in found if _namespace(each) in (None, self.namespace)]
        others = [str(name) for each in found if (name := _namespace(each))]
        expect(
            here,
            seen=f"{FILE} has no {sealed.KIND} {NAME} for the namespace {self.namespace}"
            + (f", only for {' and '.join(others)}" if others else ""),
            expected=f"one that opens in {self.namespace}, which is your production: its name is"
            " that of the project's folder",
            do=f"Seal your own: rm {FILE}; {AGAIN}",
        )
        keys = [pair.private for pair in sealer.pairs(self._project)]
        expect(
            keys,
            seen=f"this machine has no key pair of the project, so {FILE} does not open here",
            expected="the key pair to which it was sealed",
            do=f"Seal your own: rm {FILE}; {AGAIN}\nDid you seal it on another machine? Then bring"
            " the folder `sealing` of its workshop home here.",
        )
        try:
            (found_,) = sealed.opened(
                self._alone(here[0]), keys, path=FILE, namespace=self.namespace
            )
        except WorkshopError as error:
            raise self.refused(
                error,
                f"a secret that opens in {self.namespace}, by your own key",
                f"Seal your own: rm {FILE}; {AGAIN}",
            ) from None
        return found_

    @property
    def value(self) -> Hidden:
        """The key of the application in production."""
        values = self.opened.values
        expect(
            KEY in values,
            seen=f"the {sealed.KIND} {NAME} in {FILE} has no {KEY}",
            expected=f"the application's {KEY}: without it, nothing starts",
            do=f"Add it: {AGAIN}",
        )
        return Hidden(values[KEY])

    def refused(self, error: WorkshopError, expected: str, do: str) -> CheckFailed:
        """What is wrong with the file, in its words: they never hold a value."""
        return CheckFailed(
            seen=f"{where(str(error.path or FILE))}: {error.fact}", expected=expected, do=do
        )

    @functools.cached_property
    def _raw(self) -> bytes:
        return (self._project / FILE).read_bytes()

    def _is_ours(self, document: Fields) -> bool:
        meta = document.get("metadata")
        named = isinstance(meta, Fields) and meta.get("name") == NAME
        return document.get("kind") == sealed.KIND and named

    def _alone(self, document: Fields) -> bytes:
        """The file with this document alone, on the lines where it stands."""
        lines = self._raw.splitlines()
        start = document.line - 1
        end = next((n for n in range(start + 1, len(lines)) if lines[n].startswith(b"---")), None)
        return b"\n" * start + b"\n".join(lines[start:end])


def where(path: str) -> str:
    """A place as checks say it: `file, line 3` for `file:3`."""
    return re.sub(r":(\d+)$", r", line \1", path)


def _namespace(document: Fields) -> object:
    return document["metadata"].get("namespace")
