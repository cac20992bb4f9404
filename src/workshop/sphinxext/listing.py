"""`{listing} PATH`: a file of a stage, or a part of it."""

from __future__ import annotations

import difflib
import functools
from pathlib import PurePosixPath
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx.util.typing import OptionSpec

from workshop import parts
from workshop.errors import WorkshopError
from workshop.sphinxext.base import WorkshopDirective
from workshop.sphinxext.material import Material

_LANGUAGES = {".rst": "rst", ".txt": "text", ".in": "text"}  # where the name says too little


def listing(material: Material, tag: str, path: str, part: str = "", *left_out: str) -> str:
    """The text of a file, or of its part, byte for byte; a line instead of each part left out."""
    text = material.text(tag, path)
    lines = text.splitlines(keepends=True)
    first, end = parts.span(path, text, part) if part else (0, len(lines))
    shown: list[str] = []
    for name in left_out:
        begins, ends = parts.span(path, text, name)
        if not first <= begins < ends <= end:
            raise WorkshopError(
                f"{name} can't be left out of {path} here", "Name parts that are shown, in order."
            )
        shown += [*lines[first:begins], elision(name, ends - begins)]
        first = ends
    return "".join([*shown, *lines[first:end]])


def elision(name: str, count: int) -> str:
    """The line that stands for lines left out."""
    return f"[… {name}: {count} {'line' if count == 1 else 'lines'}]\n"


def names(argument: str | None) -> tuple[str, ...]:
    """What the option `elide` names, separated by commas."""
    return tuple(name.strip() for name in (argument or "").split(",") if name.strip())


def new_lines(material: Material, tag: str, path: str, part: str = "") -> str:
    """The numbers, counted from 1, of the lines that the step adds to a file it found there.

    Separated by spaces. Nothing for a new file, or when every line is new: that says nothing.
    """
    before = material.before(material.stage(tag))
    if before is None or path not in before.files:
        return ""
    text = material.text(tag, path)
    lines = text.splitlines()
    first, end = parts.span(path, text, part) if part else (0, len(lines))
    old = before.files[path].data.decode(errors="replace").splitlines()
    added = [
        number + 1 - first
        for kind, _, _, start, stop in difflib.SequenceMatcher(
            None, old, lines, autojunk=False
        ).get_opcodes()
        if kind != "equal"
        for number in range(start, stop)
        if first <= number < end
    ]
    # an old empty line between two new ones is no news to a reader
    added += [
        number
        for number in range(2, end - first)
        if not lines[first + number - 1].strip() and {number - 1, number + 1} <= set(added)
    ]
    numbers = sorted(set(added))
    return "" if len(numbers) == end - first else " ".join(map(str, numbers))


@functools.cache  # Pygments looks through some 600 languages each time
def language(path: str) -> str:
    """What Pygments calls the language of this file."""
    suffix = PurePosixPath(path).suffix
    if suffix in _LANGUAGES:
        return _LANGUAGES[suffix]
    try:
        return str(get_lexer_for_filename(path).aliases[0])
    except (ClassNotFound, IndexError):
        return "text"


class Listing(WorkshopDirective):
    """A file of a stage. What the step changes in it is marked."""

    required_arguments = 1
    option_spec: ClassVar[OptionSpec] = {
        **WorkshopDirective.option_spec,
        "part": directives.unchanged_required,
        "elide": directives.unchanged_required,
    }

    def content_nodes(self) -> list[nodes.Node]:
        """A block with the file's name as its caption."""
        path, part, tag = self.arguments[0], self.options.get("part", ""), self.stage.step.tag
        left_out = names(self.options.get("elide"))
        text = self.show(listing, tag, path, part, *left_out)
        # with lines left out, the numbers of the new ones would be wrong
        changed = [] if left_out else self.show(new_lines, tag, path, part).split()
        shown = self.block(
            text,
            language=language(path),
            caption=f"{path} ({part})" if part else path,
            emphasized=tuple(map(int, changed)),
            stage=tag,
            path=path,
            part=part,
            elide=", ".join(left_out),
        )
        whole = not part and not left_out and "stage" not in self.options
        return [*shown, *(self._folded_diff(path) if whole and self._changes(path) else [])]

    def _changes(self, path: str) -> bool:
        """Whether the step found this file, and leaves it otherwise."""
        before = self.material.before(self.stage)
        old = before.files.get(path) if before is not None else None
        return old is not None and old != self.stage.files[path]

    def _folded_diff(self, path: str) -> list[nodes.Node]:
        """For whoever edits instead of copying: what goes, and what comes."""
        inner = f"```{{diff}} {path}\n```\n"
        return self.parse_text_to_nodes(
            f"~~~~{{dropdown}} The same as an edit: what goes, what comes\n{inner}~~~~\n"
        )
