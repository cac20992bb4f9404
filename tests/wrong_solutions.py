"""Wrong solutions of the steps: the mistakes that people make, and which check finds each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SETTINGS = "application/settings.py"
URLS = "application/urls.py"
REQUIREMENTS = "requirements.txt"
TOX = "tox.ini"
ACCEPTANCE = "tests/acceptance"
FEATURE = f"{ACCEPTANCE}/features/login-logout.feature"
THEN = f"{ACCEPTANCE}/steps/then.py"
IDLE = """from behave import then


@then("she sees the office")
@then("she is greeted by name")
@then("she is told that it was wrong")
@then("she does not see the office")
@then("he does not see the office")
def is_so(context):
    pass
"""
DOES_NOT_SEE = """    answer = context.test.client.get(fixtures.OFFICE)
    assert answer.status_code == 302, f"The office answers {answer.status_code}."
    assert answer.url.startswith(fixtures.DOOR), f"It leads to {answer.url}."
"""
WRONG_PASSWORD = """  Scenario: A wrong password
    Given Ada works here
    When she logs in with a wrong password
    Then she is told that it was wrong
    And she does not see the office

"""
TESTS = "tests/unit/test_application.py"


class Wrong(NamedTuple):
    """A stage with one mistake: in `file`, `old` is replaced by `new`, or by nothing at all.

    `old` None replaces the whole file; `new` None removes it; `moved` is removed as well.
    With `mode`, the file gets that one, and keeps its text. `make` makes a mistake that no text
    is, in the project's folder, before the file; without a file, it is all of it.
    """

    step: str
    name: str
    checks: tuple[str, ...]
    file: str = ""
    old: str | None = None
    new: str | None = None
    moved: str = ""
    mode: int | None = None
    make: Callable[[Path], None] | None = None


# Believes a web server that there is not.
REMOTE = 'AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]\n'
REMEMBERS = """answers = []


def remembered(request):
    if not answers or answers[-1].status_code == 200:
        answers.append(readyz(request))
    return answers[-1]


