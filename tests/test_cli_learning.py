"""What a learner types and reads between two verdicts: whole outputs, and plain terminals."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workshop import learner
from workshop.course import load

GOOD = Path(__file__).parent / "courses" / "good"


def workshop(*words: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workshop", *map(str, words)],
        cwd=cwd, capture_output=True, text=True, env=os.environ | more, check=False,
    )  # fmt: skip


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A learner's project in the miniature course."""
    return learner.start(load(GOOD), tmp_path / "mine").project


def test_check_then_hint_hint_hint(mine: Path) -> None:
    done = workshop("check", "--course", GOOD, cwd=mine)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        "Step 01: Say hello\n"
        "\n"
        "  red      There is a file `app.py`.\n"
        "           seen:      there is no app.py\n"
        "           expected:  a file app.py\n"
        "           do:        Write it.\n"
        "  red      `app.py` is Python.\n"
        "           seen:      there is no app.py\n"
        "           expected:  Python\n"
        "           do:        Write it.\n"
        "\n"
        "0 of 2 green. Mend the first red one, then check again.\n"
        "Stuck? python -m workshop hint\n"
    )
    hints = [workshop("hint", "--course", GOOD, cwd=mine) for _ in range(3)]
    assert [each.returncode for each in hints] == [0, 0, 0]
    assert hints[0].stdout == (
        "Step 01: There is a file `app.py`.\n"
        "\n"
        "Hint 1 of 3\n"
        "\n"
        "Look at the folder.\n"
        "\n"
        "Not enough? python -m workshop hint\n"
    )
    assert hints[2].stdout.endswith(
        "Hint 3 of 3\n\nWrite `app.py`.\n\nStill stuck? python -m workshop hint --show-solution\n"
    )


def test_a_hint_is_for_what_is_red_now_and_not_for_what_was(mine: Path) -> None:
    workshop("check", "--course", GOOD, cwd=mine)
    (mine / "app.py").write_text("x = (\n")
    done = workshop("hint", "--course", GOOD, cwd=mine)
    assert done.stdout == "No hint: the checks can't judge. See it: python -m workshop check 01\n"
    (mine / "app.py").write_text("x = 1\n")
    done = workshop("hint", "1", "--course", GOOD, cwd=mine)
    assert (done.returncode, done.stdout) == (
        0,
        "No hint: nothing is red in step 01, Say hello.\n"
        "It is not committed yet. Commit it, and go on.\n",
    )


def test_whoever_names_a_step_goes_on_naming_it(mine: Path, tmp_path: Path) -> None:
    learner.settle(load(GOOD), mine, ("hello",))
    done = workshop("check", "1", "--course", GOOD, "--project", mine, cwd=tmp_path)
    assert done.stdout.endswith(f"Stuck? python -m workshop hint 01 --project {mine}\n")
    done = workshop("hint", "1", "--course", GOOD, cwd=mine)
    assert done.stdout.endswith("Not enough? python -m workshop hint 01\n")


def test_green_elsewhere_says_where_to_commit(mine: Path) -> None:
    (mine / "app.py").write_text("x = 1\n")
    (mine / "a folder").mkdir()
    done = workshop("check", "--course", GOOD, cwd=mine / "a folder")
    assert f"production:\n\n  cd {mine}\n  git add .\n" in done.stdout


def test_odd_names_can_be_typed_as_they_are_printed(tmp_path: Path) -> None:
    done = workshop("start", "it's mine", "--course", GOOD, cwd=tmp_path)
    line = next(line for line in done.stdout.splitlines() if line.startswith("  cd "))
    assert subprocess.run(["sh", "-ec", f"{line}; git rev-parse"], cwd=tmp_path).returncode == 0
    done = workshop("start", "--course", GOOD, "--", "-mine", cwd=tmp_path)
    assert "  cd ./-mine\n" in done.stdout


