"""A learner's repository as a move finds it, and the reasons to leave it alone."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from workshop import git
from workshop.errors import WorkshopError

_PATIENCE = 5.0  # seconds until whoever moves this repository must have ended
_TRUE = {"", "true", "yes", "on", "1"}

# Whatever git keeps while it waits for a person, what that is called, and how it ends.
_BUSY = (
    ("MERGE_HEAD", "a merge", "git merge --continue", "git merge --abort"),
    ("rebase-merge", "a rebase", "git rebase --continue", "git rebase --abort"),
    ("rebase-apply/applying", "git am", "git am --continue", "git am --abort"),
    ("rebase-apply", "a rebase", "git rebase --continue", "git rebase --abort"),
    ("CHERRY_PICK_HEAD", "a cherry-pick", "git cherry-pick --continue", "git cherry-pick --abort"),
    ("REVERT_HEAD", "a revert", "git revert --continue", "git revert --abort"),
    ("sequencer", "a cherry-pick", "git cherry-pick --continue", "git cherry-pick --abort"),
    ("BISECT_LOG", "a bisect", "git bisect run COMMAND", "git bisect reset"),
)


class Repository(NamedTuple):
    """Where everything is, and where HEAD stands.

    `own` is the working tree's git folder, `common` the one that linked worktrees share. `branch`
    is the full name of the ref that HEAD names, None when HEAD is detached; `commit` is None
    before the first commit. `refs` holds the refs that were asked for and exist.
    """

    top: Path
    own: Path
    common: Path
    branch: str | None
    commit: str | None
    refs: Mapping[str, str] = MappingProxyType({})
    config: Mapping[str, str] = MappingProxyType({})

    @property
    def index_file(self) -> Path:
        """The index file. It need not exist."""
        return self.own / "index"

    @property
    def folder(self) -> Path:
        """Where the workshop keeps what belongs to this working tree."""
        return self.own / "workshop"

    @property
    def journal(self) -> Path:
        """What says that a move has begun and not ended."""
        return self.folder / "moving.json"

    @property
    def hashing(self) -> str:
        """The name of the hash of this repository: sha1, unless its owner chose sha256."""
        return self.config.get("extensions.objectformat", "sha1")

    @property
    def nobody(self) -> str:
        """git's way to say: this ref does not exist."""
        return "0" * (64 if self.hashing == "sha256" else 40)

    def on(self, name: str) -> bool:
        """Whether this setting is on, in git's own spelling of yes."""
        value = self.config.get(name)
        return value is not None and value.lower() in _TRUE


def open_(top: Path, *refs: str) -> Repository:
    """Look at the repository of the working tree `top`, and at these refs besides HEAD's."""
    own, common = _folders(top)
    head = os.fsdecode((own / "HEAD").read_bytes()).strip()  # a branch's name is any bytes
    branch = head.removeprefix("ref: ") if head.startswith("ref: ") else None
    if branch == "refs/heads/.invalid":  # the ref storage `reftable` keeps HEAD elsewhere
        branch = git.text("symbolic-ref", "--quiet", "HEAD", cwd=top, sealed=False)
    asked = [*refs, *([branch] if branch else [])]
    found = {}
    if asked:
        lines = git.run(
            "for-each-ref", "--format=%(objectname) %(refname)", *asked, cwd=top, sealed=False
        )
        for line in os.fsdecode(lines).splitlines():
            name, _, ref = line.partition(" ")
            found[ref] = name
    commit = found.get(branch) if branch else head
    found = {ref: name for ref, name in found.items() if ref in asked}
    return Repository(top, own, common, branch, commit, found, _config(top))


def stands(repository: Repository) -> bool:
    """Whether HEAD and the refs that were asked for are still where they were found."""
    now = open_(repository.top, *repository.refs)
    return (now.branch, now.commit, now.refs) == (
        repository.branch, repository.commit, repository.refs
    )  # fmt: skip


def _folders(top: Path) -> tuple[Path, Path]:
    own = git.git_folder(top)
    shared = own / "commondir"  # only a linked worktree has it
    return own, (own / shared.read_text("utf-8").strip()).resolve() if shared.is_file() else own


def _config(top: Path) -> dict[str, str]:
    found = {}
    for each in git.run("config", "--list", "-z", cwd=top, sealed=False).split(b"\0"):
        if each:
            key, _, value = each.decode(errors="replace").partition("\n")
            found[key] = value
    return found


