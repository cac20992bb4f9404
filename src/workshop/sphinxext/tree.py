"""`{tree}`: the files of a stage, or those that a layer shows, as the command `tree` draws them."""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.typing import OptionSpec

from workshop import trees
from workshop.errors import WorkshopError
from workshop.history import Stage
from workshop.model import LAYERS
from workshop.sphinxext.base import WorkshopDirective
from workshop.sphinxext.material import Material

COURSE = "steps/course.toml"


def tree(material: Material, tag: str, layer: str = "", hidden: str = "") -> str:
    """The stage's files, hidden ones only with `hidden`; with `layer`, what that layer shows."""
    tag = material.stage(tag).step.tag
    paths = list(material.stages[tag].files)
    if layer:
        return _of_layer(material, tag, paths, layer)
    if not hidden:
        paths = [path for path in paths if "/." not in f"/{path}"]
    if not paths:
        raise WorkshopError(f"{tag} has no files", "Show another stage.")
    return trees.draw(paths)


def _of_layer(material: Material, tag: str, paths: list[str], layer: str) -> str:
    view = material.course.views.get(layer)
    if view is None:
        raise WorkshopError(
            f"nobody has said what the layer {layer} shows",
            f"Write a table [layers.{layer}] in {COURSE}.",
        )
    lacking = trees.lacking(paths, view)
    if lacking:
        raise WorkshopError(
            f"{tag} has no {', '.join(lacking)}, and the layer {layer} shows it",
            f"Show a later stage, or mend [layers.{layer}] in {COURSE}.",
        )
    return trees.draw(trees.shown(paths, view), view.closed)


def last(material: Material) -> str:
    """The tag of the last stage. A page that shows it is read again when there is another one."""
    return material.course.steps[-1].tag


def _layer(argument: str) -> str:
    return str(directives.choice(argument, [layer.lower() for layer in LAYERS])).capitalize()


class Tree(WorkshopDirective):
    """The tree of a stage: the one named, that of the lesson, or else the last one."""

    option_spec: ClassVar[OptionSpec] = {
        **WorkshopDirective.option_spec,
        "layer": _layer,
        "all": directives.flag,
    }

    @property
    def stage(self) -> Stage:
        """The whole project is what other pages speak of, so they need not name a stage."""
        if "stage" in self.options or self.material.step_of(self.env.docname):
            return super().stage
        return self.material.stages[self.show(last)]

    def content_nodes(self) -> list[nodes.Node]:
        """A block of text, and above it of what it is the tree."""
        tag, layer = self.stage.step.tag, self.options.get("layer", "")
        hidden = "all" if "all" in self.options else ""
        if layer and hidden:
            raise WorkshopError(
                "a layer shows what its table names, hidden or not",
                f"Leave out `:all:`, or name a file in [layers.{layer}] in {COURSE}.",
            )
        text = self.show(tree, tag, layer, hidden)
        caption = f"{tag}: {layer}" if layer else tag
        return self.block(
            text, language="text", caption=caption, stage=tag, layer=layer, all=hidden
        )
