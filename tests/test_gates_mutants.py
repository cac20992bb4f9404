"""Each way in which a page could lie has a gate that says so, and the page as it is has none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import COURSES
from mutants import (
    ASIDE,
    ASIDE_PAGE,
    CELLS,
    LAYERS,
    MUTANTS,
    NOTEBOOK,
    RAW,
    REPLAYED,
    SECOND,
    SHOWN,
    SHOWN_PAGE,
    TYPED,
)
from mutants_facts import FACTS, FACTS_PAGE
from mutants_facts import MUTANTS as SPOILED_FACTS
from rendering import Docs, Spoil

from workshop import course, gates, recording, robot
from workshop.gates import (
    coverage,
    equality,
    facts,
    frames,
    page,
    provenance,
    replay,
    sources,
    truth,
    values,
    variants,
)
from workshop.gates.page import Block
from workshop.gates.waivers import Waivers
from workshop.model import Finding

pytestmark = pytest.mark.filterwarnings("ignore::sphinx.deprecation.RemovedInSphinx11Warning")


class Site(NamedTuple):
    """The rendered miniature course, what the gates know of it, and what the build warned of."""

    docs: Docs
    known: truth.Truth
    blocks: tuple[Block, ...]
    warnings: str

    def spoiled(self, name: str, spoil: Spoil) -> tuple[Block, ...]:
        """All blocks, those of one page as they are after that."""
        html, where = spoil(self.docs.html(name)), f"{name}.html"
        lines = [block for block in self.blocks if block.page < where]
        rest = [block for block in self.blocks if block.page > where]
        return (*lines, *page.blocks(where, html), *rest)

    def prove(self, gate: str, blocks: tuple[Block, ...]) -> list[str]:
        """The findings of one gate, on all pages but those with something typed."""
        blocks = tuple(block for block in blocks if not block.page.startswith("typed/"))
        root, none = self.known.course.root, Waivers(())
        results = {
            provenance.NAME: lambda: provenance.prove(root, blocks, none),
            equality.NAME: lambda: equality.prove(self.known, blocks),
            coverage.NAME: lambda: coverage.prove(self.known, blocks, none),
            variants.NAME: lambda: variants.prove(self.known.course, blocks),
        }
        return written(results[gate]().findings)


def written(findings: tuple[Finding, ...]) -> list[str]:
    return [f"{each.where}: {each.fact}" for each in findings]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("site") / "course"
    shutil.copytree(COURSES / "good", root)
    toml = root / "steps" / "course.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + LAYERS, encoding="utf-8")
    docs = Docs(root)
    pages = {
        f"{SHOWN}.md": SHOWN_PAGE,
        f"{ASIDE}.md": ASIDE_PAGE,
        f"{FACTS}.md": FACTS_PAGE,
        "parts/typed.md": "```text\ntyped\n```\n",
    }
    pages |= {f"typed/{name}.md": f"# Typed\n\n{text}\n" for name, text in TYPED.items()}
    pages |= {f"typed/raw-{name}.md": f"# Raw\n\n{text}\n" for name, text in RAW.items()}
    python = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    notebook = {"cells": CELLS, "metadata": python, "nbformat": 4, "nbformat_minor": 4}
    pages[f"{NOTEBOOK}.ipynb"] = json.dumps(notebook)
    cell = {"cell_type": "markdown", "metadata": {}, "source": "# Typed\n\n```\ntyped\n```"}
    pages["typed/cell.ipynb"] = json.dumps(notebook | {"cells": [cell]})
    for name, text in pages.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    home = "# Home\n\n```{toctree}\n:glob:\n\n/*/*/index\n/*/*\n```\n"
    _, warnings = docs.build(also="[pt][ay][gp]*/*", home=home)
    with truth.open_truth(course.load(root)) as known:
        yield Site(docs, known, page.read(root / "out"), warnings)


# --- static gates: the HTML is spoiled -----------------------------------------------------------


@pytest.mark.parametrize("name", MUTANTS)
def test_a_spoiled_page_is_found(site: Site, name: str) -> None:
    gate, where, spoil, fact = MUTANTS[name]
    assert site.prove(gate, site.blocks) == []
    found = site.prove(gate, site.spoiled(where, spoil))
    assert len(found) >= 1
    assert found[0].startswith((f"{where}.html, block ", f"{where}.md: "))
    assert fact in found[0]


def test_a_source_that_changes_after_the_build(site: Site) -> None:
    file = site.docs.root / "steps" / "course.toml"
    kept = file.read_text(encoding="utf-8")
    try:
        file.write_text(kept.replace('"/ready"', '"/alive"'), encoding="utf-8")
        (found,) = site.prove("equality", site.blocks)
    finally:
        file.write_text(kept, encoding="utf-8")
    assert found.startswith(f"{SHOWN}.html, block ")
    said = "line 5 is 'readiness = \"/ready\"\\n', and should be 'readiness = \"/alive\"\\n'"
    assert found.endswith(said)


def test_facts_are_as_the_course_has_them(site: Site) -> None:
    result = facts.prove(site.known, frames.read(site.docs.root / "out"))
    assert result.findings == ()
    assert result.proven == 17


@pytest.mark.parametrize("name", SPOILED_FACTS)
def test_a_spoiled_fact_is_found(site: Site, name: str) -> None:
    where, spoil, fact = SPOILED_FACTS[name]
    shown = frames.frames(f"{where}.html", spoil(site.docs.html(where)))
    found = written(facts.prove(site.known, {f"{where}.html": tuple(shown)}).findings)
    assert found
    assert all(each.startswith(f"{where}.html: ") for each in found)
    assert any(fact in each for each in found), found


# --- blocks that a person typed ------------------------------------------------------------------


@pytest.mark.parametrize("name", [*TYPED, "cell"])
def test_a_typed_block_is_found_wherever_it_stands(site: Site, name: str) -> None:
    blocks = [block for block in site.blocks if block.page == f"typed/{name}.html"]
    found = provenance.prove(site.docs.root, blocks, Waivers(())).findings
    assert any("typed by hand" in fact and "typed" in fact for fact in written(found))


@pytest.mark.parametrize("name", RAW)
def test_raw_html_is_a_warning_of_the_build(site: Site, name: str) -> None:
    (line,) = {line for line in site.warnings.split("\n") if f"typed/raw-{name}.md" in line}
    assert line.endswith("WARNING: raw HTML can't be proven. Use a directive [workshop.raw]")


def test_nothing_else_is_a_warning_of_the_build(site: Site) -> None:
    lines = [line for line in site.warnings.split("\n") if "[workshop.raw]" not in line]
    assert lines == []


# --- nothing is left out -------------------------------------------------------------------------

# What could go wrong on a page, and where it is tried.
KINDS: dict[str, tuple[Container[str], str]] = {
    "one byte of a listing": (MUTANTS, "a byte of a listing"),
    "one line of an output": (REPLAYED, "a line of an output"),
    "the order of two lines of code": (MUTANTS, "two lines of a listing swapped"),
    "the order of two lines of an output": (REPLAYED, "two lines of an output swapped"),
    "one exit code": (REPLAYED, "another exit code"),
    "one file name": (MUTANTS, "another file in a caption"),
    "one tag in a claim": (MUTANTS, "another tag"),
    "one tag in a sentence": (SPOILED_FACTS, "a tag"),
    "one hunk of a diff": (MUTANTS, "a hunk gone"),
    "one hunk that is nowhere": (MUTANTS, "a hunk not shown"),
    "one value": (SPOILED_FACTS, "a number"),
    "one hash": (SPOILED_FACTS, "a byte of a hash"),
    "minutes": (SPOILED_FACTS, "minutes"),
}


def test_every_kind_is_tried_and_every_gate_is() -> None:
    assert [kind for kind, (mutants, name) in KINDS.items() if name not in mutants] == []
    tried = {mutant.gate for mutant in MUTANTS.values()} | {"facts", "replay", "values"}
    assert tried == set(gates.NAMES)
    assert len(MUTANTS) + len(SPOILED_FACTS) + len(REPLAYED) > 100


# What is no prose, right above and right below some that is.
FENCES = [
    ("1. ```{commands}\n   ls in 9 steps\n   ```\n", "```{tree}\n```"),
    ("- ```{commands}\n  ls in 9 steps\n", "```{tree}\n```"),
    ("> ```{commands}\n> ls in 9 steps\n> ```\n", "```{tree}\n```"),
    ("```{commands}\nls in 9 steps\n`````\n", "```{tree}\n```"),
    ("````{example}\n```\nls in 9 steps\n```\n````", "````{example}\n````"),
    ("```{commands}\nls in 9 steps\n~~~\n``` 9 steps\n```", "```{tree}\n```"),
    ("::::{note}\n:::{tree}\n9 steps\n::::", ":::{tree}\n:::"),
]


# --- prose ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("Install Django 5.2.1 today.", "a typed version: '5.2.1'. Write {value}`version:…`"),
        ("Write `Django==5.2`.", "a typed version: '5.2'. Write {value}`version:…`"),
        ("It answers on port 8000.", "a typed port: 'port 8000'. Write {value}`url`"),
        ("Open 127.0.0.1:9000 now.", "a typed port: '127.0.0.1:9000'. Write {value}`url`"),
        ("It takes 7 minutes.", "a typed count: '7 minutes'. Write {value}`minutes:…`"),
        ("It takes 3 minutes.", "a typed count: '3 minutes'. Write {value}`minutes:…`"),
        ("There are three checks.", "a typed count: 'three checks'. Write {{value}}"),
        ("All 13 steps.", "a typed count: '13 steps'. Write {{value}}"),
        ("We go in twenty\nsteps.", "a typed count: 'twenty steps'. Write {{value}}"),
        ("> All of its 13\n> checks.", "a typed count: '13 checks'. Write {{value}}"),
        ("See thirteen steps.", "a typed count: 'thirteen steps'. Write {{value}}"),
        ("Thirty-two katas.", "a typed count: 'Thirty-two katas'. Write {{value}}"),
        ("In 20 small steps.", "a typed count: '20 small steps'. Write {{value}}"),
        ("In 20 **steps**.", "a typed count: '20 **steps'. Write {{value}}"),
        ("It takes 7\nminutes.", "a typed count: '7 minutes'. Write {value}`minutes:…`"),
        ("It is at port\n9000.", "a typed port: 'port 9000'. Write {value}`url`"),
        (
            "You did it in step 2.",
            "a typed step: 'step 2'. Write a link to the step, or {value}`title:slug`",
        ),
        ("It is commit 049c19d.", "a typed hash: '049c19d'. Write {hash}`…`"),
        ("Look into /home/ada/demo.", "a typed path: '/home/ada/demo.'. Write a relative path"),
        ("Open `main.py`.", "there is no file main.py"),
        (":::{note}\nIt has 4 files.\n:::", "a typed count: '4 files'. Write {{value}}"),
        (":::{note} It has 4 files.\n:::", "a typed count: '4 files'. Write {{value}}"),
        (
            "```{figure} a.svg\n:alt: All 4 files.\n:width: 9 files\n```",
            "a typed count: '4 files'. Write {{value}}",
        ),
        ("- a\n- See `deploy/app.conf`", "there is no file deploy/app.conf"),
        *(
            (before + "\nIt has 4 files.\n" + after, "a typed count: '4 files'. Write {{value}}")
            for before, after in FENCES
        ),
    ],
)
@pytest.mark.parametrize(
    "name",
    [f"{SECOND}.md", "steps/01-hello/hints.md", "pages/part.md", f"{NOTEBOOK}.ipynb"],
)
def test_a_typed_value_is_found(
    site: Site, tmp_path: Path, name: str, text: str, fact: str
) -> None:
    root = shutil.copytree(site.docs.root, tmp_path / "course")
    (root / "pages" / "part.md").write_text("Some text.\n", encoding="utf-8")
    (root / f"{ASIDE}.md").write_text("# A\n\n:::{include} part.md\n:::\n", encoding="utf-8")
    loaded = course.load(root)

    def prove() -> list[str]:
        files = [
            file for file in sources.of_pages(root, root / "out") if file.parent.name != "typed"
        ]
        known = gates.files(site.known)
        return written(values.prove(loaded, files, known, Waivers(())).findings)

    assert prove() == []
    file = root / name
    if file.suffix == ".ipynb":
        notebook = json.loads(file.read_text(encoding="utf-8"))
        notebook["cells"][0]["source"] += f"\n\n{text}\n"
        file.write_text(json.dumps(notebook), encoding="utf-8")
    else:
        file.write_text(f"{file.read_text(encoding='utf-8')}\n{text}\n", encoding="utf-8")
    (found,) = prove()
    assert found.startswith(f"{name}, cell 1:" if file.suffix == ".ipynb" else f"{name}:")
    assert found.endswith(f": {fact}")


def test_a_typed_value_is_found_in_its_line(tmp_path: Path) -> None:
    """A paragraph is read as one, and a role in it may go over a line's end, too."""
    root = shutil.copytree(COURSES / "good", tmp_path / "course")
    file = root / "page.md"
    file.write_text("# A\n\n{value}`title:\n01` is one\nof twenty\nsteps.\n", encoding="utf-8")
    found = values.prove(course.load(root), [file], (), Waivers(())).findings
    assert [each.where for each in found] == ["page.md:5"]


