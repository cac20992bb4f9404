"""Rendered equality: what a block shows is, byte for byte, what stands where it says."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from workshop.errors import WorkshopError
from workshop.gates import drawn
from workshop.gates.page import Block
from workshop.gates.result import Result
from workshop.gates.truth import Truth, by_file
from workshop.model import Finding

NAME = "equality"
_ELISION = re.compile(r"\[… (.+): (\d+) lines?\]")
_EXAMPLE = re.compile(r"(?ms)^(`{3,}|~{3,}|:{3,})\{example\}[ \t]*\n(.*?)^\1[ \t]*$")


def prove(truth: Truth, blocks: Sequence[Block]) -> Result:
    """Hold every listing, diff and tree against its stage, and every example against its source."""
    findings = []
    proven = 0
    for block in blocks:
        expect = _EXPECTED.get(block.claim("shows"))
        if expect is None:
            continue
        proven += 1
        try:
            fact = _captioned(truth, block) or expect(truth, block)
        except (WorkshopError, KeyError, ValueError, OSError) as error:
            fact = f"it claims what is not there: {error}"
        if fact:
            findings.append(Finding(block.where, fact))
    return Result(NAME, proven, tuple(findings))


def _captioned(truth: Truth, block: Block) -> str:
    """Whether the caption, which is all that a reader sees of the claim, says the same."""
    path, part, tag = block.claim("path"), block.claim("part"), block.claim("stage")
    wanted = path
    if block.claim("shows") == "tree":
        wanted = ": ".join(filter(None, [tag, block.claim("layer")]))
    elif block.claim("shows") == "listing" and part:
        wanted = f"{path} ({part})"
    elif block.claim("shows") == "diff" and truth.start(tag):
        wanted = " ".join(["git diff", truth.start(tag), tag, path]).strip()
    elif block.claim("shows") == "diff":
        wanted = path or f"{tag}: all of it is new"
    return "" if block.caption == wanted else f"above it stands {block.caption!r}, not {wanted!r}"


def _listing(truth: Truth, block: Block) -> str:
    from workshop import parts  # where a part begins and ends has one meaning

    path = block.claim("path")
    text = truth.stages[block.claim("stage")].files[path].data.decode()
    lines = text.splitlines(keepends=True)
    first, end = parts.span(path, text, block.claim("part")) if block.claim("part") else (0, None)
    spans = {name: slice(*parts.span(path, text, name)) for name in _elided(block)}
    cut = {name: "".join(lines[span]) for name, span in spans.items()}
    return _compare(block, cut, "".join(lines[first:end]))


def _diff(truth: Truth, block: Block) -> str:
    text = truth.diff(block.claim("stage"), path=block.claim("path"))
    if not text:
        return f"{block.claim('stage')} does not change {block.claim('path') or 'anything'}"
    return _compare(block, by_file(text), text)


def _tree(truth: Truth, block: Block) -> str:
    """The drawing, read back as paths, holds the stage's files, or what the layer shows of them."""
    files, layer = set(truth.stages[block.claim("stage")].files), block.claim("layer")
    if layer:
        return drawn.wrong(block.text, *drawn.of_view(files, truth.course.views[layer]))
    return drawn.wrong(block.text, files if block.claim("all") else drawn.visible(files))


def _example(truth: Truth, block: Block) -> str:
    source = (truth.course.root / Path(block.page).with_suffix(".md")).read_text(encoding="utf-8")
    written = [match[2] for match in _EXAMPLE.finditer(source)]
    return "" if block.text in written else "the source of this page has no such example"


def _source(truth: Truth, block: Block) -> str:
    from workshop import parts

    path = block.claim("path")
    text = (truth.course.root / path).read_text(encoding="utf-8")
    first, end = parts.span(path, text, block.claim("part")) if block.claim("part") else (0, None)
    return _compare(block, {}, "".join(text.splitlines(keepends=True)[first:end]))


def _elided(block: Block) -> list[str]:
    return [name for name in block.claim("elide").split(", ") if name]


def _compare(block: Block, cut: Mapping[str, str], expected: str) -> str:
    """The text with the declared parts put back in, in their order, against what is expected."""
    names = _elided(block)
    whole = ""
    for line in block.text.splitlines(keepends=True):
        match = _ELISION.fullmatch(line.rstrip("\n"))
        if match is None:
            whole += line
        elif not names or match[1] != names[0]:
            return f"{match[1]} is left out, and that is not declared here"
        elif int(match[2]) != cut[match[1]].count("\n"):
            return f"{match[1]} has {cut[match[1]].count(chr(10))} lines, not {match[2]}"
        else:
            whole += cut[names.pop(0)]
    if names:
        return f"{names[0]} is declared as left out, and is not"
    if whole == expected:
        return ""
    pairs = itertools.zip_longest(whole.splitlines(True), expected.splitlines(True), fillvalue="")
    at, one, other = next((at, *pair) for at, pair in enumerate(pairs, 1) if pair[0] != pair[1])
    return f"line {at} is {one!r}, and should be {other!r}"


_EXPECTED: Mapping[str, Callable[[Truth, Block], str]] = {
    "listing": _listing,
    "diff": _diff,
    "tree": _tree,
    "example": _example,
    "source": _source,
}
SHOWN = frozenset(_EXPECTED)
