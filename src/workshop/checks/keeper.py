"""The process that keeps things warm (see `warm.py`), for those who have something to judge."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from workshop.model import Verdict

WANTED_NO_MORE = 130  # the code of a judgement that was ended before it had judged
_PATIENCE = 30.0  # seconds in which it must have tidied up and ended


class Said(NamedTuple):
    """One thing that a judgement says.

    `run` is its number. Either `verdict`, one more; or `together`, the names of checks that one
    process had better judge; or `broken`, why the checks could not run; or `code`, how it ended: 0
    is good.
    """

    run: int
    verdict: Verdict | None = None
    broken: str = ""
    code: int | None = None
    together: tuple[str, ...] = ()


class Keeper:
    """A warm process. It judges one project at a time, and starts when this is made.

    `variables` are its environment; the one of this process, if None.
    """

    def __init__(self, course: Path, variables: Mapping[str, str] | None = None) -> None:
        self._runs = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "workshop.checks.warm", "--course", str(course)],
            env=None if variables is None else dict(variables),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for us: we end it in order
        )  # fmt: skip

    def ask(
        self,
        project: Path,
        tests: Sequence[Path],
        *,
        only: Sequence[str] = (),
        until_red: bool = False,
    ) -> int:
        """Begin a judgement (`only` and `until_red` as in `runner.run`), and end the one before.

        Returns its number. Raises OSError when the process is gone, ValueError when it was closed.
        """
        assert self._process.stdin is not None
        self._runs += 1
        words = {
            "run": self._runs, "project": str(project), "tests": [str(file) for file in tests],
            "only": list(only), "until_red": until_red,
        }  # fmt: skip
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return self._runs

    def stop(self) -> None:
        """End the judgement that runs, if one does. Raises OSError as `ask`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"stop": True}) + "\n")
        self._process.stdin.flush()

    def heard(self) -> Iterator[Said]:
        """What its judgements say, as they say it, until the process ends."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            words = json.loads(line)
            verdict = Verdict(**words["verdict"]) if "verdict" in words else None
            yield Said(
                words["run"], verdict, words.get("said", ""), words.get("code"),
                tuple(words.get("together", ())),
            )  # fmt: skip

    def verdicts(self, run: int) -> tuple[Verdict, ...] | None:
        """All that the judgement with this number says; None when it did not judge to its end.

        Checks that could not run to their end are one verdict, an error.
        """
        found: list[Verdict] = []
        broken = ""
        for said in self.heard():
            if said.run != run:
                continue
            if said.verdict is not None:
                found.append(said.verdict)
            elif said.broken:
                broken = said.broken
            elif said.code == WANTED_NO_MORE:
                return None
            elif said.code is not None:
                if said.code != 0:
                    broken = broken or f"the process of the checks ended with {said.code}"
                    found.append(Verdict("checks", "", "error", broken))
                return tuple(found)
        return None

    def close(self) -> int:
        """End it, and all that it keeps. Returns its exit code, 0 when it left nothing behind."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            return self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def release(self) -> None:
        """Let go of its output, once nobody listens any more."""
        assert self._process.stdout is not None
        self._process.stdout.close()
