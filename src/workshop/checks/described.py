"""What a project's file says of the application in a cluster, before anything is applied."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

from workshop import workloads
from workshop.checks.cluster import Cluster
from workshop.checks.failure import expect
from workshop.kubectl import Object

FILE = "deployment/application.yaml"
NAME = "application"  # how it is found, and where its configuration and its key are
KEY = "SECRET_KEY"


class Described:
    """The objects of the file. `cluster` reads it, and knows its lines."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @property
    def objects(self) -> tuple[Object, ...]:
        """What is in the file."""
        return self._cluster.read(FILE)

    def line(self, text: str) -> str:
        """The file and the line where a text stands first."""
        return self._cluster.line(FILE, text)

    @functools.cached_property
    def deployment(self) -> Object:
        """What starts the pods that visitors meet: those that the Service `application` finds."""
        return self._cluster.behind(FILE, NAME)

    @property
    def pod_spec(self) -> Object:
        """The description of those pods."""
        spec: Object = self.deployment["spec"]["template"]["spec"]
        return spec

    def templates(self) -> Iterator[tuple[str, Object]]:
        """Every pod that the file describes: whose it is, and its description."""
        for each in self.objects:
            if made := workloads.template(each):
                yield f"{each['kind']} {each['metadata'].get('name')}", made["spec"]

    @functools.cached_property
    def application(self) -> Object:
        """The container of the application: the one that has the key."""
        containers_ = self.pod_spec.get("containers", [])
        found: list[Object] = [each for each in containers_ if takes(each, "secret", NAME)]
        expect(
            found,
            seen=f"no container of the {self.deployment['kind']} takes anything from the Secret"
            f" {NAME}",
            expected=f"an application that gets its {KEY} from there",
            do=f"Below envFrom, write a secretRef with the name {NAME}.",
        )
        return found[0]


def takes(container: Object, kind: str, name: str) -> bool:
    """Whether a container takes variables from the Secret (`secret`), or the ConfigMap
    (`configMap`), of this name."""
    sources: list[Object] = [each.get(f"{kind}Ref") or {} for each in container.get("envFrom", ())]
    values = [each.get("valueFrom") or {} for each in container.get("env", ())]
    sources += [each.get(f"{kind}KeyRef") or {} for each in values]
    return name in [each.get("name") for each in sources]


def asked_twice(containers: Sequence[Object]) -> float:
    """How many seconds it takes until the readiness probes of these containers could have been
    content, and one more time."""
    probes = [each["readinessProbe"] for each in containers if each.get("readinessProbe")]
    return max((
        each.get("initialDelaySeconds", 0)
        + each.get("periodSeconds", 10) * (each.get("successThreshold", 1) + 1)
        for each in probes
    ), default=0.0)  # fmt: skip
