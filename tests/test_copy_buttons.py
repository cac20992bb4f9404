"""The copy buttons, clicked in a browser: what lands in the clipboard is what the lesson means.

For commands that is what the author wrote: continued lines whole, no prompt, no output. For a file
it is every byte but the last line feed, which the button leaves out, so that nothing pasted into a
terminal runs before its reader says so.
"""

from __future__ import annotations

import functools
import http.server
import re
import shutil
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from workshop import browser, course, history
from workshop.gates import page as pages
from workshop.model import Step

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

ROOT = Path(__file__).parent.parent
COURSE = course.load(ROOT)
FENCE = re.compile(r"(?ms)^( *)```\{commands\}\n(.*?)^\1```$")
SENTINEL = "nothing was copied"
_REASON = browser.missing()
pytestmark = pytest.mark.skipif(bool(_REASON), reason=_REASON)

# Make a button that is folded away, or behind another tab, one that a person can click.
_OPEN = """() => {
    document.querySelectorAll("details").forEach(each => { each.open = true });
}"""
_TAB = """button => {
    const tab = button.closest(".sd-tab-content");
    if (tab) tab.previousElementSibling.click();
}"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # a page asks for all its files at once, and five would be the default


def serving(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback, on a free port. Yields its URL."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One browser for all lessons. It may read the clipboard."""
    with browser.open_page(tmp_path_factory.mktemp("home")) as opened:
        opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
        yield opened


@pytest.fixture(scope="module")
def url(built: Path) -> Iterator[str]:
    """Where the docs are."""
    yield from serving(built)


def expected(step: Step, html: str) -> list[str]:
    """What each copy button of a lesson should give, in the order of the page."""
    stages = {each.step.tag: each for each in history.stages(COURSE)}
    source = (step.folder / "index.md").read_text(encoding="utf-8")
    subject = step.message.splitlines()[0]
    typed = [commands(found[2]).replace("{message}", subject) for found in FENCE.finditer(source)]
    wanted = []
    for block in pages.blocks("", html):
        text = block.text.removesuffix("\n")
        if block.claim("shows") == "commands":
            text = typed.pop(0)
        elif block.claim("shows") == "listing" and not block.claim("part") + block.claim("elide"):
            data = stages[block.claim("stage")].files[block.claim("path")].data
            text = data.decode().removesuffix("\n")
        wanted.append(text)
    assert typed == []
    return wanted


def commands(fence: str) -> str:
    """The lines of a fence, without its options and its place in a list."""
    lines = textwrap.dedent(fence).split("\n")
    return "\n".join(line for line in lines if line and not line.startswith(":"))


def whole(chromium: Page, address: str) -> list[str]:
    """Open a page. Returns what it could not load.

    Chromium drops what it is about to load whenever a network comes or goes, and other tests start
    containers: then once more.
    """
    from playwright.sync_api import Error

    lost: list[str] = []

    def note(asked: Request) -> None:
        lost.append(f"{asked.url}: {asked.failure}")

    chromium.on("requestfailed", note)
    for _ in range(5):
        lost.clear()
        try:
            chromium.goto(address)
        except Error as error:
            lost.append(str(error))
        if not any("ERR_NETWORK_CHANGED" in each for each in lost):
            break
    chromium.remove_listener("requestfailed", note)
    return lost


def copied(chromium: Page, address: str) -> list[str]:
    """Open a page, click every copy button, and read the clipboard after each."""
    assert whole(chromium, address) == []
    chromium.locator("button.copybtn").first.wait_for(state="attached")  # made after the page
    chromium.evaluate(_OPEN)
    found = []
    for button in chromium.locator("button.copybtn").all():
        chromium.evaluate("text => navigator.clipboard.writeText(text)", SENTINEL)
        button.evaluate(_TAB)
        button.click()
        chromium.wait_for_function("button => button.classList.contains('success')",
                                   arg=button.element_handle())  # fmt: skip
        found.append(chromium.evaluate("() => navigator.clipboard.readText()"))
    return found


def test_a_file_that_can_not_be_loaded_is_told(chromium: Page, url: str) -> None:
    chromium.route("**/copybutton.js*", lambda route: route.abort("connectionreset"))
    (said,) = whole(chromium, f"{url}/steps/01-commit-one/index.html")
    chromium.unroute("**/copybutton.js*")
    assert "/copybutton.js" in said
    assert said.endswith("net::ERR_CONNECTION_RESET")


