"""Verdicts, findings and trials as text for a terminal of 80 columns.

A word says it; colour only repeats it, and only on a terminal that wants it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from workshop import mutants
    from workshop.gates.result import Result
    from workshop.model import Finding, Step, Verdict
    from workshop.production import Kept
    from workshop.trial import Trial

WIDTH = 80
_COLOURS = {"green": "32", "red": "31", "error": "35", "skipped": "33", "bold": "1"}


class Paint:
    """Colours a word when the stream is a terminal that can, and NO_COLOR is not set."""

    def __init__(self, stream: TextIO) -> None:
        dumb = os.environ.get("TERM") == "dumb"
        self.on = stream.isatty() and not dumb and not os.environ.get("NO_COLOR")

    def __call__(self, style: str, words: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{words}\x1b[0m" if self.on else words


def verdict(each: Verdict, paint: Paint, width: int = WIDTH) -> str:
    """One verdict: its outcome, its sentence, and, when it is not green, what to do about it."""
    head = wrapped(each.sentence or each.check, "  " + f"{each.outcome:<9}", " " * 11, width)
    lines = [head.replace(each.outcome, paint(each.outcome, each.outcome), 1)]
    if each.outcome == "skipped":
        lines.append(wrapped(each.seen, "           because: ", " " * 20, width))
    elif each.outcome != "green":
        for name, words in (("seen", each.seen), ("expected", each.expected), ("do", each.do)):
            if words:
                lines.append(wrapped(words, f"           {name + ':':<10} ", " " * 22, width))
        if each.where:
            lines.append(f"           {'check:':<10} {each.where}")
    return "\n".join(lines)


def head(step: Step) -> str:
    """The line above a step's verdicts."""
    return f"Step {step.number:02d}: {step.title}\n"


def summary(verdicts: Sequence[Verdict], rest: str = "") -> str:
    """How many are green, what was skipped and why, and the `rest` that there is to say."""
    green = sum(each.outcome == "green" for each in verdicts)
    skipped = [each for each in verdicts if each.outcome == "skipped"]
    line = f"{green} of {len(verdicts)} green"
    if skipped:
        reasons = sorted({each.seen for each in skipped})
        line += f", {len(skipped)} skipped ({'; '.join(reasons)})"
    return wrapped(f"{line}. {rest}".rstrip())


def release(each: Kept) -> str:
    """A line for a release that is kept; of what its commit says, as much as there is room for."""
    word = "live" if each.live else "kept"
    when = each.deployed[:19].replace("T", " ")
    line = f"{word}  {each.commit[:10]}  {when}  {each.subject}"
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def trial(each: Trial, number: int, total: int, paint: Paint) -> str:
    """One line for a trial of `workshop verify`, and its problems below."""
    word = "red" if each.problems else "green"
    what = {
        "start": f"red on its start, {each.stage}",
        "solution": "green on its solution"
        if each.step == each.stage
        else f"still green at {each.stage}",
        "deploy": f"deploys: {each.sent} requests, {each.lost} lost",
        "rollout": f"rolls out in a cluster: {each.sent} requests, {each.lost} lost",
    }[each.kind]
    how = "known" if each.cached else f"{each.seconds:.1f} s"
    width = len(str(total))
    lines = [f"[{number:>{width}}/{total}] {paint(word, f'{word:<5}')} {each.step}: {what} ({how})"]
    lines += [wrapped(problem, "      - ", "        ") for problem in each.problems]
    return "\n".join(lines)


def verification(trials: Sequence[Trial], seconds: float) -> str:
    """The summary of `workshop verify`: what was proven, what was not, and why."""
    bad = sum(bool(each.problems) for each in trials)
    deploys = [each for each in trials if each.kind in ("deploy", "rollout")]
    known = sum(each.cached for each in trials)
    sent, lost = sum(each.sent for each in deploys), sum(each.lost for each in deploys)
    lines = [
        f"{len(trials) - bad} of {len(trials)} trials as promised, {known} of them known"
        f" already. {seconds:.1f} s.",
        f"{count(len(deploys), 'deploy')}, {count(sent, 'request')}, {lost} lost.",
    ]
    skipped = [(each, one) for each in trials for one in each.verdicts if one.outcome == "skipped"]
    lines.append(f"{count(len(skipped), 'check')} skipped{':' if skipped else '.'}")
    lines += [f"  {each.step} {one.check}: {one.seen}" for each, one in skipped]
    return "\n".join(lines)


def mutant(each: mutants.Result, number: int, total: int, paint: Paint) -> str:
    """One line for a mutant, and what became of it."""
    style = {"killed": "green", "survived": "red", "broken": "error"}.get(each.outcome, "skipped")
    word = paint(style, f"{each.outcome:<10}")
    how = "known" if each.cached else f"{each.seconds:.1f} s"
    why = each.why if each.by in ("", each.step.slug) else f"{each.by} {each.why}"
    width = len(str(total))
    name = f"{each.step.tag} {each.mutant.file}: {each.mutant.mutation}"
    return f"[{number:>{width}}/{total}] {word} {name} ({f'{why}, ' if why else ''}{how})"


def mutation(results: Sequence[mutants.Result], free: Mapping[str, int]) -> str:
    """How many mutants of each step were found. `free` counts, by tag, those that are right."""
    lines = []
    for tag in dict.fromkeys(each.step.tag for each in results):
        own = [each for each in results if each.step.tag == tag]
        missing = [each for each in own if each.outcome == "not judged"]
        killed = sum(each.outcome == "killed" for each in own)
        line = f"{tag}: {killed} of {count(len(own) - len(missing), 'mutant')} found"
        if free.get(tag):
            line += f", {free[tag]} of the others are right, too"
        if missing:
            reasons = "; ".join(sorted({each.why for each in missing}))
            line += f"; {len(missing)} not judged ({reasons})"
        lines.append(f"{line}.")
    return "\n".join(lines)


def gate(result: Result, paint: Paint) -> str:
    """One line for a gate, and its findings and what it skipped below."""
    word = "green" if result.green else "red"
    what = f"{result.proven} proven" if result.proven else "nothing was proven"
    lines = [f"{paint(word, f'{word:<5}')} {result.gate}: {what}"]
    lines += [
        wrapped(f"{each.where}: {each.fact}", "      - ", "        ") for each in result.findings
    ]
    lines += [
        wrapped(f"{each.where}: {each.fact}", "      skipped: ", "        ")
        for each in result.skipped
    ]
    return "\n".join(lines)


def count(number: int, noun: str) -> str:
    """`1 deploy`, `2 deploys`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def findings(found: Iterable[Finding]) -> Iterator[str]:
    """A line per finding, as a compiler would write it."""
    return (f"{each.where}: {each.fact}" for each in found)


def wrapped(words: str, first: str = "", rest: str = "", width: int = WIDTH) -> str:
    """Words in lines of this width: before the first of them stands `first`, before each other one
    `rest`. A word that is longer stays whole: it may be a command, or a path."""
    import textwrap

    lines: list[str] = []
    for paragraph in words.splitlines() or [""]:
        lines += textwrap.wrap(
            paragraph, width - len(rest), break_long_words=False, break_on_hyphens=False
        ) or [""]
    return "\n".join((first if index == 0 else rest) + line for index, line in enumerate(lines))
