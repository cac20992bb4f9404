"""The five metrics of software delivery, from the deploy log. They are defined here, and only here.

The names, and what they mean, are those of the research programme DORA; they stand at
https://dora.dev/guides/dora-metrics/. What a log can know of them is less, so each field of
`Metrics` says what is counted. What did not go live counts nowhere: no visitor ever saw it. Neither
does what was live already: it changed nothing.

A *mend* is a deploy that answers an incident. A log can't see that; whoever deploys says so.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from workshop.production.log import Entry


class Metrics(NamedTuple):
    """What a deploy log comes to. Times are in seconds; None where the log says nothing yet.

    lead_time      change lead time: from when the author wrote a commit until it was live, the
                   first time; the median over all deploys, mends too
    frequency      deployment frequency: deploys and mends per day, over the days (UTC) from the
                   first to the last
    recovery_time  failed deployment recovery time: from when a deploy that needed help was live
                   until the rollback or the mend was that ended it; the median
    fail_rate      change fail rate: of the deploys and mends, how many needed such help, 0 to 1
    rework_rate    deployment rework rate: of all that went live, rollbacks too, how many were
                   rollbacks or mends, 0 to 1

    Beside them, what they were made from: how many `deploys` (mends too), `days`, deploys that
    `failed`, and `answers` to that, the rollbacks and mends.
    """

    lead_time: float | None
    frequency: float | None
    recovery_time: float | None
    fail_rate: float | None
    rework_rate: float | None
    deploys: int
    days: int
    failed: int
    answers: int


def of(entries: Iterable[Entry]) -> Metrics:
    """The metrics of one environment's log, its lines in their order."""
    live = _changes(entries)
    deploys = [each for each in live if each.kind != "rollback"]
    first: dict[str, Entry] = {}
    for each in deploys:
        first.setdefault(each.commit, each)
    recoveries = _recoveries(live)
    answers = sum(each.kind != "deploy" for each in live)
    dates = [_live(each).date() for each in deploys]  # a clock may have been set back in between
    days = (max(dates) - min(dates)).days + 1 if dates else 0
    return Metrics(
        _median([_seconds(each.authored, each.live) for each in first.values() if each.authored]),
        len(deploys) / days if deploys else None,
        _median(recoveries),
        len(recoveries) / len(deploys) if deploys else None,
        answers / len(live) if live else None,
        len(deploys),
        days,
        len(recoveries),
        answers,
    )


def _changes(entries: Iterable[Entry]) -> list[Entry]:
    """What went live, and was not live already."""
    found: list[Entry] = []
    for each in entries:
        if each.live and each.outcome == "live" and (not found or each.commit != found[-1].commit):
            found.append(each)
    return found


def _recoveries(live: Sequence[Entry]) -> list[float]:
    """The seconds of each recovery. An answer that needed one more did not end the incident; but
    what is mended after a rollback is mended at leisure: it ends nothing, and an answer that
    follows is an answer to it."""
    found: list[float] = []
    bad: Entry | None = None  # the deploy that the answers are for
    for before, each in itertools.pairwise(live):
        if each.kind == "deploy":
            bad = None
        elif bad is None:
            bad = before
            found.append(_seconds(bad.live, each.live))
        elif before.kind == "rollback" and each.kind == "mend":
            bad = None
        else:
            found[-1] = _seconds(bad.live, each.live)
    return found


def _live(entry: Entry) -> datetime:
    return datetime.fromisoformat(str(entry.live))


def _seconds(since: str | None, until: str | None) -> float:
    return (datetime.fromisoformat(str(until)) - datetime.fromisoformat(str(since))).total_seconds()


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None
