"""A project's pipeline, run on this machine, with its own words and tests: by gitlab-ci-local, or
by another program that does what a file of jobs says.

Only what would leave the machine, or change it, is played: `docker` and `kubectl` note what they
are told, see `players`. So nothing is built, and nothing is deployed, by a check.
"""

from __future__ import annotations

import functools
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from workshop import git
from workshop.checks import commands, players, words
from workshop.checks.copied import Copy
from workshop.checks.mistakes import NONE, Mistake

REPOSITORY = "registry.invalid/demo"  # a host that there is not, by RFC 2606
_REMOTE = "https://git.invalid/demo/demo.git"
_PATIENCE = 300.0
_IDENTITY = ("-c", "user.name=Workshop", "-c", "user.email=workshop@example.org")
_FAILED = re.compile(r"(.+?) +finished in .* FAIL +\d+")
_SCRIPT = re.compile(r"^\S*/scripts/\S+: line \d+: ")  # which gitlab-ci-local makes of a job
_RUN = re.compile(r"(?m)^ (?:PASS|FAIL|WARN) +(.+?) *$")
_MARKS = re.compile(r"\x1b\[[0-9;]*m")


# Which command does the jobs, given an empty home and what they are told.
Command = Callable[[Path, Mapping[str, str]], Sequence[str]]


def gitlab(home: Path, variables: Mapping[str, str]) -> tuple[str, ...]:
    """gitlab-ci-local, whatever is in a person's own home. What it is told counts more than the
    file's own variables."""
    known = {"NAME": f"{REPOSITORY}:try", **variables}
    words = (word for name, text in known.items() for word in ("--variable", f"{name}={text}"))
    # One at a time: they have one database for their tests, and would make the same one in it.
    how = ("--force-shell-executor", "--no-color", "--concurrency", "1", "--home", str(home))
    return ("gitlab-ci-local", *how, *words)


class Call(NamedTuple):
    """What a job has asked `docker` or `kubectl` for: its words, and the text of the files that it
    names, or of what it read."""

    job: str
    program: str
    words: tuple[str, ...]
    text: str

    @property
    def namespace(self) -> str:
        """Where in a cluster."""
        return players.namespace(self.words)


class Ended(NamedTuple):
    """How a run ended (0 is green), what was asked for, and which jobs have run. When it is red:
    the job that failed, its last command, and what that had to say."""

    code: int
    calls: tuple[Call, ...]
    job: str
    command: str
    tail: str
    jobs: frozenset[str] = frozenset()

    def asked(self, program: str, *all_of: str) -> tuple[Call, ...]:
        """The calls of a program that have all of these among their words."""
        return tuple(
            each for each in self.calls
            if each.program == program and set(all_of) <= set(each.words)
        )  # fmt: skip


class DryRun:
    """The pipeline of a copy, which may be spoiled, done by a command. Each run is done once."""

    def __init__(
        self, copy: Copy, variables: Mapping[str, str], command: Command | None = None
    ) -> None:
        self._copy = copy
        self._variables = variables
        self._command = command or gitlab
        self._done = functools.cache(self._run)

    def on(self, mistake: Mistake = NONE) -> Ended:
        """How it ends with this mistake in the project. Raises CheckFailed when it never does."""
        return self._done(mistake)

    def pressed(self, job: str) -> Ended:
        """How it ends when a person starts this job alone: what it needs is run before."""
        return self._done(NONE, "--needs", job)

    def _run(self, mistake: Mistake, *words: str) -> Ended:
        with tempfile.TemporaryDirectory(prefix="workshop-") as name:
            folder = Path(name)
            env = self._environment(folder)
            command = self._command(folder, self._variables)
            with self._copy.spoiled(mistake):
                done = commands.run(
                    [*command, *words], shown=f"`{' '.join((command[0], *words))}`",
                    cwd=self._copy.path, env=env, patience=_PATIENCE,
                )  # fmt: skip
            log = folder / "calls"
            lines = log.read_text("utf-8").splitlines() if log.exists() else ()
        calls = [json.loads(line) for line in lines]
        return Ended(
            done.code,
            tuple(Call(**{**each, "words": tuple(each["words"])}) for each in calls),
            *told(done.out, self._copy.path),
            frozenset(_RUN.findall(_MARKS.sub("", done.out))),
        )

    @functools.cached_property
    def _ready(self) -> dict[str, str]:
        """A repository, as such programs want one, and what its jobs are told."""
        folder = self._copy.path
        git.run("init", "--quiet", "--initial-branch=main", cwd=folder)
        git.run("remote", "add", "origin", _REMOTE, cwd=folder)
        branch = ("refs/remotes/origin/HEAD", "refs/remotes/origin/main")
        git.run("symbolic-ref", *branch, cwd=folder)
        git.run("add", "--all", cwd=folder)
        git.run(*_IDENTITY, "commit", "--quiet", "--message", "A dry run", cwd=folder)
        return {**self._copy.variables(), **self._variables}

    def _environment(self, folder: Path) -> dict[str, str]:
        """The variables of a run. The players come first on the path, and our own tox last."""
        for program in players.PLAYED:
            commands.stand_in(folder, program, sys.executable, "-I", players.__file__, program)
        ready = self._ready
        path = (str(folder), ready.get("PATH", os.defpath), str(Path(sys.executable).parent))
        return ready | {"PATH": os.pathsep.join(path), players.LOG: str(folder / "calls")}


def told(output: str, folder: Path) -> tuple[str, str, str]:
    """The job that failed first, its last command, and the last words: of that, or of all."""
    lines = [_MARKS.sub("", line).rstrip() for line in output.splitlines()]
    failed = next((found[1] for line in lines if (found := _FAILED.match(line))), "")
    if not failed:
        return "", "", words.tail("\n".join(lines), folder)
    own = re.compile(rf"{re.escape(failed)} +([$>]) ?(.*)")
    said = [(found[1], found[2]) for line in lines if (found := own.match(line))]
    typed = [at for at, (sign, _) in enumerate(said) if sign == "$"]
    behind = said[typed[-1] + 1 :] if typed else said
    last = "\n".join(_SCRIPT.sub("", line) for _, line in behind)
    return failed, said[typed[-1]][1] if typed else "", words.tail(last, folder)
