"""Rows to Markdown, and a subject's section into the page's tables. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.measure import Result, Row, Subject, Target, Unit

_HEAD = ("what", "compared with", "at most", "measured", "ours", "theirs", "met")


class Circumstances(NamedTuple):
    """When and on what: a date (ISO 8601), Python's version, the number of cores."""

    date: str
    python: str
    cores: int


def section(subject: Subject, result: Result, when: Circumstances) -> str:
    """A subject's part of the page: words, a row for each target, and how to repeat it."""
    rounds = "" if result.rounds is None else f", {result.rounds} rounds"
    parts = [
        f"## {subject.title}",
        subject.text,
        table(_HEAD, [cells(row) for row in result.rows]),
        *([result.details] if result.details else []),
        f"{when.date}, Python {when.python}, {when.cores} cores{rounds}. "
        f"To repeat it: `nox -s benchmarks -- {subject.name}`",
    ]
    return "\n\n".join(parts)


def cells(row: Row) -> tuple[str, ...]:
    """A row as texts. That it is met, or missed, is said in a word."""
    target = row.target
    timed = row.peers is not None
    return (
        target.what,
        target.peer or "nothing",
        allowed(target),
        _amount(row.value, target.unit),
        time(row.ours) if timed else "",
        time(row.peers) if row.peers is not None else "",
        "yes" if row.met else "**missed**",
    )


def allowed(target: Target) -> str:
    """The limit, with its unit."""
    limit = f"{target.limit:g}"
    return f"{limit} s" if target.unit == "seconds" else limit


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def time(seconds: float) -> str:
    """A time as a person says it."""
    if seconds < 0.001:
        return f"{seconds * 1_000_000:.0f} µs"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def put(page: str, name: str, text: str) -> str:
    """The tables with this subject's section replaced, or added at the end."""
    begin, end = f"% {name}: begin", f"% {name}: end"
    new = f"{begin}\n\n{text}\n\n{end}\n"
    pattern = re.compile(rf"(?ms)^{re.escape(begin)}$.*?^{re.escape(end)}$\n?")
    if pattern.search(page):
        return pattern.sub(lambda _: new, page)
    return f"{page.rstrip()}\n\n{new}".lstrip()


def _amount(value: float, unit: Unit) -> str:
    if unit in ("requests", "modules"):
        return f"{value:.0f}"
    if unit == "seconds":
        return f"{value:.2f} s"
    # three digits behind a small ratio: 0.004 is not 0
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"
