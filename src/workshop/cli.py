"""Parse, one call, render, exit code. Every verb stands in a module of `commands`: see `_VERBS`.

Nothing is imported before it is needed: `workshop --help` must not wait for pytest.
"""

from __future__ import annotations

import argparse
import atexit
import errno
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from workshop import __version__
from workshop.commands import BUG, GREEN, INTERRUPTED, USAGE, course_argument

if TYPE_CHECKING:
    from workshop.commands import Verb
    from workshop.errors import WorkshopError

# What a person can mend: rights, room, a file where a folder should be.
_MENDABLE = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR,
    errno.EISDIR, errno.ENAMETOOLONG,
}  # fmt: skip
_OBJECTS = 200_000  # so many new ones may there be before Python looks again, and not 700

# In the order of the help: each verb, its module in `commands`, and what it is for.
_VERBS: Mapping[str, tuple[str, str]] = {
    # what learners type
    "start": ("learning", "make your own project, an empty repository: commit #1 is yours"),
    "status": ("learning", "where you are in the course, and what is in production"),
    "check": ("judging", "judge your project: what was seen, expected, and what to do"),
    "goto": ("moves", "catch up, or go back: be where a step is done; all is saved first"),
    "reset": ("moves", "begin this step again; all is saved first"),
    "backups": ("moves", "list what was saved before each move, or restore it"),
    "hint": ("judging", "a hint for what is red: three for each, one more each time"),
    "diff": ("judging", "compare your files with the step's solution"),
    "watch": ("judging", "judge your project after each save"),
    "progress": ("learning", "take your progress to another machine"),
    "doctor": ("learning", "is this laptop fit? each problem with its remedy"),
    # production
    "deploy": ("releasing", "bring a commit into production, with no request lost"),
    "rollback": ("releasing", "bring the last good release back"),
    "releases": ("releasing", "list the releases that are kept"),
    "metrics": ("releasing", "how fast, and how well: the five DORA metrics of your deploys"),
    "production": ("releasing", "look at the local production, or end it"),
    "run": ("releasing", "run a command once, in the live release and its configuration"),
    "config": ("releasing", "set a variable in an environment; without one, list what is set"),
    "seal": ("sealing", "seal secrets: then they may stand in git, and open in one place only"),
    "database": ("releasing", "stop the database of an environment, or start it"),
    # course makers, trainers
    "build": ("making", "write the demo project as a git repository, a commit and a tag a step"),
    "prefetch": ("making", "fetch all that the course needs: from then on it works offline"),
    "verify": ("making", "prove the course: red on the start, green on the solution, deploys"),
    "mutants": ("making", "prove the checks: which small mistakes do they not find?"),
    "lint": ("making", "check the course itself: texts, hints, checks, files, tags"),
    "gates": ("making", "hold the rendered docs against what was executed"),
    "record": ("making", "run every command of every lesson, and write what came back"),
    "docs": ("making", "show the docs while you write them, and what the gates find"),
    # teams
    "kata": ("katas", "train as a team: list the katas, start one, have it judged"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The one boundary where what went wrong becomes a line for the person and an exit code."""
    from workshop.errors import WorkshopError

    # What is imported stays. To look through it for what died is a sixth of a short command's time.
    gc.set_threshold(_OBJECTS)
    atexit.register(gc.freeze)
    signal.signal(signal.SIGTERM, _terminated)  # so that `finally` runs, and nothing is half-made
    _plain_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words:
        parser(bare=True).print_help(sys.stderr)
        return USAGE
    if not words[0].startswith("-") and words[0] not in _VERBS:
        return _explain(_unknown(words[0]))
    # Who names a verb waits for that alone, and not until all the others have said what they take.
    named = [word for word in words[:1] if word in _VERBS]
    parsed = parser(*named, bare=words in (["--help"], ["-h"])).parse_args(words)
    call: Callable[[argparse.Namespace], int] = parsed.call
    try:
        return call(parsed)
    except WorkshopError as error:
        return _explain(error)
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader, e.g. `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GREEN
    except Exception as error:
        if (mendable := _mendable(error)) is not None:
            return _explain(mendable)
        log = _crash_log()
        _complain(
            f"error: a bug in the workshop, not in your work: {type(error).__name__}: {error}",
            f"The details are in {log}. Please report them.",
        )
        return BUG


class _Help(argparse.HelpFormatter):
    """As wide as the terminal. argparse would import `shutil` to ask, a tenth of our start."""

    def __init__(self, prog: str) -> None:
        try:
            columns = int(os.environ.get("COLUMNS") or os.get_terminal_size().columns)
        except (ValueError, OSError):
            columns = 0
        super().__init__(prog, width=(columns if columns > 0 else 80) - 2)


class _Parser(argparse.ArgumentParser):
    """One whose help, and that of its verbs, is written by `_Help`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=_Help, **settings)


def parser(*names: str, bare: bool = False) -> argparse.ArgumentParser:
    """The command line, whole, or with these verbs only. The command reference is made from it.

    With `bare`, the verbs take nothing yet: that is enough to list them.
    """
    top = _Parser(
        prog="workshop",
        description="Deploy to production from commit #1: the workshop's command line.",
        epilog="Exit codes: 0 green, 1 red, 2 something to mend, 3 a bug, 130 interrupted.",
    )
    top.add_argument("--version", action="version", version=f"workshop {__version__}")
    verbs = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in names or _VERBS:
        module, text = _VERBS[name]
        own = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if bare:
            continue
        table: Mapping[str, Verb] = import_module(f"workshop.commands.{module}").VERBS
        arguments, call = table[name]
        course_argument(own)
        arguments(own)
        own.set_defaults(call=call)
    return top


def _explain(error: WorkshopError) -> int:
    """Say what is wrong, and what mends it, in commands that can be typed as they stand."""
    import re

    from workshop.paths import program

    where = f"{error.path}: " if error.path is not None else ""
    name = program()
    named = re.compile(rf"(?<![\w/\\.-])(?<!-m )workshop (?=(?:{'|'.join(_VERBS)})\b|--help)")
    remedy = named.sub(lambda _: f"{name} ", error.remedy)
    _complain(f"error: {where}{error.fact}", *remedy.splitlines())
    return USAGE


def _mendable(error: Exception) -> WorkshopError | None:
    """What is neither a bug nor foreseen: git that says no, and files that can't be used."""
    from workshop.errors import WorkshopError
    from workshop.git import GitError

    if isinstance(error, GitError):
        fact, *more = error.said.removeprefix("fatal: ").splitlines() or ["nothing at all"]
        remedy = [line.strip() for line in more if line.strip()]
        return WorkshopError(
            f"git said: {fact}", "\n".join(remedy or ["Mend that, then try again."])
        )
    if not isinstance(error, OSError):
        return None
    if not _somewhere():
        return WorkshopError("the folder that you are in is gone", "Go to one that is there.")
    name = error.filename
    if error.errno in _MENDABLE:
        return WorkshopError(
            f"this can't be read or written: {error.strerror}",
            "Mend that, or take another place, then try again.",
            path=Path(os.fsdecode(name)) if isinstance(name, str | bytes) else None,
        )
    return None


def _unknown(verb: str) -> WorkshopError:
    import difflib

    from workshop.errors import WorkshopError

    near = difflib.get_close_matches(verb, _VERBS, n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    return WorkshopError(f"there is no command {verb}", f"{meant}All of them: workshop --help")


def _somewhere() -> bool:
    try:
        os.getcwd()  # noqa: PTH109  it would import more
    except OSError:
        return False
    return True


def _complain(first: str, *rest: str) -> None:
    print("\n".join([first, *(f"       {line}" for line in rest)]), file=sys.stderr)


def _crash_log() -> Path:
    import tempfile
    import traceback

    from workshop.paths import home

    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    log = home() / "logs" / name
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(traceback.format_exc(), encoding="utf-8")
    except OSError:
        log = Path(tempfile.gettempdir()) / f"workshop-{name}"
        log.write_text(traceback.format_exc(), encoding="utf-8")
    return log


def _plain_streams() -> None:
    """A terminal whose code page lacks a character shows a `?`, and does not end the program."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _terminated(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)
