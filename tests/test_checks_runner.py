"""The runner: from what a check does to a verdict, whatever pytest is told elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workshop import course as courses
from workshop.checks import needs, runner
from workshop.model import Course, Verdict

GOOD = Path(__file__).parent / "courses" / "good"


@pytest.fixture(scope="module")
def course() -> Course:
    return courses.load(GOOD)


def check(tmp_path: Path, body: str, name: str = "test_it.py") -> Path:
    """A file of checks with this body."""
    file = tmp_path / "checks" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("from workshop.checks import expect\n\n\n" + body, "utf-8")
    return file


def judged(tmp_path: Path, course: Course, body: str) -> list[Verdict]:
    """The verdicts of these checks, without the time they took."""
    file = check(tmp_path, body)
    return [each._replace(seconds=0.0) for each in runner.run([file], tmp_path, course)]


@pytest.fixture(autouse=True)
def _as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pytest around us rewrites every `assert`. Where checks really run, there is none."""
    hook = "_pytest.assertion.rewrite.AssertionRewritingHook._should_rewrite"
    monkeypatch.setattr(hook, lambda *_: False)


def test_green(tmp_path: Path, course: Course) -> None:
    body = 'def test_it():\n    """It is\n    good."""\n    pass\n'
    assert judged(tmp_path, course, body) == [Verdict("test_it", "It is good.", "green")]


def test_red_in_three_texts(tmp_path: Path, course: Course) -> None:
    body = 'def test_it():\n    """It is good."""\n    expect([], seen="a", expected="b", do="c")\n'
    assert judged(tmp_path, course, body) == [
        Verdict("test_it", "It is good.", "red", "a", "b", "c")
    ]


def test_a_plain_assert_is_red(tmp_path: Path, course: Course) -> None:
    body = 'def test_it():\n    assert 1 == 2\n\ndef test_too():\n    assert 0, "so it is"\n'
    assert judged(tmp_path, course, body) == [
        Verdict("test_it", "", "red", "assert 1 == 2", where="test_it.py:5"),
        Verdict("test_too", "", "red", "so it is", where="test_it.py:8"),
    ]


def test_any_other_exception_is_our_error(tmp_path: Path, course: Course) -> None:
    body = "def test_it():\n    {}['key']\n"
    assert judged(tmp_path, course, body) == [
        Verdict("test_it", "", "error", "KeyError: 'key'", where="test_it.py:5")
    ]


def test_a_machine_that_cannot_judge_is_an_error(tmp_path: Path, course: Course) -> None:
    body = (
        "from workshop.errors import WorkshopError\n\n"
        "def test_it():\n    raise WorkshopError('a fact', 'a remedy', path='/there')\n"
    )
    assert judged(tmp_path, course, body) == [
        Verdict("test_it", "", "error", "a fact", do="a remedy", where="/there")
    ]


def test_skipped_says_why(tmp_path: Path, course: Course) -> None:
    body = "import pytest\n\ndef test_it():\n    pytest.skip('no moon today')\n"
    assert judged(tmp_path, course, body) == [Verdict("test_it", "", "skipped", "no moon today")]


def test_the_first_that_goes_wrong_counts(tmp_path: Path, course: Course) -> None:
    body = (
        "import pytest\n\n@pytest.fixture\ndef broken():\n    yield\n    raise OSError('later')\n\n"
        "def test_green(broken):\n    pass\n\n"
        "def test_red(broken):\n    assert 0, 'first'\n"
    )
    green, red = judged(tmp_path, course, body)
    assert (green.outcome, green.seen) == ("error", "OSError: later")
    assert (red.outcome, red.seen) == ("red", "first")


def test_a_file_that_cannot_be_read(tmp_path: Path, course: Course) -> None:
    (verdict,) = judged(tmp_path, course, "def test_it(:\n")
    assert (verdict.check, verdict.outcome) == ("test_it.py", "error")
    assert "SyntaxError" in verdict.seen


def test_a_fixture_that_does_not_exist(tmp_path: Path, course: Course) -> None:
    (verdict,) = judged(tmp_path, course, "def test_it(nonsense):\n    pass\n")
    assert (verdict.outcome, verdict.check) == ("error", "test_it")
    assert "fixture 'nonsense' not found" in verdict.seen


def test_each_verdict_as_soon_as_it_is_there(tmp_path: Path, course: Course) -> None:
    log = tmp_path / "log"
    file = check(
        tmp_path,
        f"LOG = {str(log)!r}\n\ndef test_a():\n    pass\n\n"
        "def test_b():\n    assert open(LOG).read() == 'test_a'\n",
    )

    def write(verdict: Verdict) -> None:
        log.write_text(verdict.check)

    assert runner.run([file], tmp_path, course, on_verdict=write)
    assert log.read_text() == "test_b"


def test_only_those_that_are_wanted(tmp_path: Path, course: Course) -> None:
    file = check(tmp_path, "def test_a():\n    pass\n\ndef test_b():\n    pass\n")
    assert [each.check for each in runner.run([file], tmp_path, course, only=["test_b"])] == [
        "test_b"
    ]


def test_no_files_no_verdicts(tmp_path: Path, course: Course) -> None:
    assert runner.run([], tmp_path, course) == ()


def test_several_files_in_their_order(tmp_path: Path, course: Course) -> None:
    files = [check(tmp_path, f"def test_{name}():\n    pass\n", f"test_{name}.py") for name in "ba"]
    assert [each.check for each in runner.run(files, tmp_path, course)] == ["test_b", "test_a"]


