"""The five DORA metrics, from a deploy log that tells a story, and from a real one."""

from __future__ import annotations

import json

import pytest
from producing import Site

from workshop.production import metrics
from workshop.production.log import Entry
from workshop.production.metrics import Metrics
from workshop.report import measures


def line(words: str) -> Entry:
    """`deploy a 09:00 09:02 1`: kind, commit, authored, live (a dash: never), day."""
    kind, commit, authored, live, day = words.split()
    date = f"2026-11-0{day}T"
    at = None if live == "-" else f"{date}{live}:00+00:00"
    # the author sits an hour further east
    written = f"{date}{int(authored[:2]) + 1:02d}{authored[2:]}:00+01:00"
    return Entry(kind, "production", commit, written, "", at, "live" if at else "failed")


def of(*story: str) -> Metrics:
    return metrics.of(map(line, story))


def test_nothing_was_deployed() -> None:
    assert of() == Metrics(None, None, None, None, None, 0, 0, 0, 0)
    assert of("deploy a 09:00 - 1").deploys == 0  # nobody saw it


def test_a_quiet_week() -> None:
    found = of("deploy a 09:00 09:02 1", "deploy b 10:00 10:04 1", "deploy c 10:00 10:09 3")
    assert found == Metrics(240, 1, None, 0, 0, 3, 3, 0, 0)


def test_a_bad_one_is_rolled_back_and_mended_at_leisure() -> None:
    found = of(
        "deploy a 09:00 09:02 1", "deploy b 10:00 10:02 1", "rollback a 10:00 10:05 1",
        "mend c 12:00 12:02 1",
    )  # fmt: skip
    assert (found.deploys, found.failed, found.answers) == (3, 1, 2)
    assert found.recovery_time == 180
    assert (found.fail_rate, found.rework_rate) == (1 / 3, 2 / 4)
    assert found.lead_time == 120  # `a` was live before: it is no new change


def test_what_did_not_help_is_no_end() -> None:
    found = of(
        "deploy a 08:00 08:02 1", "deploy b 09:00 09:02 1", "deploy c 10:00 10:00 1",
        "mend d 10:01 10:03 1", "mend e 10:05 10:07 1", "rollback a 09:00 10:10 1",
        "deploy f 11:00 11:02 1",
    )  # fmt: skip
    assert (found.failed, found.answers, found.recovery_time) == (1, 3, 600)


@pytest.mark.parametrize("answer", ["mend d 10:06 10:10 2", "rollback a 08:00 10:10 2"])
@pytest.mark.parametrize("kind", ["deploy", "mend"])
def test_what_was_mended_at_leisure_and_is_bad_itself_is_an_incident_of_its_own(
    kind: str, answer: str
) -> None:
    found = of(
        "deploy a 08:00 08:02 1", "deploy b 09:00 10:00 1", "rollback a 08:00 10:05 1",
        f"{kind} c 09:00 10:00 2", answer, "mend e 11:00 11:02 3",
    )  # fmt: skip
    last = 600 if answer.startswith("rollback") else 90_120  # who is mended again was no end
    assert (found.failed, found.recovery_time) == (2, (300 + last) / 2)


def test_a_clock_that_was_set_back() -> None:
    for day in (4, 3):
        found = of("deploy a 09:00 09:02 5", f"deploy b 09:00 09:02 {day}")
        assert (found.days, found.frequency) == (6 - day, 2 / (6 - day))


def test_two_incidents() -> None:
    found = of(
        "deploy a 08:00 08:02 1", "rollback z 09:00 08:04 1", "deploy b 09:00 09:02 1",
        "mend c 09:05 09:06 1",
    )  # fmt: skip
    assert (found.failed, found.recovery_time) == (2, 180)


def test_what_is_live_already_changes_nothing() -> None:
    twice = of("deploy a 09:00 09:02 1", "deploy a 09:00 09:30 1")
    assert twice == of("deploy a 09:00 09:02 1")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.96, "10.0 s"), (41.4, "41 s"), (125, "2 min 5 s"), (7200, "2 h 0 min"),
     (3 * 86400 + 3599.9, "3 d 1 h"), (None, "-")],
)  # fmt: skip
def test_times_are_short(seconds: float | None, words: str) -> None:
    assert measures._time(seconds) == words


def test_the_longest_line_fits() -> None:
    found = Metrics(86399, 123.4, 86399, 1, 1, 1234, 365, 1234, 1234)
    assert max(map(len, measures.metrics(found, "production").splitlines())) <= 80


def test_the_log_of_a_project(site: Site) -> None:
    assert site.run("metrics").stdout == (
        "Nothing was deployed to production yet, so there is nothing to measure.\n"
    )
    site.deploy("one")
    site.deploy("two")
    assert site.run("rollback").returncode == 0
    site.commit("three")
    assert site.run("deploy", "--mend").returncode == 0
    assert [kind for kind, *_ in site.log()] == ["deploy", "deploy", "rollback", "mend"]
    found = json.loads(site.run("metrics", "--json").stdout)
    assert 0 < found["recovery_time"] < 60
    assert (found["fail_rate"], found["rework_rate"]) == (pytest.approx(1 / 3), 0.5)
    table = " ".join(site.run("metrics").stdout.split())
    assert "change fail rate 33 % 1 of 3 deploys needed help" in table
    assert table.endswith("deployment rework rate 50 % 2 rollbacks or mends")
