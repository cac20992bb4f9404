"""A browser without a window: opens a page, types, presses, and reads what a person sees there.

The only caller of Playwright, which drives the Chromium of this machine. Neither is needed to
learn or to deploy; where one is missing, `missing` says so.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workshop.errors import WorkshopError

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Request

COMMAND = "browser"
PATIENCE = 15.0  # seconds until a page or a button is given up
_PRESS = "press "
_DROPPED = "ERR_NETWORK_CHANGED"
_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# It must do what the lesson says, and speak with nobody but this machine.
_OPTIONS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class Action(NamedTuple):
    """Typing `text` into the field called `name`; without a text, pressing what has this name."""

    name: str
    text: str | None = None


def parse(lines: Sequence[str]) -> tuple[Action, ...]:
    """The actions in these lines: `Label: text`, or `press Name`. Raises WorkshopError."""
    actions = []
    for line in filter(None, map(str.strip, lines)):
        name, colon, text = line.partition(":")
        if line.startswith(_PRESS):
            actions.append(Action(line.removeprefix(_PRESS).strip()))
        elif colon and name.strip() and text.strip():
            actions.append(Action(name.strip(), text.strip()))
        else:
            raise WorkshopError(
                f"this is nothing to do in a page: {line}",
                "Write `Label: text` to type, or `press Name` for a button or a link.",
            )
    return tuple(actions)


def command(url: str, actions: Sequence[Action]) -> str:
    """How a transcript calls it: the address, and an action a line. `parse` reads the lines."""
    lines = (
        f"{_PRESS}{action.name}" if action.text is None else f"{action.name}: {action.text}"
        for action in actions
    )
    return "\n".join([f"{COMMAND} {url}", *lines])


def missing() -> str:
    """Why there is no browser to drive; empty when there is one."""
    if util.find_spec("playwright") is None:
        return "the package playwright is not installed"
    return "" if _program() else "there is no Chromium"


def see(url: str, actions: Sequence[Action], home: Path) -> str:
    """What a person sees who opens the page and does this: the title, and the text of the page.

    Nobody is logged in at the beginning. Raises WorkshopError when an action can't be done.
    """
    with open_page(home) as page:
        _do(f"open {url}", lambda: _open(page, url))
        for action in actions:
            if action.text is None:
                _press(page, action.name)
            else:
                _type(page, action.name, action.text)
        return _seen(page.title(), page.inner_text("body"))


@contextlib.contextmanager
def open_page(home: Path, *, width: int = 1280, height: int = 900) -> Iterator[Page]:
    """An empty page of a new browser, whose profile is in `home` and gone afterwards.

    The width and height are in pixels. Raises WorkshopError when there is no browser.
    """
    if reason := missing():
        raise WorkshopError(reason, 'Install Chromium, and: pip install ".[dev]"')
    from playwright.sync_api import sync_playwright

    with (
        tempfile.TemporaryDirectory(
            dir=home, prefix="chromium-", ignore_cleanup_errors=True
        ) as own,
        sync_playwright() as playwright,
    ):
        context = playwright.chromium.launch_persistent_context(
            own,
            executable_path=_program(),
            headless=True,
            # root can't have a sandbox, everybody else shall have one
            chromium_sandbox=not (hasattr(os, "geteuid") and os.geteuid() == 0),
            args=list(_OPTIONS),
            env={"HOME": own, "PATH": os.environ.get("PATH", os.defpath)},
            viewport={"width": width, "height": height},
            locale="en-US",
            timezone_id="UTC",
        )
        try:
            context.set_default_timeout(PATIENCE * 1000)
            yield context.pages[0]
        finally:
            context.close()


def _program() -> str:
    return next((found for name in _NAMES if (found := shutil.which(name))), "")


def _open(page: Page, url: str) -> None:
    """Open it. Chromium drops what it loads when a network of this machine comes or goes, as one
    does with each container: then it is asked once more."""
    from playwright.sync_api import Error

    try:
        page.goto(url, wait_until="load")
    except Error as error:
        if _DROPPED not in error.message:
            raise
        page.goto(url, wait_until="load")


def _type(page: Page, label: str, text: str) -> None:
    # "Username:" is a field that everybody calls "Username"
    field = page.get_by_label(re.compile(rf"^\s*{re.escape(label)}\s*:?\s*$"))
    _do(f"type into {label}", lambda: field.fill(text))


def _press(page: Page, name: str) -> None:
    button = page.get_by_role("button", name=name, exact=True)
    link = page.get_by_role("link", name=name, exact=True)
    _do(f"press {name}", lambda: _and_wait(page, button.or_(link)))


def _and_wait(page: Page, what: Locator) -> None:
    """Press it. When that leads to another page, wait until it is there."""
    asked: list[Request] = []
    loaded: list[Page] = []

    def note_asked(request: Request) -> None:
        if request.is_navigation_request() and request.frame == page.main_frame:
            asked.append(request)

    def note_loaded(here: Page) -> None:
        loaded.append(here)

    page.on("request", note_asked)
    page.on("load", note_loaded)
    what.click()
    page.wait_for_timeout(100)  # milliseconds; a form is not sent at once
    give_up = time.monotonic() + PATIENCE
    while asked and not loaded and time.monotonic() < give_up:
        page.wait_for_timeout(20)
    page.remove_listener("request", note_asked)
    page.remove_listener("load", note_loaded)


def _do(what: str, call: Callable[[], object]) -> None:
    from playwright.sync_api import Error

    try:
        call()
    except Error as error:
        raise WorkshopError(
            f"can't {what}: {error.message.splitlines()[0]}", "Name it as the page does."
        ) from error


def _seen(title: str, text: str) -> str:
    lines = [" ".join(line.split()) for line in f"{title}\n\n{text.strip()}".split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