@pytest.mark.parametrize(("times", "left"), [(1, 0), (4, 0), (5, 1)])
def test_a_page_is_opened_again_when_a_network_has_changed(times: int, left: int) -> None:
    failed = SimpleNamespace(url="copybutton.js", failure="net::ERR_NETWORK_CHANGED")
    heard: list[Callable[[SimpleNamespace], None]] = []
    opened: list[str] = []

    def go(address: str) -> None:
        opened.append(address)
        if len(opened) <= times:
            heard[0](failed)

    page = SimpleNamespace(
        on=lambda _, hear: heard.append(hear), remove_listener=lambda *_: None, goto=go
    )
    assert len(whole(cast("Page", page), "/")) == left
    assert len(opened) == min(times + 1, 5)


@pytest.mark.parametrize("step", COURSE.steps, ids=lambda step: step.tag)
def test_each_button_copies_what_it_should(
    step: Step, chromium: Page, url: str, built: Path
) -> None:
    name = f"steps/{step.folder.name}/index.html"
    wanted = expected(step, (built / name).read_text(encoding="utf-8"))
    assert copied(chromium, f"{url}/{name}") == wanted
    assert len(wanted) >= 5


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('<span class="gp">$ </span>git', '<span class="gp">% </span>git'),
        ('<span class="gp">$ </span>git', '<span class="gp">$ </span>got'),
        ('<span class="go">', '<span class="go">$ '),
        ('<span class="kn">import</span>', '<span class="kn">import</span> '),
    ],
)
def test_a_wrong_page_is_noticed(
    right: str, wrong: str, chromium: Page, built: Path, tmp_path: Path
) -> None:
    """Another prompt, a changed command, an output that looks like a command, a changed file."""
    step = COURSE.steps[0]
    name = f"steps/{step.folder.name}/index.html"
    copy = shutil.copytree(built, tmp_path / "html")
    html = (copy / name).read_text(encoding="utf-8")
    wanted = expected(step, html)
    assert right in html
    (copy / name).write_text(html.replace(right, wrong, 1), encoding="utf-8")
    for address in serving(copy):
        assert copied(chromium, f"{address}/{name}") != wanted


def test_the_keyboard_gets_there_and_sees_it(chromium: Page, url: str) -> None:
    """Tab leads to a button, which shows itself with an outline; Enter copies."""
    chromium.goto(f"{url}/steps/{COURSE.steps[0].folder.name}/index.html")
    button = chromium.locator(".commands button.copybtn").first
    assert button.evaluate("each => getComputedStyle(each).opacity") == "0"
    for _ in range(300):
        chromium.keyboard.press("Tab")
        if button.evaluate("each => each === document.activeElement"):
            break
    assert button.evaluate("each => each === document.activeElement")
    chromium.wait_for_timeout(500)  # it fades in
    look = button.evaluate(
        "each => (({opacity, outlineStyle, outlineWidth}) => [opacity, outlineStyle, outlineWidth])"
        "(getComputedStyle(each))"
    )
    assert look == ["1", "solid", "3px"]
    chromium.keyboard.press("Enter")
    chromium.wait_for_function("each => each.classList.contains('success')",
                               arg=button.element_handle())  # fmt: skip
    assert chromium.evaluate("() => navigator.clipboard.readText()").startswith("workshop start")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("step", COURSE.steps, ids=lambda step: step.tag)
def test_no_button_lies_over_code(step: Step, width: int, chromium: Page, url: str) -> None:
    """The button stands beside the code, however long a line is."""
    chromium.set_viewport_size({"width": width, "height": 900})
    chromium.goto(f"{url}/steps/{step.folder.name}/index.html")
    chromium.evaluate(_OPEN)
    over = chromium.evaluate(
        """() => [...document.querySelectorAll("button.copybtn")].filter(button => {
            const code = button.parentElement.querySelector("pre").getBoundingClientRect();
            return code.width && button.getBoundingClientRect().left < code.right;
        }).length"""
    )
    chromium.set_viewport_size({"width": 1280, "height": 900})
    assert over == 0
