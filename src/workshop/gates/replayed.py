"""What the robot has proven is not proven again while nothing that it depends on has changed.

A replay depends on what the lessons show, the stages, each step's own files, and the whole engine
with its tools. All of that makes the key under which a green result is kept in the workshop's home.
Prose is not in it, nor which mutants survive: a robot reads neither. Red results are kept nowhere.

What a machine lacks is not in the key, either. It stands beside the result, as what was skipped: a
replay that could do all, or more than could be done today, need not be done again for less.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from workshop import git, keys, store, survivors
from workshop.gates.page import Block
from workshop.gates.result import Result
from workshop.gates.truth import Truth
from workshop.model import Finding

_KEPT = "replayed"
_HINT = "$ workshop hint"
# What the robot never asks for; what is shown of a lesson stands in the blocks.
_UNREAD = {"index.md", "trainer.md", "transcript.txt", survivors.FILE}


def key(truth: Truth, blocks: Sequence[Block]) -> str:
    """The hash over all that a replay depends on."""
    course = truth.course
    package = Path(__file__).parent.parent
    drawn = set((package / "sphinxext").rglob("*.py"))  # what it does is in the blocks
    engine = [file for file in keys.sources(package) if file not in drawn]
    lessons = [
        block
        for block in blocks
        if block.page.startswith("steps/") and block.page.endswith("/index.html")
    ]
    read = any(_HINT in block.text for block in lessons)  # else nobody asks for a hint
    own = sorted(
        file
        for step in course.steps
        for file in step.folder.iterdir()
        if file.is_file() and file.name not in _UNREAD and (read or file.name != "hints.md")
    )
    return keys.digest(
        sys.version, course.platform, git.text("--version", cwd=course.root),
        keys.tools(),
        *(file.read_bytes() for file in engine),
        (course.root / "steps" / "course.toml").read_bytes(),
        *(truth.tree(step.tag) for step in course.steps),
        *((file.name, file.read_bytes()) for file in own),
        *((each.page, each.text, sorted(each.claims.items()), each.caption) for each in lessons),
    )  # fmt: skip


def kept(key: str, skipped: tuple[Finding, ...] = ()) -> Result | None:
    """The result of a replay with this key, if one was green that skipped nothing but what is in
    `skipped`: what can't be done today."""
    try:
        value = store.read(_KEPT, key) or {}
        then = tuple(Finding(*each) for each in value["skipped"])
        result = Result(str(value["gate"]), int(value["proven"]), skipped=then)
    except (ValueError, KeyError, TypeError):
        return None
    return result if set(then) <= set(skipped) else None


def keep(key: str, result: Result, skipped: tuple[Finding, ...] = ()) -> None:
    """Keep how much a green replay has proven. `skipped` is what could not be done, as it was
    looked up: a replay that has left out anything else is not kept."""
    if not result.green or result.skipped != skipped:
        return
    value = {
        "gate": result.gate,
        "proven": result.proven,
        "skipped": [(each.where, each.fact) for each in skipped],
    }
    store.write(_KEPT, key, value)
