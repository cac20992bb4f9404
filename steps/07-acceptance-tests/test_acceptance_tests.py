"""Step 07: what users may expect, in their own words, and tried."""

import re

import pytest

from workshop.checks import expect
from workshop.checks.mistakes import answering, appended

TESTS = "acceptance"  # the environment in tox.ini
FOLDER = "tests/acceptance"
FEATURE = f"{FOLDER}/features/login-logout.feature"
PARTS = (
    f"{FOLDER}/environment.py",
    FEATURE,
    *(f"{FOLDER}/steps/{name}.py" for name in ("fixtures", "given", "when", "then")),
)
# What a person from the business does not say: paths, names in code, abbreviations, status codes.
JARGON = re.compile(r"/|_|http|\b[A-Z]{3,}\b|\b[1-5]\d\d\b")
UNDEFINED = "\n  Scenario: A step that nobody explains\n    Then pigs can fly\n"
EMPTY = "\n  Scenario: A promise that nobody made\n    Given nothing at all\n"
NOTHING = '\n\nfrom behave import given as _given\n_given("nothing at all")(lambda context: None)\n'
EVERYBODY = """

class Everybody:
    def authenticate(self, request, username=None, **_):
        return self.get_user(username=username)

    def get_user(self, pk=None, **by):
        from django.contrib.auth import get_user_model

        return get_user_model().objects.filter(**(by or {"pk": pk})).first()

    def has_perm(self, *_, **__):
        return True

    has_module_perms = has_perm


AUTHENTICATION_BACKENDS = [f"{__name__}.Everybody"]
"""
ONLY_WITH_SALE = """

if FEATURE_SALE:
    AUTHENTICATION_BACKENDS = []
"""
SETTINGS = "application/settings.py"


NOBODY_IN = answering("/admin/login/", 200, "Try again later.", methods="POST")
EVERYBODY_IN = appended(SETTINGS, EVERYBODY)
NOBODY_OUT = answering("/admin/logout/", 200, "Logged out")
UNDEFINED_STEP = appended(FEATURE, UNDEFINED)
EMPTY_STEP = appended(FEATURE, EMPTY) | appended(f"{FOLDER}/steps/given.py", NOTHING)
WITH_SALE = appended(SETTINGS, ONLY_WITH_SALE, FEATURE_SALE="True")


@pytest.fixture(scope="module")
def as_it_is(trials):
    """How the tests end while nothing is broken: red for any reason proves nothing."""
    return trials.on()


def test_parts(project):
    """The feature, its steps and its fixtures are there, each in its place."""
    missing = [name for name in PARTS if not project.exists(name)]
    expect(
        not missing,
        seen=f"there is no {missing[0] if missing else ''}",
        expected="the feature, and given, when, then and fixtures in files of their own",
        do="Write the file that is missing.",
    )


def test_everybody_can_read_it(project):
    """The feature is written for people: not a word of how it is done."""
    lines = [line.strip() for line in project.read(FEATURE).splitlines()]
    odd = [line for line in lines if JARGON.search(line) and line[:1] not in "#@"]
    expect(
        not odd,
        seen=f"the feature says: {odd[0] if odd else ''}",
        expected="what somebody wants and gets, in the words of the business",
        do="Say what happens, not how. Paths and codes belong into the steps.",
    )


def test_green(project, as_it_is):
    """`tox` runs the acceptance tests, too, and they are green."""
    names = project.copy.environments()
    expect(
        "acceptance" in names,
        seen=f"`tox` runs {' and '.join(names)}",
        expected="acceptance, too",
        do="In tox.ini, add acceptance to env_list in [tox].",
    )
    must_be_green(as_it_is)


@pytest.mark.mistakes(NOBODY_IN, EVERYBODY_IN)
def test_a_broken_login_is_noticed(trials, as_it_is):
    """Nobody can log in, or everybody can, and `tox` turns red."""
    must_be_green(as_it_is)
    done = trials.on(NOBODY_IN)
    noticed(done, "nobody can log in", "Assert that who has logged in sees the office.")
    done = trials.on(EVERYBODY_IN)
    noticed(done, "every password is right", "Add a scenario with a wrong password.")


@pytest.mark.mistakes(NOBODY_OUT)
def test_a_broken_logout_is_noticed(trials, as_it_is):
    """Logout says good-bye and keeps the door open, and `tox` turns red."""
    must_be_green(as_it_is)
    done = trials.on(NOBODY_OUT)
    noticed(done, "nobody is logged out", "Assert that the office is closed afterwards.")


@pytest.mark.mistakes(UNDEFINED_STEP, EMPTY_STEP)
def test_nothing_is_not_green(trials, as_it_is):
    """A step that is not defined is an error, and so is a scenario without a Then."""
    must_be_green(as_it_is)
    done = trials.on(UNDEFINED_STEP)
    noticed(done, "a step is not defined", "Let behave decide: it must be able to fail.")
    done = trials.on(EMPTY_STEP)
    noticed(done, "a scenario has no Then", "Refuse it in environment.py: before_scenario.")


@pytest.mark.mistakes(WITH_SALE)
def test_with_the_sale_on(trials, as_it_is):
    """`FEATURE_SALE=True tox` tries the other state: a login that only breaks then is noticed."""
    must_be_green(as_it_is)
    done = trials.on(WITH_SALE)
    noticed(done, "the sale breaks the login", "Let the switches through: pass_env = FEATURE_*")


def must_be_green(done):
    """The tests as they are must not be red."""
    expect(
        done.code == 0,
        seen=f"`tox -e acceptance` is red:\n{done.tail}",
        expected="green, with nothing but DATABASE_URL from outside",
        do="Run it yourself, and mend the first thing that it says.",
    )


def noticed(done, what, do):
    """The tests must be red, since this is broken."""
    expect(done.code != 0, seen=f"{what}, and `tox -e acceptance` is green", expected="red", do=do)
