"""The benchmarks' own arithmetic and tables. No time is measured here."""

from __future__ import annotations

import itertools
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # the benchmarks are no part of the package

from benchmarks import __main__ as command  # noqa: E402
from benchmarks import cli, rollouts, synthetic, tables  # noqa: E402
from benchmarks.measure import (  # noqa: E402
    Bench,
    Result,
    Row,
    Subject,
    Target,
    environment,
    medians,
    percentile,
    run,
    seconds,
)
from workshop import course, deploys, git, history  # noqa: E402
from workshop.checks import needs  # noqa: E402
from workshop.model import Course  # noqa: E402
from workshop.trial import Trial, broken  # noqa: E402

RATIO = Target("ours", "theirs", 1.25)
COUNT = Target("lost", "", 0, "requests")
WHEN = tables.Circumstances("2026-01-01", "3.11.7", 2)


def subject(*rows: Row) -> Subject:
    targets = tuple(row.target for row in rows)
    return Subject("some", "Something", "Words.", targets, lambda _: Result(rows))


# --- measure


def test_turns_are_taken_and_the_first_round_is_not_counted() -> None:
    turns: list[str] = []
    ours, theirs = iter([99.0, 1.0, 9.0, 2.0]), iter([99.0, 5.0, 4.0, 6.0])

    def one() -> float:
        turns.append("one")
        return next(ours)

    def other() -> float:
        turns.append("other")
        return next(theirs)

    assert medians(3, one, other) == (2.0, 5.0)
    # the warm-up goes backwards, then forth, back, forth
    assert turns == ["other", "one", "one", "other", "other", "one", "one", "other"]


def test_turns_keep_their_order_when_told() -> None:
    turns: list[int] = []

    def take(number: int) -> float:
        turns.append(number)
        return 0.0

    medians(2, lambda: take(1), lambda: take(2), turn=False)
    assert turns == [1, 2, 1, 2, 1, 2]
    medians(1, lambda: take(3), warm=False)
    assert turns[6:] == [3]


def test_no_run_is_no_median() -> None:
    with pytest.raises(ValueError, match="at least one run, not 0"):
        medians(0, lambda: 1.0)


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [
        (range(1, 101), 95, 95),
        (range(100, 0, -1), 95, 95),
        (range(1, 175), 95, 166),  # 165 are fewer than 95 percent
        ([1.0] * 19 + [9.0], 95, 1.0),
        ([1.0] * 18 + [9.0] * 2, 95, 9.0),
        ([7.0], 95, 7.0),
    ],
)
def test_of_a_hundred_values_ninety_five_are_not_above(
    values: Sequence[float], percent: int, found: float
) -> None:
    assert percentile(values, percent) == found


def test_a_row_is_met_up_to_its_limit() -> None:
    assert Row(RATIO, 2.5, 2.0).value == 1.25
    assert Row(RATIO, 2.5, 2.0).met
    assert not Row(RATIO, 2.5001, 2.0).met
    assert Row(COUNT, 0.0).met
    assert not Row(COUNT, 1.0).met


def test_what_fails_is_not_timed(tmp_path: Path) -> None:
    """A command that ends at once because it is broken would be very fast."""
    broken = [sys.executable, "-c", "raise SystemExit('no way')"]
    with pytest.raises(RuntimeError, match="ended with 1: no way"):
        seconds(broken, cwd=tmp_path)


