"""From the command to the first answer, against the application's own start."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from benchmarks import demo
from benchmarks.measure import (
    ROOT,
    Bench,
    Result,
    Row,
    Subject,
    Target,
    environment,
    medians,
    workshop,
)
from workshop import course
from workshop.production import release

_PEER = "gunicorn, started by hand on the same release, until it answers"
_DEPLOY = Target("`workshop deploy` of a new commit, until it answers", _PEER, 1.5)
_ROLLBACK = Target("`workshop rollback`, until the old release answers", _PEER, 1.3)
_SETTLE = 1.0  # seconds that an old server gets to leave, so that nobody measures it


def measure(bench: Bench) -> Result:
    """Start the application by hand, deploy a new commit, roll it back, over and over."""
    wsgi = course.load(ROOT).platform.wsgi
    with demo.deployed(bench.scratch) as site:
        old = site.hash("HEAD")
        own, deploy, rollback = medians(
            bench.runs,
            lambda: _by_hand(site, wsgi, bench.scratch),
            lambda: _until_live(site, site.commit(), "deploy"),
            lambda: _until_live(site, old, "rollback"),
            turn=False,  # no rollback without a deploy before it
        )
    return Result((Row(_DEPLOY, deploy, own), Row(_ROLLBACK, rollback, own)), rounds=bench.runs)


def _until_live(site: demo.Site, commit: str, verb: str) -> float:
    """From the command to the first answer by `commit`.

    We ask as soon as the command says that it is ready: asking before would keep the old server,
    and so a core, busy, which by hand has nothing to do.
    """
    began = time.perf_counter()
    with subprocess.Popen(
        [workshop(), verb], cwd=site.project, env=environment(),
        stdout=subprocess.PIPE, encoding="utf-8",
    ) as process:  # fmt: skip
        for line in process.stdout or ():
            if line.split()[:1] == ["ready"]:
                break
        else:
            raise RuntimeError(f"`workshop {verb}` ended, and nothing was ready")
        demo.await_answer(site.port, commit)
        took = time.perf_counter() - began
        process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"`workshop {verb}` ended with {process.returncode}")
    time.sleep(_SETTLE)
    return took


def _by_hand(site: demo.Site, wsgi: str, scratch: Path) -> float:
    """What nobody can be faster than: the live release's files, Python and variables, no more."""
    live = release.find(site.place, str(site.place.live))
    if live is None:
        raise RuntimeError("nothing is live")
    variables = release.variables(site.place, course.platform(ROOT), live) | {"HOME": str(scratch)}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        [live.python, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", wsgi],
        cwd=site.place.releases / live.commit, env=variables,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        demo.await_answer(port, "")
        return time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()


SUBJECT = Subject(
    "deploy",
    "To production, and back",
    "How long you wait until your commit answers visitors. Everything is warm: the environment is "
    "made, the database runs. The rest is mostly the import of Django, which nobody can save you.",
    (_DEPLOY, _ROLLBACK),
    measure,
)
