"""Step 20: the oath, and for each line of it a line of this project that keeps it."""

import difflib
import re
from pathlib import PurePosixPath
from typing import NamedTuple

from workshop.checks import expect, readme
from workshop.checks.pipeline import FILE

README = "README.rst"
PLACE = "production"
OATH = (
    "Beautiful is better than ugly.",
    "Explicit is better than implicit.",
    "Simple is better than complex.",
    "Complex is better than complicated.",
    "Flat is better than nested.",
    "Sparse is better than dense.",
    "Readability counts.",
    "Special cases aren't special enough to break the rules.",
    "Although practicality beats purity.",
    "Errors should never pass silently.",
    "Unless explicitly silenced.",
    "In the face of ambiguity, refuse the temptation to guess.",
    "There should be one-- only one --obvious way to do it.",
    "Although that way may not be obvious at first sight.",
    "Now is better than never.",
    "Although never is often better than right now.",
    "If the implementation is hard to explain, it's a bad idea.",
    "If the implementation is easy to explain, it may be a good idea.",
    "Continuous delivery is a honking great idea.",
    "If you deploy to production from commit #1.",
    "Let's do it! -- I start today.",
)
TODAY = OATH[-1]
# What each layer is made of. Some of it belongs to two.
LAYERS = {
    "Application": (
        "application",
        "requirements",
        "requirements.txt",
        "manage.py",
        README,
        "LICENSE",
    ),
    "Development": ("tests", "tox.ini", "docker-compose.yml", "requirements.txt", "manage.py"),
    "Deployment": ("deployment",),
    "Automation": (FILE, ".dockerignore", "tox.ini", "deployment/application/Dockerfile"),
}
LEAST = 8  # characters of a line that tell which line is meant, unless it is the whole line
LONGEST = 200  # characters of a file's name, with its folders
BIG = 1_000_000  # bytes: nobody quotes from a file that is longer
# In what a README says, a section's title begins with the first. Each quote is one of the others.
SECTION, QUOTES = "\ue000", range(0xE001, 0xF8FF)
OURS = f"[{SECTION}-{chr(QUOTES.stop)}]"  # no keyboard has them
QUOTE = f"[{chr(QUOTES.start)}-{chr(QUOTES.stop)}]"
DASH, APOSTROPHE = "\\s*(?:--?|\u2013|\u2014)\\s*", "['\u2019\u2018\u02bc]"
HEADING = re.compile(r"""\n\S.*\n([=~\-^"#*+'`:._])\1{2,}[ \t]*$""", re.MULTILINE)
BACK = re.compile(r"\b(undo|delete|scale)\b")
HOW = (
    "Below each line of the oath: the file, and a line of it, both in ``two backquotes``. A file is"
    " named with its folders, such as application/urls.py."
)


class Kept(NamedTuple):
    """A line of the oath, and what README quotes behind it, until the next one."""

    line: str
    quotes: tuple[str, ...]


class Pointer(NamedTuple):
    """A line that keeps a line of the oath: which file, and what is quoted of it."""

    path: str
    text: str


def words(text):
    """A text on one line, with one space between its words."""
    return " ".join(text.split())


def same(line):
    """Finds a line of the oath, whichever dashes and quotation marks somebody's keyboard has."""
    parts = (" ".join(map(re.escape, each.split())) for each in line.split("--"))
    found = DASH.join(parts).replace(" ", r"\s+").replace("'", APOSTROPHE)
    return re.compile(rf"(?<!\w){found}")


def similar(line):
    """Finds it with other capitals, stops and commas."""
    between = rf"(?:(?!{QUOTE})\W)+"
    found = between.join(re.findall(r"\w+", line))
    return re.compile(rf"(?<!\w){found}[.,!;]*", re.IGNORECASE)


