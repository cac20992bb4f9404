"""A backup: one commit that holds everything a move could lose, made by one `git fast-import`.

The commit `refs/workshop/backups/NAME` has the working tree as its tree, under the files' own
names, so that plain git can show it. Its parents are the commit that was checked out; the index as
a commit; a commit with `state.json` (HEAD, refs, exact modes, folders, progress) and the very bytes
of the index; and the tips of the other branches that the move touches. fast-import applies no
filter and changes no line end: the bytes are the files' own. The ref comes last, so there is no
half a backup.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from workshop import git
from workshop.errors import WorkshopError
from workshop.moving import indexfile, worktree
from workshop.moving.repository import Repository
from workshop.moving.worktree import Survey

REFS = "refs/workshop/backups/"
_SELF = "The workshop <workshop@example.org>"

# Names that git keeps for itself, in any disguise that some disk takes for them: fsck minds them
# in a tree. Such a file's bytes go beside the state instead.
_RESERVED = re.compile(
    r"(\.git|git~\d+)([ .:].*)?|\.git(modules|attributes).*|git(mod|att)~\d.*|gi(7eba|7d29)~\d.*",
    re.S,
)


class Backup(NamedTuple):
    """A backup: its name, the words of the verb that made it, when (local time), its files."""

    name: str
    verb: str
    when: str
    files: int
    state: str = ""


class Reached(NamedTuple):
    """The commit that a move makes on the person's branch: message, author, what goes, contents."""

    message: str
    author: str
    gone: Iterable[str]
    files: Mapping[str, tuple[str, bytes]]


class Held(NamedTuple):
    """The index before a move: its bytes, whole, and what they say.

    `file` is what the file held: a split index is not whole. None: there is none.
    """

    data: bytes | None
    entries: indexfile.Index
    file: bytes | None


def index(repository: Repository) -> Held:
    """Read the index. Raises WorkshopError."""
    file = repository.index_file
    try:
        data = written = file.read_bytes()
    except FileNotFoundError:
        return Held(None, indexfile.Index(), None)
    size = 32 if repository.hashing == "sha256" else 20
    try:
        found = indexfile.parse(data, size)
        if found.split:
            data = _whole(repository, data)
            found = indexfile.parse(data, size)
    except ValueError as error:
        raise WorkshopError(
            f"git's index can't be read: {error}",
            "See what git says of it: git status",
            path=file,
        ) from error
    if any(entry.stage for entry in found.entries):
        raise WorkshopError(
            "there are conflicts that are not solved yet",
            "Solve them, and `git add` each file that `git status` calls unmerged.",
            path=repository.top,
        )
    return Held(data, found, written)


def _whole(repository: Repository, data: bytes) -> bytes:
    """The bytes of a split index as one file."""
    part = repository.folder / f"whole-{os.getpid()}"
    part.unlink(missing_ok=True)
    part.write_bytes(data)
    git.run(
        *git.CALM, "update-index", "--no-split-index",
        cwd=repository.top, sealed=False, variables={"GIT_INDEX_FILE": str(part)},
    )  # fmt: skip
    data = part.read_bytes()
    part.unlink()
    return data


