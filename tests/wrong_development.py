"""Wrong solutions of the steps about Compose and pinned packages."""

from __future__ import annotations

import re
from pathlib import Path

from wrong_solutions import REQUIREMENTS, Wrong

COMPOSE = "docker-compose.yml"
BASE = "requirements/base.in"
LOCK = "requirements/production.txt"
PINNED = Path(__file__).parents[1] / "solutions" / "09-pinned"
HEALTHY = "      database:\n        condition: service_healthy\n"
LOOK = "pg_isready --host 127.0.0.1 --username postgres"
KEY = "export SECRET_KEY=$$(cat /proc/sys/kernel/random/uuid)"
A_FILE_INSTEAD = f"""services:
  application:
    image: python:3.13-slim
    working_dir: /project
    volumes: [".:/project"]
    environment: {{DATABASE_URL: "sqlite:////tmp/db", DEBUG: "True"}}
    command:
      - sh
      - -ec
      - |
        {KEY}
        pip install --quiet --requirement requirements.txt
        python manage.py migrate --noinput
        exec python manage.py runserver 0.0.0.0:8000
    ports: ["127.0.0.1:8080:8000"]
"""

COMPOSED = (Path(__file__).parents[1] / "solutions" / "08-compose" / COMPOSE).read_text("utf-8")
STARTED_ONLY = COMPOSED.replace(HEALTHY, "      - database\n")
SERVICES = COMPOSED[COMPOSED.index("services:") : COMPOSED.index("\nvolumes:\n") + 1]

LOCKED = (PINNED / LOCK).read_text("utf-8")
(TOOL,) = re.findall(r"(?m)^tox==(?:.*\\\n)+.*\n", (PINNED / REQUIREMENTS).read_text("utf-8"))


def locked(pattern: str, new: str = "") -> str:
    """The compiled file of production, edited."""
    return re.sub(pattern, new, LOCKED)


def without(package: str) -> str:
    """The compiled file of production, without a package."""
    return locked(rf"(?m)^{package}==(?:.*\\\n)+.*\n(?:    #.*\n)*")