def test_the_last_command_reads_the_file(tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.write_text("hello", encoding="utf-8")
    echo = [sys.executable, "-c", "print(input())"]
    assert run(echo, cwd=tmp_path, stdin=given) == "hello\n"
    expect_nothing = [sys.executable, "-c", "import sys; assert not sys.stdin.read()"]
    assert seconds(expect_nothing, echo, cwd=tmp_path, stdin=given) > 0


def test_python_may_keep_its_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("WORKSHOP_HOME", "/somewhere")
    assert "PYTHONDONTWRITEBYTECODE" not in environment()
    assert environment()["WORKSHOP_HOME"] == "/somewhere"


# --- the table


def test_a_section_says_everything() -> None:
    rows = (Row(RATIO, 0.0125, 0.01), Row(RATIO, 3.0, 2.0), Row(COUNT, 2.0))
    assert tables.section(subject(*rows), Result(rows, "More.", 9), WHEN) == (
        "## Something\n\nWords.\n\n"
        "| what | compared with | at most | measured | ours | theirs | met |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| ours | theirs | 1.25 | 1.25 | 12 ms | 10 ms | yes |\n"
        "| ours | theirs | 1.25 | 1.50 | 3.00 s | 2.00 s | **missed** |\n"
        "| lost | nothing | 0 | 2 |  |  | **missed** |\n\n"
        "More.\n\n"
        "2026-01-01, Python 3.11.7, 2 cores, 9 rounds. "
        "To repeat it: `nox -s benchmarks -- some`"
    )


def test_rounds_are_told_by_who_counted_them() -> None:
    rows = (Row(COUNT, 0.0),)
    assert "2 cores. To repeat it" in tables.section(subject(*rows), Result(rows), WHEN)


@pytest.mark.parametrize(
    ("row", "measured"),
    [
        (Row(RATIO, 1.0, 250.0), "0.004"),
        (Row(RATIO, 1.2549, 1.0), "1.25"),
        (Row(Target("t", "", 1.5, "seconds"), 0.154), "0.15 s"),
        (Row(Target("m", "", 0, "modules"), 3.0), "3"),
    ],
)
def test_amounts(row: Row, measured: str) -> None:
    assert tables.cells(row)[3] == measured


def test_times() -> None:
    assert [tables.time(each) for each in (0.00029, 0.0123, 0.9994, 1.5)] == [
        "290 µs", "12 ms", "999 ms", "1.50 s",
    ]  # fmt: skip


def test_a_section_replaces_its_own_and_no_other() -> None:
    page = tables.put(tables.put("", "one", "1"), "two", "2")
    assert page == "% one: begin\n\n1\n\n% one: end\n\n% two: begin\n\n2\n\n% two: end\n"
    again = tables.put(page, "one", r"new \1")
    assert again == page.replace("\n1\n", "\nnew \\1\n")
    assert tables.put(again, "one", "1") == page


# --- the command


def test_an_unknown_subject(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["fly"])
    assert "no such subject: fly. There are build, cli," in capsys.readouterr().err


def test_quick_writes_nothing_and_a_missed_target_is_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "TABLES", tmp_path / "tables.txt")
    monkeypatch.setattr(command, "SUBJECTS", (subject(Row(RATIO, 3.0, 2.0)),))
    assert command.main(["--quick"]) == 1
    assert "1.50 (at most 1.25) missed: ours 3.00 s 2.00 s\n" in capsys.readouterr().out
    assert not (tmp_path / "tables.txt").exists()
    assert command.main(["some", "--runs", "4"]) == 1
    text = (tmp_path / "tables.txt").read_text(encoding="utf-8")
    assert "1.50" in text
    assert "rounds" not in text  # nobody has said that it did the four
    monkeypatch.setattr(command, "SUBJECTS", (subject(Row(RATIO, 2.0, 2.0)),))
    assert command.main([]) == 0
    assert "All met." in capsys.readouterr().out


def test_the_made_up_course_is_one(tmp_path: Path) -> None:
    made = course.load(synthetic.write(tmp_path / "course", 30))
    stages = history.stages(made)
    assert [len(stages[0].files), len(stages[-1].files)] == [3, 20]
    changed = [
        sum(before.files.get(name) != file for name, file in after.files.items())
        for before, after in itertools.pairwise(stages)
    ]
    assert set(changed) == {3}


def test_nothing_measured_is_said_and_the_page_keeps_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "tables.txt"
    page.write_text("% some: begin\n\nof yesterday\n\n% some: end\n", encoding="utf-8")
    nothing = subject()._replace(measure=lambda _: Result((), "No cluster."))
    monkeypatch.setattr(command, "TABLES", page)
    monkeypatch.setattr(command, "SUBJECTS", (nothing,))
    assert command.main([]) == 0
    assert "  No cluster.\n" in capsys.readouterr().out
    assert "of yesterday" in page.read_text(encoding="utf-8")


# --- the subjects


def test_a_tour_comes_to_every_stage_again_and_again_and_never_stays() -> None:
    stages = [step.tag for step in course.load(ROOT).steps]
    made = cli.tour(stages)
    assert made[: len(stages)] == stages
    assert made[len(stages) : 2 * len(stages) - 2] == stages[-2:0:-1]
    assert made[2 * len(stages) - 2 :][:4] == [stages[0], stages[-1], stages[1], stages[-2]]
    often = Counter(made)
    assert {often[each] for each in stages[1:-1]} == {3}
    assert often[stages[0]] == often[stages[-1]] == 2
    assert all(one != other for one, other in itertools.pairwise([*made, *made]))


