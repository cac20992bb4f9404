"""The browser in lessons: what is done and seen, told to a reader, recorded, and held to it."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import COURSES
from rendering import Docs

from workshop import browser, course, transcript
from workshop.browser import Action
from workshop.errors import WorkshopError
from workshop.gates import page, provenance, replay
from workshop.gates.waivers import Waivers
from workshop.robot import Robot, robot
from workshop.transcript import Commits

GOOD = COURSES / "good"
LESSON_FILE = "ROOT/steps/02-name/index.md"
# myst-parser's own, for a version of Sphinx that is not out yet
pytestmark = pytest.mark.filterwarnings("ignore::sphinx.deprecation.RemovedInSphinx11Warning")
needs_chromium = pytest.mark.skipif(bool(browser.missing()), reason=browser.missing())
FORM = """<title>Enter</title><h1>Who is there?</h1>
<form action="/slow"><label for="n">Name:</label> <input id="n" name="name">
<button>Come in</button></form><a href="/away">Go away</a>"""


class _Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/slow":
            threading.Event().wait(0.5)
            body = f"<title>Hall</title><p>{query}</p>\n\n<p hidden>secret<p>{self._cookie()}</p>"
        else:
            body = FORM if path == "/" else "<title>Bye</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Set-Cookie", "known=1")
        self.send_header("Content-Security-Policy", "default-src 'none'; form-action 'self'")
        self.end_headers()
        self.wfile.write(body.encode())

    def _cookie(self) -> str:
        return self.headers.get("Cookie", "a stranger")

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """A site with a form, on loopback."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


# --- what is done


def test_a_script_and_back() -> None:
    lines = ["Username: ada", "", "  Note: a: b  ", "press Log in"]
    actions = (Action("Username", "ada"), Action("Note", "a: b"), Action("Log in"))
    assert browser.parse(lines) == actions
    command = browser.command("http://127.0.0.1:8000/", actions)
    assert command == ("browser http://127.0.0.1:8000/\nUsername: ada\nNote: a: b\npress Log in")
    assert browser.parse(command.split("\n")[1:]) == actions


@pytest.mark.parametrize("line", ["click it", "Username:", ": ada", "press", "$ workshop check"])
def test_nothing_else_can_be_done(line: str) -> None:
    with pytest.raises(WorkshopError, match=f"nothing to do in a page: {re.escape(line)}"):
        browser.parse([line])


# --- what is seen


@needs_chromium
def test_what_a_person_sees(site: str, tmp_path: Path) -> None:
    """The page behind the form, though it is slow and forbids scripts; hidden text is not seen."""
    seen = browser.see(site, browser.parse(["Name: ada", "press Come in"]), tmp_path)
    assert seen == "Hall\n\nname=ada\n\nknown=1\n"
    assert browser.see(site, (Action("Go away"),), tmp_path) == "Bye\n"
    assert browser.see(f"{site}slow", (), tmp_path).endswith("a stranger\n"), "a new profile"
    assert list(tmp_path.iterdir()) == [], "no profile is left behind"


@needs_chromium
@pytest.mark.parametrize(
    ("line", "said"),
    [("press Nothing", "can't press Nothing: "), ("Age: 7", "can't type into Age: ")],
)
def test_what_is_not_there(
    line: str, said: str, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "PATIENCE", 1.0)
    with pytest.raises(WorkshopError, match=re.escape(said)):
        browser.see(site, browser.parse([line]), tmp_path)


@needs_chromium
@pytest.mark.parametrize(
    ("reason", "times", "opened"),
    [("net::ERR_NETWORK_CHANGED", 1, True), ("net::ERR_NETWORK_CHANGED", 2, False),
     ("net::ERR_CONNECTION_REFUSED", 1, False)],
)  # fmt: skip
def test_a_page_that_was_dropped_because_a_network_came_is_opened_once_more(
    site: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reason: str,
    times: int,
    opened: bool,
) -> None:
    from playwright.sync_api import Error, Page

    goto, left = Page.goto, [reason] * times

    def dropped(page: Page, url: str, **options: Any) -> object:
        if left:
            raise Error(f"Page.goto: {left.pop()} at {url}")
        return goto(page, url, **options)

    monkeypatch.setattr(Page, "goto", dropped)
    if opened:
        assert "Who is there?" in browser.see(site, (), tmp_path)
    else:
        with pytest.raises(WorkshopError, match=reason):
            browser.see(site, (), tmp_path)


