"""A replay is known again by all that it depends on, and only a green and whole one is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from workshop import browser
from workshop.checks import needs
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


def test_what_can_not_be_done_is_looked_up_and_not_kept(home: Path) -> None:
    """Today it can't be done, and the rest is green. The file knows of the rest alone."""
    replayed.keep("k", Result("replay", 3, skipped=(SKIPPED,)), (SKIPPED,))
    (file,) = (home / "verified").iterdir()
    assert json.loads(file.read_text("utf-8")) == {"gate": "replay", "proven": 3}
    other = Finding("p", "needs an engine")
    assert replayed.kept("k", (other,)) == Result("replay", 3, skipped=(other,))
    replayed.keep("other", Result("replay", 3), (SKIPPED,))
    assert replayed.kept("other") is None


def test_what_this_machine_lacks_is_in_the_key(
    known: truth.Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {replayed.key(known, [])}
    monkeypatch.setattr(needs, "missing", lambda names: f"needs {names}")
    keys.add(replayed.key(known, []))
    monkeypatch.setattr(browser, "missing", lambda: "there is no Chromium, they say")
    keys.add(replayed.key(known, []))
    assert len(keys) == 3


def test_a_damaged_one_is_none(home: Path) -> None:
    replayed.keep("k", Result("replay", 3))
    (file,) = (home / "verified").iterdir()
    file.write_text("{", encoding="utf-8")
    assert replayed.kept("k") is None


@pytest.mark.parametrize(
    "other",
    [
        block("$ ls -a\n"),
        block(exit="1"),
        block(page="steps/02-name/index.html", x="y"),
        block()._replace(caption="Press Log in You see"),
    ],
)
def test_another_lesson_is_another_key(known: truth.Truth, other: Block) -> None:
    assert replayed.key(known, [block()]) == replayed.key(known, [block()])
    assert replayed.key(known, [block()]) != replayed.key(known, [other])


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
