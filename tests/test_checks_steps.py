"""The steps' checks: green for every right solution, red for every mistake, in clear words.

What a learner reads about each mistake stands in tests/golden/checks/. After a change of words,
write it anew with UPDATE_GOLDEN=1, and read it as a newcomer would.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from images import __main__ as images
from pairs import short
from wrong_application import WRONG as APPLICATIONS
from wrong_clusters import WRONG as CLUSTERS
from wrong_deployment import WRONG as DEPLOYED
from wrong_development import WRONG as LATER
from wrong_environments import WRONG as PLACES
from wrong_oath import WRONG as SWORN
from wrong_pipeline import WRONG as LINE
from wrong_rollback import IN_CLUSTER as BACK_IN_CLUSTER
from wrong_rollback import WRONG as BACK
from wrong_scaling import IN_CLUSTER as SCALING_IN_CLUSTER
from wrong_scaling import WRONG as SCALING
from wrong_secrets import IN_CLUSTER
from wrong_secrets import WRONG as SECRETS
from wrong_servers import WRONG as SERVERS
from wrong_solutions import WRONG as FIRST
from wrong_solutions import Wrong

from workshop import cli, git, history
from workshop import course as courses
from workshop.checks import needs, runner, seals
from workshop.model import Course, Step, Verdict
from workshop.production import sealer
from workshop.report import text

HERE = Path(__file__).parent
GOLDEN = HERE / "golden" / "checks"
WRONG = (
    *FIRST, *LATER, *DEPLOYED, *SERVERS, *CLUSTERS, *APPLICATIONS, *PLACES, *SECRETS, *LINE, *BACK,
    *SCALING, *SWORN,
)  # fmt: skip
RIGHT = sorted((HERE / "solutions").glob("*/*"))
# All of them take an hour. Without this, only some are judged.
ALL = bool(os.environ.get("ALL_SOLUTIONS"))


# Only some checks of these steps need a cluster.
SOME_IN_CLUSTER = ("secrets", "rollback", "scaling")

# How the project's own secrets are sealed in a right solution, by its name.
SEALED = {"namespace-wide": ("--scope", "namespace-wide")}


def in_cluster(value: Wrong | Path) -> bool:
    """Whether it takes a cluster to judge it: its step, or the check that it is for."""
    if isinstance(value, Path):
        step, some = value.parent.name, True
    else:
        clustered = (*IN_CLUSTER, *BACK_IN_CLUSTER, *SCALING_IN_CLUSTER)
        step, some = value.step, any(each in clustered for each in value.checks)
    every = {each.step for each in (*CLUSTERS, *APPLICATIONS)}
    return step.endswith(tuple(every)) or (some and step.endswith(SOME_IN_CLUSTER))


def marked(value: Wrong | Path) -> ParameterSet:
    """A parameter; with a mark when it needs a cluster."""
    return pytest.param(value, marks=[pytest.mark.cluster] if in_cluster(value) else [])


@pytest.fixture(scope="module")
def course() -> Course:
    return courses.load(courses.default_root())


@pytest.fixture(scope="module")
def kept(shared: Path, environments: Path) -> Path:
    """A home for the whole file, on all cores: environments, those of tox as well, and what
    PostgreSQL begins with are made once."""
    folder = shared / "home"
    folder.mkdir(mode=0o755, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (folder / "environments").symlink_to(environments, target_is_directory=True)
    return folder


@pytest.fixture(autouse=True)
def _one_home(home: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSHOP_HOME", str(kept))


def judgeable(course: Course, name: str, value: Wrong | Path | None = None) -> Step:
    """The step, if this machine can judge it. It is said when it can't."""
    step = courses.find(course, name)
    some = step.slug in SOME_IN_CLUSTER and value is not None and not in_cluster(value)
    # only some of its checks need those two
    wanted = tuple(each for each in step.needs if not some or each not in ("containers", "cluster"))
    if missing := needs.missing(wanted):
        pytest.skip(missing)
    if "containers" in wanted:
        images.bring()
        images.keep_layers()
    return step


def write(project: Path, course: Course, step: Step | None) -> None:
    """Put the stage after `step` (nothing, for None) into a new repository."""
    project.mkdir()
    git.run("init", "--quiet", "--template=", cwd=project)
    for stage in history.stages(course):
        if stage.step == step:
            images.put(project, stage)


def own(project: Path, course: Course, step: Step, words: tuple[str, ...] = ()) -> None:
    """Seal the project's own secrets, once its step has come: nobody else can do that for it."""
    if step.number < courses.find(course, "secrets").number:
        return
    sealer.newest(project, short)  # most tests would wait for a real one
    (project / seals.FILE).unlink(missing_ok=True)
    (command,) = courses.find(course, "secrets").own.values()
    code = cli.main(
        [*command.split(), *words, "--project", str(project),
         "--output", str(project / seals.FILE)]
    )  # fmt: skip
    assert code == 0


def mistaken(project: Path, course: Course, step: Step, wrong: Wrong) -> None:
    """The same, with one mistake in it."""
    write(project, course, step)
    own(project, course, step)
    if wrong.make is not None:
        wrong.make(project)
        if not wrong.file:
            return
    file = project / wrong.file
    if wrong.mode is not None:
        file.chmod(wrong.mode)
        return
    if wrong.moved:
        (project / wrong.moved).unlink()
    if wrong.new is None:
        file.unlink()
        return
    before = file.read_text("utf-8") if file.exists() else None
    after = wrong.new
    if wrong.old is not None:
        assert before is not None
        after = before.replace(wrong.old, wrong.new)
    assert after != before, f"the mistake changes nothing: {wrong}"
    file.parent.mkdir(exist_ok=True)
    file.write_text(after, "utf-8")
    if file.suffix == ".pyc":
        git.run("add", "--force", wrong.file, cwd=project)


