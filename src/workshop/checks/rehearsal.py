"""A file of checks that proves nothing: with it, a process warms up before it has to judge."""


def test_rehearsal() -> None:
    """Everything is in its place."""
