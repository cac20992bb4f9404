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

from workshop.checks import near
from workshop.checks.failure import CheckFailed, expect

FILE = ".gitlab-ci.yml"
_STAGES = ("build", "test", "deploy")  # when the file names none
_STAGE = "test"  # of a job that names none
_NO_JOBS = {
    "after_script", "before_script", "cache", "default", "image", "include", "services", "spec",
    "stages", "variables", "workflow",
}  # fmt: skip
_DEEP = 10  # so often may one extend another, as in GitLab


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
        rules = self.said.get("rules") or ()
        every = [self.said, *(each for each in rules if isinstance(each, dict))]
        return any(each.get("when") == "manual" for each in every)


class Reference(NamedTuple):
    """What `!reference [job, key]` stands for."""

    path: tuple[str, ...]


class Pipeline:
    """All jobs of a project, as its file has them. Raises CheckFailed for what is no pipeline."""

    def __init__(self, project: Path) -> None:
        self._project = project

    @functools.cached_property
    def text(self) -> str:
        """The file."""
        near.must_be_there(self._project, FILE)
        return (self._project / FILE).read_text("utf-8", "replace")

    @functools.cached_property
    def stages(self) -> tuple[str, ...]:
        """Their names, in their order."""
        return (".pre", *map(str, self._whole.get("stages", _STAGES)), ".post")

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
        return found

    def before(self, name: str) -> frozenset[str]:
        """The jobs that must have ended well before this one begins."""
        found: set[str] = set()
        ahead = [name]
        while ahead:
            for each in self._waits_for(self.jobs[ahead.pop()]):
                if each not in found:
                    found.add(each)
                    ahead.append(each)
        return frozenset(found)

    def variables(self, job: Job) -> Mapping[str, str]:
        """What a job is told: by the whole file, and by its own lines."""
        found = {**(self._whole.get("variables") or {}), **(job.said.get("variables") or {})}
        return {
            name: str(each.get("value", "") if isinstance(each, dict) else each)
            for name, each in found.items()
        }

    def line(self, job: Job, text: str = "") -> str:
        """The file, and the line where a job stands, or a text in it."""
        lines = self.text.splitlines()
        near_it = (at for at in range(job.line, len(lines) + 1) if text in lines[at - 1])
        return f"{FILE}, line {next(near_it, job.line) if text else job.line}"

    def _waits_for(self, job: Job) -> Iterator[str]:
        if job.needs is not None:
            yield from (each for each in job.needs if each in self.jobs)
            return
        at = self.stages.index(job.stage)
        yield from (name for name, each in self.jobs.items() if each.stage in self.stages[:at])

    @functools.cached_property
    def _whole(self) -> dict[str, Any]:
        import yaml

        try:
            found = yaml.load(self.text, _loader())  # noqa: S506  a SafeLoader, with one tag more
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            raise CheckFailed(
                seen=f"{FILE}{f', line {mark.line + 1}' if mark else ''} is not YAML:"
                f" {getattr(error, 'problem', None) or error}",
                expected="jobs, each with its commands below script",
                do="Mend the line. A command with a colon and a space in it stands in quotes.",
            ) from None
        expect(
            isinstance(found, dict) and all(isinstance(name, str) and name for name in found),
            seen=f"{FILE} has no jobs by name",
            expected="a name for each job, with a colon behind it",
            do="Begin with `stages:`, and then the first job.",
        )
        expect(
            "include" not in found,
            seen=f"{FILE} includes what stands elsewhere",
            expected="the whole story in one file",
            do="Write the jobs here. There are few.",
        )
        return dict(found)

    def _job(self, name: str) -> Job:
        at = re.search(rf"^[\"']?{re.escape(name)}[\"']?\s*:", self.text, re.MULTILINE)
        line = self.text.count("\n", 0, at.start()) + 1 if at else 1
        expect(
            isinstance(self._whole[name], dict),
            seen=f"{FILE}, line {line}: {name} is no job",
            expected="below its name: stage, and script with its commands",
            do=f"Indent what belongs to {name} by two spaces, or take it out.",
        )
        said = self._extended(name, line)
        stage = str(said.get("stage", _STAGE))
        expect(
            stage in self.stages,
            seen=f"{FILE}, line {line}: the job {name} belongs to the stage {stage}, which is not"
            " among the stages",
            expected=f"one of {', '.join(self.stages[1:-1])}",
            do="Is it a slip of the pen? Each stage stands in `stages:`, once.",
        )
        needs = said.get("needs")
        return Job(
            name=name, line=line, stage=stage, said=said,
            commands=tuple(
                command
                for key in ("before_script", "script")
                for command in _commands(self._resolved(said.get(key, ())))
            ),
            needs=None if needs is None else tuple(_names(needs)),
            place=self._place(said),
        )  # fmt: skip

    def _extended(self, name: str, line: int, deep: int = 0) -> dict[str, Any]:
        """All that is said of a job, by itself and by what it extends."""
        default = self._whole.get("default") or {}
        top = {key: self._whole[key] for key in ("before_script",) if key in self._whole}
        own = self._whole.get(name)
        expect(
            isinstance(own, dict) and deep <= _DEEP,
            seen=f"{FILE}, line {line}: it extends {name}, which is not there",
            expected="a job of this file, with or without a dot in front of its name",
            do="Write the name as it stands there, the dot included.",
        )
        assert isinstance(own, dict)  # what `expect` has just said, for mypy
        parents = own.get("extends", ())
        found: dict[str, Any] = {} if deep else {**top, **default}
        for each in [parents] if isinstance(parents, str) else parents:
            found = _merged(found, self._extended(str(each), line, deep + 1))
        return _merged(found, {key: each for key, each in own.items() if key != "extends"})

    def _resolved(self, value: Any) -> Any:
        """The value, with what it only refers to."""
        if isinstance(value, list):
            return [self._resolved(each) for each in value]
        if isinstance(value, Reference):
            found: Any = self._whole
            for key in value.path:
                found = found.get(key) if isinstance(found, dict) else None
            return self._resolved(found or ())
        return value

    def _place(self, said: Mapping[str, Any]) -> str:
        """The environment that a job is for, with its variables in it; empty if it has none."""
        found = said.get("environment") or ""
        name = str(found.get("name", "") if isinstance(found, dict) else found)
        known = {**(self._whole.get("variables") or {}), **(said.get("variables") or {})}
        return re.sub(r"\$\{?(\w+)\}?", lambda each: str(known.get(each[1], each[0])), name)


def _loader() -> Any:
    """Reads YAML as GitLab does, with its one tag."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    def reference(loader: yaml.SafeLoader, node: yaml.Node) -> Reference:
        assert isinstance(node, yaml.SequenceNode)
        return Reference(tuple(map(str, loader.construct_sequence(node))))

    Loader.add_constructor("!reference", reference)
    return Loader


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both, where mappings are merged, and of all else the second counts."""
    found = dict(one)
    for key, value in other.items():
        before = found.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            found[key] = _merged(before, value)
        else:
            found[key] = value
    return found


def _commands(value: Any) -> Iterator[str]:
    """The single commands of a script, each on one line, with one space between its words."""
    if isinstance(value, str):
        for line in re.sub(r"\\\n", " ", value).splitlines():
            if line.strip() and not line.strip().startswith("#"):
                yield " ".join(line.split())
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _commands(each)


def _names(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        yield str(each.get("job", "")) if isinstance(each, dict) else str(each)
