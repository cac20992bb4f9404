"""The pipeline of step 17, told to GitHub: the same commands in the same order, done by `act`.

`act` reads the workflow as GitHub's runners do, and stands in for them. Only `docker` and `kubectl`
are played, as in the check of the step.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from workshop import course, history
from workshop.checks import players
from workshop.checks.copied import Copy
from workshop.checks.database import PostgreSQL
from workshop.checks.dryrun import REPOSITORY, DryRun, Ended
from workshop.checks.mistakes import answering
from workshop.checks.pipeline import Pipeline

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "automation" / "github-actions.yml").read_text("utf-8")
PATH = ".github/workflows/pipeline.yml"
PLACES = ("integration", "production")
ACT = (
    "act", "push", "--platform", "self-hosted=-self-hosted", "--no-cache-server",
    "--var", f"REGISTRY_IMAGE={REPOSITORY}", "--secret", "DATABASE_URL",
)  # fmt: skip
# What GitHub wants to be told, and GitLab sees by itself.
HANDED_ON = "cat image.env >> $GITHUB_OUTPUT"
NO_TESTS = b"[tox]\nenv_list =\n"
BROKEN = {
    "unit": answering("/", 500),
    "acceptance": answering("/admin/login/", 200, "Later.", methods="POST"),
}


class Job(NamedTuple):
    """What both files say of a job, each in its own words."""

    name: str
    after: frozenset[str]
    commands: tuple[str, ...]
    main_only: object
    place: str
    one_at_a_time: str


def stage() -> dict[str, bytes]:
    """The files of the project, as the step about the pipeline leaves them."""
    every = history.stages(course.load(ROOT))
    found = next(each for each in every if each.step.slug == "pipeline")
    return {name: file.data for name, file in found.files.items()}


def of_gitlab(folder: Path) -> list[Job]:
    """The jobs, as the project's own file has them."""
    (folder / ".gitlab-ci.yml").write_bytes(stage()[".gitlab-ci.yml"])
    pipeline = Pipeline(folder)
    on_main = [{"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"}]
    found = []
    for job in pipeline.jobs.values():
        rules = job.said.get("rules", False)
        group = str(job.said.get("resource_group", ""))
        own = job.said.get("variables", {})
        found.append(
            Job(
                job.name, pipeline.before(job.name), job.commands,
                True if rules == on_main else rules, job.place,
                group.replace("$PLACE", own.get("PLACE", "?")),
            )
        )  # fmt: skip
    return found


def of_github(text: str) -> list[Job]:
    """The jobs, as a workflow has them."""
    jobs: dict[str, dict[str, Any]] = yaml.safe_load(text)["jobs"]

    def after(name: str) -> frozenset[str]:
        needs = jobs[name].get("needs", [])
        names = [needs] if isinstance(needs, str) else needs
        return frozenset(names).union(*map(after, names))

    found = []
    for name, job in jobs.items():
        commands = [" ".join(each["run"].split()) for each in job["steps"] if "run" in each]
        rule = job.get("if", False)
        found.append(
            Job(
                name, after(name), tuple(each for each in commands if each != HANDED_ON),
                True if rule == "github.ref == 'refs/heads/main'" else rule,
                job.get("environment", ""), job.get("concurrency", ""),
            )
        )  # fmt: skip
    return found


def spoiled(old: str, new: str) -> str:
    """The workflow with a mistake in it."""
    assert old in TEXT
    return TEXT.replace(old, new)


def test_both_files_say_the_same(tmp_path: Path) -> None:
    assert of_github(TEXT) == of_gitlab(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tox -e unit", "tox -e unit -- -x"),
        ("      - run: docker push $NAME\n", ""),
        ("    needs: acceptance", "    needs: unit"),
        ("    if: github.ref == 'refs/heads/main'\n", ""),
        ("concurrency: production", "concurrency: integration"),
        ("environment: production", "environment: integration"),
        ("- run: kubectl --namespace demo-$PLACE delete", "- run: kubectl delete"),
        (HANDED_ON, f"{HANDED_ON} || true"),
        (
            "  production:\n    needs: [build, integration]",
            "  live:\n    needs: [build, integration]",
        ),
    ],
)
def test_a_difference_is_seen(tmp_path: Path, old: str, new: str) -> None:
    assert of_github(spoiled(old, new)) != of_gitlab(tmp_path)


def test_what_others_wrote_is_pinned_and_each_job_runs_at_home() -> None:
    jobs = yaml.safe_load(TEXT)["jobs"].values()
    used = {each["uses"] for job in jobs for each in job["steps"] if "uses" in each}
    assert [each for each in used if not re.fullmatch(r"actions/checkout@[0-9a-f]{40}", each)] == []
    assert len(used) == 1
    assert {job["runs-on"] for job in jobs} == {"self-hosted"}


