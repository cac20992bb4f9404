"""`{step-head}`: what a reader wants to know before a lesson, from step.toml."""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes

from workshop.checks import needs
from workshop.sphinxext.base import WorkshopDirective
from workshop.sphinxext.hash import SHORT, commit
from workshop.sphinxext.material import Material


def head(material: Material, tag: str) -> str:
    """A line per fact: place, layer, time, tag, commit, needs."""
    step = material.stage(tag).step
    numbers = [each.number for each in material.course.steps]
    return "\n".join(
        [
            f"Step {numbers.index(step.number) + 1} of {len(numbers)}",
            step.layer,
            f"{step.minutes} minutes" if step.minutes != 1 else "1 minute",
            step.tag,
            commit(material, tag, str(SHORT)),
            needs.said(step.needs),
        ]
    )


class StepHead(WorkshopDirective):
    """One line under the title of a lesson."""

    def content_nodes(self) -> list[nodes.Node]:
        """A list, so that it is read out as one; CSS puts it on a line."""
        facts = self.show(head, self.stage.step.tag).split("\n")
        place, layer, minutes, tag, commit_hash, wanted = facts
        items = [
            [nodes.Text(place)],
            [nodes.Text("Layer: "), self._layer(layer)],
            [nodes.Text(minutes)],
            [nodes.Text("Tag: "), nodes.literal(tag, tag)],
            [nodes.Text("Commit: "), nodes.literal(commit_hash, commit_hash)],
        ]
        if wanted:
            items.append([nodes.Text(f"Needs: {wanted}")])
        lines = (nodes.list_item("", nodes.paragraph("", "", *item)) for item in items)
        listed = nodes.bullet_list("", *lines, classes=["step-head"])
        return self.framed(listed, stage=self.stage.step.tag)

    def _layer(self, layer: str) -> nodes.Node:
        """The layer's name; a link where the layer has a page."""
        target = f"docs/layers/{layer.lower()}"
        if target not in self.env.found_docs:
            return nodes.Text(layer)
        return addnodes.pending_xref(
            "",
            nodes.inline(layer, layer),
            refdomain="std",
            reftype="doc",
            reftarget=f"/{target}",
            refdoc=self.env.docname,
            refexplicit=True,
            refwarn=True,
        )
