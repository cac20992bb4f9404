"""`{checks}`: what a step's checks want, in the sentences that `workshop check` prints."""

from __future__ import annotations

from docutils import nodes

from workshop import lint
from workshop.errors import WorkshopError
from workshop.sphinxext.base import WorkshopDirective
from workshop.sphinxext.material import Material


def sentences(material: Material, tag: str) -> dict[str, str]:
    """The docstring of each check, as one line, by the check's name."""
    step = material.stage(tag).step
    found = {
        check.name: " ".join(check.sentence.split())
        for file in step.tests
        for check in lint.checks(file)
    }
    if not found:
        raise WorkshopError(f"{tag} has no checks", "Write them, or leave this out.")
    return found


def checks(material: Material, tag: str) -> str:
    """The sentences, as a Markdown list."""
    return "".join(f"- {sentence}\n" for sentence in sentences(material, tag).values())


class Checks(WorkshopDirective):
    """The checks of a step."""

    def content_nodes(self) -> list[nodes.Node]:
        """A list of sentences."""
        box = nodes.container(classes=["checks"])
        tag = self.stage.step.tag
        box += self.parse_text_to_nodes(self.show(checks, tag))
        return self.framed(box, stage=tag)
