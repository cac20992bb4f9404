"""What every move has in common, in the one order in which nothing can be lost.

1. Look, and refuse what can't be done safely. Nothing has changed.
2. Save everything: objects first, the backup's ref last. Nothing of the person's has changed.
3. Note in the journal which backup belongs to the move that begins, after those of moves that were
   begun before it and never ended.
4. Lock the index, move the refs, swap the index, change the files, note the progress.
5. Remove the journal.

Killed in 1 to 3, a move has not happened. Killed in 4, it is half done: the journal names the
backup, and the next command says how to bring it back, or makes a backup of its own and goes on.
Refused in 4, the journal is what it was before: what was half done still is.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from workshop import git, kept
from workshop.errors import WorkshopError
from workshop.moving import carry, indexfile, worktree
from workshop.moving.repository import Repository, stands
from workshop.moving.snapshot import Backup, Held
from workshop.moving.worktree import Goal, Survey

Report = Callable[[Backup], None]


class Moved(NamedTuple):
    """A move that is done: its backup, the new commit (None: none was due), the branch it is on."""

    backup: Backup
    commit: str | None
    branch: str | None


class Rest(NamedTuple):
    """What step 4 does besides the files: new index bytes are in `part`, or there are none.

    `refs` moves the refs; `finish` notes the progress.
    """

    part: Path | None
    refs: Callable[[], None]
    finish: Callable[[], None]


def look(repository: Repository, entries: indexfile.Index, goal: Goal) -> Survey:
    """Survey the working tree: what git knows, what it would add, what the goal touches."""
    out = git.run(
        *git.CALM, "ls-files", "--others", "--exclude-standard", "-z",
        cwd=repository.top, sealed=False,
    )  # fmt: skip
    # a name that ends in a slash is a repository of its own: it stays as it is
    others = [name for name in out.split(b"\0") if name and not name.endswith(b"/")]
    tracked = [each.path for each in entries.entries if each.mode != indexfile.GITLINK]
    mine = [os.fsdecode(name) for name in (*tracked, *others)]
    if repository.on("core.ignorecase"):
        worktree.clash(mine, goal, repository.top)
    try:
        return worktree.survey(repository.top, mine, goal, repository.hashing)
    except OSError as error:
        raise WorkshopError(
            f"this can't be read, so it can't be saved: {error.strerror}",
            "Make it readable, or move it out of the project.",
            path=error.filename or repository.top,
        ) from error


def new_part(repository: Repository) -> Path:
    """Where the next index is prepared; nothing is there. Never write into one that is.

    One that is left may be the index itself under a second name, or a git may still write to it
    whose workshop was killed: so each process has a name of its own.
    """
    for left in repository.folder.glob("index-*"):
        left.unlink(missing_ok=True)
    return repository.folder / f"index-{os.getpid()}.part"


def carry_out(
    repository: Repository,
    held: Held,
    survey: Survey,
    goal: Goal,
    backup: Backup,
    rest: Rest,
    contents: Callable[[str], bytes],
) -> None:
    """Steps 3 to 5. Raises WorkshopError: nothing has changed, or it names the backup."""
    carry.unchanged(repository.top, survey)
    before = _begin(repository, backup)
    try:
        with _index_locked(repository, held, rest.part):
            rest.refs()
    except WorkshopError:  # nothing has changed: refs move all together or not at all
        _note(repository, before)
        raise
    except (OSError, git.GitError) as error:
        raise _halfway(repository, backup, error) from error
    try:
        carry.carry_out(repository.top, survey, goal, contents, repository.folder / "file.part")
        rest.finish()
    except (OSError, WorkshopError) as error:
        raise _halfway(repository, backup, error) from error
    repository.journal.unlink()


def _halfway(
    repository: Repository, backup: Backup, error: OSError | WorkshopError | git.GitError
) -> WorkshopError:
    if isinstance(error, OSError):
        fact, where = f"{error.strerror}", error.filename
    elif isinstance(error, WorkshopError):
        fact, where = error.fact, error.path
    else:
        fact, where = f"git refused: {error.said}", None
    return WorkshopError(
        f"the move stopped halfway: {fact}",
        f"Everything you had is saved. Bring it back: workshop backups restore {backup.name}",
        path=where or repository.top,
    )


def _begin(repository: Repository, backup: Backup) -> str | None:
    """Note that a move begins. Returns what the journal said before."""
    journal = repository.journal
    before = journal.read_text("utf-8", "replace") if journal.is_file() else None
    first, *later = dict.fromkeys([*kept.interruptions(repository.top), backup.name])
    _note(repository, json.dumps({"verb": backup.verb, "backup": first, "later": later}) + "\n")
    return before


def _note(repository: Repository, text: str | None) -> None:
    """Write the journal, whole or not at all; None: no move has begun."""
    if text is None:
        repository.journal.unlink(missing_ok=True)
        return
    part = repository.folder / "moving.part"
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(repository.journal)


def _lock(lock: Path, new: Path) -> None:
    """Make the lock with its content. Raises OSError: then there is none, or another's."""
    try:
        lock.hardlink_to(new)  # all at once, and when killed we know it for ours
    except FileExistsError:
        raise
    except OSError:  # this disk knows no second name for a file
        data = new.read_bytes()
        file = lock.open("xb")
        try:
            with file:
                file.write(data)
            shutil.copystat(new, lock)
        except OSError:
            lock.unlink()
            raise


@contextlib.contextmanager
def _index_locked(repository: Repository, held: Held, part: Path | None) -> Iterator[None]:
    """Hold git's lock on the index, and put the new one in its place when the block is done.

    Raises WorkshopError when it can't be locked, or is not the one that was saved.
    """
    lock = repository.own / "index.lock"
    try:
        new = part if part is not None else new_part(repository)
        if part is None:
            new.touch()
        _lock(lock, new)
    except FileExistsError as error:
        raise WorkshopError(
            "another git command has just begun in this project",
            "Wait until it has ended, then try again.",
            path=lock,
        ) from error
    except OSError as error:
        raise WorkshopError(
            f"git's index can't be locked: {error.strerror}",
            "Nothing has changed. Mend that, then try again.",
            path=lock,
        ) from error
    try:
        _untouched(repository, held)
        yield
        if part is None:
            repository.index_file.unlink(missing_ok=True)
            lock.unlink()
        else:
            lock.replace(repository.index_file)
    except BaseException:
        lock.unlink(missing_ok=True)
        raise
    new.unlink(missing_ok=True)


def _untouched(repository: Repository, held: Held) -> None:
    """Raise WorkshopError when git has staged, committed or switched since the backup.

    To be asked while the index is locked: from then on git must wait.
    """
    file = repository.index_file
    written = file.read_bytes() if file.is_file() else None
    if written == held.file and stands(repository):
        return
    raise WorkshopError(
        "git changed this at this very moment: it is not in the backup",
        "Wait until the other git command has ended, then try again.",
        path=repository.own / "HEAD" if written == held.file else file,
    )
