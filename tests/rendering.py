"""The miniature course as docs, rendered; and how to spoil what a reader sees on a page."""

from __future__ import annotations

import html
import io
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

LESSON = "steps/02-name/index"


@dataclass(frozen=True)
class Docs:
    """A miniature course, as docs that can be built again and again."""

    root: Path

    def build(self, *, fresh: bool = False, also: str = "", **pages: str) -> tuple[str, str]:
        """Write the lesson of step 02 and the home page. Returns what was read, and warnings.

        `also` is a pattern of more pages than the home page and the lessons.
        """
        for name, text in pages.items():
            self.file(name).write_text(text, encoding="utf-8")
        if fresh:
            shutil.rmtree(self.root / "out", ignore_errors=True)
        status, warnings = io.StringIO(), io.StringIO()
        with patch_docutils(), docutils_namespace():
            app = Sphinx(
                self.root, None, self.root / "out", self.root / "out" / ".doctrees", "html",
                confoverrides={
                    "extensions": ["myst_nb", "sphinx_design", "workshop.sphinxext"],
                    "include_patterns": ["index.md", "steps/*/index.md", *filter(None, [also])],
                    "source_suffix": {".md": "myst-nb", ".ipynb": "myst-nb"},
                    "nb_execution_mode": "off",
                    "myst_enable_extensions": ["colon_fence"],
                    "html_theme": "basic",
                    "nitpicky": True,
                },
                status=status, warning=warnings, verbosity=0,
            )  # fmt: skip
            app.build()
        read = re.findall(r"(?m)^.*reading sources\S* *\[.*?\].*?([\w/-]+)\s*$", _plain(status))
        return " ".join(sorted(read)), _plain(warnings).replace(str(self.root), "ROOT").strip()

    def file(self, name: str) -> Path:
        """The source of the page `home`, or of the `lesson` of step 02."""
        return self.root / {"home": "index.md", "lesson": f"{LESSON}.md"}[name]

    def html(self, docname: str = LESSON) -> str:
        """The rendered page."""
        return (self.root / "out" / f"{docname}.html").read_text(encoding="utf-8")

    def blocks(self, docname: str = LESSON) -> list[str]:
        """The text of each block of code on a page, as a browser shows it."""
        found = re.findall(r"<pre>(.*?)</pre>", self.html(docname), re.DOTALL)
        return [html.unescape(re.sub(r"<[^>]+>", "", each)) for each in found]

    def text(self, docname: str = LESSON) -> str:
        """The words on a page, without its frame, with single spaces."""
        body = re.search(
            r'<div class="body".*?>(.*?)<div class="clearer"', self.html(docname), re.S
        )
        assert body is not None
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body[1])).replace("¶", "").split())


def _plain(stream: io.StringIO) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).replace("\r", "\n")


# --- spoiled pages: each of these makes a function from a page's HTML to another one --------------

Spoil = Callable[[str], str]
_PRE = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)


def edit(old: str, new: str, *, only: str = "") -> Spoil:
    """In the first block that has `old` (and `only`), what a reader sees is `new` instead."""

    def spoil(page: str) -> str:
        def change(match: re.Match[str]) -> str:
            text = html.unescape(re.sub(r"<[^>]+>", "", match[1]))
            if done or old not in text or only not in text:
                return match[0]
            done.append(old)
            return f"<pre>{html.escape(text.replace(old, new, 1))}</pre>"

        done: list[str] = []
        spoiled = _PRE.sub(change, page)
        assert done, f"no block has {old!r}"
        return spoiled

    return spoil


def drop(old: str) -> Spoil:
    """Without the first block that has `old`."""

    def spoil(page: str) -> str:
        found = [
            match
            for match in _PRE.finditer(page)
            if old in html.unescape(re.sub(r"<[^>]+>", "", match[1]))
        ]
        assert found, f"no block has {old!r}"
        return page[: found[0].start()] + page[found[0].end() :]

    return spoil


def markup(old: str, new: str) -> Spoil:
    """With other markup, such as another claim."""

    def spoil(page: str) -> str:
        assert old in page, f"the page has no {old}"
        return page.replace(old, new, 1)

    return spoil


def words(shows: str, number: int, at: int | str) -> Spoil:
    """With the next byte of the alphabet in one place of the words that a frame shows.

    The frame is the one with this number among those on the page that show the like. The place is
    counted in its words, or stands behind this markup.
    """

    def spoil(page: str) -> str:
        start = [each.end() for each in re.finditer(rf'data-shows="{shows}"[^>]*>', page)][number]
        tag = page[page.rindex("<", 0, start) + 1 :].split(None, 1)[0]
        end = _closed(page, start, tag)
        if isinstance(at, str):
            place = page.index(at, start, end) + len(at) - 1 - (at[-1] == "<")
        else:
            letters = [
                start + found.start() + each
                for found in re.finditer(r"(?<![^>])[^<]+", page[start:end])
                for each, letter in enumerate(found[0])
                if not letter.isspace()
            ]
            place = letters[at]
        return page[:place] + chr(ord(page[place]) + 1) + page[place + 1 :]

    return spoil


def _closed(page: str, start: int, tag: str) -> int:
    """Where the element that begins before `start` ends."""
    deep = 1
    for each in re.finditer(rf"<(/?){tag}\b", page[start:]):
        deep += -1 if each[1] else 1
        if not deep:
            return start + each.start()
    raise AssertionError(f"<{tag}> is not closed")
