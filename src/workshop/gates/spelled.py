"""Commands that nobody runs: are they at least such as our own command line takes?"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import shlex
from collections.abc import Iterator

_PROMPT = "$ "
# Programs of others, whose words we can't check. What they do is told by the text around.
_OTHERS = {"cd", "git", "nox", "pip", "pipx"}


def wrong(session: str) -> str:
    """What is wrong with a console's commands; empty when each is one that we know."""
    for line in session.replace("\\\n", " ").split("\n")[:-1]:
        if not line.startswith(_PROMPT):
            return "nobody has seen what came back"
        if fact := _wrong(line.removeprefix(_PROMPT)):
            return fact
    return ""


def _wrong(command: str) -> str:
    try:
        program, *words = shlex.split(command)
    except ValueError as error:
        return f"`{command}` is no command: {error}"
    if program in _OTHERS:
        return ""
    if program != "workshop":
        return f"nobody runs `{command}`"
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            _parser().parse_args(words)
    except SystemExit as end:
        if end.code:
            return f"`{command}` is no command: {said.getvalue().strip().splitlines()[-1]}"
    return ""


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


def _parser() -> argparse.ArgumentParser:
    from workshop import cli

    return cli.parser()