def changes(written, line):
    """What is to be done to one text, word by word, to make the other of it."""
    one, other = written.split(), line.split()
    for what, a, b, c, d in difflib.SequenceMatcher(None, one, other, False).get_opcodes():
        old, new = " ".join(one[a:b]), " ".join(other[c:d])
        if what != "equal":
            if not old:
                return f'with "{new}"'
            return f'"{new}", not "{old}"' if new else f'without "{old}"'
    return line


def said(node, quotes, files):
    """What a README says, without its markup: lists, tables and paragraphs alike. What it quotes
    gets into `quotes`, and a mark for it into the text."""
    from docutils import nodes

    if isinstance(node, nodes.Text):
        return re.sub(OURS, " ", node.astext())
    if isinstance(node, (nodes.comment, nodes.substitution_definition, nodes.target)):
        return ""
    link = isinstance(node, nodes.reference) and node.astext() in files
    if link or isinstance(node, (nodes.literal, nodes.literal_block)):
        quotes.append(words(node.astext()))
        return f" {chr(QUOTES[len(quotes) - 1])} "
    inner = "".join(said(each, quotes, files) for each in node.children)
    if isinstance(node, nodes.title):
        return f"\n{SECTION}{inner}\n"
    if isinstance(node, nodes.attribution):  # who speaks, below a quotation: the dashes are markup
        return f"-- {inner}\n"
    block = isinstance(node, nodes.TextElement) and not isinstance(node, nodes.Inline)
    return f"{inner}\n" if block else inner


def read(project):
    """What README.rst says, and what it quotes."""
    quotes = []
    document = readme.document(project.read(README))
    return said(document, quotes, project.files), quotes


def spoken(text, at):
    """Where the lines of the oath stand from here on, as far as they go."""
    found = []
    for line in OATH:
        there = same(line).search(text, at)
        if there is None:
            break
        found.append(there)
        at = there.end()
    return found


def behind(text, found):
    """What stands behind each of them: up to the next one, or to the end of the section."""
    ends = [each.start() for each in found[1:]]
    for each, end in zip(found, [*ends, None], strict=False):
        after = text[each.end() : end]
        yield after if end else after.partition(SECTION)[0]


def oath(project):
    """The lines of the oath in README.rst, with what is quoted behind each."""
    text, quotes = read(project)
    begins = [each.start() for each in same(OATH[0]).finditer(text)] or [0]
    runs = [spoken(text, at) for at in begins]
    # Some say it all first, and then again with what keeps it.
    found = max(runs, key=lambda run: (len(run), sum(
        bool(re.search(QUOTE, after)) for after in behind(text, run))))  # fmt: skip
    if len(found) < len(OATH):
        must_be_next(text, found)
    return [
        Kept(line, tuple(quotes[ord(each) - QUOTES.start] for each in re.findall(QUOTE, after)))
        for line, after in zip(OATH, behind(text, found), strict=True)
    ]


def must_be_next(text, found):
    """Raise CheckFailed for the first line of the oath that is missing, and say what is there."""
    line = OATH[len(found)]
    before = OATH[len(found) - 1] if found else ""
    expect(
        not (found and same(line).search(text)),
        seen=f'in {README}, "{line}" stands before "{before}"',
        expected="the order in which it is spoken",
        do=f'Move it: right behind "{before}"',
    )
    almost = similar(line).search(text)
    written = words(almost[0]) if almost else ""
    expect(
        not almost,
        seen=f"{README} says: {written}",
        expected=line,
        do="Mind the capital letters." if written == line.lower() or written.lower() == line.lower()
        else "Mind the punctuation: each stop, comma and dash.",
    )  # fmt: skip
    others = [words(each) for each in re.split(rf"\n|{QUOTE}|(?<=\.)\s", text)]
    others = [each for each in others if not any(same(line).match(each) for line in OATH)]
    close = difflib.get_close_matches(line, others, n=1, cutoff=0.7)
    expect(
        not close,
        seen=f"{README} says: {close[0] if close else ''}",
        expected=line,
        do=f"Word for word, please: {changes(close[0], line)}." if close else "",
    )
    none = not any(same(each).search(text) for each in OATH)
    expect(
        False,
        seen=f"{README} has no line of the oath"
        if none
        else f'{README} does not say "{line}", {"behind" if found else "before"}'
        f' "{before or OATH[1]}"',
        expected=f'all {len(OATH)} lines, from "{OATH[0]}" to "{TODAY}"',
        do=f"Write a section at the end of {README}. The lesson has all lines of the oath."
        if none
        else "Put it there, with a line of the project that keeps it.",
    )


