"""Variants: a tab for another platform is executed there, or is counted as not executed here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from workshop.gates.page import Block, of_lesson
from workshop.gates.result import Result
from workshop.model import Course, Finding

NAME = "variants"
_PROMPT = "$ "
PLATFORMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


def here() -> str:
    """The name of this platform, as the option `platform` of `{commands}` has it."""
    return PLATFORMS.get(sys.platform, sys.platform).lower()


def prove(course: Course, blocks: Sequence[Block]) -> Result:
    """Commands in a tab say for which platform they are; those for others are listed as skipped.

    They must stand in the page's source, each one, and no output below: it was seen nowhere.
    """
    findings, skipped, proven = [], [], 0
    for block in blocks:
        if block.claim("shows") != "commands":
            continue
        proven += 1
        platform = block.claim("platform")
        if fact := _wrong(course, block):
            findings.append(Finding(block.where, fact))
        elif platform and platform != here():
            skipped.append(Finding(block.where, f"for {platform}: not executed on {here()}"))
    return Result(NAME, proven, tuple(findings), tuple(skipped))


def _wrong(course: Course, block: Block) -> str:
    platform, known = block.claim("platform"), [name.lower() for name in PLATFORMS.values()]
    if not platform:
        return "a tab does not say for which platform it is" if "tab" in block.places else ""
    if platform not in known:
        return f"there is no platform {platform}: it is one of {', '.join(known)}"
    source = _source(course, block)
    goes_on = False
    for line in block.text.removesuffix("\n").split("\n"):
        if not goes_on and not line.startswith(_PROMPT):
            return f"a variant shows an output: {line!r}"
        written = line if goes_on else line.removeprefix(_PROMPT)
        if written.strip() not in source:
            return f"the source of this page has no such command: {written!r}"
        goes_on = line.endswith("\\")
    return ""


def _source(course: Course, block: Block) -> list[str]:
    """The lines of the page's source, as a reader sees them, without what they are indented by."""
    text = (course.root / Path(block.page).with_suffix(".md")).read_text(encoding="utf-8")
    step = next((each for each in course.steps if of_lesson((block,), each)), None)
    if step is not None:
        text = text.replace("{message}", step.message.splitlines()[0])
    return [line.strip() for line in text.split("\n")]
