"""Mutants: a stage with one small mistake in it, made by rule. Pure: text comes in, text goes out.

Only what a step writes is mutated, and only where it has a meaning for a program. Comments,
docstrings, texts with a space in them and whole files of prose speak to people: how they are
worded is free. A Python file that can't be parsed is no mutant either: Python itself finds that.
"""

from __future__ import annotations

import ast
import difflib
import io
import itertools
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from workshop.history import File

_PROSE = (".rst", ".md")
_PROSE_TOO = ("LICENSE", "README")  # others without a suffix are for programs, such as Dockerfile
_COMMENT = re.compile(r"\s*(?:#|$)")
_CLOSING = re.compile(r"\s*[\])}]")
_FLAGS = {"True": "False", "true": "false", "yes": "no", "on": "off"}
_FLAGS |= {new: old for old, new in _FLAGS.items()}
_OTHER = {"==": "!=", "!=": "==", "<": ">=", ">": "<=", "and": "or", "or": "and"}
# In files that are not Python: a key, a flag, a number, an exact version, an option, a list's item.
_KEY = re.compile(r"^\s*(?:- )?([A-Za-z_][\w.-]*)(?=\s*(?::(?:\s|$)|=(?!=)))")
_FLAG = re.compile(rf"(?<![\w-])(?:{'|'.join(_FLAGS)})(?![\w-])")
_NUMBER = re.compile(r"(?<![\w.-])(?<!==)\d+(?![\w.-])")
_PIN = re.compile(r"(?<=[\w\]])==(?=\d)")
_OPTION = re.compile(r" --?[a-z][\w-]*(?:=\S+)?(?=\s|$)")
_LIST = re.compile(r"[=:] *[\w*]+(?:, [\w*]+)+\s*$")
_ITEM = (re.compile(r"[\w*]+, "), re.compile(r", [\w*]+(?=\s*$)"))
_ALIKE = re.compile(r"\s*--hash=")  # the first of a block stands for the others


class Mutant(NamedTuple):
    """One mistake in one file: what a person reads of it, unique in its file, and the file's
    content then; None where the file is gone."""

    file: str
    mutation: str
    data: bytes | None


def mutants(before: Mapping[str, File], after: Mapping[str, File]) -> tuple[Mutant, ...]:
    """All mutants of what a step changes, in the order of its files and their lines."""
    found: list[Mutant] = []
    for name, file in after.items():
        old = before.get(name)
        if old is None:
            found.append(Mutant(name, "no such file", None))
        if (old is None or old.data != file.data) and not prose(name):
            found += _of(name, old.data.decode() if old else "", file.data.decode())
    return tuple(found)


def prose(name: str) -> bool:
    """Whether a file is for people to read."""
    path = PurePosixPath(name)
    return path.suffix in _PROSE or path.name in _PROSE_TOO


def _of(name: str, before: str, after: str) -> Iterator[Mutant]:
    lines = after.splitlines(keepends=True)
    changed = _changed(before.splitlines(keepends=True), lines)
    python = name.endswith(".py")
    edits = _python(after, changed) if python else _settings(lines, changed)
    seen = {after}
    told: dict[str, int] = {}
    for number, old, new in sorted([*_removals(lines, changed, python), *edits]):
        text = _replaced(lines, number, old, new)
        if text in seen or (python and not _parses(text)):
            continue
        seen.add(text)
        words = _told(old, new)
        told[words] = told.get(words, 0) + 1
        again = f" ({told[words]})" if told[words] > 1 else ""
        yield Mutant(name, words + again, text.encode())


# An edit: at which line (from 0) which lines are replaced by which text.
_Edit = tuple[int, tuple[str, ...], str]


def _replaced(lines: list[str], number: int, old: tuple[str, ...], new: str) -> str:
    return "".join([*lines[:number], new, *lines[number + len(old) :]])


def _told(old: tuple[str, ...], new: str) -> str:
    first = old[0].strip()
    more = " ..." if len(old) > 1 else ""
    return f"{first}{more} -> {new.strip()}" if new.strip() else f"without {first}{more}"


