"""`{diff}`: what a step changes, as git shows it: whole, or one file."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.typing import OptionSpec

from workshop import git
from workshop.errors import WorkshopError
from workshop.sphinxext.base import WorkshopDirective
from workshop.sphinxext.listing import elision, names
from workshop.sphinxext.material import Material

# What git calls a tree without files: the start of the first step.
_NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def diff(material: Material, tag: str, path: str = "", *left_out: str) -> str:
    """The output of `git diff` between the start of a step and its stage, whole or one file.

    Instead of each file that is left out, there is one line.
    """
    stage = material.stage(tag)
    before = material.before(stage)
    old = before.step.tag if before else _NOTHING
    known = stage.files.keys() | (before.files.keys() if before else set())
    if path and path not in known:
        raise WorkshopError(f"neither {tag} nor its start has a file {path}", "Check the path.")
    by_file = dict(_by_file(material.repository, old, tag, renames=not path))
    if not by_file or (path and path not in by_file):
        raise WorkshopError(
            f"{tag} does not change {path or 'anything'}", "Show a file that it changes."
        )
    if path:
        by_file = {path: by_file[path]}
    for name in left_out:
        if name not in by_file:
            raise WorkshopError(
                f"{name} can't be left out of this diff", f"It has: {', '.join(by_file)}"
            )
        by_file[name] = elision(name, by_file[name].count("\n"))
    return "".join(by_file.values())


@functools.cache  # a lesson shows many files of one diff; the folder's name tells its content
def _by_file(repository: Path, old: str, new: str, *, renames: bool) -> Mapping[str, str]:
    """What git says of all files at once. One file by itself is never a renamed one."""
    text = git.run(
        "-c", "core.quotePath=false",
        "diff", "--no-color", "--no-ext-diff", "--no-textconv",
        "--find-renames" if renames else "--no-renames", old, new, "--",
        cwd=repository,
    ).decode(errors="replace")  # fmt: skip
    return files(text)


def files(text: str) -> dict[str, str]:
    """A diff in pieces, by the name that each file has after it."""
    pieces = re.split(r"(?m)^(?=diff --git )", text)[1:]
    return {re.split(r" b/", piece.split("\n", 1)[0])[-1]: piece for piece in pieces}


class Diff(WorkshopDirective):
    """The diff of a step."""

    optional_arguments = 1
    option_spec: ClassVar[OptionSpec] = {
        **WorkshopDirective.option_spec,
        "elide": directives.unchanged_required,
    }

    def content_nodes(self) -> list[nodes.Node]:
        """A block, captioned with the command that a learner can type to see the same."""
        stage = self.stage
        path = self.arguments[0] if self.arguments else ""
        left_out = names(self.options.get("elide"))
        text = self.show(diff, stage.step.tag, path, *left_out)
        before = self.material.before(stage)
        caption = path or f"{stage.step.tag}: all of it is new"
        if before:
            caption = " ".join(["git diff", before.step.tag, stage.step.tag, path]).strip()
        return self.block(
            text,
            language="diff",
            caption=caption,
            stage=stage.step.tag,
            path=path,
            elide=", ".join(left_out),
        )