def save(
    repository: Repository,
    survey: Survey,
    verb: str,
    held: Held,
    *,
    known: Iterable[str],
    progress: str | None,
    refs: Iterable[str] = (),
    reached: Reached | None = None,
) -> tuple[Backup, str | None]:
    """Save everything under a new name, and make the commit `reached` in the same go.

    `held` is what `index` said; `refs` are the branches that the move touches besides HEAD's.
    Returns the backup and the hash of that commit, which no branch names yet.
    """
    data, entries, _ = held
    beside = _existing(repository, entries.objects)
    now = time.time()
    name = _name(repository, now)
    backup = Backup(name, verb, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now)),
                    len(survey.found))  # fmt: skip
    touched = dict.fromkeys([*([repository.branch] if repository.branch else []), *refs])
    state: dict[str, Any] = {
        "version": 1,
        "branch": repository.branch,
        "commit": repository.commit,
        "refs": {ref: repository.refs.get(ref) for ref in touched},
        "known": sorted(known),
        "folders": dict(survey.folders),
        "progress": progress,
        "index": None if data is None else worktree.blob(data, repository.hashing),
        "index_time": None if data is None else repository.index_file.stat().st_mtime_ns,
    }
    for left in repository.folder.glob("marks-*"):  # by a move that was killed
        left.unlink(missing_ok=True)
    marks = repository.folder / f"marks-{name}"
    stream = _stream(
        repository, survey, backup, state, data, entries, beside, reached, f"{int(now)} +0000"
    )  # fmt: skip
    try:
        git.feed(
            *git.CALM, "-c", "fastimport.unpackLimit=0",  # one pack, and on the disk for sure
            "-c", "core.ignoreCase=false",  # it folds `Notes` and `notes`: one would be lost
            "fast-import", "--quiet", f"--export-marks={marks}", cwd=repository.top, stdin=stream,
        )  # fmt: skip
    except git.GitError as error:
        raise WorkshopError(
            f"git could not save your files: {error.said}",
            "Nothing was changed. See what is wrong here: git fsck",
            path=repository.top,
        ) from error
    commit = None
    for line in marks.read_text("ascii").splitlines():
        mark, _, found = line.partition(" ")
        commit = found if mark == ":3" else commit
    marks.unlink()
    return backup, commit


def _existing(repository: Repository, names: Iterable[str]) -> dict[str, str]:
    """Those of these trees and blobs that are there, and the kind of each. When the index names
    one that no commit keeps, `git gc` removes it: with the index brought back, git would fail."""
    words = "".join(f"{name}\n" for name in names).encode()
    if not words:
        return {}
    out = git.run("cat-file", "--batch-check=%(objectname) %(objecttype)", cwd=repository.top,
                  sealed=False, stdin=words)  # fmt: skip
    found = dict(line.split(" ")[:2] for line in out.decode().splitlines())
    return {name: kind for name, kind in found.items() if kind in {"tree", "blob"}}


def _name(repository: Repository, now: float) -> str:
    """The time as a name, and free."""
    while True:
        name = time.strftime("%Y%m%d-%H%M%S", time.localtime(now)) + f"-{int(now * 1000) % 1000:03}"
        if not (repository.common / REFS / name).exists():
            return name
        now += 0.001