class Try(NamedTuple):
    """A copy of the project with a workflow in it, and how that is run."""

    copy: Copy
    run: DryRun

    def arrived(self, done: Ended) -> list[str]:
        """Where the image of this commit was brought, by its true name, and waited for."""
        words = ("git", "rev-parse", "HEAD")
        commit = subprocess.check_output(words, cwd=self.copy.path, text=True).strip()
        image = f"image: {players.digest(f'{REPOSITORY}:{commit}')}"
        deployed = [
            each.namespace.removeprefix("demo-") for each in done.asked("kubectl", "apply")
            if "kind: Deployment" in each.text and image in each.text
        ]  # fmt: skip
        waited = [each.namespace for each in done.asked("kubectl", "rollout", "status")]
        return [place for place in deployed if f"demo-{place}" in waited]


def made(folder: Path, files: Mapping[str, bytes], home: Path, database: str) -> Try:
    """A try of the workflow among these files."""
    path = os.pathsep.join((os.environ["PATH"], str(Path(sys.executable).parent)))
    if shutil.which("act", path=path) is None:
        pytest.skip("needs act")
    project = folder / "project"
    for name, data in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(data)
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    variables = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    copy = Copy(project, folder / "copy", variables, home=home)
    return Try(copy, DryRun(copy, {"DATABASE_URL": database}, lambda *_: ACT))


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Path, str]]:
    """A place for the environments of tox, and a database."""
    home = Path(tempfile.mkdtemp(prefix="workshop-"))
    home.chmod(0o755)  # when we are root, PostgreSQL runs as somebody else
    server = PostgreSQL(home)
    yield home, server.database().url
    server.close()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def real(tmp_path: Path, shared: tuple[Path, str]) -> Try:
    """The workflow, with the project's own tests."""
    return made(tmp_path, stage() | {PATH: TEXT.encode()}, *shared)


def test_green_goes_all_the_way(real: Try) -> None:
    done = real.run.on()
    assert done.code == 0, done.tail
    assert [each.words[0] for each in done.asked("docker")] == ["build", "push", "image"]
    assert real.arrived(done) == list(PLACES)


@pytest.mark.parametrize("name", BROKEN)
def test_a_red_test_stops_it_before_anything_is_built(real: Try, name: str) -> None:
    done = real.run.on(BROKEN[name])
    assert (done.code, done.calls) == (1, ())
    assert done.tail.endswith(f"Error: Job '{name}' failed")


class Promise(NamedTuple):
    """In which situation, what must hold of how it ends; and mistakes in the workflow that break
    it, each with what stands there, and what stands there instead."""

    holds: Callable[[Ended, list[str]], bool]
    mistakes: tuple[tuple[str, str], ...]
    red: str = ""
    branch: str = "main"
    without: str = ""


PROMISES = {
    "each place gets what was built": Promise(
        lambda done, arrived: done.code == 0 and arrived == list(PLACES),
        ((f"run: {HANDED_ON}", "run: cat image.env"), ("PLACE: production", "PLACE: integration")),
    ),
    "a red test stops it": Promise(
        lambda done, _: done.code != 0 and not done.calls,
        (("    needs: acceptance", "    needs: check"),), red="acceptance",
    ),
    "what integration refuses, production never gets": Promise(
        lambda done, _: done.code != 0 and not any(c.job == "production" for c in done.calls),
        (("    needs: [build, integration]", "    needs: build"),),
        without="deployment/envs/integration",
    ),
    "from a branch, nothing is deployed": Promise(
        lambda done, _: done.code == 0 and {c.program for c in done.calls} == {"docker"},
        (("    if: github.ref == 'refs/heads/main'\n", ""),), branch="idea",
    ),
}  # fmt: skip


def holds(folder: Path, text: str, promise: Promise) -> bool:
    """Whether the promise holds of this workflow. The tests are only played: they are green at
    once, or red."""
    played = re.sub(
        r"tox -e (\w+)", lambda each: "false" if each[1] == promise.red else "true", text
    )
    files = stage() | {PATH: played.encode(), "tox.ini": NO_TESTS}
    files.pop(promise.without, None)
    each = made(folder, files, folder, "postgres://nobody@127.0.0.1:1/nowhere")
    branch = f"--initial-branch={promise.branch}"
    subprocess.run(["git", "init", "--quiet", branch], cwd=each.copy.path, check=True)
    done = each.run.on()
    assert "not valid" not in done.tail  # a mistake of ours would break every promise
    return promise.holds(done, each.arrived(done))


@pytest.mark.parametrize("name", PROMISES)
def test_what_it_promises_and_how_that_is_broken(tmp_path: Path, name: str) -> None:
    promise = PROMISES[name]
    assert holds(tmp_path / "right", TEXT, promise)
    for number, mistake in enumerate(promise.mistakes):
        assert not holds(tmp_path / f"wrong-{number}", spoiled(*mistake), promise), mistake
