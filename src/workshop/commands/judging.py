"""What learners type about a step: is it right, a hint please, what is different, watch me."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from workshop.commands import (
    GREEN,
    command,
    course_of,
    project_argument,
    shower,
    step_argument,
    worst,
)

if TYPE_CHECKING:
    import argparse

    from workshop.commands import Verb
    from workshop.model import Course, Step, Verdict


def check(args: argparse.Namespace) -> int:
    """Judge the project by the checks of a step."""
    from workshop import git, learner

    course = course_of(args)
    project = git.top(args.project)
    step = _step(args, course, project)
    if step is None:
        if args.json:
            print("[]")
        return GREEN
    if not args.json:
        from workshop.report import text

        print(text.head(step))
    known = step.slug in learner.done(project)
    verdicts, green = _judged(course, project, step, quiet=args.json)
    if args.json:
        from workshop.report import as_json

        print(as_json.listing(verdicts, step=step.tag))
    else:
        from workshop.report import learning

        print("\n" + text.summary(verdicts, "" if green else learning.mending(verdicts)))
        if green:
            print(_going_on(course, project, step, known=known))
        elif any(each.outcome == "red" for each in verdicts):
            print(f"Stuck? {command(args, _named('hint', args, step))}")
    return worst(verdicts)


def hint(args: argparse.Namespace) -> int:
    """The next hint for what is red now, or the solution."""
    from workshop import git, hints, kept, learner
    from workshop.report import learning

    if args.show_solution:
        return diff(args)
    course = course_of(args)
    project = git.top(args.project)
    step = _step(args, course, project)
    if step is None:
        return GREEN
    verdicts = kept.last_verdicts(project, step, kept.seal(project, step))
    if not verdicts:
        verdicts, _ = _judged(course, project, step, quiet=True)
    red = hints.failing(verdicts)
    if red is not None:
        following = hints.following(course, project, step, red)
        print(learning.hint(following, step, command(args, _named("hint", args, step))))
        return GREEN
    broken = [each for each in verdicts if each.outcome == "error"]
    if broken:
        see = command(args, f"check {step.number:02d}")
        print(f"No hint: the checks can't judge. See it: {see}")
        return worst(verdicts)
    print(f"No hint: nothing is red in step {step.number:02d}, {step.title}.")
    if step == learner.uncommitted(course, project):
        print("It is not committed yet. Commit it, and go on.")
    return GREEN


def diff(args: argparse.Namespace) -> int:
    """What leads from the learner's files to the stage."""
    from workshop import diff as differences
    from workshop import git
    from workshop.report import text

    course = course_of(args)
    project = git.top(args.project)
    step = _step(args, course, project)
    if step is None:
        return GREEN
    found = differences.diff(course, project, step, colour=text.Paint(sys.stdout).on)
    if found:
        print(found, end="")
    else:
        print(f"No difference: your files are those of step {step.number:02d}, {step.title}.")
    return GREEN


def watch(args: argparse.Namespace) -> int:
    """Judge after each save, until q or Ctrl-C."""
    from workshop import git
    from workshop import watch as watching
    from workshop.report import watching as shown

    course = course_of(args)
    project = git.top(args.project)
    step = _step(args, course, project)
    if step is None:
        return GREEN
    with _single_keys() as keys:
        screen = shown.chosen(sys.stdout, lambda verb: command(args, verb), keys=keys is not None)
        events = watching.watch(
            course, project, step, polling=True if args.poll else None, keys=keys
        )
        try:
            for event in events:
                screen.show(event)
        except KeyboardInterrupt:
            pass
        finally:
            events.close()
    return GREEN


def _step(args: argparse.Namespace, course: Course, project: Path) -> Step | None:
    """The step that is named, or the one at hand: a green one, until it is committed. After a word
    about it, None when all is done."""
    from workshop import learner
    from workshop.course import find
    from workshop.errors import WorkshopError

    step = find(course, args.step) if args.step else learner.at_hand(course, project)
    if step is None:
        out = sys.stderr if getattr(args, "json", False) else sys.stdout
        again = command(args, "check STEP")
        print(f"You have done every step. `{again}` looks at one of them again.", file=out)
    elif not step.tests:
        raise WorkshopError("this step has no checks", "Run: workshop lint", path=step.folder)
    return step


def _named(verb: str, args: argparse.Namespace, step: Step) -> str:
    """A verb for the same step: whoever named it must go on naming it."""
    return f"{verb} {step.number:02d}" if args.step else verb


def _judged(
    course: Course, project: Path, step: Step, *, quiet: bool
) -> tuple[tuple[Verdict, ...], bool]:
    """Judge, show each verdict unless quiet, and remember what came out."""
    from workshop import kept, learner
    from workshop.checks import runner

    seal = kept.seal(project, step)
    verdicts = runner.run(step.tests, project, course, on_verdict=shower(quiet))
    kept.keep_verdicts(project, step, seal, verdicts)
    return verdicts, learner.record(course, project, step, verdicts)


def _going_on(course: Course, project: Path, step: Step, *, known: bool) -> str:
    from workshop import diff as differences
    from workshop import git, learner
    from workshop.paths import program, typed
    from workshop.report import learning

    here = Path.cwd().resolve() == project.resolve()
    committed = git.head(project) is not None
    return learning.going_on(
        step,
        learner.current(course, project),
        dirty=bool(git.changes(project)),
        committed=committed,
        known=known and committed and step != learner.uncommitted(course, project),
        ignored=git.ignored(project, differences.paths(course, step)),
        program=program(),
        folder="" if here else typed(str(project)),
    )


@contextlib.contextmanager
def _single_keys() -> Iterator[IO[str] | None]:
    """Standard input, key by key, when it is a terminal; put back as it was at the end."""
    if not sys.stdin.isatty():
        yield None
        return
    try:
        import termios
        import tty
    except ImportError:  # no such terminal: Ctrl-C ends it
        yield None
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)
    try:
        yield sys.stdin
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _for_check(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    step_argument(own)
    own.add_argument("--json", action="store_true", help="print the verdicts as JSON")


def _for_hint(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    step_argument(own)
    own.add_argument(
        "--show-solution", action="store_true", help="no hint: what to change in your files"
    )


def _for_diff(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    step_argument(own)


def _for_watch(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    step_argument(own)
    own.add_argument(
        "--poll", action="store_true", help="look at the files once a second: for network drives"
    )


VERBS: Mapping[str, Verb] = {
    "check": (_for_check, check),
    "hint": (_for_hint, hint),
    "diff": (_for_diff, diff),
    "watch": (_for_watch, watch),
}
