"""What programs write, cut down to what helps."""

from __future__ import annotations

import html
import re
from pathlib import Path

_TRACEBACK = "Traceback (most recent call last):"
_FRAME = re.compile(r'\s*File "([^"]+)", line (\d+)')
_ENTRY = "manage.py"  # every command comes through it: that says nothing
_SILENT = ("", "Server Error (500)")  # titles that are for visitors
_NOTHING = re.compile(r"\s*(None|[-=_]{20,})?\s*")  # lines that only part others
_LAST = 8


def tail(output: str, project: Path) -> str:
    """The last words of `output`: of a traceback the error, and the project's line behind it."""
    lines = [line.rstrip() for line in output.splitlines() if not _NOTHING.fullmatch(line)]
    starts = [index for index, line in enumerate(lines) if line.strip() == _TRACEBACK]
    if not starts:
        return "\n".join(lines[-_LAST:])
    place = ""
    said: list[str] = []
    for line in lines[starts[-1] + 1 :]:
        frame = _FRAME.match(line)
        if frame and Path(frame[1]).is_relative_to(project) and not said:
            file = Path(frame[1]).relative_to(project).as_posix()
            # nor does what is installed in the project's folder, such as in .venv
            own = file != _ENTRY and not file.startswith(".")
            place = f"{file}, line {frame[2]}: " if own else place
        elif not line.startswith(" ") or said:
            said.append(line)
    # What a server logs after the error's text begins with a time in brackets.
    said = [line for line in said if not re.match(r"\[\d{4}-\d\d-\d\d ", line)]
    # Where an installed package lies helps nobody.
    said = [re.sub(r" \((?:/|[A-Z]:)[^()]*\)$", "", line) for line in said]
    return place + "\n".join(said[:_LAST])


def title(page: str) -> str:
    """The title of an HTML page, on one line; empty when it has none."""
    found = re.search(r"<title>(.*?)</title>", page, re.DOTALL | re.IGNORECASE)
    return " ".join(html.unescape(found[1]).split()) if found else ""


def cause(page: str, project: Path) -> str:
    """What a page about an error says of it, and where it is; empty when it gives nothing away."""
    said = title(page)
    if said in _SILENT:
        return ""
    where = place(page, project)
    return said + (f" ({where})" if where else "")


def place(page: str, project: Path) -> str:
    """The project's line behind the error that a page for programmers shows; empty if none."""
    if _TRACEBACK not in page:
        return ""
    text = html.unescape(re.sub(r"<[^>]*>", "", page))
    frames = [_FRAME.match(line) for line in text[text.rindex(_TRACEBACK) :].splitlines()]
    own = [each for each in frames if each and Path(each[1]).is_relative_to(project)]
    return f"{Path(own[-1][1]).relative_to(project).as_posix()}, line {own[-1][2]}" if own else ""
