"""A learner who does only what the pages say: one shell, one home, every command in order.

It reads no mind and no source: it types what stands behind a prompt, writes the files that are
shown, and applies the diffs. Its clock for commits is fixed, so that its commits have the same
hashes on every machine; nothing else is pretended.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from workshop import browser, containers, kubectl, paths
from workshop.errors import WorkshopError
from workshop.transcript import Entry

NAME, EMAIL = "Ada Learner", "ada@example.org"
PROJECT = "demo"  # the folder of the project, as the lessons have it
HOME = "/home/ada"  # how the robot's home is called in what readers see
PATIENCE = 600.0  # seconds until a command is given up
# Its first commit: 2026-01-01 09:00 UTC; then one a minute. A command more, or one that can't be
# run here, changes no hash: the clock goes on with the commits alone.
_CLOCK = (
    'export GIT_AUTHOR_DATE="$((1767258000 + 60 * '
    '$(git rev-list --count HEAD 2>/dev/null || echo 0))) +0000"; '
    'export GIT_COMMITTER_DATE="$GIT_AUTHOR_DATE"'
)
_PORTS = (8000, 8001, 8002)  # what a reader finds free, in the order in which they are taken
# A deploy tells who was not given the first one. A reader finds that one free.
_TAKEN = re.compile(r"(?m)^  port +\d+ is taken, .*\n")
_URL = re.compile(r"(?<=http://127\.0\.0\.1:)(\d+)")
_NAMESPACE = re.compile(rf"\bnamespace {PROJECT}\b")  # in a cluster, which may be shared
# What a program says that nobody has typed, such as a pipeline: it calls this kubectl.
_PLACES = ("development", "integration", "production")
_KUBECTL = """\
#!/bin/sh
for word do
  shift
  case $word in {shown}) word={real}-${{word#{project}-}};; esac
  set -- "$@" "$word"
done
exec '{program}' "$@"
"""
_OVER = re.compile(r"(?m)^.*\r(?=[^\r\n])")  # a progress, with one carriage return after another
_END = "\1"
# What a learner's shell has. Everything else of this process stays away from it.
_KEPT = (
    "PYTHONPATH",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "DOCKER_HOST",
    "KUBECONFIG",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_CONFIG_FILE",
)


class Robot:
    """A learner in a home of their own. Use it as a context: at the end, nothing runs any more."""

    def __init__(self, home: Path, course: Path) -> None:
        self.home = home
        self._course = course.resolve()
        self._ports: dict[str, str] = {}  # what was really taken, and what a reader sees
        self._group = containers.Group(f"workshop-{home.name.lower()}", home / PROJECT)
        self._namespace = self._group.name.replace("_", "0")
        self._in_cluster = False
        self._programs = home / ".programs"
        self._write_kubectl()
        (home / ".gitconfig").write_text(
            f"[user]\n\tname = {NAME}\n\temail = {EMAIL}\n[init]\n\tdefaultBranch = main\n"
            "[advice]\n\tdetachedHead = false\n",
            encoding="utf-8",
        )
        self._shell = subprocess.Popen(
            ["/bin/sh"],
            cwd=home,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # what it started is ended with it
        )

    def type(self, command: str) -> Entry:
        """Type one command, and wait for its end. Raises WorkshopError when it never ends."""
        said = self._ask(
            f"{_CLOCK}\n{{ {self._real(command)}\n}} </dev/null\nprintf '{_END}%d{_END}' \"$?\"\n",
            command,
        )
        output, code, _ = said.split(_END)
        return Entry(command, self._shown(output), int(code))

    def browse(self, url: str, actions: Sequence[browser.Action]) -> Entry:
        """Open a page, and do this there; what is seen comes back. Exit code 1 when it can't."""
        command = browser.command(url, actions)
        try:
            seen, code = browser.see(self._real(url), actions, self.home), 0
        except WorkshopError as error:
            seen, code = f"{error.fact}\n", 1
        return Entry(command, self._shown(seen), code)

    def write(self, path: str, text: str) -> None:
        """Write a file, as in an editor: folders that are missing are made."""
        file = self.here / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")

    def apply(self, diff: str) -> None:
        """Make the edits of a diff, unless they are made already. Raises WorkshopError."""
        for words in (("--check", "--reverse"), ()):
            done = self._git("apply", *words, "-", stdin=diff)
            if done.returncode == 0:
                return
        raise WorkshopError(
            f"the diff does not fit: {done.stderr.strip()}",
            "Show what leads from the start to the stage, in this order.",
        )

    def tree(self) -> str:
        """What is committed, as `git ls-tree -r HEAD` says it: modes, hashes, names."""
        return self._git("ls-tree", "-r", "HEAD").stdout

    def unsaved(self) -> str:
        """What is not committed, as `git status --short` says it."""
        return self._git("status", "--short").stdout

    @property
    def here(self) -> Path:
        """The folder that its shell is in."""
        return Path(self._ask(f"printf '%s{_END}' \"$PWD\"\n", "pwd").rstrip(_END))

    def close(self) -> None:
        """End what its commands started, and its shell."""
        with contextlib.suppress(WorkshopError, OSError):
            for project in sorted(self.home.glob("*/.git")):
                subprocess.run(
                    [sys.executable, "-m", "workshop", "production", "down"],
                    cwd=project.parent,
                    env=self._environment(),
                    capture_output=True,
                    check=False,
                )
        if any(self._group.folder.glob("*compose*.y*ml")):
            self._group.down()
        if self._in_cluster:
            names = (self._namespace, *(f"{self._namespace}-{each}" for each in _PLACES))
            kubectl.run("delete", "namespace", *names, "--ignore-not-found", "--wait=false")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.wait()
        for stream in (self._shell.stdin, self._shell.stdout):
            if stream is not None:
                stream.close()

    def _ask(self, script: str, command: str) -> str:
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        ends = script.count(_END)
        try:
            self._shell.stdin.write(script.encode())
            self._shell.stdin.flush()
        except BrokenPipeError as error:
            raise self._stuck(command, "the shell has ended") from error
        said, give_up = b"", time.monotonic() + PATIENCE
        while said.count(_END.encode()) < ends:
            left = give_up - time.monotonic()
            if left <= 0 or not select.select([self._shell.stdout], [], [], left)[0]:
                raise self._stuck(command, f"it did not end within {PATIENCE:.0f} seconds")
            chunk = os.read(self._shell.stdout.fileno(), 65536)
            if not chunk:
                raise self._stuck(command, "it ended the shell")
            said += chunk
        return said.decode(errors="replace")

    def _stuck(self, command: str, why: str) -> WorkshopError:
        return WorkshopError(f"`{command}`: {why}", "Show a command that ends by itself.")

    def _git(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *words], cwd=self.here, env=self._environment(), input=stdin,
            capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        commands = str(Path(sys.executable).parent)
        return {name: os.environ[name] for name in _KEPT if name in os.environ} | {
            "HOME": str(self.home),
            "PATH": os.pathsep.join(
                [str(self._programs), commands, os.environ.get("PATH", os.defpath)]
            ),
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "80",
            "WORKSHOP_HOME": str(self.home / ".local" / "state" / "workshop"),
            "WORKSHOP_COURSE": str(self._course),
            # A person's own containers may have the lessons' name: ours have another one.
            "COMPOSE_PROJECT_NAME": self._group.name,
            "DOCKER_CONFIG": os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker"),
            "UV_CACHE_DIR": _uv_cache(),  # what this machine has fetched once stays fetched
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _write_kubectl(self) -> None:
        """A kubectl that leads to namespaces of our own: the cluster may be shared."""
        self._programs.mkdir()
        if program := shutil.which("kubectl"):
            shown = "|".join(f"{PROJECT}-{place}" for place in _PLACES)
            file = self._programs / "kubectl"
            file.write_text(
                _KUBECTL.format(
                    shown=shown, real=self._namespace, project=PROJECT, program=program
                ),
                "utf-8", newline="\n",
            )  # fmt: skip
            file.chmod(0o755)

    def _real(self, command: str) -> str:
        """The command with the ports, the network of Compose and the namespace that were really
        taken."""
        command = command.replace(f"{PROJECT}_default", f"{self._group.name}_default")
        command, count = _NAMESPACE.subn(f"namespace {self._namespace}", command)
        self._in_cluster = self._in_cluster or count > 0
        taken = {shown: real for real, shown in self._ports.items()}
        return _URL.sub(lambda match: taken.get(match[0], match[0]), command)

    def _shown(self, output: str) -> str:
        """The output as a reader sees it: their ports, their home, no line end but a line feed. Of
        a line that was written over, they see what came last."""
        for port in _URL.findall(output):
            if port not in self._ports and len(self._ports) < len(_PORTS):
                self._ports[port] = str(_PORTS[len(self._ports)])
        output = _URL.sub(lambda match: self._ports.get(match[0], match[0]), output)
        output = output.replace(self._group.name, PROJECT).replace(self._namespace, PROJECT)
        own, readers = (paths.project_key(Path(each, PROJECT)) for each in (self.home, HOME))
        output = output.replace(own, readers)
        output = output.replace(str(self.home), HOME).replace("\r\n", "\n")
        output = _OVER.sub("", output)
        output = _TAKEN.sub("", output)
        lines = [line.rstrip() for line in output.split("\n")]
        return "\n".join(lines if not lines[-1] else [*lines, ""])


@contextlib.contextmanager
def robot(course: Path) -> Iterator[Robot]:
    """A robot in a new, empty home, which is gone afterwards. It takes the course in `course`."""
    home = Path(tempfile.mkdtemp(prefix="workshop-robot-")).resolve()
    home.chmod(0o755)  # when we are root, PostgreSQL runs as somebody else
    learner = Robot(home, course)
    try:
        yield learner
    finally:
        learner.close()
        from workshop.production.release import discard

        discard(home)


@functools.cache
def _uv_cache() -> str:
    import uv

    command = [uv.find_uv_bin(), "cache", "dir"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
