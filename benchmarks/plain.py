"""The lessons as somebody without our directives would have written them: all of it typed in.

What the directives would show stands there as fenced code, so both builds make the same pages.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

from workshop import transcript
from workshop.sphinxext import checks, diff, hints, listing, step_head, tree, value
from workshop.sphinxext.commands import PROMPT
from workshop.sphinxext.hash import commit
from workshop.sphinxext.material import Material

_FENCE = re.compile(
    r"(?ms)^(?P<indent> *)```\{(?P<name>[\w-]+)\}(?P<words>[^\n]*)\n(?P<body>.*?)^ *```$"
)
_ROLE = re.compile(r"\{(hash|value)\}`([^`]*)`")
_OPTION = re.compile(r"(?m)^ *:([\w-]+): *(.*)\n?")


def write(material: Material, folder: Path) -> None:
    """Write every lesson below `folder`, at the place that it has in the course."""
    for step in material.course.steps:
        source = step.folder / "index.md"
        target = folder / source.relative_to(material.course.root)
        target.parent.mkdir(parents=True)
        target.write_text(_Lesson(material, step.tag).plain(source.read_text("utf-8")), "utf-8")


class _Lesson:
    """One lesson, and how far in its transcript the text has come."""

    def __init__(self, material: Material, tag: str) -> None:
        self._material, self._tag = material, tag
        self._left = list(transcript.read(material.stage(tag).step.folder))

    def plain(self, text: str) -> str:
        """The text with each directive and role replaced by what it shows."""
        return _ROLE.sub(self._role, _FENCE.sub(self._block, text))

    def _block(self, match: re.Match[str]) -> str:
        options = dict(_OPTION.findall(match["body"]))
        tag = self._material.stage(options.get("stage", self._tag)).step.tag
        make = _BLOCKS.get(match["name"])
        if make is None:
            return match[0]
        made = make(self, tag, match["words"].strip(), options, match["body"])
        return textwrap.indent(made.rstrip("\n"), match["indent"])

    def _role(self, match: re.Match[str]) -> str:
        name, _, detail = match[2].partition(":")
        if match[1] == "value":
            return value.value(self._material, name, detail, self._tag)
        tag = self._tag if name in ("", "here") else name
        return f"`{commit(self._material, tag, '' if detail == 'full' else '10')}`"

    def _listing(self, tag: str, path: str, options: Mapping[str, str], _: str) -> str:
        left_out = listing.names(options.get("elide"))
        text = listing.listing(self._material, tag, path, options.get("part", ""), *left_out)
        made = _code(listing.language(path), text, path)
        if not options and listing.new_lines(self._material, tag, path):
            change = _code("diff", diff.diff(self._material, tag, path), path)
            made += (
                f"\n\n~~~~{{dropdown}} The same as an edit: what goes, what comes\n{change}\n~~~~"
            )
        return made

    def _diff(self, tag: str, path: str, options: Mapping[str, str], _: str) -> str:
        left_out = listing.names(options.get("elide"))
        return _code("diff", diff.diff(self._material, tag, path, *left_out), path or tag)

    def _tree(self, tag: str, _: str, options: Mapping[str, str], __: str) -> str:
        layer, hidden = options.get("layer", "").capitalize(), "all" * ("all" in options)
        return _code("text", tree.tree(self._material, tag, layer, hidden))

    def _commands(self, _: str, __: str, options: Mapping[str, str], body: str) -> str:
        typed = [line for line in _OPTION.sub("", body).split("\n") if line]
        wanted = sum(not line.endswith("\\") for line in typed)
        taken = [self._left.pop(0) for _ in range(0 if "platform" in options else wanted)]
        return _code("console", "".join(f"{PROMPT}{each.command}\n{each.output}" for each in taken))

    def _browser(self, *_: object) -> str:
        return _code("text", self._left.pop(0).output)

    def _checks(self, tag: str, *_: object) -> str:
        return checks.checks(self._material, tag)

    def _hints(self, tag: str, *_: object) -> str:
        return self.plain(hints.hints(self._material, tag))

    def _head(self, tag: str, *_: object) -> str:
        return "".join(f"- {line}\n" for line in step_head.head(self._material, tag).split("\n"))


_Block = Callable[[_Lesson, str, str, Mapping[str, str], str], str]
_BLOCKS: Mapping[str, _Block] = {
    "listing": _Lesson._listing,
    "diff": _Lesson._diff,
    "tree": _Lesson._tree,
    "commands": _Lesson._commands,
    "browser": _Lesson._browser,
    "checks": _Lesson._checks,
    "hints": _Lesson._hints,
    "step-head": _Lesson._head,
}


def _code(language: str, text: str, caption: str = "") -> str:
    words = f"\n:caption: {caption}\n" if caption else ""
    return f"```{{code-block}} {language}{words}\n{text.rstrip()}\n```"
