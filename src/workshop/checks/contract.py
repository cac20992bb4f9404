"""The contract of a project: tox.ini says how it is tested, and tox itself does it.

The environments that tox makes are kept, outside of the project, by the content of all that they
can be made from. So the second judgement makes none.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from pathlib import Path, PurePosixPath

from workshop import environments, paths
from workshop.checks import processes
from workshop.checks import words as texts
from workshop.checks.commands import Result
from workshop.checks.failure import CheckFailed, expect

_PATIENCE = 120.0  # seconds until a test run is given up
_UNUSED = 24 * 3600.0  # seconds until environments that nobody asked for are removed
_COMPLETE = ".complete"
# What tox says of itself: a line about an environment begins with its name, and one sums it up.
_OF_TOX = re.compile(
    r"(?m)^ *(?:[\w-]+: (?:exit|OK|FAIL|skip|[\w-]+(?:\[\d+\])?>).*"
    r"|(?:evaluation failed|congratulations) :.*)\n?"
)
# tox stops at a line that is no setting; and only later at what a line refers to.
_UNREADABLE = re.compile(r"tox\.ini due to[\s\S]*?\bline:? *(\d+)")
_REFERENCE = re.compile(r"(\{\[([^\]]+)\]\w+\})")
# An environment is made from tox's configuration and from lists of packages: one of these.
_MADE_FROM = {".ini", ".cfg", ".toml", ".txt", ".in", ".lock"}
# Who has one of these is a package itself, and may be installed: then each file counts.
_PACKAGE = {"pyproject.toml", "setup.py", "setup.cfg"}
_TOXED = Path(__file__).with_name("toxed.py")
_TOX_IMPORTS = ("tox.run", "tox.provision", "tox_uv.plugin")


class Tox:
    """tox in the folder of a project whose files are `names`."""

    def __init__(
        self,
        folder: Path,
        names: Sequence[str],
        variables: Mapping[str, str],
        *,
        home: Path | None = None,
        warmth: processes.Warmth | None = None,
    ) -> None:
        self._folder = folder
        self._names = names
        self._home = home
        self._warmth = warmth
        # As wide as a terminal: uv alone wants its lines whole, and pytest draws rules.
        self._variables = {**variables, **environments.tools(), "COLUMNS": "80"}
        # What a test run compiles, the next one finds: the environment is kept, the rest a copy.
        self._variables.pop("PYTHONDONTWRITEBYTECODE", None)
        self._place = self._find()  # before anybody spoils a file
        self._installed: set[str] = set()
        self._running: list[processes.Process] = []
        self._closed = False
        self._guard = threading.Lock()

    def run(self, name: str, env: Mapping[str, str]) -> Result:
        """Run the environment `name`: it is made now if it isn't there yet.

        Raises CheckFailed when there is none, or when its packages can't be installed.
        """
        if name not in self._installed:
            self._install(name)
        own = [
            word
            for key in ("tmp", "log")  # two runs in one environment share everything but these
            for word in ("-x", f"testenv:{name}.env_{key}_dir={self._folder}/.tox/{name}-{key}")
        ]
        return self._tox(
            "run", "-e", name, "--skip-pkg-install", "--skip-env-install", *own, env=env, of=name
        )

    def ready(self) -> dict[str, str]:
        """Make all that `tox` runs when nobody says more. Returns the variables by which a tox that
        somebody else starts finds it."""
        for name in self.environments():
            if name not in self._installed:
                self._install(name)
        return {**self._variables, "TOX_WORK_DIR": str(self._place)}

    def environments(self) -> tuple[str, ...]:
        """The names of what `tox` runs when nobody says more."""
        return tuple(self._tox("list", "-d", "--no-desc", "-qq", env={}).out.split())

    def close(self) -> None:
        """End what runs, and begin nothing more."""
        with self._guard:
            self._closed = True
            for process in self._running:
                processes.kill(process)

    def _install(self, name: str) -> None:
        self._must_be_there()
        whole = self._place / name / _COMPLETE
        if not whole.exists():
            import filelock

            if not self._place.is_dir():
                _forget(self._place.parent)
                self._place.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self._place / f".{name}.lock"):
                if not whole.exists():  # nobody else made it while we waited
                    self._make(name)
                    with contextlib.suppress(OSError):  # it is elsewhere: then it is not kept
                        whole.touch()
        os.utime(self._place)  # somebody uses it
        self._installed.add(name)

    def _make(self, name: str) -> None:
        # From the cache first, as everywhere: nobody waits for a network that is not there.
        words = ("run", "-e", name, "--notest", "-q")
        done = self._tox(*words, env={"UV_OFFLINE": "1"})
        if done.code != 0:
            done = self._tox(*words, env={})
        if done.code != 0:
            self._must_be_readable(done)
        expect(
            done.code == 0,
            seen=f"tox can't prepare the environment {name}:\n{done.tail}",
            expected=f"an environment [testenv:{name}] whose packages can be installed",
            do="Look at its name and its deps in tox.ini.",
        )

    def _must_be_readable(self, done: Result) -> None:
        """Raise CheckFailed when tox stopped at how tox.ini is written."""
        expected = "a tox.ini that tox can read"
        lines = (self._folder / "tox.ini").read_text("utf-8", "replace").splitlines()
        if found := _UNREADABLE.search(done.out):
            remedy = f"Mend line {found[1]} of tox.ini."
            if "no section headers" in found[0]:
                remedy += " Above the first setting stands the name of its section, in brackets."
            raise CheckFailed(
                seen=f"tox can't read tox.ini:\n{done.tail}", expected=expected, do=remedy
            )
        for number, line in enumerate(lines, 1):
            for reference, section in _REFERENCE.findall(line.partition("#")[0]):
                expect(
                    f"[{section}]" in map(str.strip, lines),
                    seen=f"tox can't read line {number} of tox.ini, {reference}:\n{done.tail}",
                    expected=expected,
                    do=f"There is no section [{section}] in tox.ini. Write it, or name another.",
                )

    def _must_be_there(self) -> None:
        expect(
            (self._folder / "tox.ini").is_file(),
            seen="there is no tox.ini",
            expected="a file tox.ini that says how the project is tested",
            do="Write tox.ini, beside manage.py.",
        )

    def _find(self) -> Path:
        """Where the environments are: the same place for the same content."""
        if _PACKAGE.intersection(self._names):
            return self._folder / ".tox"
        digest = hashlib.sha256("\0".join((sys.version, sys.base_exec_prefix)).encode())
        for name in sorted(self._names):
            if PurePosixPath(name).suffix in _MADE_FROM:
                data = (self._folder / name).read_bytes()
                digest.update(b"\0%s\0%d\0" % (os.fsencode(name), len(data)) + data)
        return (self._home or paths.home()) / "tox" / digest.hexdigest()[:16]

    def _tox(self, *words: str, env: Mapping[str, str], of: str = "") -> Result:
        self._must_be_there()
        words = (*words, "--workdir", str(self._place))
        if words[0] == "run":  # a seed of Python's own choice is as good as one of tox's
            words = (*words, "--hashseed", "notset")
        code, out = self._ended(words, {**self._variables, **env}, of)
        # Where the copy is helps nobody, and where its environments are neither.
        said = texts.tail(_OF_TOX.sub("", out), self._folder)
        for place in (str(self._place), os.path.relpath(self._place, self._folder)):
            said = said.replace(place, ".tox")  # pytest writes the second one
        return Result(
            code, out, said.replace(f"{self._folder}/", "").replace(str(self._folder), ".")
        )

    def _ended(self, words: Sequence[str], env: Mapping[str, str], of: str) -> tuple[int, str]:
        """Run tox to its end. Returns the exit code, and all that was written, errors first: it
        passes on the words of others, and mixes them as chance has it."""
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as errors,
            Path(os.devnull).open("rb") as nothing,
        ):
            with self._guard:
                if self._closed:
                    raise CancelledError
                process = processes.start(
                    self._argv(words, of), cwd=self._folder, env=env, stdin=nothing.fileno(),
                    output=out, errors=errors, stem=self._stem(sys.executable, _TOX_IMPORTS),
                )  # fmt: skip
                self._running.append(process)
            try:
                code = process.wait(_PATIENCE)
            except subprocess.TimeoutExpired as error:
                raise CheckFailed(
                    seen=f"`tox {words[0]}` did not end within {_PATIENCE:.0f} seconds",
                    expected="an end",
                    do="Run it yourself, and look what it waits for.",
                ) from error
            finally:
                with self._guard:
                    if process.poll() is None:
                        processes.end_all([process])
                    self._running.remove(process)
            said = b""
            for file in (errors, out):
                file.seek(0)
                said += file.read()
        return code, said.decode(errors="replace").replace("\r\n", "\n")

    def _argv(self, words: Sequence[str], of: str) -> list[str]:
        if self._warmth is None:
            # without the project's folder among the places that tox imports from
            return [sys.executable, "-P", "-m", "tox", *words]
        python = self._place / of / "bin" / "python"
        modules = self._warmth.modules + self._warmth.test_modules
        stem = self._stem(python, modules) if of and python.exists() else None
        return [sys.executable, str(_TOXED), str(python.parent), str(stem or ""), *words]

    def _stem(self, python: str | Path, modules: Sequence[str]) -> Path | None:
        if self._warmth is None:
            return None
        env = {**self._variables, "PYTHONIOENCODING": "utf-8"}  # as tox starts everything
        return processes.stem(self._warmth, Path(python), self._folder, env, modules)


def _forget(kept: Path) -> None:
    """Remove the environments that nobody has asked for in a long time."""
    with contextlib.suppress(OSError):
        for each in kept.iterdir():
            if each.stat().st_mtime < time.time() - _UNUSED:
                shutil.rmtree(each, ignore_errors=True)