class Cluster:
    """Notes what is asked of it, and answers as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.ended: list[Path] = []
        self.answers: dict[str, Trial] = {}
        monkeypatch.setattr(needs, "missing", lambda _: "")
        monkeypatch.setattr(deploys, "rollout", self._rollout)
        monkeypatch.setattr(deploys, "end", self.ended.append)

    def _rollout(self, _: Course, trial: Trial, before: str | None, project: Path) -> Trial:
        git.commit(project, f"refs/tags/{trial.stage}")  # it has every stage
        self.asked.append((trial.stage, before))
        return self.answers.get(trial.stage, trial._replace(sent=5000, live=61.5))


def test_each_stage_takes_over_from_the_one_before_three_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(monkeypatch)
    result = rollouts.measure(Bench(9, quick=False, scratch=tmp_path))
    (row,) = result.rows
    assert (row.target, row.ours, row.met) == (rollouts.SUBJECT.targets[0], 0.0, True)
    tags = [step.tag for step in course.load(ROOT).steps if step.number >= 14]
    assert cluster.asked == 3 * [*zip(tags, [None, *tags], strict=False)]
    assert len(set(cluster.ended)) == 3  # each run has a production of its own
    lines = result.details.splitlines()
    assert lines[0] == "| run | stage | sent | lost | seconds until live |"
    assert lines[2] == "| 1 | 14-application | 5,000 | 0 | 62 |"
    assert lines[-1] == f"| 3 | {tags[-1]} | 5,000 | 0 | 62 |"
    assert len(lines) == 2 + 3 * len(tags)


def test_a_taste_rolls_out_once_and_what_is_lost_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(monkeypatch)
    some = Trial("rollout", "16-secrets", "16-secrets", sent=5100, lost=2)
    cluster.answers["16-secrets"] = broken(some, "It rolls out.", "2 of 5100 were lost")
    result = rollouts.measure(Bench(9, quick=True, scratch=tmp_path))
    assert len(cluster.ended) == 1
    assert [(row.ours, row.met) for row in result.rows] == [(2.0, False)]
    assert "| 1 | 16-secrets | 5,100 | 2 | 0 |" in result.details


def test_a_rollout_that_shows_nothing_ends_the_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(monkeypatch)
    some = Trial("rollout", "15-environments", "15-environments")
    cluster.answers["15-environments"] = broken(some, "It rolls out.", "never became ready")
    with pytest.raises(RuntimeError, match="15-environments: never became ready"):
        rollouts.measure(Bench(9, quick=False, scratch=tmp_path))
    assert len(cluster.ended) == 1


def test_without_a_cluster_no_rollout_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(monkeypatch)
    monkeypatch.setattr(needs, "missing", lambda _: "needs a cluster")
    result = rollouts.measure(Bench(9, quick=False, scratch=tmp_path))
    assert result == Result((), "This can't be measured on this machine: it needs a cluster.")
    assert (cluster.asked, cluster.ended) == ([], [])


# --- the page


def _amount(cell: str, unit: str) -> float:
    """A cell as a number: only times have a unit."""
    return float(cell.removesuffix(" s") if unit == "seconds" else cell)


@pytest.mark.parametrize("each", command.SUBJECTS, ids=lambda each: each.name)
def test_the_page_has_a_row_for_every_target(each: Subject) -> None:
    page = command.TABLES.read_text(encoding="utf-8")
    found = re.search(rf"(?ms)^% {each.name}: begin$(.*)^% {each.name}: end$", page)
    assert found is not None, f"run: nox -s benchmarks -- {each.name}"
    assert f"`nox -s benchmarks -- {each.name}`" in found[1]
    rows = [line.split(" | ") for line in found[1].splitlines() if line.startswith("| ")]
    for target in each.targets:
        (row,) = [row for row in rows if row[:2] == [f"| {target.what}", target.peer or "nothing"]]
        assert row[2] == tables.allowed(target)
        assert row[-1] in ("yes |", "**missed** |")
        limit, measured = (_amount(cell, target.unit) for cell in row[2:4])
        assert limit == target.limit
        if measured != limit:  # what is rounded to the limit may be on either side of it
            assert (measured < limit) is (row[-1] == "yes |")


def test_the_page_tells_how_and_nothing_of_the_machine() -> None:
    page = (ROOT / "docs" / "reference" / "benchmarks.md").read_text(encoding="utf-8")
    assert "`nox -s benchmarks`" in page
    assert f"{{include}} {command.TABLES.name}" in page
    text = page + command.TABLES.read_text(encoding="utf-8")
    assert re.findall(r"/(?:work|root|home|tmp)/|127\.0\.0\.1", text) == []
