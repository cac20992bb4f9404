"""What the verbs of the command line take and do: one call each, then what came out is shown.

A file an audience. Each has a table `VERBS`: a verb's name, what adds its arguments, what does it.
What they share is here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from workshop.model import Course, Platform, Verdict

    Verb = tuple[Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]

GREEN, RED, USAGE, BUG, INTERRUPTED = 0, 1, 2, 3, 130


def no_arguments(_: argparse.ArgumentParser) -> None:
    """For a verb that needs to be told nothing."""


def course_argument(own: argparse.ArgumentParser) -> None:
    """Which course. Every verb takes this, and it comes first."""
    own.add_argument(
        "--course",
        metavar="DIR",
        type=Path,
        help="another course, the folder that holds `steps`"
        " (default: WORKSHOP_COURSE, else the one that is built in)",
    )


def project_argument(own: argparse.ArgumentParser) -> None:
    """Which project."""
    own.add_argument(
        "--project", metavar="DIR", type=Path, default=Path(), help="your project (default: here)"
    )


def step_argument(own: argparse.ArgumentParser) -> None:
    """Which of the steps."""
    own.add_argument(
        "step", metavar="STEP", nargs="?",
        help="a number or a name (default: yours; a green one is yours until you commit it)",
    )  # fmt: skip


def course_of(args: argparse.Namespace) -> Course:
    """The course that the person means, or WORKSHOP_COURSE names, or else the built-in one."""
    from workshop import course

    return course.load(root_of(args))


def platform_of(args: argparse.Namespace) -> Platform:
    """Where that course lets the demo project run: production waits for no step to be read."""
    from workshop import course

    return course.platform(root_of(args))


def root_of(args: argparse.Namespace) -> Path:
    """Where that course is."""
    from workshop.paths import default_root

    named = args.course or os.environ.get("WORKSHOP_COURSE")
    return Path(named) if named else default_root()


def command(args: argparse.Namespace, words: str) -> str:
    """A command that can be typed as it stands, for the project that this one was for."""
    from workshop.paths import program, typed

    where = f" --project {typed(str(args.project))}" if args.project != Path() else ""
    return f"{program()} {words}{where}"


def folder(directory: Path) -> str:
    """A folder as a person types it behind `cd`, which must not take it for an option."""
    from workshop.paths import typed

    return typed(f"./{directory}" if str(directory).startswith("-") else str(directory))


def tell(words: str) -> None:
    """Say at once what has happened. A reader who has seen enough, such as `head`, must not end
    what goes on behind it."""
    try:
        print(words, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def shower(quiet: bool) -> Callable[[Verdict], None]:
    """Shows each verdict as it comes, unless the person asked for JSON."""
    from workshop.report import text

    paint = text.Paint(sys.stdout)

    def show(verdict: Verdict) -> None:
        if not quiet:
            print(text.verdict(verdict, paint), flush=True)

    return show


def worst(verdicts: Sequence[Verdict]) -> int:
    """The exit code for these verdicts."""
    outcomes = {verdict.outcome for verdict in verdicts}
    if "error" in outcomes:
        return USAGE
    return RED if "red" in outcomes or not verdicts else GREEN
