"""Transcripts are written when every lesson went as it says, and else not one of them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from rendering import Docs

from workshop import cli, course, recording, transcript
from workshop.errors import WorkshopError
from workshop.gates.replay import Done

pytestmark = [
    pytest.mark.filterwarnings("ignore::sphinx.deprecation.RemovedInSphinx11Warning"),
    pytest.mark.skipif(os.name == "nt", reason="the robot types into a POSIX shell"),
]

FIRST, SECOND = "steps/01-hello", "steps/02-name"


def record(root: Path) -> tuple[list[str], list[str]]:
    """What was broken, and the folders of the transcripts that changed."""
    recorded = recording.record(course.load(root), report=lambda _: None)
    broken = [f"{each.where}: {each.fact}" for each in recorded.broken]
    return broken, [file.parent.relative_to(root).as_posix() for file in recorded.changed]


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def texts(root: Path) -> dict[str, str]:
    return {
        file.relative_to(root).as_posix(): file.read_text(encoding="utf-8")
        for file in root.glob("steps/*/transcript.txt")
    }


def test_writes_all_and_the_second_time_nothing(course_folder: Path) -> None:
    """What this writes is what the miniature course keeps: a lesson is recorded anywhere."""
    kept = texts(course_folder)
    for file in course_folder.glob("steps/*/transcript.txt"):
        file.unlink()
    assert record(course_folder) == ([], [FIRST, SECOND])
    assert texts(course_folder) == kept
    assert record(course_folder) == ([], [])
    assert texts(course_folder) == kept


def test_reports_each_lesson_and_keeps_no_output_of_a_variant(course_folder: Path) -> None:
    done: list[Done] = []
    recording.record(course.load(course_folder), report=done.append)
    assert [each.step.tag for each in done] == ["01-hello", "02-name"]
    assert [each.silent for each in done] == [4, 2]  # three files and chmod; a file and its diff
    assert "chmod" not in texts(course_folder)[f"{FIRST}/transcript.txt"]
    assert done[0].entries == transcript.read(course_folder / FIRST)


def test_an_edited_lesson_changes_its_own_transcript(course_folder: Path) -> None:
    change(course_folder / SECOND / "index.md", "cat requirements.txt\n", "")
    assert record(course_folder) == ([], [SECOND])
    assert "cat" not in texts(course_folder)[f"{SECOND}/transcript.txt"]


def test_a_writer_types_the_command_only(course_folder: Path) -> None:
    """One line more in the lesson. What came back is recorded and shown, and nothing else moves."""
    before = texts(course_folder)
    change(course_folder / SECOND / "index.md", "\nls\n", "\nls\ngit log --format=%s\n")
    docs = Docs(course_folder)
    home = "# Home\n\n```{toctree}\n:glob:\n\n/steps/*/index\n```\n"
    assert "not recorded: `git log --format=%s`. Run: nox -s record" in docs.build(home=home)[1]
    assert record(course_folder) == ([], [SECOND])
    name, came = f"{SECOND}/transcript.txt", "$ git log --format=%s\n| Say hello\n"
    after = texts(course_folder)
    assert came in after[name]
    assert after | {name: after[name].replace(came, "")} == before
    assert docs.build()[1] == ""
    shown = "$ ls\napp.py\nrequirements.txt\n$ git log --format=%s\nSay hello\n"
    assert any(each.endswith(shown) for each in docs.blocks())


@pytest.mark.parametrize(
    ("old", "new", "fact"),
    [
        (
            "cat requirements.txt",
            "cat nope.txt",
            "block 4: `cat nope.txt` ended with 1, and should end with 0:\n"
            "cat: nope.txt: No such file or directory",
        ),
        (":exit: 1\nworkshop check", ":exit: 3\ncd nowhere", "ended with 2, and should end with 3"),
        ("git rm run.sh\n", "", "only the learner has 100755 blob"),
    ],
)
def test_a_lesson_that_goes_wrong_writes_nothing(
    course_folder: Path, old: str, new: str, fact: str
) -> None:
    (course_folder / FIRST / "transcript.txt").unlink()
    change(course_folder / SECOND / "index.md", old, new)
    before = texts(course_folder)
    broken, changed = record(course_folder)
    assert changed == []
    assert broken[0].startswith(f"{SECOND}/index.html")
    assert fact in broken[0]
    assert texts(course_folder) == before


def test_a_lesson_that_cannot_be_rendered(course_folder: Path) -> None:
    change(course_folder / SECOND / "index.md", "{listing} app.py", "{listing} nope.py")
    with pytest.raises(WorkshopError) as error:
        record(course_folder)
    said = re.sub(r"\x1b\[[0-9;]*m", "", str(error.value)).replace(str(course_folder), "COURSE")
    assert said == (
        "COURSE: the lessons can't be rendered:\n"
        "COURSE/steps/02-name/index.md:14: WARNING: 02-name has no file nope.py."
        " It has: app.py, requirements.txt [workshop.listing]\n"
        "Mend what it says."
    )


def test_the_command_line_says_what_was_written(
    course_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course_folder / SECOND / "transcript.txt").unlink()
    assert cli.main(["record", "--course", str(course_folder)]) == 0
    out = capsys.readouterr().out
    assert re.sub(r"\d+\.\d s", "N s", out) == (
        "01-hello: 6 commands, N s\n02-name: 8 commands, N s\n"
        f"changed: {course_folder}/steps/02-name/transcript.txt\n1 transcript changed.\n"
    )
    change(course_folder / SECOND / "index.md", "cat requirements.txt", "cat nope.txt")
    assert cli.main(["record", "--course", str(course_folder)]) == 1
    assert capsys.readouterr().err.endswith("No such file or directory\n\nNothing was written.\n")
