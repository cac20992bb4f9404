"""The project's manifests, read as kubectl reads them, and refused where they reach too far.

What is applied must stay in the namespace that the checks have made. So another namespace is
refused, what belongs to the whole cluster, and the machine below.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workshop import kubectl
from workshop.checks import near, words
from workshop.checks.failure import CheckFailed, expect
from workshop.kubectl import Object

_PATIENCE = 60.0  # seconds
_LINE = re.compile(r"yaml: line (\d+)")
_STARTS = ("StatefulSet", "Deployment", "DaemonSet", "ReplicaSet")
_HOST = ("hostPath", "hostNetwork", "hostPID", "hostIPC", "hostPort", "privileged")


class Manifests:
    """The manifests of a project, for one namespace."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._read: dict[str, tuple[Object, ...]] = {}  # nobody changes a file while it is judged

    def read(self, name: str, namespace: str) -> tuple[Object, ...]:
        """The objects in a file, once it is certain that they stay in the namespace."""
        if name not in self._read:
            found = self._parsed(name, namespace)
            for each in found:
                self._stays_inside(name, each, namespace)
            self._read[name] = found
        return self._read[name]

    def starts(self, name: str, namespace: str) -> tuple[Object, ...]:
        """Those of them that start pods, and make a new one for each that is gone."""
        found = tuple(each for each in self.read(name, namespace) if each["kind"] in _STARTS)
        expect(
            found,
            seen=f"{name} starts nothing",
            expected=f"something that starts pods, and makes new ones: a {_STARTS[0]}, for one",
            do=f"Add one, behind a line with ---. `kind: {_STARTS[0]}`, and not `kind: Pod`: for a"
            " pod that stands alone, nobody makes the next one.",
        )
        return found

    def line(self, name: str, text: str) -> str:
        """A file and the line where a text stands first; the file alone if it stands nowhere."""
        lines = (self._project / name).read_text("utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            if text in line.partition("#")[0]:
                return f"{name}, line {number}"
        return name

    # How

    @functools.cached_property
    def _kinds(self) -> frozenset[tuple[str, str]]:
        return kubectl.namespaced()

    def _parsed(self, name: str, namespace: str) -> tuple[Object, ...]:
        near.must_be_there(self._project, name)
        # Nothing is made: kubectl only says what it has understood.
        dry = (
            "--namespace", namespace, "create", "--dry-run=client", "--validate=false",
            "--output", "json", "--filename",
        )  # fmt: skip
        done = kubectl.run(*dry, name, cwd=self._project, timeout=_PATIENCE)
        elsewhere = re.search(r'namespace from the provided object "([^"]*)"', done.said)
        if elsewhere:
            raise self._elsewhere(name, elsewhere[1])
        expect(
            done.code == 0,
            seen=f"kubectl can't read {self._where(name, done.said, dry)}:\n"
            f"{words.tail(re.sub('yaml: line [0-9]+: ', 'yaml: ', done.said), self._project)}",
            expected="one YAML document for each object, with --- between them",
            do="Mend what it says. In YAML, the spaces at the start of a line count.",
        )
        return tuple(kubectl.parsed(done.out))

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

    def _stays_inside(self, name: str, each: Object, namespace: str) -> None:
        kind, meta = each["kind"], each.get("metadata") or {}
        called = meta.get("name", "without a name")
        expect(
            "apiVersion" in each,
            seen=f"{self.line(name, f'kind: {kind}')}: the {kind} {called} has no apiVersion",
            expected="objects that say by which version of the API they are to be read",
            do=f"kubectl explain {kind.lower()} shows it.",
        )
        expect(
            (each["apiVersion"], kind) in self._kinds,
            seen=f"{self.line(name, f'kind: {kind}')}: the {kind} {called} belongs to the whole"
            " cluster",
            expected="nothing that reaches beyond a namespace: others live in this cluster, too",
            do=f"Take it out of {name}.",
        )
        wanted = meta.get("namespace", namespace)
        if wanted != namespace:
            raise self._elsewhere(name, wanted)
        for key, value in _settings(each):
            expect(
                key not in _HOST or not value,
                seen=f"{self.line(name, f'{key}:')}: {kind} {called} has {key}",
                expected="a pod that asks nothing of the machine below it",
                do="Take it out. For files that must stay, claim a volume.",
            )

    def _elsewhere(self, name: str, namespace: str) -> CheckFailed:
        return CheckFailed(
            seen=f"{self.line(name, f'namespace: {namespace}')}: it names the namespace"
            f" {namespace}",
            expected="no namespace in the file: the same file is for all of them",
            do="Take it out. Whoever applies it says where: kubectl --namespace NAME",
        )


def _settings(value: Any) -> Iterator[tuple[str, Any]]:
    """All keys of an object, however deep, and their values."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from _settings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _settings(inner)
