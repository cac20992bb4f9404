"""What moves a learner's files: catch up, begin again, bring back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.commands import GREEN, command, course_of, project_argument, tell

if TYPE_CHECKING:
    import argparse

    from workshop.commands import Verb
    from workshop.model import Course
    from workshop.moving import Backup, Moved


def goto(args: argparse.Namespace) -> int:
    """Be where a step is done; what was there is saved first."""
    from workshop import git, moving
    from workshop.course import find

    course = course_of(args)
    project = git.top(args.project)
    step = find(course, args.step)
    note_interrupted(args, project)
    moved = moving.goto(course, project, step, report=lambda backup: _saved(args, backup))
    print(f"\nYour project is stage {step.tag} now, with every step up to it done.")
    _moved(args, course, project, moved)
    return GREEN


def reset(args: argparse.Namespace) -> int:
    """Begin the step again; what was there is saved first."""
    from workshop import git, moving

    course = course_of(args)
    project = git.top(args.project)
    note_interrupted(args, project)
    moved = moving.reset(course, project, report=lambda backup: _saved(args, backup))
    print("\nYour project is as this step begins.")
    _moved(args, course, project, moved)
    return GREEN


def backups(args: argparse.Namespace) -> int:
    """List what was saved before each move, or bring one back."""
    from workshop import git, moving
    from workshop.errors import WorkshopError
    from workshop.report import text

    project = git.top(args.project)
    if args.action is None:
        note_interrupted(args, project)
        kept = moving.backups(project)
        for each in kept:
            print(f"{each.name}  {each.when}  {text.count(each.files, 'file'):>9}  {each.verb}")
        if kept:
            print(f"\nBring one back: {command(args, 'backups restore NAME')}")
        else:
            print("No backups yet. `goto`, `reset` and `backups restore` make one first.")
        return GREEN
    if args.name is None:
        raise WorkshopError("which backup?", "Name one from the list: workshop backups")
    moving.restore(project, args.name, report=lambda backup: _saved(args, backup))
    print(f"\nRestored: {args.name}. HEAD, index, files and progress are as they were.")
    return GREEN


def _saved(args: argparse.Namespace, backup: Backup) -> None:
    from workshop.report import text

    # at once: who kills the move needs to have read it
    tell(f"Saved what you had: {text.count(backup.files, 'file')}. Bring it back:\n")
    tell(f"  {command(args, f'backups restore {backup.name}')}")


def _moved(args: argparse.Namespace, course: Course, project: Path, moved: Moved) -> None:
    from workshop import learner

    if moved.commit is None:
        print("No commit was due: it was like this already.")
    elif moved.branch is None:
        print(f"It is commit {moved.commit[:10]}, on no branch. Keep it: git switch -c NAME")
    else:
        print(f"It is commit {moved.commit[:10]} on {moved.branch.removeprefix('refs/heads/')}.")
    step = learner.current(course, project)
    if step is None:
        print("\nThat was the last step. Deploy often!")
        return
    print(f"\nNow step {step.number:02d}, {step.title} ({step.minutes} minutes). Next:\n")
    print(f"  {command(args, 'check')}")


def note_interrupted(args: argparse.Namespace, project: Path) -> None:
    """Tell of a move that was ended in the middle, and how to bring back what was there."""
    from workshop import kept

    names = kept.interruptions(project)
    if not names:
        return
    if len(names) == 1:
        print("A move was interrupted here. What you had before it:\n")
    else:
        print(f"{len(names)} moves were interrupted here. What you had before each of them:\n")
    for name in names:
        print(f"  {command(args, f'backups restore {name}')}")
    print()


def _for_goto(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    own.add_argument(
        "step", metavar="STEP", help="a number or a name: it is done then, the next is yours"
    )


def _for_backups(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    own.add_argument("action", metavar="restore", nargs="?", choices=("restore",),
                     help="bring a backup back: HEAD, index and files as they were")  # fmt: skip
    own.add_argument("name", metavar="NAME", nargs="?", help="which one, from the list")


VERBS: Mapping[str, Verb] = {
    "goto": (_for_goto, goto),
    "reset": (project_argument, reset),
    "backups": (_for_backups, backups),
}
