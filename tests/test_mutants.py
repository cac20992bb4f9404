"""Mutants are found, survivors are listed with a reason, and the list can't go stale."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from test_checks_steps import _one_home, kept

from workshop import course as courses
from workshop import lint, mutants, survivors
from workshop.errors import WorkshopError
from workshop.model import Outcome, Survivor, Survivors, Verdict
from workshop.mutants import Result
from workshop.report import text

__all__ = ["_one_home", "kept"]


def run(root: Path, *names: str, within: float | None = None) -> dict[str, Result]:
    loaded = courses.load(root)
    steps = [courses.find(loaded, name) for name in names]
    told: list[int] = []
    results = mutants.run(
        loaded, steps, within=within, report=lambda _, number, __: told.append(number)
    )
    assert told == list(range(1, len(results) + 1))
    return {f"{each.mutant.file} {each.mutant.mutation}": each for each in results}


def found(root: Path) -> list[str]:
    return [each.fact for each in lint.lint(courses.load(root)) if survivors.FILE in each.where]


def test_they_are_judged_once_and_recorded(course_folder: Path) -> None:
    (course_folder / "steps" / "02-name" / "test_name.py").write_text(
        "from workshop.checks import expect\n\n\ndef test_name(project):\n"
        '    """The page greets the world."""\n'
        '    said = "World" in project.read("app.py")\n'
        '    expect(said, seen="nobody", expected="World", do="Say it.")\n'
    )
    first = run(course_folder)
    # Which of two quick checks is the quicker one, nobody knows.
    assert {name: each.by for name, each in first.items() if each.outcome == "killed"} == {
        "app.py no such file": "hello",
        'app.py without return [b"Hello, World\\n"]': "name",
    }
    assert {each.outcome for each in first.values()} == {"killed", "survived"}
    again = run(course_folder)
    assert all(each.cached for each in again.values())
    assert [each.outcome for each in again.values()] == [each.outcome for each in first.values()]

    problems = [each.fact for each in mutants.problems(tuple(first.values()))]
    assert len(problems) == sum(each.outcome == "survived" for each in first.values())
    assert all(each.startswith("no check finds it, and no reason") for each in problems)

    loaded = courses.load(course_folder)
    assert len(mutants.record(loaded, tuple(first.values()))) == 2
    assert list(mutants.problems(tuple(first.values()))) == []
    assert any(each.startswith("it needs a reason: ") for each in found(course_folder))


def test_a_list_that_does_not_fit_is_found(course_folder: Path) -> None:
    loaded = courses.load(course_folder)
    (stage, made), _ = survivors.made(loaded)
    seal = survivors.seal(loaded, stage, made, ())
    file, mutation = made[1][:2]

    def recorded(*left: Survivor, sealed: str = seal) -> list[str]:
        survivors.write(stage.step, Survivors(sealed, len(made), (), left))
        return found(course_folder)

    assert recorded() == []
    assert recorded(sealed="0") == ["the step has changed since: workshop mutants 01 --record"]
    assert recorded(Survivor(file, mutation, "It is right, too.", free=True)) == []
    assert recorded(Survivor(file, mutation, " ", free=True)) == [
        f"it needs a reason: {file}: {mutation}"
    ]
    assert recorded(Survivor(file, "without pigs", "They fly.", free=True)) == [
        f"there is no such mutant: {file}: without pigs"
    ]
    assert recorded(Survivor(file, mutation, "Too slow.")) == [
        f"1 of {len(made)} mistakes are not found: too many"
    ]


def test_the_seal_is_over_checks_and_solution_and_not_over_words(course_folder: Path) -> None:
    def sealed() -> str:
        loaded = courses.load(course_folder)
        (stage, made), _ = survivors.made(loaded)
        return survivors.seal(loaded, stage, made, ())

    before = sealed()
    (course_folder / "solutions" / "01-hello" / "README.md").write_text("Words.\n")
    with_file = sealed()  # one more mutant: it can be missing
    assert with_file != before
    (course_folder / "solutions" / "01-hello" / "README.md").write_text("Other words.\n")
    assert sealed() == with_file
    for name in ("steps/01-hello/test_hello.py", "solutions/01-hello/app.py"):
        file = course_folder / name
        text = file.read_text()
        file.write_text(text + "\nX = 1\n")
        assert sealed() != with_file
        file.write_text(text)
    assert sealed() == with_file


def test_what_survives_unlisted_and_what_is_listed_and_found(course_folder: Path) -> None:
    loaded = courses.load(course_folder)
    (stage, made), _ = survivors.made(loaded)
    survivors.write(stage.step, Survivors("", 9, (), (Survivor(*made[0][:2], "No.", free=True),)))
    step = courses.find(loaded, "hello")
    results = (
        Result(step, made[0], "killed", "test_app_is_python", "hello"),
        Result(step, made[1], "survived"),
        Result(step, made[2], "not judged", "needs a container engine"),
        Result(step, made[3], "broken", "test_app_is_python: SyntaxError"),
    )
    assert [each.fact.partition(":")[0] for each in mutants.problems(results)] == [
        "it is listed, and test_app_is_python finds it",
        "no check finds it, and no reason is listed",
        "a check broke, and should be red",
    ]
    assert mutants.record(loaded, results) == ()  # one was not judged
    assert text.mutation(results, {"01-hello": 1}) == (
        "01-hello: 1 of 3 mutants found, 1 of the others are right, too; "
        "1 not judged (needs a container engine)."
    )


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        (["green", "red"], ("killed", "test_1")),
        (["green", "green"], ("survived", "")),
        (["skipped", "skipped"], ("not judged", "why")),
        (["skipped", "red"], ("killed", "test_1")),
        (["green", "error"], ("broken", "test_1: why")),
        ([], ("broken", "no check ran")),
        (None, ("not judged", "there was no time")),
    ],
)
def test_what_verdicts_make_of_a_mutant(
    outcomes: list[Outcome] | None, said: tuple[str, str]
) -> None:
    verdicts = None if outcomes is None else [
        Verdict(f"test_{number}", "", outcome, seen="why")
        for number, outcome in enumerate(outcomes)
    ]  # fmt: skip
    assert mutants._said(verdicts) == said


def test_a_sample_ends_in_time_and_begins_always_alike(course_folder: Path) -> None:
    """A check that takes too long is no survivor and no bug: there was no time."""
    (course_folder / "steps" / "01-hello" / "test_hello.py").write_text(
        'import time\n\n\ndef test_there_is_an_app(project):\n    """Slow."""\n    time.sleep(60)\n'
    )
    assert run(course_folder, "hello", within=3.0) == {}  # no record, no sample
    for stage, _ in survivors.made(courses.load(course_folder)):
        survivors.write(stage.step, Survivors("", 0, ()))
    began = time.monotonic()
    results = run(course_folder, "hello", within=3.0)
    assert time.monotonic() - began < 20
    assert {(each.outcome, each.why) for each in results.values()} == {
        ("not judged", "there was no time")
    }
    tasks = mutants._plan(courses.load(course_folder), courses.load(course_folder).steps)
    sample = [(each.step.slug, each.mutant) for each in mutants._sample(tasks)]
    assert sample == [(each.step.slug, each.mutant) for each in mutants._sample(tasks[::-1])]
    assert {slug for slug, _ in sample[:2]} == {"hello", "name"}


def test_a_solution_that_is_not_green_has_no_mutants(course_folder: Path) -> None:
    (course_folder / "solutions" / "02-name" / "app.py").write_text("print('Hello')\n")
    with pytest.raises(WorkshopError, match="test_name is red on the solution itself"):
        run(course_folder, "name")


def test_without_an_engine_they_are_not_judged(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    toml = course_folder / "steps" / "02-name" / "step.toml"
    toml.write_text(toml.read_text().replace("\n[red]", '\nneeds = ["containers"]\n\n[red]'))
    results = run(course_folder, "name")
    assert {(each.outcome, each.why) for each in results.values()} == {
        ("not judged", "needs a container engine")
    }


def test_the_course_has_its_records() -> None:
    """Every step's, and they fit: see `nox -s mutants` for how they come about."""
    course = courses.load(courses.default_root())
    assert list(survivors.doubts(course)) == []
    assert [step.tag for step in course.steps if not courses.survivors(step)] == []


def test_who_waits_for_a_cluster_has_two_judges_a_core(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    loaded = courses.load(course_folder)
    here, there = loaded.steps[0], loaded.steps[1]._replace(needs=("containers", "cluster"))
    for steps, many in (([here], 3), ([here, there], 6)):
        with mutants._judges(loaded, steps, None) as judges:
            assert len(judges) == many
