"""Step 03: PostgreSQL, attached by DATABASE_URL."""

import pytest

from workshop.checks import expect

ADA = {
    "DJANGO_SUPERUSER_USERNAME": "ada",
    "DJANGO_SUPERUSER_PASSWORD": "correct-horse-battery-staple",
    "DJANGO_SUPERUSER_EMAIL": "ada@shop.example",
}
ADMIN = 'Add path("admin/", admin.site.urls) to application/urls.py, and the admin\'s apps.'


def test_database_url_is_required(project):
    """Without DATABASE_URL it refuses to start, and says what is missing."""
    said = project.refusal(project.config.without("DATABASE_URL"))
    expect(
        said,
        seen="it started without DATABASE_URL",
        expected="no start, and a message that names DATABASE_URL",
        do="Read it with no default, in application/settings.py: env.db('DATABASE_URL')",
    )
    expect(
        "DATABASE_URL" in said,
        seen=f"it did not start, and the reason does not name DATABASE_URL:\n{said}",
        expected="a message that names DATABASE_URL",
        do="Mend what the message says. The missing address should be the only reason left.",
    )


def test_migrate(project, database):
    """`manage.py migrate` makes the tables in the PostgreSQL that DATABASE_URL names."""
    done = project.release(database)
    expect(
        done.code == 0,
        seen=f"`manage.py migrate --noinput` failed:\n{done.tail}",
        expected="tables in a new PostgreSQL database",
        do="Mend what the last line above says. Is psycopg in requirements.txt?",
    )


@pytest.fixture(scope="module")
def ada(project, database):
    """Somebody who logged in, with the first database: each try costs a third of a second."""
    with project.serve(database=database) as site:
        site.get("/admin/login/").must_be(200, do=ADMIN)
        added = project.manage("createsuperuser", "--noinput", env=site.env | ADA)
        visitor = site.visitor()
        visitor.submit(
            "/admin/login/",
            username=ADA["DJANGO_SUPERUSER_USERNAME"],
            password=ADA["DJANGO_SUPERUSER_PASSWORD"],
        )
        yield visitor, added


def test_login(ada):
    """A user from the database can log in at /admin/."""
    visitor, added = ada
    expect(
        added.code == 0,
        seen=f"`manage.py createsuperuser` failed:\n{added.tail}",
        expected="a new user, kept in the database",
        do="Name django.contrib.auth in INSTALLED_APPS, in application/settings.py.",
    )
    page = visitor.get("/admin/")
    expect(
        page.status == 200,
        seen=f"after the login, GET /admin/ answered {page}",
        expected="200, the start page of the admin",
        do="Compare MIDDLEWARE with Django's documentation of the admin: sessions, auth, messages.",
    )


def test_swap_the_database(project, other_database, ada):
    """Another DATABASE_URL is another database, without a change of code."""
    visitor, _ = ada
    here = visitor.get("/admin/")
    expect(
        here.status == 200,
        seen=f"after the login, GET /admin/ answered {here}",
        expected="200, the start page of the admin",
        do="Mend the login first: test_login says how.",
    )
    with project.serve(database=other_database) as site:
        there = visitor.at(site).get("/admin/")
    expect(
        there.status == 302,
        seen="ada is a user in the first database only, and logged in with the second one",
        expected="with the second database, nobody knows her",
        do="Name the database nowhere but in DATABASE_URL.",
    )
