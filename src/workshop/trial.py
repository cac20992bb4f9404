"""What came of proving one thing about the course."""

from __future__ import annotations

from typing import Literal, NamedTuple

from workshop.model import Verdict

Kind = Literal["start", "solution", "deploy", "rollout"]


class Trial(NamedTuple):
    """One set of checks on one stage, or one deploy, and what came out.

    `problems` says what is not as the course promises; empty is good. `sent` and `lost` count the
    requests during a deploy, and `live` is how many seconds it took.
    """

    kind: Kind
    step: str
    stage: str
    verdicts: tuple[Verdict, ...] = ()
    problems: tuple[str, ...] = ()
    cached: bool = False
    seconds: float = 0.0
    sent: int = 0
    lost: int = 0
    live: float = 0.0


def broken(trial: Trial, sentence: str, seen: str) -> Trial:
    """The trial with one red verdict more."""
    verdict = Verdict(trial.kind, sentence, "red", seen=seen)
    return trial._replace(verdicts=(*trial.verdicts, verdict))
