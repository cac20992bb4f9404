"""A learner who does what the pages say: one shell, its own home, and nothing that stays."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from conftest import COURSES

from workshop import robot, transcript
from workshop.errors import WorkshopError
from workshop.robot import Robot
from workshop.transcript import Entry

GOOD = COURSES / "good"
PLACES = ("development", "integration", "production")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the robot types into a POSIX shell")


@pytest.fixture
def learner() -> Iterator[Robot]:
    with robot.robot(GOOD) as made:
        yield made


def said(learner: Robot, command: str) -> str:
    entry = learner.type(command)
    assert entry.code == 0, entry
    return entry.output


def test_types_and_sees_all_that_comes_back_in_order(learner: Robot) -> None:
    assert learner.type("echo one; echo two >&2; echo three") == Entry(
        "echo one; echo two >&2; echo three", "one\ntwo\nthree\n"
    )
    assert learner.type("true") == Entry("true", "")


def test_an_exit_code_is_that_of_the_command(learner: Robot) -> None:
    assert learner.type("false").code == 1
    assert learner.type("sh -c 'exit 7'").code == 7
    assert learner.type("nonsense").code == 127
    assert learner.type("true").code == 0


def test_one_shell_for_all_commands(learner: Robot) -> None:
    said(learner, "mkdir demo")
    said(learner, "cd demo")
    said(learner, "WORD=hello")
    assert said(learner, "pwd; echo $WORD") == "/home/ada/demo\nhello\n"
    assert learner.here == learner.home / "demo"


def test_a_command_may_go_on_in_the_next_line(learner: Robot) -> None:
    assert said(learner, "echo one \\\n  two") == "one two\n"


def test_nobody_answers_questions(learner: Robot) -> None:
    assert learner.type("cat") == Entry("cat", "")
    assert learner.type("read answer").code == 1


def test_its_home_and_line_ends_are_those_a_reader_knows(learner: Robot) -> None:
    assert said(learner, "echo $HOME; printf 'a  \\r\\nb'") == "/home/ada\na\nb\n"


def test_of_a_line_that_is_written_over_a_reader_sees_the_last(
    learner: Robot, tmp_path: Path
) -> None:
    entry = learner.type("printf '10 %%\\r20 %%\\r100 %%\\ndone\\r\\r\\n50 %%\\r'")
    assert entry.output == "100 %\ndone\n50 %\n"
    transcript.write(tmp_path, [entry])
    assert transcript.read(tmp_path) == (entry,)


def test_the_folder_of_its_project_is_the_one_that_a_reader_has(learner: Robot) -> None:
    said(learner, "mkdir demo; cd demo; git init --quiet")
    shown = said(learner, "workshop seal --environment production --generate KEY app >/dev/null")
    assert f"in {robot.HOME}/.local/state/workshop/projects/demo-a13cba9f/sealing\n" in shown


def test_ports_are_those_a_reader_knows(learner: Robot) -> None:
    """Whatever was free is called 8000, 8001, and a command with that name finds the real one."""
    first, second = "http://127.0.0.1:45678/", "http://127.0.0.1:45679/"
    assert said(learner, f"echo {first}") == "http://127.0.0.1:8000/\n"
    assert said(learner, f"echo {second} {first}") == (
        "http://127.0.0.1:8001/ http://127.0.0.1:8000/\n"
    )
    typed = learner.type("printf %s http://127.0.0.1:8000/ | tr -d :")
    assert typed.output == "http//127.0.0.145678/\n"
    assert typed.command == "printf %s http://127.0.0.1:8000/ | tr -d :"


def test_a_reader_finds_the_first_port_free(learner: Robot) -> None:
    told = "printf '  port         8000 is taken, so it is 8003 from now on\\n  ready\\n'"
    assert said(learner, told) == "  ready\n"


def test_nothing_of_this_process_leaks_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "other")
    with robot.robot(GOOD) as learner:
        assert said(learner, "echo $GIT_DIR $DJANGO_SETTINGS_MODULE") == "\n"
        assert said(learner, "git config user.name") == "Ada Learner\n"
        assert said(learner, "echo $WORKSHOP_HOME") == "/home/ada/.local/state/workshop\n"
        assert said(learner, "workshop status --project . 2>&1 || true").startswith("error: .: not")


def test_it_takes_the_course_that_is_named(learner: Robot) -> None:
    said(learner, "workshop start demo")
    assert said(learner, "workshop status --project demo").startswith("[>] 01 Say hello ")


def test_writes_files_and_applies_diffs(learner: Robot) -> None:
    said(learner, "git init demo")
    said(learner, "cd demo")
    learner.write("a/b.txt", "one\ntwo\n")
    diff = (
        "diff --git a/a/b.txt b/a/b.txt\n--- a/a/b.txt\n+++ b/a/b.txt\n"
        "@@ -1,2 +1,2 @@\n one\n-two\n+three\n"
    )
    learner.apply(diff)
    assert (learner.here / "a" / "b.txt").read_bytes() == b"one\nthree\n"
    learner.apply(diff)  # already made: nothing to do
    assert (learner.here / "a" / "b.txt").read_bytes() == b"one\nthree\n"
    assert learner.unsaved() == "?? a/\n"
    said(learner, "git add .")
    said(learner, "git commit -m Start")
    assert learner.unsaved() == ""
    blob = said(learner, "git rev-parse HEAD:a/b.txt").strip()
    assert learner.tree() == f"100644 blob {blob}\ta/b.txt\n"


def test_a_diff_that_does_not_fit(learner: Robot) -> None:
    said(learner, "git init demo")
    said(learner, "cd demo")
    with pytest.raises(WorkshopError) as error:
        learner.apply("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n")
    assert str(error.value) == (
        "the diff does not fit: error: x: No such file or directory\n"
        "Show what leads from the start to the stage, in this order."
    )


def test_its_commits_have_the_same_hashes_every_time() -> None:
    """However many commands stand between them: who adds one changes no later transcript."""
    hashes = []
    for more in (0, 3):
        with robot.robot(GOOD) as learner:
            said(learner, "git init --quiet demo")
            said(learner, "cd demo")
            for word in ("one", "two"):
                said(learner, f"echo {word} > word.txt")
                for _ in range(more):
                    said(learner, "git status")
                said(learner, "git add .")
                said(learner, f"git commit --quiet -m {word}")
            hashes.append(said(learner, "git log --format='%H %ad %cd' --date=iso"))
    assert hashes[0] == hashes[1]
    dates = [line.split(" ", 1)[1] for line in hashes[0].splitlines()]
    assert dates == [
        "2026-01-01 09:01:00 +0000 2026-01-01 09:01:00 +0000",
        "2026-01-01 09:00:00 +0000 2026-01-01 09:00:00 +0000",
    ]


def test_a_command_that_never_ends(learner: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robot, "PATIENCE", 1.0)
    with pytest.raises(WorkshopError) as error:
        learner.type("sleep 600")
    assert str(error.value) == (
        "`sleep 600`: it did not end within 1 seconds\nShow a command that ends by itself."
    )


@pytest.mark.parametrize("command", ["exit 3", "echo )"])
def test_a_command_that_ends_the_shell(learner: Robot, command: str) -> None:
    with pytest.raises(WorkshopError) as error:
        learner.type(command)
        learner.type("true")
    assert str(error.value).startswith(f"`{command}`: it ended the shell")


def test_everything_it_started_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robot, "PATIENCE", 1.0)
    with robot.robot(GOOD) as learner:
        home = learner.home
        pid = int(said(learner, "sleep 600 & echo $!"))
        with pytest.raises(WorkshopError):
            learner.type("sleep 601")
        shell = psutil.Process(pid).parent()
        assert shell is not None
        every = [shell, *shell.children(recursive=True)]
        assert len(every) == 3
    give_up = time.monotonic() + 5
    while any(_runs(each) for each in every) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert [each for each in every if _runs(each)] == []
    assert not home.exists()


def _runs(process: psutil.Process) -> bool:
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


def test_the_home_is_gone_when_a_lesson_breaks() -> None:
    def lesson() -> Path:
        with robot.robot(GOOD) as learner:
            homes.append(learner.home)
            raise RuntimeError("broken")

    homes: list[Path] = []
    with pytest.raises(RuntimeError, match="broken"):
        lesson()
    assert not homes[0].exists()


def test_a_namespace_is_its_own_and_readers_see_the_name_of_the_lessons(
    learner: Robot, tmp_path: Path
) -> None:
    bin_folder = learner.home / "bin"
    bin_folder.mkdir()
    (bin_folder / "kubectl").write_text('#!/bin/sh\necho "$@" | tee -a told\n', encoding="utf-8")
    (bin_folder / "kubectl").chmod(0o755)
    said(learner, "PATH=$HOME/bin:$PATH")
    assert said(learner, "kubectl --namespace demo get pods") == "--namespace demo get pods\n"
    assert said(learner, "kubectl create namespace demonstration") == (
        "create namespace demonstration\n"
    )
    told = (learner.home / "told").read_text(encoding="utf-8")
    name = told.split()[1]
    assert re.fullmatch(r"workshop-[a-z0-9-]+[a-z0-9]", name)
    assert told == f"--namespace {name} get pods\ncreate namespace demonstration\n"


def test_it_leaves_no_namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kubectl").write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/told\n', encoding="utf-8"
    )
    (tmp_path / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "named"))
    with robot.robot(GOOD):
        pass
    assert not (tmp_path / "told").exists()
    with robot.robot(GOOD) as learner:
        said(learner, "kubectl create namespace demo")
    told = (tmp_path / "told").read_text(encoding="utf-8").splitlines()
    name = told[0].rpartition(" ")[2]
    every = " ".join((name, *(f"{name}-{each}" for each in PLACES)))
    assert told[1:] == [f"delete namespace {every} --ignore-not-found --wait=false"]


def test_a_program_that_says_a_namespace_is_led_to_ours_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kubectl").write_text(
        '#!/bin/sh\nprintf "<%s>" "$@" | tee -a told\necho\n', "utf-8"
    )
    (tmp_path / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with robot.robot(GOOD) as learner:
        for place in PLACES:
            shown = said(learner, f"sh -c 'kubectl -n demo-{place} get \"two words\" demo-x'")
            assert shown == f"<-n><demo-{place}><get><two words><demo-x>\n"
        told = (learner.home / "told").read_text("utf-8")
    assert re.findall(r"<-n><workshop-[a-z0-9-]+-(\w+)><get><two words><demo-x>", told) == [*PLACES]
