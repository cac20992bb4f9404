"""Checks: pytest tests that judge a project as a black box, and the words they are written in."""

from workshop.checks.failure import CheckFailed, expect

__all__ = ["CheckFailed", "expect"]
