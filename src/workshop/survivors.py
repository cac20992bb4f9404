"""The record of a step's mutants: whether it still fits, and how it is written.

It stands in `survivors.toml`, beside the checks. Its seal is over all that it depends on in the
course, so that it can't go stale unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from workshop import course as courses
from workshop import history, keys, mutate
from workshop.model import Course, Step, Survivors

FILE = "survivors.toml"
KILLED = 0.95  # of all mutants, at least this share must turn a check red
_HEAD = """\
# What no check of this step finds, and why that is right. `workshop mutants {step} --record` writes
# this file; the reasons are yours.
"""


def made(course: Course) -> Iterator[tuple[history.Stage, tuple[mutate.Mutant, ...]]]:
    """Each stage, and the mutants of what its step changes."""
    before: Mapping[str, history.File] = {}
    for stage in history.stages(course):
        yield stage, mutate.mutants(before, stage.files)
        before = stage.files


def seal(
    course: Course, stage: history.Stage, mutants: Sequence[mutate.Mutant], also: Sequence[str]
) -> str:
    """A hash over the mutants, the checks that judge them, those of the earlier steps `also`
    among them, and all files of the stage but those for people."""
    files = [(name, file) for name, file in stage.files.items() if not mutate.prose(name)]
    steps = [step for step in course.steps if step.slug in also or step.tag == stage.step.tag]
    checks = [file.read_bytes() for step in steps for file in step.tests]
    return keys.digest(*checks, tuple(mutants), files)


def doubts(course: Course) -> Iterator[tuple[Path, str]]:
    """What is wrong with the records, each with its file. A step without one has none, yet."""
    for stage, mutants in made(course):
        step = stage.step
        recorded = courses.survivors(step)
        if recorded is None:
            continue
        file = step.folder / FILE
        if recorded.seal != seal(course, stage, mutants, recorded.also):
            yield file, f"the step has changed since: workshop mutants {step.number:02d} --record"
        known = {(each.file, each.mutation) for each in mutants}
        for each in recorded.survivors:
            if (each.file, each.mutation) not in known:
                yield file, f"there is no such mutant: {each.file}: {each.mutation}"
            if not each.reason.strip():
                yield file, f"it needs a reason: {each.file}: {each.mutation}"
        free = sum(each.free for each in recorded.survivors)
        left = len(recorded.survivors) - free
        if left > (len(mutants) - free) * (1 - KILLED):
            yield file, f"{left} of {len(mutants) - free} mistakes are not found: too many"


def write(step: Step, record: Survivors) -> Path:
    """Write the record into the step's folder, whole or not at all."""
    lines = [_HEAD.format(step=f"{step.number:02d}")]
    lines += [f"{name} = {_value(getattr(record, name))}\n" for name in ("seal", "mutants", "also")]
    for each in record.survivors:
        lines.append("\n[[survivor]]\n")
        lines += [f"{name} = {_value(value)}\n" for name, value in each._asdict().items()]
    file = step.folder / FILE
    part = file.with_name(f".{FILE}.part")
    part.write_text("".join(lines), encoding="utf-8", newline="\n")
    part.replace(file)
    return file


def _value(value: object) -> str:
    """As TOML writes it: a text literal where it can be, for code is full of quotes."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    literal = isinstance(value, str) and "'" not in value and '"' in value and value.isprintable()
    return f"'{value}'" if literal else json.dumps(value, ensure_ascii=False)
