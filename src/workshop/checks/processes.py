"""How a check starts the project's programs: as new processes, or, warm, from a stem.

Both give the same process, but for the time until it has imported what every program imports.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple, Protocol

_STEM = Path(__file__).with_name("stem.py")
# Variables that Python reads before it runs anything: a stem has read its own.
_EARLY = "PYTHON"
_KNOWN_EARLY = {"PYTHONDONTWRITEBYTECODE"}


class Process(Protocol):
    """What a check needs of a process: `subprocess.Popen` has it."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Warmth(NamedTuple):
    """What stays warm between judgements: a folder for PostgreSQL, one for the sockets of stems,
    the descriptor that is closed at the end, what each of a project's programs imports, and what
    only its tests do."""

    folder: Path
    sockets: Path
    owner: int
    modules: tuple[str, ...]
    test_modules: tuple[str, ...] = ()

    def fresh(self) -> Path:
        """An empty folder for what one judgement writes. The next one finds it in the same place:
        a stem grows in a folder, and serves no other."""
        folder = self.sockets / "project"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder


def start(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: int,
    output: IO[bytes],
    errors: IO[bytes] | None = None,
    stem: Path | None = None,
) -> Process:
    """Start a Python program (`argv[0]` is the Python) that leads a session of its own.

    Its input comes from the descriptor `stdin`; all that it writes goes to `output`, but for its
    errors, when they have a place of their own.
    """
    if stem is not None and not early(env):
        outs = (output.fileno(), (errors or output).fileno())
        grown = grow(stem, argv[1:], cwd, env, (stdin, *outs))
        if grown is not None:
            return grown
    return subprocess.Popen(
        list(argv), cwd=cwd, env=dict(env), stdin=stdin, stdout=output,
        stderr=errors or subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is for the check, which then ends the process
    )  # fmt: skip


def early(env: Mapping[str, str]) -> bool:
    """Whether there is a variable that a stem would have had to know when it began."""
    return bool({name for name in env if name.startswith(_EARLY)} - _KNOWN_EARLY)


def stem(
    warmth: Warmth | None,
    python: Path,
    project: Path,
    env: Mapping[str, str],
    modules: Sequence[str] = (),
) -> Path | None:
    """The address of the stem for this project and this Python; None while it grows.

    It grows in the project's folder: there are modules that keep the folder they are imported in.
    It imports `modules`, or else what each of a project's programs does.
    """
    if warmth is None:
        return None
    key = hashlib.sha256(os.fsencode(python) + b"\0" + os.fsencode(project)).hexdigest()[:12]
    address = warmth.sockets / key
    if address.exists():
        return address
    mark = warmth.sockets / f"{key}.started"
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return None
    subprocess.Popen(
        [python, _STEM, address, str(warmth.owner), *(modules or warmth.modules)],
        cwd=project, env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, pass_fds=[warmth.owner], start_new_session=True,
    )  # fmt: skip
    return None


def grow(
    stem: Path,
    argv: Sequence[str],
    cwd: str | Path,
    env: Mapping[str, str],
    descriptors: tuple[int, int, int],
) -> Process | None:
    """Ask the stem for a process with these descriptors: input, output, errors. None when it is
    gone, or must not do it for this project."""
    call = socket.socket(socket.AF_UNIX)
    try:
        call.connect(str(stem))
        words = {"argv": list(argv), "cwd": str(cwd), "env": dict(env)}
        socket.send_fds(call, [json.dumps(words).encode() + b"\n"], list(descriptors))
        answer = _line(call)
    except OSError:
        answer = ""
    if answer.isdecimal():
        return _Grown(call, int(answer))
    call.close()
    return None


def _line(call: socket.socket) -> str:
    said = b""
    while not said.endswith(b"\n"):
        more = call.recv(1)
        if not more:
            break
        said += more
    return said.decode().rstrip("\n")


class _Grown:
    """A process from a stem, as `subprocess.Popen` shows one."""

    def __init__(self, call: socket.socket, pid: int) -> None:
        self.pid = pid
        self._call = call
        self._code: int | None = None

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        if self._code is None:
            self._call.settimeout(max(timeout, 1e-4) if timeout is not None else None)
            try:
                said = _line(self._call)
            except (TimeoutError, BlockingIOError) as error:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0) from error
            except OSError:
                said = ""
            self._call.close()
            self._code = int(said) if said else -signal.SIGKILL
        return self._code

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def kill(process: Process) -> None:
    """Have it end, with all that it started, at once. Somebody else waits for its end."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def end_all(processes: Sequence[Process], patience: float = 2.0) -> None:
    """End them, and all that they started, at once."""
    for each in processes:
        kill(each)
    deadline = time.monotonic() + patience
    for each in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            each.wait(max(0.0, deadline - time.monotonic()))