def test_programs_read_json_whatever_comes_out(mine: Path, course_folder: Path) -> None:
    check = course_folder / "steps" / "01-hello" / "test_hello.py"
    (check,) = check.parent.glob("test_*.py")
    check.write_text(check.read_text("utf-8").replace("There is a file", "Café: a file"), "utf-8")
    words = ("check", "--json", "--course", course_folder)
    done = subprocess.run(
        [sys.executable, "-m", "workshop", *words], cwd=mine, capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "cp1252"}, check=False,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert [each["step"] for each in told] == ["01-hello", "01-hello"]
    assert told[0]["sentence"].startswith("Café: a file")
    learner.settle(load(GOOD), mine, ("hello", "name"))
    done = subprocess.run(
        [sys.executable, "-m", "workshop", *words], cwd=mine, capture_output=True, check=False
    )
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert b"You have done every step." in done.stderr


def test_show_solution_is_the_difference_to_my_files(mine: Path) -> None:
    shutil.copytree(GOOD / "solutions" / "01-hello", mine, dirs_exist_ok=True)
    (mine / "run.sh").chmod(0o755)
    app = mine / "app.py"
    app.write_text(app.read_text().replace("Hello", "Good evening"))
    for words in (("hint", "--show-solution"), ("diff",), ("diff", "hello")):
        done = workshop(*words, "--course", GOOD, cwd=mine)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.sub(r"index \w+\.\.\w+ ", "index A..B ", done.stdout) == (
            "diff --git mine/app.py stage/app.py\n"
            "index A..B 100644\n"
            "--- mine/app.py\n"
            "+++ stage/app.py\n"
            "@@ -3,4 +3,4 @@\n"
            " \n"
            " def application(environ, start_response):\n"
            '     start_response("200 OK", [("Content-Type", "text/plain")])\n'
            '-    return [b"Good evening\\n"]\n'
            '+    return [b"Hello\\n"]\n'
        )
    app.write_text(app.read_text().replace("Good evening", "Hello"))
    done = workshop("diff", "--course", GOOD, cwd=mine)
    assert done.stdout == "No difference: your files are those of step 01, Say hello.\n"


def test_green_says_what_to_commit_and_how_to_deploy(mine: Path) -> None:
    (mine / "app.py").write_text("x = 1\n")
    (mine / ".gitignore").write_text("app.py\n")
    done = workshop("check", "--course", GOOD, cwd=mine)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Step 01: Say hello\n"
        "\n"
        "  green    There is a file `app.py`.\n"
        "  green    `app.py` is Python.\n"
        "\n"
        "2 of 2 green.\n"
        "\n"
        "Mind: git ignores app.py, so no commit will hold it. Look at .gitignore.\n"
        "\n"
        "Now commit it and bring it into production:\n"
        "\n"
        "  git add .\n"
        '  git commit -m "Say hello"\n'
        "  python -m workshop deploy\n"
        "\n"
        "After that: step 02, Say your name.\n"
    )


def test_what_is_green_is_judged_again_until_it_is_committed(mine: Path) -> None:
    (mine / "app.py").write_text("x = 1\n")
    first = workshop("check", "--course", GOOD, cwd=mine)
    again = workshop("check", "--course", GOOD, cwd=mine)
    assert (again.returncode, again.stdout) == (0, first.stdout)
    done = workshop("hint", "--course", GOOD, cwd=mine)
    assert done.stdout == (
        "No hint: nothing is red in step 01, Say hello.\n"
        "It is not committed yet. Commit it, and go on.\n"
    )
    done = workshop("diff", "--course", GOOD, cwd=mine)
    assert "stage/app.py" in done.stdout
    assert "NAME" not in done.stdout
    done = workshop("status", "--course", GOOD, cwd=mine)
    assert "[x] 01 Say hello " in done.stdout
    assert "Changed:     1 file: step 01 is green, not committed yet\n" in done.stdout
    commit(mine)
    done = workshop("check", "--course", GOOD, cwd=mine)
    assert done.stdout.startswith("Step 02: ")
    done = workshop("status", "--course", GOOD, cwd=mine)
    assert "Changed:     nothing, all is committed\n" in done.stdout


