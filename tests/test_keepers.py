"""Two warm processes share a judgement: each check is judged once, and the order stays."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from workshop import course as courses
from workshop.checks.keeper import Said
from workshop.checks.keepers import Keepers
from workshop.model import Course, Verdict

# Each says in which process it was judged.
CHECKS = """
import os, time
from workshop.checks import CheckFailed

def judged(seconds):
    time.sleep(seconds)
    raise CheckFailed(seen=str(os.getppid()), expected="", do="")

def test_a():
    judged(0.2)

def test_b():
    judged(0.6)

def test_c():
    judged(0.3)
"""


@pytest.fixture
def good(course_folder: Path) -> Course:
    course = courses.load(course_folder)
    course.steps[0].tests[0].write_text(CHECKS)
    return course


class Heard:
    """What came out, one judgement after another."""

    def __init__(self, course: Course) -> None:
        self._said: queue.Queue[Said] = queue.Queue()
        self.keepers = Keepers(course.root, self._said.put)

    def until(self, run: int) -> tuple[dict[str, Verdict], int | None]:
        found: dict[str, Verdict] = {}
        while True:
            said = self._said.get(timeout=60)
            assert not said.broken, said
            if said.run != run:
                continue
            if said.code is not None:
                return found, said.code
            assert said.verdict is not None
            assert said.verdict.check not in found  # nobody judges twice
            found[said.verdict.check] = said.verdict


@pytest.fixture
def heard(good: Course, started: Callable[[], set[psutil.Process]]) -> Iterator[Heard]:
    made = Heard(good)
    yield made
    made.keepers.close()
    assert started() == set()


def test_from_the_second_time_on_they_share(heard: Heard, good: Course, project: Path) -> None:
    step = good.steps[0]
    first, code = heard.until(heard.keepers.ask(project, step))
    assert code == 0
    assert len({each.seen for each in first.values()}) == 1
    second, code = heard.until(heard.keepers.ask(project, step))
    assert code == 0
    # the slowest alone, the others together
    assert second["test_a"].seen == second["test_c"].seen != second["test_b"].seen
    mixed = {name: second[name] for name in ("test_c", "test_b", "test_a")}
    assert heard.keepers.in_order(mixed) == ("test_a", "test_b", "test_c")


ON_ALL_CORES = """
import pytest

@pytest.fixture(scope="module")
def trials():
    return 1

@pytest.fixture(scope="module")
def as_it_is(trials):
    return trials

"""


def test_what_is_busy_on_all_cores_stays_together(
    heard: Heard, good: Course, project: Path
) -> None:
    step = good.steps[0]
    text = CHECKS.replace("def test_b():", "def test_b(as_it_is):")
    step.tests[0].write_text(ON_ALL_CORES + text.replace("def test_c():", "def test_c(trials):"))
    heard.until(heard.keepers.ask(project, step))
    found, code = heard.until(heard.keepers.ask(project, step))
    assert code == 0
    # by their times alone, the two shorter ones would share a process
    assert found["test_b"].seen == found["test_c"].seen != found["test_a"].seen


OF_THEIR_FILE = """
import pytest

@pytest.fixture(scope="module")
def ada():
    return 1

@pytest.fixture
def quick():
    return 1

"""


def test_what_their_file_makes_for_them_is_made_once(
    heard: Heard, good: Course, project: Path
) -> None:
    step = good.steps[0]
    text = CHECKS.replace("def test_a():", "def test_a(quick):")
    text = text.replace("def test_b():", "def test_b(ada, quick):")
    step.tests[0].write_text(OF_THEIR_FILE + text.replace("def test_c():", "def test_c(ada):"))
    heard.until(heard.keepers.ask(project, step))
    found, code = heard.until(heard.keepers.ask(project, step))
    assert code == 0
    assert found["test_b"].seen == found["test_c"].seen != found["test_a"].seen


def test_checks_that_have_changed_are_judged_by_one(
    heard: Heard, good: Course, project: Path
) -> None:
    step = good.steps[0]
    heard.until(heard.keepers.ask(project, step))
    step.tests[0].write_text(CHECKS.replace("test_c", "test_d"))
    found, _ = heard.until(heard.keepers.ask(project, step))
    assert set(found) == {"test_a", "test_b", "test_d"}
    assert len({each.seen for each in found.values()}) == 1


def test_a_newer_judgement_ends_both_halves(heard: Heard, good: Course, project: Path) -> None:
    step = good.steps[0]
    heard.until(heard.keepers.ask(project, step))
    heard.until(heard.keepers.ask(project, step))
    heard.keepers.ask(project, step)
    found, code = heard.until(heard.keepers.ask(project, step))
    assert (len(found), code) == (3, 0)


def test_one_that_dies_over_it_is_said(
    good: Course, project: Path, started: Callable[[], set[psutil.Process]]
) -> None:
    said: queue.Queue[Said] = queue.Queue()
    keepers = Keepers(good.root, said.put)
    good.steps[0].tests[0].write_text("def test_slow():\n    import time\n    time.sleep(30)\n")
    try:
        run = keepers.ask(project, good.steps[0])
        for each in started():
            each.kill()
        assert said.get(timeout=30) == Said(run, broken="the process of the checks ended")
        assert said.get(timeout=30) == Said(run, code=3)
        with pytest.raises(OSError):  # a pipe that nobody reads
            keepers.ask(project, good.steps[0])
    finally:
        keepers.close()
