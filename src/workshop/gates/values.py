"""Values: a number that lives somewhere else is not typed into a sentence."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from workshop.gates import sources
from workshop.gates.result import Result
from workshop.gates.waivers import Waivers
from workshop.model import Course, Finding

NAME = "values"
_UNITS = "one|two|three|four|five|six|seven|eight|nine"
_NUMBER = (
    rf"(?:\d+|(?!one\b)(?:{_UNITS})|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    rf"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-(?:{_UNITS}))?|(?:a )?hundred)"
)
_NOUN = r"(?:steps|lessons|checks|katas|notebooks|files|stages)"
# Between two words: a line's end, and the marks of emphasis, which a reader does not see.
_GAP = r"[*_]*\s+[*_]*"
# One more word, as in "20 small steps". "Three more files" are no number that `{value}` knows: it
# counts all that a stage has.
_WORD = rf"(?:[a-z-]+{_GAP}(?!files))?"
# What is looked for, and what says it instead.
_PATTERNS = (
    (
        "version",
        re.compile(r"(?<![\d.])\d+\.\d+(?:\.\d+)?(?![\d.]*\d)(?!\s?(?:%|s\b|seconds))"),
        "{value}`version:…`",
    ),
    (
        "port",
        re.compile(rf"127\.0\.0\.1:\d+|\b[Pp]ort{_GAP}\d+|\b(?:8000|8001|5432)\b"),
        "{value}`url`",
    ),
    ("step", re.compile(rf"\b[Ss]teps?{_GAP}\d+"), "a link to the step, or {value}`title:slug`"),
    (
        "count",
        re.compile(rf"(?i)(?<![^\W_]){_NUMBER}{_GAP}{_WORD}{_NOUN}(?![^\W_])"),
        "{{value}}",
    ),
    ("hash", re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b"), "{hash}`…`"),
    (
        "path",
        re.compile(r"(?<![\w.])/(?:home|root|usr|var|tmp|Users|opt|work)/\S*"),
        "a relative path",
    ),
)
_OPENS = re.compile(
    r"(?P<lead>(?:[ \t>]|[-*+][ \t]+|\d+[.)][ \t]+)*)"
    r"(?P<mark>`{3,}(?=[^`]*$)|~{3,}|:{3,})[ \t]*(?P<name>\{?[\w:-]*\}?)(?P<title>.*)"
)
_CLOSES = re.compile(r"[ \t>]*(`{3,}|~{3,}|:{3,})[ \t]*")
# Fences with shown code in them, and no prose.
_SHOWN = {
    "", "listing", "diff", "tree", "commands", "browser", "checks", "hints", "step-head",
    "step-list", "toctree", "sphinx_argparse_cli", "code-block", "example", "text", "python",
    "console", "proof",
}  # fmt: skip
# Options of directives, and those that a reader sees or is read aloud.
_OPTION = re.compile(r"[ \t>]*:([\w-]+):(?:[ \t]+(.*))?$")
_TOLD = {"alt", "caption", "title"}
_ROLE = re.compile(r"\{[\w-]+\}`[^`]*`")
_LINK = re.compile(r"\]\([^)]*\)|<https?://[^>]*>")
_FILE = re.compile(r"`([\w./-]+\.(?:py|txt|rst|toml|yaml|yml|md|ini|sh|conf|jsonl?|svg|ipynb))`")


def prove(
    course: Course, files: Sequence[Path], known: Collection[str], waivers: Waivers
) -> Result:
    """No typed version, port, count, step number, hash or path in the prose of these sources.

    `known` are the paths of all files that a stage or this repository has: a file that prose names
    must be one of them, or the end of one.
    """
    findings, proven = [], 0
    taken = [step.minutes for step in course.steps]
    minutes = {*taken, sum(taken), *(kata.minutes for kata in course.katas)}
    names = {path.rsplit("/", 1)[-1] for path in known}
    for file in files:
        page = file.relative_to(course.root).as_posix()
        proven += 1
        paragraphs = (
            (f"{page}{place}:", number, text)
            for place, piece in sources.pieces(file)
            for number, text in prose(piece)
        )
        for where, number, text in paragraphs:
            for kind, match, instead in typed(text, minutes):
                found = " ".join(match[0].split())
                if not waivers.allow(NAME, page, found):
                    fact = f"a typed {kind}: {found!r}. Write {instead}"
                    findings.append(Finding(f"{where}{_line(number, match)}", fact))
            for match in _FILE.finditer(text):
                path = match[1]
                if "NN" in path:
                    continue  # stands for any
                there = path in known or path in names or any(k.endswith(f"/{path}") for k in known)
                if not there and not waivers.allow(NAME, page, path):
                    fact = f"there is no file {path}"
                    findings.append(Finding(f"{where}{_line(number, match)}", fact))
    return Result(NAME, proven, tuple(findings))


def _line(number: int, match: re.Match[str]) -> int:
    """The line of a match in a paragraph that begins in the line `number`."""
    return number + match.string.count("\n", 0, match.start())


def typed(text: str, minutes: Collection[int] = ()) -> Iterator[tuple[str, re.Match[str], str]]:
    """What is typed in prose and lives elsewhere: its kind, where it is, what to write.

    `minutes` are those that a step, a kata or the whole course takes: others live where they are.
    """
    for match in re.finditer(rf"\b(\d+){_GAP}minutes?\b", text):
        if int(match[1]) in minutes:
            yield "count", match, "{value}`minutes:…`"
    for kind, pattern, instead in _PATTERNS:
        for match in pattern.finditer(text):
            yield kind, match, instead


def prose(markdown: str) -> Iterator[tuple[int, str]]:
    """The paragraphs of prose with the numbers of their first lines, since a sentence goes on in
    the next line: no shown code, no roles, no addresses of links."""
    lines = [*_lines(markdown), ""]
    first = 0
    for number, line in enumerate(lines):
        if not line.strip():
            if first < number:
                text = "\n".join(lines[first:number])
                text = _without(_LINK, "](", _without(_ROLE, "{}", text))
                yield first + 1, text
            first = number + 1


def _without(hidden: re.Pattern[str], instead: str, text: str) -> str:
    """The text with something short in the place of what is hidden, and as many lines."""
    return hidden.sub(lambda match: instead + "\n" * match[0].count("\n"), text)


class _Fence(NamedTuple):
    """A fence that is open: the mark it began with, the column of the list's item or the quote
    that it stands in, and whether what is in it is no prose."""

    mark: str
    column: int
    shown: bool

    def ends_with(self, line: str) -> bool:
        """Whether this line closes it: the same mark, as long or longer, and nothing more."""
        match = _CLOSES.fullmatch(line)
        return match is not None and match[1].startswith(self.mark)

    def ended_before(self, line: str) -> bool:
        """Whether the item or the quote that it stands in has ended: so has the fence."""
        inside = line.lstrip(" \t>")
        return bool(inside) and len(line) - len(inside) < self.column


def _lines(markdown: str) -> Iterator[str]:
    """Each line as prose: empty where it is none, and without what a list or quote puts before it.

    Of fences in fences, the outer one ends first, as CommonMark has it.
    """
    fences: list[_Fence] = []
    options = False
    for line in markdown.split("\n"):
        for depth, fence in enumerate(fences):
            if fence.ended_before(line):
                del fences[depth:]
                break
        closed = next((at for at, each in enumerate(fences) if each.ends_with(line)), None)
        if closed is not None:
            del fences[closed:]
            yield ""
            continue
        option = _OPTION.fullmatch(line) if options else None
        if option is not None:
            yield option[2] or "" if option[1] in _TOLD else ""
            continue
        options = False
        if fences and fences[-1].shown:
            yield ""
        elif match := _OPENS.fullmatch(line):
            directive = match["name"].startswith("{")
            name = match["name"].strip("{}")
            fences.append(_Fence(match["mark"], len(match["lead"].rstrip()), name in _SHOWN))
            options = directive
            yield match["title"] if directive and not fences[-1].shown else ""
        else:
            yield line.lstrip(" \t>")
