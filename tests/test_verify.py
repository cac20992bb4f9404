"""The prover is proven: it says yes to a sound course, and no to each way to break a promise."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from workshop import course, deploys, git, lint, planning, sending, underload, verify
from workshop.checks import needs
from workshop.errors import WorkshopError
from workshop.production import kubernetes
from workshop.trial import Trial


def prove(root: Path, *names: str, fresh: bool = False) -> dict[str, Trial]:
    loaded = course.load(root)
    steps = [course.find(loaded, name) for name in names]
    told: list[tuple[int, int]] = []
    trials = verify.verify(
        loaded, steps, fresh=fresh, report=lambda _, number, total: told.append((number, total))
    )
    assert told == [(number, len(trials)) for number in range(1, len(trials) + 1)]
    return {f"{each.step} {each.kind} {each.stage}": each for each in trials}


def problems(trials: dict[str, Trial]) -> dict[str, Sequence[str]]:
    return {name: each.problems for name, each in trials.items() if each.problems}


def change(root: Path, name: str, old: str, new: str) -> None:
    text = (root / name).read_text("utf-8")
    assert old in text
    (root / name).write_text(text.replace(old, new), "utf-8")


def test_a_sound_course_is_proven_once(course_folder: Path) -> None:
    first = prove(course_folder)
    assert list(first) == [
        "01-hello start empty",
        "01-hello solution 01-hello",
        "01-hello solution 02-name",
        "01-hello deploy 01-hello",
        "02-name start 01-hello",
        "02-name solution 02-name",
        "02-name deploy 02-name",
    ]
    assert problems(first) == {}
    assert not any(each.cached for each in first.values())
    deploy = first["02-name deploy 02-name"]
    assert deploy.sent > 20
    assert deploy.lost == 0

    again = prove(course_folder)
    assert all(each.cached for each in again.values())
    assert {name: each.verdicts for name, each in again.items()} == {
        name: each.verdicts for name, each in first.items()
    }

    # a changed last stage is proven again, and nothing else is
    change(course_folder, "solutions/02-name/app.py", "World", "World!")
    changed = prove(course_folder)
    assert problems(changed) == {}
    assert [name for name, each in changed.items() if not each.cached] == [
        "01-hello solution 02-name",
        "02-name solution 02-name",
        "02-name deploy 02-name",
    ]

    # a changed reason is judged anew, without a trial
    change(course_folder, "steps/02-name/step.toml", "to nobody", "to everybody")
    judged = prove(course_folder, "2")
    assert problems(judged) == {
        "02-name start 01-hello": (
            "test_name is red for another reason: "
            "'it says hello to nobody' instead of 'it says hello to everybody'",
        )
    }
    assert all(each.cached for each in judged.values())


def test_fresh_ignores_what_is_known(course_folder: Path) -> None:
    trials = prove(course_folder, "2")
    assert problems(trials) == {}
    fresh = prove(course_folder, "2", fresh=True)
    assert not any(each.cached for each in fresh.values())


def checks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the deploys out where the test is about checks."""
    plan = planning.plan

    def without_deploys(*args: object) -> list[planning.Task]:
        return [task for task in plan(*args) if task.kind != "deploy"]  # type: ignore[arg-type]

    monkeypatch.setattr(planning, "plan", without_deploys)


