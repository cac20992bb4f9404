"""The tasks of this repository. `nox -s start` is for everyone, the others are for contributors."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import tomllib
from pathlib import Path

import nox

nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["start"]

ROOT = Path(__file__).parent
BUILD = ROOT / "build"
DEMO = BUILD / "demo"
DOCS = BUILD / "docs"
PROOF = BUILD / "proof.json"
FIRST = "01-commit-one"
SAMPLE = 60  # seconds for mutants, each time; `nox -s mutants` takes the time that it needs
# Runs the demo project's pipeline. It is no Python package; the Node that it wants comes from one.
GITLAB_CI_LOCAL = "gitlab-ci-local@4.75.1"
# Real servers and browsers, on busy cores: a red test is tried once more, and shown with what was
# wrong. After three, nothing is tried again. Nor is a lost request: no visitor comes twice.
AGAIN = ("--reruns=1", "--max-suite-reruns=3", "--rerun-except=lost", "--rerun-show-tracebacks")
COVERAGE = 85  # percent of lines and branches of the engine; raise it, never lower it


@nox.session
def start(session: nox.Session) -> None:
    """Set everything up: the tagged demo project, the docs, and stage 01 in production."""
    _install(session, "docs")
    _build_demo(session)
    _build_docs(session)
    session.run("workshop", "prefetch")
    session.run("workshop", "deploy", "--project", str(DEMO), "--rev", FIRST)
    command = Path(session.bin) / "workshop"
    page = DOCS / "docs" / "index.html"
    print(
        f"""
Commit #1 is in production: the URL is above. Open it!

  the demo project  {_short(DEMO)}   (a commit and a tag a step: git tag -n)
  the docs          {_short(page)}

Go on with your own project. To have its address, end this production first:

  {_short(command)} production down --project {_short(DEMO)}
  {_short(command)} start demo
"""
    )


@nox.session
def tests(session: nox.Session) -> None:
    """Everything that must be green before a commit lands."""
    _install(session, "docs,dev")
    if not session.posargs:
        session.run("ruff", "check", ".")
        session.run("ruff", "format", "--check", ".")
        session.run("mypy")
        session.run("workshop", "lint")
        session.run("python", "tests/images/__main__.py")  # for steps that need containers
        session.run("workshop", "verify", "--proof", str(PROOF))
        session.run("workshop", "mutants", "--within", str(SAMPLE))
        _build_docs(session)
        session.run("workshop", "gates", "--html", str(DOCS), "--proof", str(PROOF))
        _build_docs(session)  # once more, with the proof
    session.run("coverage", "erase")
    # on all cores, and one more process, since many tests wait; and what is skipped is said
    workers = str((os.cpu_count() or 1) + 1)
    every = ("--numprocesses", workers, "--dist", "worksteal", "-rs", *AGAIN)
    session.run("coverage", "run", "-m", "pytest", *(session.posargs or every))
    session.run("coverage", "combine", "--quiet")
    if not session.posargs:
        session.run("coverage", "report", f"--fail-under={COVERAGE}")


@nox.session
def cluster(session: nox.Session) -> None:
    """What needs a Kubernetes cluster, in the one that KUBECONFIG names.

    It proves the whole course: who waits for pods leaves the cores to the other trials. What it has
    proven, `nox -s tests` need not prove again. Its tests are apart, since a cluster on the same
    machine keeps it busy.
    """
    _install(session, "docs,dev")
    session.run("python", "tests/images/__main__.py")
    session.run("workshop", "verify")
    # two files at a time: most of what they do is to wait for pods
    two = ("--numprocesses", "2", "--dist", "loadfile", *AGAIN)
    session.run("pytest", "-m", "cluster", "-rs", *(session.posargs or two))
    _build_docs(session)
    session.run("workshop", "gates", "--html", str(DOCS), "replay")


@nox.session
def mutants(session: nox.Session) -> None:
    """Spoil each solution in every small way: a check must find it, or a reason stands beside.

    And judge every other right solution, and every mistake that people make, cold and warm:
    `nox -s tests` takes one solution for each step, and two mistakes for each check.
    """
    _install(session, "docs,dev")
    session.run("python", "tests/images/__main__.py")  # for steps that need containers
    session.run("workshop", "mutants", *session.posargs)
    if not session.posargs:
        judged = ("tests/test_checks_steps.py", "tests/test_warm.py")
        session.run("pytest", *judged, env={"ALL_SOLUTIONS": "1"})


@nox.session
def docs(session: nox.Session) -> None:
    """Build the docs; a warning is an error."""
    _install(session, "docs")
    _build_docs(session)
    print(f"\nThe docs: {_short(DOCS / 'docs' / 'index.html')}")


@nox.session
def record(session: nox.Session) -> None:
    """Run every command of every lesson, and write what came back beside the lessons."""
    _install(session, "docs,dev")
    session.run("workshop", "record")
    session.run("python", "docs/images/live.py")


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure, as ratios against named peers, and write the table into the docs."""
    _install(session, "docs,dev")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def notebook(session: nox.Session) -> None:
    """Open the notebooks in a browser, to change the models in them."""
    _install(session, "docs,notebooks")
    session.run("jupyter", "lab", "--ip=127.0.0.1", "notebooks", *session.posargs)


