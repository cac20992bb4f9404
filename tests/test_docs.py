"""The real docs, built once: no warning, no dead link, no request to anybody, readable colours."""

from __future__ import annotations

import argparse
import re
import runpy
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import slides
from pygments.styles import get_style_by_name

from workshop import cli, course, sphinxext, transcript
from workshop.gates import equality, truth
from workshop.gates.page import Block, blocks

ROOT = Path(__file__).parent.parent
CSS = (ROOT / "docs" / "_static" / "workshop.css").read_text(encoding="utf-8")


@dataclass
class Page(HTMLParser):
    """What a test wants to know about an HTML page."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    unnamed_images: list[str] = field(default_factory=list)
    lang: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Sort the tag's attributes into the fields."""
        named = {name: value or "" for name, value in attrs}
        self.ids |= {named[name] for name in ("id", "name") if name in named}
        if tag == "html":
            self.lang = named.get("lang", "")
        if tag == "a" and "href" in named:
            self.links.append(named["href"])
        if tag == "img" and not named.get("alt", "").strip():
            self.unnamed_images.append(named.get("src", ""))
        if tag == "link" and {"stylesheet", "preload", "icon"} & set(named["rel"].split()):
            self.fetched.append(named["href"])
        if tag != "a" and "src" in named:
            self.fetched.append(named["src"])


@pytest.fixture(scope="module")
def pages(built: Path) -> dict[Path, Page]:
    """Every page, parsed."""
    found = {}
    for file in sorted(built.rglob("*.html")):
        found[file] = Page()
        found[file].feed(file.read_text(encoding="utf-8"))
    return found


def test_every_source_has_a_page(pages: dict[Path, Page], built: Path) -> None:
    """Docs, lessons, trainer notes, katas, notebooks: nobody is left out of the whole."""
    sources = [
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("steps/*/index.md"),
        *ROOT.glob("steps/*/trainer.md"),
        *ROOT.glob("katas/*/*.md"),
        *ROOT.glob("notebooks/*.ipynb"),
    ]
    missing = [
        file for file in sources if built / file.relative_to(ROOT).with_suffix(".html") not in pages
    ]
    assert missing == []
    assert len(sources) > len(course.load(ROOT).steps) * 2


def test_links_lead_somewhere(pages: dict[Path, Page]) -> None:
    dead = []
    for file, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            known = pages[target].ids if target in pages else set()
            if not target.is_file() or (known and unquote(parts.fragment) not in {"", *known}):
                dead.append((file.name, link))
    assert dead == []


def test_nothing_is_fetched_from_elsewhere(pages: dict[Path, Page], built: Path) -> None:
    """The docs work without a network, and tell nobody who reads them."""
    fetched = {(file, url) for file, page in pages.items() for url in page.fetched}
    assert [url for _, url in fetched if urlsplit(url).netloc] == []
    for file, url in fetched:
        if not url.startswith("data:"):
            assert (file.parent / unquote(urlsplit(url).path)).is_file(), (file, url)
    for style in built.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)]*", text) == [], style


def test_pages_for_everybody(pages: dict[Path, Page]) -> None:
    """A language is named, pictures have words, and the keyboard gets to the content at once."""
    for file, page in pages.items():
        assert page.lang == "en", file
        assert page.unnamed_images == [], file
        if file.name != "index.html" or file.parent.name != "html":
            assert page.links[0] == "#content", file


def test_the_top_folder_leads_home(built: Path) -> None:
    assert 'content="0; url=docs/index.html"' in (built / "index.html").read_text(encoding="utf-8")


def test_every_verb_is_in_the_reference(built: Path) -> None:
    page = (built / "docs" / "reference" / "cli.html").read_text(encoding="utf-8")
    (verbs,) = [
        action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction)
    ]
    assert len(verbs.choices) > 5
    for name in verbs.choices:
        assert f'id="workshop-{name}"' in page, name


def test_the_picture_in_the_readme_is_what_the_lesson_shows() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "images" / "live.py"))
    picture = (ROOT / "docs" / "images" / "live.svg").read_text(encoding="utf-8")
    assert picture == script["draw"](transcript.read(ROOT / "steps" / "01-commit-one"))
    assert picture.count("X-Release") == 3  # said in words, by the deploy, and by the answer