@needs_chromium
def test_it_speaks_with_this_machine_alone(tmp_path: Path) -> None:
    with pytest.raises(WorkshopError, match="ERR_NAME_NOT_RESOLVED"):
        browser.see("http://example.org/", (), tmp_path)


@pytest.fixture
def learner() -> Iterator[Robot]:
    """The robot, in an empty home."""
    with robot(GOOD) as found:
        yield found


@needs_chromium
def test_the_robot_shows_the_ports_of_a_reader(site: str, learner: Robot) -> None:
    learner.type(f"echo it is live: {site}")
    actions = browser.parse(["Name: ada", "press Come in"])
    assert learner.browse("http://127.0.0.1:8000/", actions) == transcript.Entry(
        browser.command("http://127.0.0.1:8000/", actions), "Hall\n\nname=ada\n\nknown=1\n"
    )
    gone = learner.browse("http://127.0.0.1:9/", ())
    assert gone.code == 1
    assert gone.output.startswith("can't open http://127.0.0.1:8001/: "), "its next port"


# --- what a reader sees


@pytest.fixture
def docs(course_folder: Path) -> Docs:
    """The miniature course, as docs, with a home page."""
    made = Docs(course_folder)
    made.file("home").write_text("# Home\n\n```{toctree}\n:glob:\n\n/steps/*/index\n```\n")
    return made


SCRIPT = "```{browser} http://127.0.0.1:8000/\nName: ada\npress Come in\n```\n"
BETWEEN = f"# Say your name\n\n```{{commands}}\nls\n```\n{SCRIPT}\n```{{commands}}\ncd a\n```\n"
ENTRIES = [
    transcript.Entry("ls", "app.py\n"),
    transcript.Entry("browser http://127.0.0.1:8000/\nName: ada\npress Come in", "Hall\n\nada\n"),
    transcript.Entry("cd a", "no\n"),
]


def test_the_recording_is_shown_in_its_place(docs: Docs) -> None:
    transcript.write(docs.root / "steps" / "02-name", ENTRIES)
    _, said = docs.build(lesson=BETWEEN)
    assert docs.blocks() == ["$ ls\napp.py\n", "Hall\n\nada\n", "$ cd a\nno\n"]
    assert (
        "Open http://127.0.0.1:8000/ Type ada into Name Press Come in You see Hall ada $ cd a"
        in docs.text()
    )
    assert "02-name" not in said
    found = list(page.blocks("a.html", docs.html()))
    assert found[1].claims == {
        "shows": "browser", "url": "http://127.0.0.1:8000/", "actions": "Name: ada\npress Come in"
    }  # fmt: skip
    assert list(replay._told(found[1], found[1].claim("url"), browser.parse(
        found[1].claim("actions").split("\n")))) == []  # fmt: skip


def test_what_was_recorded_for_other_actions_is_not_shown(docs: Docs) -> None:
    transcript.write(docs.root / "steps" / "02-name", ENTRIES)
    _, said = docs.build(lesson=BETWEEN.replace("Name: ada", "Name: bob"))
    assert docs.blocks()[1] == "\n"
    assert f"{LESSON_FILE}:6: WARNING: not recorded: `browser http://127.0.0.1:8000/`" in said


def test_outside_a_lesson_nothing_is_seen(docs: Docs) -> None:
    _, said = docs.build(home=f"# Home\n\n{SCRIPT}")
    assert docs.blocks("index") == []
    assert "Open http://127.0.0.1:8000/ Type ada into Name Press Come in" in docs.text("index")
    assert "index.md:3" not in said
    _, said = docs.build(home="# Home\n\n```{browser} http://127.0.0.1:8000/\nclick\n```\n")
    assert "ROOT/index.md:3: WARNING: this is nothing to do in a page: click." in said


