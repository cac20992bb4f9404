"""Facts: a hash, a value, a step's head, its checks and hints read as the course has them."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from workshop import course as courses
from workshop import hints, lint
from workshop.checks import needs
from workshop.errors import WorkshopError
from workshop.gates import sources
from workshop.gates.frames import Frame
from workshop.gates.result import Result
from workshop.gates.truth import Truth
from workshop.model import Finding, Step
from workshop.production.place import FIRST_PORT

NAME = "facts"
_DISTRIBUTION = "modern-continuous-delivery"
_SHORT = 10  # characters of a hash that a reader gets
_ROLE = re.compile(r"(?<!`)\{(hash|value)\}`([^`]+)`(?!`)")
_DIRECTIVE = re.compile(
    r"(?m)^[ \t>-]*[`~:]{3,}\{(step-head|checks|hints|step-list)\}[ \t]*$"
    r"(?:\n[ \t]*:stage: *(\S+))?"
)
_STRAIGHT = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")  # Sphinx makes the others


def prove(truth: Truth, pages: Mapping[str, Sequence[Frame]]) -> Result:
    """Hold each fact on the pages against the course, and the pages against what they ask for."""
    findings, proven = [], 0
    for page, frames in pages.items():
        for frame in frames:
            if frame.shows not in SHOWN:
                findings.append(Finding(page, f"no gate knows what `{frame.shows}` is"))
                continue
            proven += 1
            try:
                wanted = _EXPECTED[frame.shows](truth, frame)
            except (WorkshopError, KeyError, ValueError) as error:
                fact = f"{_named(frame)} claims what is not there: {error}"
                findings.append(Finding(page, fact))
                continue
            if fact := _differs(frame.text, wanted):
                findings.append(Finding(page, f"{_named(frame)}: {fact}"))
        findings += [Finding(page, fact) for fact in _otherwise(truth, page, frames)]
    return Result(NAME, proven, tuple(findings))


def _named(frame: Frame) -> str:
    return f"{{{frame.shows}}}" + (f"`{frame.asks}`" if frame.asks else "")


def _differs(shown: str, wanted: str) -> str:
    """Where the words are not those that should be there; empty when they are."""
    one = shown.translate(_STRAIGHT).split()
    other = wanted.translate(_STRAIGHT).split()
    if one == other:
        return ""
    pairs = itertools.zip_longest(one, other, fillvalue="")
    at = next(at for at, pair in enumerate(pairs) if pair[0] != pair[1])
    near = slice(max(at - 2, 0), at + 3)
    return f"{' '.join(one[near])!r} stands there, and should be {' '.join(other[near])!r}"


def _otherwise(truth: Truth, page: str, frames: Sequence[Frame]) -> Iterator[str]:
    """What the page's source asks for and the page does not show, or the other way round.

    What stands in hints comes from another source, which the hints as a whole are held against.
    """
    shown = Counter(
        (each.shows, each.asks or each.claims.get("stage", ""))
        for each in frames
        if each.within != "hints"
    )
    asked = Counter(_asked(truth, page))
    for name, detail in sorted((shown - asked) + (asked - shown)):
        said, found = asked[name, detail], shown[name, detail]
        what = f"{{{name}}}" + (f" of {detail}" if detail else "")
        yield f"{what}: {said} in the source, {found} on the page"


def _asked(truth: Truth, page: str) -> Iterator[tuple[str, str]]:
    root = truth.course.root
    source = sources.of_page(root, page)
    if source is None:
        return
    files = [source, *(file for file in sources.included(root, source) if file.is_file())]
    for text in (text for file in files for _, text in sources.pieces(file)):
        yield from _ROLE.findall(text)
        for name, stage in _DIRECTIVE.findall(text):
            own = _own(truth, page)
            of_step = courses.find(truth.course, stage) if stage else own
            yield name, of_step.tag if of_step is not None and name != "step-list" else ""


def _own(truth: Truth, page: str) -> Step | None:
    """The step whose lesson, or trainer notes, this page is."""
    folder = Path(page).parent
    return next(
        (each for each in truth.course.steps if folder == Path("steps", each.folder.name)), None
    )


def _step(truth: Truth, frame: Frame) -> Step:
    return courses.find(truth.course, frame.claims["stage"])


# --- what should be there ------------------------------------------------------------------------


def _hash(truth: Truth, frame: Frame) -> str:
    name, _, form = frame.asks.partition(":")
    step = _own(truth, frame.page) if name == "here" else courses.find(truth.course, name)
    if step is None:
        raise ValueError("this page is no lesson")
    return truth.commits[step.tag][: None if form == "full" else _SHORT]


def _value(truth: Truth, frame: Frame) -> str:
    name, _, detail = frame.asks.partition(":")
    course = truth.course
    step = courses.find(course, detail) if detail and name in _OF_STEP else None
    here = step or _own(truth, frame.page) or course.steps[-1]
    steps = (step,) if step else course.steps
    if name == "version":
        return _version(truth, here, detail)
    values: dict[str, Callable[[], object]] = {
        "minutes": lambda: sum(each.minutes for each in steps),
        "steps": lambda: len(course.steps),
        "step": lambda: f"{here.number:02d}",
        "katas": lambda: len(course.katas),
        "kata-minutes": lambda: courses.kata(course, detail).minutes,
        "checks": lambda: sum(len(lint.checks(file)) for each in steps for file in each.tests),
        "files": lambda: sum(path[0] != "." for path in truth.stages[here.tag].files),
        "title": lambda: here.title,
        "python": lambda: metadata.metadata(_DISTRIBUTION)["Requires-Python"].lstrip(">="),
        "port": lambda: FIRST_PORT,
        "url": lambda: f"http://127.0.0.1:{FIRST_PORT}/",
    }
    return str(values[name]())


_OF_STEP = {"minutes", "step", "checks", "files", "title"}


def _version(truth: Truth, step: Step, package: str) -> str:
    name = "[-_.]".join(map(re.escape, re.split(r"[-_.]+", package)))
    pin = re.compile(rf"(?im)(?<![\w.-]){name}(?:\[[^\]]*\])?==([\w.]+)")
    files = truth.stages[step.tag].files
    texts = [files[path].data.decode() for path in files if re.search(r"(?:\.txt|\.in[i]?)$", path)]
    for text in [*texts, *(metadata.requires(_DISTRIBUTION) or [])]:
        if match := pin.search(text):
            return match[1]
    raise ValueError(f"nobody pins {package}")


def _head(truth: Truth, frame: Frame) -> str:
    step, steps = _step(truth, frame), truth.course.steps
    words = [
        f"Step {steps.index(step) + 1} of {len(steps)}",
        f"Layer: {step.layer}",
        f"{step.minutes} minute{'s' * (step.minutes != 1)}",
        f"Tag: {step.tag}",
        f"Commit: {truth.commits[step.tag][:_SHORT]}",
        f"Needs: {needs.said(step.needs)}" if step.needs else "",
    ]
    return " ".join(words)


def _checks(truth: Truth, frame: Frame) -> str:
    every = [check for file in _step(truth, frame).tests for check in lint.checks(file)]
    return " ".join(_said(check.sentence) for check in every)


def _said(sentence: str) -> str:
    """What `workshop check` prints, less the marks of code. Markdown would take more away, such as
    the underscores of a name that is not in marks: then the page says something else."""
    return sentence.replace("`", "")


def _hints(truth: Truth, frame: Frame) -> str:
    step = _step(truth, frame)
    known = hints.parse((step.folder / "hints.md").read_text(encoding="utf-8"))
    words = []
    for check in (check for file in step.tests for check in lint.checks(file)):
        words.append(_said(check.sentence))
        for number, text in enumerate(known[check.name], 1):
            words += [f"Hint {number}", _read(truth, frame, text)]
    return " ".join(words)


def _list(truth: Truth, frame: Frame) -> str:
    rows = (
        f"{step.number:02d} {_read(truth, frame, step.title)} {step.layer} {step.minutes} "
        f"{truth.commits[step.tag][:_SHORT]}"
        for step in truth.course.steps
    )
    return " ".join(["# Step Layer Minutes Commit", *rows])


def _read(truth: Truth, frame: Frame, markdown: str) -> str:
    """The words of Markdown as a reader has them: no marks, no code that another gate holds."""
    from markdown_it import MarkdownIt

    def filled(match: re.Match[str]) -> str:
        claims = {"shows": match[1], "asks": match[2]}
        return _EXPECTED[match[1]](truth, frame._replace(claims=claims))

    words = []
    for token in MarkdownIt("commonmark").parse(_ROLE.sub(filled, markdown)):
        inside = token.children or ()
        words += [" " if each.type.endswith("break") else each.content for each in inside]
        words.append(" ")
    return "".join(words)


_EXPECTED: Mapping[str, Callable[[Truth, Frame], str]] = {
    "hash": _hash,
    "value": _value,
    "step-head": _head,
    "checks": _checks,
    "hints": _hints,
    "step-list": _list,
}
SHOWN = frozenset(_EXPECTED)
