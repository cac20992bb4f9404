"""A rendered page, as a reader has it: the words that a directive or a role put into its prose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from workshop.gates.page import CLAIM, VOID
from workshop.gates.provenance import KNOWN

_INLINE = {"a", "b", "code", "em", "i", "kbd", "span", "strong"}  # no space around them
# What is no word of the fact: code, and what a theme adds for the mouse.
_HIDDEN_TAGS, _HIDDEN_CLASSES = {"pre", "svg", "script", "style"}, {"headerlink"}


class Frame(NamedTuple):
    """What one directive or role shows, as words with single spaces.

    `claims` is what it says of itself (`shows`, and what it was asked for). `within` is what the
    frame around it shows; mostly nothing.
    """

    page: str
    claims: Mapping[str, str]
    text: str
    within: str = ""

    @property
    def shows(self) -> str:
        """The name of the directive or role."""
        return self.claims["shows"]

    @property
    def asks(self) -> str:
        """What stands in the role, or nothing."""
        return self.claims.get("asks", "")


def read(html: Path) -> dict[str, tuple[Frame, ...]]:
    """The facts of every page below the folder `html`, by page. One without any is there, too."""
    found = {}
    for file in sorted(html.rglob("*.html")):
        page, text = file.relative_to(html).as_posix(), file.read_text(encoding="utf-8")
        found[page] = tuple(frames(page, text)) if " data-shows=" in text else ()
    return found


def frames(page: str, html: str) -> Iterator[Frame]:
    """The facts on one page, in the order in which they end."""
    parser = _Parser()
    parser.feed(html)
    for claims, words, within in parser.found:
        yield Frame(page, claims, " ".join("".join(words).split()), within)


class _Open(NamedTuple):
    """An element that is open: what it claims, the words in it so far, whether they count."""

    tag: str
    claims: Mapping[str, str]
    words: list[str]
    hidden: bool


class _Parser(HTMLParser):
    """Keeps a stack of what is open. Only the page's own content counts, not its menus."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[Mapping[str, str], list[str], str]] = []
        self._open: list[_Open] = []
        self._main = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._space(tag)
        if tag in VOID:
            return
        named = {name: value or "" for name, value in attrs}
        claims = {}
        if "data-shows" in named:
            claims = {n.removeprefix(CLAIM): v for n, v in named.items() if n.startswith(CLAIM)}
        other = bool(claims) and claims["shows"] in KNOWN  # code, which other gates look at
        classes = set(named.get("class", "").split())
        hidden = other or tag in _HIDDEN_TAGS or bool(classes & _HIDDEN_CLASSES)
        if named.get("role") == "main" and not self._main:
            self._main = len(self._open) + 1
        self._open.append(_Open(tag, {} if other else claims, [], hidden))

    def handle_endtag(self, tag: str) -> None:
        self._space(tag)
        if not any(each.tag == tag for each in self._open):
            return
        ended = False
        while not ended:
            last = self._open.pop()
            ended = last.tag == tag
            if last.claims and self._main:
                around = (each.claims["shows"] for each in reversed(self._open) if each.claims)
                self.found.append((last.claims, last.words, next(around, "")))
            if len(self._open) < self._main:
                self._main = 0

    def handle_data(self, data: str) -> None:
        if not any(each.hidden for each in self._open):
            for each in self._open:
                each.words.append(data)

    def _space(self, tag: str) -> None:
        if tag not in _INLINE:
            self.handle_data(" ")
