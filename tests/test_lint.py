"""Every finding is proven: a sound course has none, and each way to spoil it has its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workshop import course, lint


def findings(root: Path) -> list[str]:
    return [f"{each.where}: {each.fact}" for each in lint.lint(course.load(root))]


def test_the_miniature_course_is_sound(course_folder: Path) -> None:
    assert findings(course_folder) == []


def write(name: str, text: str) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

    return spoil


def both(*spoils: Callable[[Path], None]) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        for each in spoils:
            each(root)

    return spoil


def remove(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


def change(name: str, old: str, new: str) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new, 1))

    return spoil


STEP = "steps/01-hello"
MOVED = "if you meant it, record it with `workshop lint --record`"


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (remove(f"{STEP}/index.md"), [f"{STEP}/index.md: missing: the lesson"]),
        (
            write(f"{STEP}/index.md", "# Only a title\n\n"),
            [f"{STEP}/index.md:1: the lesson is empty"],
        ),
        (remove(f"{STEP}/trainer.md"), [f"{STEP}/trainer.md: missing: the trainer notes"]),
        (remove(f"{STEP}/hints.md"), [f"{STEP}/hints.md: missing: a step has hints"]),
        (
            change(f"{STEP}/hints.md", "## test_app_is_python", "## test_app_is_pyton"),
            [
                f"{STEP}/hints.md: no hints for test_app_is_python",
                f"{STEP}/hints.md:9: hints for a check that does not exist: test_app_is_pyton",
            ],
        ),
        (
            change(f"{STEP}/hints.md", "3. A bracket is open.\n", ""),
            [f"{STEP}/hints.md:9: test_app_is_python has 2 hints, and should have 3"],
        ),
        (
            remove(f"{STEP}/test_hello.py"),
            [
                f"{STEP}: this step has no checks",
                f"{STEP}/step.toml:12: red names no check: test_there_is_an_app",
                f"{STEP}/step.toml:13: red names no check: test_app_is_python",
                f"{STEP}/hints.md:3: hints for a check that does not exist: test_there_is_an_app",
                f"{STEP}/hints.md:9: hints for a check that does not exist: test_app_is_python",
            ],
        ),
        (
            change(f"{STEP}/test_hello.py", '    """`app.py` is Python."""\n', ""),
            [
                f"{STEP}/test_hello.py:12: test_app_is_python has no docstring:"
                " it is the sentence a learner reads"
            ],
        ),
        (
            change(f"{STEP}/test_hello.py", "def test_app_is_python(", "def test_app_is_python((("),
            [f"{STEP}/test_hello.py:12: this is not Python: invalid syntax"],
        ),
        (
            change(f"{STEP}/step.toml", "test_app_is_python", "test_app_is_pyton"),
            [
                f"{STEP}/step.toml:13: red names no check: test_app_is_pyton",
                f"{STEP}/test_hello.py:12: test_app_is_python is not in `red` of step.toml:"
                " no check may pass at its start",
            ],
        ),
        (
            change(f"{STEP}/step.toml", 'python = "there is no app.py"', 'python = " "'),
            [f"{STEP}/step.toml:13: red gives no reason for test_app_is_python"],
        ),
        (write(f"{STEP}/notes.txt", "x"), [f"{STEP}/notes.txt: stray: a step has no such file"]),
        (
            write("steps/3-three/x", "x"),
            ["steps/3-three: stray: it is neither a step nor a file of the course"],
        ),
        (
            write("solutions/03-three/x", "x"),
            ["solutions/03-three: stray: it is no step's solution"],
        ),
        (
            write("solutions/02-name/requirements.txt", "# nothing is needed\n"),
            ["solutions/02-name/requirements.txt: changes nothing: the start has it already"],
        ),
        (
            change("steps/02-name/step.toml", '["run.sh"]', '["run.sh", "gone.py"]'),
            [
                "steps/02-name/step.toml:5: removes a file that the start does not have: gone.py",
            ],
        ),
        (
            change(f"{STEP}/step.toml", '["run.sh"]', '["run.sh", "gone.sh"]'),
            [f"{STEP}/step.toml:9: executable names a file that the stage does not have: gone.sh"],
        ),
        (
            change(f"{STEP}/step.toml", "[red]", '[own]\n"gone.yaml" = "seal x"\n\n[red]'),
            [f"{STEP}/step.toml:12: own names a file that the solution does not have: gone.yaml"],
        ),
        (
            change(f"{STEP}/step.toml", "[red]", '[own]\n"app.py" = "deploy"\n\n[red]'),
            [f"{STEP}/step.toml:12: own names a command that makes no such file: deploy"],
        ),
        (
            change(f"{STEP}/step.toml", "executable", 'unseen = ["a*.py"]\nexecutable'),
            [f"{STEP}/step.toml:9: unseen hides a file of its own solution: a*.py"],
        ),
        (
            change(
                "steps/02-name/step.toml", "\n[red]", 'replaces = ["hello::test_gone"]\n\n[red]'
            ),
            [
                "steps/02-name/step.toml:6: replaces names no check of an earlier step:"
                " hello::test_gone"
            ],
        ),
        (
            change("solutions/02-name/app.py", "World", "Earth"),
            [f"steps/tags.txt:2: the tag 02-name moved: {MOVED}"],
        ),
        (
            remove("steps/tags.txt"),
            ["steps/tags.txt: missing: record the stages with `workshop lint --record`"],
        ),
        (
            change("steps/tags.txt", "02-name", "02-nome"),
            [
                "steps/tags.txt:2: a recorded tag is gone: 02-nome",
                "steps/tags.txt: the tag 02-name is not recorded",
            ],
        ),
        (
            write("katas/empty/kata.toml", 'title = "T"\nminutes = 3\n'),
            [
                "katas/empty/index.md: missing: the brief",
                "katas/empty/debrief.md: missing: the debrief",
                "katas/empty/judge: this kata's judge has no checks",
                "solutions/katas/empty: missing: a kata has an exemplar",
                "katas/empty/kata.toml: red is empty: the start must fail its judge",
            ],
        ),
        (
            both(
                write("katas/empty/kata.toml", 'title = "T"\nminutes = 3\n'),
                write("katas/empty/judge/test_it.py", "def test_it(:\n"),
            ),
            [
                "katas/empty/index.md: missing: the brief",
                "katas/empty/debrief.md: missing: the debrief",
                "katas/empty/judge/test_it.py:1: this is not Python: invalid syntax",
            ],
        ),
    ],
)
def test_a_spoiled_course_has_its_finding(
    spoil: Callable[[Path], None], expected: list[str], course_folder: Path
) -> None:
    spoil(course_folder)
    assert findings(course_folder) == expected


def test_recording_makes_a_moved_tag_sound_again(course_folder: Path) -> None:
    change("solutions/02-name/app.py", "World", "Earth")(course_folder)
    assert len(findings(course_folder)) == 1
    lint.record(course.load(course_folder))
    assert findings(course_folder) == []


def test_a_readme_may_be_hidden_from_checks_that_do_not_name_it(course_folder: Path) -> None:
    write("solutions/01-hello/README.rst", "Hello\n=====\n")(course_folder)
    lint.record(course.load(course_folder))
    change(f"{STEP}/step.toml", "executable", 'unseen = ["README.rst"]\nexecutable')(course_folder)
    assert findings(course_folder) == []
    change(f"{STEP}/test_hello.py", '"app.py"', '"README.rst"')(course_folder)
    assert findings(course_folder) == [
        f"{STEP}/step.toml:9: unseen hides a file of its own solution: README.rst"
    ]
