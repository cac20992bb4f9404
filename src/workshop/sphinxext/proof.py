"""`{proof}`: what was proven of each step, from the last run of `nox -s tests`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from docutils import nodes

from workshop.report.text import count
from workshop.sphinxext.base import WorkshopDirective
from workshop.sphinxext.hash import SHORT, commit
from workshop.sphinxext.material import Material

if TYPE_CHECKING:
    from workshop.proof import Proof
    from workshop.trial import Trial

_TARGETS = {"deploy": "process", "rollout": "kubernetes"}
_NONE = """:::{note}
These pages were built without a proof. `nox -s tests` makes one, on your own machine.
:::
"""


def proof(material: Material) -> str:
    """The proof as Markdown: a table of the steps, one of the deploys, a fold a step with its
    checks, one of the lessons, one of the gates, and all that was skipped."""
    from workshop import proof as proofs

    kept = proofs.read(material.course.root / proofs.FILE, material.course, material.commits)
    if not kept.trials or not kept.results:
        return _NONE
    return "\n".join(
        [
            *_steps(material, kept),
            *_folds(material, kept),
            *_lessons(kept),
            "",
            *_gates(kept),
            "",
            *_skipped(kept),
        ]
    )


def _steps(material: Material, kept: Proof) -> Iterator[str]:
    yield "| Step | Commit | Checks: red at the start | green after | later stages |"
    yield "|--|--|--:|--:|--:|"
    for step in material.course.steps:
        own = [trial for trial in kept.trials if trial.step == step.tag]
        start = _verdicts(own, "start", "red")
        after = sum(
            _verdicts([each], "solution", "green") for each in own if each.stage == step.tag
        )
        later = [
            each
            for each in own
            if each.kind == "solution" and each.stage != step.tag and _judged(each)
        ]
        still = sum(_proven(each) for each in later)
        yield (
            f"| [{step.tag}](/steps/{step.folder.name}/index.md) "
            f"| `{commit(material, step.tag, str(SHORT))}` "
            f"| {start} | {after} | {still} of {len(later)} |"
        )
    yield ""
    yield "| Deploy of | Target | Live after | Requests meanwhile | Lost |"
    yield "|--|--|--:|--:|--:|"
    for each in kept.trials:
        if each.kind in _TARGETS and not _skips(each):
            live = f"{each.live:.1f} s" if each.live else "never"
            yield f"| {each.step} | {_TARGETS[each.kind]} | {live} | {each.sent} | {each.lost} |"
    yield ""


def _folds(material: Material, kept: Proof) -> Iterator[str]:
    """What the tables count, by name: a fold a step, closed until a reader wants to know."""
    yield "Open a step to see its checks, where each of them held, and what its deploys did:"
    yield ""
    for step in material.course.steps:
        own = [trial for trial in kept.trials if trial.step == step.tag]
        if own:
            yield from _fold(step.tag, commit(material, step.tag, str(SHORT)), own)


def _fold(tag: str, short: str, own: Sequence[Trial]) -> Iterator[str]:
    """Its checks and where each held, its deploys, and what is not as the course promises."""
    checks = [each for each in own if each.kind not in _TARGETS]
    deploys = [each for each in own if each.kind in _TARGETS]
    names = {verdict.check: verdict.sentence for each in checks for verdict in each.verdicts}
    facts = count(len(names), "check")
    if not all(map(_skips, deploys)):
        facts += f"; {count(sum(each.sent for each in deploys), 'request')}"
        facts += f", {sum(each.lost for each in deploys)} lost"
    yield f":::{{dropdown}} {tag}, commit `{short}`: {facts}"
    if names:
        yield from _held(tag, checks, names)
        yield ""
    yield from (f"- {_deployed(each)}" for each in deploys)
    for each in own:
        if each.kind in _TARGETS:
            where = f"target {_TARGETS[each.kind]}"
        else:
            where = "at its start" if each.kind == "start" else f"at {_number(each.stage)}"
        told = map(_verbatim, each.problems)
        yield from (f"- Not as promised, {where}: {problem}" for problem in told)
    yield ":::"
    yield ""


def _held(tag: str, checks: Sequence[Trial], names: Mapping[str, str]) -> Iterator[str]:
    """A row a check: its sentence, and what it was at the start, at its stage and at later ones."""
    places = {
        "At its start": [each for each in checks if each.kind == "start"],
        f"At {_number(tag)}": [
            each for each in checks if each.kind == "solution" and each.stage == tag
        ],
    }
    if later := [each for each in checks if each.kind == "solution" and each.stage != tag]:
        stages = "stage" if len(later) == 1 else f"{len(later)} stages"
        places[f"In the {stages} after it"] = later
    yield f"| Check | {' | '.join(places)} |"
    yield f"|--|{'--|' * len(places)}"
    for check, sentence in names.items():
        # sentences are Markdown; in a table, a bar would end the cell
        cells = [" ".join((sentence or check).split()).replace("|", r"\|")]
        cells += (_outcomes(check, trials) for trials in places.values())
        yield f"| {' | '.join(cells)} |"


def _outcomes(check: str, trials: Sequence[Trial]) -> str:
    """`green`; of more stages `green in each`, or which outcome in which of them."""
    stages: dict[str, list[str]] = {}
    for each in trials:
        outcomes = {verdict.check: verdict.outcome for verdict in each.verdicts}
        stages.setdefault(outcomes.get(check, "not run"), []).append(_number(each.stage))
    if len(stages) < 2:
        (outcome,) = stages or ["not run"]
        return f"{outcome} in each" if len(trials) > 1 else outcome
    return "; ".join(f"{outcome} in {', '.join(where)}" for outcome, where in stages.items())


def _deployed(trial: Trial) -> str:
    target = f"Target {_TARGETS[trial.kind]}"
    if _skips(trial):
        return f"{target}: skipped"  # why is said once, below
    outcome = "red" if trial.problems or trial.lost else "green"
    live = f"live after {trial.live:.1f} s" if trial.live else "never live"
    return f"{target}: {outcome}, {live}; {count(trial.sent, 'request')}, {trial.lost} lost"


def _lessons(kept: Proof) -> Iterator[str]:
    shown = {lesson.tag: lesson for lesson in kept.lessons}
    yield "| Lesson | Listings, diffs, trees | Commands | Pages opened | Variants not run |"
    yield "|--|--:|--:|--:|--:|"
    for tag, lesson in shown.items():
        yield (
            f"| {tag} | {lesson.listings} | {lesson.commands} | {lesson.pages} | {lesson.skipped} |"
        )


def _number(tag: str) -> str:
    return tag.partition("-")[0]


def _verbatim(text: str) -> str:
    """Words that are no Markdown, on a line."""
    return re.sub(r"([\\`*_{}\[\]<>|$~#&])", r"\\\1", " ".join(text.split()))


def _skips(trial: Trial) -> bool:
    return any(each.outcome == "skipped" for each in trial.verdicts)


def _judged(trial: Trial) -> bool:
    """Whether anything was looked at: what was skipped as a whole is neither proven nor not."""
    return bool(trial.problems) or any(each.outcome != "skipped" for each in trial.verdicts)


def _proven(trial: Trial) -> bool:
    return not trial.problems and any(each.outcome == "green" for each in trial.verdicts)


def _verdicts(trials: list[Trial], kind: str, outcome: str) -> int:
    return sum(
        verdict.outcome == outcome
        for trial in trials
        if trial.kind == kind
        for verdict in trial.verdicts
    )


def _gates(kept: Proof) -> Iterator[str]:
    yield "| Gate | Proven | Findings |"
    yield "|--|--:|--:|"
    for result in kept.results:
        yield f"| {result.gate} | {result.proven} | {len(result.findings)} |"


def _skipped(kept: Proof) -> Iterator[str]:
    skipped = [
        f"- {trial.step}, {verdict.check}: {verdict.seen}"
        for trial in kept.trials
        for verdict in trial.verdicts
        if verdict.outcome == "skipped"
    ]
    skipped += [
        f"- {each.where}: {each.fact}" for result in kept.results for each in result.skipped
    ]
    yield "What was skipped, and why:" if skipped else "Nothing was skipped."
    yield ""
    yield from sorted(set(skipped))


class ShowProof(WorkshopDirective):
    """Tables of what was proven."""

    def content_nodes(self) -> list[nodes.Node]:
        """Tables and a list."""
        return self.parse_text_to_nodes(self.show(proof))
