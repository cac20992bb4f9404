"""Coverage: whatever a step changes is shown in its lesson, deletions and modes too."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from workshop.errors import WorkshopError
from workshop.gates.page import Block, to_do
from workshop.gates.result import Result
from workshop.gates.truth import Truth, by_file
from workshop.gates.waivers import Waivers
from workshop.history import Stage
from workshop.model import Finding

NAME = "coverage"
_HUNK = re.compile(r"(?m)^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@.*$")


_GOES = "the file goes"


class Hunk(NamedTuple):
    """One change of a file: the numbers of the lines that go, and of those that come.

    `what` says it where the lines don't: a file that goes, one without lines that comes, a mode.
    """

    path: str
    gone: range
    new: range
    what: str = ""

    def __str__(self) -> str:
        if self.what:
            return f"{self.path}: {self.what}"
        first = self.new.start if self.new else self.gone.start
        return f"{self.path}:{first}: {len(self.gone)} lines go, {len(self.new)} come"


def prove(truth: Truth, blocks: Sequence[Block], waivers: Waivers) -> Result:
    """Every hunk of every step is shown in the step's own lesson, or waived with a reason.

    Of what is each project's own, the command that makes it is shown.
    """
    findings, proven = [], 0
    for step in truth.course.steps:
        lesson = to_do(tuple(blocks), step)
        stage, page = truth.stages[step.tag], f"steps/{step.folder.name}/index.md"
        for hunk in hunks(truth.diff(step.tag, "-U0", "--no-renames")):
            proven += 1
            own = step.own.get(hunk.path)
            shown = _typed(own, lesson) if own else _shown(hunk, lesson, stage)
            if not shown and not waivers.allow(NAME, page, str(hunk)):
                findings.append(Finding(page, f"not shown: {hunk}"))
    return Result(NAME, proven, tuple(findings))


def hunks(diff: str) -> Iterator[Hunk]:
    """The hunks of a diff without context."""
    for path, piece in by_file(diff).items():
        head = piece.split("\n@@", 1)[0]
        found = list(_HUNK.finditer(piece))
        if "\ndeleted file mode " in head:
            yield Hunk(path, range(0), range(0), _GOES)
            continue
        for match in found:
            yield Hunk(path, _lines(match[1], match[2]), _lines(match[3], match[4]))
        if "\nnew file mode " in head and not found:
            yield Hunk(path, range(0), range(0), "a file without content comes")
        if "\nnew mode " in head or "\nnew file mode 100755" in head:
            yield Hunk(path, range(0), range(0), "it becomes executable, or is no longer")


def _lines(first: str, count: str | None) -> range:
    number = int(count) if count is not None else 1
    return range(int(first), int(first) + number)


def _typed(words: str, lesson: Sequence[Block]) -> bool:
    """Whether a reader types this command of the workshop."""
    consoles = (block.text for block in lesson if block.claim("shows") == "commands")
    return any(f"$ workshop {words} " in " ".join(text.split()) for text in consoles)


def _shown(hunk: Hunk, lesson: Sequence[Block], stage: Stage) -> bool:
    tag = stage.step.tag
    own = [block for block in lesson if block.claim("stage") == tag]
    in_diff = any(_in_diff(hunk, block) for block in own if block.claim("shows") == "diff")
    if hunk.what:
        # nothing to read in it: then a command says it
        typed = (block.text for block in lesson if block.claim("shows") == "commands")
        return (hunk.what == _GOES and in_diff) or any(_names(hunk.path, text) for text in typed)
    if in_diff:
        return True
    if hunk.gone:
        return False  # a listing shows what is there, not what has gone
    seen: set[int] = set()
    for block in own:
        if block.claim("shows") == "listing" and block.claim("path") == hunk.path:
            with contextlib.suppress(WorkshopError):  # a part that is none shows nothing
                seen |= _seen(block, stage)
    return set(hunk.new) <= seen


def _in_diff(hunk: Hunk, block: Block) -> bool:
    return block.claim("path") in ("", hunk.path) and hunk.path in by_file(block.text)


def _seen(block: Block, stage: Stage) -> set[int]:
    """The numbers of the lines of the file that a listing shows."""
    from workshop import parts

    path = block.claim("path")
    text = stage.files[path].data.decode()
    first, end = 0, len(text.splitlines())
    if block.claim("part"):
        first, end = parts.span(path, text, block.claim("part"))
    seen = set(range(first + 1, end + 1))
    for name in filter(None, block.claim("elide").split(", ")):
        begins, ends = parts.span(path, text, name)
        seen -= set(range(begins + 1, ends + 1))
    return seen


def _names(path: str, session: str) -> bool:
    lines = session.replace("\\\n", " ").split("\n")
    commands = [line for line in lines if line.startswith("$ ")]
    return any(path in command.split() for command in commands)
