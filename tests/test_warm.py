"""Warm is as cold: whatever was edited between two judgements, the verdicts are the same."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from _pytest.mark import ParameterSet
from test_checks_steps import (
    ALL,
    GOLDEN,
    WRONG,
    in_cluster,
    judgeable,
    mistaken,
    name_of,
    own,
    shown,
    write,
)
from wrong_solutions import SETTINGS, URLS

from workshop import course as courses
from workshop.checks import database, runner
from workshop.checks.keeper import Keeper
from workshop.model import Course, Step, Verdict

COURSE = courses.default_root()
# Of the steps whose other checks run tox or containers, the same programs warm and cold: one of
# those stands in for all, below. `nox -s mutants` takes all of them.
QUICK = {
    "unit-tests": ("test_one_word", "test_readme", "test_tools_stay_at_home"),
    "acceptance-tests": ("test_parts", "test_everybody_can_read_it"),
    "compose": ("test_only_this_machine", "test_no_secret"),
    "image": ("test_not_root",),
    "app-server": ("test_commands",),
    "web-server": ("test_trusted_origin",),
}


class Warm:
    """One warm process, for all tests of this file."""

    def __init__(self, home: Path) -> None:
        self._home = str(home)
        self._keeper = Keeper(COURSE)

    def judge(self, project: Path, step: Step, *only: str) -> tuple[Verdict, ...]:
        run = self._keeper.ask(project, step.tests, only=only)
        verdicts = self._keeper.verdicts(run)
        assert verdicts is not None
        assert all(each.check != "checks" for each in verdicts), verdicts
        return verdicts

    def folders(self) -> list[Path]:
        """Where the kept server's data is."""
        places = (Path(self._home) / "checks", Path("/dev/shm"))
        return [each for place in places for each in place.glob(f"*{self._keeper._process.pid}-*")]

    def programs(self) -> list[int]:
        """The stems: none of another warm process, for they carry no home of ours."""
        return [
            each.pid for each in psutil.process_iter()
            if any(word.endswith("stem.py") for word in _words(each))
            and _words(each)[0].startswith(self._home)
        ]  # fmt: skip

    def close(self) -> None:
        assert self._keeper.close() == 0
        self._keeper.release()


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


@pytest.fixture(scope="module")
def course() -> Course:
    return courses.load(COURSE)


