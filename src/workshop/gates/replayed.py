"""What the robot has proven is not proven again while nothing that it depends on has changed.

A replay depends on what the lessons show, the stages, each step's own files, and the whole engine
with its tools. All of that makes the key under which a green result is kept in the workshop's home.
Prose is not in it: a robot reads none. Red results are kept nowhere.

What a machine lacks is not in the key, either. It stands beside the result, as what was skipped: a
replay that could do all, or more than could be done today, need not be done again for less.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from workshop import git, keys, paths
from workshop.gates.page import Block
from workshop.gates.result import Result
from workshop.gates.truth import Truth
from workshop.model import Finding

_HINT = "$ workshop hint"
_PROSE = {"index.md", "trainer.md", "transcript.txt"}  # what is shown of it stands in the blocks


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
        if file.is_file() and file.name not in _PROSE and (read or file.name != "hints.md")
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
        value = json.loads(_file(key).read_text(encoding="utf-8"))
        then = tuple(Finding(*each) for each in value["skipped"])
        result = Result(str(value["gate"]), int(value["proven"]), skipped=then)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return result if set(then) <= set(skipped) else None


def keep(key: str, result: Result, skipped: tuple[Finding, ...] = ()) -> None:
    """Keep how much a green replay has proven. `skipped` is what could not be done, as it was
    looked up: a replay that has left out anything else is not kept."""
    if not result.green or result.skipped != skipped:
        return
    file = _file(key)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    value = {
        "gate": result.gate,
        "proven": result.proven,
        "skipped": [(each.where, each.fact) for each in skipped],
    }
    part.write_text(json.dumps(value), encoding="utf-8")
    part.replace(file)


def _file(key: str) -> Path:
    return paths.home() / "verified" / f"replay-{key}.json"
