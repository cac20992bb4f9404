"""Whole outputs, as a person or a program gets them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from workshop.model import Finding, Verdict
from workshop.report import as_json, junit, text
from workshop.trial import Trial

PLAIN = text.Paint(io.StringIO())
RED = Verdict(
    "test_page",
    "The page answers.",
    "red",
    seen="GET / answered 500 and this is a rather long sentence so that it must be wrapped at"
    " eighty columns\nand it has a second line",
    expected="200",
    do="Look at `application/urls.py`.",
    where="test_commit_one.py:12",
)
GREEN = Verdict("test_app", "There is an app.", "green")
SKIPPED = Verdict("test_image", "The image builds.", "skipped", seen="needs a container engine")


def test_a_red_verdict_says_seen_expected_and_do() -> None:
    assert text.verdict(RED, PLAIN) == (
        "  red      The page answers.\n"
        "           seen:      GET / answered 500 and this is a rather long sentence so\n"
        "                      that it must be wrapped at eighty columns\n"
        "                      and it has a second line\n"
        "           expected:  200\n"
        "           do:        Look at `application/urls.py`.\n"
        "           check:     test_commit_one.py:12"
    )


def test_green_and_skipped_are_short_and_a_skip_says_why() -> None:
    assert text.verdict(GREEN, PLAIN) == "  green    There is an app."
    assert text.verdict(SKIPPED, PLAIN) == (
        "  skipped  The image builds.\n           because: needs a container engine"
    )
    assert text.summary([GREEN, SKIPPED, RED]) == (
        "1 of 3 green, 1 skipped (needs a container engine)."
    )


def test_no_line_is_wider_than_a_terminal() -> None:
    assert max(map(len, text.verdict(RED, PLAIN).splitlines())) <= 80


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_only_on_a_terminal_that_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    painted = text.verdict(GREEN, text.Paint(Terminal()))
    assert painted == "  \x1b[32mgreen\x1b[0m    There is an app."
    monkeypatch.setenv("NO_COLOR", "1")
    assert text.verdict(GREEN, text.Paint(Terminal())) == "  green    There is an app."


TRIALS = (
    Trial("start", "01-hello", "empty", (RED,), seconds=1.25),
    Trial("solution", "01-hello", "01-hello", (GREEN, SKIPPED), cached=True),
    Trial("solution", "01-hello", "02-name", (RED,), problems=("test_page is red: 500",)),
    Trial("deploy", "01-hello", "01-hello", sent=420, lost=0, seconds=3),
)


def test_trials_as_lines() -> None:
    lines = [text.trial(each, index, 4, PLAIN) for index, each in enumerate(TRIALS, 1)]
    assert lines == [
        "[1/4] green 01-hello: red on its start, empty (1.2 s)",
        "[2/4] green 01-hello: green on its solution (known)",
        "[3/4] red   01-hello: still green at 02-name (0.0 s)\n      - test_page is red: 500",
        "[4/4] green 01-hello: deploys: 420 requests, 0 lost (3.0 s)",
    ]


def test_the_summary_counts_what_was_skipped_and_why() -> None:
    assert text.verification(TRIALS, 12.34) == (
        "3 of 4 trials as promised, 1 of them known already. 12.3 s.\n"
        "1 deploy, 420 requests, 0 lost.\n"
        "1 check skipped:\n"
        "  01-hello test_image: needs a container engine"
    )


def test_json_has_the_names_of_the_code() -> None:
    trial, *_ = json.loads(as_json.listing(TRIALS))
    assert trial["kind"] == "start"
    assert trial["verdicts"][0]["do"] == "Look at `application/urls.py`."
    assert json.loads(as_json.listing([Finding("a.py:1", "stray")])) == [
        {"where": "a.py:1", "fact": "stray"}
    ]


def test_junit_is_what_a_ci_server_reads(tmp_path: Path) -> None:
    junit.write(TRIALS, tmp_path / "report.xml")
    assert (tmp_path / "report.xml").read_text("utf-8") == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        "<testsuites>\n"
        '  <testsuite name="01-hello" tests="4" failures="1" skipped="1" time="4.250">\n'
        '    <testcase classname="01-hello" name="start empty" time="1.250" />\n'
        '    <testcase classname="01-hello" name="solution 01-hello" time="0.000">\n'
        '      <skipped message="test_image: needs a container engine" />\n'
        "    </testcase>\n"
        '    <testcase classname="01-hello" name="solution 02-name" time="0.000">\n'
        '      <failure message="test_page is red: 500">test_page is red: 500</failure>\n'
        "    </testcase>\n"
        '    <testcase classname="01-hello" name="deploy 01-hello" time="3.000" />\n'
        "  </testsuite>\n"
        "</testsuites>"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["report.xml"]