def _install(session: nox.Session, extras: str) -> None:
    """Install this project and, for `dev`, what else its tests run. Done once, it is offline."""
    _install_python(session, extras)
    if "dev" in extras.split(","):
        _install_gitlab_ci_local(session)


def _install_python(session: nox.Session, extras: str) -> None:
    """Install this project in place, once: while pyproject stands, no network is needed."""
    # Images of containers like to set it, and then thousands of processes compile everything anew.
    session.env["PYTHONDONTWRITEBYTECODE"] = None
    pyproject = (ROOT / "pyproject.toml").read_bytes()
    wanted = hashlib.sha256(pyproject + extras.encode() + os.fsencode(ROOT)).hexdigest()
    stamp = Path(session.virtualenv.location) / "installed.txt"
    if stamp.is_file() and stamp.read_text("ascii") == wanted:
        return
    pins = tomllib.loads(pyproject.decode())["project"]["dependencies"]
    uv = next(pin for pin in pins if pin.startswith("uv=="))
    # pip fetches one package at a time; uv, which we need anyway, fetches the rest all at once
    session.install(uv)
    python = Path(session.bin) / ("python.exe" if os.name == "nt" else "python")
    # A clone that was moved has programs in it that look for Python where it was.
    again = ["--reinstall"] if stamp.is_file() else []
    session.run_install(
        "uv", "pip", "install", "--quiet", *again, "--python", str(python),
        "--editable", f".[{extras}]",
    )  # fmt: skip
    stamp.write_text(wanted, "ascii")


def _install_gitlab_ci_local(session: nox.Session) -> None:
    """Install what runs pipelines into the session's environment, once. Where that can't be had,
    what needs it is skipped, and named."""
    folder = Path(session.virtualenv.location)
    stamp = folder / "gitlab-ci-local.txt"
    if stamp.is_file() and stamp.read_text("ascii") == GITLAB_CI_LOCAL:
        return
    session.run_install(
        "npm", "install", "--global", "--silent", "--no-audit", "--no-fund",
        "--prefix", str(folder), GITLAB_CI_LOCAL, success_codes=range(256),
    )  # fmt: skip
    if shutil.which("gitlab-ci-local", path=session.bin):
        stamp.write_text(GITLAB_CI_LOCAL, "ascii")


def _build_demo(session: nox.Session) -> None:
    """Build the tagged repository. One that is there is kept: it may hold someone's work."""
    recorded = (ROOT / "steps" / "tags.txt").read_text("ascii")
    known = BUILD / "demo.tags.txt"
    if DEMO.is_dir():
        if known.is_file() and known.read_text("ascii") == recorded:
            session.log(f"{_short(DEMO)} is up to date")
            return
        aside = DEMO.with_name(f"demo-{time.strftime('%Y%m%d-%H%M%S')}")
        DEMO.rename(aside)
        session.log(f"the steps have changed: your old demo project is now {_short(aside)}")
    session.run("workshop", "build", str(DEMO))
    known.write_text(recorded, "ascii")


def _build_docs(session: nox.Session) -> None:
    session.run(
        "sphinx-build", "-b", "html", "-W", "--keep-going", "-n", "-q",
        "-d", str(BUILD / "doctrees"), ".", str(DOCS),
    )  # fmt: skip


def _short(path: Path) -> str:
    """The path as a person in this folder would type it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
