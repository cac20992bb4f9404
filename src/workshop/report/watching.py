"""What `workshop watch` shows: one stable screen on a terminal, a line per event anywhere else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from workshop.report import text

if TYPE_CHECKING:
    from workshop.model import Verdict
    from workshop.watch import Event

_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_CLEAR = "\x1b[2J"
_Command = Callable[[str], str]  # of a verb: the command that can be typed as it stands


class Screen:
    """One frame, drawn over the last one in a single write: nothing flickers, nothing scrolls.

    While a judgement runs, each check keeps its last verdict until the new one is there.
    """

    def __init__(self, stream: TextIO, command: _Command) -> None:
        self._stream = stream
        self._command = command
        self._paint = text.Paint(stream)
        self._known: dict[str, Verdict] = {}
        self._step = ""
        self._foot = ""
        self._said = ""
        self._note = ""
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
            self._said = self._note = ""
            self._foot = f"judging{f', {event.text} was saved' if event.text else ''} ..."
        elif event.kind == "verdict" and event.verdict is not None:
            self._known[event.verdict.check] = event.verdict
        elif event.kind == "ended":
            self._known = {each.check: each for each in event.verdicts}
            self._foot = _summary(event)
            self._said = _going_on(event, self._command)
        else:
            self._note = event.text
        columns, rows = shutil.get_terminal_size()
        self._stream.write(_HOME + self.frame(columns, rows) + _REST_OF_SCREEN)
        self._stream.flush()

    def frame(self, columns: int, rows: int) -> str:
        """The lines of the screen, each as long as it may be, and no more than there is room."""
        width = min(text.WIDTH, columns - 1)
        lines = [self._step.rstrip("\n"), ""]
        for each in self._known.values():
            lines += text.verdict(each, self._paint, width).splitlines()
        foot = [""]
        for words in filter(None, (self._foot, self._said, self._note, self._polling)):
            foot += text.wrapped(words, width=width).splitlines()
        foot.append(f"n: next step   q: quit   a hint: {self._command('hint')}")
        room = max(rows - len(foot) - 1, 3)
        if len(lines) > room:
            lines = [*lines[: room - 1], f"... {self._command('check')} shows all"]
        # only a word that is too long is cut, and a coloured line has none
        lines = [line if "\x1b" in line else line[: columns - 1] for line in [*lines, *foot]]
        return "".join(f"{line}{_REST_OF_LINE}\n" for line in lines)


class Lines:
    """A line per event, and a verdict as `check` shows it, for pipes, logs and screen readers.
    With `keys`, somebody may press one."""

    def __init__(self, stream: TextIO, command: _Command, *, keys: bool) -> None:
        self._stream = stream
        self._command = command
        self._keys = keys
        self._paint = text.Paint(stream)

    def show(self, event: Event) -> None:
        """Write the line."""
        line = {
            "watching": lambda: (
                "watching"
                + (f", once a second: {event.text}" if event.text else "")
                + ("\nn: next step   q: quit" if self._keys else "")
            ),
            "judging": lambda: (
                f"judging step {event.step.number:02d}"
                + (f": {event.text} was saved" if event.text else "")
            ),
            "verdict": lambda: text.verdict(event.verdict, self._paint) if event.verdict else "",
            "ended": lambda: "\n".join(
                filter(None, (_summary(event), text.wrapped(_going_on(event, self._command))))
            ),
            "broken": lambda: text.wrapped(event.text, "  error    ", " " * 11),
            "note": lambda: event.text,
        }[event.kind]()
        self._stream.write(f"{line}\n")
        self._stream.flush()


def _summary(event: Event) -> str:
    return text.summary(event.verdicts, f"{event.seconds:.1f} s.")


def _going_on(event: Event, command: _Command) -> str:
    """What comes after green; empty when it is not."""
    outcomes = {each.outcome for each in event.verdicts}
    if "green" not in outcomes or not outcomes <= {"green", "skipped"}:
        return ""
    rest = "You have done every step." if event.last else "Then press n: next step."
    subject = event.step.message.splitlines()[0]
    return f'Now commit, as "{subject}", and: {command("deploy")}\n{rest}'


def chosen(stream: TextIO, command: _Command, *, keys: bool) -> Screen | Lines:
    """The screen for a terminal that can draw one, else lines."""
    if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return Screen(stream, command)
    return Lines(stream, command, keys=keys)
