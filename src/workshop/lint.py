"""Course to findings: what is wrong with the course itself, each with its file and line."""

from __future__ import annotations

import ast
import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from workshop import history, survivors
from workshop.model import Course, Finding, Kata, Step, Tag

TAGS = "tags.txt"
HINTS_PER_CHECK = 3

_STEP_FILES = {"index.md", "hints.md", "trainer.md", "step.toml", "transcript.txt",
               survivors.FILE}  # fmt: skip
_KATA_FILES = {"index.md", "debrief.md", "kata.toml", "start", "judge"}
_COURSE_FILES = {"course.toml", TAGS, "index.md", "waived.toml"}
_PROSE = "README.rst"  # most steps change it, and few of their checks read it
_LEFT_BY_TOOLS = {"__pycache__"}  # never committed, never built


class Check(NamedTuple):
    """A check as it stands in its file: its name, the sentence a learner reads, its line."""

    name: str
    sentence: str
    line: int


def lint(course: Course) -> tuple[Finding, ...]:
    """Everything that is wrong with the course, in the order of its files."""
    findings = [*_course(course)]
    for step in course.steps:
        findings += _step(course, step)
    for kata in course.katas:
        findings += _kata(course, kata)
    findings += _solutions(course)
    findings += [_finding(course, *each) for each in survivors.doubts(course)]
    findings += _tags(course)
    return tuple(findings)


