"""The sealed secrets of a release, opened as a controller in a cluster opens them.

Both targets ask here. What is sealed for another namespace, or to keys of somebody else, stays
closed, and that is told: the secret that was made for the environment goes on to serve. So a
stranger's clone deploys, too. What is damaged, or was never sealed, ends the deploy.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from workshop.errors import WorkshopError
from workshop.production import Report
from workshop.production.place import Place


class Unsealed(NamedTuple):
    """The values that are open, by Secret and key; which of them an old key has opened; and what a
    person must know of those that stay closed."""

    secrets: Mapping[str, Mapping[str, str]]
    old: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()

    @property
    def variables(self) -> dict[str, str]:
        """All values, by their keys alone: for whoever has one place for all of them."""
        return {key: value for each in self.secrets.values() for key, value in each.items()}


_NONE = Unsealed({})


def of(place: Place, names: Sequence[str], commit: str) -> Unsealed:
    """The sealed secrets that a commit has, in these files, for this environment. Raises
    WorkshopError for what is none, and for a value that no variable can hold."""
    folder = place.releases / commit
    there = tuple(name for name in names if (folder / name).is_file())
    return _of(place, folder, there) if there else _NONE


def tell(found: Unsealed, report: Report) -> None:
    """Say what was opened, and what was not."""
    for name, values in found.secrets.items():
        report("secrets", f"opened: {name} ({', '.join(values)})")
    for each in found.old:
        report("secrets", each)
    for each in found.closed:
        report("not opened", each)


@functools.cache  # a release never changes, and a command asks for its secrets several times
def _of(place: Place, folder: Path, names: tuple[str, ...]) -> Unsealed:
    from workshop import sealed
    from workshop.production import namespace, sealer

    keys = [pair.private for pair in sealer.pairs(place.project)]
    here = namespace.called(place)
    secrets: dict[str, dict[str, str]] = {}
    closed: list[tuple[str, WorkshopError]] = []
    old = []
    for name in names:
        found = sealed.opened_here((folder / name).read_bytes(), keys, path=name, namespace=here)
        for each in found.opened:
            values = secrets.setdefault(each.place.name, {})
            values.update((key, _text(value, key, name)) for key, value in each.values.items())
            if each.old:
                old.append(f"an old key opens {', '.join(each.old)}. Seal it anew: {name}")
        closed += found.closed
    return Unsealed(secrets, tuple(old), tuple(_stay(closed, secrets)))


def _stay(
    closed: Sequence[tuple[str, WorkshopError]], opened: Mapping[str, object]
) -> Iterator[str]:
    for secret, error in closed:
        if secret not in opened:
            yield (
                f"{secret}. What was there before stays.\n"
                f"{error.path}:\n{error.fact}.\n{error.remedy}"
            )


def _text(value: bytes, key: str, name: str) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise WorkshopError(
            f"the value of {key} is no text, and a variable can't hold it",
            "Seal it in base64, and let the application decode it.",
            path=name,
        )
    return text
