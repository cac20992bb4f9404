"""Finding an environment that is there, against making an empty one."""

from __future__ import annotations

import shutil
from pathlib import Path

import uv

from benchmarks import demo
from benchmarks.measure import Bench, Result, Row, Subject, Target, medians, python, run, seconds

_FOUND = Target("to find the environment of these requirements", "`uv venv`, an empty one", 0.2)
# In a process that has started, as it is when a check or a deploy comes to it; its first call.
_CODE = """\
import pathlib, sys, time
from workshop import environments
file = pathlib.Path(sys.argv[1])
began = time.perf_counter()
found = environments.ensure([file], extra=[environments.SERVER])
print(time.perf_counter() - began, found.made)
"""


def measure(bench: Bench) -> Result:
    """Ask for the demo project's environment again and again."""
    file = demo.clone(bench.scratch) / "requirements.txt"
    folder = bench.scratch / "empty"
    _find(file)  # makes it

    def ours() -> float:
        took, made = _find(file)
        if made:
            raise RuntimeError("it was made again, and should have been found")
        return took

    def theirs() -> float:
        shutil.rmtree(folder, ignore_errors=True)
        return seconds(
            [uv.find_uv_bin(), "venv", "--quiet", "--python", python(), folder],
            cwd=bench.scratch,
        )

    rounds = 3 * bench.runs
    return Result((Row(_FOUND, *medians(rounds, ours, theirs)),), rounds=rounds)


def _find(file: Path) -> tuple[float, bool]:
    took, made = run([python(), "-c", _CODE, file], cwd=file.parent).split()
    return float(took), made == "True"


SUBJECT = Subject(
    "environments",
    "Environments",
    "An environment is made once for each content of the requirement files. Then it is found.",
    (_FOUND,),
    measure,
)