def lines(project, path):
    """The lines of a file, with one space between words; of README.rst without the oath itself."""
    if (project.path / path).stat().st_size > BIG:
        return []
    text = project.read(path)
    return [words(line) for line in (without_oath(text) if path == README else text).splitlines()]


def without_oath(text):
    """A README without the section in which the oath stands."""
    first = same(OATH[0]).search(text)
    last = [each.end() for each in same(TODAY).finditer(text)]
    if not first or not last:
        return text
    before = [each.start() for each in HEADING.finditer(text[: first.start()])]
    after = HEADING.search(text, last[-1])
    return text[: before[-1] if before else 0] + (text[after.start() :] if after else "")


def meant(project, pointer):
    """The lines of the file that are meant: the whole line, if there is one, else all that hold the
    text."""
    found = {line for line in lines(project, pointer.path) if pointer.text in line}
    return frozenset({pointer.text} if pointer.text in found else found)


def pointers(project, kept):
    """Each file that is named behind a line of the oath, with each quote of it, right or not."""
    names = {each: each.removeprefix("./") for each in kept.quotes}
    files = [names[each] for each in kept.quotes if names[each] in project.files]
    must_name_a_file(project, kept, files)
    texts = [each for each in kept.quotes if names[each] not in files] or files[1:]
    expect(
        texts,
        seen=f'behind "{kept.line}", {README} names {files[0]}, and quotes no line of it',
        expected="one line of that file, or a part of one",
        do=HOW,
    )
    return [Pointer(path, text) for path in files for text in texts]


def must_name_a_file(project, kept, files):
    """Raise CheckFailed when no file is named, and say what is named instead."""
    names = [each for each in kept.quotes if len(each.split()) == 1 and len(each) <= LONGEST]
    for each in () if files else names:
        name = each.rstrip("/")
        expect(
            not (project.exists(name) and project.ignores(name)),
            seen=f'"{kept.line}" points at {name}, and git leaves that out',
            expected="a file that everybody gets with the project",
            do="Choose a line of another one.",
        )
        expect(
            not (project.path / name).is_dir(),
            seen=f'"{kept.line}" points at {each}, and that is a folder',
            expected="one file, and one line of it",
            do=f"Which file in {name} is it?",
        )
        base = [path for path in project.files if PurePosixPath(path).name == name]
        near = base or difflib.get_close_matches(name, project.files, n=1, cutoff=0.8)
        expect(
            not near,
            seen=f'"{kept.line}" points at {each}, and there is no such file',
            expected="a file of this project, with its folders",
            do=f"Is it {near[0] if near else ''}? Write that.",
        )
    expect(
        files,
        seen=f'behind "{kept.line}", {README} names no file of the project',
        expected="one file, and one line of it that does what the oath says",
        do=HOW,
    )


def must_be_there(project, kept, pointer):
    """Raise CheckFailed when the file has no such line, and say who has."""
    path, text = pointer
    where = f'"{kept.line}" points at {path}: {text}'
    expect(
        path != README or not meant_by_itself(project, text),
        seen=f"{where}\nThat stands only in the oath itself",
        expected="a line that was there before",
        do="An oath that swears by itself is no oath. Choose a line from somewhere else.",
    )
    own = lines(project, path)
    folded = {re.sub(r"\s|['\"]", "", line).lower(): line for line in own}
    near = next((line for key, line in folded.items()
                 if re.sub(r"\s|['\"]", "", text).lower() in key), "")  # fmt: skip
    near = near or next(iter(difflib.get_close_matches(text, own, n=1, cutoff=0.7)), "")
    expect(
        not near,
        seen=f"{where}\nThere, it reads: {near}",
        expected="the same in both, letter for letter",
        do="Which of the two is right? Mend the other one.",
    )
    others = (each for each in project.files if (project.path / each).is_file())
    other = next((each for each in others if meant(project, Pointer(each, text))), "")
    expect(
        not other,
        seen=f"{where}\nThat stands in {other}",
        expected="the file that has the line",
        do=f"Name {other} instead.",
    )
    expect(
        False,
        seen=f"{where}\nNo file has such a line",
        expected=f"a line of {path}, or a part of one",
        do="Has it changed since? Then let the oath follow, or choose another line.",
    )


