"""`workshop watch` in a real terminal: started, saved into, sent on, and left, by its keys."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

TMUX = shutil.which("tmux")
WIDTH, HEIGHT = 80, 24

pytestmark = pytest.mark.skipif(TMUX is None, reason="there is no tmux to draw a terminal")


class Terminal:
    """A shell in a terminal of 80 columns. `keys` are as tmux names them: `q`, `Enter`, `C-c`."""

    def __init__(self, socket: Path, folder: Path) -> None:
        self._socket = socket
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "WORKSHOP_HOME", "PYTHONPATH")
                if name in os.environ}  # fmt: skip
        subprocess.run(
            [str(TMUX), "-S", socket, "-f", os.devnull, "new-session", "-d", "-c", folder,
             "-x", str(WIDTH), "-y", str(HEIGHT), "sh"],
            env={**kept, "LANG": "C.UTF-8", "TERM": "xterm"}, check=True,
        )  # fmt: skip
        self.until(waits)

    def _tmux(self, *words: str) -> str:
        return subprocess.check_output([str(TMUX), "-S", self._socket, *words], text=True)

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def type(self, line: str) -> None:
        self._tmux("send-keys", "-l", line)
        self.press("Enter")

    def screen(self) -> list[str]:
        return self._tmux("capture-pane", "-p").splitlines()

    def until(self, wanted: Callable[[list[str]], bool], seconds: float = 60) -> list[str]:
        """What is shown as soon as it is `wanted`."""
        deadline = time.monotonic() + seconds
        while not wanted(lines := [line.rstrip() for line in self.screen()]):
            assert time.monotonic() < deadline, "\n".join(lines)
            time.sleep(0.05)
        return lines

    def close(self) -> None:
        self._tmux("kill-server")


@pytest.fixture
def terminal(tmp_path: Path, project: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path / "tmux", project)
    yield opened
    opened.close()


def waits(lines: list[str]) -> bool:
    """Whether the shell waits for a command."""
    return [line for line in lines if line][-1:] in (["#"], ["$"])


def shows(words: str) -> Callable[[list[str]], bool]:
    return lambda lines: any(words in line for line in lines)


@pytest.mark.parametrize("leave", ["q", "C-c"])
def test_from_start_to_end(
    leave: str, terminal: Terminal, project: Path, course_folder: Path
) -> None:
    terminal.type(f"{sys.executable} -m workshop watch --course {course_folder}")
    red = terminal.until(shows("0 of 2 green."))
    assert red[0].startswith("Step 01"), red
    assert shows("n: next step   q: quit")(red)
    assert not shows("workshop watch")(red)  # a clean screen: the command line is gone

    assert children(project)
    terminal.press("n")
    assert shows("0 of 2 green.")(terminal.until(shows("Not yet: it is not green.")))

    (project / "app.py").write_text("x = 1\n")
    green = terminal.until(shows("2 of 2 green."))
    assert green[0] == red[0]
    assert shows("next step.")(green)
    assert not shows("red ")(green)

    terminal.press("n")
    following = terminal.until(
        lambda lines: lines[0].startswith("Step 02") and shows(" green. ")(lines)
    )
    assert following[0] != green[0]
    assert not shows("judging")(following)

    terminal.press(leave)
    terminal.until(waits)
    terminal.type("stty -a")
    lines = terminal.until(shows("icanon"))
    assert shows(" icanon")(lines)
    assert shows(" echo ")(lines)
    assert children(project) == set()


def children(project: Path) -> set[int]:
    """The programs of ours that run because somebody watches."""
    return {
        each.pid for each in psutil.process_iter(["cmdline", "cwd"])
        if each.info["cwd"] == str(project) and "workshop" in " ".join(each.info["cmdline"])
    }  # fmt: skip