def shown(verdict: Verdict) -> str:
    """The verdict as a learner reads it, without what differs from run to run."""
    # before the lines are broken: where they break must not hang on how many digits there are
    seen = re.sub(r"\d+ of \d+ visitors", "N of N visitors", verdict.seen)
    words = text.verdict(verdict._replace(seen=seen), text.Paint(sys.stdin))
    words = re.sub(r"took \d+\.\d seconds", "took N seconds", words)
    words = re.sub(r" \d+\.\d+s\b", " N s", words)
    words = re.sub(r"[A-Z][a-z]+ \d+, 20\d\d - [\d:]{8}", "today", words)  # runserver says it
    words = re.sub(r"\b\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\b", "DATE", words)
    words = re.sub(r"\b(commit|interactive)(\s+)[0-9a-f]{10}\b", r"\1\2HASH", words)
    words = re.sub(r"\(pid: \d+", "(pid: N", words)
    words = re.sub(r"(?<![\w.])/\w+/\.cache/", "~/.cache/", words)  # whose home, shows nothing
    inside = r"\b(?:172\.\d+|192\.168)\.\d+\.\d+"  # an engine's own networks
    return re.sub(inside, "172.N.N.N", words)


def one_of_many(wrong: Wrong) -> bool:
    """Whether others before this one turn the same check red: two, or, where pods come and go, one.
    There, a mistake takes minutes."""
    same = [each for each in WRONG if (each.step, each.checks[0]) == (wrong.step, wrong.checks[0])]
    return same.index(wrong) >= (1 if in_cluster(wrong) else 2)


def first_of(step: Step) -> Path:
    """The first of the other right solutions of a step."""
    return next(each for each in RIGHT if each.parent.name == step.tag)


def name_of(step: Step, wrong: Wrong) -> str:
    """The golden file of a mistake."""
    return f"{step.tag}-{re.sub(r'[^a-z]+', '-', wrong.name.lower())}.txt"


@pytest.mark.parametrize(
    "solution",
    [marked(each) for each in RIGHT],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_other_right_solutions_are_green(solution: Path, course: Course, tmp_path: Path) -> None:
    step = judgeable(course, solution.parent.name, solution)
    if not ALL and (solution != first_of(step) or in_cluster(solution)):
        pytest.skip("one other solution is judged, and none in a cluster; all: nox -s mutants")
    project = tmp_path / "demo"
    index = course.steps.index(step)
    write(project, course, course.steps[index - 1] if index else None)
    if not index:  # its own shape, on the files that have only one
        write_missing(project, course, step, solution)
    for file in solution.rglob("*"):
        if file.is_file():
            target = project / file.relative_to(solution)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    own(project, course, step, SEALED.get(solution.name, ()))
    verdicts = runner.run(step.tests, project, course)
    assert [(each.check, each.outcome, each.seen) for each in verdicts] == [
        (each.check, "green", "") for each in verdicts
    ]
    assert len(verdicts) == len(step.red)


def test_each_step_has_two_right_solutions_besides_ours(course: Course) -> None:
    others = [solution.parent.name for solution in RIGHT]
    assert {step.tag: others.count(step.tag) >= 2 for step in course.steps} == {
        step.tag: True for step in course.steps
    }


def write_missing(project: Path, course: Course, step: Step, solution: Path) -> None:
    stems = {file.stem for file in solution.iterdir()}
    for name, file in history.stages(course)[step.number - 1].files.items():
        if Path(name).stem not in stems:
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_bytes(file.data)
            (project / name).chmod(0o755 if file.mode == "100755" else 0o644)


@pytest.mark.parametrize(
    "wrong",
    [marked(each) for each in WRONG],
    ids=lambda wrong: f"{wrong.step}: {wrong.name}",
)
def test_a_mistake_is_found_and_told(wrong: Wrong, course: Course, tmp_path: Path) -> None:
    step = judgeable(course, wrong.step, wrong)
    if not ALL and one_of_many(wrong):
        pytest.skip("others show that its check turns red; all of them: nox -s mutants")
    project = tmp_path / "demo"
    mistaken(project, course, step, wrong)
    verdicts = runner.run(step.tests, project, course, only=wrong.checks)
    assert [(each.check, each.outcome) for each in verdicts] == [
        (name, "red") for name in wrong.checks
    ]
    said = "\n\n".join(shown(each) for each in verdicts) + "\n"
    golden = GOLDEN / name_of(step, wrong)
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(said, "utf-8")
    assert said == golden.read_text("utf-8")


def test_every_check_is_proven_to_fail(course: Course) -> None:
    """By two mistakes at least: one alone may turn it red for a reason of its own."""
    checks = {(step.tag, name) for step in course.steps for name in step.red}
    found = Counter(
        (courses.find(course, wrong.step).tag, name) for wrong in WRONG for name in wrong.checks
    )
    assert set(found) <= checks
    assert {check: found[check] for check in checks if found[check] < 2} == {}


def test_no_test_of_ours_is_called_as_checks_are(course: Course) -> None:
    """Python imports a name once: the checks would be taken for the tests that were there first."""
    judges = [file for each in course.katas for file in (each.folder / "judge").glob("*.py")]
    checks = [
        file.name for file in (*judges, *(file for step in course.steps for file in step.tests))
    ]
    assert not {file.name for file in HERE.glob("*.py")}.intersection(checks)


def test_no_golden_file_is_left_over(course: Course) -> None:
    wanted = {name_of(courses.find(course, wrong.step), wrong) for wrong in WRONG}
    assert {file.name for file in GOLDEN.iterdir()} == wanted
