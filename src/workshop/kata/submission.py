"""What a team hands in: its commits, its deploy log, and what production answers right now."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from workshop import git, paths, production
from workshop.checks.failure import CheckFailed
from workshop.checks.site import Site
from workshop.errors import WorkshopError
from workshop.kata.record import Record
from workshop.model import Course, Kata
from workshop.production import log, place, release

_ENVIRONMENT = "production"


class Submission:
    """The vocabulary of judges. What can't be told of a submission is red: it raises CheckFailed
    with what is missing, in the team's words."""

    def __init__(self, project: Path, course: Course, kata: Kata, begun: Record) -> None:
        self.project = project
        self.minutes = kata.minutes
        self._course = course
        self._began = begun.started

    # Commits

    @functools.cached_property
    def head(self) -> str:
        """The full hash of the last commit."""
        found = git.head(self.project)
        if found is None:
            raise CheckFailed(
                seen="there is no commit yet",
                expected="a commit, the first of many",
                do="Write the smallest thing that answers, then: git add . && git commit",
            )
        return found

    @functools.cached_property
    def root(self) -> str:
        """The full hash of commit #1: where the history of the last commit begins."""
        begins = git.text(
            "rev-list", "--first-parent", "--max-parents=0", self.head, cwd=self.project
        )
        return begins.splitlines()[-1]

    def holds(self, commit: str) -> bool:
        """Whether the history of the last commit still has this one."""
        try:
            git.run("merge-base", "--is-ancestor", commit, self.head, cwd=self.project)
        except git.GitError:  # it is not in there, or git has thrown it away already
            return False
        return True

    def name(self, commit: str) -> str:
        """A commit as a person knows it: the beginning of its hash, and its subject."""
        try:
            said = git.text(
                "show", "--no-patch", "--format=%s", "--end-of-options", commit, cwd=self.project
            )
        except git.GitError:
            return commit[:10]
        return f'{commit[:10]} "{said}"'

    # The deploy log

    @functools.cached_property
    def deploys(self) -> tuple[log.Entry, ...]:
        """What went live since the kata began, the first one first. Never empty.

        A deploy that failed is not in it: nobody has seen that release.
        """
        entries = log.entries(place.of(self.project, _ENVIRONMENT))
        since = [each for each in entries if _moment(each.start) >= self._began]
        found = tuple(each for each in since if each.outcome == "live")
        if not found:
            raise CheckFailed(
                seen="nothing went live yet"
                + (f" (deploys that failed: {len(since)})" * bool(since)),
                expected="a deploy to production",
                do="Run: workshop deploy. If it fails, mend what it says.",
            )
        return found

    @property
    def time_needed(self) -> timedelta:
        """From the start of the kata until something was live."""
        return _moment(str(self.deploys[0].live)) - self._began

    # Production

    @contextlib.contextmanager
    def live(self) -> Iterator[Site]:
        """The team's own production, as it answers right now."""
        for each in production.status(self.project):
            if each.environment == _ENVIRONMENT and each.up:
                yield _site(each.url)
                return
        raise CheckFailed(
            seen="nothing is live: production is not running",
            expected="production answers",
            do="Run: workshop deploy",
        )

    @contextlib.contextmanager
    def alone(self, commit: str) -> Iterator[Site]:
        """This commit in a production of its own: a new one, where nothing else ever was."""
        with tempfile.TemporaryDirectory(prefix="workshop-judge-") as folder:
            clone = Path(folder) / self.project.name
            git.run(
                "clone", "--quiet", "--shared", "--no-checkout", "--template=",
                str(self.project), str(clone),
                cwd=self.project,
            )  # fmt: skip
            try:
                yield _site(self._deploy(clone, commit))
            finally:
                production.down(clone)
                release.discard(paths.project_home(clone))

    def _deploy(self, clone: Path, commit: str) -> str:
        try:
            platform = self._course.platform
            return production.deploy(clone, _ENVIRONMENT, platform, revision=commit).url
        except WorkshopError as error:
            raise CheckFailed(
                seen=f"{self.name(commit)} does not deploy: {error.fact}",
                expected="this commit works, as it is",
                do="Did it never go live? Then amend it: nobody has seen it. If it did, begin the"
                " kata anew, in another folder, and look at `/` before you commit.",
            ) from error


def _site(url: str) -> Site:
    return Site(urlsplit(url).port or 80, {})


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
