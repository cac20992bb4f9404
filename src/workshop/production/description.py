"""All that goes into a namespace for one release: read from its commit, and from what is set."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from workshop import manifests
from workshop.errors import WorkshopError
from workshop.kubectl import Object
from workshop.model import Orchestration
from workshop.production import objects, release
from workshop.production import place as places
from workshop.production.place import Place


class Parts(NamedTuple):
    """All that makes a release in a cluster: its configuration, its manifests in their order."""

    configuration: tuple[Object, ...]
    manifests: tuple[tuple[Object, ...], ...]

    @property
    def every(self) -> tuple[Object, ...]:
        """All objects, without Jobs: what a release is, and not what is done for it once."""
        found = (*self.configuration, *(one for each in self.manifests for one in each))
        return tuple(each for each in found if each["kind"] != "Job")


def parts(place: Place, cluster: Orchestration, new: release.Release, namespace: str) -> Parts:
    """What goes into the namespace for a release. Raises WorkshopError for what must not."""
    folder = place.releases / new.commit
    # What a person sets is for the environment, wherever it runs.
    by_hand = places.configuration(places.of(place.project, place.environment))
    variables = {**cluster.variables, **release.committed(place, new.commit), **by_hand}
    files = {name: _text(folder, name) for name in cluster.files.values()}
    configuration = objects.configuration(cluster, variables, files)
    reader = manifests.Reader(folder, namespace)
    generated = [name for name in cluster.generated.values() if (folder / name).is_file()]
    try:
        read = [reader.read(name) for name in (*generated, *cluster.manifests)]
    except manifests.Refused as error:
        raise WorkshopError(error.seen, error.do, path=place.project) from error
    fitted = tuple(
        objects.fitted(each, cluster, new.image, new.commit, configuration) for each in read
    )
    if not any(objects.of_release(one) for each in fitted for one in each):
        raise WorkshopError(
            f"no manifest runs the project: none has `image: {cluster.image}`",
            "Write that where the project's own image is meant. Each release puts its own there.",
            path=cluster.manifests[-1],
        )
    return Parts(configuration, fitted)


def _text(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text("utf-8")
    except UnicodeDecodeError as error:
        raise WorkshopError("this is not UTF-8", "Save the file as UTF-8.", path=name) from error
