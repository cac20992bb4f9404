"""Where Sphinx keeps what each page shows, so that a page is read again when that changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import ClassVar, cast

from docutils.nodes import reference
from sphinx.application import Sphinx
from sphinx.domains import Domain
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

from workshop.errors import WorkshopError
from workshop.sphinxext import material
from workshop.sphinxext.material import Material

# A pure function from the material and a few words to the text that a page shows.
Shows = Callable[..., str]
Shown = dict[tuple[Shows, tuple[str, ...]], str]


class WorkshopDomain(Domain):
    """The material of this build, and per page the digest of everything it shows.

    Files that a page depends on would not be enough: a step put in between changes every later
    hash and diff, and touches none of their files. So the texts themselves are compared.
    """

    name = "workshop"
    label = "Workshop"
    data_version = 1
    initial_data: ClassVar[dict[str, dict[str, Shown]]] = {"shown": {}}
    material: Material

    def show(self, docname: str, shows: Shows, *words: str) -> str:
        """The text, and a note that the page `docname` shows it. Raises WorkshopError."""
        text = shows(self.material, *words)
        self._shown.setdefault(docname, {})[shows, words] = _digest(text)
        return text

    def outdated(self) -> Iterator[str]:
        """The pages that would show something else today than they did last time."""
        for docname, shown in self._shown.items():
            if any(self._today(shows, words) != then for (shows, words), then in shown.items()):
                yield docname

    def clear_doc(self, docname: str) -> None:
        """Forget a page that is read again, or gone."""
        self._shown.pop(docname, None)

    def merge_domaindata(
        self,
        docnames: Collection[str],
        otherdata: dict[str, dict[str, Shown]],
    ) -> None:
        """Take over what a parallel reader noted."""
        for docname in docnames:
            if docname in otherdata["shown"]:
                self._shown[docname] = otherdata["shown"][docname]

    def resolve_any_xref(self, *_args: object) -> list[tuple[str, reference]]:
        """Nothing: we bring no targets to link to."""
        return []

    @property
    def _shown(self) -> dict[str, Shown]:
        return cast("dict[str, Shown]", self.data["shown"])

    def _today(self, shows: Shows, words: tuple[str, ...]) -> str:
        try:
            return _digest(shows(self.material, *words))
        except WorkshopError:
            return "can't be shown any more"


def of(env: BuildEnvironment) -> WorkshopDomain:
    """The workshop's domain in this build."""
    return cast("WorkshopDomain", env.get_domain(WorkshopDomain.name))


def open_material(app: Sphinx) -> None:
    """Read the course before the first page is read."""
    root = Path(app.config.workshop_course or app.srcdir)
    try:
        of(app.env).material = material.read(root, Path(app.doctreedir).resolve() / "stages")
    except WorkshopError as error:
        raise ExtensionError(str(error)) from error


def find_outdated(
    _app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Tell Sphinx which unchanged pages show something that has changed."""
    return [each for each in of(env).outdated() if each not in added | changed | removed]


def forget_a_bad_build(app: Sphinx, exception: Exception | None) -> None:
    """Let the next build begin anew. Else a page that had a warning is not read again, and green.

    Sphinx keeps what it has read even when a warning makes the build fail.
    """
    if exception is not None or app._warncount:
        (Path(app.doctreedir) / "environment.pickle").unlink(missing_ok=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
