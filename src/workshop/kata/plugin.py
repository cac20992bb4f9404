"""The fixture that judges are written with. A judge's file asks for it with

pytest_plugins = ["workshop.kata.plugin"]
"""

from __future__ import annotations

import pytest

from workshop.checks.plugin import COURSE
from workshop.course import kata as find
from workshop.kata.judging import repository
from workshop.kata.submission import Submission


@pytest.fixture(scope="module")
def submission(request: pytest.FixtureRequest) -> Submission:
    """What the team hands in."""
    course = request.config.stash[COURSE]
    project, begun = repository(course, request.config.getoption("--project"))
    return Submission(project, course, find(course, begun.slug), begun)
