# mypy: disable-error-code="untyped-decorator,import-not-found"
"""The first lesson's checks, as an exercise for check50: what `benchmarks/watch.py` compares with.

The Python of the project's environment comes from the variable EXERCISE_PYTHON: check50 makes no
environment of a project's own. Nor does it bring along hidden files: a check never sees git's.
"""

import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import check50

_PATIENCE = 30.0  # seconds


@check50.check()
def readme_and_license() -> None:
    """README and LICENSE are there"""
    check50.exists("README.rst", "LICENSE")


@check50.check(readme_and_license)
def leftovers_stay_out() -> None:
    """byte code is left out"""
    if list(Path().rglob("*.pyc")):
        raise check50.Failure("there is byte code")


@check50.check(readme_and_license)
def requirements() -> None:
    """requirements have one exact version each"""
    lines = re.sub(r"\\\n\s*", "", Path("requirements.txt").read_text(encoding="utf-8"))
    for line in lines.splitlines():
        if line and line[0] not in "#-" and "==" not in line:
            raise check50.Failure(f"not one exact version: {line}")
    python("-c", "import django")


@check50.check(readme_and_license)
def system_check() -> None:
    """Django's own check passes"""
    python("manage.py", "check")


@check50.check(readme_and_license)
def home_page() -> None:
    """the page / answers"""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [os.environ["EXERCISE_PYTHON"], "-m", "gunicorn", "--bind", f"127.0.0.1:{port}",
         "application.wsgi:application"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
                    if answer.status == 200:
                        return
            except urllib.error.HTTPError as error:
                raise check50.Failure(f"GET / answered {error.code}") from error
            except OSError as error:
                if time.monotonic() > deadline:
                    raise check50.Failure("GET / got no answer") from error
                time.sleep(0.005)
    finally:
        server.kill()
        server.wait()


def python(*words: str) -> None:
    """Run the project's Python."""
    done = subprocess.run([os.environ["EXERCISE_PYTHON"], *words], capture_output=True, check=False)
    if done.returncode != 0:
        raise check50.Failure(done.stderr.decode(errors="replace"))
