"""tox as it is, but for the time that its commands need to start:
`python toxed.py BIN STEM WORD...`.

A command that is a Python program of the environment whose programs are in BIN starts from the stem
at the address STEM (see `stem.py`). All else, and whatever the stem refuses, starts as ever.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def main(programs: Path, stem: str, words: list[str]) -> None:
    """Run tox with these words, without a stem when it is empty. Raises SystemExit with tox's exit
    code."""
    from tox.execute import local_sub_process
    from tox.run import run

    plain = local_sub_process.Popen  # type: ignore[attr-defined]

    def start(command: Any, **how: Any) -> Any:
        argv = program(command, programs) if stem and how["stdin"] != subprocess.PIPE else []
        grown = _grown(Path(stem), argv, how) if argv else None
        return grown or plain(command, **how)

    local_sub_process.Popen = start  # type: ignore[assignment,attr-defined]
    run(words)


def program(command: Any, programs: Path) -> list[str]:
    """What Python is told when it runs this command: nothing when it is no Python program of this
    environment, or when Python itself has to know something."""
    if isinstance(command, str) or Path(command[0]).parent != programs:
        return []
    first, *rest = command
    if Path(first).name.startswith("python"):
        known = rest and (not rest[0].startswith("-") or (rest[0] in ("-m", "-c") and rest[1:]))
        return rest if known else []
    with Path(first).open("rb") as file:
        head = file.read(400)
    # a path that is too long for the first line stands in the second
    ours = head.startswith(b"#!") and os.fsencode(programs / "python") in head
    return [first, *rest] if ours else []


def _grown(stem: Path, argv: list[str], how: dict[str, Any]) -> _Popen | None:
    """The process, from the stem; None when it can't be."""
    from workshop.checks import processes

    env = dict(how["env"])
    encoding = env.pop("PYTHONIOENCODING", "utf-8")  # of all that Python reads first, tox sets this
    if processes.early(env) or encoding != "utf-8":
        return None
    ours: list[int] = []
    outs: list[int] = []
    for number, name in ((1, "stdout"), (2, "stderr")):
        end, out = os.pipe() if how[name] == subprocess.PIPE else (-1, os.dup(number))
        ours.append(end)
        outs.append(out)
    with Path(os.devnull).open("rb") as nothing:
        descriptors = (nothing.fileno(), outs[0], outs[1])
        grown = processes.grow(stem, argv, how["cwd"], how["env"], descriptors)
    for each in outs if grown else (*outs, *(end for end in ours if end >= 0)):
        os.close(each)
    return _Popen(grown, ours) if grown else None


class _Popen:
    """As much of `subprocess.Popen` as tox knows."""

    stdin = None

    def __init__(self, process: Any, ends: list[int]) -> None:
        self._process = process
        self.pid = process.pid
        self.returncode: int | None = None
        self.stdout, self.stderr = (
            os.fdopen(end, "rb", buffering=0) if end >= 0 else None for end in ends
        )

    def poll(self) -> int | None:
        self.returncode = self._process.poll()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        code: int = self._process.wait(timeout)
        self.returncode = code
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


if __name__ == "__main__":
    # This folder holds a module called `site`; what it is part of must be found instead.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
