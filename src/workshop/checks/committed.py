"""All that a repository would give away: each object of its history, what is staged, and the files
that lie there and are not ignored.

Whoever clones it gets the first of these. Two more are one command away from that.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from workshop import git
from workshop.checks.failure import CheckFailed, expect

# All that a clone, a push or a stash could give away. The backups of `workshop goto` stay here.
_EVERY = ("--exclude=refs/workshop/*", "--all")
_SHOWN = 10  # characters of a commit's hash
_LINK = b"160000"  # the mode of a submodule: its commits are in another repository
_WHOLE = {"GIT_NO_REPLACE_OBJECTS": "1"}  # what `git replace` hides is pushed all the same


class Piece(NamedTuple):
    """A file's content under one of its names, and where that is; or what a commit or a tag says,
    without a name."""

    path: str
    where: str
    data: bytes


def pieces(project: Path) -> Iterator[Piece]:
    """Everything, what was committed first. Each content comes once for each of its names.

    Raises CheckFailed when the clone does not have its whole history.
    """
    try:
        shallow = git.text("rev-parse", "--is-shallow-repository", cwd=project) == "true"
    except git.GitError:
        raise CheckFailed(
            seen="the project is in no repository",
            expected="its whole history",
            do="git init, and commit what is there.",
        ) from None
    expect(
        not shallow,
        seen="this clone has only the last commits: what was committed before can't be seen here",
        expected="the whole history",
        do="git fetch --unshallow",
    )
    names = _named(project)
    for name, path in _staged(project):
        names.setdefault(name, {}).setdefault(path, "staged, and not committed yet")
    for each in git.contents(dict.fromkeys([*names, *_reachable(project)]), project):
        expect(
            each.kind != "missing",
            seen=f"the repository does not have its own object {each.name[:_SHOWN]}",
            expected="a whole repository: what can't be read can't be judged",
            do="git fsck tells what is missing. A fresh clone mends it.",
        )
        if each.kind in ("commit", "tag"):
            yield Piece("", f"in the message of the {each.kind} {each.name[:_SHOWN]}", each.data)
        elif each.kind == "blob":
            for path, where in names.get(each.name, {"": "behind a tag"}).items():
                yield Piece(path, where, each.data)
    # What is committed as it lies there was seen already, and is seen again.
    for path, data in _lying(project):
        yield Piece(path, "not committed yet", data)


def remotes(project: Path) -> Iterator[tuple[str, str]]:
    """The addresses in the repository's own configuration, each with the remote's name."""
    args = ("config", "--local", "-z", "--get-regexp", r"^remote\..*url$")
    for entry in git.run(*args, cwd=project, good=(0, 1)).split(b"\0"):
        key, _, url = entry.decode(errors="replace").partition("\n")
        if url:
            yield key.partition(".")[2].rpartition(".")[0], url


def _named(project: Path) -> dict[str, dict[str, str]]:
    """By the names of blobs: the paths that they have had, and in which commit each came."""
    order = ("rev-list", *_EVERY, "--topo-order", "--reverse")
    commits = git.run(*order, cwd=project, variables=_WHOLE)
    # Each merge is compared with all its parents: what came with the merge itself counts, too.
    args = ("diff-tree", "--stdin", "-m", "--root", "-r", "-z", "--raw", "--no-renames")
    out = git.run(*args, cwd=project, stdin=commits, variables=_WHOLE).split(b"\0")
    found: dict[str, dict[str, str]] = {}
    commit = ""
    entries = iter(out)
    for entry in entries:
        if not entry.startswith(b":"):
            commit = entry.decode().strip() or commit
            continue
        _, mode, _, blob, _ = entry.split(b" ")
        path = os.fsdecode(next(entries))
        if mode != _LINK and blob.strip(b"0"):
            where = f"in the commit {commit[:_SHOWN]}"
            found.setdefault(blob.decode(), {}).setdefault(path, where)
    return found


def _reachable(project: Path) -> Iterator[str]:
    out = git.run("rev-list", *_EVERY, "--objects", "--no-object-names", cwd=project,
                  variables=_WHOLE)  # fmt: skip
    yield from out.decode().split()


def _staged(project: Path) -> tuple[tuple[str, str], ...]:
    """What is in the index: blobs, and their paths."""
    found = []
    for entry in git.run("ls-files", "--stage", "-z", cwd=project).split(b"\0"):
        head, _, path = entry.partition(b"\t")
        if path and not head.startswith(_LINK):
            found.append((head.split(b" ")[1].decode(), os.fsdecode(path)))
    return tuple(found)


def _lying(project: Path) -> Iterator[tuple[str, bytes]]:
    """The files that are there, and that `git add --all` would take."""
    args = ("ls-files", "--cached", "--others", "--exclude-standard", "-z")
    # Their own ignore rules count, wherever they are kept.
    for name in dict.fromkeys(git.run(*args, cwd=project, sealed=False).split(b"\0")):
        file = project / os.fsdecode(name)
        if name and file.is_symlink():
            yield os.fsdecode(name), os.fsencode(os.readlink(file))  # noqa: PTH115  (untidied)
        elif name and file.is_file():
            yield os.fsdecode(name), file.read_bytes()
