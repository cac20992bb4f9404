"""A part of a file, found by what it is called, never by line numbers. Pure text in, text out."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from workshop.errors import WorkshopError

Span = tuple[int, int]  # the first line and the one after the last, counted from 0


def span(path: str, text: str, name: str) -> Span:
    """The lines of the part `name`. Raises WorkshopError when it is not there, or there twice.

    In Python it is a function, a class (`Class.method` too) or an assigned name, with the comment
    right above it. In an INI or TOML file it is a section, in reStructuredText a heading, anywhere
    else the line that begins with it and the deeper indented lines below.
    """
    lines = text.splitlines()
    finder = _FINDERS.get(PurePosixPath(path).suffix, _indented)
    found: dict[str, list[Span]] = {}
    try:
        for each, where in finder(text, lines):
            found.setdefault(each, []).append(where)
    except SyntaxError as error:
        fact = f"{path}:{error.lineno} is not Python: {error.msg}"
        raise WorkshopError(fact, "Show the whole file.") from error
    if name not in found:
        raise WorkshopError(f"{path} has no part {name}", f"It has: {', '.join(found) or 'none'}")
    if len(found[name]) > 1:
        at = " and ".join(str(first + 1) for first, _ in found[name])
        raise WorkshopError(f"{path} has {name} more than once: lines {at}", "Show the whole file.")
    first, end = found[name][0]
    while end > first and not lines[end - 1].strip():
        end -= 1
    return first, end


def _python(text: str, lines: list[str]) -> Iterator[tuple[str, Span]]:
    yield from _symbols(ast.parse(text).body, lines, "")


def _symbols(body: list[ast.stmt], lines: list[str], prefix: str) -> Iterator[tuple[str, Span]]:
    for node in body:
        first = node.lineno - 1
        targets: list[ast.expr] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = min([first, *(each.lineno - 1 for each in node.decorator_list)])
            targets = [ast.Name(node.name)]
        elif isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        while first and lines[first - 1].lstrip().startswith("#"):
            first -= 1
        for target in targets:
            if isinstance(target, ast.Name):
                yield prefix + target.id, (first, node.end_lineno or node.lineno)
        if isinstance(node, ast.ClassDef):
            yield from _symbols(node.body, lines, f"{prefix}{node.name}.")


def _sections(_text: str, lines: list[str]) -> Iterator[tuple[str, Span]]:
    starts = [
        (match[1].strip(), number)
        for number, line in enumerate(lines)
        if (match := re.match(r"\[+([^\]]+)\]", line))
    ]
    ends = [number for _, number in starts[1:]] + [len(lines)]
    for (name, first), end in zip(starts, ends, strict=True):
        yield name, (first, end)


def _headings(_text: str, lines: list[str]) -> Iterator[tuple[str, Span]]:
    starts = [
        (line.strip(), number, lines[number + 1][0])
        for number, line in enumerate(lines[:-1])
        if line.strip()
        and re.fullmatch(r"([=\-~^\"'*+#])\1+", lines[number + 1])
        and len(lines[number + 1]) >= len(line)
    ]
    for index, (name, first, mark) in enumerate(starts):
        end = len(lines)
        levels = [each for _, _, each in starts[: index + 1]]
        for _, start, other in starts[index + 1 :]:
            if other == mark or other in levels[: levels.index(mark)]:
                end = start
                break
        yield name, (first, end)


def _indented(_text: str, lines: list[str]) -> Iterator[tuple[str, Span]]:
    for first, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        depth = _depth(line)
        end = first + 1
        while end < len(lines) and (not lines[end].strip() or _depth(lines[end]) > depth):
            end += 1
        yield re.split(r"[:=\s]", line.strip())[0], (first, end)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


_FINDERS: dict[str, Callable[[str, list[str]], Iterator[tuple[str, Span]]]] = {
    ".py": _python,
    ".ini": _sections,
    ".cfg": _sections,
    ".toml": _sections,
    ".rst": _headings,
}
