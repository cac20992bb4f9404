"""A writer's loop: what our directives cost, a changed lesson, and the gates."""

from __future__ import annotations

import shutil

from benchmarks import plain
from benchmarks.measure import (
    ROOT,
    Bench,
    Command,
    Result,
    Row,
    Subject,
    Target,
    medians,
    python,
    seconds,
    workshop,
)
from workshop import writing
from workshop.sphinxext import material

_COST = Target("all lessons, built from nothing", "plain Sphinx, with all code typed in", 1.5)
_REBUILD = Target("one lesson changed: all docs built again", "", 3, "seconds")
_OWN = Target("the gates that need nobody to type anything", "", 5, "seconds")
_WHOLE = Target("all gates, where the robot has done all commands before", "", 60, "seconds")
# Everything but our own directives is the same for both.
_CONF = """
extensions = ["myst_nb", "sphinx_design", "sphinx_copybutton"{ours}]
root_doc = "steps/{first}/index"
include_patterns = ["steps/*/index.md"]
myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
html_theme = "sphinx_rtd_theme"
suppress_warnings = ["myst.xref_missing", "toc", "ref", "config.cache"]
"""


def measure(bench: Bench) -> Result:
    """Time whole builds, each by a new process; then the docs of this repository, in a copy."""
    return Result((_cost(bench), *_loop(bench)))


def _cost(bench: Bench) -> Row:
    known = material.read(ROOT, bench.scratch / "stages")
    plain.write(known, bench.scratch / "plain")
    first = known.course.steps[0].folder.name
    builds: list[Command] = []
    for name, source, ours in (
        ("ours", ROOT, ', "workshop.sphinxext"'),
        ("plain", bench.scratch / "plain", ""),
    ):
        conf = bench.scratch / f"conf-{name}"
        conf.mkdir()
        (conf / "conf.py").write_text(_CONF.format(ours=ours, first=first), "utf-8")
        out = bench.scratch / f"html-{name}"
        builds.append(
            [
                python(),
                "-m",
                "sphinx",
                "-q",
                "-E",
                "-a",
                "-c",
                conf,
                "-d",
                f"{out}-trees",
                source,
                out,
            ]
        )
    ours_, peers = medians(
        bench.runs,
        lambda: seconds(builds[0], cwd=bench.scratch),
        lambda: seconds(builds[1], cwd=bench.scratch),
    )
    return Row(_COST, ours_, peers)


def _loop(bench: Bench) -> tuple[Row, ...]:
    clone = bench.scratch / "clone"
    ignored = shutil.ignore_patterns(".nox", "build", "__pycache__", ".*cache")
    shutil.copytree(ROOT, clone, ignore=ignored)
    lesson = next(iter(sorted(clone.glob("steps/*/index.md"))))
    html = bench.scratch / "html"
    build: Command = [
        python(), "-m", "sphinx", "-b", "html", "-n", "-q", "-d", bench.scratch / "trees",
        clone, html,
    ]  # fmt: skip
    seconds(build, cwd=clone)

    def changed() -> float:
        lesson.write_text(
            lesson.read_text("utf-8").replace("## Next", "Again.\n\n## Next"), "utf-8"
        )
        return seconds(build, cwd=clone)

    gates: Command = [workshop(), "gates", *writing.GATES, "--html", html, "--course", clone]
    rebuilt, own = medians(bench.runs, changed, lambda: seconds(gates, cwd=clone))
    every: Command = [workshop(), "gates", "--html", html, "--course", clone]

    def warm() -> float:
        """The robot did these commands in the round that isn't counted; sentences change."""
        changed()
        return seconds(every, cwd=clone)

    (whole,) = medians(min(bench.runs, 3), warm)
    return Row(_REBUILD, rebuilt), Row(_OWN, own), Row(_WHOLE, whole)


SUBJECT = Subject(
    "writing",
    "Writing a lesson",
    "What our directives add to Sphinx, and how long a writer waits.",
    (_COST, _REBUILD, _OWN, _WHOLE),
    measure,
)
