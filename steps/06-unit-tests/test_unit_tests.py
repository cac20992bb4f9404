"""Step 06: tests that a colleague starts with one word, and that notice what breaks."""

import re

import pytest

from workshop.checks import expect
from workshop.checks.mistakes import answering

TESTS = "unit"  # the environment in tox.ini
TOOLS = ("pytest", "pytest-django", "tox", "behave", "behave-django", "pyclean")
SCREEN = 50  # lines
# 503 is what a test without a database wants of /readyz. One with a database must mind.
BROKEN = {page: answering(*page) for page in (("/", 500), ("/readyz", 503))}
STUCK = {
    f"{state}, on or off": answering("/sale", status, "Sale!")
    for state, status in (("open", 200), ("closed", 404))
}
NAME = re.compile(r"[\w.-]*")


@pytest.fixture(scope="module")
def as_it_is(trials):
    """How the tests end while nothing is broken: red for any reason proves nothing."""
    return trials.on()


def test_one_word(project):
    """`tox` runs the unit tests, without another word."""
    names = project.copy.environments()
    expect(
        "unit" in names,
        seen=f"`tox` runs {' and '.join(names) or 'nothing'}",
        expected="an environment that is called unit, among those that `tox` runs",
        do="In tox.ini, write a section [testenv:unit], and env_list = unit in [tox].",
    )


def test_green(as_it_is):
    """The unit tests are green, and ask for nothing but DATABASE_URL."""
    must_be_green(as_it_is)


@pytest.mark.mistakes(*BROKEN.values())
def test_a_broken_page_is_noticed(trials, as_it_is):
    """A page breaks, and `tox` turns red."""
    must_be_green(as_it_is)
    for (path, status), mistake in BROKEN.items():
        expect(
            trials.on(mistake).code != 0,
            seen=f"GET {path} answers {status}, and `tox -e unit` is green",
            expected="red, when a page breaks",
            do=f"Test in tests/unit that client.get({path!r}).status_code is 200.",
        )


@pytest.mark.mistakes(*STUCK.values())
def test_both_states_of_the_switch_are_tested(trials, as_it_is):
    """The sale is open though it is off, or closed though it is on, and `tox` turns red."""
    must_be_green(as_it_is)
    for what, mistake in STUCK.items():
        expect(
            trials.on(mistake).code != 0,
            seen=f"the sale is {what}, and `tox -e unit` is green",
            expected="red, when the switch does not work",
            do="Test /sale twice: 200 with settings.FEATURE_SALE on, and 404 with it off.",
        )


def test_clean(project):
    """`tox -e clean` takes away what Python leaves behind, and nothing of yours."""
    left = project.copy.path / "application" / "__pycache__" / "urls.cpython-311.pyc"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"left behind")
    done = project.copy.tox("clean", {})
    expect(
        done.code == 0 and not left.exists(),
        seen=f"`tox -e clean` left {left.relative_to(project.copy.path)} behind:\n{done.tail}",
        expected="no byte code, and exit code 0",
        do="Write [testenv:clean] with deps = pyclean, and commands = pyclean . --debris",
    )
    gone = [name for name in project.copy.names if not (project.copy.path / name).exists()]
    expect(
        not gone,
        seen=f"`tox -e clean` removed {', '.join(gone)}",
        expected="your files are still there",
        do="Take the --erase out of the command, or name less in it.",
    )


def test_readme(project):
    """tests/README.rst says how to run the tests, and fits on a screen."""
    text = project.read("tests/README.rst")
    length = len(text.splitlines())
    expect(
        "tox" in text and length <= SCREEN,
        seen=f"tests/README.rst has {length} lines"
        + ("" if "tox" in text else ", and none of them says tox"),
        expected=f"the command, and {SCREEN} lines at most",
        do="Say how to start them, and leave out what tox says itself.",
    )


def test_tools_stay_at_home(project):
    """Production does not get the tools for tests: tox.ini names them, with their versions."""
    installed = {line.partition("==")[0].lower() for line in project.requirements()}
    expect(
        not installed.intersection(TOOLS),
        seen=f"production installs {', '.join(sorted(installed.intersection(TOOLS)))}",
        expected="in the requirements, only what the project needs to run",
        do="Move them to deps in tox.ini.",
    )
    blocks = re.findall(r"(?m)^deps *=(.*(?:\n[ \t].*)*)", project.read("tox.ini"))
    asked = [line.strip() for block in blocks for line in block.splitlines()]
    loose = [line for line in asked if NAME.match(line)[0].lower() in TOOLS and "==" not in line]
    expect(
        not loose,
        seen=f"tox.ini asks for {', '.join(loose)}, in any version",
        expected="an exact version, so that green today is green tomorrow",
        do="Write NAME==VERSION for each line in deps.",
    )


def must_be_green(done):
    """The tests as they are must not be red."""
    expect(
        done.code == 0,
        seen=f"`tox -e unit` is red:\n{done.tail}",
        expected="green, with DATABASE_URL from outside and SECRET_KEY from tox.ini",
        do="Run it yourself, and mend the first thing that it says.",
    )
