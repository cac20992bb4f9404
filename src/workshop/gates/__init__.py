"""The gates: what a reader sees is what was executed. Each is a small file; find it by its name.

They look at the rendered pages only, and at the stages, built anew. A gate never asks a directive.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from workshop import course as courses
from workshop import git, robot
from workshop.errors import WorkshopError
from workshop.gates import (
    coverage,
    equality,
    facts,
    frames,
    page,
    provenance,
    replay,
    replayed,
    sources,
    truth,
    values,
    variants,
)
from workshop.gates.result import Lesson, Result
from workshop.gates.waivers import Waivers
from workshop.model import Course, Finding

__all__ = ["GATES", "Result", "run"]

GATES = (provenance, equality, facts, coverage, values, variants, replay)
NAMES = tuple(gate.NAME for gate in GATES)


def run(
    course: Course,
    html: Path,
    names: Sequence[str] = NAMES,
    *,
    fresh: bool = False,
    report: Callable[[Result], None] | None = None,
) -> tuple[Result, ...]:
    """Hold the rendered docs in `html` against the course. `report` is told each gate's result.

    A replay that was green is not done again while all that it depends on is the same, unless
    `fresh`. What can't be done on this machine is looked up each time.

    Raises WorkshopError when there are no pages, or no such gate.
    """
    for name in names:
        if name not in NAMES:
            raise WorkshopError(f"there is no gate {name}", f"The gates are: {', '.join(NAMES)}")
    waived = courses.waived(course.root)
    for waiver in waived:
        if waiver.gate not in NAMES:
            raise WorkshopError(
                f"a waiver names the gate {waiver.gate}, which is none",
                f"The gates are: {', '.join(NAMES)}",
                path=course.root / "steps" / "waived.toml",
            )
    waivers = Waivers(waived)
    results = []
    with truth.open_truth(course) as known:
        for result in _each(known, html, names, waivers, fresh=fresh):
            stale = waivers.stale([result.gate])
            results.append(result._replace(findings=(*result.findings, *stale)))
            if report is not None:
                report(results[-1])
    return tuple(results)


def _each(
    known: truth.Truth, html: Path, names: Sequence[str], waivers: Waivers, *, fresh: bool
) -> Iterator[Result]:
    blocks = page.read(html)
    root = known.course.root
    if provenance.NAME in names:
        result = provenance.prove(root, blocks, waivers)
        yield result._replace(findings=(*sources.gone(root, html), *result.findings))
    if equality.NAME in names:
        yield equality.prove(known, blocks)
    if facts.NAME in names:
        yield facts.prove(known, frames.read(html))
    if coverage.NAME in names:
        yield coverage.prove(known, blocks, waivers)
    if values.NAME in names:
        yield values.prove(known.course, sources.of_pages(root, html), files(known), waivers)
    if variants.NAME in names:
        yield variants.prove(known.course, blocks)
    if replay.NAME in names:
        yield _replay(known, blocks, fresh=fresh)


def _replay(known: truth.Truth, blocks: tuple[page.Block, ...], *, fresh: bool) -> Result:
    skipped = replay.skipped(known.course, blocks)
    key = replayed.key(known, blocks)
    result = None if fresh else replayed.kept(key, skipped)
    if result is None:
        with robot.robot(known.course.root) as learner:
            result = replay.prove(known, blocks, learner)
        replayed.keep(key, result, skipped)
    return result


def lessons(course: Course, html: Path, results: Sequence[Result]) -> tuple[Lesson, ...]:
    """What each lesson's page shows and was executed, counted.

    Of commands and pages, only what the replay in `results` has done: nothing that this machine
    can't do. From the first lesson on in which something went wrong, nobody knows how far it got.
    """
    blocks = page.read(html)
    replays = [each for each in results if each.gate == replay.NAME]
    undone = {each.where for result in replays for each in result.skipped}
    wrong = {each.where.partition(",")[0] for result in replays for each in result.findings}
    done = bool(replays)
    found = []
    for step in course.steps:
        own = page.of_lesson(blocks, step)
        told = page.to_do(blocks, step)
        consoles = [block for block in told if block.claim("shows") == "commands"]
        typed = [each for each in consoles if each.claim("platform") in ("", variants.here())]
        done = done and f"steps/{step.folder.name}/index.html" not in wrong
        executed = {each.where for each in told if done and each.where not in undone}
        found.append(
            Lesson(
                step.tag,
                listings=sum(block.claim("shows") in equality.SHOWN for block in own),
                commands=sum(
                    len(replay.shown_entries(each)) for each in typed if each.where in executed
                ),
                pages=sum(
                    block.claim("shows") == "browser" and block.where in executed for block in told
                ),
                skipped=len(consoles) - len(typed),
            )
        )
    return tuple(found)


def files(known: truth.Truth) -> frozenset[str]:
    """The paths of all files that a stage has, or that stand in the course's own repository."""
    staged = {path for stage in known.stages.values() for path in stage.files}
    root = known.course.root
    try:
        ours = git.text("ls-files", "--cached", "--others", "--exclude-standard", cwd=root)
    except (git.GitError, subprocess.SubprocessError):
        ours = ""
    named = set()  # what the engine itself writes somewhere, such as `live.json`
    for file in Path(__file__).parent.parent.rglob("*.py"):
        named |= set(
            re.findall(r'"([\w.-]+\.(?:json|jsonl|toml|txt|md))"', file.read_text("utf-8"))
        )
    return frozenset(staged | named | set(ours.split("\n")))


def findings(results: Sequence[Result]) -> tuple[Finding, ...]:
    """Everything that is not so; a gate that had nothing to prove is a finding, too."""
    return tuple(
        finding
        for result in results
        for finding in (
            *result.findings,
            *([Finding(result.gate, "nothing was proven")] if not result.proven else []),
        )
    )