WRONG = (
    Wrong(
        "compose", "the volume path of older versions", ("test_cold_start",),
        COMPOSE, "database:/var/lib/postgresql", "database:/var/lib/postgresql/data",
    ),
    Wrong(
        "compose", "a file that only I have", ("test_cold_start",),
        COMPOSE, "    environment:\n      DATABASE_URL", "    env_file: .env\n    environment:\n"
        "      DATABASE_URL",
    ),
    Wrong(
        "compose", "no tables", ("test_cold_start",),
        COMPOSE, "python manage.py migrate --noinput", "python manage.py check",
    ),
    Wrong(
        "compose", "started is not ready", ("test_late_database",),
        COMPOSE, HEALTHY, "      - database\n",
    ),
    Wrong(
        # What takes its time before must not be taken for waiting.
        "compose", "started is not ready on a slow machine", ("test_late_database",),
        COMPOSE, None, STARTED_ONLY.replace("python manage.py migrate", "sleep 15\n        "
        "python manage.py migrate"),
    ),
    Wrong(
        "compose", "healthy whatever happens", ("test_late_database",), COMPOSE, LOOK, "exit 0",
    ),
    Wrong(
        "compose", "an older database", ("test_same_postgresql",),
        COMPOSE, "postgres:18", "postgres:17",
    ),
    Wrong(
        "compose", "a file instead of a database", ("test_same_postgresql",),
        COMPOSE, None, A_FILE_INSTEAD,
    ),
    Wrong(
        "compose", "nobody looks for changes", ("test_change_is_seen",),
        COMPOSE, "0.0.0.0:8000", "--noreload 0.0.0.0:8000",
    ),
    Wrong(
        "compose", "a copy of the code", ("test_change_is_seen",),
        COMPOSE, KEY, f"cp -r /project /copy && cd /copy\n        {KEY}",
    ),
    Wrong(
        "compose", "nothing to start", ("test_only_this_machine",), COMPOSE, SERVICES, "",
    ),
    Wrong(
        "compose", "open to everybody", ("test_only_this_machine",),
        COMPOSE, "127.0.0.1:8080:8000", "8080:8000",
    ),
    Wrong(
        "compose", "the database is open", ("test_only_this_machine",),
        COMPOSE, "    image: postgres:18\n",
        "    image: postgres:18\n    ports: ['0.0.0.0:5432:5432']\n",
    ),
    Wrong(
        "compose", "a key in the file", ("test_no_secret",),
        COMPOSE, '      DEBUG: "True"\n', '      DEBUG: "True"\n      SECRET_KEY: s3cr3t-f0r-all\n',
    ),
    Wrong(
        "compose", "a password in an address", ("test_no_secret",),
        COMPOSE, "postgres://postgres@database", "postgres://postgres:postgres@database",
    ),
    Wrong(
        "compose", "a key when nobody gives one", ("test_no_secret",), COMPOSE,
        '      DEBUG: "True"\n', '      DEBUG: "True"\n      SECRET_KEY: ${SECRET_KEY:-changeme}\n',
    ),
    Wrong(
        "pinned", "versions without hashes", ("test_pinned_with_hashes", "test_recompile",
        "test_changed_package_is_refused"),
        LOCK, None, locked(r" \\\n    --hash\S*"),
    ),
    Wrong(
        "pinned", "a package without a hash", ("test_pinned_with_hashes",),
        LOCK, None, locked(r"(asgiref\S*)(?: \\\n    --hash\S*)+", r"\1"),
    ),
    Wrong(
        "pinned", "for my machine only", ("test_every_platform", "test_recompile"),
        LOCK, None, without("tzdata"),
    ),
    Wrong(
        "pinned", "written by hand", ("test_every_platform", "test_recompile"),
        LOCK, None, without("sqlparse"),
    ),
    Wrong(
        "pinned", "a wish that nobody compiled", ("test_recompile",),
        BASE, "psycopg[binary]\n", "psycopg[binary]\npackaging\n",
    ),
    Wrong(
        "pinned", "a wish that is gone", ("test_recompile",), BASE, "django-environ\n", "",
    ),
    Wrong(
        "pinned", "a tool that nobody compiled", ("test_recompile",),
        "requirements/development.in", "pyclean\n", "pyclean\npackaging\nmarkdown-it-py\n",
    ),
    Wrong(
        "pinned", "a tool that anybody may exchange", ("test_recompile",),
        REQUIREMENTS, "pyclean==", "pyclean>=",
    ),
    Wrong(
        "pinned", "hashes as comments", ("test_changed_package_is_refused",),
        LOCK, None, locked(r" \\\n    --hash", "\n    # --hash"),
    ),
    Wrong(
        "pinned", "developers take what they get", ("test_same_for_developers",),
        REQUIREMENTS, None, "-r requirements/development.in\n",
    ),
    Wrong(
        "pinned", "an old list for developers", ("test_same_for_developers",),
        REQUIREMENTS, "django==5.2.19", "django==5.2.18",
    ),
    Wrong(
        "pinned", "tools travel", ("test_tools_stay_at_home",),
        LOCK, None, LOCKED + TOOL,
    ),
    Wrong(
        "pinned", "no list of tools", ("test_tools_stay_at_home",),
        "requirements/development.in", None, "-r base.in\n",
    ),
    Wrong(
        "pinned", "a version in the readme", ("test_versions_stand_once",),
        "README.rst", "Run it\n------\n", "Run it\n------\n\nIt needs Django==5.2.19.\n",
    ),
    Wrong(
        "pinned", "a version in docker-compose.yml", ("test_versions_stand_once",),
        COMPOSE, "ignore --requirement", "ignore tox==4.67.15 --requirement",
    ),
)  # fmt: skip
