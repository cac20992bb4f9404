"""What every test gets: a home of its own. No test touches the person's."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import uv
from filelock import FileLock

pytest_plugins = ["clustering", "producing"]


SHARED = "WORKSHOP_TESTS_SHARED"


def pytest_configure(config: pytest.Config) -> None:
    """Started in the background, we would ignore Ctrl-C, and so would all that a test starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Commands are printed as they can be typed: `python` is this one, as in an environment.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    if SHARED not in os.environ:  # pytest-xdist's workers have it from the one who started them
        # Not below pytest's own folder, which every other run of pytest closes to PostgreSQL's user
        folder = tempfile.mkdtemp(prefix="workshop-")
        Path(folder).chmod(0o755)
        os.environ[SHARED] = folder

        def end() -> None:
            shutil.rmtree(folder, ignore_errors=True)
            del os.environ[SHARED]

        config.add_cleanup(end)


@functools.cache
def _uv_cache() -> str:
    return subprocess.check_output([uv.find_uv_bin(), "cache", "dir"], text=True).strip()


@pytest.fixture(autouse=True)
def home() -> Iterator[Path]:
    """A fresh WORKSHOP_HOME that other users may walk through: PostgreSQL never runs as root."""
    folder = Path(tempfile.mkdtemp(prefix="workshop-"))
    folder.chmod(0o755)
    # Not the test's own `monkeypatch`: its undo() would lead to the person's home again.
    with pytest.MonkeyPatch.context() as variables:
        # Wheels that were fetched once stay fetched: uv's cache is the one thing that is shared.
        variables.setenv("UV_CACHE_DIR", os.environ.get("UV_CACHE_DIR") or _uv_cache())
        variables.setenv("WORKSHOP_HOME", str(folder))
        variables.setenv("HOME", str(folder))
        yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def started() -> Callable[[], set[psutil.Process]]:
    """What this test started and still runs. An earlier one may have left its own for good:
    multiprocessing ends its tracker of resources only with us."""
    before = set(psutil.Process().children(recursive=True))
    return lambda: set(psutil.Process().children(recursive=True)) - before


@pytest.fixture(scope="session")
def shared() -> Path:
    """A folder for the whole run, on all cores: for what is slow to make, and then stays as it is.
    Whoever makes something in it takes a lock."""
    return Path(os.environ[SHARED])


@pytest.fixture(scope="session")
def environments(shared: Path) -> Path:
    """The same Python environments for all tests that only use them: making them is tested
    elsewhere."""
    folder = shared / "environments"
    folder.mkdir(exist_ok=True)
    return folder


COURSES = Path(__file__).parent / "courses"


@pytest.fixture
def course_folder(tmp_path: Path) -> Path:
    """A copy of the miniature course, to be spoiled."""
    return shutil.copytree(COURSES / "good", tmp_path / "course")


@pytest.fixture(scope="session")
def built(shared: Path) -> Path:
    """The folder of the real docs, built anew from the repository as it is: no warning."""
    folder = shared / "docs"
    with FileLock(shared / "docs.lock"):
        if not (folder / "whole").exists():  # nobody else made it while we waited
            done = subprocess.run(
                [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-n", "-q",
                 "-d", folder / "doctrees", COURSES.parent.parent, folder / "html"],
                capture_output=True, encoding="utf-8", check=False,
            )  # fmt: skip
            # A notebook's kernel may speak of the way to it, which does not leave this machine.
            said = [
                line for line in done.stderr.splitlines() if not line.startswith("[IPKernelApp]")
            ]
            assert (done.returncode, said) == (0, [])
            (folder / "whole").touch()
    return folder / "html"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty git repository with an identity of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    for words in (
        ("init", "--quiet", "--initial-branch=main"),
        ("config", "user.name", "A Learner"),
        ("config", "user.email", "learner@example.org"),
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def begin_anew(project: Path) -> None:
    """Make another repository at the same path: it has none of the commits so far."""
    shutil.rmtree(project / ".git")
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=project, check=True)


def commit(project: Path, files: dict[str, str], message: str = "Change") -> str:
    """Write the files, commit everything, and return the commit's full hash."""
    for name, content in files.items():
        file = project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8", newline="\n")
    for words in (("add", "--all"), ("commit", "--quiet", "--allow-empty", "-m", message)):
        subprocess.run(["git", *words], cwd=project, check=True)
    found = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=project, text=True)
    return found.strip()
