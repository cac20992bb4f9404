"""Verdicts, findings and trials as JSON, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from workshop.model import plain

if TYPE_CHECKING:
    from workshop.gates.result import Result
    from workshop.model import Finding, Verdict
    from workshop.trial import Trial


def listing(values: Iterable[Verdict | Trial | Finding | Result], **more: str) -> str:
    """The values as a JSON list of objects, their fields as they are called in the code, after
    those that are the same for `more` than one. In ASCII: whatever the code page, it is JSON."""
    objects = [cast("dict[str, object]", plain(each)) for each in values]
    return json.dumps([{**more, **each} for each in objects], indent=2)
