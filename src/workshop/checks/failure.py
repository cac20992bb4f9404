"""How a check says no: what was seen, what was expected, and what to do next."""

from __future__ import annotations


class CheckFailed(AssertionError):  # noqa: N818  it is a verdict on the project, no error of ours
    """A project is not as a check wants it. The three texts are for the learner."""

    def __init__(self, *, seen: str, expected: str, do: str) -> None:
        super().__init__(f"seen: {seen}\nexpected: {expected}\ndo: {do}")
        self.seen = seen
        self.expected = expected
        self.do = do


def expect(ok: object, *, seen: str, expected: str, do: str) -> None:
    """Raise CheckFailed with these texts unless `ok` is true."""
    if not ok:
        raise CheckFailed(seen=seen, expected=expected, do=do)
