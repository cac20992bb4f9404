"""What is each project's own: made for a proof, kept by each move, no difference to the stage."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_verify import change, checks_only, problems, prove

from workshop import course as courses
from workshop import diff, git, history, moving, own, paths, sealed
from workshop.errors import WorkshopError
from workshop.judge import Judge
from workshop.model import Course, Step
from workshop.production import sealer

FILE = "deployment/secret.yaml"
OWN = f'\n[own]\n"{FILE}" = "seal --environment production --generate KEY app"\n\n[red]'
CHECK = '''

def test_mine(project):
    """It is mine."""
    from workshop import sealed
    from workshop.production import namespace, place, sealer

    file = project.path / "deployment/secret.yaml"
    if file.exists():
        keys = [each.private for each in sealer.pairs(project.path)]
        here = namespace.called(place.of(project.path, "production"))
        sealed.opened(file.read_bytes(), keys, path=file, namespace=here)
    assert file.exists(), "it is not mine"
'''


@pytest.fixture
def course(course_folder: Path) -> Course:
    """The second step has an example of such a file, which opens for nobody."""
    example = course_folder / "solutions" / "02-name" / FILE
    example.parent.mkdir()
    example.write_text("example\n", "utf-8")
    toml = course_folder / "steps" / "02-name" / "step.toml"
    toml.write_text(toml.read_text("utf-8").replace("\n[red]", OWN), "utf-8")
    return courses.load(course_folder)


def go(course: Course, project: Path, number: int) -> moving.Moved:
    return moving.goto(course, project, course.steps[number - 1], report=lambda _: None)


def test_a_move_keeps_mine_and_brings_the_example_where_i_have_none(
    course: Course, project: Path
) -> None:
    go(course, project, 2)
    file = project / FILE
    assert file.read_text("utf-8") == "example\n"
    file.write_text("mine\n", "utf-8")
    (project / "app.py").write_text("spoiled\n", "utf-8")
    go(course, project, 2)
    assert file.read_text("utf-8") == "mine\n"
    assert (project / "app.py").read_text("utf-8") != "spoiled\n"
    assert git.changes(project) == (f" M {FILE}",)  # as I left it: changed, and not committed
    moved = go(course, project, 1)
    assert not file.exists()  # that stage has none
    moving.restore(project, moved.backup.name, report=lambda _: None)
    assert file.read_text("utf-8") == "mine\n"


def test_mine_is_no_difference_to_the_stage(course: Course, project: Path) -> None:
    go(course, project, 1)
    step = course.steps[1]
    assert "+example" in diff.diff(course, project, step)
    (project / FILE).parent.mkdir()
    (project / FILE).write_text("mine\n", "utf-8")
    found = diff.diff(course, project, step)
    assert ("app.py" in found, "example" in found) == (True, False)


def test_it_is_made_where_there_is_an_example_and_nowhere_else(
    course: Course, project: Path
) -> None:
    step = course.steps[1]
    own.make(step, project)
    assert not (project / FILE).exists()
    go(course, project, 2)
    own.make(step, project)
    keys = [each.private for each in sealer.pairs(project)]
    raw = (project / FILE).read_bytes()
    (found,) = sealed.opened(raw, keys, path=FILE, namespace="project-production")
    assert [*found.values] == ["KEY"]


def test_a_command_that_makes_none_is_told(course: Course, project: Path) -> None:
    go(course, project, 2)
    step = course.steps[1]._replace(own={FILE: "seal app"})
    with pytest.raises(WorkshopError) as caught:
        own.make(step, project)
    assert caught.value.fact.startswith("`workshop seal app` made no deployment/secret.yaml:\n")
    assert "error" in caught.value.fact


def test_who_judges_many_has_it_made_once_and_spoils_it_as_the_example_is(
    course: Course, course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = course_folder / "steps" / "02-name" / "test_name.py"
    test.write_text(test.read_text("utf-8") + CHECK, "utf-8")
    example = course_folder / "solutions" / "02-name" / FILE
    text = "# Make your own.\napiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n"
    text += "  name: app\n  namespace: demo-production\nspec:\n  encryptedData:\n    KEY: AgX\n"
    text += "  template:\n    metadata:\n      name: app\n      namespace: demo-production\n"
    example.write_text(text, "utf-8")
    course = courses.load(course_folder)
    stage, step = history.stages(course)[1], course.steps[1]
    mine = stage.files[FILE]
    calls: list[Path] = []
    make = own.make

    def counted(step: Step, at: Path) -> None:
        calls.append(at)
        make(step, at)

    monkeypatch.setattr(own, "make", counted)
    judge = Judge(course)
    try:
        for changed, outcome in (
            (mine.data, "green"),
            (mine.data.replace(b"kind: Sealed", b"kind: "), "error"),
            (mine.data.replace(b"name: app\n", b"name: appx\n"), "error"),
            (mine.data + b"# Mine.\n", "green"),
        ):
            files = {**stage.files, FILE: mine._replace(data=changed)}
            (verdict,) = judge.verdicts(files, step, ["test_mine"]) or ()
            assert verdict.outcome == outcome, verdict.seen
    finally:
        judge.close()
    assert len(calls) == 1
    assert not paths.project_home(calls[0]).exists()  # its keys


def test_a_change_of_an_example_that_is_not_like_what_is_made_is_told() -> None:
    assert own.spoiled(b"a: 2\nb: X\n", b"# c\na: 1\nb: X\n", b"a: 1\nb: Y\n") == b"a: 2\nb: Y\n"
    with pytest.raises(ValueError, match="longer"):
        own.spoiled(b"a: 2\n", b"a: 1\n", b"a: 1\nb: 2\n")


def test_a_proof_has_it_made(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    checks_only(monkeypatch)
    with (course.root / "steps/02-name/test_name.py").open("a", encoding="utf-8") as file:
        file.write(CHECK)
    change(course.root, "steps/02-name/step.toml", "[red]", '[red]\ntest_mine = "it is not mine"')
    assert problems(prove(course.root, "2")) == {}
    change(course.root, "steps/02-name/step.toml", OWN, "\n[red]")
    assert list(problems(prove(course.root, "2"))) == ["02-name solution 02-name"]
