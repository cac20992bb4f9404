"""What was put into a cluster: what became ready last, and what was begun since then.

Whoever is killed in the middle clears up nothing. So it is written down before the cluster is told:
the next deploy removes what a killed one has added, and knows what the Secrets held before it.

Both are in one file. So what became ready and what is begun change at once, or neither does. It may
hold what is secret: only its owner can read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from workshop.kubectl import Object
from workshop.production import objects
from workshop.production import place as places
from workshop.production.place import Place

_FILE = "applied.json"

Identity = tuple[str, str]
Held = Mapping[str, Mapping[str, str] | None]  # what Secrets held, see `Namespace.put_secrets`


class Begun(NamedTuple):
    """What was begun and not finished: of which commits, with which objects, and what the Secrets
    held that it changed."""

    commits: tuple[str, ...] = ()
    objects: tuple[Identity, ...] = ()
    secrets: Held = {}  # noqa: RUF012

    def more(self, commit: str, every: Iterable[Object]) -> Begun:
        """The same, and one more commit, as the last one."""
        found = {*self.objects, *map(objects.identity, every)}
        others = (each for each in self.commits if each != commit)
        return self._replace(commits=(*others, commit), objects=tuple(sorted(found)))

    def took(self, before: Held) -> Begun:
        """The same, and more Secrets. What was taken first is what the live release had."""
        return self._replace(secrets={**before, **self.secrets})


class Applied(NamedTuple):
    """What was applied last and became ready, as it was, and what was begun since."""

    objects: tuple[Object, ...] = ()
    begun: Begun = Begun()


def of(place: Place) -> Applied:
    """What the cluster has of a place."""
    known = places.read(place.folder / _FILE) or {}
    begun: Mapping[str, Any] = known.get("begun") or {}
    return Applied(
        tuple(known.get("objects", ())),
        Begun(
            tuple(begun.get("commits", ())),
            tuple((kind, name) for kind, name in begun.get("objects", ())),
            begun.get("secrets", {}),
        ),
    )


def begin(place: Place, begun: Begun) -> None:
    """Write down what is begun. What is ready stays."""
    _write(place, Applied(of(place).objects, begun))


def finish(place: Place, every: Iterable[Object]) -> None:
    """Write down what became ready. Nothing is begun any more."""
    _write(place, Applied(tuple(every)))


def forget(place: Place) -> None:
    """Nothing is there any more."""
    (place.folder / _FILE).unlink(missing_ok=True)


def _write(place: Place, now: Applied) -> None:
    begun = {"begun": now.begun._asdict()} if now.begun != Begun() else {}
    places.write(place.folder / _FILE, {"objects": now.objects, **begun})
