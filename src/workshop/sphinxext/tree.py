"""`{tree}`: the files of a stage, as the command `tree` draws them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.typing import OptionSpec

from workshop.errors import WorkshopError
from workshop.history import File, Stage
from workshop.model import LAYERS, Course
from workshop.sphinxext.base import WorkshopDirective
from workshop.sphinxext.material import Material

Folder = dict[str, "Folder | None"]  # a file is None


def tree(material: Material, tag: str, layer: str = "", hidden: str = "") -> str:
    """The stage's files, hidden ones only with `hidden`; with `layer`, what its steps wrote."""
    tag = material.stage(tag).step.tag
    paths = sorted(
        path
        for path in written_by(material.course, material.stages, tag, layer)
        if hidden or not any(name.startswith(".") for name in path.split("/"))
    )
    if not paths:
        of_layer = f" of the layer {layer}" if layer else ""
        raise WorkshopError(f"{tag} has no files{of_layer}", "Show another stage.")
    return draw(paths)


def written_by(course: Course, stages: Mapping[str, Stage], tag: str, layer: str = "") -> set[str]:
    """The files of a stage; with `layer`, those that a step of this layer has written."""
    present = stages[tag].files
    if not layer:
        return set(present)
    written: set[str] = set()
    before: Mapping[str, File] = {}
    for step in course.steps:
        files = stages[step.tag].files
        if step.layer == layer:
            written |= {path for path, file in files.items() if before.get(path) != file}
        before = files
        if step.tag == tag:
            break
    return written & set(present)


def draw(paths: Iterable[str]) -> str:
    """What `tree` prints for these files, the count included. The top folder is not counted."""
    top: Folder = {}
    for path in paths:
        *folders, name = path.split("/")
        inside = top
        for folder in folders:
            deeper = inside.setdefault(folder, {})
            assert deeper is not None  # git has no file and folder of one name
            inside = deeper
        inside[name] = None
    lines = list(_lines(top, ""))
    directories = sum(1 for _ in _folders(top))
    files = len(lines) - directories
    return "\n".join(
        [
            ".",
            *lines,
            "",
            f"{directories} {'directory' if directories == 1 else 'directories'}, "
            f"{files} {'file' if files == 1 else 'files'}",
            "",
        ]
    )


def _lines(folder: Folder, indent: str) -> Iterator[str]:
    names = sorted(folder, key=_order)
    for name in names:
        last = name == names[-1]
        yield f"{indent}{'└── ' if last else '├── '}{name}"
        inside = folder[name]
        if inside is not None:
            yield from _lines(inside, indent + ("    " if last else "│   "))


def _folders(folder: Folder) -> Iterator[Folder]:
    for inside in folder.values():
        if inside is not None:
            yield inside
            yield from _folders(inside)


def _order(name: str) -> tuple[str, str]:
    # as `tree` sorts in an English locale: capitals, dots and underscores count for nothing
    return "".join(each for each in name.casefold() if each.isalnum()), name


def _layer(argument: str) -> str:
    return str(directives.choice(argument, [layer.lower() for layer in LAYERS])).capitalize()


class Tree(WorkshopDirective):
    """The tree of a stage."""

    option_spec: ClassVar[OptionSpec] = {
        **WorkshopDirective.option_spec,
        "layer": _layer,
        "all": directives.flag,
    }

    def content_nodes(self) -> list[nodes.Node]:
        """A block of text."""
        tag, layer = self.stage.step.tag, self.options.get("layer", "")
        hidden = "all" if "all" in self.options else ""
        text = self.show(tree, tag, layer, hidden)
        return self.block(text, language="text", stage=tag, layer=layer, all=hidden)
