"""The feature of the acceptance tests, once in a real browser, against a real production.

The sentences come from the stage's own file. Only what is behind them is another: a person's
hands instead of Django's test client.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from workshop import browser, production
from workshop import course as courses
from workshop.production import place as places

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

TAG = "07-acceptance-tests"
FEATURE = Path("tests/acceptance/features/login-logout.feature")
PASSWORD = "correct-horse-battery-staple"
ACCOUNTS = (
    "for name, staff in (('ada', True), ('bob', False)):"
    f" User.objects.create_user(name, password={PASSWORD!r}, is_staff=staff)"
)
pytestmark = pytest.mark.skipif(bool(browser.missing()), reason=browser.missing())


class Visitor:
    """Somebody in front of a browser, who does what the sentences say."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.office = f"{url}/admin/"
        self.name = ""

    def is_called(self, name: str) -> None:
        self.name = name

    def log_in(self, password: str) -> None:
        self.page.goto(self.office)
        self.page.get_by_label("Username").fill(self.name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()

    def log_out(self) -> None:
        self.page.get_by_role("button", name="Log out").click()
        self._sees(self.page.get_by_text("Logged out").first)

    def _sees(self, what: Locator) -> None:
        """Wait for it: a page comes when it comes."""
        from playwright.sync_api import expect

        expect(what).to_be_visible(timeout=browser.PATIENCE * 1000)

    def sees_the_office(self) -> None:
        self._sees(self.page.get_by_role("heading", name="Site administration"))
        assert self.page.url == self.office

    def is_greeted(self) -> None:
        self._sees(self.page.locator("#user-tools").get_by_text(self.name))

    def is_told_that_it_was_wrong(self) -> None:
        self._sees(self.page.get_by_text("Please enter the correct"))

    def does_not_see_the_office(self) -> None:
        self.page.goto(self.office)
        self._sees(self.page.get_by_role("button", name="Log in"))


SENTENCES: dict[str, Callable[[Visitor], None]] = {
    "Ada works here": lambda visitor: visitor.is_called("ada"),
    "Bob is a customer": lambda visitor: visitor.is_called("bob"),
    "she has logged in": lambda visitor: visitor.log_in(PASSWORD),
    "she logs in with her password": lambda visitor: visitor.log_in(PASSWORD),
    "he logs in with his password": lambda visitor: visitor.log_in(PASSWORD),
    "she logs in with a wrong password": lambda visitor: visitor.log_in("guessed"),
    "she logs out": Visitor.log_out,
    "she sees the office": Visitor.sees_the_office,
    "she is greeted by name": Visitor.is_greeted,
    "she is told that it was wrong": Visitor.is_told_that_it_was_wrong,
    "she does not see the office": Visitor.does_not_see_the_office,
    "he does not see the office": Visitor.does_not_see_the_office,
}


def workshop(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "workshop", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def url(home: Path, tmp_path: Path) -> Iterator[str]:
    """Where the stage answers, from a production with its two people in it."""
    demo = tmp_path / "demo"
    workshop("build", str(demo))
    try:
        workshop("deploy", "--project", str(demo), "--rev", TAG)
        workshop(
            "run", "--project", str(demo), "python", "manage.py", "shell", "--command", ACCOUNTS
        )
        yield f"http://127.0.0.1:{places.of(demo, 'production').port}"
    finally:
        production.down(demo, "production")


def test_each_scenario_holds_in_a_real_browser(url: str, home: Path) -> None:
    root = courses.load(courses.default_root()).root
    text = (root / "solutions" / TAG / FEATURE).read_text("utf-8")
    scenarios = re.split(r"^ *Scenario: (.*)\n", text, flags=re.MULTILINE)[1:]
    assert len(scenarios) == 2 * 4
    for name, sentences in zip(scenarios[::2], scenarios[1::2], strict=True):
        with browser.open_page(home) as page:
            visitor = Visitor(page, url)
            for line in filter(None, map(str.strip, sentences.splitlines())):
                try:
                    SENTENCES[line.partition(" ")[2]](visitor)
                except AssertionError as error:
                    raise AssertionError(f"{name}: {line}") from error
