"""Values: a number that lives somewhere else is not typed into a sentence."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from workshop.gates import sources
from workshop.gates.result import Result
from workshop.gates.waivers import Waivers
from workshop.model import Course, Finding

NAME = "values"
_NUMBER = r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty)"
_NOUN = r"(?:steps|lessons|checks|katas|notebooks|files|stages)"
# What is looked for, and what says it instead.
_PATTERNS = (
    (
        "version",
        re.compile(r"(?<![\d.])\d+\.\d+(?:\.\d+)?(?![\d.]*\d)(?!\s?(?:%|s\b|seconds))"),
        "{value}`version:…`",
    ),
    ("port", re.compile(r"127\.0\.0\.1:\d+|\b[Pp]ort \d+|\b(?:8000|8001|5432)\b"), "{value}`url`"),
    ("step", re.compile(r"\b[Ss]teps? \d+"), "a link to the step, or {value}`title:slug`"),
    ("count", re.compile(rf"(?i)\b{_NUMBER} {_NOUN}\b"), "{{value}}"),
    ("hash", re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b"), "{hash}`…`"),
    (
        "path",
        re.compile(r"(?<![\w.])/(?:home|root|usr|var|tmp|Users|opt|work)/\S*"),
        "a relative path",
    ),
)
_FENCE = re.compile(r"(?ms)^[ \t]*(`{3,}|~{3,}|:{3,})\{?([\w-]*)\}?[^\n]*\n(.*?)^[ \t]*\1[ \t]*$")
# Fences with shown code in them, and no prose.
_SHOWN = {
    "", "listing", "diff", "tree", "commands", "browser", "checks", "hints", "step-head",
    "step-list", "toctree", "sphinx_argparse_cli", "code-block", "example", "text", "python",
    "console", "proof",
}  # fmt: skip
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
        lines = (
            (f"{page}{place}:{number}", line)
            for place, text in sources.pieces(file)
            for number, line in prose(text)
        )
        for where, line in lines:
            for kind, text, instead in typed(line, minutes):
                if not waivers.allow(NAME, page, text):
                    fact = f"a typed {kind}: {text!r}. Write {instead}"
                    findings.append(Finding(where, fact))
            for path in _FILE.findall(line):
                if "NN" in path:
                    continue  # stands for any
                there = path in known or path in names or any(k.endswith(f"/{path}") for k in known)
                if not there and not waivers.allow(NAME, page, path):
                    findings.append(Finding(where, f"there is no file {path}"))
    return Result(NAME, proven, tuple(findings))


def typed(line: str, minutes: Collection[int] = ()) -> Iterator[tuple[str, str, str]]:
    """What is typed in a line of prose and lives elsewhere: its kind, the text, what to write.

    `minutes` are those that a step, a kata or the whole course takes: others live where they are.
    """
    for match in re.finditer(r"\b(\d+) minutes?\b", line):
        if int(match[1]) in minutes:
            yield "count", match[0], "{value}`minutes:…`"
    for kind, pattern, instead in _PATTERNS:
        for match in pattern.finditer(line):
            yield kind, match[0], instead


def prose(markdown: str) -> Iterator[tuple[int, str]]:
    """The lines of prose with their numbers: no shown code, no roles, no addresses of links."""
    text = markdown
    while True:
        match = next((each for each in _FENCE.finditer(text) if each[2] in _SHOWN), None)
        if match is None:
            break
        text = text[: match.start()] + "\n" * match[0].count("\n") + text[match.end() :]
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped.startswith((":::", "```", "~~~")) or re.match(r":[\w-]+:", stripped):
            continue
        yield number, _LINK.sub("](", _ROLE.sub("", line))
