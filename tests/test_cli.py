"""The command line: exit codes, whole messages, and nothing imported before it is needed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from workshop import cli, learner
from workshop.course import load
from workshop.model import Verdict

GOOD = Path(__file__).parent / "courses" / "good"
HEAVY = {"django", "pytest", "_pytest", "sphinx", "docutils", "uv", "psutil", "filelock",
         "yaml", "cryptography"}  # fmt: skip


def workshop(*words: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workshop", *map(str, words)],
        cwd=cwd, capture_output=True, text=True, env=os.environ | more, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "words", [("--help",), ("status",), ("production", "status"), ("releases",)]
)
def test_nothing_heavy_is_imported_to_say_something_short(
    words: tuple[str, ...], project: Path
) -> None:
    code = (
        "import sys; from workshop import cli\n"
        "try: cli.main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        f"print(sorted(set(sys.modules) & {HEAVY}))"
    )
    out = subprocess.check_output([sys.executable, "-c", code, *words], cwd=project, text=True)
    assert out.splitlines()[-1] == "[]"


def test_help_names_every_verb(tmp_path: Path) -> None:
    done = workshop("--help", cwd=tmp_path, COLUMNS="80")
    assert done.returncode == 0
    verbs = re.findall(r"(?m)^    (\w+)\b", done.stdout)
    assert verbs == [
        "start", "status", "check", "goto", "reset", "backups",
        "hint", "diff", "watch", "progress", "doctor",
        "deploy", "rollback", "releases", "metrics", "production", "run", "config",
        "seal", "database",
        "build", "prefetch", "verify", "mutants", "lint", "gates", "record", "docs", "kata",
    ]  # fmt: skip
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_usage_is_2(tmp_path: Path) -> None:
    done = workshop(cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "make your own project" in done.stderr
    done = workshop("chek", "1", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "error: there is no command chek\n"
        "       Did you mean check? All of them: python -m workshop --help\n",
    )
    assert workshop("fly", cwd=tmp_path).returncode == 2


def test_what_a_person_can_mend_is_no_bug(project: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    for name, why in (("file/x", "Not a directory"), ("link", "File exists")):
        done = workshop("start", name, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (
            2, f"error: {name}: this folder can't be made: {why}\n       Name another one.\n"
        )  # fmt: skip
    (project / ".git" / "workshop").mkdir()
    (project / ".git" / "workshop" / "progress.json").mkdir()
    done = workshop("status", cwd=project)
    assert (done.returncode, done.stderr.count("this file is damaged")) == (2, 1)
    (project / ".git" / "workshop" / "progress.json").rmdir()
    (project / ".git" / "config").write_text("[nothing\n")
    done = workshop("check", cwd=project)
    assert (done.returncode, done.stderr) == (
        2,
        "error: git said: bad config line 1 in file .git/config\n"
        "       Mend that, then try again.\n",
    )


def test_whoever_stands_in_no_folder_is_told_so(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        "import os, sys; from workshop import cli; os.rmdir(os.getcwd());"
        "sys.exit(cli.main(['start', 'mine']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=gone, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        2, "error: the folder that you are in is gone\n       Go to one that is there.\n"
    )  # fmt: skip


def test_a_bug_is_told_where_the_home_can_not_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("workshop.learner.done", broken)
    monkeypatch.setenv("WORKSHOP_HOME", "/dev/null/home")
    assert cli.main(["status", "--project", str(project)]) == 3
    log = Path(re.findall(r"details are in (.*)\. Please", capsys.readouterr().err)[0])
    assert "boom" in log.read_text()
    log.unlink()


def test_a_reader_who_goes_ends_nothing(tmp_path: Path) -> None:
    code = (
        "from workshop.commands import tell; import sys\n"
        "for each in range(3): tell('x' * 100_000)\n"
        "print('done', file=sys.stderr)"
    )
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "done\n")


def test_not_a_git_repository(tmp_path: Path) -> None:
    for verb in ("check", "status", "deploy", "rollback", "releases", "metrics"):
        done = workshop(verb, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "error: .: not a git repository\n"
            "       Go to your project's folder, or make one with: python -m workshop start DIR\n"
        )


def test_no_such_project(tmp_path: Path) -> None:
    done = workshop("check", "--project", "nowhere", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: nowhere: there is no such folder\n       Check the path.\n"


def test_no_git_at_all(tmp_path: Path) -> None:
    done = workshop("status", cwd=tmp_path, PATH="/nowhere")
    assert done.returncode == 2
    assert done.stderr.startswith("error: git is not installed\n       Install it (Debian, Ubuntu:")


def test_a_broken_course_is_2_with_its_line(course_folder: Path, tmp_path: Path) -> None:
    (course_folder / "steps" / "01-hello" / "step.toml").write_text("title =\n")
    done = workshop("lint", "--course", course_folder, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {course_folder}/steps/01-hello/step.toml:1: this is not TOML: Invalid value\n"
        "       Mend the line. The format is described at https://toml.io\n"
    )


def test_lint_findings_are_1_and_a_sound_course_is_0(course_folder: Path, tmp_path: Path) -> None:
    done = workshop("lint", "--course", course_folder, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "0 findings in 2 steps.\n")
    (course_folder / "steps" / "stray").mkdir()
    done = workshop("lint", "--course", course_folder, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == (
        "steps/stray: stray: it is neither a step nor a file of the course\n1 finding in 2 steps.\n"
    )
    done = workshop("lint", "--json", "--course", course_folder, cwd=tmp_path)
    assert done.returncode == 1
    assert '"where": "steps/stray"' in done.stdout


def test_build_says_what_it_made(tmp_path: Path) -> None:
    done = workshop("build", "demo", "--course", GOOD, "--bundle", "demo.bundle", cwd=tmp_path)
    hashes = [
        line.split()[0][:10] for line in (GOOD / "steps" / "tags.txt").read_text().splitlines()
    ]
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"{hashes[0]}  01-hello\n"
        f"{hashes[1]}  02-name\n"
        "\n"
        "demo: 2 stages. Look at one:\n"
        "\n"
        "  git -C demo checkout 01-hello\n"
        "\n"
        "demo.bundle: the same as one file. Use it:\n"
        "\n"
        "  git clone demo.bundle\n"
    )


def test_a_bundle_takes_the_place_of_a_bundle_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("my only copy")
    for name, says in (
        ("notes.txt", "this is a file of yours\n       Name another one.\n"),
        (".", "this is a folder\n       Name a file in it, one that is not there yet.\n"),
    ):
        done = workshop("build", "demo", "--course", GOOD, "--bundle", name, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (2, f"error: {name}: {says}")
    assert notes.read_text() == "my only copy"
    assert not (tmp_path / "demo").exists()
    words = ("--course", GOOD, "--bundle", "demo.bundle")
    assert workshop("build", "one", *words, cwd=tmp_path).returncode == 0
    assert workshop("build", "two", *words, cwd=tmp_path).returncode == 0


def test_start_tells_the_next_command_and_that_git_needs_a_name(tmp_path: Path) -> None:
    done = workshop("start", "mine", "--course", GOOD, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"Your project is in {tmp_path}/mine\n"
        "It is an empty git repository: commit #1 is yours.\n"
        "\n"
        "Git does not know your name yet. Tell it, once:\n"
        '  git config --global user.name "Your Name"\n'
        "  git config --global user.email you@example.org\n"
        "\n"
        "Now step 01, Say hello (3 minutes). Next:\n"
        "  cd mine\n"
        "  python -m workshop check\n"
    )
    again = workshop("start", "mine", "--course", GOOD, cwd=tmp_path)
    assert again.stdout.startswith(f"Welcome back. Your project is in {tmp_path}/mine\n")
    assert "\nNow step 01, Say hello (3 minutes). Next:\n" in again.stdout


def test_start_again_knows_what_is_not_committed(tmp_path: Path) -> None:
    course = load(GOOD)
    project = learner.start(course, tmp_path / "mine").project
    (project / "app.py").write_text("x = 1\n")
    learner.record(course, project, course.steps[0], (Verdict("test_a", "A.", "green"),))
    again = workshop("start", "mine", "--course", GOOD, cwd=tmp_path)
    assert again.stdout.endswith(
        "\nStep 01, Say hello, is green and not committed yet. Next:\n"
        "  cd mine\n  python -m workshop check\n"
    )


def test_status_shows_where_i_am(tmp_path: Path) -> None:
    project = learner.start(load(GOOD), tmp_path / "mine").project
    (project / "app.py").write_text("")
    done = workshop("status", "--course", GOOD, cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "[>] 01 Say hello                                        current\n"
        "[ ] 02 Say your name                                    to come\n"
        "\n"
        "To go:       7 minutes\n"
        "Commit:      none yet\n"
        "Changed:     1 file, not committed\n"
        "Production:  nothing deployed yet\n"
    )


def test_status_at_the_end_says_so(tmp_path: Path) -> None:
    course = load(GOOD)
    project = learner.start(course, tmp_path / "mine").project
    learner.settle(course, project, tuple(step.slug for step in course.steps))
    done = workshop("status", "--course", GOOD, cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nTo go:       nothing: you have done every step\n" in done.stdout


def test_a_bug_is_3_and_its_traceback_goes_to_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path, project: Path
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("workshop.learner.done", broken)
    assert cli.main(["status", "--project", str(project)]) == 3
    (log,) = (home / "logs").iterdir()
    assert capsys.readouterr().err == (
        "error: a bug in the workshop, not in your work: RuntimeError: boom\n"
        f"       The details are in {log}. Please report them.\n"
    )
    assert "Traceback" in log.read_text()


def test_an_interrupt_is_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("workshop.learner.done", interrupted)
    assert cli.main(["status", "--project", str(project)]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_terminal_with_an_old_code_page_shows_all_it_can(course_folder: Path) -> None:
    toml = course_folder / "steps" / "01-hello" / "step.toml"
    toml.write_text(toml.read_text().replace("Say hello", "Say grüezi ☕"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "workshop", "start", "mine", "--course", str(course_folder)],
        cwd=course_folder, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "cp1252"},
    )  # fmt: skip
    assert done.returncode == 0
    assert b"Say gr\xfcezi ?" in done.stdout


def test_mutants_says_what_became_of_each(course_folder: Path, tmp_path: Path) -> None:
    done = workshop("mutants", "02", "--record", "--course", str(course_folder), cwd=tmp_path)
    assert done.returncode == 0
    first, *rest = done.stdout.splitlines()
    assert re.fullmatch(
        r'\[1/1\] killed     02-name app\.py: without return \[b"Hello, World\\n"\]'
        r" \(test_name, \d+\.\d s\)",
        first,
    )
    assert rest == [
        f"recorded: {course_folder / 'steps' / '02-name' / 'survivors.toml'}",
        "",
        "02-name: 1 of 1 mutant found.",
    ]
    again = workshop("mutants", "02", "--course", str(course_folder), cwd=tmp_path)
    assert (again.returncode, again.stdout) == (0, "\n02-name: 1 of 1 mutant found.\n")


def test_a_mutant_that_nobody_lists_is_red(course_folder: Path, tmp_path: Path) -> None:
    check = course_folder / "steps" / "02-name" / "test_name.py"
    check.write_text(
        'def test_name(project):\n    """It says something."""\n    assert project.find("app*")\n'
    )
    done = workshop("mutants", "02", "--course", str(course_folder), cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == (
        "steps/02-name/survivors.toml: no check finds it, and no reason is listed:"
        ' app.py: without return [b"Hello, World\\n"]'
    )