def test_a_step_that_was_done_before_asks_for_no_commit(mine: Path) -> None:
    (mine / "app.py").write_text("x = 1\n")
    workshop("check", "--course", GOOD, cwd=mine)
    commit(mine)
    done = workshop("check", "1", "--course", GOOD, cwd=mine)
    assert done.stdout.endswith(
        "2 of 2 green.\n"
        "\n"
        "This step was done before. Nothing to commit.\n"
        "\n"
        "You are at step 02, Say your name.\n"
    )
    (mine / "app.py").write_text("x = 2\n")
    done = workshop("check", "1", "--course", GOOD, cwd=mine)
    assert "This step was done before. What you changed since is not committed yet.\n" in (
        done.stdout
    )


def commit(project: Path) -> None:
    for words in (["add", "."], ["commit", "--quiet", "--message", "Mine"]):
        name = ["-c", "user.name=Me", "-c", "user.email=me@example.org"]
        subprocess.run(["git", *name, *words], cwd=project, check=True)


def test_progress_goes_to_another_machine(mine: Path, tmp_path: Path) -> None:
    (mine / "app.py").write_text("x = 1\n")
    workshop("check", "--course", GOOD, cwd=mine)
    done = workshop("progress", "export", "p.json", "--course", GOOD, cwd=mine)
    assert (done.returncode, done.stdout) == (
        0, "p.json: 1 step done.\nThere: workshop progress import p.json\n",
    )  # fmt: skip
    other = learner.start(load(GOOD), tmp_path / "other").project
    done = workshop("progress", "import", mine / "p.json", "--course", GOOD, cwd=other)
    assert (done.returncode, done.stdout) == (
        0, "1 step more done.\nYou are at step 02, Say your name.\n",
    )  # fmt: skip
    done = workshop("progress", "import", "--course", GOOD, cwd=other)
    assert (done.returncode, done.stdout, done.stderr) == (
        2, "", "error: which file?\n       Name one: python -m workshop progress import FILE\n",
    )  # fmt: skip


def test_status_notices_a_newer_course(course_folder: Path, tmp_path: Path) -> None:
    project = learner.start(load(course_folder), tmp_path / "mine").project
    check = course_folder / "steps" / "02-name" / "test_name.py"
    check.write_text(check.read_text() + "# changed\n")
    done = workshop("status", "--course", course_folder, cwd=project)
    assert done.stdout.endswith(
        "Production:  nothing deployed yet\n"
        "\n"
        "The course has changed since your project began:\n"
        "  changed  02 Say your name\n"
        "Take it over, and go on where you are: python -m workshop progress update\n"
    )
    done = workshop("progress", "update", "--course", course_folder, cwd=project)
    assert done.stdout == "You have the course as it is now:\n  changed  02 Say your name\n"
    done = workshop("status", "--course", course_folder, cwd=project)
    assert "changed" not in done.stdout


VERBS = (("status",), ("check",), ("hint",), ("diff",), ("progress", "update"))


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_a_pipe_gets_plain_text_in_80_columns(words: tuple[str, ...], mine: Path) -> None:
    done = workshop(*words, "--course", GOOD, cwd=mine, COLUMNS="200")
    assert done.stdout
    assert not re.search(r"[\x1b\r\b]", done.stdout)
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("words", (("check",), ("diff",)), ids=lambda words: words[0])
def test_a_terminal_gets_colour_unless_it_wants_none(words: tuple[str, ...], mine: Path) -> None:
    assert "\x1b[3" in on_a_terminal(*words, cwd=mine)
    assert "\x1b" not in on_a_terminal(*words, cwd=mine, NO_COLOR="1")


def on_a_terminal(*words: str, cwd: Path, **more: str) -> str:
    """What a terminal shows of this command."""
    ours, theirs = pty.openpty()
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | more
    process = subprocess.Popen(
        [sys.executable, "-m", "workshop", *words, "--course", str(GOOD)],
        cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs, env=env,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        said += chunk
    process.wait()
    os.close(ours)
    return said.decode()
