"""The demo project's trees are those of the talk, as far as they exist."""

from __future__ import annotations

import pytest

from workshop import course as courses
from workshop import history

APPLICATION = {
    "LICENSE", "README.rst", "application/__init__.py", "application/settings.py",
    "application/urls.py", "application/wsgi.py", "manage.py", "requirements.txt",
}  # fmt: skip
DEVELOPMENT = {
    "docker-compose.yml", "manage.py", "requirements.txt", "tests/README.rst",
    "tests/acceptance/environment.py", "tests/acceptance/features/login-logout.feature",
    "tests/acceptance/steps/fixtures.py", "tests/acceptance/steps/given.py",
    "tests/acceptance/steps/then.py", "tests/acceptance/steps/when.py",
    "tests/unit/test_application.py", "tox.ini",
}  # fmt: skip
# Of the whole tree; the slide of the layer does not open this folder.
LISTS = {f"requirements/{name}" for name in ("base.in", "development.in", "production.in")} | {
    "requirements/production.txt"
}
DEPLOYMENT = {"deployment/application/Dockerfile"}  # so far
SERVERS = DEPLOYMENT | {
    "deployment/application/entrypoint.sh", "deployment/application/uwsgi.ini",
    "deployment/webserver/nginx.conf",
}  # fmt: skip
MANIFESTS = {"deployment/postgres.yaml"}
CLUSTER = {
    f"deployment/{each}"
    for each in (
        "README.rst", "application.yaml", "application-secrets.yaml", "postgres-secrets.yaml",
        "envs/development", "envs/integration", "envs/production",
    )
}  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "wanted"),
    [
        ("01-commit-one", APPLICATION),
        ("09-pinned", APPLICATION | DEVELOPMENT | LISTS),
        ("10-image", APPLICATION | DEVELOPMENT | LISTS | DEPLOYMENT),
        ("12-web-server", APPLICATION | DEVELOPMENT | LISTS | SERVERS),
        ("13-database", APPLICATION | DEVELOPMENT | LISTS | SERVERS | MANIFESTS),
        ("16-secrets", APPLICATION | DEVELOPMENT | LISTS | SERVERS | MANIFESTS | CLUSTER),
    ],
)
def test_a_stage_has_the_files_of_the_talk_and_no_others(tag: str, wanted: set[str]) -> None:
    course = courses.load(courses.default_root())
    stage = next(each for each in history.stages(course) if each.step.tag == tag)
    assert {path for path in stage.files if not path.startswith(".")} == wanted


def test_the_slides_count_them() -> None:
    assert (len(APPLICATION), len(DEVELOPMENT)) == (8, 12)
