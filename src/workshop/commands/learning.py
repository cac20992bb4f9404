"""What learners type on their way: begin, where am I, take it with me, is my laptop fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.commands import GREEN, course_of, folder, project_argument, root_of

if TYPE_CHECKING:
    import argparse

    from workshop.commands import Verb


def start(args: argparse.Namespace) -> int:
    """Make the learner's project, or find it again."""
    from workshop import learner
    from workshop.paths import program

    course = course_of(args)
    started = learner.start(course, args.directory)
    step = learner.current(course, started.project)
    if started.again:
        print(f"Welcome back. Your project is in {started.project}")
    else:
        print(f"Your project is in {started.project}")
        print("It is an empty git repository: commit #1 is yours.")
    if not started.named:
        print("\nGit does not know your name yet. Tell it, once:")
        print('  git config --global user.name "Your Name"')
        print("  git config --global user.email you@example.org")
    green = learner.uncommitted(course, started.project)
    if step is None and green is None:
        print("\nYou have done every step. Deploy often!")
        return GREEN
    if green is not None:
        print(f"\nStep {green.number:02d}, {green.title}, is green and not committed yet. Next:")
    elif step is not None:
        print(f"\nNow step {step.number:02d}, {step.title} ({step.minutes} minutes). Next:")
    print(f"  cd {folder(args.directory)}")
    print(f"  {program()} check")
    return GREEN


def status(args: argparse.Namespace) -> int:
    """Where the learner is, and what is in production."""
    from workshop import git, learner, production, progress
    from workshop.commands.moves import note_interrupted
    from workshop.paths import program
    from workshop.report import learning

    course = course_of(args)
    project = git.top(args.project)
    note_interrupted(args, project)
    noted = learner.known(project)
    done = learner.done(project)
    print(learning.steps(course, done, learner.current(course, project), noted.get("passed", ())))
    left = sum(step.minutes for step in course.steps if step.slug not in done)
    head, uncommitted = git.state(project)
    green = learner.uncommitted(course, project)
    print("\n" + learning.facts(left, head, uncommitted, production.status(project), green))
    if news := progress.news(course, project):
        print(f"\n{learning.stale(news, program())}")
    return GREEN


def progress(args: argparse.Namespace) -> int:
    """Progress from machine to machine, or to a newer course."""
    from workshop import git, learner
    from workshop import progress as moving
    from workshop.errors import WorkshopError
    from workshop.paths import typed
    from workshop.report import learning, text

    course = course_of(args)
    project = git.top(args.project)
    if args.action == "update":
        print(learning.updated(moving.update(course, project)))
    elif args.file is None:
        raise WorkshopError("which file?", f"Name one: workshop progress {args.action} FILE")
    elif args.action == "export":
        number = moving.export(project, args.file)
        print(f"{args.file}: {text.count(number, 'step')} done.")
        print(f"There: workshop progress import {typed(args.file.name)}")
    else:
        added = moving.join(course, project, args.file)
        print(f"{text.count(len(added), 'step')} more done.")
        step = learner.current(course, project)
        if step is not None:
            print(f"You are at step {step.number:02d}, {step.title}.")
    return GREEN


def doctor(args: argparse.Namespace) -> int:
    """Whether this laptop is fit."""
    from workshop import doctor as preflight
    from workshop.errors import WorkshopError

    steps = root_of(args) / "steps"
    if not steps.is_dir():
        raise WorkshopError("there is no such folder", "Name the folder of a course.", path=steps)
    return preflight.main(["--json"] if args.json else [], str(steps))


def _for_start(own: argparse.ArgumentParser) -> None:
    own.add_argument("directory", metavar="DIR", type=Path, help="a new folder, or your project")


def _for_progress(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    own.add_argument(
        "action", choices=("export", "import", "update"),
        help="write it to a file, read it from one, or go on with a newer course",
    )  # fmt: skip
    own.add_argument("file", metavar="FILE", type=Path, nargs="?", help="for export and import")


def _for_doctor(own: argparse.ArgumentParser) -> None:
    own.add_argument("--json", action="store_true", help="print the findings as JSON")


VERBS: Mapping[str, Verb] = {
    "start": (_for_start, start),
    "status": (project_argument, status),
    "progress": (_for_progress, progress),
    "doctor": (_for_doctor, doctor),
}
