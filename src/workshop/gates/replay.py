"""Replay: who does only what the rendered lessons say ends every step with the stage, and green."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from workshop import browser, own, transcript
from workshop.checks import needs
from workshop.errors import WorkshopError
from workshop.gates import variants
from workshop.gates.page import Block, to_do
from workshop.gates.result import Result
from workshop.gates.truth import Truth
from workshop.model import Course, Finding, Step
from workshop.robot import Robot
from workshop.transcript import Commits, Entry

NAME = "replay"
PROMPT = "$ "
_OWN = "workshop "


class Done(NamedTuple):
    """One lesson, done: what was typed and came back.

    `silent` counts what brings no output to compare: a file, a diff, a command of a variant.
    `broken` is what went wrong: an exit code, a tree. `drifted` is what came back otherwise than
    the page says. `seconds` is wall time. `skipped` is what can't be done here; `kept` of these
    have an entry all the same: the one that the page shows.
    """

    step: Step
    entries: tuple[Entry, ...]
    silent: int
    broken: tuple[Finding, ...]
    drifted: tuple[Finding, ...]
    seconds: float
    skipped: tuple[Finding, ...] = ()
    kept: int = 0


def prove(truth: Truth, blocks: Sequence[Block], learner: Robot) -> Result:
    """Do every lesson, one after the other, and compare all that comes back with the pages."""
    done = list(follow(truth, blocks, learner))
    return Result(
        NAME,
        sum(len(each.entries) + each.silent - each.kept for each in done),
        tuple(finding for each in done for finding in (*each.broken, *each.drifted)),
        tuple(finding for each in done for finding in each.skipped),
    )


def skipped(course: Course, blocks: Sequence[Block]) -> tuple[Finding, ...]:
    """What of the lessons can't be done on this machine today, and why: looked up, not tried."""
    lessons = (to_do(tuple(blocks), step) for step in course.steps)
    return tuple(finding for lesson in lessons for block in lesson for finding in _unmet(block))


def _unmet(block: Block) -> Iterator[Finding]:
    """What of a block can't be done here: a page to open, or each of its commands."""
    shows = block.claim("shows")
    if shows == "browser" and (reason := browser.missing()):
        yield Finding(block.where, f"{reason}: {block.claim('url')} was not opened")
    is_typed = shows == "commands" and block.claim("platform") in ("", variants.here())
    if is_typed and (lacking := needs.missing(block.claim("needs").split())):
        for entry in shown_entries(block):
            yield Finding(block.where, f"{lacking}: `{entry.command}`")


def follow(truth: Truth, blocks: Sequence[Block], learner: Robot) -> Iterator[Done]:
    """Do the lessons in their order. Ends after the first that leaves another tree: from there on
    nothing would fit."""
    commits = Commits()
    for step in truth.course.steps:
        began = time.monotonic()
        try:
            mine = own.paths(each for each in truth.course.steps if each.number <= step.number)
            lesson = to_do(tuple(blocks), step)
            done = _lesson(step, lesson, learner, commits, differs=bool(mine))
            odd = tuple(_end(truth, step, learner))
        except WorkshopError as error:
            fact = Finding(_page(step), f"{error.fact}. {error.remedy}")
            yield Done(step, (), 0, (fact,), (), 0.0)
            return
        seconds = round(time.monotonic() - began, 3)
        yield done._replace(broken=(*done.broken, *odd), seconds=seconds)
        if odd:
            return


def _page(step: Step) -> str:
    return f"steps/{step.folder.name}/index.html"


