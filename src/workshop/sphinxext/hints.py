"""`{hints}`: the hints of a step, folded away: one line a check, one hint at a time."""

from __future__ import annotations

import re

from docutils import nodes

from workshop.errors import WorkshopError
from workshop.hints import parse
from workshop.sphinxext.base import WorkshopDirective
from workshop.sphinxext.checks import sentences
from workshop.sphinxext.material import Material

_FENCE = "~" * 10  # longer than any inside a hint; behind backticks no backtick may stand


def hints(material: Material, tag: str) -> str:
    """The hints of each check, as Markdown: a dropdown a check, in it a dropdown a hint."""
    step = material.stage(tag).step
    file = step.folder / "hints.md"
    if not file.is_file():
        raise WorkshopError(f"{tag} has no hints.md", "Write it, or leave this out.")
    by_check = parse(file.read_text(encoding="utf-8"))
    blocks = []
    for check, sentence in sentences(material, tag).items():
        if check not in by_check:
            raise WorkshopError(f"hints.md of {tag} has no hints for {check}", "Write them.")
        inner = "".join(
            f"{_FENCE}{{dropdown}} Hint {number}\n{_at(text, tag)}\n{_FENCE}\n"
            for number, text in enumerate(by_check[check], 1)
        )
        blocks.append(f"~{_FENCE}{{dropdown}} {sentence}\n{inner}~{_FENCE}\n")
    return "\n".join(blocks)


def _at(text: str, tag: str) -> str:
    """The hint, with the stage in each directive: hints are shown on other pages, too."""
    return re.sub(r"(?m)^(```\{(?:listing|diff)\}.*)$", rf"\1\n:stage: {tag}", text)


class Hints(WorkshopDirective):
    """The hints of a step. A reader who wants none sees none."""

    def content_nodes(self) -> list[nodes.Node]:
        """Dropdowns in dropdowns."""
        box = nodes.container(classes=["hints"])
        tag = self.stage.step.tag
        box += self.parse_text_to_nodes(self.show(hints, tag))
        return self.framed(box, stage=tag)
