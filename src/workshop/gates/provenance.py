"""Provenance: every block of code on every page comes from somewhere that can't drift."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from workshop.gates import sources, spelled
from workshop.gates.page import Block
from workshop.gates.result import Result
from workshop.gates.waivers import Waivers
from workshop.model import Finding

NAME = "provenance"
# What our directives claim, and which gate holds them to it.
KNOWN = {
    "listing": "equality",
    "diff": "equality",
    "tree": "equality",
    "example": "equality",
    "source": "equality",
    "commands": "replay",
    "browser": "replay",
}
_REFERENCE = "docs/reference/cli.md"


def prove(root: Path, blocks: Sequence[Block], waivers: Waivers) -> Result:
    """No block that a person typed, but for the few that are let through with a reason.

    A lesson's commands are typed by the robot. In its hints, and on any other page, nobody types
    them, so there each must at least be one that the command line knows.
    """
    findings, proven = [], 0
    for block in blocks:
        if block.page in sources.GENERATED:
            continue
        source = _source(root, block.page)
        fact = _fact(root, source, block)
        if not fact or waivers.allow(NAME, source, block.text):
            proven += 1
        else:
            findings.append(Finding(block.where, f"{fact}: {block.text.strip()[:60]!r}"))
    return Result(NAME, proven, tuple(findings))


def _fact(root: Path, source: str, block: Block) -> str:
    shows = block.claim("shows")
    is_done = _is_lesson(source) and not block.is_hint
    if shows == "commands" and not is_done:
        return spelled.wrong(block.text, root)
    if shows == "browser" and not is_done:
        return "nobody opens it, so nothing was seen"
    if shows in KNOWN:
        return ""
    if shows:
        return f"no gate knows what `{shows}` is"
    if source.endswith(".ipynb"):
        if "output" in block.places:
            return ""  # what the notebook printed when it was executed for this page
        if "cell" in block.places and block.text.strip() in _cells(root / source):
            return ""
    if source == _REFERENCE and " ".join(block.text.split()) in spelled.usages():
        return ""  # what the parser itself says
    return "typed by hand"


def _source(root: Path, page: str) -> str:
    """The source of a rendered page, relative to the course's folder."""
    stem = PurePosixPath(page)
    for suffix in (".md", ".ipynb"):
        if (root / stem.with_suffix(suffix)).is_file():
            return str(stem.with_suffix(suffix))
    return page


def _is_lesson(source: str) -> bool:
    return source.startswith("steps/") and source.endswith("/index.md")


def _cells(notebook: Path) -> list[str]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]).strip() for cell in cells if cell["cell_type"] == "code"]