def _lesson(
    step: Step, lesson: Sequence[Block], learner: Robot, commits: Commits, *, differs: bool
) -> Done:
    entries: list[Entry] = []
    broken: list[Finding] = []
    drifted: list[Finding] = []
    undone: list[Finding] = []
    silent = kept = 0
    for block in lesson:
        shows = block.claim("shows")
        whole = not block.claim("part") and not block.claim("elide")
        if block.claim("stage") not in ("", step.tag):
            continue  # of another stage: to be looked at
        lacking = tuple(_unmet(block))
        undone += lacking
        if shows == "listing" and whole:
            learner.write(block.claim("path"), block.text)
            silent += 1
        elif shows == "diff" and whole:
            learner.apply(block.text)
            silent += 1
        elif shows == "commands" and block.claim("platform") in ("", variants.here()):
            for shown, last in _with_last(shown_entries(block)):
                wanted = int(block.claim("exit") or 0) if last else 0
                if lacking:
                    entries.append(shown._replace(code=wanted))
                    kept += 1
                    # The workshop itself knows what to do without: skip, say so, go on. It has
                    # other words then, which the page does not show.
                    if shown.command.startswith(_OWN):
                        broken += [
                            Finding(block.where, fact)
                            for fact in _code(learner.type(shown.command), wanted)
                        ]
                    continue
                seen = learner.type(shown.command)
                broken += [Finding(block.where, fact) for fact in _code(seen, wanted)]
                if block.claim("platform"):
                    silent += 1
                else:
                    entries.append(seen)
                    facts = _drift(shown, seen, commits, differs=differs)
                    drifted += [Finding(block.where, fact) for fact in facts]
        elif shows == "browser":
            url, actions = block.claim("url"), browser.parse(block.claim("actions").split("\n"))
            shown = Entry(browser.command(url, actions), block.text.lstrip("\n"))
            drifted += [Finding(block.where, fact) for fact in _told(block, url, actions)]
            if lacking:
                kept += bool(shown.output)
                entries += [shown] if shown.output else []
            else:
                entries.append(learner.browse(url, actions))
                broken += [Finding(block.where, fact) for fact in _code(entries[-1], 0)]
                drifted += [
                    Finding(block.where, fact)
                    for fact in _drift(shown, entries[-1], commits, differs=differs)
                ]
    return Done(
        step, tuple(entries), silent, tuple(broken), tuple(drifted), 0.0, tuple(undone), kept
    )


def shown_entries(block: Block) -> tuple[Entry, ...]:
    """What a reader sees in a console: each command, and the output below it."""
    entries: list[Entry] = []
    goes_on = False
    for line in block.text.removesuffix("\n").split("\n"):
        if goes_on:
            entries[-1] = entries[-1]._replace(command=f"{entries[-1].command}\n{line}")
        elif line.startswith(PROMPT):
            entries.append(Entry(line.removeprefix(PROMPT), ""))
        elif entries:
            entries[-1] = entries[-1]._replace(output=f"{entries[-1].output}{line}\n")
        is_command = goes_on or line.startswith(PROMPT)
        goes_on = is_command and line.endswith("\\")
    return tuple(entries)


def _told(block: Block, url: str, actions: Sequence[browser.Action]) -> Iterator[str]:
    """Whether the words above tell a reader to do just what is done."""
    told = [f"Open {url}"]
    for name, text in actions:
        told.append(f"Press {name}" if text is None else f"Type {text} into {name}")
    wanted, found = (" ".join(each.split()) for each in (" ".join(told), block.caption))
    curly = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")  # Sphinx makes quotes such
    if found.translate(curly) != f"{wanted} You see":
        yield f"a reader is told {found!r}, and this is done: {wanted!r}"


def _with_last(entries: Sequence[Entry]) -> Iterator[tuple[Entry, bool]]:
    return ((entry, entry is entries[-1]) for entry in entries)


def _code(seen: Entry, wanted: int) -> Iterator[str]:
    if seen.code != wanted:
        said = seen.output.strip()
        yield f"`{seen.command}` ended with {seen.code}, and should end with {wanted}:\n{said}"


def _drift(shown: Entry, seen: Entry, commits: Commits, *, differs: bool) -> Iterator[str]:
    one, other = (transcript.masked(each.output, own=differs) for each in (shown, seen))
    if one != other:
        pairs = itertools.zip_longest(one.split("\n"), other.split("\n"))
        first = next(pair for pair in pairs if pair[0] != pair[1])
        yield f"below `{shown.command}` stands {first[0]!r}, and it said {first[1]!r}"
        return
    for here, there in commits.meet(shown, seen):
        yield (
            f"below `{shown.command}` stands the commit {here}, and it said {there}: "
            "one of them is another commit above"
        )


def _end(truth: Truth, step: Step, learner: Robot) -> Iterator[Finding]:
    """What the learner has is the stage, it is all committed, and the step is noted as done. Of
    what is each project's own, the stage has an example: that it is there is enough."""
    page, mine = _page(step), own.paths(truth.course.steps)
    wanted, found = (
        [line if (path := line.split("\t")[-1]) not in mine else path for line in each.splitlines()]
        for each in (truth.tree(step.tag), learner.tree())
    )
    for line in sorted(set(wanted) ^ set(found), key=lambda line: line.split("\t")[-1]):
        whose = "only the stage has" if line in wanted else "only the learner has"
        yield Finding(page, f"at the end {whose} {line}")
    if unsaved := learner.unsaved():
        yield Finding(page, f"at the end this is not committed: {unsaved.strip()}")
    progress = learner.here / ".git" / "workshop" / "progress.json"
    kept: Mapping[str, Iterable[str]] = (
        json.loads(progress.read_text(encoding="utf-8")) if progress.is_file() else {}
    )
    if step.slug not in kept.get("done", ()):
        yield Finding(page, "at the end no `workshop check` was green")
