"""No secret is in what we give away: not in the demo's whole history, and not in our own.

Both are looked through by the very code that looks through a learner's project.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from workshop import course, git, history
from workshop.checks import committed, spilled

ROOT = Path(__file__).parents[1]
# Here stand, on purpose, examples of how a secret is found.
_EXAMPLES = ("tests/",)


def found(repository: Path, *but: str) -> list[str]:
    return [
        f"{piece.path}:{each.line}: {each.what}, {piece.where}"
        for piece in committed.pieces(repository)
        if not piece.path.startswith(but)
        for each in spilled.look(piece.path, piece.data)
    ]


def test_no_stage_of_the_demo_has_or_ever_had_one(tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    tags = history.build(course.load(course.default_root()), demo)
    assert found(demo) == []
    # and it would be seen, if the first stage had one that the last has not
    git.run("checkout", "--quiet", tags[0].name, cwd=demo)
    (demo / ".env").write_text("SECRET_KEY=3f9a81c27be64d50a1\n", "utf-8")
    git.run("add", "--force", ".env", cwd=demo)
    who = ("-c", "user.name=x", "-c", "user.email=x@localhost")
    git.run(*who, "commit", "--quiet", "--message", "Leak", cwd=demo)
    git.run("branch", "leak", cwd=demo)
    git.run("checkout", "--quiet", tags[-1].name, cwd=demo)
    (seen,) = found(demo)
    assert seen.startswith(".env:1: the value of SECRET_KEY, in the commit ")


def test_our_own_history_has_none() -> None:
    if git.head(ROOT) is None:
        pytest.skip("this is no clone")
    if git.text("rev-parse", "--is-shallow-repository", cwd=ROOT) == "true":
        pytest.skip("this clone has not the whole history")
    assert found(ROOT, *_EXAMPLES) == []
