"""A replay is known again by all that it depends on, and only a green and whole one is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workshop.course import load
from workshop.gates import replayed, truth
from workshop.gates.page import Block
from workshop.gates.result import Result
from workshop.model import Finding


@pytest.fixture
def known(course_folder: Path) -> Iterator[truth.Truth]:
    with truth.open_truth(load(course_folder)) as found:
        yield found


def block(text: str = "$ ls\n", page: str = "steps/01-hello/index.html", **claims: str) -> Block:
    return Block(page, 1, text, {"shows": "commands", **claims}, frozenset())


SKIPPED = Finding("p", "needs a browser")


def test_only_what_is_green_and_whole_is_kept(home: Path) -> None:
    green = Result("replay", 3)
    for other in (
        Result("replay", 0),
        green._replace(findings=(Finding("p", "no"),)),
        green._replace(findings=(Finding("p", "no"),), skipped=(SKIPPED,)),
        green._replace(skipped=(SKIPPED,)),  # and the key says nothing of it
    ):
        replayed.keep("k", other)
        assert replayed.kept("k") is None
    replayed.keep("k", green)
    assert replayed.kept("k") == green
    assert replayed.kept("other") is None


def test_a_replay_that_could_do_more_counts_where_less_can_be_done(home: Path) -> None:
    other = Finding("p", "needs an engine")
    replayed.keep("k", Result("replay", 3, skipped=(SKIPPED,)), (SKIPPED,))
    today: tuple[Finding, ...]
    for today in ((SKIPPED,), (other, SKIPPED)):
        assert replayed.kept("k", today) == Result("replay", 3, skipped=(SKIPPED,))
    for today in ((), (other,)):
        assert replayed.kept("k", today) is None
    replayed.keep("k", Result("replay", 4))
    for today in ((), (SKIPPED,)):
        assert replayed.kept("k", today) == Result("replay", 4)


def test_who_left_out_less_than_was_looked_up_is_not_kept(home: Path) -> None:
    replayed.keep("k", Result("replay", 3), (SKIPPED,))
    assert replayed.kept("k", (SKIPPED,)) is None


def test_a_damaged_one_is_none(home: Path) -> None:
    replayed.keep("k", Result("replay", 3))
    (file,) = (home / "replayed").iterdir()
    file.write_text("{", encoding="utf-8")
    assert replayed.kept("k") is None


@pytest.mark.parametrize(
    "other",
    [
        block("$ ls -a\n"),
        block(exit="1"),
        block(page="steps/02-name/index.html"),
        block()._replace(caption="Press Log in You see"),
    ],
)
def test_another_lesson_is_another_key(known: truth.Truth, other: Block) -> None:
    assert replayed.key(known, [block()]) == replayed.key(known, [block()])
    assert replayed.key(known, [block()]) != replayed.key(known, [other])


def test_a_block_that_moves_to_the_next_lesson_is_another_key(known: truth.Truth) -> None:
    first, last = block(), block("$ git commit\n")
    moved = last._replace(page="steps/02-name/index.html")
    assert replayed.key(known, [first, last]) != replayed.key(known, [first, moved])


def test_other_pages_do_not_count(known: truth.Truth) -> None:
    more = block("whatever\n", page="docs/story.html")
    assert replayed.key(known, [block()]) == replayed.key(known, [block(), more])


@pytest.mark.parametrize("name", ["step.toml", "hints.md", "data.csv", "../course.toml"])
def test_what_a_command_may_print_counts(
    known: truth.Truth, course_folder: Path, name: str
) -> None:
    asks = [block("$ workshop hint\n")]
    before = replayed.key(known, asks)
    with (course_folder / "steps" / "02-name" / name).open("a", encoding="utf-8") as file:
        file.write("# another line\n")
    assert replayed.key(known, asks) != before


@pytest.mark.parametrize("name", ["index.md", "trainer.md", "hints.md"])
def test_prose_does_not(known: truth.Truth, course_folder: Path, name: str) -> None:
    """What is shown of it stands in the blocks."""
    before = replayed.key(known, [])
    with (course_folder / "steps" / "02-name" / name).open("a", encoding="utf-8") as file:
        file.write("Another sentence.\n")
    assert replayed.key(known, []) == before


def test_a_check_and_a_stage_count(known: truth.Truth, course_folder: Path) -> None:
    before = replayed.key(known, [])
    check = course_folder / "steps" / "02-name" / "test_name.py"
    check.write_text(check.read_text("utf-8") + "\n", "utf-8")
    assert replayed.key(known, []) != before
    check.write_text(check.read_text("utf-8")[:-1], "utf-8")
    assert replayed.key(known, []) == before
    app = course_folder / "solutions" / "02-name" / "app.py"
    app.write_text(app.read_text("utf-8") + "# more\n", "utf-8")
    with truth.open_truth(load(course_folder)) as changed:
        assert replayed.key(changed, []) != before