def test_a_check_that_is_green_on_its_start_is_caught(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks_only(monkeypatch)
    change(course_folder, "steps/02-name/test_name.py", '"World" in text', "True")
    assert problems(prove(course_folder, "2")) == {
        "02-name start 01-hello": ("test_name is green, and should be red",)
    }


def test_a_check_that_is_red_without_being_announced_is_caught(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks_only(monkeypatch)
    change(course_folder, "steps/02-name/step.toml", "test_name =", "test_other =")
    assert problems(prove(course_folder, "2")) == {
        "02-name start 01-hello": (
            "test_other did not run",
            "test_name is red, and step.toml does not say so: it says hello to nobody",
        )
    }


def test_a_solution_that_does_not_solve_is_caught(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks_only(monkeypatch)
    change(course_folder, "solutions/02-name/app.py", "World", "Earth")
    assert problems(prove(course_folder, "2")) == {
        "02-name solution 02-name": ("test_name is red: it says hello to nobody",)
    }


def test_a_later_stage_that_breaks_an_earlier_check_is_caught_unless_it_replaces_it(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks_only(monkeypatch)
    toml = course_folder / "steps" / "02-name" / "step.toml"
    (course_folder / "solutions" / "02-name" / "main.py").write_text("Hello, World")
    change(course_folder, "steps/02-name/step.toml", '["run.sh"]', '["run.sh", "app.py"]')
    (course_folder / "solutions" / "02-name" / "app.py").unlink()
    change(course_folder, "steps/02-name/test_name.py", '"app.py"', '"main.py"')
    assert set(problems(prove(course_folder, "1"))) == {"01-hello solution 02-name"}
    replaces = 'replaces = ["hello::test_there_is_an_app", "hello::test_app_is_python"]\n\n[red]'
    toml.write_text(toml.read_text().replace("[red]", replaces))
    assert problems(prove(course_folder, "1")) == {}


def add_a_step(root: Path) -> None:
    """A third step, which only adds a file, and looks for that."""
    solution, folder = root / "solutions" / "03-words", root / "steps" / "03-words"
    for each in (solution, folder):
        each.mkdir()
    (solution / "words.txt").write_text("Hello\n")
    toml = (root / "steps" / "02-name" / "step.toml").read_text()
    toml = toml.replace('removes = ["run.sh"]\n', "").replace("test_name", "test_words")
    (folder / "step.toml").write_text(toml)
    text = (root / "steps" / "02-name" / "test_name.py").read_text()
    looks = text.replace("test_name", "test_words").replace("app.py", "words.txt")
    (folder / "test_words.py").write_text(
        looks.replace('.read_text(encoding="utf-8")', "").replace(
            '"World" in text', "text.is_file()"
        )
    )


def test_what_a_step_never_sees_makes_no_new_trial(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks_only(monkeypatch)
    add_a_step(course_folder)
    # a check that minds the later file, so it is told apart whether that was there
    change(course_folder, "steps/01-hello/test_hello.py", "there = ", "there = alone(project) and ")
    with (course_folder / "steps/01-hello/test_hello.py").open("a") as file:
        file.write("\n\ndef alone(project):\n")
        file.write('    return not (project.path / "words.txt").exists()\n')
    seen = prove(course_folder, "1")
    assert set(problems(seen)) == {"01-hello solution 03-words"}
    change(
        course_folder, "steps/01-hello/step.toml", "executable", 'unseen = ["w*.txt"]\nexecutable'
    )
    trials = prove(course_folder, "1", "3", fresh=True)
    assert problems(trials) == {}
    assert [name for name, each in trials.items() if each.cached] == ["01-hello solution 03-words"]
    known = trials["01-hello solution 02-name"].verdicts
    assert trials["01-hello solution 03-words"].verdicts == known


def test_what_a_step_never_sees_stays_as_it_was(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks_only(monkeypatch)
    add_a_step(course_folder)
    # a file of the first step, which the second one leaves alone, and the third one changes
    first = course_folder / "solutions" / "01-hello" / "requirements.txt"
    third = course_folder / "solutions" / "03-words" / "requirements.txt"
    third.write_text(first.read_text() + "# later\n")
    seen = prove(course_folder, "2")
    assert [name for name, each in seen.items() if each.cached] == []
    hide = 'unseen = ["w*.txt", "req*.txt"]\nremoves'
    change(course_folder, "steps/02-name/step.toml", "removes", hide)
    trials = prove(course_folder, "2", fresh=True)
    assert problems(trials) == {}
    assert [name for name, each in trials.items() if each.cached] == ["02-name solution 03-words"]


def test_a_check_that_breaks_is_no_red_one(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks_only(monkeypatch)
    change(course_folder, "steps/02-name/test_name.py", "project.path", "project.pfad")
    found = problems(prove(course_folder, "2"))
    assert set(found) == {"02-name start 01-hello", "02-name solution 02-name"}
    for (problem,) in found.values():
        assert problem.startswith("test_name is error")
        assert "pfad" in problem


def test_checks_that_cannot_be_read_are_no_green_ones(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks_only(monkeypatch)
    change(course_folder, "steps/02-name/test_name.py", "from workshop", "from wrokshop")
    found = problems(prove(course_folder, "2"))
    assert set(found) == {"02-name start 01-hello", "02-name solution 02-name"}


def test_a_stage_that_does_not_deploy_is_caught(course_folder: Path) -> None:
    app = course_folder / "solutions" / "02-name" / "app.py"
    app.write_text(app.read_text() + '\nraise SystemExit("World is gone")\n')
    found = problems(prove(course_folder, "2"))
    assert set(found) == {"02-name deploy 02-name"}
    (problem,) = found["02-name deploy 02-name"]
    assert "World is gone" in problem


def test_a_skip_is_counted_said_and_never_kept(course_folder: Path) -> None:
    change(
        course_folder, "steps/02-name/test_name.py", "    text =",
        '    import pytest\n\n    pytest.skip("needs a container engine")\n    text =',
    )  # fmt: skip
    lint.record(course.load(course_folder))
    words = [sys.executable, "-m", "workshop", "verify", "2", "--course", str(course_folder)]
    for _ in range(2):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.stdout.count("green 02-name") == 3
        assert done.stdout.endswith(
            "2 checks skipped:\n"
            "  02-name test_name: needs a container engine\n"
            "  02-name test_name: needs a container engine\n"
        )
        assert done.returncode == 0
    assert "1 of them known already" in done.stdout


def test_json_junit_and_the_exit_code(course_folder: Path, tmp_path: Path) -> None:
    change(course_folder, "solutions/02-name/app.py", "World", "Earth")
    done = subprocess.run(
        [
            sys.executable, "-m", "workshop", "verify", "2", "--course", str(course_folder),
            "--json", "--junit", "report.xml",
        ],
        cwd=tmp_path, capture_output=True, text=True, env=os.environ, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "[3/3]" in done.stderr
    trials = json.loads(done.stdout)
    assert [trial["kind"] for trial in trials] == ["start", "solution", "deploy"]
    assert trials[1]["problems"] == ["test_name is red: it says hello to nobody"]
    (suite,) = Xml.parse(tmp_path / "report.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")


def test_checks_that_look_back_are_told_from_those_that_do_not(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tree is the same, and what was before it is not."""
    checks_only(monkeypatch)
    add_a_step(course_folder)
    hide = 'unseen = ["w*.txt"]\nremoves'
    change(course_folder, "steps/02-name/step.toml", "removes", hide)
    assert known(prove(course_folder, "2")) == ["02-name solution 03-words"]
    change(course_folder, "steps/02-name/test_name.py", "    text =", "    # committed\n    text =")
    assert known(prove(course_folder, "2")) == []
    everything = ["02-name start 01-hello", "02-name solution 02-name", "02-name solution 03-words"]
    assert known(prove(course_folder, "2")) == everything
    change(course_folder, "steps/03-words/step.toml", "Say", "Tell")
    assert known(prove(course_folder, "2")) == []


def known(trials: dict[str, Trial]) -> list[str]:
    return [name for name, each in trials.items() if each.cached]


def test_what_is_changed_while_it_is_judged_is_not_kept(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks_only(monkeypatch)
    file = course_folder / "solutions" / "02-name" / "app.py"
    before = file.read_text()
    judge = verify._checked

    def meanwhile(*args: Any) -> Trial:
        trial = judge(*args)
        file.write_text(before + "# saved meanwhile\n")
        return trial

    with monkeypatch.context() as patched:
        patched.setattr(verify, "_checked", meanwhile)
        assert problems(prove(course_folder, "2")) == {}
    file.write_text(before)
    assert "02-name solution 02-name" not in known(prove(course_folder, "2"))


def test_a_rollout_has_the_cluster_to_itself_and_checks_share_it(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = course.load(course_folder)
    step = loaded.steps[0]
    inside = step._replace(needs=("containers", "cluster"))
    tasks = [
        *(planning.Task("solution", step, step.tag, (), f"here {each}") for each in range(6)),
        *(planning.Task("solution", inside, step.tag, (), f"cluster {each}") for each in range(4)),
        *(planning.Task("rollout", inside, step.tag, (), f"rollout {each}") for each in range(2)),
    ]
    running: set[str] = set()
    beside: dict[str, set[str]] = {}
    most: dict[str, int] = {}  # how many ran at the same time

    def wait(_: object, __: object, task: planning.Task) -> Trial:
        running.add(task.key)
        for _ in range(20):
            for each in [*running]:
                beside.setdefault(each, set()).update([*running])
                most[each] = max(most.get(each, 0), len([*running]))
            time.sleep(0.01)
        running.remove(task.key)
        return Trial(task.kind, task.step.tag, task.stage)

    monkeypatch.setattr(verify, "_try", wait)
    monkeypatch.setattr(verify, "_roll", wait)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    made = [number for number, _ in verify._run(loaded, tasks, range(len(tasks)))]
    assert sorted(made) == [*range(len(tasks))]
    for name in ("rollout 0", "rollout 1"):
        assert {each.split()[0] for each in beside[name] - {name}} == {"here"}
        assert most[name] == 2  # its load has a core for itself
    assert max(most.values()) == 4  # and afterwards everybody works
    checks = {f"cluster {each}" for each in range(4)}
    assert any(beside[each] & (checks - {each}) for each in checks)


def test_rollouts_have_one_production_and_a_failed_one_leaves_nothing(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a cluster: what is asked of it, and in which order."""
    loaded = course.load(course_folder)
    tasks = [planning.Task("rollout", step, step.tag, (), step.tag) for step in loaded.steps]
    said: list[str] = []
    projects: set[Path] = set()
    fails: set[str] = set()

    def deploy(project: Path, *_: object, revision: str) -> kubernetes.Rollout:
        projects.add(project)
        git.commit(project, f"refs/tags/{revision}")  # it has every stage
        said.append(revision)
        if revision in fails:
            raise WorkshopError("it never became ready", "Look.")
        return kubernetes.Rollout("production", "here", revision, "image", "look", 1.0)

    class Visitors:
        def stop(self) -> sending.Report:
            return sending.Report(5000, 5000, {}, {}, {200: 5000}, 0.1, 50.0)

    @contextlib.contextmanager
    def inside(*_: object) -> Iterator[Visitors]:
        yield Visitors()

    monkeypatch.setattr(needs, "missing", lambda _: "")
    monkeypatch.setattr(deploys, "rolls", lambda *_: True)
    monkeypatch.setattr(deploys, "_cluster", lambda _: SimpleNamespace(service="demo"))
    monkeypatch.setattr(kubernetes, "deploy", deploy)
    monkeypatch.setattr(kubernetes, "forget", lambda _: said.append("all removed"))
    monkeypatch.setattr(underload, "inside", inside)

    one, two = (step.tag for step in loaded.steps)
    made = dict(verify._run(loaded, tasks, [1, 0]))
    assert [each.verdicts for each in made.values()] == [(), ()]
    assert said == [one, one, one, two, "all removed"]
    assert len(projects) == 1
    assert not any(each.exists() for each in projects)

    said.clear()
    fails.add(one)
    made = dict(verify._run(loaded, tasks, [0, 1]))
    assert [each.verdicts[0].seen for _, each in sorted(made.items())] == 2 * [
        str(WorkshopError("it never became ready", "Look."))
    ]
    assert said == [one, "all removed", one, "all removed", "all removed"]