@pytest.fixture(scope="module")
def kept(environments: Path) -> Iterator[Path]:
    """One home for the whole file: PostgreSQL is made once."""
    # Not below pytest's own folder, which every other run of pytest closes to PostgreSQL's user.
    folder = Path(tempfile.mkdtemp(prefix="workshop-"))
    folder.chmod(0o755)
    (folder / "environments").symlink_to(environments, target_is_directory=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _one_home(home: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSHOP_HOME", str(kept))


@pytest.fixture(scope="module")
def warm(kept: Path) -> Iterator[Warm]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSHOP_HOME", str(kept))
        process = Warm(kept)
    yield process
    process.close()
    deadline = time.monotonic() + 10
    while process.programs() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process.programs() == []
    assert process.folders() == []


def plain(verdicts: tuple[Verdict, ...]) -> list[str]:
    """As a learner reads them, without what differs from run to run."""
    return [re.sub(r"check_\w{8}|port \d+|\d+\.\d+ seconds", "N", shown(each)) for each in verdicts]


def parts() -> Iterator[ParameterSet]:
    """Each step, and of those with checks that wait for pods: these apart."""
    for step in courses.load(COURSE).steps:
        found = {in_cluster(wrong) for wrong in WRONG if wrong.step == step.slug}
        for away in sorted(found):
            marks = [pytest.mark.cluster] if away else []
            yield pytest.param(step.tag, away, marks=marks, id=step.tag + "-in-a-cluster" * away)


@pytest.mark.parametrize(("tag", "away"), list(parts()))
def test_each_check_with_each_mistake_one_after_the_other(
    tag: str, away: bool, warm: Warm, course: Course, tmp_path: Path
) -> None:
    """The golden files hold what a cold run says."""
    if away and not ALL:
        pytest.skip("each mistake takes a minute; all of them: nox -s mutants")
    mistakes = [
        wrong for wrong in WRONG
        if wrong.step == courses.find(course, tag).slug and in_cluster(wrong) == away
    ]  # fmt: skip
    step = judgeable(course, tag, mistakes[0])
    quick = tuple(step.red) if ALL else QUICK.get(step.slug, tuple(step.red))
    quick = tuple(each for each in quick if any(each in wrong.checks for wrong in mistakes))
    project = tmp_path / "demo"
    told: dict[str, str] = {}
    wanted: dict[str, str] = {}
    for wrong in mistakes:
        if set(quick).issuperset(wrong.checks):
            shutil.rmtree(project, ignore_errors=True)  # the same path: what is kept would show
            mistaken(project, course, step, wrong)
            found = {each.check: each for each in warm.judge(project, step, *wrong.checks)}
            name = name_of(step, wrong)
            told[name] = "\n\n".join(shown(found[check]) for check in wrong.checks) + "\n"
            wanted[name] = (GOLDEN / name).read_text("utf-8")
    assert told
    for name, text in told.items():
        assert text == wanted[name], name
    shutil.rmtree(project, ignore_errors=True)
    write(project, course, step)
    own(project, course, step)
    assert {each.outcome for each in warm.judge(project, step, *quick)} == {"green"}


APP = {
    "shop/__init__.py": "",
    "shop/models.py": "from django.db import models\n\n\nclass Book(models.Model):\n"
    "    title = models.TextField()\n",
    "shop/migrations/__init__.py": "",
    "shop/migrations/0001_initial.py": "from django.db import migrations, models\n\n\n"
    "class Migration(migrations.Migration):\n    initial = True\n    operations = [\n"
    "        migrations.CreateModel('Book', [('id', models.AutoField(primary_key=True)),\n"
    "                                        ('title', models.TextField())]),\n    ]\n",
}  # fmt: skip


def test_edits_of_models_settings_requirements_and_modules(
    warm: Warm, course: Course, tmp_path: Path
) -> None:
    step = courses.find(course, "backing-service")
    project = tmp_path / "demo"
    write(project, course, step)
    settings, urls = project / SETTINGS, project / URLS
    right, right_urls = settings.read_text(), urls.read_text()
    requirements = (project / "requirements.txt").read_text()

    def compare(what: str) -> list[str]:
        warm_ones = plain(warm.judge(project, step))
        assert warm_ones == plain(runner.run(step.tests, project, course)), what
        return [each.split()[0] for each in warm_ones]

    assert compare("right") == ["green"] * 4
    for name, content in APP.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content)
    settings.write_text(right.replace("INSTALLED_APPS = [", 'INSTALLED_APPS = [\n    "shop",'))
    assert compare("a model with its migration") == ["green"] * 4
    migration = project / "shop" / "migrations" / "0001_initial.py"
    migration.write_text(migration.read_text().replace("TextField()", "TextFeld()"))
    assert "red" in compare("a broken migration")
    shutil.rmtree(project / "shop")
    assert "red" in compare("a deleted module that the settings name")
    settings.write_text(right)
    (project / "environ.py").write_text("raise RuntimeError('I am another module')\n")
    assert "red" in compare("a module that hides an installed one")
    (project / "environ.py").unlink()
    (project / "requirements.txt").write_text(re.sub(r"(?m)^psycopg.*\n", "", requirements))
    assert "red" in compare("a requirement less")
    (project / "requirements.txt").write_text(requirements)
    urls.unlink()
    assert "red" in compare("a deleted file")
    urls.write_text(right_urls)
    assert compare("right again") == ["green"] * 4


def test_edits_of_a_switch_and_of_modules_that_come_and_go(
    warm: Warm, course: Course, tmp_path: Path
) -> None:
    step = courses.find(course, "release-switch")
    project = tmp_path / "demo"
    write(project, course, step)
    settings, urls = project / SETTINGS, project / URLS
    right, right_urls = settings.read_text(), urls.read_text()

    def compare(what: str) -> list[str]:
        warm_ones = plain(warm.judge(project, step))
        assert warm_ones == plain(runner.run(step.tests, project, course)), what
        return [each.split()[0] for each in warm_ones]

    package = project / "application" / "urls"
    package.mkdir()
    (package / "__init__.py").write_text(right_urls.replace('"sale", sale', '"sales", sale'))
    assert "red" in compare("a package that hides the module of the same name")
    shutil.rmtree(package)
    settings.write_text(right.replace('env.bool("FEATURE_SALE", default=False)', "True"))
    assert "red" in compare("on for good")
    settings.write_text(right)
    assert compare("right again") == ["green"] * 5


def test_edits_of_compiled_requirements(warm: Warm, course: Course, tmp_path: Path) -> None:
    step = courses.find(course, "pinned")
    project = tmp_path / "demo"
    write(project, course, step)
    lock = project / "requirements" / "production.txt"
    right = lock.read_text()

    def compare(what: str) -> list[str]:
        warm_ones = plain(warm.judge(project, step))
        assert warm_ones == plain(runner.run(step.tests, project, course)), what
        return [each.split()[0] for each in warm_ones]

    lock.write_text(re.sub(r"(?m)^sqlparse==(?:.*\\\n)+.*\n", "", right))
    assert "red" in compare("a package less in production")
    lock.unlink()
    assert "red" in compare("a deleted list")
    lock.write_text(right)
    assert compare("right again") == ["green"] * 7


def test_edits_of_tests_that_tox_runs(warm: Warm, course: Course, tmp_path: Path) -> None:
    step = courses.find(course, "unit-tests")
    project = tmp_path / "demo"
    write(project, course, step)
    assert [each.outcome for each in warm.judge(project, step, "test_green")] == ["green"]
    (project / "tests" / "unit" / "test_application.py").unlink()
    (told,) = plain(warm.judge(project, step, "test_green"))
    assert told == plain(runner.run(step.tests, project, course, only=["test_green"]))[0]
    assert told.split()[0] == "red"


def test_databases_are_fresh_and_the_old_ones_go(
    warm: Warm, course: Course, kept: Path, tmp_path: Path
) -> None:
    step = courses.find(course, "backing-service")
    write(tmp_path / "demo", course, step)
    for _ in range(2):
        assert {each.outcome for each in warm.judge(tmp_path / "demo", step)} == {"green"}
    (folder,) = warm.folders()
    deadline = time.monotonic() + 30
    while database.used(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert database.used(folder) == ()
    assert len(list(folder.glob("*.spare"))) <= 2


def test_no_server_and_no_program_is_left(warm: Warm, course: Course, tmp_path: Path) -> None:
    step = courses.find(course, "commit-one")
    write(tmp_path / "demo", course, step)
    warm.judge(tmp_path / "demo", step)
    assert warm.programs(), "nothing was warm: this proves nothing"
    left = [
        each for each in psutil.process_iter()
        if "--config" in _words(each) and "gunicorn" in _words(each)
        and str(tmp_path) in _cwd(each)
    ]  # fmt: skip
    assert left == []


def _cwd(process: psutil.Process) -> str:
    try:
        return str(process.cwd())
    except psutil.Error:
        return ""
