"""`python -m benchmarks [SUBJECT...]`: measure, print, and write the tables into the docs."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import (
    build,
    check,
    cli,
    course,
    deploy,
    environments,
    lost,
    rollouts,
    tables,
    verify,
    watch,
    writing,
)
from benchmarks.measure import ROOT, Bench, Subject

SUBJECTS: tuple[Subject, ...] = tuple(
    module.SUBJECT
    for module in (
        build, cli, check, course, watch, environments, deploy, lost, rollouts, verify, writing,
    )
)  # fmt: skip
TABLES = ROOT / "docs" / "reference" / "benchmarks-tables.txt"
RUNS = 9


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure. Returns 0 when every target is met, 1 when one is missed."""
    names = [subject.name for subject in SUBJECTS]
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"of {', '.join(names)}")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"rounds (default: {RUNS})")
    parser.add_argument(
        "--quick", action="store_true", help="only a taste: less of everything, written nowhere"
    )
    args = parser.parse_args(arguments)
    unknown = set(args.subjects) - set(names)
    if unknown:
        parser.error(f"no such subject: {', '.join(sorted(unknown))}. There are {', '.join(names)}")
    if args.runs < 1:
        parser.error("--runs must be at least 1")
    runs = min(args.runs, 2) if args.quick else args.runs
    missed = 0
    for subject in SUBJECTS:
        if subject.name in (args.subjects or names):
            missed += _measure(subject, runs, args.quick)
    print(f"\n{missed} missed" if missed else "\nAll met.")
    return 1 if missed else 0


def _measure(subject: Subject, runs: int, quick: bool) -> int:
    """Measure one subject in a home of its own, and return how many targets it missed."""
    print(f"\n{subject.title}", flush=True)
    with tempfile.TemporaryDirectory(prefix="workshop-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)  # PostgreSQL, which never runs as root, must get through
        os.environ["WORKSHOP_HOME"] = str(scratch / "home")
        (scratch / "home").mkdir()
        result = subject.measure(Bench(runs, quick, scratch))
    if not result.rows:
        print(f"  {result.details}")  # and the docs keep what was measured elsewhere
        return 0
    for row in result.rows:
        what, _, limit, value, ours, theirs, met = tables.cells(row)
        print(f"  {value} (at most {limit}) {met.strip('*')}: {what} {ours} {theirs}".rstrip())
    if not quick:
        when = tables.Circumstances(
            datetime.datetime.now(datetime.UTC).date().isoformat(),
            platform.python_version(), os.cpu_count() or 1,
        )  # fmt: skip
        page = TABLES.read_text(encoding="utf-8") if TABLES.is_file() else ""
        page = tables.put(page, subject.name, tables.section(subject, result, when))
        TABLES.write_text(page, encoding="utf-8", newline="\n")
    return sum(not row.met for row in result.rows)


if __name__ == "__main__":
    sys.exit(main())
