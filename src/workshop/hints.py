"""The next hint for what failed: three for each check, one more each time it is asked for.

How many somebody has seen is kept in the project, by the step's slug and the check's name.
"""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from workshop import history, kept, parts
from workshop.errors import WorkshopError
from workshop.model import Course, Step, Verdict

_SEEN = "hints"
_DIRECTIVE = re.compile(
    r"(?m)^```\{(?P<kind>listing|diff)\}[ \t]*(?P<path>\S+)[ \t]*\n"
    r"(?P<options>(?::.*\n)*)```[ \t]*$"
)


class Hint(NamedTuple):
    """One hint: for which check, its number of how many, and its text: Markdown, where code from
    the stage stands in indented blocks. `again` is whether it was the last one already."""

    check: str
    sentence: str
    number: int
    total: int
    text: str
    again: bool = False


def parse(text: str) -> dict[str, tuple[str, ...]]:
    """The hints by check: `## test_name`, then an ordered list. Each hint is Markdown, whole."""
    found: dict[str, tuple[str, ...]] = {}
    for section in re.split(r"(?m)^##\s+", text)[1:]:
        heading, _, body = section.partition("\n")
        items = re.split(r"(?m)^\d+\.[ \t]+", body)[1:]
        found[heading.strip().strip("`")] = tuple(_dedent(item) for item in items)
    return found


def failing(verdicts: Sequence[Verdict]) -> Verdict | None:
    """The check that wants to be mended first."""
    return next((each for each in verdicts if each.outcome == "red"), None)


def following(course: Course, project: Path, step: Step, verdict: Verdict) -> Hint:
    """The next hint for this red check, noted as seen. After the last one, it is the last again.

    Raises WorkshopError when the step has none for it.
    """
    file = step.folder / "hints.md"
    texts = parse(file.read_text(encoding="utf-8")).get(verdict.check) if file.is_file() else None
    if not texts:
        raise WorkshopError(
            f"there is no hint for {verdict.check}", "The step's page may help.", path=file
        )
    seen = kept.read(project, _SEEN)
    of_step = seen.get(step.slug)
    of_step = dict(of_step) if isinstance(of_step, dict) else {}
    before = of_step.get(verdict.check)
    before = before if isinstance(before, int) else 0
    number = min(before + 1, len(texts))
    kept.write(project, _SEEN, {**seen, step.slug: {**of_step, verdict.check: number}})
    text = resolved(texts[number - 1], course, step)
    again = before >= len(texts)
    return Hint(verdict.check, verdict.sentence, number, len(texts), text, again)


def resolved(text: str, course: Course, step: Step) -> str:
    """The hint with each directive replaced by what it shows of the step's stage."""
    if not _DIRECTIVE.search(text):
        return text
    stages = history.stages(course)
    here = next(index for index, stage in enumerate(stages) if stage.step == step)
    after = _texts(stages[here])
    before = _texts(stages[here - 1]) if here else {}

    def shown(match: re.Match[str]) -> str:
        path = match["path"]
        options = dict(re.findall(r"(?m)^:([\w-]+):[ \t]*(.*)$", match["options"]))
        if match["kind"] == "diff":
            lines = _diff(before.get(path, ""), after.get(path, ""))
        elif path not in after:
            fact = f"a hint shows {path}, and {step.tag} has no such file"
            raise WorkshopError(fact, "Mend the hint.", path=step.folder / "hints.md")
        else:
            lines = after[path].splitlines()
            if name := options.get("part", "").strip():
                first, end = parts.span(path, after[path], name)
                lines = lines[first:end]
        block = textwrap.indent("\n".join(lines), "    ", lambda _: True)
        return f"{path}:\n\n{block}"

    return _DIRECTIVE.sub(shown, text)


def _texts(stage: history.Stage) -> Mapping[str, str]:
    return {path: file.data.decode(errors="replace") for path, file in stage.files.items()}


def _diff(old: str, new: str) -> list[str]:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def _dedent(item: str) -> str:
    first, _, rest = item.partition("\n")
    return f"{first}\n{textwrap.dedent(rest)}".strip()
