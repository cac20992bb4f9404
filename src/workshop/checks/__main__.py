"""Judge in a process of its own: `python -m workshop.checks --project DIR --course DIR FILE...`.

Writes each verdict as one line of JSON, as soon as it is there. Ends with 0 when none is red, 1
when one is, 3 when a check itself broke.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from workshop import course as courses
from workshop.checks import runner
from workshop.errors import WorkshopError
from workshop.model import Verdict


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, judge, print. Returns the exit code."""
    parser = argparse.ArgumentParser("python -m workshop.checks", description=__doc__)
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--course", type=Path, required=True)
    parser.add_argument("--home", type=Path)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    args = parser.parse_args(arguments)
    # Asked to end, it ends its servers first.
    signal.signal(signal.SIGTERM, _interrupt)
    out = sys.stdout

    def show(verdict: Verdict) -> None:
        print(json.dumps(verdict._asdict()), file=out, flush=True)

    try:
        course = courses.load(args.course)
        verdicts = runner.run(args.files, args.project, course, home=args.home, on_verdict=show)
    except WorkshopError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    outcomes = {verdict.outcome for verdict in verdicts}
    return 3 if "error" in outcomes else 1 if "red" in outcomes else 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
