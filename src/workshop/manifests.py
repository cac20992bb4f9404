"""A project's manifests, read as kubectl reads them, and refused where they reach too far.

What is applied must stay in the one namespace that it is for, whether a check has made that or a
deploy. So another namespace is refused, what belongs to the whole cluster, and the machine below.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workshop import kubectl
from workshop.kubectl import Object

_PATIENCE = 60.0  # seconds
_LINE = re.compile(r"yaml: line (\d+)")
_HOST = ("hostPath", "hostNetwork", "hostPID", "hostIPC", "hostPort", "privileged")
_LAST = 8  # lines of what kubectl says


class Refused(Exception):  # noqa: N818  it is a verdict on a file, no error of ours
    """A file is not as it must be: what was seen, what is expected, and what to do next."""

    def __init__(self, seen: str, expected: str, do: str) -> None:
        super().__init__(seen, expected, do)
        self.seen = seen
        self.expected = expected
        self.do = do


def line(project: Path, name: str, text: str) -> str:
    """A file and the line where a text stands first; the file alone if it stands nowhere."""
    lines = (project / name).read_text("utf-8").splitlines()
    for number, each in enumerate(lines, start=1):
        if text in each.partition("#")[0]:
            return f"{name}, line {number}"
    return name


class Reader:
    """Reads the manifests of a project, for one namespace."""

    def __init__(self, project: Path, namespace: str) -> None:
        self._project = project
        self._namespace = namespace

    def read(self, name: str) -> tuple[Object, ...]:
        """The objects in a file. Raises Refused, unless it is certain that they stay inside."""
        found = self._parsed(name)
        for each in found:
            self._stays_inside(name, each)
        return found

    # How

    @functools.cached_property
    def _kinds(self) -> frozenset[tuple[str, str]]:
        return kubectl.namespaced()

    def _parsed(self, name: str) -> tuple[Object, ...]:
        # Nothing is made: kubectl only says what it has understood.
        dry = (
            "--namespace", self._namespace, "create", "--dry-run=client", "--validate=false",
            "--output", "json", "--filename",
        )  # fmt: skip
        done = kubectl.run(*dry, name, cwd=self._project, timeout=_PATIENCE)
        elsewhere = re.search(r'namespace from the provided object "([^"]*)"', done.said)
        if elsewhere:
            raise self._elsewhere(name, elsewhere[1])
        if done.code != 0:
            said = re.sub("yaml: line [0-9]+: ", "yaml: ", done.said)
            lines = [each.rstrip() for each in said.strip().splitlines() if each.strip()]
            last = "\n".join(lines[-_LAST:])
            raise Refused(
                f"kubectl can't read {self._where(name, done.said, dry)}:\n{last}",
                "one YAML document for each object, with --- between them",
                "Mend what it says. In YAML, the spaces at the start of a line count.",
            )
        return tuple(map(_without_nulls, kubectl.parsed(done.out)))

    def _where(self, name: str, said: str, dry: tuple[str, ...]) -> str:
        """The file, and the line that kubectl means: it counts those of each document on their own,
        and does not say in which one it is."""
        if not _LINE.search(said):
            return name
        before = 0
        for document in re.split(r"(?m)^---.*\n", (self._project / name).read_text("utf-8")):
            told = _LINE.search(kubectl.run(*dry, "-", stdin=document, timeout=_PATIENCE).said)
            if told:
                return f"{name}, about line {before + int(told[1])}"
            before += document.count("\n") + 1
        return name

    def _stays_inside(self, name: str, each: Object) -> None:
        kind, meta = each["kind"], each.get("metadata") or {}
        called = meta.get("name", "without a name")
        at = line(self._project, name, f"kind: {kind}")
        if "apiVersion" not in each:
            raise Refused(
                f"{at}: the {kind} {called} has no apiVersion",
                "objects that say by which version of the API they are to be read",
                f"kubectl explain {kind.lower()} shows it.",
            )
        if (each["apiVersion"], kind) not in self._kinds:
            raise Refused(
                f"{at}: the {kind} {called} belongs to the whole cluster",
                "nothing that reaches beyond a namespace: others live in this cluster, too",
                f"Take it out of {name}.",
            )
        wanted = meta.get("namespace", self._namespace)
        if wanted != self._namespace:
            raise self._elsewhere(name, wanted)
        for key, value in settings(each):
            if key in _HOST and value:
                raise Refused(
                    f"{line(self._project, name, f'{key}:')}: {kind} {called} has {key}",
                    "a pod that asks nothing of the machine below it",
                    "Take it out. For files that must stay, claim a volume.",
                )

    def _elsewhere(self, name: str, namespace: str) -> Refused:
        return Refused(
            f"{line(self._project, name, f'namespace: {namespace}')}: it names the namespace"
            f" {namespace}",
            "no namespace in the file: the same file is for all of them",
            "Take it out. Whoever applies it says where: kubectl --namespace NAME",
        )


def _without_nulls(value: Any) -> Any:
    """An object without its keys that have no value. A cluster takes them for left out."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def settings(value: Any) -> Iterator[tuple[str, Any]]:
    """All keys of an object, however deep, and their values."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from settings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from settings(inner)
