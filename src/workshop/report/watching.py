"""What `workshop watch` shows: one stable screen on a terminal, a line per event anywhere else."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, TextIO

from workshop.report import text

if TYPE_CHECKING:
    from workshop.model import Verdict
    from workshop.watch import Event

_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_CLEAR = "\x1b[2J"


class Screen:
    """One frame, drawn over the last one in a single write: nothing flickers, nothing scrolls.

    While a judgement runs, each check keeps its last verdict until the new one is there.
    """

    def __init__(self, stream: TextIO, program: str) -> None:
        self._stream = stream
        self._program = program
        self._paint = text.Paint(stream)
        self._known: dict[str, Verdict] = {}
        self._step = ""
        self._foot = ""
        self._said = ""
        self._polling = ""
        stream.write(_CLEAR)

    def show(self, event: Event) -> None:
        """Take in what happened, and draw."""
        head = text.head(event.step)
        if head != self._step:
            self._step, self._known = head, {}
        if event.kind == "watching":
            self._polling = f"It looks once a second: {event.text}." if event.text else ""
        elif event.kind == "judging":
            self._said = ""
            self._foot = f"judging{f', {event.text} was saved' if event.text else ''} ..."
        elif event.kind == "verdict" and event.verdict is not None:
            self._known[event.verdict.check] = event.verdict
        elif event.kind == "ended":
            self._known = {each.check: each for each in event.verdicts}
            self._foot = f"{text.summary(event.verdicts)} {event.seconds:.1f} s."
            green = bool(event.verdicts) and {each.outcome for each in event.verdicts} <= {
                "green", "skipped",
            }  # fmt: skip
            if green:
                rest = "You have done every step." if event.last else "Then press n: next step."
                self._said = f"Now commit, and: {self._program} deploy. {rest}"
        else:
            self._said = event.text
        columns, rows = shutil.get_terminal_size()
        self._stream.write(_HOME + self.frame(columns, rows) + _REST_OF_SCREEN)
        self._stream.flush()

    def frame(self, columns: int, rows: int) -> str:
        """The lines of the screen, each as long as it may be, and no more than there is room."""
        lines = [self._step.rstrip("\n"), ""]
        for each in self._known.values():
            lines += text.verdict(each, self._paint).splitlines()
        foot = ["", self._foot, *filter(None, (self._said, self._polling))]
        foot.append(f"n: next step   q: quit   a hint: {self._program} hint")
        room = max(rows - len(foot) - 1, 3)
        if len(lines) > room:
            lines = [*lines[: room - 1], f"... {self._program} check shows all"]
        # a coloured line is cut by nobody: its words are short
        lines = [line if "\x1b" in line else line[: columns - 1] for line in [*lines, *foot]]
        return "".join(f"{line}{_REST_OF_LINE}\n" for line in lines)


class Lines:
    """A line per event, for pipes, logs and screen readers."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, event: Event) -> None:
        """Write the line."""
        line = {
            "watching": lambda: (
                "watching" + (f", once a second: {event.text}" if event.text else "")
            ),
            "judging": lambda: (
                f"judging step {event.step.number:02d}"
                + (f": {event.text} was saved" if event.text else "")
            ),
            "verdict": lambda: _short(event.verdict),
            "ended": lambda: f"{text.summary(event.verdicts)} {event.seconds:.1f} s.",
            "broken": lambda: f"error    {_first(event.text)}",
            "note": lambda: event.text,
        }[event.kind]()
        self._stream.write(f"{line}\n")
        self._stream.flush()


def _short(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    seen = f" {_first(verdict.seen)}" if verdict.seen else ""
    line = f"{verdict.outcome:<8} {verdict.sentence or verdict.check}{seen}"
    return line if len(line) <= text.WIDTH else f"{line[: text.WIDTH - 3]}..."


def _first(words: str) -> str:
    return (words.splitlines() or [""])[0]


def chosen(stream: TextIO, program: str) -> Screen | Lines:
    """The screen for a terminal that can draw one, else lines."""
    if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return Screen(stream, program)
    return Lines(stream)
