"""`{proof}`: what was proven of each step, from the last run of `nox -s tests`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from docutils import nodes

from workshop.sphinxext.base import WorkshopDirective
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
    """The proof as Markdown: a table of the steps, one of the gates, and all that was skipped."""
    from workshop import proof as proofs

    kept = proofs.read(material.course.root / proofs.FILE, material.course, material.commits)
    if not kept.trials or not kept.results:
        return _NONE
    return "\n".join([*_steps(material, kept), "", *_gates(kept), "", *_skipped(kept)])


def _steps(material: Material, kept: Proof) -> Iterator[str]:
    shown = {lesson.tag: lesson for lesson in kept.lessons}
    yield "| Step | Checks: red at the start | green after | later stages |"
    yield "|--|--:|--:|--:|"
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
            f"| [{step.tag}](/steps/{step.folder.name}/index.md) | {start} | {after} "
            f"| {still} of {len(later)} |"
        )
    yield ""
    yield "| Deploy of | Target | Live after | Requests meanwhile | Lost |"
    yield "|--|--|--:|--:|--:|"
    for each in kept.trials:
        if each.kind in _TARGETS and not any(one.outcome == "skipped" for one in each.verdicts):
            yield (
                f"| {each.step} | {_TARGETS[each.kind]} "
                f"| {each.live:.1f} s | {each.sent} | {each.lost} |"
            )
    yield ""
    yield "| Lesson | Listings, diffs, trees | Commands | Pages opened | Variants not run |"
    yield "|--|--:|--:|--:|--:|"
    for tag, lesson in shown.items():
        yield (
            f"| {tag} | {lesson.listings} | {lesson.commands} | {lesson.pages} | {lesson.skipped} |"
        )


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
