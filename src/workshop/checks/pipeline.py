"""A project's pipeline, read as GitLab reads it: which jobs there are, and who waits for whom.

What counts is described in GitLab's reference of the CI/CD YAML syntax. Files that others `include`
are not read.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from workshop.checks import gitlab, near
from workshop.checks.failure import expect

FILE = ".gitlab-ci.yml"
_STAGES = ("build", "test", "deploy")  # when the file names none
_STAGE = "test"  # of a job that names none
_NO_JOBS = {
    "after_script", "before_script", "cache", "default", "image", "include", "services", "spec",
    "stages", "variables", "workflow",
}  # fmt: skip
_DEEP = 10  # so often may one extend another, or refer to it, as in GitLab
_NESTED = 20  # lists in lists, and mappings in mappings: what goes deeper leads round in a circle


class Job(NamedTuple):
    """One job: where it stands in the file, all that is said of it, what it types, and for whom it
    waits by name (None: for all stages before its own)."""

    name: str
    line: int
    stage: str
    said: Mapping[str, Any]
    commands: tuple[str, ...]
    needs: tuple[str, ...] | None
    place: str

    @property
    def manual(self) -> bool:
        """Whether somebody has to start it, in GitLab by a button."""
        return any(each.get("when") == "manual" for each in (self.said, *self.rules))

    @property
    def rules(self) -> tuple[Mapping[str, Any], ...]:
        """When it is part of a pipeline, one by one."""
        return tuple(each for each in gitlab.flat(self.said.get("rules")) if isinstance(each, dict))


class Pipeline:
    """All jobs of a project, as its file has them. Raises CheckFailed for what is no pipeline."""

    def __init__(self, project: Path) -> None:
        self._project = project

    @functools.cached_property
    def text(self) -> str:
        """The file."""
        near.must_be_there(self._project, FILE)
        return (self._project / FILE).read_text("utf-8-sig", "replace")

    @functools.cached_property
    def stages(self) -> tuple[str, ...]:
        """Their names, in their order."""
        found = self._whole.get("stages", _STAGES)
        expect(
            isinstance(found, (list, tuple)) and all(isinstance(each, str) for each in found),
            seen=f"{FILE}, line {self._top('stages')}: stages is no list of names",
            expected="the names of the stages, in their order",
            do="stages: [one, and another]",
        )
        return (".pre", *found, ".post")

    @property
    def names_stages(self) -> bool:
        """Whether the file itself says which stages there are."""
        return "stages" in self._whole

    @functools.cached_property
    def jobs(self) -> Mapping[str, Job]:
        """Each job by its name; those that begin with a dot are only there to be extended."""
        names = [name for name in self._whole if name not in _NO_JOBS and name[0] != "."]
        found = {name: self._job(name) for name in names}
        expect(
            found,
            seen=f"there is no job in {FILE}",
            expected="jobs, each with its commands below script",
            do="Begin with the one that you know best: it calls tox.",
        )
        for job in found.values():
            self._must_be_possible(job, found)
        return found

    def before(self, name: str) -> frozenset[str]:
        """The jobs that must have ended well before this one begins."""
        return self._before(name, self.jobs)

    def line(self, job: Job, text: str = "") -> str:
        """The file, and the line where a job stands, or a text in it, or the beginning of one: in
        the job itself, or in one that it extends."""
        lines = [" ".join(each.split()) for each in self.text.splitlines()]
        words = text.split()
        for many in range(len(words), 0, -1):
            sought = " ".join(words[:many])
            places = [self._lines_of(each) for each in (job.name, *self._parents(job.name))]
            if many > 1:  # then it is no word that stands everywhere
                places.append(range(1, len(lines) + 1))
            for at in (at for place in places for at in place):
                if sought in lines[at - 1] and not lines[at - 1].startswith("#"):
                    return f"{FILE}, line {at}"
        return f"{FILE}, line {job.line}"

    def where(self, text: str) -> int:
        """The first line with this text, comments left out; 0 when there is none."""
        lines = [re.sub(r"(^|\s)#.*", "", each) for each in self.text.splitlines()]
        return next((at for at, each in enumerate(lines, start=1) if text in each), 0)

    def variables(self, job: Job) -> Mapping[str, str]:
        """What a job is told: by the whole file, and by its own lines."""
        return self._variables(job.said)

    def filled(self, job: Job, text: object) -> str:
        """A text with the job's variables in it."""
        return gitlab.filled(text, self.variables(job))

    def _variables(self, said: Mapping[str, Any]) -> dict[str, str]:
        own = gitlab.variables(said.get("variables"))
        return gitlab.variables(self._mapping("variables")) | own

    def _before(self, name: str, jobs: Mapping[str, Job]) -> frozenset[str]:
        found: set[str] = set()
        ahead = [name]
        while ahead:
            for each in self._waits_for(jobs[ahead.pop()], jobs):
                if each not in found:
                    found.add(each)
                    ahead.append(each)
        return frozenset(found)

    def _waits_for(self, job: Job, jobs: Mapping[str, Job]) -> Iterator[str]:
        if job.needs is not None:
            yield from (each for each in job.needs if each in jobs)
            return
        at = self.stages.index(job.stage)
        yield from (name for name, each in jobs.items() if each.stage in self.stages[:at])

    def _must_be_possible(self, job: Job, jobs: Mapping[str, Job]) -> None:
        """Raise CheckFailed when a job waits for what never comes."""
        for each in gitlab.needed(job.said.get("needs")):
            expect(
                each in jobs,
                seen=f"{self.line(job, 'needs')}: the job {job.name} needs"
                f" {f'{each}, which is not there' if each else 'nobody by name'}",
                expected=f"one of {', '.join(name for name in jobs if name != job.name)}",
                do="Is it a slip of the pen? Write the name as it stands there.",
            )
        expect(
            job.name not in self._before(job.name, jobs),
            seen=f"{self.line(job, 'needs')}: the job {job.name} waits for itself, round in a"
            " circle",
            expected="an order: somebody must be the first",
            do="Look at needs, and whom those need. A job can't need one of a later stage.",
        )

    def _top(self, key: str) -> int:
        """The line where something stands at the left edge of the file."""
        at = re.search(rf"^[\"']?{re.escape(key)}[\"']?\s*:", self.text, re.MULTILINE)
        return self.text.count("\n", 0, at.start()) + 1 if at else 1

    def _lines_of(self, name: str) -> range:
        """The lines that belong to a job."""
        first = self._top(name)
        lines = self.text.splitlines()
        far = next((at for at in range(first, len(lines)) if re.match(r"[^\s#]", lines[at])), None)
        return range(first, (len(lines) if far is None else far) + 1)

    def _parents(self, name: str, deep: int = 0) -> Iterator[str]:
        own = self._whole.get(name)
        for each in gitlab.listed(own.get("extends") if isinstance(own, dict) else None):
            yield each
            if deep < _DEEP:
                yield from self._parents(each, deep + 1)

    @functools.cached_property
    def _whole(self) -> dict[str, Any]:
        found = gitlab.load(self.text, FILE)
        expect(
            isinstance(found, dict) and found,
            seen=f"{FILE} is empty" if found is None else f"{FILE} has no jobs by name",
            expected="a name for each job, with a colon behind it",
            do="Begin with `stages:`, and then the first job.",
        )
        expect(
            "include" not in found,
            seen=f"{FILE} includes what stands elsewhere",
            expected="the whole story in one file",
            do="Write the jobs here. There are few.",
        )
        return {str(name): each for name, each in found.items() if str(name)}

    def _mapping(self, key: str) -> dict[str, Any]:
        """What stands at the top of the file under this key, by name."""
        found = self._resolved(self._whole.get(key)) or {}
        expect(
            isinstance(found, dict),
            seen=f"{FILE}, line {self._top(key)}: {key} has no names",
            expected="names below it, each with a colon and a value",
            do=f"Indent what belongs to {key} by two spaces.",
        )
        return dict(found)

    def _job(self, name: str) -> Job:
        line = self._top(name)
        expect(
            isinstance(self._whole[name], dict),
            seen=f"{FILE}, line {line}: {name} is no job",
            expected="below its name: stage, and script with its commands",
            do=f"Indent what belongs to {name} by two spaces, or take it out.",
        )
        top = {key: self._whole[key] for key in ("before_script",) if key in self._whole}
        said = {
            **self._resolved(top),
            **self._mapping("default"),
            **self._extended(name, line),
        }
        stage = str(said.get("stage") or _STAGE)
        expect(
            stage in self.stages,
            seen=f"{FILE}, line {line}: the job {name} belongs to the stage {stage}, which is not"
            " among the stages",
            expected=f"one of {', '.join(self.stages[1:-1])}",
            do="Is it a slip of the pen? Each stage stands in `stages:`, once.",
        )
        for key in ("before_script", "script"):
            for each in gitlab.flat(said.get(key)):
                expect(
                    isinstance(each, str),
                    seen=f"{FILE}, line {line}: the job {name} has in its {key} what is no command:"
                    f" {gitlab.as_written(each)}",
                    expected="text. For YAML, a colon with a space behind it is no text any more",
                    do="Put the whole command in quotes: '...'",
                )
        return Job(
            name=name, line=line, stage=stage, said=said,
            commands=tuple(
                command
                for key in ("before_script", "script")
                for each in gitlab.flat(said.get(key))
                for command in gitlab.commands(each)
            ),
            needs=None if said.get("needs") is None else tuple(gitlab.names(said["needs"])),
            place=self._place(said),
        )  # fmt: skip

    def _extended(self, name: str, line: int, deep: int = 0) -> dict[str, Any]:
        """All that is said of a job, by itself and by what it extends."""
        own = self._whole.get(name)
        expect(
            isinstance(own, dict),
            seen=f"{FILE}, line {line}: it extends {name}, which is not there",
            expected="a job of this file, with or without a dot in front of its name",
            do="Write the name as it stands there, the dot included.",
        )
        expect(
            deep <= _DEEP,
            seen=f"{FILE}, line {line}: what it extends leads round in a circle",
            expected=f"an end, after {_DEEP} jobs at most",
            do="Look at extends, and at what those extend.",
        )
        assert isinstance(own, dict)  # what `expect` has just said, for mypy
        found: dict[str, Any] = {}
        for each in gitlab.listed(own.get("extends")):
            found = gitlab.merged(found, self._extended(each, line, deep + 1))
        return gitlab.merged(found, self._resolved({**own, "extends": None}))

    def _resolved(self, value: Any, deep: int = 0, nested: int = 0) -> Any:
        """The value, with what it only refers to."""
        expect(
            deep <= _DEEP and nested <= _NESTED,
            seen=f"{FILE}: something in it leads back to itself",
            expected=f"an end, after {_DEEP} references at most",
            do="Look at each !reference, and at each * that stands within its own &.",
        )
        if isinstance(value, list):
            return [self._resolved(each, deep, nested + 1) for each in value]
        if isinstance(value, dict):
            return {key: self._resolved(each, deep, nested + 1) for key, each in value.items()}
        if not isinstance(value, gitlab.Reference):
            return value
        found: Any = self._whole if value.path else None
        for key in value.path:
            found = found.get(key) if isinstance(found, dict) else None
        expect(
            found is not None,
            seen=f"{FILE}, line {value.line}: it refers to {', '.join(value.path) or 'nothing'},"
            " which is not there",
            expected="the name of a job, and what is meant of it: !reference [.job, script]",
            do="Write both as they stand there, the dot included.",
        )
        return self._resolved(found, deep + 1, nested)

    def _place(self, said: Mapping[str, Any]) -> str:
        """The environment that a job is for, with its variables in it; empty if it has none."""
        found = said.get("environment") or ""
        name = found.get("name", "") if isinstance(found, dict) else found
        return gitlab.filled(name, self._variables(said))
