"""Verdicts, findings and trials as JSON, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from workshop.model import plain

if TYPE_CHECKING:
    from workshop.gates.result import Result
    from workshop.model import Finding, Verdict
    from workshop.trial import Trial


def listing(values: Iterable[Verdict | Trial | Finding | Result]) -> str:
    """The values as a JSON list of objects, their fields as they are called in the code."""
    return json.dumps([plain(each) for each in values], indent=2, ensure_ascii=False)
