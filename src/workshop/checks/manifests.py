"""The project's manifests, as a check reads them: what is wrong with one is a verdict."""

from __future__ import annotations

import re
from pathlib import Path

from workshop import kubectl, manifests
from workshop.checks import near, words
from workshop.checks.failure import CheckFailed, expect
from workshop.containers import Ended
from workshop.kubectl import Object

_PATIENCE = 60.0  # seconds
_TEMPTATION = "; if you choose to ignore these errors"  # which is never what helps
_STARTS = ("StatefulSet", "Deployment", "DaemonSet", "ReplicaSet")


class Manifests:
    """The manifests of a project, for one namespace."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._readers: dict[str, manifests.Reader] = {}
        self._read: dict[str, tuple[Object, ...]] = {}  # nobody changes a file while it is judged

    def read(self, name: str, namespace: str) -> tuple[Object, ...]:
        """The objects in a file, once it is certain that they stay in the namespace, and that the
        cluster would take them: so whoever reads them finds what each of them must have."""
        if name not in self._read:
            near.must_be_there(self._project, name)
            if namespace not in self._readers:
                self._readers[namespace] = manifests.Reader(self._project, namespace)
            try:
                found = self._readers[namespace].read(name)
            except manifests.Refused as error:
                raise CheckFailed(seen=error.seen, expected=error.expected, do=error.do) from error
            dry = ("--namespace", namespace, "apply", "--dry-run=server", "--filename", name)
            done = kubectl.run(*dry, cwd=self._project, timeout=_PATIENCE)
            self.accepted(name, namespace, done)
            self._read[name] = found
        return self._read[name]

    def accepted(self, name: str, namespace: str, done: Ended) -> None:
        """Raise CheckFailed when the cluster has not taken what is in a file."""
        expect(
            done.code == 0,
            seen=f"`kubectl apply --filename {name}` failed:\n"
            f"{self.told(done.said.partition(_TEMPTATION)[0], namespace)}",
            expected="a manifest that the cluster accepts",
            do="Mend what it says. It names the place from the outside in, with dots between.",
        )

    def told(self, said: str, namespace: str) -> str:
        """What kubectl says, without the name of a namespace that is gone when somebody reads it,
        and without the name of the file: it stands before."""
        said = said.replace(f"{namespace}/", "").replace(f' namespace "{namespace}"', " it")
        said = re.sub('validating "[^"]*"', "validating it", said)
        return words.tail(said, self._project)

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