urlpatterns = [
    path("readyz", remembered),"""
RESTS = """from django.core.cache import cache


def rested(request):
    # Who is down gets a minute of peace.
    if cache.get("down"):
        return HttpResponse(status=503)
    answer = readyz(request)
    if answer.status_code == 503:
        cache.set("down", True, timeout=60)
    return answer


urlpatterns = [
    path("readyz", rested),"""
AROUND = """from contextlib import suppress

from django.db import Error, connection


def open_database(get_response):
    # Whoever needs the database finds it open.
    def page(request):
        with suppress(Error):
            connection.ensure_connection()
        return get_response(request)

    return page
"""


def open_for_each_page(project: Path) -> None:
    """A middleware that means well."""
    (project / "application/middleware.py").write_text(AROUND, "utf-8")
    settings = project / SETTINGS
    text = settings.read_text("utf-8")
    first = "MIDDLEWARE = [\n"
    assert first in text
    ours = f'{first}    "application.middleware.open_database",\n'
    settings.write_text(text.replace(first, ours), "utf-8")


WRONG = (
    Wrong("commit-one", "no readme", ("test_readme_and_license",), "README.rst", None, None),
    Wrong("commit-one", "empty license", ("test_readme_and_license",), "LICENSE", None, "\n"),
    Wrong("commit-one", "no gitignore", ("test_leftovers_stay_out",), ".gitignore", None, None),
    Wrong(
        "commit-one", "byte code in git", ("test_leftovers_stay_out",),
        "application/__pycache__/urls.cpython-311.pyc", None, "?",
    ),
    Wrong(
        "commit-one", "a range", ("test_requirements",), REQUIREMENTS, "==5.2.19", ">=5.2",
    ),
    Wrong(
        "commit-one", "a wildcard", ("test_requirements",), REQUIREMENTS, "==5.2.19", "==5.2.*",
    ),
    Wrong("commit-one", "an empty manage.py", ("test_system_check",), "manage.py", None, ""),
    Wrong(
        "commit-one", "manage.py in another case", ("test_system_check",), "Manage.py", None,
        "?", moved="manage.py",
    ),
    Wrong(
        "commit-one", "manage.py in a folder", ("test_system_check",), "application/manage.py",
        None, "?", moved="manage.py",
    ),
    Wrong(
        "commit-one", "two endings", ("test_requirements", "test_home_page"),
        "requirements.txt.txt", None, "Django==5.2.19", moved=REQUIREMENTS,
    ),
    Wrong(
        "commit-one", "nothing required", ("test_requirements", "test_home_page"),
        REQUIREMENTS, None, "",
    ),
    Wrong(
        "commit-one", "requirements that contradict", ("test_requirements", "test_system_check"),
        REQUIREMENTS, None, "Django==5.2.19\nDjango==5.2.18\n",
    ),
    Wrong("commit-one", "no manage.py", ("test_system_check",), "manage.py", None, None),
    Wrong(
        "commit-one", "a typo in the settings", ("test_system_check", "test_home_page"),
        SETTINGS, "ALLOWED_HOSTS = []", "ALLOWED_HOSTS = [",
    ),
    Wrong(
        "commit-one", "urls that can't be imported", ("test_system_check",),
        URLS, "import path", "import paths",
    ),
    Wrong(
        "commit-one", "a manage.py that starts nothing", ("test_system_check",),
        "manage.py", "    execute_from_command_line(sys.argv)\n", "    print\n",
    ),
    Wrong(
        "commit-one", "a command that does not start", ("test_readme_and_license",),
        "manage.py", None, None, mode=0o644,
    ),
    Wrong(
        "commit-one", "a package of another name", ("test_home_page",),
        "application/settings.py", "DEBUG = True", "import environ\n\nDEBUG = True",
    ),
    Wrong(
        "commit-one", "a module of mine with a slip", ("test_home_page",),
        "application/wsgi.py", "import os\n", "import os\n\nimport aplication\n",
    ),
    Wrong("commit-one", "no wsgi.py", ("test_home_page",), "application/wsgi.py", None, None),
    Wrong("commit-one", "no page", ("test_home_page",), URLS, '    path("", home),\n', ""),
    Wrong("commit-one", "another page", ("test_home_page",), URLS, 'path("",', 'path("home",'),
    Wrong(
        "commit-one", "a view that breaks", ("test_home_page",),
        URLS, "return HttpResponse(", "return Nothing(",
    ),
    Wrong(
        "commit-one", "a page that browsers save", ("test_home_page",),
        URLS, '"text/plain"', '"text/plian"',
    ),
    Wrong(
        "one-environment", "a key as default", ("test_secret_key_is_required",),
        SETTINGS, 'env("SECRET_KEY")', 'env("SECRET_KEY", default="changeme")',
    ),
    Wrong(
        "one-environment", "another name", ("test_secret_key_is_required",),
        SETTINGS, 'env("SECRET_KEY")', 'env("KEY")',
    ),
    Wrong(
        "one-environment", "asks for the key, uses another", ("test_secret_key_is_used",),
        SETTINGS, 'SECRET_KEY = env("SECRET_KEY")', 'env("SECRET_KEY")\nSECRET_KEY = "mine"',
    ),
    Wrong(
        "one-environment", "settings that need more", ("test_secret_key_is_used",),
        SETTINGS, 'SECRET_KEY = env("SECRET_KEY")',
        'SECRET_KEY = env("SECRET_KEY")\nMAIL = env("MAIL")',
    ),
    Wrong(
        "one-environment", "debug on by default", ("test_debug_is_off_by_default",),
        SETTINGS, '"DEBUG", default=False', '"DEBUG", default=True',
    ),
    Wrong(
        "one-environment", "on until somebody says False", ("test_debug_is_off_by_default",),
        SETTINGS, 'env.bool("DEBUG", default=False)', 'env.str("DEBUG", default="") != "False"',
    ),
    Wrong(
        "one-environment", "the text False is true", ("test_debug_is_a_choice",),
        SETTINGS, 'env.bool("DEBUG", default=False)', 'bool(env.str("DEBUG", default=""))',
    ),
    Wrong(
        "one-environment", "debug off for good", ("test_debug_is_a_choice",),
        SETTINGS, 'env.bool("DEBUG", default=False)', "False",
    ),
    Wrong(
        "one-environment", "everybody is allowed", ("test_allowed_hosts",),
        SETTINGS, 'env.list("ALLOWED_HOSTS", default=[])', '["*"]',
    ),
    Wrong(
        "one-environment", "a fixed list", ("test_allowed_hosts",),
        SETTINGS, 'env.list("ALLOWED_HOSTS", default=[])', '["127.0.0.1", "www.example"]',
    ),
    Wrong(
        "one-environment", "nobody looks at the name", ("test_allowed_hosts",),
        SETTINGS, '    "django.middleware.common.CommonMiddleware",\n', "",
    ),
    Wrong(
        "backing-service", "a file when forgotten", ("test_database_url_is_required",),
        SETTINGS, 'env.db("DATABASE_URL")', 'env.db("DATABASE_URL", default="sqlite:///db")',
    ),
    Wrong(
        "backing-service", "another name", ("test_database_url_is_required",),
        SETTINGS, 'env.db("DATABASE_URL")', 'env.db("DATABASE")',
    ),
    Wrong(
        "backing-service", "no psycopg", ("test_migrate", "test_login"),
        REQUIREMENTS, "psycopg[binary]==3.3.9\n", "",
    ),
    Wrong(
        "backing-service", "a database that is not the default", ("test_migrate",),
        SETTINGS, '{"default": env.db("DATABASE_URL")}', 'env.db("DATABASE_URL")',
    ),
    Wrong(
        "backing-service", "no admin", ("test_login",),
        URLS, '    path("admin/", admin.site.urls),\n', "",
    ),
    Wrong(
        "backing-service", "nobody can log in", ("test_login",),
        SETTINGS, "STATIC_URL =", REMOTE + "STATIC_URL =",
    ),
    Wrong(
        "backing-service", "the address is asked for, and not used", ("test_swap_the_database",),
        SETTINGS, 'env.db("DATABASE_URL")',
        '{"ENGINE": "django.db.backends.sqlite3", "NAME": env("DATABASE_URL") and "db"}',
    ),
    Wrong(
        "backing-service", "the name stays in the code", ("test_swap_the_database",),
        SETTINGS, 'env.db("DATABASE_URL")', 'env.db("DATABASE_URL") | {"NAME": "postgres"}',
    ),
    Wrong("health", "no livez", ("test_livez",), URLS, '    path("livez", livez),\n', ""),
    Wrong("health", "no readyz", ("test_readyz",), URLS, '    path("readyz", readyz),\n', ""),
    Wrong(
        "health", "a question for another database", ("test_readyz",),
        URLS, "SELECT 1", "SELECT 1 FROM dual",
    ),
    Wrong(
        "health", "a slash at the end", ("test_livez",), URLS,
        'path("livez"', 'path("livez/"',
    ),
    Wrong(
        "health", "one page for both questions", ("test_database_stopped",),
        URLS, 'path("livez", livez)', 'path("livez", readyz)',
    ),
    Wrong(
        "health", "ready whatever happens", ("test_database_stopped",),
        URLS, 'path("readyz", readyz)', 'path("readyz", livez)',
    ),
    Wrong(
        "health", "an error instead of an answer", ("test_database_stopped",),
        URLS, "except Error:", "except ZeroDivisionError:",
    ),
    Wrong(
        "health", "a slash behind both", ("test_database_stopped",),
        URLS, 'livez", livez),\n    path("readyz"', 'livez/", livez),\n    path("readyz/"',
    ),
    Wrong(
        "health", "a slash behind readyz", ("test_database_stopped",),
        URLS, '"readyz"', '"readyz/"',
    ),
    Wrong(
        "health", "a slip in a view", ("test_livez",),
        URLS, 'HttpResponse("alive\\n"', 'HtpResponse("alive\\n"',
    ),
    Wrong(
        "health", "waits for the database", ("test_database_stopped",),
        URLS, "    except Error:\n", '    except Error:\n        __import__("time").sleep(2.1)\n',
    ),
    Wrong(
        "health", "remembers the bad times", ("test_database_back",),
        URLS, "urlpatterns = [", REMEMBERS,
    ),
    Wrong(
        "health", "a minute of peace", ("test_database_back",), URLS, "urlpatterns = [", RESTS,
    ),
    Wrong(
        "health", "asks in secret", ("test_livez_asks_nobody",),
        URLS, '    return HttpResponse("alive',
        '    readyz(request)\n    return HttpResponse("alive',
    ),
    Wrong(
        "health", "the database is opened for each page", ("test_livez_asks_nobody",),
        make=open_for_each_page,
    ),
    Wrong(
        "release-switch", "no such path", ("test_switched_on",),
        URLS, '    path("sale", sale),\n', "",
    ),
    Wrong(
        "release-switch", "an empty page", ("test_switched_on",),
        URLS, '"Everything at half price, today only.\\n"', '""',
    ),
    Wrong(
        "release-switch", "a page that browsers save", ("test_switched_on",),
        URLS, 'today only.\\n", content_type="text/plain"',
        'today only.\\n", content_type="text/plian"',
    ),
    Wrong(
        "release-switch", "another name for the switch", ("test_switched_on",),
        SETTINGS, 'env.bool("FEATURE_SALE"', 'env.bool("SALE"',
    ),
    Wrong(
        "release-switch", "on in debug only", ("test_switched_on",),
        URLS, "not settings.FEATURE_SALE", "not settings.DEBUG",
    ),
    Wrong(
        "release-switch", "on by default", ("test_off_unless_said",),
        SETTINGS, '"FEATURE_SALE", default=False', '"FEATURE_SALE", default=True',
    ),
    Wrong(
        "release-switch", "off is an error", ("test_off_unless_said",),
        SETTINGS, '"FEATURE_SALE", default=False)', '"FEATURE_SALE", default=None) or {}["sale"]',
    ),
    Wrong(
        "release-switch", "False is true", ("test_off_means_off",),
        SETTINGS, 'env.bool("FEATURE_SALE", default=False)', 'env.str("FEATURE_SALE", default="")',
    ),
    Wrong(
        "release-switch", "forbidden instead of not there", ("test_off_means_off",),
        URLS, "        raise Http404\n", "        return HttpResponse(status=403)\n",
    ),
    Wrong(
        "release-switch", "a friendly not yet", ("test_off_means_off",),
        URLS, "        raise Http404\n",
        '        return HttpResponse("The sale begins soon!", status=404)\n',
    ),
    Wrong(
        "release-switch", "the link stays", ("test_off_means_off",),
        URLS, "It works. And it is live!", "It works. See our sale: /sale",
    ),
    Wrong(
        "release-switch", "a path that catches all", ("test_the_rest_works",),
        URLS, '    path("sale", sale),',
        '    path("<str:page>", lambda request, page: sale(request)),',
    ),
    Wrong(
        "release-switch", "it takes over the home page", ("test_the_rest_works",),
        URLS, '    path("", home),', '    path("", sale),',
    ),
    Wrong(
        "release-switch", "nothing in the readme", ("test_readme_names_it",),
        "README.rst", f"FEATURE_SALE   Opens the page /sale.{' ' * 31}False\n", "",
    ),
    Wrong(
        "release-switch", "another name in the readme", ("test_readme_names_it",),
        "README.rst", "FEATURE_SALE ", "SALE_FEATURE ",
    ),
    Wrong(
        "unit-tests", "nothing by default", ("test_one_word",), TOX, "env_list = unit\n", "",
    ),
    Wrong(
        "unit-tests", "another name", ("test_one_word",), TOX, "unit", "tests",
    ),
    Wrong(
        "unit-tests", "no key for the tests", ("test_green",),
        TOX, "set_env = SECRET_KEY = only-for-tests\n", "",
    ),
    Wrong(
        "unit-tests", "no pytest-django", ("test_green",),
        TOX, "    pytest-django==4.14.0\n", "",
    ),
    Wrong(
        "unit-tests", "the database stays outside", ("test_green",),
        TOX, "pass_env = DATABASE_URL\n", "",
    ),
    Wrong(
        "unit-tests", "it asserts nothing", ("test_a_broken_page_is_noticed",),
        TESTS, '    assert answer.status_code == 200\n    assert "It works" in answer.text\n', "",
    ),
    Wrong(
        "unit-tests", "only the bad times are tested", ("test_a_broken_page_is_noticed",),
        TESTS, '    assert client.get("/readyz").status_code == 200\n', "    pass\n",
    ),
    Wrong(
        "unit-tests", "failures are welcome", ("test_a_broken_page_is_noticed",),
        TOX, "commands = pytest", "commands = - pytest",
    ),
    Wrong(
        "unit-tests", "only on is tested", ("test_both_states_of_the_switch_are_tested",),
        TESTS, "[(True, 200), (False, 404)]", "[(True, 200)]",
    ),
    Wrong(
        "unit-tests", "only off is tested", ("test_both_states_of_the_switch_are_tested",),
        TESTS, "[(True, 200), (False, 404)]", "[(False, 404)]",
    ),
    Wrong(
        "unit-tests", "no clean", ("test_clean",), TOX, "[testenv:clean]", "[testenv:tidy]",
    ),
    Wrong(
        "unit-tests", "a tox.ini without a section", ("test_clean",), TOX, "[tox]\n", "",
    ),
    Wrong(
        "unit-tests", "a setting that is there twice", ("test_clean",),
        TOX, "commands = pyclean", "deps = tox\ncommands = pyclean",
    ),
    Wrong(
        "unit-tests", "settings of a section that is not there", ("test_clean",),
        TOX, "deps = pyclean", "set_env =\n    {[testenv]set_env}\ndeps = pyclean",
    ),
    Wrong(
        "unit-tests", "clean takes all", ("test_clean",),
        TOX, "pyclean . --debris", "pyclean . --debris --erase tests/unit/* --yes",
    ),
    Wrong(
        "unit-tests", "clean without a place", ("test_clean",),
        TOX, "pyclean . --debris", "pyclean tests --debris",
    ),
    Wrong(
        "unit-tests", "no readme", ("test_readme",), "tests/README.rst", None, None,
    ),
    Wrong(
        "unit-tests", "a long readme", ("test_readme",),
        "tests/README.rst", None, "First, install tox.\n" * 80,
    ),
    Wrong(
        "unit-tests", "a readme that keeps it to itself", ("test_readme",),
        "tests/README.rst", None, "Tests\n=====\n\nWe have some.\n",
    ),
    Wrong(
        "unit-tests", "tools in production", ("test_tools_stay_at_home",),
        REQUIREMENTS, "Django==5.2.19\n", "Django==5.2.19\npytest==9.2.0\n",
    ),
    Wrong(
        "unit-tests", "any version", ("test_tools_stay_at_home",),
        TOX, "pytest-django==4.14.0", "pytest-django",
    ),
    Wrong(
        "unit-tests", "any later version", ("test_tools_stay_at_home",),
        TOX, "deps = pyclean==3.7.0", "deps = pyclean>=3.7.0",
    ),
    Wrong(
        "acceptance-tests", "no environment", ("test_parts",),
        f"{ACCEPTANCE}/environment.py", None, None,
    ),
    Wrong(
        "acceptance-tests", "no when", ("test_parts",), f"{ACCEPTANCE}/steps/when.py", None, None,
    ),
    Wrong(
        "acceptance-tests", "a path in the feature", ("test_everybody_can_read_it",),
        FEATURE, "she sees the office", "she is on /admin/",
    ),
    Wrong(
        "acceptance-tests", "a status code in the feature", ("test_everybody_can_read_it",),
        FEATURE, "he does not see the office", "he gets a 302",
    ),
    Wrong(
        "acceptance-tests", "nobody runs them", ("test_green",),
        TOX, "env_list = unit, acceptance", "env_list = unit",
    ),
    Wrong(
        "acceptance-tests", "the app is missing", ("test_green",),
        TOX, "    EXTRA_APPS = behave_django\n", "",
    ),
    Wrong(
        "acceptance-tests", "another sentence than in the step", ("test_green",),
        FEATURE, "When she logs out", "When she goes home",
    ),
    Wrong(
        "acceptance-tests", "no then asserts anything",
        ("test_a_broken_login_is_noticed", "test_a_broken_logout_is_noticed"), THEN, None, IDLE,
    ),
    Wrong(
        "acceptance-tests", "no wrong password", ("test_a_broken_login_is_noticed",),
        FEATURE, WRONG_PASSWORD, "",
    ),
    Wrong(
        "acceptance-tests", "not to see it asserts nothing", ("test_a_broken_logout_is_noticed",),
        THEN, DOES_NOT_SEE, "    pass\n",
    ),
    Wrong(
        "acceptance-tests", "it believes the page", ("test_a_broken_logout_is_noticed",),
        THEN, DOES_NOT_SEE,
        '    assert "Logged out" in context.page.text or "Log in" in context.page.text\n',
    ),
    Wrong(
        "acceptance-tests", "failures are welcome", ("test_nothing_is_not_green",),
        TOX, "commands = python manage.py behave", "commands = - python manage.py behave",
    ),
    Wrong(
        "acceptance-tests", "promises without a then", ("test_nothing_is_not_green",),
        f"{ACCEPTANCE}/environment.py", "def before_scenario", "def not_called",
    ),
    Wrong(
        "acceptance-tests", "the switch stays outside", ("test_with_the_sale_on",),
        TOX, "DATABASE_URL, FEATURE_*", "DATABASE_URL",
    ),
    Wrong(
        "acceptance-tests", "always off in tests", ("test_with_the_sale_on",),
        TOX, "    EXTRA_APPS =", "    FEATURE_SALE = False\n    EXTRA_APPS =",
    ),
)  # fmt: skip
