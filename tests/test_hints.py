"""The next hint for what failed: one more each time, resolved to what stands in the stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from workshop import course as courses
from workshop import hints, kept, learner
from workshop.errors import WorkshopError
from workshop.model import Course, Verdict
from workshop.report import learning

ROOT = Path(__file__).parent.parent


@pytest.fixture
def good(course_folder: Path) -> Course:
    return courses.load(course_folder)


def red(check: str, sentence: str = "It is so.") -> Verdict:
    return Verdict(check, sentence, "red", "this", "that")


def test_three_levels_then_the_last_again(good: Course, project: Path) -> None:
    step = good.steps[0]
    (step.folder / "hints.md").write_text("## test_app\n\n1. One.\n2. Two.\n3. Three.\n")
    seen = [hints.following(good, project, step, red("test_app")) for _ in range(4)]
    assert [(each.number, each.text, each.again) for each in seen] == [
        (1, "One.", False), (2, "Two.", False), (3, "Three.", False), (3, "Three.", True),
    ]  # fmt: skip
    assert kept.read(project, "hints") == {"hello": {"test_app": 3}}


def test_each_check_of_each_step_counts_for_itself(good: Course, project: Path) -> None:
    for step in good.steps:
        (step.folder / "hints.md").write_text(
            "## test_a\n\n1. One.\n2. Two.\n\n## test_b\n\n1. Ein.\n2. Zwei.\n"
        )
    one, two = good.steps
    told = [
        hints.following(good, project, step, red(check)).text
        for step, check in ((one, "test_a"), (one, "test_b"), (one, "test_a"), (two, "test_a"))
    ]
    assert told == ["One.", "Ein.", "Two.", "One."]


def test_damaged_memory_begins_anew(good: Course, project: Path) -> None:
    step = good.steps[0]
    (step.folder / "hints.md").write_text("## test_a\n\n1. One.\n2. Two.\n")
    for damaged in ("{", '"text"', '{"hello": 3}', '{"hello": {"test_a": "x"}}'):
        kept.folder(project).mkdir(exist_ok=True)
        (kept.folder(project) / "hints.json").write_text(damaged)
        assert hints.following(good, project, step, red("test_a")).number == 1


def test_a_check_without_hints_is_named(good: Course, project: Path) -> None:
    step = good.steps[0]
    with pytest.raises(WorkshopError) as error:
        hints.following(good, project, step, red("test_unknown"))
    assert str(error.value) == (
        f"{step.folder / 'hints.md'}: there is no hint for test_unknown\nThe step's page may help."
    )


def test_a_directive_becomes_what_stands_in_the_stage(project: Path) -> None:
    course = courses.load(ROOT)
    step = courses.find(course, "health")
    text = "Compare:\n\n```{listing} application/urls.py\n:part: livez\n```\n\nAnd so on."
    stage = (step.solution / "application" / "urls.py").read_text("utf-8")
    view = stage.partition("def livez")[2].partition("\n\n\n")[0]
    code = "".join(f"    {line}\n" for line in f"def livez{view}".splitlines())
    assert code.count("\n") > 1
    assert hints.resolved(text, course, step) == (
        f"Compare:\n\napplication/urls.py:\n\n{code}\nAnd so on."
    )


def test_a_directive_for_a_file_that_is_not_there(good: Course) -> None:
    with pytest.raises(WorkshopError, match=r"a hint shows nowhere\.py, and 01-hello has no such"):
        hints.resolved("```{listing} nowhere.py\n```", good, good.steps[0])


def test_every_hint_of_the_course_can_be_told_in_80_columns() -> None:
    course = courses.load(ROOT)
    told = 0
    for step in course.steps:
        for check, texts in hints.parse((step.folder / "hints.md").read_text("utf-8")).items():
            for number, text in enumerate(texts, 1):
                shown = learning.hint(
                    hints.Hint(check, check, number, 3, hints.resolved(text, course, step)),
                    step,
                    "workshop hint",
                )
                assert "```" not in shown
                assert "{listing}" not in shown
                prose = [line for line in shown.splitlines() if not line.startswith("    ")]
                assert max(map(len, prose)) <= 80
                told += 1
    assert told == 3 * sum(len(step.red) for step in course.steps)


def test_a_hint_as_it_is_read(good: Course) -> None:
    step = good.steps[0]
    hint = hints.Hint(
        "test_app", "There is an app.", 2, 3,
        "A paragraph that is\nbroken in the source.\n"
        "\n- one\n- two\n\napp.py:\n\n    x = 1\n\n    y = 2",
    )  # fmt: skip
    assert learning.hint(hint, step, "workshop hint") == (
        "Step 01: There is an app.\n"
        "\n"
        "Hint 2 of 3\n"
        "\n"
        "A paragraph that is broken in the source.\n"
        "\n"
        "- one\n"
        "- two\n"
        "\n"
        "app.py:\n"
        "\n"
        "    x = 1\n"
        "\n"
        "    y = 2\n"
        "\n"
        "Not enough? workshop hint"
    )
    last = learning.hint(hint._replace(number=3, again=True), step, "workshop hint")
    assert "Hint 3 of 3, again: it is the last one\n" in last
    assert last.endswith("Still stuck? workshop hint --show-solution")


def test_verdicts_are_true_until_something_changes(good: Course, project: Path) -> None:
    one, two = good.steps
    (project / "app.py").write_text("x = 1\n")
    seal = kept.seal(project, one)
    kept.keep_verdicts(project, one, seal, (red("test_app"),))
    assert kept.last_verdicts(project, one, kept.seal(project, one)) == (red("test_app"),)
    assert kept.last_verdicts(project, two, kept.seal(project, two)) == ()
    (project / "app.py").write_text("x = 12\n")
    assert kept.last_verdicts(project, one, kept.seal(project, one)) == ()


def test_the_seal_sees_new_files_and_changed_checks_and_not_what_git_ignores(
    good: Course, project: Path
) -> None:
    step = good.steps[0]
    (project / ".gitignore").write_text("*.log\n")
    before = kept.seal(project, step)
    (project / "a.log").write_text("noise")
    assert kept.seal(project, step) == before
    (project / "new.py").write_text("")
    with_new = kept.seal(project, step)
    assert with_new != before
    step.tests[0].write_text(step.tests[0].read_text() + "\n# changed\n")
    assert kept.seal(project, step) != with_new


def test_learner_and_hints_do_not_mix(good: Course, tmp_path: Path) -> None:
    project = learner.start(good, tmp_path / "mine").project
    step = good.steps[0]
    (step.folder / "hints.md").write_text("## test_a\n\n1. One.\n")
    hints.following(good, project, step, red("test_a"))
    assert learner.current(good, project) is step
