"""The gates on a sound course, their waivers, and how they read a page."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import COURSES
from rendering import Docs

from workshop import cli, course, gates, robot, sphinxext
from workshop.errors import WorkshopError
from workshop.gates import coverage, facts, page, provenance, replay, sources, spelled, variants
from workshop.gates.result import Lesson, Result
from workshop.gates.waivers import Waivers
from workshop.model import Finding, Waiver

pytestmark = pytest.mark.filterwarnings("ignore::sphinx.deprecation.RemovedInSphinx11Warning")

STATIC = ("provenance", "equality", "facts", "coverage", "values", "variants")
HOME = "# Home\n\n```{toctree}\n:glob:\n\n/steps/*/index\n```\n"


@pytest.fixture
def docs(course_folder: Path) -> Iterator[Docs]:
    made = Docs(course_folder)
    assert made.build(home=HOME)[1] == ""
    yield made


def run(docs: Docs, *names: str) -> dict[str, Result]:
    results = gates.run(course.load(docs.root), docs.root / "out", names)
    return {result.gate: result for result in results}


def waive(root: Path, **more: str) -> None:
    values = {"gate": "values", "page": "index.md", "text": "port", "reason": "So."}
    values |= {"since": "2026-01-01"} | more
    lines = [f"{name} = {json.dumps(text)}" for name, text in values.items()]
    (root / "steps" / "waived.toml").write_text(
        "\n".join(["[[waiver]]", *lines, ""]), encoding="utf-8"
    )


# --- a sound course ------------------------------------------------------------------------------


def test_every_gate_is_green_on_a_sound_course(docs: Docs) -> None:
    seen: list[str] = []
    loaded = course.load(docs.root)
    results = gates.run(loaded, docs.root / "out", report=lambda each: seen.append(each.gate))
    assert [each.gate for each in results] == seen == [*STATIC, "replay"]
    assert gates.findings(results) == ()
    assert [each.proven for each in results] == [14, 6, 4, 6, 4, 8, 20]
    (variants,) = (each for each in results if each.gate == "variants")
    skipped = [each.fact.split(":")[0] for each in variants.skipped]
    assert sorted(skipped) == ["for macos", "for windows"]


def test_what_a_step_needs_is_said_in_words_and_held(docs: Docs) -> None:
    toml = docs.root / "steps" / "02-name" / "step.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace("[red]", 'needs = ["cluster", "pipelines"]\n\n[red]'), "utf-8")
    assert docs.build(home=HOME)[1] == ""
    page = docs.root / "out" / "steps" / "02-name" / "index.html"
    assert "Needs: a Kubernetes cluster, gitlab-ci-local" in page.read_text(encoding="utf-8")
    assert run(docs, "facts")["facts"].green
    page.write_text(page.read_text(encoding="utf-8").replace("a Kubernetes", "a"), "utf-8")
    assert not run(docs, "facts")["facts"].green


@pytest.mark.parametrize("directive", ["checks", "hints"])
def test_a_check_is_shown_as_its_command_prints_it(docs: Docs, directive: str) -> None:
    """Markdown takes underscores for marks, unless they stand in code."""
    check = docs.root / "steps" / "02-name" / "test_name.py"
    text = check.read_text(encoding="utf-8")
    lesson = docs.file("lesson").read_text(encoding="utf-8") + f"\n```{{{directive}}}\n```\n"
    for name, shown in (
        ("`__init__.py`", "__init__.py greets"),
        ("__init__.py", "init .py greets"),
    ):
        check.write_text(text.replace("The page", name), encoding="utf-8")
        assert docs.build(home=HOME, lesson=lesson)[1] == ""
        assert shown in docs.text()
        assert run(docs, "facts")["facts"].green is (name[0] == "`")


def test_only_the_gates_that_are_named_run(docs: Docs) -> None:
    assert list(run(docs, "values", "coverage")) == ["coverage", "values"]


def test_the_command_line(docs: Docs, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["gates", "coverage", "--html", str(docs.root / "out"), "--course", str(docs.root)]
    assert cli.main(words) == 0
    assert capsys.readouterr().out == "green coverage: 6 proven\n"
    html = docs.root / "out" / "steps" / "02-name" / "index.html"
    html.write_text("<pre>typed</pre>", encoding="utf-8")
    assert cli.main(words) == 1
    assert capsys.readouterr().out == (
        "red   coverage: 6 proven\n"
        "      - steps/02-name/index.md: not shown: app.py:6: 1 lines go, 1 come\n"
        "      - steps/02-name/index.md: not shown: run.sh: the file goes\n"
    )
    assert cli.main([*words, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["gate"] == "coverage"


def test_nothing_proven_is_red(docs: Docs) -> None:
    for file in (docs.root / "out").rglob("*.html"):
        file.write_text("<p>No code at all.</p>", encoding="utf-8")
    (docs.root / "out" / "search.html").write_text("<pre>made by Sphinx</pre>", encoding="utf-8")
    results = run(docs, "provenance", "equality", "variants")
    assert [each.green for each in results.values()] == [False, False, False]
    assert gates.findings(tuple(results.values())) == (
        Finding("provenance", "nothing was proven"),
        Finding("equality", "nothing was proven"),
        Finding("variants", "nothing was proven"),
    )


def test_no_pages_and_no_such_gate(docs: Docs, tmp_path: Path) -> None:
    loaded = course.load(docs.root)
    with pytest.raises(WorkshopError) as error:
        gates.run(loaded, tmp_path / "nowhere", ["equality"])
    assert str(error.value) == (
        f"{tmp_path}/nowhere: there are no rendered pages\nBuild the docs first: nox -s docs"
    )
    with pytest.raises(WorkshopError) as error:
        gates.run(loaded, docs.root / "out", ["equalty"])
    assert str(error.value) == (
        "there is no gate equalty\n"
        "The gates are: provenance, equality, facts, coverage, values, variants, replay"
    )


REPLAYED = Result("replay", 20)


def test_lessons_are_counted(docs: Docs) -> None:
    first, second = gates.lessons(course.load(docs.root), docs.root / "out", [REPLAYED])
    assert first == Lesson("01-hello", listings=4, commands=7, pages=0, skipped=2)
    assert second == Lesson("02-name", listings=2, commands=8, pages=0, skipped=0)


def test_what_no_robot_did_is_not_counted(docs: Docs) -> None:
    """It could not be done here, or something went wrong before, or no robot was there at all."""
    loaded, html = course.load(docs.root), docs.root / "out"
    consoles = [
        (block.where, len(replay.shown_entries(block)))
        for block in page.of_lesson(page.read(html), loaded.steps[1])
        if block.claim("shows") == "commands"
    ]
    where, many = consoles[0]
    lacking = REPLAYED._replace(skipped=(Finding(where, "no engine: `ls`"),))
    first, second = gates.lessons(loaded, html, [lacking])
    assert (first.commands, second.commands) == (7, 8 - many)
    for stopped, done in (("01-hello", (0, 0)), ("02-name", (7, 0))):
        red = REPLAYED._replace(findings=(Finding(f"steps/{stopped}/index.html, block 2", "no"),))
        found = gates.lessons(loaded, html, [Result("equality", 6), red])
        assert tuple(each.commands for each in found) == done
        assert [each.listings for each in found] == [4, 2]
    assert [each.commands for each in gates.lessons(loaded, html, [])] == [0, 0]


def test_a_page_to_open_is_counted(docs: Docs) -> None:
    html = docs.root / "out" / "steps" / "02-name" / "index.html"
    seen = '<div data-shows="browser" data-url="http://127.0.0.1:8000/"><pre>Hello</pre></div>'
    html.write_text(docs.html().replace("</body>", f"{seen}</body>"), encoding="utf-8")
    loaded, out = course.load(docs.root), docs.root / "out"
    _, second = gates.lessons(loaded, out, [REPLAYED])
    assert second == Lesson("02-name", listings=2, commands=8, pages=1, skipped=0)
    where = page.of_lesson(page.read(out), loaded.steps[1])[-1].where
    unseen = REPLAYED._replace(skipped=(Finding(where, "there is no Chromium"),))
    assert gates.lessons(loaded, out, [unseen])[1] == second._replace(pages=0)


# --- what was replayed is not replayed again -----------------------------------------------------


def test_a_changed_sentence_needs_no_robot_and_a_changed_command_does(
    docs: Docs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_: Path) -> None:
        raise WorkshopError("the robot is asleep", "Wake it.")

    lesson = docs.file("lesson").read_text(encoding="utf-8")
    cold = run(docs, "replay")
    assert cold["replay"].green
    monkeypatch.setattr(robot, "robot", nobody)
    docs.build(lesson=lesson.replace("Who is greeted? Nobody.", "Who is greeted? Not you."))
    assert "Not you." in docs.text()
    assert run(docs, "replay") == cold
    with pytest.raises(WorkshopError, match="the robot is asleep"):
        gates.run(course.load(docs.root), docs.root / "out", ["replay"], fresh=True)
    docs.build(lesson=lesson.replace("\nls\n", "\nls -a\n"))
    with pytest.raises(WorkshopError, match="the robot is asleep"):
        run(docs, "replay")


# --- nothing is without a gate -------------------------------------------------------------------


def test_every_directive_and_role_has_a_gate() -> None:
    """The proof has no gate, since gates make it: tests/test_proof.py holds its page to it."""
    known = set(provenance.KNOWN) | facts.SHOWN
    assert {*sphinxext.DIRECTIVES, *sphinxext.ROLES} - known == {"proof"}
    assert not set(provenance.KNOWN) & facts.SHOWN


def test_every_gate_is_explained() -> None:
    page = Path(gates.__file__).parents[3] / "docs" / "reference" / "architecture.md"
    rows = re.findall(r"(?m)^\| (\w+) \| .+ \|$", page.read_text(encoding="utf-8"))
    assert [name for name in rows if name in gates.NAMES] == list(gates.NAMES)


def test_every_module_is_explained() -> None:
    package = Path(gates.__file__).parents[1]
    page = package.parents[1] / "docs" / "reference" / "architecture.md"
    table = page.read_text(encoding="utf-8").split("## Who may know what")[1].split("\n## ")[0]
    cells = "".join(re.findall(r"(?m)^\| (`.+?) \|", table))
    there = {each.stem for each in package.glob("*.py") if not each.stem.startswith("__")}
    there |= {each.parent.name for each in package.glob("*/__init__.py")}
    assert set(re.findall(r"`(\w+)`", cells)) == there


# --- what is folded away in hints ----------------------------------------------------------------


def test_what_only_a_hint_shows_is_not_shown_and_nobody_does_it(docs: Docs) -> None:
    """Who needs no hint sees none."""
    folder = docs.root / "steps" / "01-hello"
    shown, hints = "```{listing} requirements.txt\n```\n", "```{hints}\n```\n"
    for name, old, new in (
        ("index.md", hints, ""),
        ("index.md", shown, hints),
        ("hints.md", "3. Write `app.py`.", f"3. Write:\n\n{textwrap.indent(shown, '   ')}"),
    ):
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    assert docs.build()[1] == ""
    assert any("# nothing is needed" in each for each in docs.blocks("steps/01-hello/index"))
    results = run(docs, "coverage", "equality", "replay")
    (finding,) = results["coverage"].findings
    assert finding.fact == "not shown: requirements.txt:1: 0 lines go, 1 come"
    assert results["equality"].findings == ()
    found = [each.fact for each in results["replay"].findings]
    assert any(re.search("only the stage has .*requirements.txt", each) for each in found), found


def test_what_a_hint_tells_to_type_is_typed_by_nobody() -> None:
    html = (
        '<div data-shows="hints" data-stage="x"><details>'
        '<div data-shows="commands"><pre>$ workshop chekc\n</pre></div></details></div>'
        '<div data-shows="commands"><pre>$ anything\n</pre></div>'
    )
    found = list(page.blocks("steps/02-name/index.html", html))
    result = provenance.prove(COURSES / "good", found, Waivers(()))
    assert result.proven == 1
    (finding,) = result.findings
    assert finding.where.endswith("block 1")
    assert "chekc" in finding.fact


# --- waivers -------------------------------------------------------------------------------------


def test_a_waiver_lets_through_what_it_names(docs: Docs) -> None:
    docs.build(home=HOME + "\nIt has port 8000.\n\n```text\ntyped\n```\n")
    found = run(docs, "provenance", "values")
    assert [each.fact for each in found["values"].findings] == [
        "a typed port: 'port 8000'. Write {value}`url`"
    ]
    waive(docs.root)
    assert run(docs, "values")["values"].findings == ()
    assert len(run(docs, "provenance")["provenance"].findings) == 1
    waive(docs.root, gate="provenance", text="typ")
    assert run(docs, "provenance")["provenance"].findings == ()
    waive(docs.root, gate="provenance", text="typ", page="steps/01-hello/index.md")
    assert [each.where for each in run(docs, "provenance")["provenance"].findings] == [
        "index.html, block 1",
        "steps/waived.toml",
    ]


def test_a_waiver_that_nobody_needs_is_a_finding_of_its_gate(docs: Docs) -> None:
    waive(docs.root)
    stale = Finding("steps/waived.toml", "nobody needs the waiver of index.md: 'port'")
    results = run(docs, "coverage", "values")
    assert results["coverage"].green
    assert results["values"].findings == (stale,)
    assert not results["values"].green


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"reason": " "}, "steps/waived.toml:5: a waiver needs a reason\nSay why."),
        (
            {"gate": "equalty"},
            "steps/waived.toml: a waiver names the gate equalty, which is none\n"
            "The gates are: provenance, equality, facts, coverage, values, variants, replay",
        ),
        (
            {"until": "2027"},
            "steps/waived.toml:7: unknown key `waiver.until`\n"
            "The keys are: gate, page, text, reason, since",
        ),
    ],
)
def test_a_waiver_that_is_none(docs: Docs, more: dict[str, str], said: str) -> None:
    waive(docs.root, **more)
    with pytest.raises(WorkshopError) as error:
        run(docs, "values")
    assert str(error.value) == f"{docs.root}/{said}"


def test_a_waiver_without_its_reason_or_table(docs: Docs) -> None:
    waive(docs.root)
    file = docs.root / "steps" / "waived.toml"
    file.write_text(file.read_text().replace('reason = "So."\n', ""), encoding="utf-8")
    with pytest.raises(WorkshopError) as error:
        run(docs, "values")
    assert str(error.value) == f"{file}: `waiver.reason` is missing\nAdd it."
    file.write_text('waiver = "values"\n', encoding="utf-8")
    with pytest.raises(WorkshopError) as error:
        run(docs, "values")
    assert str(error.value) == f"{file}:1: unknown key `waiver`\nWrite tables: [[waiver]]"


def test_one_waiver_may_let_more_than_one_thing_through() -> None:
    one = Waiver("values", "a.md", "port", "So.", "2026-01-01")
    waivers = Waivers([one])
    assert waivers.allow("values", "a.md", "port 8000")
    assert waivers.allow("values", "a.md", "port 9000")
    assert not waivers.allow("values", "b.md", "port 8000")
    assert not waivers.allow("coverage", "a.md", "port 8000")
    assert not waivers.allow("values", "a.md", "a port")
    assert waivers.stale(["values"]) == ()


# --- a page, as a reader has it ------------------------------------------------------------------


def blocks(html: str) -> list[page.Block]:
    return list(page.blocks("a/b.html", html))


def test_a_block_has_its_text_without_its_colours() -> None:
    (block,) = blocks('<pre><span></span><span class="k">if</span> a &lt; b:\n  x<br>y\n</pre>')
    assert (block.text, block.claims, block.places) == ("if a < b:\n  xy\n", {}, frozenset())
    assert block.where == "a/b.html, block 1"
    assert block.claim("shows") == ""


def test_a_claim_is_that_of_the_innermost_frame() -> None:
    html = (
        '<div data-shows="example" data-x="1"><pre>one</pre>'
        '<div data-shows="listing" data-path="a&amp;b"><div><pre>two</pre></div></div>'
        "<pre>three</pre></div><pre>four</pre>"
        '<div data-path="a"><pre>five</pre></div>'
    )
    assert [(block.text, dict(block.claims)) for block in blocks(html)] == [
        ("one", {"shows": "example", "x": "1"}),
        ("two", {"shows": "listing", "path": "a&b"}),
        ("three", {"shows": "example", "x": "1"}),
        ("four", {}),
        ("five", {}),
    ]


def test_places_are_told_wherever_they_are_nested() -> None:
    html = (
        '<div class="cell docutils"><div class="cell_input"><pre>a</pre></div>'
        '<div class="cell_output docutils"><p>x<img src="y"><pre>b</pre></div></div>'
        '<details><div class="sd-tab-content docutils"><ul><li><pre>c</pre></ul></div></details>'
        "<pre>d</pre>"
    )
    assert [(block.text, set(block.places)) for block in blocks(html)] == [
        ("a", {"cell"}),
        ("b", {"output"}),
        ("c", {"tab"}),
        ("d", set()),
    ]


def test_a_caption_is_that_of_its_own_block() -> None:
    html = (
        '<p class="caption"><span class="caption-text">Contents</span></p><pre>a</pre>'
        '<div class="code-block-caption"><span class="caption-text"><code>b.py</code></span>'
        '<a href="#b">¶</a></div><pre>b</pre><pre>c</pre>'
    )
    assert [block.caption for block in blocks(html)] == ["", "b.py", ""]


def test_what_is_not_closed_hides_nothing() -> None:
    html = '<div data-shows="listing"><p><pre>a</pre></div></section><pre>b</pre>'
    assert [(block.text, block.claim("shows")) for block in blocks(html)] == [
        ("a", "listing"),
        ("b", ""),
    ]


def test_a_console_is_read_as_commands_with_what_came_back() -> None:
    text = "out of nowhere\n$ git init \\\n  demo\nInitialized\n\n$ ls\n$ cat a\nb\\\nc\n"
    (block,) = blocks(f"<pre>{text}</pre>")
    assert [tuple(each) for each in replay.shown_entries(block)] == [
        ("git init \\\n  demo", "Initialized\n\n", 0),
        ("ls", "", 0),
        ("cat a", "b\\\nc\n", 0),
    ]


def test_a_last_line_without_an_end_is_read_like_the_others() -> None:
    (block,) = blocks('<div data-shows="commands" data-platform="linux"><pre>$ ls\na</pre></div>')
    assert [tuple(each) for each in replay.shown_entries(block)] == [("ls", "a\n", 0)]
    loaded = course.load(COURSES / "good")
    lesson = block._replace(page="steps/01-hello/index.html", text="$ chmod +x run.sh\na")
    (finding,) = variants.prove(loaded, [lesson]).findings
    assert finding.fact == "a variant shows an output: 'a'"


# --- the small parts -----------------------------------------------------------------------------


def test_hunks_of_a_diff() -> None:
    diff = (
        "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -3,2 +3 @@ x\n-a\n-b\n+c\n"
        "@@ -9,0 +9,2 @@\n+d\n+e\n"
        "diff --git a/b.sh b/b.sh\nold mode 100644\nnew mode 100755\n"
        "diff --git a/c.py b/c.py\nnew file mode 100644\nindex 0..e\n"
        "diff --git a/d.py b/d.py\ndeleted file mode 100644\n--- a/d.py\n@@ -1 +0,0 @@\n-x\n"
        "diff --git a/e.sh b/e.sh\nnew file mode 100755\n+++ b/e.sh\n@@ -0,0 +1 @@\n+x\n"
    )
    assert [str(each) for each in coverage.hunks(diff)] == [
        "a.py:3: 2 lines go, 1 come",
        "a.py:9: 0 lines go, 2 come",
        "b.sh: it becomes executable, or is no longer",
        "c.py: a file without content comes",
        "d.py: the file goes",
        "e.sh:1: 0 lines go, 1 come",
        "e.sh: it becomes executable, or is no longer",
    ]


@pytest.mark.parametrize(
    ("session", "said"),
    [
        ("$ git add .\n$ workshop check --json\n$ cd demo\n", ""),
        ("$ workshop lint \\\n    --record\n", ""),
        ("$ workshop --help\n", ""),
        (
            "$ git add . && git commit -m 'a; b | c'; workshop check 02 | git hash-object --stdin",
            "",
        ),
        (
            "$ workshop seal < a.yaml > b.yaml\n$ workshop verify 01 name\n$ nox -s start -- -v\n",
            "",
        ),
        ("$ sudo workshop check\n", "nobody runs `sudo workshop check`"),
        ("$ git add . && ls | git diff\n", "nobody runs `ls`"),
        ("$ \n", "`` is no command: a program is missing"),
        ("$ git add . && \n", "`git add . && ` is no command: a program is missing"),
        (
            "$ git log 2>&1 | git add\n",
            "`git log 2>&1 | git add` is no command: nobody checks what >& does",
        ),
        ("$ git add 'a\n", "`git add 'a` is no command: No closing quotation"),
        ("$ ls\n", "nobody runs `ls`"),
        ("$ git status\nnothing to commit\n", "nobody has seen what came back"),
        ("nothing at all\n", "nobody has seen what came back"),
        ("$ nox -s nope\n", "`nox -s nope` is no command: there is no session nope"),
        (
            "$ workshop verify 99-nope\n",
            "`workshop verify 99-nope` is no command: there is no step 99-nope",
        ),
        ("$ workshop goto nope\n", "`workshop goto nope` is no command: there is no step nope"),
    ],
)
def test_commands_that_nobody_runs_are_at_least_spelled(
    course_folder: Path, session: str, said: str
) -> None:
    text = "@nox.session\ndef start(session):\n    pass\n\n\ndef nope():\n    pass\n"
    (course_folder / "noxfile.py").write_text(text, encoding="utf-8")
    assert spelled.wrong(session, course_folder) == said


@pytest.mark.parametrize(
    "session",
    ["$ workshop chekc\n", "$ workshop chekc", "$ git add . && workshop chekc\n",
        "$ git add . & workshop chekc\n",
     "$ workshop verify --fre\n", "$ git diff; workshop chekc | git add\n"],
)  # fmt: skip
def test_a_word_that_our_command_line_does_not_take(course_folder: Path, session: str) -> None:
    said = spelled.wrong(session, course_folder)
    assert re.match(r"`workshop (chekc|verify --fre)` is no command: .", said)


def test_sources_are_pages_hints_and_what_they_include(docs: Docs) -> None:
    (docs.root / "part.md").write_text("Some text.\n", encoding="utf-8")
    (docs.root / "steps" / "other.md").write_text("Other text.\n", encoding="utf-8")
    include = "\n```{include} part.md\n```\n\n:::{include} /steps/other.md\n:::\n"
    docs.build(home=HOME + include + "\n```{include} ../nowhere.md\n```\n")
    found = sources.of_pages(docs.root, docs.root / "out")
    assert [file.relative_to(docs.root).as_posix() for file in found] == [
        "index.md",
        "part.md",
        "steps/01-hello/hints.md",
        "steps/01-hello/index.md",
        "steps/02-name/index.md",
        "steps/other.md",
    ]


def test_a_page_whose_source_is_gone_is_found(docs: Docs) -> None:
    """Sphinx builds it no more, and leaves it where a reader finds it."""
    (docs.root / "pages").mkdir()
    old = docs.root / "pages" / "old.md"
    old.write_text("---\norphan: true\n---\n# Old\n\nIn 99 steps.\n", encoding="utf-8")
    assert docs.build(also="pages/*")[1] == ""
    (docs.root / "out" / "start.html").write_text(
        '<meta http-equiv="refresh" content="0; url=index.html">', encoding="utf-8"
    )
    assert {"search.html", "genindex.html"} <= {each.name for each in (docs.root / "out").iterdir()}
    assert run(docs, "provenance")["provenance"].findings == ()
    old.unlink()
    assert docs.build(also="pages/*")[1] == ""
    assert run(docs, "provenance")["provenance"].findings == (
        Finding("pages/old.html", "its source is gone: remove it"),
    )


def test_files_are_those_of_the_stages(docs: Docs) -> None:
    with gates.truth.open_truth(course.load(COURSES / "good")) as known:
        assert {"app.py", "run.sh", "requirements.txt"} <= gates.files(known)
        assert known.start("01-hello") == ""
        assert known.start("02-name") == "01-hello"
