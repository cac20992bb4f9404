"""Runs a command for a check, and gives it up when it never ends."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workshop.checks import words
from workshop.checks.failure import CheckFailed


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended (0 is good), all that it wrote, and its last words."""

    code: int
    out: str
    tail: str


def stand_in(folder: Path, program: str, *words: str) -> None:
    """Put a program of this name into a folder: it is these words, and behind them its own."""
    file = folder / program
    file.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', "utf-8", newline="\n")
    file.chmod(0o755)


def run(
    command: Sequence[str],
    *,
    shown: str,
    cwd: Path,
    env: Mapping[str, str],
    patience: float,
    errors_first: bool = False,
) -> Result:
    """Run `command`, which a person knows as `shown`, with no variables but `env`.

    A program that passes on the words of another mixes them as chance has it. With
    `errors_first`, what it wrote to stderr stands in front.

    Raises CheckFailed when it has not ended after `patience` seconds.
    """
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if errors_first else subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CheckFailed(
            seen=f"{shown} did not end within {patience:.0f} seconds",
            expected="an end",
            do="Run it yourself, and look what it waits for.",
        ) from error
    out = (done.stderr or "") + done.stdout
    return Result(done.returncode, out, words.tail(out, cwd))
