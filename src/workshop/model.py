"""The plain values that travel between the verbs. No behaviour beyond names derived from them.

They are named tuples, and no frozen dataclasses: `dataclasses` alone would take longer to import
than all else that `workshop --help` needs. Here and in other modules on the way to `status` and
`build`, annotations are no texts: a named tuple would compile each of them again.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

LAYERS = ("Application", "Development", "Deployment", "Automation")
NEEDS = ("containers", "compose", "cluster", "browser", "pipelines")
ENVIRONMENTS = ("development", "integration", "production")
TARGETS = ("process", "kubernetes")

Outcome = Literal["green", "red", "skipped", "error"]


class Step(NamedTuple):
    """One lesson: its text, its checks, its hints, and the files that the learner writes."""

    number: int
    slug: str
    folder: Path
    solution: Path
    title: str
    layer: str
    minutes: int
    message: str
    removes: tuple[str, ...] = ()
    executable: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    own: Mapping[str, str] = MappingProxyType({})
    red: Mapping[str, str] = MappingProxyType({})

    @property
    def tag(self) -> str:
        """The name of its stage, e.g. `03-backing-service`."""
        return f"{self.number:02d}-{self.slug}"

    @property
    def tests(self) -> tuple[Path, ...]:
        """The files that hold its checks."""
        return tuple(sorted(self.folder.glob("test_*.py")))


class Kata(NamedTuple):
    """A timed exercise: a start, a task, a judge."""

    slug: str
    folder: Path
    solution: Path
    title: str
    minutes: int
    needs: tuple[str, ...] = ()
    red: Mapping[str, str] = MappingProxyType({})


class Orchestration(NamedTuple):
    """How a cluster runs it: where in the project that is described, and what the description names
    and does not bring along.

    `image` is what the manifests call the project's own image, `service` leads to it. `config` is
    the ConfigMap of the environment's variables, `variables` what is in it unless an environment
    says otherwise. `files` are ConfigMaps that hold a file, `secrets` are Secrets and their keys,
    made here unless the project has the manifest that makes them itself: `generated`, by Secret.
    """

    dockerfile: str
    image: str
    manifests: tuple[str, ...]
    service: str
    config: str
    variables: Mapping[str, str] = MappingProxyType({})
    files: Mapping[str, str] = MappingProxyType({})
    secrets: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    generated: Mapping[str, str] = MappingProxyType({})


class Platform(NamedTuple):
    """How production runs this course's project: the only place that knows its framework.

    `sealed` are the files that may hold SealedSecrets. `imports` are modules, none of them the
    project's, that each of its programs imports: while `workshop watch` waits, they are imported
    ahead. They must keep nothing from their import on. `test_imports` are more of them, that only
    its tests import.
    """

    wsgi: str
    requirements: tuple[str, ...]
    release: tuple[str, ...]
    readiness: str
    sealed: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    test_imports: tuple[str, ...] = ()
    cluster: Orchestration | None = None


class View(NamedTuple):
    """What a layer shows of the project when it is drawn as a tree.

    `shows` are files, and folders with all that is in them. `closed` are folders that are drawn
    without what is in them.
    """

    shows: tuple[str, ...]
    closed: tuple[str, ...] = ()


class Course(NamedTuple):
    """The ordered steps and the katas, read from one folder. `views` is found by the layer."""

    root: Path
    title: str
    platform: Platform
    steps: tuple[Step, ...]
    katas: tuple[Kata, ...] = ()
    views: Mapping[str, View] = MappingProxyType({})


class Verdict(NamedTuple):
    """What one check says of a project.

    `check` is the test's name, `sentence` its docstring. A red one says what was seen, what was
    expected, and what to do next; a skipped one says in `seen` why. `seconds` is wall time.
    """

    check: str
    sentence: str
    outcome: Outcome
    seen: str = ""
    expected: str = ""
    do: str = ""
    where: str = ""
    seconds: float = 0.0


class Finding(NamedTuple):
    """Something wrong in a course: where (`file` or `file:line`, relative to it) and what."""

    where: str
    fact: str


class Waiver(NamedTuple):
    """What a gate lets through: on which page, which text (its beginning), why, since when."""

    gate: str
    page: str
    text: str
    reason: str
    since: str


class Survivor(NamedTuple):
    """A mutant that no check finds: in which file, which mutation, and why that is right.

    One that is `free` is no mistake: it is another right solution. So it counts for nothing.
    """

    file: str
    mutation: str
    reason: str
    free: bool = False


class Survivors(NamedTuple):
    """What is recorded of a step's mutants: how many there were, which survived, which earlier
    steps' checks were needed, by slug, and the seal over everything that this depends on."""

    seal: str
    mutants: int
    also: tuple[str, ...]
    survivors: tuple[Survivor, ...] = ()


class Tag(NamedTuple):
    """A stage in a built repository: the tag's name, its commit's hash, its own object's hash."""

    name: str
    commit: str
    object: str


def plain(value: object) -> object:
    """A value as JSON knows it: a named tuple is an object, not a list."""
    if isinstance(value, tuple):
        names = getattr(value, "_fields", None)
        items = [plain(each) for each in value]
        return items if names is None else dict(zip(names, items, strict=True))
    return value