def _changed(before: list[str], after: list[str]) -> set[int]:
    """The numbers of the lines that the step writes."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return {
        number
        for kind, _, _, first, end in matcher.get_opcodes()
        if kind in ("insert", "replace")
        for number in range(first, end)
    }


def _removals(lines: list[str], changed: set[int], python: bool) -> Iterator[_Edit]:
    """Without a line and what is indented below it."""
    silent = _docstrings("".join(lines)) if python else set()
    for number in sorted(changed - silent):
        if _COMMENT.match(lines[number]):
            continue
        if _ALIKE.match(lines[number]) and _ALIKE.match(lines[number - 1]):
            continue
        first, end = number, _end(lines, number)
        while (
            python
            and first
            and lines[number].lstrip().startswith(("def ", "class "))
            and (lines[first - 1].lstrip().startswith("@"))
        ):
            first -= 1
        block = tuple(lines[first:end])
        rest = _replaced(lines, first, block, "")
        empty = python and not _parses(rest)  # a block may not be empty
        indent = lines[number][: _indent(lines[number])]
        yield first, block, f"{indent}pass\n" if empty else ""


def _end(lines: list[str], number: int) -> int:
    """Behind the last line of the block that begins here."""
    end = number + 1
    for index in range(number + 1, len(lines)):
        if not lines[index].strip():
            continue
        if _indent(lines[index]) > _indent(lines[number]):
            end = index + 1
        elif _CLOSING.match(lines[index]) and end > number + 1:
            return index + 1
        else:
            break
    return end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _settings(lines: list[str], changed: set[int]) -> Iterator[_Edit]:
    """A renamed key, a flipped flag, another number, a loose version, an option or item less."""
    for number in sorted(changed):
        line = lines[number]
        if _COMMENT.match(line) or _ALIKE.match(line):
            continue
        edits = [(each.end(1), each.end(1), "x") for each in _KEY.finditer(line)]
        edits += [(each.start(), each.end(), _FLAGS[each[0]]) for each in _FLAG.finditer(line)]
        edits += [(each.start(), each.end(), _more(each[0])) for each in _NUMBER.finditer(line)]
        edits += [(each.start(), each.end(), ">=") for each in _PIN.finditer(line)]
        edits += [(each.start(), each.end(), "") for each in _OPTION.finditer(line)]
        if _LIST.search(line):
            items = [each for kind in _ITEM for each in kind.finditer(line)]
            edits += [(each.start(), each.end(), "") for each in items]
        comment = line.find(" #")
        for start, end, new in edits:
            if comment < 0 or end <= comment:
                yield number, (line,), line[:start] + new + line[end:]


def _python(text: str, changed: set[int]) -> Iterator[_Edit]:
    """A renamed key, a flipped flag, the other operator, another number or string."""
    lines = text.splitlines(keepends=True)
    silent = _docstrings(text)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    inside = 0  # an f-string, which newer Pythons take apart
    for token, following in itertools.pairwise(tokens):
        kind = tokenize.tok_name[token.type]
        inside += (kind == "FSTRING_START") - (kind == "FSTRING_END")
        row, start = token.start[0] - 1, token.start[1]
        if inside or row not in changed or row in silent or token.end[0] - 1 != row:
            continue
        new = _other(kind, token.string, following.string)
        if new is not None:
            line = lines[row]
            edited = line[:start] + new + line[token.end[1] :]
            # `not x` -> `x`
            yield row, (line,), edited if new else line[:start] + line[token.end[1] :].lstrip(" ")


def _other(kind: str, word: str, following: str) -> str | None:
    """What stands there instead; None for what is left alone."""
    if word in _OTHER and kind in ("OP", "NAME"):
        return _OTHER[word]
    if kind == "NAME" and word in ("True", "False"):
        return _FLAGS[word]
    if kind == "NAME" and word == "not":
        return "" if following != "in" else None
    if kind == "NAME" and following == "=":
        return f"{word}{_ending(word)}"
    if kind == "NUMBER" and word.isdecimal():
        return _more(word)
    if kind == "STRING" and word[0] in "\"'" and not re.search(r"\s|\\[nt]", word):
        return f"{word[:-1]}{_ending(word[1:-1])}{word[-1]}"
    return None


def _ending(word: str) -> str:
    return "X" if word.isupper() else "x"


def _more(number: str) -> str:
    return str(int(number) + 1)


def _docstrings(text: str) -> set[int]:
    """The numbers of the lines of docstrings."""
    found: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            found.update(range(node.body[0].lineno - 1, node.body[0].end_lineno or 0))
    return found


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
