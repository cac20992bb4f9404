"""Commands that nobody runs: are they at least such as our own command line takes?"""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import io
import itertools
import shlex
from collections.abc import Iterator
from pathlib import Path

from workshop import course as courses
from workshop.errors import WorkshopError

_PROMPT = "$ "
# Programs of others, whose words we can't check. What they do is told by the text around.
_OTHERS = {"cd", "git", "nox", "pip", "pipx"}
_NEXT = {"&&", "||", ";", "|", "&"}
_SENT = {"<", ">", ">>"}


def wrong(session: str, root: Path) -> str:
    """What is wrong with a console's commands; empty when each is one that we know.

    In the folder `root` are the steps that they may name, and the noxfile.
    """
    for line in session.removesuffix("\n").replace("\\\n", " ").split("\n"):
        if not line.startswith(_PROMPT):
            return "nobody has seen what came back"
        command = line.removeprefix(_PROMPT)
        try:
            facts = [_wrong(words, root) for words in _programs(command)]
        except ValueError as error:
            return f"`{command}` is no command: {error}"
        if fact := next(filter(None, facts), ""):
            return fact
    return ""


def _programs(command: str) -> Iterator[list[str]]:
    """The words of each program that a command line starts, but for files that it reads or writes.
    Raises ValueError for what is no such line, as `shlex` does."""
    reader = shlex.shlex(command, posix=True, punctuation_chars=True)
    reader.whitespace_split, reader.commenters = True, ""
    words: list[str] = []
    tokens = iter([*reader, ";"])
    for token in tokens:
        if token in _SENT:
            next(tokens)
        elif token not in _NEXT and set(token) <= set(reader.punctuation_chars):
            raise ValueError(f"nobody checks what {token} does")
        elif token not in _NEXT:
            words.append(token)
        elif words:
            yield words
            words = []
        else:
            raise ValueError("a program is missing")


def _wrong(words: list[str], root: Path) -> str:
    program, *rest = words
    said = f"`{' '.join(words)}`"
    if program == "nox":
        names = itertools.takewhile(lambda each: each[0] != "-", _behind("-s", rest))
        unknown = [each for each in names if each not in _sessions(root)]
        return f"{said} is no command: there is no session {unknown[0]}" if unknown else ""
    if program in _OTHERS:
        return ""
    if program != "workshop":
        return f"nobody runs {said}"
    heard = io.StringIO()
    try:
        with contextlib.redirect_stderr(heard), contextlib.redirect_stdout(heard):
            args = _strict().parse_args(rest)
    except SystemExit as end:
        last = heard.getvalue().strip().splitlines()[-1]
        return f"{said} is no command: {last}" if end.code else ""
    try:
        for name in filter(None, [getattr(args, "step", None), *getattr(args, "steps", [])]):
            courses.find(courses.load(root), name)
    except WorkshopError as error:
        return f"{said} is no command: {error.fact}"
    return ""


def _behind(option: str, words: list[str]) -> list[str]:
    return words[words.index(option) + 1 :] if option in words else []


def _sessions(root: Path) -> set[str]:
    """The names of the sessions in the noxfile: read, not run."""
    file = root / "noxfile.py"
    tree = ast.parse(file.read_text(encoding="utf-8") if file.is_file() else "")
    return {
        each.name
        for each in tree.body
        if isinstance(each, ast.FunctionDef)
        and any("nox.session" in ast.unparse(mark) for mark in each.decorator_list)
    }


@functools.cache
def usages() -> frozenset[str]:
    """The usage line of each verb, with single spaces."""
    return frozenset(" ".join(_usage(each)) for each in _parsers(_parser()))


def _usage(parser: argparse.ArgumentParser) -> list[str]:
    return parser.format_usage().removeprefix("usage: ").split()


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _parsers(each)


def _strict() -> argparse.ArgumentParser:
    """Our own command line, with options written out: what is cut off means nothing to a reader."""
    strict = _parser()
    for each in _parsers(strict):
        each.allow_abbrev = False
    return strict


def _parser() -> argparse.ArgumentParser:
    from workshop import cli

    return cli.parser()