def test_nobody_else_configures_pytest(
    tmp_path: Path, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--nonsense")
    monkeypatch.setenv("PYTEST_PLUGINS", "nonsense")
    file = check(tmp_path, "def test_it():\n    pass\n")
    for folder in (tmp_path, file.parent):
        (folder / "conftest.py").write_text("raise OSError('conftest')\n", "utf-8")
        (folder / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n", "utf-8")
    path = list(sys.path)
    assert [each.outcome for each in runner.run([file], tmp_path, course)] == ["green"]
    assert sys.path == path
    assert os.environ["PYTEST_ADDOPTS"] == "--nonsense"


def test_it_prints_nothing(
    tmp_path: Path, course: Course, capfd: pytest.CaptureFixture[str]
) -> None:
    file = check(tmp_path, "def test_it():\n    print('noise')\n    assert 0\n")
    runner.run([file], tmp_path, course)
    assert capfd.readouterr() == ("", "")


def test_a_changed_file_is_read_again(tmp_path: Path, course: Course) -> None:
    assert judged(tmp_path, course, "def test_it():\n    pass\n")[0].outcome == "green"
    assert judged(tmp_path, course, "def test_it():\n    assert 0, 1\n")[0].outcome == "red"


def test_an_interrupt_goes_through(tmp_path: Path, course: Course) -> None:
    file = check(tmp_path, "def test_it():\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        runner.run([file], tmp_path, course)


def test_what_the_machine_lacks_is_said(
    tmp_path: Path, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    file = check(tmp_path, "def test_it():\n    assert 0\n")
    step = course.steps[0]._replace(folder=file.parent, needs=("containers", "browser"))
    verdicts = runner.run([file], tmp_path, course._replace(steps=(step,)))
    assert [(each.outcome, each.seen) for each in verdicts] == [
        ("skipped", "needs a container engine and a browser")
    ]


def test_what_a_single_check_needs(
    tmp_path: Path, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    body = (
        "import pytest\n\n@pytest.mark.needs('containers', 'compose')\ndef test_a():\n    pass\n\n"
        "def test_b():\n    pass\n"
    )
    found = judged(tmp_path, course, body)
    assert [(each.outcome, each.seen) for each in found] == [
        ("skipped", "needs a container engine and Docker Compose"), ("green", ""),
    ]  # fmt: skip
    step = course.steps[0]._replace(folder=tmp_path / "checks", needs=("browser",))
    found = judged(tmp_path, course._replace(steps=(step,)), body)
    assert [each.seen for each in found] == [
        "needs a container engine and Docker Compose", "",
    ]  # fmt: skip


def test_what_is_there_is_not_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, code in (("docker", 0), ("podman", 1), ("kubectl", 1)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n", "utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert needs.missing(["containers"]) == ""
    assert needs.missing(["cluster"]) == "needs a Kubernetes cluster that KUBECONFIG names"
    assert needs.missing([]) == ""


def test_podman_is_asked_where_no_docker_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, code, missing in (
        ("podman", 0, ""), ("docker", 1, "needs a container engine"),
    ):  # fmt: skip
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n", "utf-8")
        (tmp_path / name).chmod(0o755)
        assert needs.missing(["containers"]) == missing


def test_who_runs_pipelines_calls_rsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for program, missing in (
        ("gitlab-ci-local", "needs gitlab-ci-local (and rsync, which it calls)"), ("rsync", ""),
    ):  # fmt: skip
        (tmp_path / program).write_text("#!/bin/sh\nexit 0\n")
        (tmp_path / program).chmod(0o755)
        assert needs.missing(["pipelines"]) == missing


def test_the_good_course_is_red_then_green(tmp_path: Path, course: Course) -> None:
    project = tmp_path / "demo"
    project.mkdir()
    step = course.steps[0]
    before = runner.run(step.tests, project, course)
    assert {each.check: each.seen for each in before} == dict(step.red)
    (project / "app.py").write_text("x = 1\n", "utf-8")
    after = runner.run(step.tests, project, course)
    assert [each.outcome for each in after] == ["green", "green"]


def spawned(tmp_path: Path, *files: Path) -> subprocess.Popen[str]:
    """`python -m workshop.checks` for these files."""
    return subprocess.Popen(
        [sys.executable, "-m", "workshop.checks", f"--project={tmp_path}", f"--course={GOOD}",
         *map(str, files)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("pass", 0),
        ("assert 0, 'no'", 1),
        ("raise OSError('ours')", 3),
        ("__import__('pytest').skip('no')", 0),
    ],
)
def test_a_process_of_its_own(tmp_path: Path, body: str, code: int) -> None:
    file = check(tmp_path, f'def test_it():\n    """So."""\n    {body}\n')
    process = spawned(tmp_path, file)
    out, err = process.communicate()
    (line,) = out.splitlines()
    assert (process.returncode, err) == (code, "")
    assert Verdict(**json.loads(line)).sentence == "So."


def test_a_broken_course_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workshop.checks", f"--project={tmp_path}",
         f"--course={tmp_path}", "test_it.py"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {tmp_path}: this is no course")


def test_asked_to_end_it_tidies_up(tmp_path: Path) -> None:
    file = check(
        tmp_path,
        "import pathlib, pytest, signal, sys\n\nHERE = pathlib.Path(__file__).parent\n\n"
        "@pytest.fixture(scope='module')\ndef thing():\n    yield\n"
        "    (HERE / 'tidy').touch()\n\n"
        "def test_it(thing):\n    (HERE / 'fifo').read_text()\n",
    )
    fifo = file.with_name("fifo")
    os.mkfifo(fifo)
    process = spawned(tmp_path, file)
    with fifo.open("w"):  # returns when the check has opened it, too: it is in the middle
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 130
    assert file.with_name("tidy").exists()
