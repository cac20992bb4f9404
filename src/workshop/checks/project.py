"""The learner's project as a black box: its files, its commands, its server."""

from __future__ import annotations

import contextlib
import difflib
import fnmatch
import functools
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from workshop import environments, git
from workshop.checks import near, processes, words
from workshop.checks.commands import Result
from workshop.checks.copied import Copy, Trials
from workshop.checks.database import Database
from workshop.checks.failure import CheckFailed, expect
from workshop.checks.mistakes import Mistake
from workshop.checks.server import Server
from workshop.checks.site import Site
from workshop.errors import WorkshopError
from workshop.model import Platform

_PATIENCE = 60.0  # seconds until a command is given up
_DATABASE = "DATABASE_URL"
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")


class Config(dict[str, str]):
    """Environment variables, by name."""

    def without(self, *names: str) -> Config:
        """The same, but for these."""
        return Config({name: value for name, value in self.items() if name not in names})

    def __or__(self, other: Mapping[str, str]) -> Config:  # type: ignore[override]
        return Config({**self, **other})


class Project:
    """The vocabulary of checks. Every method that can't do its work raises CheckFailed: what is
    missing, in the learner's words."""

    def __init__(
        self,
        path: Path,
        platform: Platform,
        *,
        database: Callable[[], Database],
        home: Path | None = None,
        keep: Sequence[str] = (),
        warmth: processes.Warmth | None = None,
    ) -> None:
        self.path = path.resolve()
        self._platform = platform
        self._database = database
        self._home = home
        self._keep = keep
        self._warmth = warmth
        self._key = secrets.token_urlsafe(40)
        self._folder = warmth.fresh() if warmth else Path(tempfile.mkdtemp(prefix="workshop-"))
        self._servers: dict[frozenset[tuple[str, str]], Server] = {}
        self._released: dict[str, Result] = {}

    # What is there

    def exists(self, name: str) -> bool:
        """Whether there is such a file or folder, relative to the project's own."""
        return (self.path / name).exists()

    def read(self, name: str) -> str:
        """The text of a file."""
        near.must_be_there(self.path, name)
        return (self.path / name).read_text(encoding="utf-8", errors="replace")

    def find(self, pattern: str) -> tuple[str, ...]:
        """The files beside manage.py whose names match, in any case: `README*`."""
        names = sorted(entry.name for entry in self.path.iterdir() if entry.is_file())
        return tuple(name for name in names if fnmatch.fnmatch(name.lower(), pattern.lower()))

    def requirements(self, name: str = "") -> tuple[str, ...]:
        """Each requirement in a file and what it includes, one a line, in their order: of what
        production installs, when it has no name."""
        if name:
            self.read(name)
        lines: list[str] = []
        for _, data in environments.contents([self.path / name if name else self._requirements()]):
            text = re.sub(r"\\\r?\n\s*", "", data.decode(errors="replace"))
            lines += [line.partition(" #")[0].strip() for line in text.splitlines()]
        return tuple(line for line in lines if line and line[0] not in "#-")

    def pinned(self, requirement: str) -> str:
        """The requirement in the exact version that is installed for it; empty when unknown."""
        name = re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]
        code = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
        done = self.run("python", "-c", code, name, env={})
        return f"{name}=={done.out.strip()}" if done.code == 0 else ""

    def recompiled(self, source: str, pins: str) -> tuple[str, ...]:
        """What the requirements in `source` come to, for every platform and with every hash. The
        versions in `pins` stay, while they will do."""
        self.read(source)
        self.read(pins)
        try:
            text = environments.compiled(self.path / source, self.path / pins)
        except WorkshopError as error:
            raise CheckFailed(
                seen=f"{source} can't be compiled: {error.fact}",
                expected="requirements that go together", do=error.remedy,
            ) from error  # fmt: skip
        return tuple(re.sub(r"\\\n\s*", "", text).splitlines())

    def refused(self, requirements: str) -> str:
        """Why these requirements are not installed; empty when they are."""
        file = self._folder / "requirements.txt"
        file.write_text(requirements, encoding="utf-8")
        try:
            environments.ensure([file], home=self._home)
        except WorkshopError as error:
            return error.fact
        return ""

    def executable(self, name: str) -> bool:
        """Whether the file can be started by its name, here or in a clone: by its mode on the disk,
        or in git's index. Where files have no modes, every one can."""
        if os.name == "nt" or os.access(self.path / name, os.X_OK):
            return True
        return git.text("ls-files", "-s", "--", name, cwd=self.path).startswith("100755 ")

    def ignores(self, name: str) -> bool:
        """Whether git leaves this path alone because the project says so."""
        try:
            git.run("check-ignore", "--quiet", "--no-index", name, cwd=self.path)
        except git.GitError:
            return False
        return True

    def tracked(self, pattern: str) -> tuple[str, ...]:
        """The files in git's index whose names match: `*.pyc`."""
        return tuple(git.text("ls-files", "--", pattern, cwd=self.path).splitlines())

    @functools.cached_property
    def files(self) -> tuple[str, ...]:
        """All files that are the project's, in git already or not: what it ignores is none."""
        words = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        found = git.text(*words, cwd=self.path).split("\0")
        return tuple(sorted(each for each in set(found) if each and self.exists(each)))

    # What it does

    @property
    def config(self) -> Config:
        """Variables that are good enough to start it: what production would give."""
        config = Config(SECRET_KEY=self._key, ALLOWED_HOSTS="127.0.0.1,localhost")
        if self._wants_database:
            config[_DATABASE] = self._database().url
        return config

    def run(self, *argv: str, env: Mapping[str, str] | None = None) -> Result:
        """Run a command in the project's folder, in an environment made from its requirements.

        It sees no variables but `env` (`config` when None) and what a program needs to start.
        """
        variables = self._variables(self.config if env is None else env)
        program = shutil.which(argv[0], path=variables["PATH"])
        shown = f"`{' '.join(argv[1:] if argv[1:2] == ('manage.py',) else argv)}`"
        expect(
            program,
            seen=f"there is no command {argv[0]}",
            expected=f"{shown} runs",
            do=f"Install {argv[0]}, or name its package in the requirements.",
        )
        try:
            code, out = self._run([str(program), *argv[1:]], variables)
        except subprocess.TimeoutExpired as error:
            raise CheckFailed(
                seen=f"{shown} did not end within {_PATIENCE:.0f} seconds",
                expected="an end",
                do="Run it yourself, and look what it waits for.",
            ) from error
        return Result(code, out, self._told(out, _name(argv)))

    def manage(self, *args: str, env: Mapping[str, str] | None = None) -> Result:
        """Run `manage.py` with these arguments."""
        self._script("manage.py")
        return self.run("python", "manage.py", *args, env=env)

    @functools.cached_property
    def copy(self) -> Copy:
        """A copy that may be broken, the same one for all checks of a file."""
        return self._copy("copy")

    def trials(
        self, name: str, envs: Sequence[Mapping[str, str]], ahead: Iterable[Mistake] = ()
    ) -> Trials:
        """The tests in the tox environment `name`, on copies that may be broken: one for each of
        `envs`, the variables that its tests get. Who asks closes it."""
        copies = [(self._copy(f"copy-{number}"), env) for number, env in enumerate(envs, 1)]
        return Trials(name, copies, ahead)

    def _copy(self, name: str) -> Copy:
        return Copy(
            self.path, self._folder / name, self._variables({}), home=self._home,
            warmth=self._warmth,
        )  # fmt: skip

    def release(self, database: Database) -> Result:
        """Run what production runs before a release is served, once for each database."""
        if database.url not in self._released:
            script, *args = self._platform.release
            self._script(script)
            env = self.config | {_DATABASE: database.url}
            self._released[database.url] = self.run("python", script, *args, env=env)
        return self._released[database.url]

    @contextlib.contextmanager
    def serve(
        self, env: Mapping[str, str] | None = None, *, database: Database | None = None
    ) -> Iterator[Site]:
        """The project, served as in production, with `env` (`config` when None).

        A `database` is made ready first, as production does. The same configuration is served by
        the same process until the check's file ends.
        """
        config = Config(self.config if env is None else env)
        if database is None and self._wants_database and _DATABASE in config:
            default = self._database()
            database = default if config[_DATABASE] == default.url else None
        if database is not None:
            config[_DATABASE] = database.url
            self._must_release(database)
        server = self._server(config)
        if not server.port:
            module, _, name = self._platform.wsgi.partition(":")
            file = module.replace(".", "/") + ".py"
            said = self._said(server)
            raise CheckFailed(
                seen=f"the server did not start. Its last words:\n{said}",
                expected=f"a server for {self._platform.wsgi}, as in production",
                do=self._package_missing(said)
                or f"Mend what they say. The server looks for `{name}` in {file}.",
            )
        yield Site(
            server.port, config, self.path,
            lambda path, headers: self._explained(config, path, headers),
        )  # fmt: skip

    def refusal(self, env: Mapping[str, str]) -> str:
        """The last words of a server that refused to start with `env`; empty if it did start."""
        server = self._server(env)
        return "" if server.port else self._said(server) or "it ended without a word"

    def close(self) -> None:
        """End its servers, and remove what they left."""
        for server in self._servers.values():
            server.stop()
        self._servers.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    # How

    def _run(self, command: list[str], env: Mapping[str, str]) -> tuple[int, str]:
        """Run to the end. Returns the exit code, and all that was written."""
        own = Path(command[0]).parent == self._environment.python.parent
        stem = self._stem if own and Path(command[0]).name.startswith("python") else None
        with tempfile.TemporaryFile() as out, Path(os.devnull).open("rb") as nothing:
            process = processes.start(
                command, cwd=self.path, env=env, stdin=nothing.fileno(), output=out, stem=stem
            )
            try:
                code = process.wait(_PATIENCE)
            except BaseException:
                processes.end_all([process])
                raise
            out.seek(0)
            said = out.read().decode(errors="replace").replace("\r\n", "\n")
        return code, said

    @functools.cached_property
    def _stem(self) -> Path | None:
        return processes.stem(
            self._warmth, self._environment.python, self.path, self._variables({})
        )

    def _explained(self, config: Config, path: str, headers: Mapping[str, str]) -> str:
        """What the same project says to programmers of an error at `path`; empty when it says
        nothing. A second server tells, since nobody wants DEBUG where it is served."""
        server = self._server(config | {"DEBUG": "True"})
        if not server.port:
            return ""
        try:
            return Site(server.port, config, self.path).get(path, headers).cause
        except CheckFailed:
            return ""

    def _server(self, env: Mapping[str, str]) -> Server:
        key = frozenset(env.items())
        known = self._servers.get(key)
        if known is None or (known.port and not known.running):
            log = self._folder / f"server-{len(self._servers)}.log"
            self._servers[key] = Server(
                self._environment.python,
                self._platform.wsgi,
                project=self.path,
                env=self._variables(env),
                log=log,
                stem=self._stem,
            )
        return self._servers[key]

    def _script(self, name: str) -> None:
        """Python runs an empty file without a word, and all seems to be well."""
        expect(
            self.read(name).strip(),
            seen=f"{name} is empty",
            expected=f"a program in {name}",
            do=f"Write {name}.",
        )

    def _said(self, server: Server) -> str:
        return self._told(server.output, "server")

    def _told(self, output: str, name: str) -> str:
        """The last words of `output`. What is longer goes to a file, too, which is named first: the
        last line stays the last one, and that is what people are told to mend."""
        last = words.tail(output, self.path)
        if len(output.strip().splitlines()) <= len(last.splitlines()):
            return last
        safe = re.sub(r"[^\w.-]+", "-", name)
        file = self.path / ".git" / "workshop" / "output" / f"{safe}.txt"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(output, encoding="utf-8")
        except OSError:  # no repository, or not ours
            return last
        return f"(all of it: {file.relative_to(self.path).as_posix()})\n{last}"

    def _must_release(self, database: Database) -> None:
        done = self.release(database)
        command = " ".join(self._platform.release)
        expect(
            done.code == 0,
            seen=f"`{command}` failed:\n{done.tail}",
            expected="it succeeds: production runs it before it serves a release",
            do=self._package_missing(done.tail) or "Mend what the last line above says.",
        )

    def _package_missing(self, said: str) -> str:
        """What to do when a program's last words name a module that is none of the project's own;
        empty when they don't."""
        found = _NO_MODULE.search(said)
        module = found[1].partition(".")[0] if found else ""
        own = {self._platform.wsgi.partition(".")[0], *(each.stem for each in self.path.iterdir())}
        if not module or difflib.get_close_matches(module, own, n=1, cutoff=0.8):
            return ""
        file = self._requirements().relative_to(self.path).as_posix()
        return (
            f"A package is missing in {file}: the one that `{module}` comes from."
            " Its name may differ from the module's."
        )

    def _variables(self, env: Mapping[str, str]) -> dict[str, str]:
        commands = str(self._environment.python.parent)
        kept = {name: os.environ[name] for name in self._keep if name in os.environ}
        home = self._folder / "home"
        home.mkdir(exist_ok=True)
        return {
            "PATH": os.pathsep.join([commands, os.environ.get("PATH", os.defpath)]),
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "PYTHONDONTWRITEBYTECODE": "1",  # a check leaves no traces in the project
            **kept,
            **env,
        }

    @functools.cached_property
    def _environment(self) -> environments.Environment:
        file = self._requirements()
        try:
            return environments.ensure([file], extra=[environments.SERVER], home=self._home)
        except WorkshopError as error:
            raise CheckFailed(
                seen=error.fact, expected=f"packages that can be installed from {file.name}",
                do=error.remedy,
            ) from error  # fmt: skip

    def _requirements(self) -> Path:
        names = self._platform.requirements
        for name in names:
            if (self.path / name).is_file():
                return self.path / name
        near.must_be_there(
            self.path,
            names[-1],
            "a file that names the packages that the project needs",
            f"Write {names[-1]}: a line for each package, with its version.",
        )
        return self.path / names[-1]

    @functools.cached_property
    def _wants_database(self) -> bool:
        """Whether the project's code mentions DATABASE_URL: then production gives it one."""
        for folder, folders, names in os.walk(self.path):
            folders[:] = [
                name for name in folders
                if not name.startswith(".") and not Path(folder, name, "pyvenv.cfg").exists()
            ]  # fmt: skip
            for name in names:
                if name.endswith(".py") and _DATABASE.encode() in Path(folder, name).read_bytes():
                    return True
        return False


def _name(argv: Sequence[str]) -> str:
    """How the file with all that a command says is called: a whole program is no name for it."""
    words = () if argv[1:2] == ("-c",) else argv[1:3]
    return "-".join(each for each in words if not each.startswith("-")) or argv[0]
