"""Every way in which a course can be unreadable has one message, with file, line and remedy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from workshop import course
from workshop.errors import WorkshopError
from workshop.model import View

STEP = 'title = "T"\nlayer = "Application"\nminutes = 3\nmessage = "M"\n'
KEYS = "title, layer, minutes, message, removes, executable, needs, replaces, unseen, own, red"


def message(root: Path) -> str:
    with pytest.raises(WorkshopError) as error:
        course.load(root)
    return str(error.value).replace(f"{root}", "COURSE")


def test_the_miniature_course_is_read(course_folder: Path) -> None:
    found = course.load(course_folder)
    first, second = found.steps
    assert (first.number, first.slug, first.tag) == (1, "hello", "01-hello")
    assert first.message.splitlines()[0] == "Say hello"
    assert first.message.endswith("worth deploying.\n")
    assert first.red["test_app_is_python"] == "there is no app.py"
    assert [file.name for file in first.tests] == ["test_hello.py"]
    assert second.removes == ("run.sh",)
    assert found.platform.wsgi == "app:application"


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        (
            STEP + "needs = [",
            "COURSE/steps/01-hello/step.toml: "
            "this is not TOML: Invalid value (at end of document)\n"
            "Mend the line. The format is described at https://toml.io",
        ),
        (
            'title = "T"\nlayer "Application"\n',
            "COURSE/steps/01-hello/step.toml:2: this is not TOML: "
            "Expected '=' after a key in a key/value pair\n"
            "Mend the line. The format is described at https://toml.io",
        ),
        (
            STEP + 'tittle = "T"\n',
            f"COURSE/steps/01-hello/step.toml:5: unknown key `tittle`\nThe keys are: {KEYS}",
        ),
        (
            STEP.replace("minutes = 3", 'minutes = "3"'),
            "COURSE/steps/01-hello/step.toml:3: `minutes` must be a whole number, and is '3'\n"
            "Mend the value.",
        ),
        (
            STEP.replace("minutes = 3", "minutes = true"),
            "COURSE/steps/01-hello/step.toml:3: `minutes` must be a whole number, and is True\n"
            "Mend the value.",
        ),
        (
            STEP.replace("minutes = 3", "minutes = 0"),
            "COURSE/steps/01-hello/step.toml:3: minutes must be at least 1\n"
            "Say how long the step takes.",
        ),
        (
            STEP + "removes = [1]\n",
            "COURSE/steps/01-hello/step.toml:5: `removes` must be a list of texts, and is [1]\n"
            "Mend the value.",
        ),
        (
            STEP + "[red]\ntest_x = 1\n",
            "COURSE/steps/01-hello/step.toml:5: "
            "`red` must be a table of texts, and is {'test_x': 1}\n"
            "Mend the value.",
        ),
        (
            STEP.replace("Application", "Infrastructure"),
            "COURSE/steps/01-hello/step.toml:2: unknown layer `Infrastructure`\n"
            "Known are: Application, Development, Deployment, Automation",
        ),
        (
            STEP + 'needs = ["luck"]\n',
            "COURSE/steps/01-hello/step.toml:5: unknown needs `luck`\n"
            "Known are: containers, compose, cluster, browser, pipelines",
        ),
        (
            STEP + 'removes = ["../../secret"]\n',
            "COURSE/steps/01-hello/step.toml:5: "
            "`removes` leads out of the project: '../../secret'\n"
            "Write it relative to the project's folder, with forward slashes.",
        ),
        (
            STEP + 'executable = ["/bin/sh"]\n',
            "COURSE/steps/01-hello/step.toml:5: `executable` leads out of the project: '/bin/sh'\n"
            "Write it relative to the project's folder, with forward slashes.",
        ),
        (
            STEP.replace('title = "T"\n', ""),
            "COURSE/steps/01-hello/step.toml: `title` is missing\nAdd it.",
        ),
    ],
)
def test_a_broken_step_toml_is_named_with_its_line(
    toml: str, expected: str, course_folder: Path
) -> None:
    (course_folder / "steps" / "01-hello" / "step.toml").write_text(toml)
    assert message(course_folder) == expected


def test_a_missing_step_toml(course_folder: Path) -> None:
    (course_folder / "steps" / "01-hello" / "step.toml").unlink()
    assert message(course_folder) == (
        "COURSE/steps/01-hello/step.toml: there is no such file\nWrite it, or remove its folder."
    )


def test_a_step_toml_in_another_encoding(course_folder: Path) -> None:
    (course_folder / "steps" / "01-hello" / "step.toml").write_bytes(b'title = "\xfc"')
    assert message(course_folder) == (
        "COURSE/steps/01-hello/step.toml: this is not UTF-8\nSave the file as UTF-8."
    )


def test_two_steps_with_one_number(course_folder: Path) -> None:
    shutil.copytree(course_folder / "steps" / "01-hello", course_folder / "steps" / "01-hullo")
    assert message(course_folder) == (
        "COURSE/steps/01-hullo: two steps have the number 01: 01-hello and 01-hullo\n"
        "Give one of them a free number: rename its folders in steps and solutions."
    )


def test_two_steps_with_one_name(course_folder: Path) -> None:
    shutil.copytree(course_folder / "steps" / "01-hello", course_folder / "steps" / "03-hello")
    assert message(course_folder) == (
        "COURSE/steps/03-hello: two steps are called hello: 01-hello and 03-hello\n"
        "Give one of them another name: progress is kept by it."
    )


def test_no_course_and_no_steps(tmp_path: Path) -> None:
    assert message(tmp_path) == (
        "COURSE: this is no course: it has no folder `steps`\n"
        "Name the folder that holds `steps` and `solutions`: --course DIR"
    )


def test_a_course_without_a_step(course_folder: Path) -> None:
    for name in ("01-hello", "02-name"):
        shutil.rmtree(course_folder / "steps" / name)
    assert message(course_folder) == (
        "COURSE/steps: this course has no steps\n"
        "Add the first one: a folder such as steps/01-commit-one with a step.toml in it."
    )


def test_an_unknown_key_in_production(course_folder: Path) -> None:
    toml = course_folder / "steps" / "course.toml"
    toml.write_text(toml.read_text() + 'colour = "blue"\n')
    assert message(course_folder) == (
        "COURSE/steps/course.toml:9: unknown key `production.colour`\n"
        "The keys are: wsgi, requirements, release, readiness, sealed, imports, test_imports,"
        " cluster"
    )


def test_what_a_layer_shows(course_folder: Path) -> None:
    toml = course_folder / "steps" / "course.toml"
    assert course.load(course_folder).views == {}
    tables = (
        '[layers.Automation]\nshows = ["a.py", "b/"]\n[layers.Application]\n'
        'shows = ["b"]\nclosed = ["b/c", "d/"]\n'
    )
    toml.write_text(toml.read_text() + tables)
    assert course.load(course_folder).views == {
        "Automation": View(("a.py", "b")),
        "Application": View(("b",), ("b/c", "d")),
    }


@pytest.mark.parametrize(
    ("tables", "line", "said"),
    [
        (
            '[layers.Apples]\nshows = ["a"]',
            ":9",
            "unknown layer `Apples`\nKnown are: Application, Development, Deployment, Automation",
        ),
        (
            "[layers]\nDeployment = 1",
            ":10",
            "`layers.Deployment` must be a table\nWrite a table: [layers.Deployment]",
        ),
        (
            '[layers.Application]\nshows = ["a"]\n[layers.Deployment]\nshows = "a"',
            ":12",
            "`layers.Deployment.shows` must be a list of texts, and is 'a'\nMend the value.",
        ),
        (
            '[layers.Application]\nshows = ["a"]\n[layers.Deployment]\nshow = ["a"]',
            ":12",
            "unknown key `layers.Deployment.show`\nThe keys are: shows, closed",
        ),
        (
            '[layers.Application]\nclosed = ["a"]',
            "",
            "`layers.Application.shows` is missing\nAdd it.",
        ),
        (
            '[layers.Automation]\nshows = []\n[layers.Deployment]\nshows = []\nclosed = ["../a"]',
            ":11",
            "`layers.Deployment` leads out of the project: '../a'\n"
            "Write it relative to the project's folder, with forward slashes.",
        ),
        (
            '[layers.Application]\nshows = ["a", "bc", "b/c"]\nclosed = ["d", "b/"]',
            ":9",
            "`layers.Application` shows b/c, and has b closed\nLeave out one of them.",
        ),
    ],
)
def test_a_layer_that_shows_nonsense(
    course_folder: Path, tables: str, line: str, said: str
) -> None:
    toml = course_folder / "steps" / "course.toml"
    toml.write_text(f"{toml.read_text()}{tables}\n")
    assert message(course_folder) == f"COURSE/steps/course.toml{line}: {said}"


@pytest.mark.parametrize("name", ["1", "01", "hello", "01-hello"])
def test_a_step_is_found_by_number_slug_and_tag(name: str, course_folder: Path) -> None:
    assert course.find(course.load(course_folder), name).tag == "01-hello"


def test_an_unknown_step_and_kata_name_the_known_ones(course_folder: Path) -> None:
    loaded = course.load(course_folder)
    with pytest.raises(WorkshopError) as error:
        course.find(loaded, "7")
    assert str(error.value).endswith(
        "there is no step 7\nThe steps are 01 to 02. See them: workshop status"
    )
    with pytest.raises(WorkshopError) as error:
        course.kata(loaded, "sudoku")
    assert str(error.value).endswith("there is no kata sudoku\nThe katas are: none")
