"""{hash}`01-commit-one`: the commit of a stage, ten characters of it, or all with `:full`."""

from __future__ import annotations

from docutils import nodes

from workshop.sphinxext.base import WorkshopRole
from workshop.sphinxext.material import Material

SHORT = 10  # characters, as `workshop build` prints them


def commit(material: Material, tag: str, length: str = "") -> str:
    """The full hash of the stage's commit, or its first characters."""
    return material.commits[material.stage(tag).step.tag][: int(length) if length else None]


class HashRole(WorkshopRole):
    """The hash of a stage's commit: the same on every machine."""

    def node(self) -> nodes.Node:
        """The hash as code, with the whole of it as its title."""
        name, _, form = self.text.partition(":")
        tag = self.stage(name).step.tag
        text = self.show(commit, tag, "" if form == "full" else str(SHORT))
        return nodes.literal(text, text, classes=["hash"])
