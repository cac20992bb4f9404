"""What stands behind the rendered pages: Markdown, in files of its own or in a notebook's cells."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from workshop.model import Finding

SUFFIXES = (".md", ".ipynb")
# Made by Sphinx and its extensions, with nothing in it that an author typed as code.
GENERATED = {"genindex.html", "search.html", "py-modindex.html"}
_INCLUDED = re.compile(r"(?m)^[ \t]*[`~:]{3,}\{include\}[ \t]+(\S+\.md)[ \t]*$")


def of_page(root: Path, page: str) -> Path | None:
    """The source of a rendered page; None for one that Sphinx makes by itself."""
    stem = root / PurePosixPath(page)
    return next((file for each in SUFFIXES if (file := stem.with_suffix(each)).is_file()), None)


def gone(root: Path, html: Path) -> tuple[Finding, ...]:
    """The pages that a reader still finds though their source is gone. Sphinx leaves them there,
    and what they show is no longer held against anything."""
    pages = sorted(file.relative_to(html).as_posix() for file in html.rglob("*.html"))
    return tuple(
        Finding(page, "its source is gone: remove it")
        for page in pages
        if page not in GENERATED and of_page(root, page) is None and not _leads_on(html / page)
    )


def _leads_on(page: Path) -> bool:
    """Whether it shows nothing, and takes a reader to another page."""
    return '<meta http-equiv="refresh"' in page.read_text(encoding="utf-8")


def of_pages(root: Path, html: Path) -> tuple[Path, ...]:
    """The sources of the rendered pages, with the hints and other Markdown that they include.

    What a program wrote, such as the tables of the benchmarks, is no Markdown.
    """
    pages = (file.relative_to(html).as_posix() for file in html.rglob("*.html"))
    found = {file for page in pages if (file := of_page(root, page)) is not None}
    for file in tuple(found):
        found.update(included(root, file))
        if "{hints}" in "".join(text for _, text in pieces(file)):
            found.add(file.parent / "hints.md")
    return tuple(sorted(file for file in found if file.is_file() and file.is_relative_to(root)))


def included(root: Path, file: Path) -> Iterator[Path]:
    """The Markdown files that a source includes."""
    for _, text in pieces(file):
        for name in _INCLUDED.findall(text):
            # Sphinx takes a path that begins with a slash from the top folder
            path = f"{root}{name}" if name[0] == "/" else file.parent / name
            yield Path(os.path.normpath(path))


def pieces(file: Path) -> Iterator[tuple[str, str]]:
    """The Markdown in a source, and where it stands in the file: `:` behind it, a line counts from
    there. A notebook's code is not told here: it is executed."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".ipynb":
        yield "", text
        return
    for number, cell in enumerate(json.loads(text)["cells"], 1):
        if cell["cell_type"] == "markdown":
            yield f", cell {number}", "".join(cell["source"])
