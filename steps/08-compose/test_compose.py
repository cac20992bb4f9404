"""Step 08: one command from a fresh clone to a running project."""

import re

from workshop.checks import expect

LATE = 10  # seconds
SOON = 15.0  # seconds until a change must be seen
SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|KEY")
GIVEN = re.compile(r"\$\{?\w+(:?\?[^}]*)?\}?")  # ${NAME}: from outside, without a default
IN_ADDRESS = re.compile(r"//[^/@:]*:[^/@$]+@")  # user:password@
HERE = ("127.0.0.1", "::1")
CHANGE = """
from django.http import HttpResponse as Changed
from django.urls import path as changed

urlpatterns = [changed("changed", lambda request: Changed("changed")), *urlpatterns]
"""


def test_cold_start(stack):
    """A fresh clone answers after one command: `docker compose up`."""
    site = stack.up()
    site.get("/readyz").must_be(200, do="Give the project its database, by DATABASE_URL.")
    answer = site.visitor().submit("/admin/login/", username="nobody", password="nothing")
    answer.must_be(200, do="Run manage.py migrate before the server: there are no tables yet.")


def test_late_database(stack):
    """A database that is late is waited for."""
    stack.up(late=LATE).get("/readyz").must_be(200, do="Wait until the database is healthy.")


def test_same_postgresql(stack, database):
    """The database is PostgreSQL in the same major version as in production."""
    stack.up()
    found = [stack.ask(name, "postgres", "--version") for name in stack.databases]
    versions = ", ".join(filter(None, found))  # a job that has ended says nothing
    expect(
        versions and all(f" {database.major}." in each for each in versions.split(", ")),
        seen=f"the service {stack.databases[-1]} runs {versions or 'no PostgreSQL'}",
        expected=f"PostgreSQL {database.major}, as production has it",
        do=f"Take the image postgres:{database.major}.",
    )


def test_change_is_seen(stack):
    """A change of the code is seen without a restart."""
    site = stack.up()
    stack.append("application/urls.py", CHANGE)
    answer = stack.eventually(site, "/changed", SOON)
    expect(
        answer is not None and answer.status == 200,
        seen=f"{SOON:.0f} seconds after a change of application/urls.py, the old code answered",
        expected="the new code, as soon as the file is saved",
        do="Mount the project's folder (.:/project), and start it with manage.py runserver.",
    )


def test_only_this_machine(stack):
    """Nobody but this machine can reach it."""
    for name, service in stack.services.items():
        for port in service.get("ports", ()):
            expect(
                port.get("host_ip") in HERE,
                seen=f"the service {name} listens for everybody, on port {port.get('published')}",
                expected="a port that only this machine can reach",
                do=f'Write the address in front: "127.0.0.1:{port.get("published")}:...".',
            )


def test_no_secret(stack):
    """No secret stands in the file."""
    for name, service in stack.services.items():
        for variable, value in (service.get("environment") or {}).items():
            named = SECRET.search(variable) and not variable.endswith("_FILE")
            told = named and value and not GIVEN.fullmatch(str(value))
            expect(
                not told and not IN_ADDRESS.search(str(value or "")),
                seen=f"the service {name} is told a secret: {variable}",
                expected="no password and no key in a file that everybody can read",
                do="Make it when the service starts, or let nobody need it.",
            )
