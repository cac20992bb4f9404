"""How the gates read a tree: the talk's are right, and whatever is changed in them is found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import slides

from workshop import course, history
from workshop.gates import drawn
from workshop.model import View

COURSE = course.load(course.default_root())
LAST = set(history.stages(COURSE)[-1].files)


def held(layer: str) -> tuple[set[str], set[str]]:
    return drawn.of_view(LAST, COURSE.views[layer]) if layer else (drawn.visible(LAST), set())


@pytest.mark.parametrize("layer", slides.TREES)
def test_the_talks_trees_are_right(layer: str) -> None:
    assert drawn.wrong(slides.TREES[layer], *held(layer)) == ""


def spoiled(text: str) -> Iterator[str]:
    """The text with a line gone, doubled, moved, indented; with each of its letters changed."""
    lines = text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        before, behind = lines[:at], lines[at + 1 :]
        for other in ("", line * 2, f"    {line}", f"│   {line}", line[4:], f"{line}\n"):
            yield "".join([*before, other, *behind])
        yield "".join([*before, *behind[:1], line, *behind[1:]])
        yield "".join([*before, *behind, line])
    for at, letter in enumerate(text):
        yield text[:at] + text[at + 1 :]
        yield text[:at] + {"├": "└", "└": "├", "│": " ", " ": "│"}.get(letter, "x") + text[at + 1 :]


@pytest.mark.parametrize("layer", slides.TREES)
def test_whatever_is_changed_is_found(layer: str) -> None:
    text = slides.TREES[layer]
    tried = {other for other in spoiled(text) if other != text}
    assert [other for other in tried if not drawn.wrong(other, *held(layer))] == []
    assert len(tried) > len(text)


@pytest.mark.parametrize("layer", [each for each, view in COURSE.views.items() if view.closed])
def test_a_closed_folder_is_no_file_and_not_open(layer: str) -> None:
    files, closed = held(layer)
    shut = sorted(closed)[0]
    assert "and should say" in drawn.wrong(slides.TREES[layer], {*files, shut}, closed - {shut})
    inside = {file for file in LAST if file.startswith(f"{shut}/")}
    assert drawn.wrong(slides.TREES[layer], files | inside, closed - {shut}).startswith(
        "the tree and the stage differ in: "
    )


def test_what_a_layer_holds() -> None:
    files = {"a", "b/c", "b/d/e", "b/dd", ".f"}
    assert drawn.of_view(files, View(("a", "b"), ("b/d",))) == ({"a", "b/c", "b/dd"}, {"b/d"})
    assert drawn.of_view(files, View((".f", "b/d"))) == ({".f", "b/d/e"}, set())


@pytest.mark.parametrize("view", [View(("b/x",)), View(("a",), ("a",)), View(("a", "b/"))])
def test_a_layer_of_what_is_not_there(view: View) -> None:
    with pytest.raises(ValueError, match="a file or folder "):
        drawn.of_view({"a", "b/c"}, view)