# --- replay: a robot does the spoiled lessons ----------------------------------------------------


def replay_of(site: Site, blocks: tuple[Block, ...]) -> list[str]:
    with robot.robot(site.docs.root) as learner:
        return written(replay.prove(site.known, blocks, learner).findings)


@pytest.fixture(scope="module")
def replayed(site: Site) -> list[str]:
    """What the replay of the pages as they are finds."""
    return replay_of(site, site.blocks)


@pytest.mark.parametrize("name", REPLAYED)
def test_a_spoiled_lesson_can_not_be_done(site: Site, replayed: list[str], name: str) -> None:
    assert replayed == []
    where, spoil, fact = REPLAYED[name]
    found = replay_of(site, site.spoiled(where, spoil))
    assert any(fact in each for each in found), found
    assert all(each.startswith("steps/") for each in found)


def test_a_transcript_that_lies(site: Site, tmp_path: Path) -> None:
    """Its line comes onto the page, and a robot that does the lesson sees another one."""
    root = shutil.copytree(COURSES / "good", tmp_path / "course")
    file = root / "steps" / "02-name" / "transcript.txt"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("| rm 'run.sh'", "| gone"), encoding="utf-8")
    html = recording._rendered(course.load(root), tmp_path / "rendered")
    (found,) = replay_of(site, page.read(html))
    assert found.endswith("below `git rm run.sh` stands 'gone', and it said \"rm 'run.sh'\"")


def test_a_command_that_was_not_recorded(site: Site, tmp_path: Path) -> None:
    """An edited command has no output yet, and the build says so."""
    root = shutil.copytree(COURSES / "good", tmp_path / "course")
    docs = Docs(root)
    text = (
        docs.file("lesson").read_text(encoding="utf-8").replace("git rm run.sh", "git rm -f run.sh")
    )
    home = "# Home\n\n```{toctree}\n:glob:\n\n/steps/*/index\n```\n"
    _, warnings = docs.build(lesson=text, home=home)
    assert warnings.split("\n")[0] == (
        "ROOT/steps/02-name/index.md:20: WARNING: not recorded: `git rm -f run.sh`."
        " Run: nox -s record [workshop.unrecorded]"
    )
