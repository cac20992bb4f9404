"""Near misses: what is almost there is said by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from workshop import course as courses
from workshop.checks import near, runner, words

GOOD = Path(__file__).parent / "courses" / "good"


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x\n")


@pytest.mark.parametrize(
    ("there", "wanted", "seen", "do"),
    [
        ("Manage.py", "manage.py", "there is Manage.py",
         "Rename it, upper and lower case count: mv Manage.py manage.py"),
        ("app/manage.py", "manage.py", "there is app/manage.py",
         "Move it to the right folder: mv app/manage.py manage.py"),
        ("urls.py", "app/urls.py", "there is urls.py",
         "Move it to the right folder: mv urls.py app/urls.py"),
        ("manage.py.txt", "manage.py", "there is manage.py.txt",
         "Take the second ending off: mv manage.py.txt manage.py"),
        ("requirement.txt", "requirements.txt", "there is requirement.txt",
         "Is that it? mv requirement.txt requirements.txt"),
        (".manage.py.swp", "manage.py",
         "an editor has manage.py open, and it was never saved", "Save it in your editor."),
        ("LICENSE/text", "LICENSE", "LICENSE is a folder",
         "Make a file of it: LICENSE must hold text."),
        ("other.py", "manage.py", "", ""),
        ("application.yaml", "application-secrets.yaml", "", ""),
        (".venv/manage.py", "manage.py", "", ""),
    ],
)  # fmt: skip
def test_what_is_there_instead(there: str, wanted: str, seen: str, do: str, tmp_path: Path) -> None:
    write(tmp_path, there)
    assert near.missing(tmp_path, wanted) == (seen, do)


def vim(root: Path, name: str, mark: bytes) -> None:
    """What vim keeps beside a file that is open."""
    (root / f".{name}.swp").write_bytes(b"b0VIM 9.0" + bytes(998) + mark + bytes(100))


def test_changes_that_are_only_in_the_editor(tmp_path: Path) -> None:
    write(tmp_path, "urls.py", "views.py", "models.py")
    vim(tmp_path, "urls.py", b"\x55")
    vim(tmp_path, "views.py", b"\0")  # open, and saved
    (tmp_path / ".#models.py").symlink_to("me@laptop.1")
    assert near.unsaved(tmp_path) == (
        "models.py is open in an editor, with changes that are not saved.\n"
        "urls.py is open in an editor, with changes that are not saved."
    )


def test_an_empty_file_is_asked_for_unless_it_may_be_empty(tmp_path: Path) -> None:
    for name in ("urls.py", "__init__.py", ".gitkeep"):
        (tmp_path / name).write_text("")
    assert near.unsaved(tmp_path) == "urls.py is empty. Is it saved in your editor?"


def test_a_red_verdict_says_it_first_and_a_green_one_does_not(tmp_path: Path) -> None:
    file = tmp_path / "checks" / "test_it.py"
    write(tmp_path, "checks/test_it.py", "mine/urls.py")
    file.write_text("def test_a():\n    assert 0, 'no'\n\ndef test_b():\n    pass\n")
    vim(tmp_path / "mine", "urls.py", b"\x55")
    red, green = runner.run([file], tmp_path / "mine", courses.load(GOOD))
    assert red.do == "urls.py is open in an editor, with changes that are not saved."
    assert green.do == ""


def test_the_line_behind_an_error_page(tmp_path: Path) -> None:
    page = (
        "<title>NameError at /</title><pre>Traceback (most recent call last):\n"
        f"  File &quot;{tmp_path}/app/urls.py&quot;, line 9, in home\n    return Nothing()\n"
        "  File &quot;/elsewhere/x.py&quot;, line 3, in y\n\nException Type: NameError</pre>"
    )
    assert words.place(page, tmp_path) == "app/urls.py, line 9"
    assert words.place("<title>Nothing here</title>", tmp_path) == ""


def test_the_file_of_a_long_output_is_named_after_the_command() -> None:
    from workshop.checks.project import _name

    assert _name(("python", "manage.py", "migrate", "--noinput")) == "manage.py-migrate"
    assert _name(("python", "-m", "compileall")) == "compileall"
    assert _name(("tox", "-q")) == "tox"
    assert _name(("python", "-c", "import os; print(os.environ)")) == "python"


def test_long_output_goes_to_a_file_that_is_named(project: Path) -> None:
    from workshop.checks.project import Project

    judged = Project(project, courses.load(GOOD).platform, database=lambda: None)  # type: ignore
    many = "".join(f"line {number}\n" for number in range(20))
    try:
        said = judged._told(many, "manage.py check")
        short = judged._told("one\ntwo\n", "manage.py check")
    finally:
        judged.close()
    assert said.splitlines()[0] == "(all of it: .git/workshop/output/manage.py-check.txt)"
    assert said.splitlines()[-1] == "line 19"
    assert (project / ".git/workshop/output/manage.py-check.txt").read_text() == many
    assert short == "one\ntwo"
