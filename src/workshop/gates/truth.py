"""What stands in the stages, fetched anew: the gates share no code with the directives here."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from workshop import git, history
from workshop.history import Stage
from workshop.model import Course

_NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's name for a tree without files


class Truth(NamedTuple):
    """The course, its stages and their commits by tag, and a repository that holds them."""

    course: Course
    stages: Mapping[str, Stage]
    repository: Path
    commits: Mapping[str, str]

    def start(self, tag: str) -> str:
        """The stage that this one begins with; empty for the first. Raises ValueError."""
        tags = list(self.stages)
        index = tags.index(tag)
        return tags[index - 1] if index else ""

    def diff(self, tag: str, *options: str, path: str = "") -> str:
        """What `git diff` says between the start and the stage, of all files or of one."""
        said = git.run(
            "diff", "--no-color", "--no-ext-diff", "--no-textconv", *options,
            self.start(tag) or _NOTHING, tag, "--", *([f":(literal){path}"] if path else []),
            cwd=self.repository,
        )  # fmt: skip
        return said.decode(errors="replace")

    def tree(self, tag: str) -> str:
        """`git ls-tree -r` of a stage."""
        return git.run("ls-tree", "-r", tag, cwd=self.repository).decode(errors="replace")


@contextlib.contextmanager
def open_truth(course: Course) -> Iterator[Truth]:
    """Build the stages, for as long as the block lasts."""
    with history.built(course) as (repository, tags):
        stages = {stage.step.tag: stage for stage in history.stages(course)}
        yield Truth(course, stages, repository, {tag.name: tag.commit for tag in tags})


def by_file(diff: str) -> dict[str, str]:
    """A diff in pieces, by the file's name after it."""
    pieces = re.split(r"(?m)^(?=diff --git )", diff)[1:]
    return {piece.split("\n", 1)[0].split(" b/")[-1]: piece for piece in pieces}
