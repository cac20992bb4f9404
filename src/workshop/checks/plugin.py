"""The fixtures that checks are written with.

By hand: `pytest -p workshop.checks.plugin --project DIR FILE`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from workshop import course as courses
from workshop.checks import earlier as before
from workshop.checks import needs
from workshop.checks.cluster import Cluster
from workshop.checks.copied import Trials
from workshop.checks.database import Database, PostgreSQL, Tripwire
from workshop.checks.dryrun import DryRun
from workshop.checks.generated import Generated
from workshop.checks.image import Image
from workshop.checks.pipeline import Pipeline
from workshop.checks.pod import Pod
from workshop.checks.processes import Warmth
from workshop.checks.project import Project
from workshop.checks.releases import Releases
from workshop.checks.seals import Seals
from workshop.checks.stack import Stack
from workshop.model import Course

COURSE = pytest.StashKey[Course]()
WARMTH = pytest.StashKey[Warmth | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what a check must know: which project, which course."""
    group = parser.getgroup("workshop")
    group.addoption("--project", type=Path, default=Path(), metavar="DIR", help="what is judged")
    group.addoption("--course", type=Path, metavar="DIR", help="the course it belongs to")
    group.addoption("--home", type=Path, metavar="DIR", help="where the workshop keeps things")
    group.addoption("--in-memory", action="store_true", help="databases for checks, if possible")
    group.addoption("--keep", action="append", default=[], metavar="NAME", help="a variable")


def pytest_configure(config: pytest.Config) -> None:
    """Read the course once."""
    config.addinivalue_line(
        "markers", "needs(*names): what this check needs, and others of its step don't"
    )
    config.addinivalue_line("markers", "mistakes(*each): what a check breaks: see `trials`")
    if COURSE not in config.stash:
        config.stash[COURSE] = courses.load(config.getoption("--course") or courses.default_root())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the checks whose step, or kata, needs what this machine does not have: all of them, or
    those that have the mark, if any of the file has it."""
    found: dict[tuple[str, ...], str] = {}
    for item in items:
        own = (name for mark in item.iter_markers("needs") for name in mark.args)
        every = () if _marked(item) else _needs(config.stash[COURSE], item.path.parent)
        wanted = tuple(dict.fromkeys((*every, *own)))
        if wanted not in found:
            found[wanted] = needs.missing(wanted)
        if found[wanted]:
            item.add_marker(pytest.mark.skip(reason=found[wanted]))


def _marked(item: pytest.Item) -> bool:
    """Whether any check of its file has the mark, whether it was asked for or not."""
    module = item.getparent(pytest.Module)
    every = vars(module.obj).values() if module else ()
    marks = (mark for each in every for mark in getattr(each, "pytestmark", ()))
    return any(mark.name == "needs" for mark in marks)


def _needs(course: Course, folder: Path) -> tuple[str, ...]:
    own: dict[Path, tuple[str, ...]] = {each.folder.resolve(): each.needs for each in course.steps}
    own |= {each.folder.resolve() / "judge": each.needs for each in course.katas}
    return own.get(folder.resolve(), ())


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> Iterator[PostgreSQL]:
    """The server of all databases. It starts when the first one is asked for."""
    warmth = request.config.stash.get(WARMTH, None)
    server = PostgreSQL(
        request.config.getoption("--home"),
        warmth.folder if warmth else None,
        in_memory=request.config.getoption("--in-memory"),
    )
    yield server
    server.close()


@pytest.fixture(scope="module")
def database(postgresql: PostgreSQL) -> Database:
    """A new PostgreSQL database, for the checks of one file."""
    return postgresql.database()


@pytest.fixture(scope="module")
def other_database(postgresql: PostgreSQL) -> Database:
    """A second one."""
    return postgresql.database()


@pytest.fixture(scope="module")
def tripwire() -> Iterator[Tripwire]:
    """A database's address where nobody answers, but every call is counted."""
    wire = Tripwire()
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def project(request: pytest.FixtureRequest) -> Iterator[Project]:
    """The project that is judged."""
    config = request.config
    judged = Project(
        config.getoption("--project"),
        config.stash[COURSE].platform,
        database=lambda: request.getfixturevalue("database"),
        home=config.getoption("--home"),
        keep=config.getoption("--keep"),
        warmth=config.stash.get(WARMTH, None),
    )
    yield judged
    judged.close()


@pytest.fixture(scope="module")
def earlier(request: pytest.FixtureRequest, project: Project) -> Iterator[Project]:
    """The release before this one."""
    config = request.config
    # Not in pytest's own folder: that would be closed to PostgreSQL's user, for all others as well.
    folder = Path(tempfile.mkdtemp(prefix="workshop-"))
    judged = Project(
        before.unpacked(project.path, folder),
        config.stash[COURSE].platform,
        database=lambda: request.getfixturevalue("database"),
        home=config.getoption("--home"),
        keep=config.getoption("--keep"),
    )
    yield judged
    judged.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def trials(
    request: pytest.FixtureRequest, project: Project, database: Database, other_database: Database
) -> Iterator[Trials]:
    """The project's own tests, on copies with a mistake each: those of the tox environment that the
    file's `TESTS` names. All that they are given is a database."""
    marks = (
        mark for item in request.session.items if item.path == request.path
        for mark in item.iter_markers("mistakes")
    )  # fmt: skip
    ahead = [mistake for mark in marks for mistake in mark.args]
    envs = [{"DATABASE_URL": each.url} for each in (database, other_database)]
    trials = project.trials(request.module.TESTS, envs, ahead)
    yield trials
    trials.close()


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A fresh clone of the project, started by Docker Compose."""
    options = request.config.option
    services = Stack(options.project.resolve(), options.home)
    yield services
    services.close()


@pytest.fixture(scope="module")
def image(request: pytest.FixtureRequest) -> Iterator[Image]:
    """An image of the project, built from a fresh clone."""
    options = request.config.option
    built = Image(options.project.resolve(), options.home)
    yield built
    built.close()


@pytest.fixture(scope="module")
def pod(request: pytest.FixtureRequest, image: Image) -> Iterator[Pod]:
    """The image of the project, run as an operator runs it."""
    options = request.config.option
    servers = Pod(options.project.resolve(), image, options.home)
    yield servers
    servers.close()


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A namespace of its own in the cluster that KUBECONFIG names."""
    space = Cluster(request.config.option.project.resolve())
    yield space
    space.close()


@pytest.fixture(scope="module")
def releases(request: pytest.FixtureRequest, cluster: Cluster, image: Image, pod: Pod) -> Releases:
    """The project's application in that namespace, released and released again."""
    return Releases(request.config.option.project.resolve(), cluster, image, pod)


@pytest.fixture(scope="module")
def seals(request: pytest.FixtureRequest) -> Seals:
    """The project's sealed secrets, opened by its own keys."""
    return Seals(request.config.option.project.resolve())


@pytest.fixture(scope="module")
def generated(request: pytest.FixtureRequest, cluster: Cluster, image: Image) -> Generated:
    """The secret that the project has made in that namespace."""
    known = request.config.stash[COURSE].platform.cluster
    own = known.image if known else ""
    return Generated(request.config.option.project.resolve(), cluster, image, own)


@pytest.fixture(scope="module")
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    """The project's pipeline, as its file has it."""
    return Pipeline(request.config.option.project.resolve())


@pytest.fixture(scope="module")
def dry_run(project: Project, database: Database) -> DryRun:
    """That pipeline, run on this machine, but for what would leave it."""
    return DryRun(project.copy, {"DATABASE_URL": database.url})