def meant_by_itself(project, text):
    """Whether README.rst has this text nowhere but in its oath."""
    inside = any(text in words(line) for line in project.read(README).splitlines())
    return inside and not meant(project, Pointer(README, text))


def pointed(project, kept):
    """The line that a line of the oath points at."""
    found = pointers(project, kept)
    right = [each for each in found if meant(project, each)]
    if not right:
        must_be_there(project, kept, found[0])
    first = right[0]
    expect(
        len(first.text) >= LEAST or first.text in lines(project, first.path),
        seen=f'"{kept.line}" points at {first.path}: {first.text}',
        expected="enough of the line to know which one is meant",
        do="Quote the whole line.",
    )
    return first


def in_layer(path, layer):
    """Whether a file belongs to a layer."""
    return any(path == each or path.startswith(f"{each}/") for each in LAYERS[layer])


def command(pipeline, job, text):
    """Whether a text is a command of a job, or a part of one, with or without its variables."""
    commands = (*job.commands, *(pipeline.filled(job, each) for each in job.commands))
    return any(text.removeprefix("- ") in each for each in map(words, commands))


def test_lines(project):
    """README.rst has the Pythonistas Oath: all its lines, in order, word for word."""
    oath(project)  # it says which line is missing


def test_pointed(project):
    """Each line of it points at a line of this project that keeps it, in all four layers."""
    known = {}
    for kept in oath(project):
        pointer = pointed(project, kept)
        key = pointer.path, meant(project, pointer)
        expect(
            key not in known,
            seen=f'"{known.get(key)}" and "{kept.line}" point at the same line of {pointer.path}:'
            f" {pointer.text}",
            expected="a line of its own for each",
            do="Two promises, two lines: choose another one for the second.",
        )
        known[key] = kept.line
    for layer, parts in LAYERS.items():
        expect(
            any(in_layer(path, layer) for path, _ in known),
            seen=f"no line of the oath points at the layer {layer}",
            expected="all four: it is an oath about the whole project",
            do=f"Take a line from one of these: {', '.join(parts)}",
        )


def test_today(project, pipeline):
    """ "I start today" points at a command that deploys to production, and the page can go live."""
    found = pointers(project, oath(project)[-1])
    jobs = [job for job in pipeline.jobs.values() if job.place == PLACE and not job.manual]
    here = [text for path, text in found if path == FILE]
    expect(
        here,
        seen=f'"{TODAY}" points at {found[0].path}',
        expected=f"{FILE}: there, a commit goes live",
        do=f"Quote a command of the job {jobs[0].name if jobs else PLACE}.",
    )
    deploys = [
        text for text in here if not BACK.search(text) and len(text) >= LEAST
        and any(command(pipeline, job, text) for job in jobs)
    ]  # fmt: skip
    expect(
        deploys,
        seen=f'"{TODAY}" points at {FILE}: {here[0] if here else ""}\n'
        f"With that, nothing comes into {PLACE}",
        expected=f"a command of the job that deploys to {PLACE}",
        do=f"Which command of the job {jobs[0].name if jobs else PLACE}, or of what it extends,"
        " hands the new release to the cluster?",
    )
    with project.serve() as site:
        site.get("/").must_be(200, do="First mend the page. An oath is no use to visitors.")