def _stream(
    repository: Repository,
    survey: Survey,
    backup: Backup,
    state: dict[str, Any],
    data: bytes | None,
    entries: indexfile.Index,
    beside: Mapping[str, str],
    reached: Reached | None,
    when: str,
) -> Iterator[bytes]:
    """What fast-import reads: blobs, then the commits 1 (index), 2 (state), 3 (reached), 4."""
    ref = REFS + backup.name
    head = repository.commit
    yield b"feature done\n"
    plain: list[bytes] = []
    hidden: list[bytes] = []
    files: dict[str, list[Any]] = {}
    for mark, (path, found) in enumerate(sorted(survey.found.items()), 10):
        content = worktree.read(repository.top, path, found.link)
        yield b"blob\nmark :%d\n" % mark + _data(content)
        mode = "120000" if found.link else "100755" if found.mode & 0o100 else "100644"
        files[path] = [worktree.blob(content, repository.hashing), found.link, found.mode]
        if _reserved(path):
            hidden.append(b"M 100644 :%d reserved/%d\n" % (mark, mark))
        else:
            plain.append(b"M %s :%d %s\n" % (mode.encode(), mark, _quoted(os.fsencode(path))))
    hidden += (
        f"M {'040000' if kind == 'tree' else '100644'} {name} reserved/{name}\n".encode()
        for name, kind in beside.items()
    )
    state["files"] = files
    document = json.dumps(state, indent=1).encode("ascii") + b"\n"

    def commit(mark: int, author: str, message: str, parents: list[str]) -> bytes:
        made = f"reset {ref}\ncommit {ref}\nmark :{mark}\n"
        made += f"author {author} {when}\ncommitter {author} {when}\n"
        links = "".join(f"merge {parent}\n" for parent in dict.fromkeys(parents))
        return made.encode() + _data(message.encode()) + links.encode()

    above = [head] if head else []
    yield commit(1, _SELF, f"The index before: {backup.verb}\n", above) + b"deleteall\n"
    for entry in entries.entries:
        if entry.intent:  # it has no content yet; the index's own bytes remember it
            continue
        if _reserved(os.fsdecode(entry.path)) and entry.mode != indexfile.GITLINK:
            hidden.append(f"M 100644 {entry.blob} reserved/{entry.blob}\n".encode())
        else:
            yield b"M %o %s %s\n" % (entry.mode, entry.blob.encode(), _quoted(entry.path))
    yield commit(2, _SELF, f"The state before: {backup.verb}\n", [])
    yield b"M 100644 inline state.json\n" + _data(document)
    if data is not None:
        yield b"M 100644 inline index\n" + _data(data)
    yield from hidden
    if reached is not None:
        yield commit(3, reached.author, reached.message, [])
        if head:
            yield f"from {head}\n".encode()
        yield from (b"D %s\n" % _quoted(os.fsencode(path)) for path in reached.gone)
        for path, (mode, content) in reached.files.items():
            yield f"M {mode} inline ".encode() + _quoted(os.fsencode(path)) + b"\n" + _data(content)
    message = (
        f"Backup before: {backup.verb}\n\n"
        f"When: {backup.when}\nFiles: {backup.files}\n"
        f"State: {worktree.blob(document, repository.hashing)}\n"
        f"Bring it back: workshop backups restore {backup.name}\n"
    )
    others = [name for name in state["refs"].values() if name]
    yield commit(4, _SELF, message, [*above, ":1", ":2", *others]) + b"deleteall\n"
    yield from plain
    yield b"done\n"


def listing(top: Path) -> tuple[Backup, ...]:
    """Every backup of the repository, the oldest first."""
    # by the time of their commits: names have the local time, which may go back an hour
    out = git.text(
        "for-each-ref", "--sort=refname", "--sort=creatordate",
        "--format=%(refname)%00%(contents)%01", REFS, cwd=top, sealed=False,
    )  # fmt: skip
    found = []
    for each in out.split("\1"):
        ref, _, message = each.lstrip("\n").partition("\0")
        lines = message.splitlines()
        fields = dict(line.partition(": ")[::2] for line in lines if ": " in line)
        if lines and lines[0].startswith("Backup before: ") and "State" in fields:
            found.append(
                Backup(ref.removeprefix(REFS), fields["Backup before"], fields["When"],
                       int(fields["Files"]), fields["State"])
            )  # fmt: skip
    return tuple(found)


def blobs(top: Path, names: Iterable[str]) -> dict[str, bytes]:
    """The bytes of these blobs, unfiltered. Raises WorkshopError when one is missing."""
    asked = list(dict.fromkeys(names))
    if not asked:
        return {}
    words = "".join(f"{name}\n" for name in asked).encode()
    out = git.run("cat-file", "--batch", cwd=top, sealed=False, stdin=words,
                  variables={"GIT_NO_REPLACE_OBJECTS": "1"})  # fmt: skip
    found, at = {}, 0
    for name in asked:
        line = out[at : out.index(b"\n", at)]
        if not line.startswith(f"{name} blob ".encode()):
            raise WorkshopError(
                f"an object of the backup is lost: {line.decode(errors='replace')}",
                "See what is wrong here: git fsck",
                path=top,
            )
        at += len(line) + 1
        size = int(line.rsplit(b" ", 1)[1])
        found[name] = out[at : at + size]
        at += size + 1
    return found


def _reserved(path: str) -> bool:
    """Whether a careless disk, one without case or for ASCII alone, takes it for git's own."""
    parts = re.split(r"[/\\]", path)  # on some disks, `a\.git` is in a folder
    names = (part.encode("ascii", "ignore").decode().lower() for part in parts)
    return any(_RESERVED.fullmatch(name) for name in names)


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: bytes) -> bytes:
    escaped = path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'
