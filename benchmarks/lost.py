"""Requests that are lost while releases change. There is no peer: none may be lost."""

from __future__ import annotations

import time
from typing import NamedTuple

from benchmarks import demo, tables
from benchmarks.measure import Bench, Result, Row, Subject, Target
from workshop import load, sending

_RUNS = 5
_DEPLOYS = 5
_REQUESTS = 10_000
_RATE = 300.0  # requests a second
_STAGES = ("03-backing-service", "04-health")
_WHAT = "requests lost: {} clients, {} runs of 10,000 requests, five deploys in each"
_CLOSED = Target(_WHAT.format("connection closed by the", "five"), "", 0, "requests")
_KEPT = Target(_WHAT.format("connection kept open by the", "five"), "", 0, "requests")


class _Run(NamedTuple):
    keep_alive: bool
    report: sending.Report


def measure(bench: Bench) -> Result:
    """Send requests at a fixed rate, and deploy two stages in turns meanwhile."""
    requests = _REQUESTS // 5 if bench.quick else _REQUESTS
    runs = []
    with demo.deployed(bench.scratch) as site:
        for _ in range(1 if bench.quick else _RUNS):
            for keep_alive in (False, True):  # in turns, as everywhere
                runs.append(_Run(keep_alive, _one(site, requests, keep_alive)))
                print(f"    {runs[-1].report}", flush=True)
    return Result(
        tuple(
            Row(target, float(sum(_lost(run) for run in runs if run.keep_alive is keep_alive)))
            for target, keep_alive in ((_CLOSED, False), (_KEPT, True))
        ),
        _details(runs),
    )


def _one(site: demo.Site, requests: int, keep_alive: bool) -> sending.Report:
    """One load with its deploys. Raises RuntimeError when the deploys did not fall into it."""
    running = load.start(
        f"http://127.0.0.1:{site.port}/", requests=requests, rate=_RATE, keep_alive=keep_alive
    )
    began = time.monotonic()
    try:
        for number in range(_DEPLOYS):
            due = began + requests / _RATE * (number + 0.5) / (_DEPLOYS + 0.5)
            time.sleep(max(0.0, due - time.monotonic()))
            site.workshop("deploy", "--rev", _STAGES[number % 2])
        ended = time.monotonic() - began
    except BaseException:
        running.stop()
        raise
    report = running.wait()
    if report.sent != requests or ended >= report.seconds:
        raise RuntimeError(f"the deploys were not over after {report.seconds:.0f} s: {report}")
    if set(report.releases) != {site.hash(stage) for stage in _STAGES}:
        raise RuntimeError(f"both releases should have answered: {report}")
    return report


def _lost(run: _Run) -> int:
    return sum(run.report.lost.values())


def _details(runs: list[_Run]) -> str:
    rows = [
        (
            str(number),
            "kept" if run.keep_alive else "closed",
            f"{run.report.sent:,}",
            f"{run.report.answered:,}",
            ", ".join(f"{count} {kind}" for kind, count in sorted(run.report.lost.items())) or "0",
            f"{run.report.sent / run.report.seconds:.0f}",
            tables.time(run.report.longest),
        )
        for number, run in enumerate(runs, 1)
    ]
    head = ("run", "connection", "sent", "answered", "lost, by kind", "a second", "longest wait")
    return tables.table(head, rows)


SUBJECT = Subject(
    "lost",
    "Requests lost",
    "Eight clients send requests at a fixed rate and try none twice. Meanwhile two stages are "
    "deployed in turns. Refused, reset, cut short, too late, or a status from 500 on: all that "
    "counts as lost.",
    (_CLOSED, _KEPT),
    measure,
)