# --- what the gates say

LESSON = """<div data-shows="browser" data-url="http://127.0.0.1:8000/" data-actions="Name: ada">
<ol class="browser-script"><li><p>Open <a href="#">http://127.0.0.1:8000/</a></p></li>
<li><p>Type <code>ada</code> into <em>Name</em></p></li>
</ol>
<div class="code-block-caption"><span class="caption-text">You see</span></div>
<pre>Hall
</pre></div>"""


def lesson(html: str, learner: object) -> replay.Done:
    """The first lesson with only this in it, done."""
    step = course.load(GOOD).steps[0]
    blocks = tuple(page.blocks(f"steps/{step.folder.name}/index.html", html))
    return replay._lesson(step, blocks, learner, Commits(), differs=False)  # type: ignore[arg-type]


class _Blind:
    """A learner whose browser sees always the same."""

    def __init__(self, output: str, code: int = 0) -> None:
        self.output, self.code = output, code

    def browse(self, url: str, actions: tuple[Action, ...]) -> transcript.Entry:
        """Say it."""
        return transcript.Entry(browser.command(url, actions), self.output, self.code)


def test_what_is_seen_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "missing", lambda: "")
    done = lesson(LESSON, _Blind("Hall\n"))
    assert (done.broken, done.drifted, done.skipped) == ((), (), ())
    (drifted,) = lesson(LESSON, _Blind("Cellar\n")).drifted
    assert drifted.fact.endswith("stands 'Hall', and it said 'Cellar'")
    (broken,) = lesson(LESSON, _Blind("Hall\n", 1)).broken
    assert broken.fact.endswith("ended with 1, and should end with 0:\nHall")


@pytest.mark.parametrize(
    ("told", "instead"),
    [("<code>ada</code>", "<code>bob</code>"), ("<em>Name</em>", "<em>Age</em>"),
     (":8000/</a>", ":8000/admin/</a>"), ("You see", "You see more")],
)  # fmt: skip
def test_a_reader_is_told_what_is_done(
    told: str, instead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "missing", lambda: "")
    assert told in LESSON
    (drifted,) = lesson(LESSON.replace(told, instead), _Blind("Hall\n")).drifted
    assert drifted.fact.startswith("a reader is told ")


def test_without_a_browser_it_is_skipped_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "missing", lambda: "there is no Chromium")
    done = lesson(LESSON, object())
    assert [each.fact for each in done.skipped] == [
        "there is no Chromium: http://127.0.0.1:8000/ was not opened"
    ]
    assert (done.broken, done.drifted, done.kept) == ((), (), 1)
    assert done.entries == (
        transcript.Entry("browser http://127.0.0.1:8000/\nName: ada", "Hall\n"),
    )
    new = lesson(LESSON.replace("Hall\n", ""), object())
    assert (len(new.skipped), new.kept, new.entries) == (1, 0, ())


def test_missing_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(browser, "_NAMES", ("no-such-chromium",))
    assert browser.missing() == "there is no Chromium"
    with pytest.raises(WorkshopError, match="there is no Chromium"):
        browser.see("http://127.0.0.1:9/", (), tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert browser.missing() == "the package playwright is not installed"


@pytest.mark.parametrize(("name", "findings"), [("steps/01-hello", 0), ("docs", 1)])
def test_only_a_lesson_can_claim_that_something_was_seen(
    name: str, findings: int, tmp_path: Path
) -> None:
    source = tmp_path / name / "index.md"
    source.parent.mkdir(parents=True)
    source.write_text("")
    blocks = tuple(page.blocks(f"{name}/index.html", LESSON))
    assert len(provenance.prove(tmp_path, blocks, Waivers(())).findings) == findings


def test_steps_without_a_block_are_no_caption_of_the_next() -> None:
    script = LESSON[LESSON.index("<ol") : LESSON.index("<div class=")]
    (block,) = page.blocks("a.html", f'{script}<div data-shows="tree"><pre>.\n</pre></div>')
    assert block.caption == ""