def checks(file: Path) -> tuple[Check, ...]:
    """The checks in a test file, read without running it. Raises SyntaxError."""
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    return tuple(
        Check(node.name, (ast.get_docstring(node) or "").strip(), node.lineno)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def hints(file: Path) -> dict[str, tuple[int, tuple[str, ...]]]:
    """The hints of a step, by check: the heading's line, and the hints' first lines in order."""
    found: dict[str, tuple[int, tuple[str, ...]]] = {}
    name = ""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if heading := re.fullmatch(r"##\s+`?(\w+)`?\s*", line):
            name = heading[1]
            found[name] = (number, ())
        elif name and (item := re.match(r"\d+\.\s+(\S.*)", line)):
            at, texts = found[name]
            found[name] = (at, (*texts, item[1]))
    return found


def record(course: Course) -> Path:
    """Write down the hashes of today's stages. Returns the file."""
    with history.built(course) as (_, tags):
        file = course.root / "steps" / TAGS
        part = file.with_name(f".{TAGS}.part")
        part.write_text(_written(tags), encoding="ascii", newline="\n")
        part.replace(file)
    return file


def _written(tags: tuple[Tag, ...]) -> str:
    return "".join(f"{tag.commit} {tag.object} {tag.name}\n" for tag in tags)


def _course(course: Course) -> Iterator[Finding]:
    folder = course.root / "steps"
    known = {step.folder.name for step in course.steps} | _COURSE_FILES | _LEFT_BY_TOOLS
    for entry in sorted(folder.iterdir()):
        if entry.name not in known:
            yield _finding(course, entry, "stray: it is neither a step nor a file of the course")


def _step(course: Course, step: Step) -> Iterator[Finding]:
    yield from _text(course, step.folder / "index.md", "lesson")
    yield from _text(course, step.folder / "trainer.md", "trainer notes")
    own = {file.name for file in step.tests} | _STEP_FILES | _LEFT_BY_TOOLS
    for entry in sorted(step.folder.iterdir()):
        if entry.name not in own:
            yield _finding(course, entry, "stray: a step has no such file")
    yield from _checks(course, step)
    if not step.message.strip():
        yield _finding(course, step.folder / "step.toml", "the commit message is empty")


def _checks(course: Course, step: Step) -> Iterator[Finding]:
    toml = step.folder / "step.toml"
    found: dict[str, tuple[Path, Check]] = {}
    for file in step.tests:
        try:
            for check in checks(file):
                found[check.name] = (file, check)
                if not check.sentence:
                    fact = f"{check.name} has no docstring: it is the sentence a learner reads"
                    yield _finding(course, file, fact, check.line)
        except SyntaxError as error:
            yield _finding(course, file, f"this is not Python: {error.msg}", error.lineno)
            return
    if not found:
        yield _finding(course, step.folder, "this step has no checks")
    for name in step.red:
        if name not in found:
            yield _finding(course, toml, f"red names no check: {name}", _line(toml, name))
    for name, (file, check) in found.items():
        if name not in step.red:
            fact = f"{name} is not in `red` of step.toml: no check may pass at its start"
            yield _finding(course, file, fact, check.line)
        elif not step.red[name].strip():
            yield _finding(course, toml, f"red gives no reason for {name}", _line(toml, name))
    yield from _hints(course, step, set(found))
    yield from _replaced(course, step)


def _hints(course: Course, step: Step, names: set[str]) -> Iterator[Finding]:
    file = step.folder / "hints.md"
    if not file.is_file():
        yield _finding(course, file, "missing: a step has hints")
        return
    found = hints(file)
    for name in sorted(names - found.keys()):
        yield _finding(course, file, f"no hints for {name}")
    for name, (line, texts) in found.items():
        if name not in names:
            yield _finding(course, file, f"hints for a check that does not exist: {name}", line)
        elif len(texts) != HINTS_PER_CHECK:
            fact = f"{name} has {len(texts)} hints, and should have {HINTS_PER_CHECK}"
            yield _finding(course, file, fact, line)


def _replaced(course: Course, step: Step) -> Iterator[Finding]:
    toml = step.folder / "step.toml"
    earlier = {
        f"{each.slug}::{check.name}"
        for each in course.steps
        if each.number < step.number
        for file in each.tests
        for check in checks(file)
    } if step.replaces else set()  # fmt: skip
    for name in step.replaces:
        if name not in earlier:
            fact = f"replaces names no check of an earlier step: {name}"
            yield _finding(course, toml, fact, _line(toml, name))


def _kata(course: Course, kata: Kata) -> Iterator[Finding]:
    yield from _text(course, kata.folder / "index.md", "brief")
    yield from _text(course, kata.folder / "debrief.md", "debrief")
    for entry in sorted(kata.folder.iterdir()):
        if entry.name not in _KATA_FILES | _LEFT_BY_TOOLS:
            yield _finding(course, entry, "stray: a kata has no such file")
    toml = kata.folder / "kata.toml"
    tests = sorted((kata.folder / "judge").glob("test_*.py"))
    names = set()
    for file in tests:
        try:
            names |= {check.name for check in checks(file)}
        except SyntaxError as error:
            yield _finding(course, file, f"this is not Python: {error.msg}", error.lineno)
            return
    if not names:
        yield _finding(course, kata.folder / "judge", "this kata's judge has no checks")
    if not kata.solution.is_dir():
        yield _finding(course, kata.solution, "missing: a kata has an exemplar")
    for name in kata.red:
        if name not in names:
            yield _finding(course, toml, f"red names no check: {name}", _line(toml, name))
    if not kata.red:
        yield _finding(course, toml, "red is empty: the start must fail its judge")


def _solutions(course: Course) -> Iterator[Finding]:
    folder = course.root / "solutions"
    if not folder.is_dir():
        yield _finding(course, folder, "missing: the solutions")
        return
    known = {step.solution.name for step in course.steps} | {"katas"} | _LEFT_BY_TOOLS
    for entry in sorted(folder.iterdir()):
        if entry.name not in known:
            yield _finding(course, entry, "stray: it is no step's solution")
    before: dict[str, history.File] = {}
    for stage in history.stages(course):
        step = stage.step
        toml = step.folder / "step.toml"
        written = {
            file.relative_to(step.solution).as_posix(): file
            for file in sorted(step.solution.rglob("*"))
            if file.is_file() and "__pycache__" not in file.parts
        }
        for path, file in written.items():
            old = before.get(path)
            same = old is not None and old.data == history.lf(file.read_bytes())
            if same and old == stage.files.get(path):
                yield _finding(course, file, "changes nothing: the start has it already")
        for path in step.removes:
            if path not in before:
                fact = f"removes a file that the start does not have: {path}"
                yield _finding(course, toml, fact, _line(toml, path))
        for path in step.executable:
            if path not in stage.files:
                fact = f"executable names a file that the stage does not have: {path}"
                yield _finding(course, toml, fact, _line(toml, path))
        for path, words in step.own.items():
            if path not in written:
                fact = f"own names a file that the solution does not have: {path}"
                yield _finding(course, toml, fact, _line(toml, path))
            if not words.startswith("seal "):
                fact = f"own names a command that makes no such file: {words}"
                yield _finding(course, toml, fact, _line(toml, path))
        judged = {path for path in written if path != _PROSE or _reads_prose(step)}
        for pattern in step.unseen:
            if any(fnmatch.fnmatchcase(path, pattern) for path in judged):
                fact = f"unseen hides a file of its own solution: {pattern}"
                yield _finding(course, toml, fact, _line(toml, pattern))
        if stage.files == before:
            yield _finding(course, step.solution, "this step changes nothing")
        before = dict(stage.files)


def _reads_prose(step: Step) -> bool:
    """Whether a check of this step names the project's README."""
    return any(_PROSE.partition(".")[0] in file.read_text(encoding="utf-8") for file in step.tests)


def _tags(course: Course) -> Iterator[Finding]:
    file = course.root / "steps" / TAGS
    if not file.is_file():
        yield _finding(course, file, "missing: record the stages with `workshop lint --record`")
        return
    with history.built(course) as (_, tags):
        today = {tag.name: _written((tag,)).strip() for tag in tags}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        name = line.split()[-1] if line.split() else ""
        now = today.pop(name, None)
        if now is None:
            yield _finding(course, file, f"a recorded tag is gone: {name}", number)
        elif now != line.strip():
            fact = f"the tag {name} moved: if you meant it, record it with `workshop lint --record`"
            yield _finding(course, file, fact, number)
    for name in today:
        yield _finding(course, file, f"the tag {name} is not recorded")


def _text(course: Course, file: Path, what: str) -> Iterator[Finding]:
    if not file.is_file():
        yield _finding(course, file, f"missing: the {what}")
    elif not re.sub(r"(?m)^#.*$", "", file.read_text(encoding="utf-8")).strip():
        yield _finding(course, file, f"the {what} is empty", 1)


def _line(file: Path, text: str) -> int | None:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if text in line:
            return number
    return None


def _finding(course: Course, file: Path, fact: str, line: int | None = None) -> Finding:
    where = file.relative_to(course.root).as_posix()
    return Finding(f"{where}:{line}" if line else where, fact)
