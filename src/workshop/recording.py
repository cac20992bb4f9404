"""Records the lessons: the robot does them all, and what came back goes into the transcripts.

All or nothing: an unexpected exit code, or a lesson that does not end with its stage, and no
transcript is written.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from workshop import own, robot, transcript
from workshop.errors import WorkshopError
from workshop.gates import page, replay, truth
from workshop.gates.replay import Done
from workshop.model import Course, Finding
from workshop.transcript import Entry

# Only the lessons are rendered: whatever they link to is not there.
_CONF = {
    "extensions": ["myst_nb", "sphinx_design", "workshop.sphinxext"],
    "include_patterns": ["steps/*/index.md"],
    "myst_enable_extensions": ["colon_fence", "deflist", "attrs_inline"],
    "html_theme": "basic",
    "suppress_warnings": ["workshop.unrecorded", "myst.xref_missing", "toc", "ref", "config.cache"],
}


class Recorded(NamedTuple):
    """What went wrong, and the transcripts that have changed. Only one of them is not empty."""

    broken: tuple[Finding, ...]
    changed: tuple[Path, ...]


def record(course: Course, *, report: Callable[[Done], None]) -> Recorded:
    """Do every lesson from an empty folder, and write what came back. `report` is told of each.

    Raises WorkshopError when the lessons can't be rendered.
    """
    with (
        tempfile.TemporaryDirectory(prefix="workshop-") as folder,
        truth.open_truth(course) as known,
        robot.robot(course.root) as learner,
    ):
        blocks = page.read(_rendered(course, Path(folder)))
        done = []
        for each in replay.follow(known, blocks, learner):
            report(each)
            done.append(each)
            broken = each.broken or tuple(_unheard(each))
            if broken:
                return Recorded(broken, ())
    changed = []
    for each, entries in zip(done, _merged(course, done), strict=True):
        if transcript.write(each.step.folder, entries):
            changed.append(each.step.folder / transcript.NAME)
    return Recorded((), tuple(changed))


def _merged(course: Course, done: Sequence[Done]) -> tuple[tuple[Entry, ...], ...]:
    """What each lesson's transcript is now: what was there, where it is still so."""
    mine = [own.paths(course.steps[: course.steps.index(each.step) + 1]) for each in done]
    return transcript.merge_all(
        [transcript.read(each.step.folder) for each in done],
        [each.entries for each in done],
        sum(not each for each in mine),
    )


def _unheard(done: Done) -> Iterator[Finding]:
    """The commands that nobody has recorded yet, and that this machine can't record."""
    known = transcript.read(done.step.folder) if done.skipped else ()
    for finding in done.skipped:
        is_command = finding.fact.endswith("`")
        if is_command and not any(finding.fact.endswith(f"`{each.command}`") for each in known):
            yield finding


def _rendered(course: Course, folder: Path) -> Path:
    """The lessons alone, as HTML in the plainest theme."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    said = io.StringIO()
    with patch_docutils(), docutils_namespace():
        app = Sphinx(
            course.root.resolve(), None, folder / "html", folder / "doctrees", "html",
            confoverrides=_CONF | {"root_doc": f"steps/{course.steps[0].folder.name}/index"},
            status=None, warning=said,
        )  # fmt: skip
        app.build()
    if said.getvalue():
        raise WorkshopError(
            f"the lessons can't be rendered:\n{said.getvalue().strip()}",
            "Mend what it says.",
            path=course.root,
        )
    return folder / "html"
