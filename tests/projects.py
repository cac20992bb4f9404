"""Projects for the tests of moves: made file by file, with no process of git, and looked at whole.

A state is drawn by Hypothesis or written by hand; `make` writes it to the disk, `observe` reads
everything back that a move could lose.
"""

# Paths are bytes here, as git has them; pathlib knows only text.
# ruff: noqa: PTH101, PTH103, PTH108, PTH115, PTH118, PTH120, PTH123, PTH211

from __future__ import annotations

import hashlib
import os
import stat
import struct
import subprocess
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from workshop.model import Course, Platform, Step

FILE, EXECUTABLE, LINK, GITLINK = 0o100644, 0o100755, 0o120000, 0o160000
INTENT, SKIP = 0x2000, 0x4000  # flags of an index entry: `git add -N`, skip-worktree
ASSUME = 0x8000  # assume-unchanged, in the first flags


class Thing(NamedTuple):
    """A file or link: git's mode, its bytes, and the permission bits in the working tree."""

    data: bytes
    mode: int = FILE
    bits: int = 0o644
    flags: int = 0


@dataclass(frozen=True)  # the `index` of a named tuple is a method
class State:
    """A whole project. `branch` None: HEAD is detached; `head` None: nothing is committed."""

    head: Mapping[bytes, Thing] | None = None
    index: Mapping[bytes, Thing] | None = None
    files: Mapping[bytes, Thing] = field(default_factory=dict)
    branch: str | None = "main"
    folders: tuple[bytes, ...] = ()
    nested: tuple[bytes, ...] = ()
    done: str | None = None


@dataclass(frozen=True)
class Seen:
    """All of a project that counts."""

    files: dict[bytes, tuple[int, bytes]]
    folders: dict[bytes, int]
    index: bytes | None
    head: bytes
    branches: dict[str, str]
    progress: bytes | None


def course(root: Path) -> Course:
    """Three steps that add, change and remove files, and turn a folder into a file."""
    stages: list[dict[str, str]] = [
        {"app/main.py": "print(1)\n", "run.sh": "#!/bin/sh\n", "README.rst": "One\n"},
        {"app/main.py": "print(2)\n", "app/deep/x.py": "x = 2\n", ".gitignore": "*.log\nvenv/\n"},
        {"app/deep": "a file now\n", "README.rst": "Three\n"},
    ]
    removes = ((), ("run.sh",), ("app/deep/x.py",))
    steps = []
    for number, (files, gone) in enumerate(zip(stages, removes, strict=True), 1):
        solution = root / "solutions" / f"{number:02d}-step-{number}"
        for path, text in files.items():
            (solution / path).parent.mkdir(parents=True, exist_ok=True)
            (solution / path).write_text(text, encoding="utf-8", newline="\n")
        executable = ("run.sh",) if number == 1 else ()
        steps.append(
            Step(number, f"step-{number}", root / "steps" / solution.name, solution,
                 f"Step {number}", "Application", 5, "Step", gone, executable)
        )  # fmt: skip
    return Course(root, "Moves", Platform("", (), (), ""), tuple(steps))


HOOKS = ("reference-transaction", "post-index-change", "pre-commit", "post-commit",
         "post-checkout", "fsmonitor")  # fmt: skip
CONFIG = """[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
\tautocrlf = true
\tfsmonitor = .git/hooks/fsmonitor
\tsafecrlf = true
[commit]
\tgpgsign = true
[user]
\tname = A Learner
\temail = learner@example.org
[filter "bad"]
\tclean = touch .git/HOOKED; exit 1
\tsmudge = touch .git/HOOKED; exit 1
\trequired = true
"""


def make(folder: Path, state: State) -> Path:
    """Write the state to `folder`, hooks and a hostile configuration with it."""
    own = folder / ".git"
    for each in ("objects", "refs/heads", "workshop", "hooks"):
        (own / each).mkdir(parents=True)
    (own / "config").write_text(CONFIG)
    for hook in HOOKS:
        (own / "hooks" / hook).write_text("#!/bin/sh\ntouch .git/HOOKED\n")
        (own / "hooks" / hook).chmod(0o755)
    commit = None
    if state.head is not None:
        tree = _tree(own, state.head)
        commit = _object(
            own, b"commit",
            b"tree %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nMine\n" % tree.encode(),
        )  # fmt: skip
        (own / "refs" / "heads" / (state.branch or "main")).write_text(f"{commit}\n")
    if state.branch is None and commit is not None:
        (own / "HEAD").write_text(f"{commit}\n")
    else:
        (own / "HEAD").write_text(f"ref: refs/heads/{state.branch or 'main'}\n")
    if state.index is not None:
        (own / "index").write_bytes(_index(own, state.index))
    if state.done is not None:
        (own / "workshop" / "progress.json").write_text(state.done)
    top = os.fsencode(folder)
    for path in state.folders:
        _folder(top, path)
    for path, thing in state.files.items():
        target = os.path.join(top, path)
        _folder(top, os.path.dirname(path))
        if thing.mode == LINK:
            os.symlink(thing.data, target)
            continue
        with open(target, "wb") as file:
            file.write(thing.data)
        os.chmod(target, thing.bits)
    for path in state.nested:
        inner = folder / os.fsdecode(path)
        for each in (".git/objects", ".git/refs/heads"):
            (inner / each).mkdir(parents=True, exist_ok=True)
        (inner / ".git" / "HEAD").write_text("ref: refs/heads/inner\n")
        (inner / ".git" / "config").write_text("[core]\n\tbare = false\n")
        (inner / "precious.txt").write_text("inner work\n")
    return folder


