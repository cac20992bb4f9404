"""What the docs are made from: the course, its stages, and a repository that holds them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workshop import course as courses
from workshop import git, history
from workshop.errors import WorkshopError
from workshop.history import Stage
from workshop.model import Course, Step


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that a directive may show. `commits` and `stages` are found by the tag."""

    course: Course
    stages: Mapping[str, Stage]
    commits: Mapping[str, str]
    repository: Path

    def stage(self, name: str) -> Stage:
        """The stage that an author means by its tag, its slug or its number."""
        return self.stages[courses.find(self.course, name).tag]

    def before(self, stage: Stage) -> Stage | None:
        """What a learner has at the start of its step: None before the first."""
        every = list(self.stages.values())
        index = every.index(stage)
        return every[index - 1] if index else None

    def step_of(self, docname: str) -> Step | None:
        """The step whose lesson, or trainer notes, this document is."""
        for step in self.course.steps:
            if docname.startswith(f"steps/{step.folder.name}/"):
                return step
        return None

    def text(self, tag: str, path: str) -> str:
        """A file of a stage as text. Raises WorkshopError when there is none to show."""
        files = self.stage(tag).files
        if path not in files:
            raise WorkshopError(
                f"{tag} has no file {path}", f"It has: {', '.join(files)}", path=path
            )
        try:
            text = files[path].data.decode()
        except UnicodeDecodeError as error:
            raise WorkshopError(
                f"{path} of {tag} is not text", "Show a file that people read.", path=path
            ) from error
        if not text.strip():
            raise WorkshopError(f"{path} of {tag} is empty", "Say so in the text.", path=path)
        return text


def read(root: Path, keep: Path) -> Material:
    """Read the course in `root`, with its repository in `keep`: built once while nothing changes.

    Raises WorkshopError when the course is broken.
    """
    course = courses.load(root)
    digest = hashlib.sha256()
    for part in history.stream(course.steps):
        digest.update(part)
    repository = keep / digest.hexdigest()[:16]
    if not repository.is_dir():
        shutil.rmtree(keep, ignore_errors=True)  # the one of an older course
        history.build(course, repository)
    return Material(
        course=course,
        stages={stage.step.tag: stage for stage in history.stages(course)},
        commits=_commits(course, repository),
        repository=repository,
    )


def _commits(course: Course, repository: Path) -> dict[str, str]:
    tags = [step.tag for step in course.steps]
    if not tags:
        return {}
    found = git.text("rev-parse", *(f"{tag}^{{commit}}" for tag in tags), cwd=repository)
    return dict(zip(tags, found.split(), strict=True))