def guard(repository: Repository) -> None:
    """Raise WorkshopError when a move would meddle with something that is under way."""
    top, own = repository.top, repository.own
    if (top / "steps" / "course.toml").is_file():
        raise WorkshopError(
            "this is the workshop itself, not a project of yours",
            "Go to your project's folder, or make one with: workshop start DIR",
            path=top,
        )
    for name, what, finish, abort in _BUSY:
        if (own / name).exists():
            raise WorkshopError(
                f"{what} is not finished here",
                f"Finish it: {finish}\nOr give it up: {abort}",
                path=top,
            )
    if repository.on("core.sparsecheckout"):
        raise WorkshopError(
            "this is a sparse checkout: git hides a part of the files",
            "Show them all, then try again: git sparse-checkout disable",
            path=top,
        )
    lock = own / "index.lock"
    if lock.exists():
        raise WorkshopError(
            "another git command is at work in this project, or one was killed",
            "Wait until it has ended. If none runs any more, delete this file.",
            path=lock,
        )


def guard_branches(repository: Repository, refs: Container[str]) -> None:
    """Raise WorkshopError when one of these refs is checked out in another working tree."""
    for folder in [repository.common, *sorted(repository.common.glob("worktrees/*"))]:
        if folder.resolve() == repository.own.resolve():
            continue
        with contextlib.suppress(OSError):
            head = os.fsdecode((folder / "HEAD").read_bytes()).strip().removeprefix("ref: ")
            if head in refs:
                raise WorkshopError(
                    f"{short(head)} is checked out in another working tree of this repository",
                    f"There, switch to another branch: git switch --detach {short(head)}",
                    path=_worktree(folder),
                )


def _worktree(folder: Path) -> Path:
    """The working tree of a git folder."""
    pointer = folder / "gitdir"
    return Path(pointer.read_text("utf-8").strip()).parent if pointer.is_file() else folder.parent


def short(ref: str) -> str:
    """A branch as people call it."""
    return ref.removeprefix("refs/heads/")


@contextlib.contextmanager
def alone(top: Path) -> Iterator[None]:
    """Nobody else moves this repository for as long as the block lasts. Raises WorkshopError."""
    from filelock import FileLock, Timeout

    try:
        own, common = _folders(top)
        for folder in (own / "workshop", common / "workshop"):
            folder.mkdir(parents=True, exist_ok=True)
        # The refs are common to all linked worktrees, so the locks are too.
        held = common / "workshop" / "moving"
        with FileLock(f"{held}.lock", timeout=_PATIENCE), _git_too(Path(f"{held}.git.lock")):
            _heal(own, common)
            yield
    except git.GitError as error:
        raise WorkshopError(
            f"git refused: {error.said}", "See what git says of your project: git status", path=top
        ) from error
    except Timeout as error:
        raise WorkshopError(
            "another workshop command moves this project just now",
            "Wait until it has ended, then try again.",
            path=top,
        ) from error
    except OSError as error:
        raise WorkshopError(
            f"this can't be read or written: {error.strerror}",
            "Mend that, then try again. What is saved already: workshop backups",
            path=error.filename or top,
        ) from error


@contextlib.contextmanager
def _git_too(file: Path) -> Iterator[None]:
    """A lock that every git holds which we start. Of a workshop that was killed, one may be left,
    and about to move a branch: it is waited for. Raises filelock's Timeout."""
    if os.name == "nt":  # there, a process inherits no lock
        yield
        return
    import fcntl

    from filelock import Timeout

    with file.open("ab") as lock:
        give_up = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > give_up:
                    raise Timeout(str(file)) from error
                time.sleep(0.01)
        with git.holding(lock.fileno()):
            yield


def _heal(own: Path, common: Path) -> None:
    """Remove the locks of a move of ours that was killed. Those of others stay.

    The index's lock is ours when it is the very file that we prepared. git's locks on refs are
    taken for ours when a move was killed, and they don't go away: a command of git needs a moment.
    """
    for part in (own / "workshop").glob("index-*.part"):
        with contextlib.suppress(OSError):
            if part.samefile(own / "index.lock"):
                (own / "index.lock").unlink()
    if not (own / "workshop" / "moving.json").is_file():
        return
    refs = [common / "packed-refs.lock", *(common / "refs").rglob("*.lock")]
    for each in [own / "HEAD.lock", *refs]:
        for _ in range(10):
            if not each.exists():
                break
            time.sleep(0.1)
        each.unlink(missing_ok=True)
