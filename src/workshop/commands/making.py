"""What course makers and trainers type: build it, prove it, hold the docs against it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workshop.commands import GREEN, RED, course_of, no_arguments, root_of

if TYPE_CHECKING:
    import argparse

    from workshop.commands import Verb
    from workshop.gates.replay import Done
    from workshop.model import Course, Step
    from workshop.trial import Trial


def build(args: argparse.Namespace) -> int:
    """Write the demo project as a git repository."""
    from workshop import history
    from workshop.paths import typed

    root = root_of(args)
    if args.bundle:
        _may_be_written(args.bundle)
    tags = history.write(_steps(root), root, args.directory, bundle=args.bundle)
    for tag in tags:
        print(f"{tag.commit[:10]}  {tag.name}")
    print(f"\n{args.directory}: {len(tags)} stages. Look at one:\n")
    print(f"  git -C {typed(str(args.directory))} checkout {tags[0].name}")
    if args.bundle:
        print(f"\n{args.bundle}: the same as one file. Use it:\n")
        print(f"  git clone {typed(str(args.bundle))}")
    return GREEN


def _may_be_written(bundle: Path) -> None:
    """Raise WorkshopError unless nothing is there, or an earlier bundle."""
    from workshop.errors import WorkshopError

    if bundle.is_dir():
        raise WorkshopError(
            "this is a folder", "Name a file in it, one that is not there yet.", path=bundle
        )
    if bundle.exists():
        with bundle.open("rb") as file:
            if not file.read(16).startswith((b"# v2 git bundle", b"# v3 git bundle")):
                raise WorkshopError("this is a file of yours", "Name another one.", path=bundle)


def _steps(root: Path) -> Iterator[Step]:
    """The steps of the course, read while git works already: even their reader is imported then."""
    from workshop import course

    yield from course.steps(root)


def prefetch(args: argparse.Namespace) -> int:
    """Fetch all that the course needs."""
    from workshop import prefetch

    def show(tag: str, made: bool) -> None:
        print(f"{tag:<24} {'fetched' if made else 'there already'}", flush=True)

    prefetch.prefetch(course_of(args), report=show)
    print("\nAll is there. From now on you need no network, but for images of containers.")
    return GREEN


def lint(args: argparse.Namespace) -> int:
    """Check the course itself."""
    from workshop import lint

    course = course_of(args)
    if args.record:
        print(f"Recorded: {lint.record(course)}")
        return GREEN
    found = lint.lint(course)
    if args.json:
        from workshop.report import as_json

        print(as_json.listing(found))
        return RED if found else GREEN
    from workshop.report import text

    for line in text.findings(found):
        print(line)
    print(f"{text.count(len(found), 'finding')} in {text.count(len(course.steps), 'step')}.")
    return RED if found else GREEN


def verify(args: argparse.Namespace) -> int:
    """Prove the course."""
    from workshop import verify
    from workshop.course import find
    from workshop.report import text

    course = course_of(args)
    began = time.monotonic()
    paint = text.Paint(sys.stdout)

    def show(trial: Trial, number: int, total: int) -> None:
        # JSON goes to stdout whole; progress is for the person who waits
        stream = sys.stderr if args.json else sys.stdout
        print(text.trial(trial, number, total, paint), file=stream, flush=True)

    steps = [find(course, name) for name in args.steps]
    trials = verify.verify(course, steps, fresh=args.fresh, report=show)
    if args.junit:
        from workshop.report import junit

        junit.write(trials, args.junit)
    if args.proof and not args.steps:
        _keep_proof(course, args.proof, trials=trials)
    if args.json:
        from workshop.report import as_json

        print(as_json.listing(trials))
    else:
        print("\n" + text.verification(trials, time.monotonic() - began))
    return RED if any(trial.problems for trial in trials) else GREEN


def mutants(args: argparse.Namespace) -> int:
    """Prove the checks."""
    from workshop import mutants
    from workshop.course import find, survivors
    from workshop.report import text

    paint = text.Paint(sys.stdout)

    def show(result: mutants.Result, number: int, total: int) -> None:
        news = result.outcome in ("survived", "broken") or not result.cached
        if news and result.outcome != "not judged":  # the summary counts those
            print(text.mutant(result, number, total, paint), flush=True)

    course = course_of(args)
    steps = [find(course, name) for name in args.steps]
    results = mutants.run(course, steps, fresh=args.fresh, within=args.within, report=show)
    if args.record:
        for file in mutants.record(course, results):
            print(f"recorded: {file}")
    listed = {step.tag: survivors(step) for step in course.steps}
    free = {tag: sum(one.free for one in each.survivors) for tag, each in listed.items() if each}
    print("\n" + text.mutation(results, free))
    problems = tuple(mutants.problems(results))
    for line in text.findings(problems):
        print(line)
    return RED if problems else GREEN


def gates(args: argparse.Namespace) -> int:
    """Hold the rendered docs against what was executed."""
    from workshop import gates
    from workshop.report import text

    paint = text.Paint(sys.stdout)

    def show(result: gates.Result) -> None:
        if not args.json:
            print(text.gate(result, paint), flush=True)

    course = course_of(args)
    names = args.names or gates.NAMES
    results = gates.run(course, args.html, names, fresh=args.fresh, report=show)
    if args.proof and not args.names:
        lessons = gates.lessons(course, args.html, results)
        _keep_proof(course, args.proof, results=results, lessons=lessons)
    if args.json:
        from workshop.report import as_json

        print(as_json.listing(results))
    return RED if gates.findings(results) else GREEN


def _keep_proof(course: Course, file: Path, **parts: Any) -> None:
    from workshop import history, proof

    with history.built(course) as (_, tags):
        commits = {tag.name: tag.commit for tag in tags}
        proof.write(file, course, commits, proof.Proof(**parts))


def record(args: argparse.Namespace) -> int:
    """Write the transcripts of the lessons."""
    from workshop import recording
    from workshop.report import text

    def show(done: Done) -> None:
        commands = text.count(len(done.entries), "command")
        print(f"{done.step.tag}: {commands}, {done.seconds:.1f} s", flush=True)
        for each in done.skipped:
            print(f"  kept as it was: {each.where}: {each.fact}", flush=True)

    recorded = recording.record(course_of(args), report=show)
    for line in text.findings(recorded.broken):
        print(line, file=sys.stderr)
    if recorded.broken:
        print("\nNothing was written.", file=sys.stderr)
        return RED
    for file in recorded.changed:
        print(f"changed: {file}")
    print(f"{text.count(len(recorded.changed), 'transcript')} changed.")
    return GREEN


def docs(args: argparse.Namespace) -> int:
    """Serve the docs while they are written."""
    from workshop import writing

    writing.serve(course_of(args).root, args.port)
    return GREEN


def _for_build(own: argparse.ArgumentParser) -> None:
    own.add_argument("directory", metavar="DIR", type=Path, help="where: absent or empty")
    own.add_argument(
        "--bundle", metavar="FILE", type=Path, help="also write one file to clone from"
    )


def _for_verify(own: argparse.ArgumentParser) -> None:
    own.add_argument("steps", metavar="STEP", nargs="*", help="only these (default: all)")
    own.add_argument("--fresh", action="store_true", help="prove again what was proven before")
    own.add_argument("--json", action="store_true", help="print the trials as JSON")
    own.add_argument("--junit", metavar="FILE", type=Path, help="also write JUnit XML")
    own.add_argument("--proof", metavar="FILE", type=Path, help="also keep it for the docs")


def _for_mutants(own: argparse.ArgumentParser) -> None:
    own.add_argument("steps", metavar="STEP", nargs="*", help="only these (default: all)")
    own.add_argument(
        "--within", metavar="SECONDS", type=float, help="a sample: as many as there is time for"
    )
    own.add_argument("--record", action="store_true", help="write the lists of those not found")
    own.add_argument("--fresh", action="store_true", help="prove again what was proven before")


def _for_lint(own: argparse.ArgumentParser) -> None:
    own.add_argument("--record", action="store_true", help="record the hashes of today's stages")
    own.add_argument("--json", action="store_true", help="print the findings as JSON")


def _for_gates(own: argparse.ArgumentParser) -> None:
    own.add_argument("names", metavar="GATE", nargs="*", help="only these (default: all)")
    own.add_argument(
        "--html", metavar="DIR", type=Path, default=Path("build/docs"),
        help="the rendered docs (default: build/docs)",
    )  # fmt: skip
    own.add_argument("--json", action="store_true", help="print the results as JSON")
    own.add_argument("--proof", metavar="FILE", type=Path, help="also keep them for the docs")
    own.add_argument("--fresh", action="store_true", help="prove again what was proven before")


def _for_docs(own: argparse.ArgumentParser) -> None:
    own.add_argument(
        "--port", type=int, help="the port to serve them on (default: the first free from 8090)"
    )


VERBS: Mapping[str, Verb] = {
    "build": (_for_build, build),
    "prefetch": (no_arguments, prefetch),
    "verify": (_for_verify, verify),
    "mutants": (_for_mutants, mutants),
    "lint": (_for_lint, lint),
    "gates": (_for_gates, gates),
    "record": (no_arguments, record),
    "docs": (_for_docs, docs),
}
