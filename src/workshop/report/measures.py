"""The five metrics as text for a terminal of 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.report.text import count

if TYPE_CHECKING:
    from workshop.production.metrics import Metrics

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def metrics(found: Metrics, environment: str) -> str:
    """A line for each: its name, its value, and what that was made from."""
    if not found.deploys:
        return f"Nothing was deployed to {environment} yet, so there is nothing to measure."
    deploys = count(found.deploys, "deploy")
    how_often = f"{deploys} in {count(found.days, 'day')}"
    median = "from commit to live, the median" if found.deploys > 1 else "from commit to live"
    until = "until a rollback or mend" if found.failed else "no deploy needed help"
    answers = "rollback or mend" if found.answers == 1 else "rollbacks or mends"
    lines = (
        ("change lead time", _time(found.lead_time), median),
        ("deployment frequency", _a_day(found.frequency), how_often),
        ("failed deployment recovery time", _time(found.recovery_time), until),
        ("change fail rate", _rate(found.fail_rate), f"{found.failed} of {deploys} needed help"),
        ("deployment rework rate", _rate(found.rework_rate), f"{found.answers} {answers}"),
    )
    table = "\n".join(f"  {name:<31}  {value:>11}  {how}" for name, value, how in lines)
    return f"{environment}, in DORA's five metrics:\n\n{table}"


def _time(seconds: float | None) -> str:
    """The two largest units: `2 min 5 s`."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f} s"
    left, parts = round(seconds), list[str]()
    for unit, size in _UNITS:
        if left >= size or parts:
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts[:2])


def _a_day(frequency: float | None) -> str:
    return "-" if frequency is None else f"{frequency:.3g} a day"


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{100 * rate:.0f} %"
