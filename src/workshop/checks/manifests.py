"""The project's manifests, as a check reads them: what is wrong with one is a verdict."""

from __future__ import annotations

from pathlib import Path

from workshop import manifests
from workshop.checks import near
from workshop.checks.failure import CheckFailed, expect
from workshop.kubectl import Object

_STARTS = ("StatefulSet", "Deployment", "DaemonSet", "ReplicaSet")


class Manifests:
    """The manifests of a project, for one namespace."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._readers: dict[str, manifests.Reader] = {}
        self._read: dict[str, tuple[Object, ...]] = {}  # nobody changes a file while it is judged

    def read(self, name: str, namespace: str) -> tuple[Object, ...]:
        """The objects in a file, once it is certain that they stay in the namespace."""
        if name not in self._read:
            near.must_be_there(self._project, name)
            if namespace not in self._readers:
                self._readers[namespace] = manifests.Reader(self._project, namespace)
            try:
                self._read[name] = self._readers[namespace].read(name)
            except manifests.Refused as error:
                raise CheckFailed(seen=error.seen, expected=error.expected, do=error.do) from error
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

    def behind(self, name: str, service: str, namespace: str) -> Object:
        """What starts the pods that visitors of a Service meet: those that its selector finds."""
        services = [
            each for each in self.read(name, namespace)
            if each["kind"] == "Service" and each["metadata"].get("name") == service
        ]  # fmt: skip
        expect(
            services,
            seen=f"{name} has no Service {service}",
            expected="a name that stays, while pods come and go",
            do=f"Write a Service {service} with port 80, whose selector has the labels of the"
            " pods.",
        )
        selector: dict[str, str] = services[0].get("spec", {}).get("selector") or {}
        wanted = selector.items()
        for each in self.starts(name, namespace):
            labels = each["spec"]["template"]["metadata"].get("labels", {})
            if wanted and wanted <= labels.items():
                return each
        raise CheckFailed(
            seen=f"{self.line(name, 'selector:')}: the Service {service} looks for pods with"
            f" {' and '.join(f'{key}: {value}' for key, value in wanted) or 'no label'}, and no pod"
            " of the file has that",
            expected="a selector that has the labels of the pods, letter by letter",
            do="Compare the Service's selector with the labels below template.",
        )

    def line(self, name: str, text: str) -> str:
        """A file and the line where a text stands first; the file alone if it stands nowhere."""
        return manifests.line(self._project, name, text)
