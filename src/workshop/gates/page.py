"""A rendered page, as a reader has it: its blocks of code, and what each claims to show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from workshop.errors import WorkshopError
from workshop.model import Step

CLAIM = "data-"
VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "wbr",
}
# Classes that say where a block stands: a notebook's cell, what it printed, a tab.
_PLACES = {"cell_input": "cell", "cell_output": "output", "sd-tab-content": "tab"}
_CAPTION = {"code-block-caption", "caption-text"}  # other things have captions, too
_SCRIPT = "browser-script"  # what is done in a page stands above what is seen in it
_FRAMES = {*_PLACES, *_CAPTION, _SCRIPT}
_HINTS = "hints"


class Block(NamedTuple):
    """One `<pre>` of a page.

    `number` counts from 1. `claims` is what the directive says of it (`shows`, `stage`, `path`,
    …), empty when no directive made it. `places` are the kinds of frame it stands in. `caption` is
    what a reader sees above it.
    """

    page: str
    number: int
    text: str
    claims: Mapping[str, str]
    places: frozenset[str]
    caption: str = ""

    @property
    def where(self) -> str:
        """Where a person finds it."""
        return f"{self.page}, block {self.number}"

    @property
    def is_hint(self) -> bool:
        """Whether it is folded away in hints: who needs none never sees it."""
        return _HINTS in self.places

    def claim(self, name: str) -> str:
        """What it claims, or an empty text."""
        return self.claims.get(name, "")


def read(html: Path) -> tuple[Block, ...]:
    """Every block of every page below the folder `html`. Raises WorkshopError when it has none."""
    found = [
        block
        for file in sorted(html.rglob("*.html"))
        for block in blocks(file.relative_to(html).as_posix(), file.read_text(encoding="utf-8"))
    ]
    if not found:
        raise WorkshopError(
            "there are no rendered pages", "Build the docs first: nox -s docs", path=html
        )
    return tuple(found)


def blocks(page: str, html: str) -> Iterator[Block]:
    """The blocks of one page."""
    parser = _Parser()
    parser.feed(html)
    for number, (text, claims, places, caption) in enumerate(parser.found, 1):
        yield Block(page, number, text, claims, places, caption)


def of_lesson(every: tuple[Block, ...], step: Step) -> tuple[Block, ...]:
    """The blocks of a step's lesson, in the order of reading."""
    page = f"steps/{step.folder.name}/index.html"
    return tuple(block for block in every if block.page == page)


def to_do(every: tuple[Block, ...], step: Step) -> tuple[Block, ...]:
    """Of those, what the lesson itself shows and tells to do: without its hints."""
    return tuple(block for block in of_lesson(every, step) if not block.is_hint)


class _Parser(HTMLParser):
    """Keeps a stack of what is open: each element's name, its claims, its place."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str], frozenset[str], str]] = []
        self._open: list[tuple[str, dict[str, str], str]] = []
        self._text: list[str] | None = None
        self._caption = ""  # it stands above its block

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        named = {name: value or "" for name, value in attrs}
        claims = {
            name.removeprefix(CLAIM): value
            for name, value in named.items()
            if "data-shows" in named and name.startswith(CLAIM)
        }
        if claims:
            self._caption = ""  # what stood above had no block
        classes = named.get("class", "").split()
        place = next((_PLACES.get(each, each) for each in classes if each in _FRAMES), "")
        if claims.get("shows") == _HINTS:
            place = _HINTS
        self._open.append((tag, claims, place))
        if tag == "pre" and self._text is None:
            self._text = []

    def handle_endtag(self, tag: str) -> None:
        if not any(name == tag for name, _, _ in self._open):
            return
        while self._open[-1][0] != tag:
            self._open.pop()
        if tag == "pre" and self._text is not None:
            claims = next((each for _, each, _ in reversed(self._open) if each), {})
            places = frozenset(place for _, _, place in self._open if place)
            self.found.append(("".join(self._text), claims, places, self._caption.strip()))
            self._text, self._caption = None, ""
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)
        else:
            places = {place for _, _, place in self._open}
            if places >= _CAPTION or _SCRIPT in places:
                self._caption += data
