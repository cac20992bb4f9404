"""What a check quotes of the talk is what the docs have of it, and the slides."""

from __future__ import annotations

import ast
import re
from typing import Any

from workshop import course as courses
from workshop import history

COURSE = courses.load(courses.default_root())


def constant(step: str, name: str) -> Any:
    """What a check's file says that a name is, without running it."""
    (file,) = courses.find(COURSE, step).tests
    (value,) = (
        each.value
        for each in ast.parse(file.read_text("utf-8")).body
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == name
    )
    return ast.literal_eval(value)


def test_the_tree_that_is_asked_for_is_that_of_the_last_stage() -> None:
    """And that is the slide's: see test_trees."""
    last = history.stages(COURSE)[-1].files
    assert sorted(constant("scaling", "TREE").split()) == sorted(
        path for path in last if "/." not in f"/{path}"
    )


def test_the_oath_that_is_asked_for_is_that_of_the_docs() -> None:
    page = (COURSE.root / "docs" / "oath.md").read_text("utf-8")
    spoken = re.findall(r"^    \| (.+)$", page, re.MULTILINE)
    assert list(constant("oath", "OATH")) == [line.replace("*", "") for line in spoken]