def test_the_readme_shows_the_hash_that_everybody_gets() -> None:
    first = (ROOT / "steps" / "tags.txt").read_text(encoding="ascii").split()[0]
    readme = (ROOT / "README.rst").read_text(encoding="utf-8")
    assert f"It answers with this commit (header X-Release):\n      {first}\n" in readme


def test_every_directive_is_shown_live() -> None:
    text = (ROOT / "docs" / "reference" / "directives.md").read_text(encoding="utf-8")
    for name in [*sphinxext.DIRECTIVES, *sphinxext.ROLES]:
        assert f"\n## {name}\n" in text, name
        assert f"{{{name}}}" in text, name


# --- colours: at least 4.5 to 1, as WCAG 2.2 AA asks of text


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21, as WCAG 2 defines it."""
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(2 * each for each in digits)
    channels = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def variable(name: str) -> str:
    """A colour that the style sheet names."""
    found = re.search(rf"--{name}:\s*(#\w+)", CSS)
    assert found is not None, name
    return found[1]


def test_contrast_of_code(built: Path) -> None:
    conf = (ROOT / "conf.py").read_text(encoding="utf-8")
    name = re.search(r'pygments_style = "(\w+)"', conf)
    assert name is not None
    for ground in ("#ffffff", variable("new"), variable("example")):
        for token, style in get_style_by_name(name[1]):
            ratio = contrast(style["color"] or "000000", ground)
            assert ratio >= 4.5, (token, ground, ratio)


@pytest.mark.parametrize(
    ("ink", "ground"),
    [("link", "#fcfcfc"), ("link-visited", "#fcfcfc"), ("code", "#ffffff"), ("quiet", "#fcfcfc"),
     ("quiet", "new")],
)  # fmt: skip
def test_contrast_of_text(ink: str, ground: str) -> None:
    behind = ground if ground.startswith("#") else variable(ground)
    assert contrast(variable(ink), behind) >= 4.5


def test_contrast_within_rules() -> None:
    """Where a rule of ours sets both colours, they go together."""
    both = [
        (rule[1].strip(), ink[1], ground[1])
        for rule in re.finditer(r"([^{}]+)\{([^{}]*)\}", CSS)
        if (ink := re.search(r"(?<![-\w])color:\s*(#\w+)", rule[2]))
        and (ground := re.search(r"background:\s*(#\w+)", rule[2]))
    ]
    assert len(both) >= 3
    assert [each for each in both if contrast(each[1], each[2]) < 4.5] == []


LESSONS = sorted((ROOT / "steps").glob("*/index.md"))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda file: file.parent.name)
def test_a_lesson_is_short(lesson: Path) -> None:
    text = re.sub(r"(?ms)^ *(`{3,})\{.*?^ *\1$", "", lesson.read_text("utf-8"))
    assert 400 < len(text.split()) <= 900


# --- the talk's trees ----------------------------------------------------------------------------

# Where each stands: of a layer on its page, and the whole, without a layer, in the story.
TREES = {each: f"docs/layers/{each.lower()}.html" for each in slides.LAYERS} | {
    "": "docs/story.html"
}


@pytest.fixture(scope="module")
def drawings(built: Path) -> dict[str, Block]:
    """The tree that each of these pages shows, and no other."""
    found = {}
    for layer, name in TREES.items():
        every = blocks(name, (built / name).read_text(encoding="utf-8"))
        (found[layer],) = (block for block in every if block.claim("shows") == "tree")
    return found


def test_the_talks_trees_are_shown_as_on_its_slides(drawings: dict[str, Block]) -> None:
    last = course.load(ROOT).steps[-1].tag
    for layer, block in drawings.items():
        assert block.text == slides.TREES[layer]
        assert block.caption == (f"{last}: {layer}" if layer else last)


def test_a_gate_holds_each_of_them(drawings: dict[str, Block]) -> None:
    """As they are, and not with a letter changed, or with another one's tree."""
    with truth.open_truth(course.load(ROOT)) as known:

        def found(layer: str, text: str) -> int:
            return len(equality.prove(known, [drawings[layer]._replace(text=text)]).findings)

        for layer in TREES:
            other = {each: found(layer, slide) for each, slide in slides.TREES.items()}
            assert other == {each: int(each != layer) for each in slides.TREES}
            assert found(layer, slides.TREES[layer].replace("tor", "tar")) == 1
