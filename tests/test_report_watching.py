"""What `workshop watch` shows: one stable screen, or a line per event."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import pytest

from workshop import course as courses
from workshop.model import Step, Verdict
from workshop.report import watching
from workshop.watch import Event

GOOD = Path(__file__).parent / "courses" / "good"
GREEN = Verdict("test_a", "There is a file.", "green")
RED = Verdict(
    "test_b", "It is Python.", "red", "a bracket is open\nand more", "Python", "Close it."
)


def command(verb: str) -> str:
    return f"workshop {verb}"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def step() -> Step:
    return courses.load(GOOD).steps[0]


def history(step: Step) -> list[Event]:
    return [
        Event("watching", step, "as you said"),
        Event("judging", step),
        Event("verdict", step, verdict=GREEN),
        Event("verdict", step, verdict=RED),
        Event("ended", step, verdicts=(GREEN, RED), seconds=0.42),
        Event("judging", step, "app.py"),
        Event("broken", step, "this is not TOML\nMend it."),
        Event("note", step, "Not yet: it is not green."),
    ]


def test_a_line_per_event(step: Step) -> None:
    out = io.StringIO()
    lines = watching.chosen(out, command, keys=False)
    for event in history(step):
        lines.show(event)
    assert out.getvalue() == (
        "watching, once a second: as you said\n"
        "judging step 01\n"
        "  green    There is a file.\n"
        "  red      It is Python.\n"
        "           seen:      a bracket is open\n"
        "                      and more\n"
        "           expected:  Python\n"
        "           do:        Close it.\n"
        "1 of 2 green. 0.4 s.\n"
        "judging step 01: app.py was saved\n"
        "  error    this is not TOML\n"
        "           Mend it.\n"
        "Not yet: it is not green.\n"
    )


def test_lines_say_which_keys_there_are_and_what_comes_after_green(step: Step) -> None:
    out = io.StringIO()
    lines = watching.Lines(out, command, keys=True)
    lines.show(Event("watching", step))
    lines.show(Event("ended", step, verdicts=(GREEN,), seconds=1))
    assert out.getvalue() == (
        "watching\n"
        "n: next step   q: quit\n"
        "1 of 1 green. 1.0 s.\n"
        'Now commit, as "Say hello", and: workshop deploy\nThen press n: next step.\n'
    )


def frames(events: list[Event], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    screen = watching.chosen(out, command, keys=False)
    assert isinstance(screen, watching.Screen)
    for event in events:
        screen.show(event)
    cleared, *drawn = out.getvalue().split("\x1b[H")
    assert cleared == "\x1b[2J"
    return drawn


def test_a_screen_is_drawn_over_the_last_one(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = frames(history(step), monkeypatch)
    assert len(drawn) == len(history(step))
    assert all(each.endswith("\x1b[J") for each in drawn)
    assert all("\x1b[2J" not in each for each in drawn)  # it is never emptied: nothing flickers
    plain = re.sub(r"\x1b\[[KJ]", "", drawn[4])
    assert plain == (
        "Step 01: Say hello\n"
        "\n"
        "  green    There is a file.\n"
        "  red      It is Python.\n"
        "           seen:      a bracket is open\n"
        "                      and more\n"
        "           expected:  Python\n"
        "           do:        Close it.\n"
        "\n"
        "1 of 2 green. 0.4 s.\n"
        "It looks once a second: as you said.\n"
        "n: next step   q: quit   a hint: workshop hint\n"
    )


def test_while_it_judges_the_last_verdicts_stay(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, judging = frames(history(step)[:6], monkeypatch)
    assert "It is Python." in judging
    assert "judging, app.py was saved ..." in judging


def test_another_step_begins_with_an_empty_screen(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = courses.load(GOOD).steps[1]
    *_, last = frames([*history(step)[:5], Event("judging", other)], monkeypatch)
    assert "Say your name" in last
    assert "It is Python." not in last


def test_green_says_what_is_next(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    *_, last = frames([Event("ended", step, verdicts=(GREEN,), seconds=1)], monkeypatch)
    plain = re.sub(r"\x1b\[[KJ]", "", last)
    assert 'Now commit, as "Say hello", and: workshop deploy\nThen press n: next step.\n' in plain


def test_after_the_last_step_nothing_is_next(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    *_, last = frames([Event("ended", step, verdicts=(GREEN,), last=True)], monkeypatch)
    plain = re.sub(r"\x1b\[[KJ]", "", last)
    assert 'Now commit, as "Say hello", and: workshop deploy\nYou have done every step.\n' in plain


def test_a_small_terminal_shows_what_fits(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    many = tuple(RED._replace(check=f"test_{number}") for number in range(40))
    (drawn,) = frames([Event("ended", step, verdicts=many)], monkeypatch)
    lines = re.sub(r"\x1b\[[KJ]", "", drawn).splitlines()
    assert len(lines) <= 23
    assert "... workshop check shows all" in lines
    assert lines[-1].startswith("n: next step")
    assert max(map(len, lines)) < 80


@pytest.mark.parametrize("columns", [80, 60])
def test_no_word_is_lost_at_the_edge(
    columns: int, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [f"word{number}" for number in range(60)]
    red = RED._replace(seen=" ".join(words), sentence=" ".join(words))
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: (columns, 60))
    (drawn,) = frames([Event("ended", step, verdicts=(red,))], monkeypatch)
    lines = re.sub(r"\x1b\[[KJ]", "", drawn).splitlines()
    assert max(map(len, lines)) < columns
    assert [each for line in lines for each in line.split() if each in words] == words * 2


def test_a_note_leaves_what_is_next(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [Event("ended", step, verdicts=(GREEN,)), Event("note", step, "A word.")]
    *_, last = frames(events, monkeypatch)
    assert "A word." in last
    assert "workshop deploy" in last


def test_what_was_skipped_alone_is_nothing_to_commit(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    skipped = GREEN._replace(outcome="skipped", seen="needs an engine")
    *_, last = frames([Event("ended", step, verdicts=(skipped,))], monkeypatch)
    assert "commit" not in last


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(watching.chosen(Terminal(), command, keys=True), watching.Lines)
