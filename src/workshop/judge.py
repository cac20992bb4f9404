"""Judges many projects, one after another, in one warm process (see `checks/warm.py`)."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workshop import git, history
from workshop.model import Course, Step, Verdict

_ENDED = 130  # somebody wanted it no more


class Judge:
    """A warm process, and a project of its own that it judges again and again."""

    def __init__(self, course: Course) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="workshop-"))
        self._project = self._folder / "demo"
        self._project.mkdir()
        git.run("init", "--quiet", "--template=", cwd=self._project)
        self._closed = threading.Lock()
        self._number = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "workshop.checks.warm", "--course", str(course.root)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for us: we end it in order
        )  # fmt: skip

    def verdicts(
        self, files: Mapping[str, history.File], step: Step, only: Sequence[str]
    ) -> tuple[Verdict, ...] | None:
        """What the checks of `step` say of a project with these files: `only` these, in their
        order (all, when empty), until one is red. None when the judge was closed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._number += 1
        words = {
            "run": self._number, "project": str(self._project), "only": only, "until_red": True,
            "tests": [str(file) for file in step.tests],
        }  # fmt: skip
        found: list[Verdict] = []
        with contextlib.suppress(OSError, ValueError):  # it was closed
            self._write(files)
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()
            for line in self._process.stdout:
                said: dict[str, Any] = json.loads(line)
                if "verdict" in said:
                    found.append(Verdict(**said["verdict"]))
                elif "said" in said:
                    found.append(Verdict("checks", "", "error", said["said"]))
                elif "code" in said:
                    return None if said["code"] == _ENDED else tuple(found)
        return None

    def _write(self, files: Mapping[str, history.File]) -> None:
        """Have these files in the project, and nothing else."""
        for entry in self._project.iterdir():
            if entry.name == ".git":
                shutil.rmtree(entry / "workshop", ignore_errors=True)
            elif entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        for name, file in files.items():
            target = self._project / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.data)
            target.chmod(0o755 if file.mode == "100755" else 0o644)

    def close(self) -> None:
        """End it, and all that it started. Does nothing the second time."""
        if not self._closed.acquire(blocking=False):
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)
