"""`{example}`: Markdown as it is written, and what comes of it. For the directives' own page."""

from __future__ import annotations

from docutils import nodes

from workshop.errors import WorkshopError
from workshop.sphinxext.base import WorkshopDirective


class Example(WorkshopDirective):
    """Its content, twice: as source and as result."""

    has_content = True

    def content_nodes(self) -> list[nodes.Node]:
        """The source, then the result in a frame."""
        if not self.content:
            raise WorkshopError("there is no example", "Write one.")
        result = nodes.container(classes=["example-result"])
        result += self.parse_content_to_nodes()
        source = self.block("\n".join(self.content) + "\n", language="markdown")
        return [nodes.container("", *source, result, classes=["example"])]
