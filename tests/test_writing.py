"""The writer's loop: what is saved is served, the gates say what they think, and then all ends."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from workshop import cli, gates, writing
from workshop.errors import WorkshopError

STEPS = Path(__file__).parent.parent / "steps"
SOURCES = sorted([*STEPS.glob("*/index.md"), *STEPS.glob("*/hints.md")])
OPTION = re.compile(r":[\w-]+:(?: |$)")
PATIENCE = 60.0  # seconds
CONF = """\
extensions = ["myst_nb", "sphinx_design", "workshop.sphinxext"]
include_patterns = ["index.md", "steps/*/index.md"]
myst_enable_extensions = ["colon_fence"]
root_doc = "steps/01-hello/index"
suppress_warnings = ["workshop.unrecorded", "toc"]
html_theme = "basic"
"""


def options(markdown: str) -> tuple[int, int]:
    """How many lines are an option of a directive, such as `:part: readyz`, and how many are any
    text at all."""
    lines = [line.strip() for line in markdown.splitlines()]
    return sum(bool(OPTION.match(line)) for line in lines), sum(map(bool, lines))


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_lesson_reads_as_plain_markdown(file: Path) -> None:
    """Fewer than one option in three lines, and than one in three directives in a lesson."""
    text = file.read_text(encoding="utf-8")
    found, lines = options(text)
    assert 3 * found < lines
    if file.name == "index.md":
        assert 3 * found < len(re.findall(r"(?m)^ *[`:~]{3,}\{", text)) * 2
    assert "{literalinclude}" not in text


def test_options_are_counted() -> None:
    text = "Text: a\n\n```{listing} a.py\n:part: main\n  :elide: b, c\n:all:\n```\n:::{note}\n:::\n"
    assert options(text) == (3, 8)


class Loop:
    """`workshop docs` on a copy of the miniature course, and what it has said."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._log = root.parent / "said.txt"
        with self._log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-u", "-m", "workshop", "docs", "--course", str(root)],
                cwd=root.parent, stdout=out, stderr=subprocess.STDOUT,
                env=os.environ | {"NO_COLOR": "1", "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )  # fmt: skip

    @property
    def said(self) -> str:
        """Everything that a writer reads in the terminal, without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self._log.read_text(encoding="utf-8"))

    def page(self) -> str:
        """The first lesson, over HTTP."""
        found = re.search(r"Serving on http://127\.0\.0\.1:(\d+)", self.said)
        if found is None:
            return ""
        connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=PATIENCE)
        try:
            connection.request("GET", "/steps/01-hello/index.html")
            return connection.getresponse().read().decode()
        except (ConnectionError, http.client.IncompleteRead):  # it is just being written
            return ""
        finally:
            connection.close()

    def until(self, call: Callable[[], bool]) -> float:
        """Wait. Returns the seconds that it took."""
        began = time.monotonic()
        while not call():
            assert self.process.poll() is None, self.said
            assert time.monotonic() - began < PATIENCE, self.said
            time.sleep(0.05)
        return time.monotonic() - began


@pytest.fixture
def loop(course_folder: Path) -> Iterator[Loop]:
    """The loop, which has built once, and whose gates have looked once."""
    (course_folder / "conf.py").write_text(CONF, encoding="utf-8")
    started = Loop(course_folder)
    try:
        started.until(lambda: "</html>" in started.page())
        yield started
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):  # some end by themselves just now
            for each in psutil.Process(started.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
        started.process.kill()
        started.process.wait()


def test_what_is_saved_is_served_and_looked_at(loop: Loop) -> None:
    lesson = loop.root / "steps" / "01-hello" / "index.md"
    text = lesson.read_text(encoding="utf-8")
    assert "green provenance: " in loop.said
    assert "replay" not in loop.said
    looked = loop.said.count(" variants: ")
    lesson.write_text(f"{text}\nA sentence that is new.\n\n```python\ntyped = 1\n```\n")
    # Not earlier: a page that is asked for while it is written is an error of the server.
    loop.until(lambda: loop.said.count(" variants: ") > looked)
    loop.until(lambda: "A sentence that is new." in loop.page())
    assert "red   provenance: " in loop.said
    assert "typed by hand: 'typed = 1'" in loop.said
    assert "Traceback" not in loop.said


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_whole(loop: Loop, how: signal.Signals) -> None:
    """Ctrl-C reaches the whole group, as a terminal sends it."""
    every = [loop.process.pid, *(each.pid for each in psutil.Process(loop.process.pid).children())]
    os.killpg(loop.process.pid, how)
    assert loop.process.wait(PATIENCE) in {0, 130, 128 + how, -how}
    assert [pid for pid in every if psutil.pid_exists(pid)] == []
    assert "Traceback" not in loop.said


def test_what_nobody_writes_is_not_watched(tmp_path: Path) -> None:
    told = writing.commands(tmp_path, 8090)
    ignored = [re.compile(told[at + 1]) for at, word in enumerate(told) if word == "--re-ignore"]

    def watched(path: str) -> bool:
        return not any(each.search((tmp_path / path).as_posix()) for each in ignored)

    written = [
        "conf.py", "docs/_static/a.css", "katas/x/index.md", "notebooks/a.ipynb",
        "solutions/01-hello/app.py", "src/workshop/cli.py", "steps/01-hello/index.md",
    ]  # fmt: skip
    made = [
        ".nox/tests/x.py", "README.rst", "build/live/html/index.html", "docs-old/a.md",
        "src/workshop/__pycache__/a.pyc", "steps/.transcript.txt.part",
        "steps/01-hello/.index.md.swp", "tests/a.py",
    ]  # fmt: skip
    assert [path for path in [*written, *made] if watched(path)] == written


def test_the_gates_while_writing_are_all_but_the_robots() -> None:
    assert (*writing.GATES, "replay") == gates.NAMES


def test_only_in_a_clone(course_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["docs", "--course", str(course_folder)]) == 2
    assert capsys.readouterr().err == (
        f"error: {course_folder}: there are no docs to write here\n"
        "       Clone the repository, and work there.\n"
    )


def test_a_port_that_is_taken(course_folder: Path) -> None:
    import socket

    (course_folder / "conf.py").write_text(CONF, encoding="utf-8")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(WorkshopError, match=f"port {port}: taken"):
            writing.serve(course_folder, port)
        shutil.rmtree(course_folder / "build", ignore_errors=True)