def observe(folder: Path) -> Seen:
    """Everything in the project that a move could lose."""
    files: dict[bytes, tuple[int, bytes]] = {}
    folders: dict[bytes, int] = {}
    top = os.fsencode(folder)

    def walk(prefix: bytes) -> None:
        with os.scandir(os.path.join(top, prefix)) as entries:
            for entry in entries:
                path = prefix + entry.name
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISLNK(mode):
                    files[path] = (LINK, os.readlink(entry.path))
                elif stat.S_ISDIR(mode):
                    if path != b".git":
                        folders[path] = stat.S_IMODE(mode)
                        walk(path + b"/")
                else:
                    with open(entry.path, "rb") as file:
                        files[path] = (mode, file.read())

    walk(b"")
    own = folder / ".git"
    heads = own / "refs" / "heads"
    index, progress = own / "index", own / "workshop" / "progress.json"
    return Seen(
        files, folders, index.read_bytes() if index.is_file() else None,
        (own / "HEAD").read_bytes(),
        {each.name: each.read_text().strip() for each in heads.iterdir()},
        progress.read_bytes() if progress.is_file() else None,
    )  # fmt: skip


def not_ignored(folder: Path, seen: Seen) -> set[bytes]:
    """The files that git knows or would add: every one of them must be in a backup."""
    known: set[bytes] = set()
    for words in (("--cached",), ("--others", "--exclude-standard")):
        command = ["git", "-c", "core.fsmonitor=false", "ls-files", "-z", *words]
        known |= set(subprocess.check_output(command, cwd=folder).split(b"\0"))
    return known & seen.files.keys()


def spoil(folder: Path, path: bytes) -> None:
    """Remove a file, or write something else in its place."""
    file = os.path.join(os.fsencode(folder), path)
    os.unlink(file)
    if len(path) % 2:
        with open(file, "wb") as stream:
            stream.write(b"spoiled")


def _folder(top: bytes, path: bytes) -> None:
    os.makedirs(os.path.join(top, path), exist_ok=True)


def _object(own: Path, kind: bytes, data: bytes) -> str:
    whole = b"%s %d\0%s" % (kind, len(data), data)
    name = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    file = own / "objects" / name[:2] / name[2:]
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(zlib.compress(whole, 1))
    return name


def _tree(own: Path, things: Mapping[bytes, Thing]) -> str:
    entries: dict[bytes, tuple[bytes, str]] = {}
    folders: dict[bytes, dict[bytes, Thing]] = {}
    for path, thing in things.items():
        first, slash, rest = path.partition(b"/")
        if slash:
            folders.setdefault(first, {})[rest] = thing
        elif thing.mode == GITLINK:
            entries[first] = (b"160000", "1" * 40)
        else:
            entries[first] = (b"%o" % thing.mode, _object(own, b"blob", thing.data))
    for name, inner in folders.items():
        entries[name + b"/"] = (b"40000", _tree(own, inner))
    data = b"".join(
        mode + b" " + name.rstrip(b"/") + b"\0" + bytes.fromhex(blob)
        for name, (mode, blob) in sorted(entries.items())
    )
    return _object(own, b"tree", data)


def _index(own: Path, things: Mapping[bytes, Thing]) -> bytes:
    data = struct.pack(">4sII", b"DIRC", 3, len(things))
    for path, thing in sorted(things.items()):
        if thing.mode == GITLINK:
            blob = "1" * 40
        elif thing.flags & INTENT:
            blob = _object(own, b"blob", b"")  # as `git add -N` does
        else:
            blob = _object(own, b"blob", thing.data)
        more = thing.flags & (INTENT | SKIP)
        flags = min(len(path), 0xFFF) | (thing.flags & ASSUME) | (0x4000 if more else 0)
        entry = struct.pack(">10I", *[0] * 6, thing.mode, 0, 0, 0) + bytes.fromhex(blob)
        entry += struct.pack(">H", flags) + (struct.pack(">H", more) if more else b"") + path
        data += entry + b"\0" * (8 - len(entry) % 8)
    return data + hashlib.sha1(data, usedforsecurity=False).digest()
