"""Wrong solutions of the steps about what is deployed, and how."""

from __future__ import annotations

import re
from pathlib import Path

from wrong_solutions import Wrong

SOLUTIONS = Path(__file__).parents[1] / "solutions"
DOCKERFILE = "deployment/application/Dockerfile"
IGNORED = ".dockerignore"
IMAGE = (SOLUTIONS / "10-image" / DOCKERFILE).read_text("utf-8")
(INSTALL,) = re.findall(r"(?ms)^RUN pip .*?production\.txt\n", IMAGE)
BY_NAME = "COPY manage.py ./\nCOPY application application/\n"
EVERYTHING = "COPY . .\n"
USER = "USER 10001:10001\n"
SERVE = 'CMD ["python", "manage.py", "runserver", "--noreload", "0.0.0.0:8000"]'
SERVED = "exec python manage.py runserver --noreload 0.0.0.0:8000"


def image(old: str, new: str) -> str:
    """The Dockerfile, edited."""
    assert old in IMAGE
    return IMAGE.replace(old, new)


WRONG = (
    Wrong(
        "image", "a file that does not get in", ("test_builds",), IGNORED, "!manage.py\n", "",
    ),
    Wrong(
        "image", "paths from where the Dockerfile is", ("test_builds",),
        DOCKERFILE, "COPY manage.py", "COPY ../../manage.py",
    ),
    Wrong(
        "image", "a build that wants a key", ("test_builds",),
        DOCKERFILE, BY_NAME, f"{BY_NAME}RUN python manage.py check\n",
    ),
    Wrong(
        "image", "a name that counts at the top only", ("test_no_secret",),
        IGNORED, "**/.env*", ".env*",
    ),
    Wrong(
        "image", "everything", ("test_no_secret", "test_nothing_needless"),
        DOCKERFILE, BY_NAME, EVERYTHING, moved=IGNORED,
    ),
    Wrong(
        "image", "a secret that is removed later", ("test_no_secret",), DOCKERFILE, BY_NAME,
        f"{EVERYTHING}RUN rm -r .env application/.env .git docker-compose.override.yml\n",
        moved=IGNORED,
    ),
    Wrong(
        "image", "a key as an argument", ("test_no_secret",),
        DOCKERFILE, "WORKDIR", "ARG SECRET_KEY\nWORKDIR",
    ),
    Wrong(
        "image", "an argument that stays", ("test_no_secret",),
        DOCKERFILE, USER, f"ARG SECRET_KEY\nENV SECRET_KEY=$SECRET_KEY\n{USER}",
    ),
    Wrong(
        "image", "a key for all", ("test_no_secret", "test_no_key_no_start"),
        DOCKERFILE, "ENV ", "ENV SECRET_KEY=change-me ",
    ),
    Wrong("image", "nobody said who", ("test_not_root",), DOCKERFILE, USER, ""),
    Wrong(
        "image", "a name for a user", ("test_not_root",),
        DOCKERFILE, USER, "RUN useradd demo\nUSER demo\n",
    ),
    Wrong("image", "root by its number", ("test_not_root",), DOCKERFILE, USER, "USER 0:10001\n"),
    Wrong(
        "image", "byte code of my laptop", ("test_nothing_needless",),
        IGNORED, "**/__pycache__", "__pycache__",
    ),
    Wrong(
        "image", "all packages that developers have", ("test_nothing_needless",), DOCKERFILE, None,
        IMAGE.replace("COPY requirements/production.txt requirements/", "COPY requirements.txt ./")
        .replace("requirements/production.txt", "requirements.txt"), moved=IGNORED,
    ),
    Wrong(
        "image", "the installer's cache", ("test_nothing_needless",),
        DOCKERFILE, "--no-cache-dir ", "",
    ),
    # No base that brings one can be had everywhere: that it stands there is enough.
    Wrong(
        "image", "a compiler that came along", ("test_nothing_needless",),
        DOCKERFILE, USER, f"RUN touch /usr/bin/x86_64-linux-gnu-gcc-14\n{USER}",
    ),
    Wrong(
        "image", "whatever came last", ("test_reproducible",),
        DOCKERFILE, "FROM python:3.13-slim", "FROM python:latest",
    ),
    Wrong(
        "image", "a base without a version", ("test_reproducible",),
        DOCKERFILE, "FROM python:3.13-slim", "FROM python",
    ),
    Wrong(
        "image", "names instead of the lock", ("test_reproducible",),
        DOCKERFILE, INSTALL,
        "RUN pip install --no-cache-dir django django-environ psycopg[binary]\n",
    ),
    Wrong(
        "image", "a lock without its hashes", ("test_reproducible",), DOCKERFILE, INSTALL,
        "RUN grep -o '^[a-z-]*==[0-9.]*' requirements/production.txt > /tmp/names && \\\n"
        "    pip install --no-cache-dir --requirement /tmp/names\n",
    ),
    Wrong(
        "image", "it writes beside the program", ("test_read_only",),
        DOCKERFILE, SERVE, f'CMD ["sh", "-ec", "date > started; {SERVED}"]',
    ),
    Wrong(
        "image", "it listens to itself", ("test_read_only",), DOCKERFILE, "0.0.0.0", "127.0.0.1",
    ),
    Wrong(
        "image", "files that only root may read", ("test_read_only",),
        DOCKERFILE, USER, f"RUN chmod -R go= /project\n{USER}",
    ),
    Wrong(
        "image", "a key when nobody gives one", ("test_no_key_no_start",), DOCKERFILE, SERVE,
        f'CMD ["sh", "-c", "export SECRET_KEY=${{SECRET_KEY:-change-me}}; {SERVED}"]',
    ),
    Wrong(
        "image", "it ends as if all were well", ("test_no_key_no_start",),
        DOCKERFILE, SERVE, 'CMD ["sh", "-c", "python manage.py runserver 0.0.0.0:8000; exit 0"]',
    ),
)  # fmt: skip
