"""Step 05: the feature is in the release. Whether it is on, the environment says."""

import pytest

from workshop.checks import expect

ON, OFF = {"FEATURE_SALE": "True"}, {"FEATURE_SALE": "False"}
SALE, NOWHERE = "/sale", "/no-such-page"
ASK = "Read it with env.bool, and raise Http404 in the view while settings.FEATURE_SALE is off."


@pytest.fixture
def open_shop(project):
    """The project with the sale switched on. To be off means nothing, if it is never on."""
    with project.serve(project.config | ON) as site:
        answer = site.get(SALE)
        expect(
            answer.status == 200,
            seen=f"FEATURE_SALE=True: GET /sale answered {answer}",
            expected="200, and the page of the sale",
            do="Write a view for the path sale, and read FEATURE_SALE in application/settings.py.",
        )
        yield site


def test_switched_on(open_shop):
    """FEATURE_SALE=True: the page /sale is there, and says something."""
    answer = open_shop.get(SALE)
    expect(
        answer.text.strip(),
        seen="FEATURE_SALE=True: GET /sale answered an empty page",
        expected="a page that says something",
        do="Return a text from the view of the sale.",
    )
    expect(
        answer.shown,
        seen=f"FEATURE_SALE=True: GET /sale answered {answer.kind}: a browser saves that as a file",
        expected="a page that a browser shows, such as text/plain or text/html",
        do="Look for a typing error in content_type, in the view of the sale.",
    )


@pytest.mark.usefixtures("open_shop")
def test_off_unless_said(project):
    """Nobody says FEATURE_SALE: then there is no sale."""
    with project.serve(project.config.without("FEATURE_SALE")) as site:
        answer = site.get(SALE)
    expect(
        answer.status == 404,
        seen=f"FEATURE_SALE is not set, and GET /sale answered {answer}",
        expected="404: what nobody asked for is off",
        do="Make off the default: env.bool('FEATURE_SALE', default=False)",
    )


@pytest.mark.usefixtures("open_shop")
def test_off_means_off(project):
    """FEATURE_SALE=False: /sale is like a page that does not exist, and no page leads there."""
    with project.serve(project.config | OFF) as site:
        answer, nowhere, home = site.get(SALE), site.get(NOWHERE), site.get("/")
    same = answer.text.replace(SALE, NOWHERE) == nowhere.text
    expect(
        answer.status == 404 and same,
        seen=f"FEATURE_SALE=False: GET /sale answered {answer}"
        + (", with a page of its own" if answer.status == 404 else ""),
        expected=f"the same as GET {NOWHERE}, to the letter",
        do=ASK,
    )
    expect(
        SALE not in home.text,
        seen="FEATURE_SALE=False: the home page leads to /sale",
        expected="no word of it",
        do="Show the link only while settings.FEATURE_SALE is on.",
    )


def test_the_rest_works(project, open_shop):
    """On or off, every other page works as before."""
    with project.serve(project.config | OFF) as closed_shop:
        for state, site in (("True", open_shop), ("False", closed_shop)):
            for path, wanted in (("/", 200), ("/livez", 200), ("/readyz", 200), (NOWHERE, 404)):
                answer = site.get(path)
                expect(
                    answer.status == wanted,
                    seen=f"FEATURE_SALE={state}: GET {path} answered {answer}",
                    expected=f"{wanted}, as before: a switch switches one thing",
                    do="Give the sale the path sale, and leave the other paths as they were.",
                )


def test_readme_names_it(project):
    """The README names FEATURE_SALE: whoever shall turn a switch must find it."""
    expect(
        any("FEATURE_SALE" in project.read(name) for name in project.find("README*")),
        seen="the README does not name FEATURE_SALE",
        expected="a line that says what it switches, and which value is the default",
        do="Add it to the table of variables in README.rst.",
    )
