"""The directives on a page: what a reader sees is what stands in the stage."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from rendering import LESSON, Docs
from sphinx.errors import ExtensionError

from workshop import course, history, lint

# myst-parser's own, for a version of Sphinx that is not out yet
pytestmark = pytest.mark.filterwarnings("ignore::sphinx.deprecation.RemovedInSphinx11Warning")


@pytest.fixture
def docs(course_folder: Path) -> Iterator[Docs]:
    made = Docs(course_folder)
    made.file("home").write_text(
        "# Home\n\n```{toctree}\n:glob:\n\n/steps/*/index\n```\n", encoding="utf-8"
    )
    yield made


def lesson(*blocks: str) -> str:
    return "# Say your name\n\n" + "\n\n".join(blocks) + "\n"


def fence(words: str, body: str = "") -> str:
    return f"```{{{words.split()[0]}}} {' '.join(words.split()[1:])}\n{body}\n```"


def stage_bytes(root: Path, tag: str, path: str) -> str:
    found = {each.step.tag: each for each in history.stages(course.load(root))}
    return found[tag].files[path].data.decode()


# --- what is shown is what stands in the stage ---------------------------------------------------


def test_listing_equals_the_bytes(docs: Docs) -> None:
    tricky = '# <b>&amp;</b> "quoted" \\n ünï → 🐍\n\n\nx = 1   \n\n\ty = 2\n$ not a prompt\n'
    (docs.root / "solutions" / "02-name" / "odd.txt").write_text(tricky, encoding="utf-8")
    _, warnings = docs.build(
        lesson=lesson(
            fence("listing app.py"),
            fence("listing run.sh", ":stage: 01-hello"),
            fence("listing app.py", ":stage: 1"),
            fence("listing odd.txt", ":stage: name"),
        )
    )
    assert warnings == ""
    listed, diff, *others = docs.blocks()
    assert listed == stage_bytes(docs.root, "02-name", "app.py")
    assert diff.startswith("diff --git a/app.py b/app.py\n")  # folded, for whoever edits
    assert others == [
        stage_bytes(docs.root, "01-hello", "run.sh"),
        stage_bytes(docs.root, "01-hello", "app.py"),
        tricky,
    ]
    assert stage_bytes(docs.root, "01-hello", "app.py") != listed


def test_listing_marks_what_is_new(docs: Docs) -> None:
    docs.build(lesson=lesson(fence("listing app.py"), fence("listing app.py", ":stage: 1")))
    assert re.findall(r'<span class="hll">(.*?)\n</span>', docs.html()) == [
        '    <span class="k">return</span> <span class="p">[</span><span class="sa">b</span>'
        '<span class="s2">"Hello, World</span><span class="se">\\n</span>'
        '<span class="s2">"</span><span class="p">]</span>'
    ]


def test_part_of_a_listing(docs: Docs) -> None:
    docs.build(lesson=lesson(fence("listing app.py", ":part: application")))
    whole = stage_bytes(docs.root, "02-name", "app.py")
    assert docs.blocks() == [whole[whole.index("def application") :]]


def test_diff_is_gits(docs: Docs, tmp_path: Path) -> None:
    docs.build(lesson=lesson(fence("diff"), fence("diff app.py"), fence("diff", ":stage: 1")))
    demo = tmp_path / "demo"
    history.build(course.load(docs.root), demo)

    def git(*words: str) -> str:
        return subprocess.check_output(["git", *words], cwd=demo, text=True)

    assert docs.blocks() == [
        git("diff", "01-hello", "02-name"),
        git("diff", "01-hello", "02-name", "--", "app.py"),
        git("show", "--format=", "01-hello^{commit}"),
    ]
    assert "git diff 01-hello 02-name app.py" in docs.text()


def test_tree(docs: Docs) -> None:
    (docs.root / "solutions" / "01-hello" / ".hidden").write_text("x\n", encoding="utf-8")
    docs.build(
        lesson=lesson(
            fence("tree", ":stage: 1"),
            fence("tree", ":stage: 1\n:all:"),
            fence("tree"),
        )
    )
    assert docs.blocks() == [
        ".\n├── app.py\n├── requirements.txt\n└── run.sh\n\n0 directories, 3 files\n",
        ".\n├── app.py\n├── .hidden\n├── requirements.txt\n└── run.sh\n\n0 directories, 4 files\n",
        ".\n├── app.py\n└── requirements.txt\n\n0 directories, 2 files\n",
    ]
    captions = re.findall(r'caption-text">(?:<[^>]+>)*([^<]+)', docs.html())
    assert captions == ["01-hello", "01-hello", "02-name"]


def layer_shows(root: Path, text: str) -> None:
    toml = root / "steps" / "course.toml"
    toml.write_text(f"{toml.read_text(encoding='utf-8')}\n[layers.Development]\n{text}\n")


def test_tree_of_a_layer(docs: Docs) -> None:
    """What its table names, hidden or not; a closed folder without what is in it."""
    for name in (".hidden", "parts/one.py", "parts/two.py", "tests/test_it.py"):
        file = docs.root / "solutions" / "01-hello" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("x\n", encoding="utf-8")
    layer_shows(docs.root, 'shows = [".hidden", "app.py", "tests/"]\nclosed = ["parts/"]')
    _, warnings = docs.build(lesson=lesson(fence("tree", ":layer: Development")))
    assert warnings == ""
    assert docs.blocks() == [
        ".\n├── app.py\n├── .hidden\n├── parts\n└── tests\n    └── test_it.py\n"
        "\n2 directories, 3 files\n"
    ]
    assert docs.text().startswith("Say your name 02-name: Development . ")


@pytest.mark.parametrize(
    ("shown", "before", "after"),
    [
        (fence("tree"), "02-name . ├── app.py ", "03-more . ├── app.py "),
        ("{value}`files` files", "2 files", "3 files"),
        ("{value}`title`", "Say your name", "Say more"),
    ],
)
def test_outside_a_lesson_it_is_the_last_stage(
    docs: Docs, shown: str, before: str, after: str
) -> None:
    """And when there is another last one, the page is read again, though it may look alike."""
    home = docs.file("home").read_text(encoding="utf-8").replace("/steps", "/pages/*\n/steps")
    page, also = "pages/whole", "pages/*"
    (docs.root / "pages").mkdir()
    (docs.root / f"{page}.md").write_text(f"# Whole\n\n{shown}\n", encoding="utf-8")
    assert docs.build(home=home, also=also)[1] == ""
    assert docs.text(page).startswith(f"Whole {before}")
    new = shutil.copytree(docs.root / "steps" / "02-name", docs.root / "steps" / "03-more")
    toml = (new / "step.toml").read_text(encoding="utf-8").replace('removes = ["run.sh"]\n', "")
    toml = toml.replace("Say your name", "Say more")
    (new / "step.toml").write_text(toml, encoding="utf-8")
    (new / "index.md").write_text("# More\n", encoding="utf-8")
    (docs.root / "solutions" / "03-more").mkdir()
    for name in ("app.py", "more.py"):
        (docs.root / "solutions" / "03-more" / name).write_text("x = 1\n", encoding="utf-8")
    read, warnings = docs.build(also=also)
    assert page in read.split()
    assert warnings == ""
    assert docs.text(page).startswith(f"Whole {after}")


def test_hashes_are_the_recorded_ones(docs: Docs) -> None:
    recorded = (docs.root / "steps" / lint.TAGS).read_text(encoding="ascii").splitlines()
    first, second = (line.split()[0] for line in recorded)
    docs.build(lesson=lesson("{hash}`01-hello` {hash}`here` {hash}`here:full` {hash}`1:full`"))
    assert docs.text() == f"Say your name {first[:10]} {second[:10]} {second} {first}"


def test_values(docs: Docs) -> None:
    (docs.root / "solutions" / "02-name" / "requirements.txt").write_text("Flask[a]==1.2\n")
    _, warnings = docs.build(
        lesson=lesson(
            "{value}`steps` {value}`minutes` {value}`minutes:1` {value}`checks` {value}`checks:2` "
            "{value}`katas` {value}`title:1` {value}`title` {value}`files` {value}`files:1` "
            "{value}`version:flask` {value}`python`"
        )
    )
    assert warnings == ""
    assert docs.text() == "Say your name 2 7 3 3 1 0 Say hello Say your name 2 3 1.2 3.11"


def test_commands(docs: Docs) -> None:
    docs.build(lesson=lesson(fence("commands", "git init \\\n  --quiet\nls")))
    assert docs.blocks() == ["$ git init \\\n  --quiet\n$ ls\n"]
    assert docs.html().count('<span class="gp">$ </span>') == 2  # what the copy button leaves out
    assert "highlight-console" in docs.html()


def test_step_head(docs: Docs) -> None:
    docs.build(lesson=lesson(fence("step-head"), fence("step-head", ":stage: 1")))
    recorded = (docs.root / "steps" / lint.TAGS).read_text(encoding="ascii").splitlines()
    assert docs.text() == (
        "Say your name"
        f" Step 2 of 2 Layer: Development 4 minutes Tag: 02-name Commit: {recorded[1][:10]}"
        f" Step 1 of 2 Layer: Application 3 minutes Tag: 01-hello Commit: {recorded[0][:10]}"
    )


def test_checks(docs: Docs) -> None:
    docs.build(lesson=lesson(fence("checks", ":stage: 1")))
    assert docs.text() == "Say your name There is a file app.py . app.py is Python."


def test_hints_are_folded(docs: Docs) -> None:
    _, warnings = docs.build(lesson=lesson(fence("hints", ":stage: 1")))
    assert warnings == ""
    assert docs.text() == (
        "Say your name There is a file app.py ."
        " Hint 1 Look at the folder. Hint 2 A file is missing. Hint 3 Write app.py ."
        " app.py is Python."
        " Hint 1 Read the first line. Hint 2 Try python -m py_compile app.py ."
        " Hint 3 A bracket is open."
    )
    page = docs.html()
    assert page.count("<details") == 8  # two checks, and three hints each
    assert "<details open" not in page
    assert page.index("<details") < page.index("Look at the folder")


def test_step_list(docs: Docs) -> None:
    home = docs.file("home").read_text(encoding="utf-8")
    _, warnings = docs.build(home=home + "\n" + fence("step-list") + "\n")
    assert warnings == ""
    recorded = (docs.root / "steps" / lint.TAGS).read_text(encoding="ascii").splitlines()
    assert (
        "# Step Layer Minutes Commit"
        f" 01 Say hello Application 3 {recorded[0][:10]}"
        f" 02 Say your name Development 4 {recorded[1][:10]}"
    ) in docs.text("index")
    assert 'href="steps/02-name/index.html"' in docs.html("index")


def test_example(docs: Docs) -> None:
    docs.build(lesson=lesson("````{example}\n" + fence("listing app.py") + "\n````"))
    listed = stage_bytes(docs.root, "02-name", "app.py")
    assert docs.blocks()[:2] == ["```{listing} app.py\n\n```\n", listed]


# --- what an author gets wrong -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (
            fence("listing nope.py"),
            "02-name has no file nope.py. It has: app.py, requirements.txt [workshop.listing]",
        ),
        (
            fence("listing app.py", ":stage: 9"),
            "there is no step 9. The steps are 01 to 02. See them: workshop status"
            " [workshop.listing]",
        ),
        (
            fence("listing app.py", ":part: nope"),
            "app.py has no part nope. It has: application [workshop.listing]",
        ),
        (
            fence("diff requirements.txt"),
            "02-name does not change requirements.txt. Show a file that it changes."
            " [workshop.diff]",
        ),
        (
            fence("diff nope"),
            "neither 02-name nor its start has a file nope. Check the path. [workshop.diff]",
        ),
        (
            fence("tree", ":layer: Automation"),
            "nobody has said what the layer Automation shows."
            " Write a table [layers.Automation] in steps/course.toml. [workshop.tree]",
        ),
        (
            fence("tree", ":layer: Automation\n:all:"),
            "a layer shows what its table names, hidden or not. Leave out `:all:`, or name a file"
            " in [layers.Automation] in steps/course.toml. [workshop.tree]",
        ),
        (
            fence("commands", "$ ls"),
            "this is not a command alone: $ ls. Write it without a prompt;"
            " write a comment as text around the commands. [workshop.commands]",
        ),
        (
            "{hash}`nope`",
            "there is no step nope. The steps are 01 to 02. See them: workshop status"
            " [workshop.hash]",
        ),
        (
            "{value}`nope`",
            "there is no value nope. The values are: minutes, steps, step, katas, kata-minutes,"
            " checks, files, title, version, python, port, url [workshop.value]",
        ),
        (
            "{value}`version:nope`",
            "no version of nope is pinned. Check its name. [workshop.value]",
        ),
    ],
)
def test_mistakes_have_file_and_line(docs: Docs, block: str, said: str) -> None:
    _, warnings = docs.build(lesson=lesson("Some text.", block))
    assert warnings == f"ROOT/{LESSON}.md:5: WARNING: {said}"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('shows = ["app.py", "run.sh"]', "run.sh"),
        ('shows = ["app.py"]\nclosed = ["parts"]', "parts/"),
        ('shows = ["app.py/x", "app"]\nclosed = ["requirements.txt"]',
         "app.py/x, app, requirements.txt/"),
    ],
)  # fmt: skip
def test_a_layer_that_shows_what_the_stage_lacks(docs: Docs, table: str, said: str) -> None:
    layer_shows(docs.root, table)
    _, warnings = docs.build(lesson=lesson("Some text.", fence("tree", ":layer: Development")))
    assert warnings == (
        f"ROOT/{LESSON}.md:5: WARNING: 02-name has no {said}, and the layer Development shows it."
        " Show a later stage, or mend [layers.Development] in steps/course.toml. [workshop.tree]"
    )


def test_outside_a_lesson_the_stage_is_named(docs: Docs) -> None:
    home = docs.file("home").read_text(encoding="utf-8")
    _, warnings = docs.build(home=home + "\n" + fence("listing app.py") + "\n")
    assert warnings == (
        "ROOT/index.md:9: WARNING: this page is no lesson, so which stage?."
        " Name it, such as 01-hello. [workshop.listing]"
    )


def test_missing_hints(docs: Docs) -> None:
    (docs.root / "steps" / "02-name" / "hints.md").write_text("# Hints\n", encoding="utf-8")
    _, warnings = docs.build(lesson=lesson(fence("hints")))
    assert warnings == (
        f"ROOT/{LESSON}.md:3: WARNING: hints.md of 02-name has no hints for test_name."
        " Write them. [workshop.hints]"
    )


def test_a_broken_course_stops_the_build(docs: Docs) -> None:
    (docs.root / "steps" / "01-hello" / "step.toml").unlink()
    with pytest.raises(ExtensionError) as caught:
        docs.build()
    assert str(caught.value) == (
        f"{docs.root}/steps/01-hello/step.toml: there is no such file\n"
        "Write it, or remove its folder."
    )


def test_a_warning_comes_again(docs: Docs) -> None:
    """Sphinx keeps what it has read. A page with a mistake must not be green the second time."""
    _, first = docs.build(lesson=lesson(fence("listing nope.py")))
    _, second = docs.build()
    assert first == second != ""


# --- what changes is shown -----------------------------------------------------------------------


def test_nothing_changed_nothing_read(docs: Docs) -> None:
    docs.build(lesson=lesson(fence("listing app.py"), "{hash}`here`"))
    read, _ = docs.build()
    assert read == ""


def _edit_solution(root: Path) -> None:
    file = root / "solutions" / "01-hello" / "requirements.txt"
    file.write_text("# still nothing\n", encoding="utf-8")


def _edit_hints(root: Path) -> None:
    file = root / "steps" / "02-name" / "hints.md"
    file.write_text(file.read_text(encoding="utf-8").replace("Who is", "Who was"), encoding="utf-8")


def _edit_check(root: Path) -> None:
    file = root / "steps" / "02-name" / "test_name.py"
    text = file.read_text(encoding="utf-8").replace("greets the world", "greets all")
    file.write_text(text, encoding="utf-8")


def _edit_minutes(root: Path) -> None:
    file = root / "steps" / "02-name" / "step.toml"
    text = file.read_text(encoding="utf-8").replace("minutes = 4", "minutes = 5")
    file.write_text(text, encoding="utf-8")


def _edit_lesson(root: Path) -> None:
    file = root / f"{LESSON}.md"
    file.write_text(file.read_text(encoding="utf-8") + "\nOne more line.\n", encoding="utf-8")


def _edit_transcript(root: Path) -> None:
    file = root / "steps" / "02-name" / "transcript.txt"
    text = file.read_text(encoding="utf-8").replace("0 of 1 green", "none of 1 green")
    file.write_text(text, encoding="utf-8")


def _insert_step(root: Path) -> None:
    (root / "steps" / "02-name").rename(root / "steps" / "03-name")
    (root / "solutions" / "02-name").rename(root / "solutions" / "03-name")
    new = root / "steps" / "02-other"
    new.mkdir()
    (new / "index.md").write_text("# Other\n\n{hash}`here`\n", encoding="utf-8")
    (new / "step.toml").write_text(
        'title = "Other"\nlayer = "Application"\nminutes = 1\nmessage = "Other"\n', encoding="utf-8"
    )
    (root / "solutions" / "02-other").mkdir()
    (root / "solutions" / "02-other" / "other.txt").write_text("other\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("edit", "read"),
    [
        (_edit_solution, "index steps/01-hello/index steps/02-name/index"),
        (_edit_hints, "steps/02-name/index"),
        (_edit_check, "steps/02-name/index"),
        (_edit_minutes, "index steps/02-name/index"),
        (_edit_lesson, "steps/02-name/index"),
        (_edit_transcript, "steps/02-name/index"),
        (_insert_step, "index steps/01-hello/index steps/02-other/index steps/03-name/index"),
    ],
)
def test_incremental_equals_fresh(docs: Docs, edit: object, read: str) -> None:
    """After an edit just the pages that show it are read, and the pages are as built anew."""
    home = docs.file("home").read_text(encoding="utf-8")
    first = docs.root / "steps" / "01-hello" / "index.md"
    first.write_text("# Say hello\n\n{value}`steps` {hash}`here`\n", encoding="utf-8")
    docs.build(
        home=home + "\n{value}`checks`, and {value}`minutes` minutes.\n\n{hash}`name`\n",
        lesson=lesson(
            fence("step-head"),
            fence("diff"),
            fence("tree"),
            fence("checks"),
            fence("hints"),
            fence("commands", ":exit: 1\nworkshop check"),
        ),
    )
    before = docs.html()
    assert callable(edit)
    edit(docs.root)
    assert docs.build() == (read, "")
    assert docs.html() != before or not docs.file("lesson").exists()
    incremental = {
        file.relative_to(docs.root): file.read_text(encoding="utf-8")
        for file in sorted((docs.root / "out").rglob("index.html"))
        if docs.root.joinpath(file.relative_to(docs.root / "out")).with_suffix(".md").is_file()
    }
    docs.build(fresh=True)
    for name, page in incremental.items():
        assert page == (docs.root / name).read_text(encoding="utf-8")
    assert len(incremental) == read.count("index") or len(incremental) == 3
