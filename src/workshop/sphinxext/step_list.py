"""`{step-list}`: the table of contents of the course, from step.toml."""

from __future__ import annotations

from docutils import nodes

from workshop.sphinxext.base import WorkshopDirective
from workshop.sphinxext.hash import SHORT, commit
from workshop.sphinxext.material import Material


def steps(material: Material) -> str:
    """A Markdown table: a step a row, its title leading to the lesson."""
    rows = [
        f"| {step.number:02d} | [{step.title}](/steps/{step.folder.name}/index.md) "
        f"| {step.layer} | {step.minutes} | `{commit(material, step.tag, str(SHORT))}` |"
        for step in material.course.steps
    ]
    return "\n".join(["| # | Step | Layer | Minutes | Commit |", "|--|--|--|--:|--|", *rows, ""])


class StepList(WorkshopDirective):
    """All steps at a glance."""

    def content_nodes(self) -> list[nodes.Node]:
        """A table."""
        return self.framed(nodes.container("", *self.parse_text_to_nodes(self.show(steps))))
