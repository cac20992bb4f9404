"""`{source} PATH`: a file of this repository, or a part of it: for pages about the workshop."""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.typing import OptionSpec

from workshop import parts
from workshop.errors import WorkshopError
from workshop.sphinxext.base import WorkshopDirective
from workshop.sphinxext.listing import language
from workshop.sphinxext.material import Material


def source(material: Material, path: str, part: str = "") -> str:
    """The text of a file, found from the course's folder, or of a part of it."""
    file = material.course.root / path
    if not file.is_file():
        raise WorkshopError(f"there is no file {path}", "Write its path from the top folder.")
    text = file.read_text(encoding="utf-8")
    if not part:
        return text
    first, end = parts.span(path, text, part)
    return "".join(text.splitlines(keepends=True)[first:end])


class Source(WorkshopDirective):
    """A file of this repository."""

    required_arguments = 1
    option_spec: ClassVar[OptionSpec] = {"part": directives.unchanged_required}

    def content_nodes(self) -> list[nodes.Node]:
        """A block with the file's name as its caption."""
        path, part = self.arguments[0], self.options.get("part", "")
        text = self.show(source, path, part)
        return self.block(text, language=language(path), caption=path, path=path, part=part)
