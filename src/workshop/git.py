"""The only caller of git. Each odd flag and variable has its reason beside it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from workshop.errors import WorkshopError

# What a stage's hash depends on must not depend on the person's machine.
_SEAL = {
    "GIT_CONFIG_GLOBAL": os.devnull,  # no autocrlf, excludesFile, commitEncoding, signing, hooks
    "GIT_CONFIG_NOSYSTEM": "1",  # the same from /etc/gitconfig
    "GIT_DEFAULT_HASH": "sha1",  # a sha256 default would give other hashes
    "GIT_ATTR_NOSYSTEM": "1",  # no line-end conversion by /etc/gitattributes
    # With the global file away, its safe.directory is away too: a shared checkout would be refused.
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}


# Before the words of a command that must not wake anything of the person's.
CALM = (
    "-c", f"core.hooksPath={os.devnull}",  # no hook: even a move of a ref would call one
    "-c", "core.fsmonitor=false",  # may be a program of theirs
    "-c", "core.splitIndex=false",  # one index, whole, in one file
    "-c", "core.ignoreStat=false",  # no entry is born "assume unchanged"
)  # fmt: skip

_held: list[int] = []  # what each git that we start keeps open, see `holding`


@contextlib.contextmanager
def holding(descriptor: int) -> Iterator[None]:
    """Let each git that starts in the block hold this descriptor, too, and so a lock on it.

    One that outlives us, when we are killed, may still move a branch. The lock tells of it.
    """
    _held.append(descriptor)
    try:
        yield
    finally:
        _held.remove(descriptor)


def environment(*, sealed: bool = True) -> dict[str, str]:
    """The variables git runs with: none of the caller's GIT_*, messages in English, no questions.

    Sealed is for what the course makes. A learner's own project keeps its owner's configuration
    (`sealed=False`): their ignore rules and their name count there.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    kept |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    return kept | _SEAL if sealed else kept


def command(*args: str) -> list[str]:
    """The argument list of one call of git."""
    return ["git", *args]


def run(
    *args: str,
    cwd: Path,
    sealed: bool = True,
    stdin: bytes | None = None,
    variables: Mapping[str, str] | None = None,
    good: tuple[int, ...] = (0,),
) -> bytes:
    """Run git and return its output, as bytes: file names need not be UTF-8.

    `good` are the exit codes that are no failure: `git diff --no-index` says 1 for "they differ".
    Raises GitError, with what git said, when it fails; WorkshopError when there is no git.
    """
    try:
        done = subprocess.run(
            command(*args),
            cwd=cwd,
            env=environment(sealed=sealed) | dict(variables or {}),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            pass_fds=_held,
            check=False,
        )
    except FileNotFoundError as error:
        raise no_git(cwd) from error
    if done.returncode not in good:
        raise GitError(args, done.stderr.decode(errors="replace").strip())
    return done.stdout


def feed(*args: str, cwd: Path, stdin: Iterable[bytes], sealed: bool = False) -> None:
    """Run git, in a person's own repository, and give it `stdin` bit by bit as it is made.

    Raises GitError, with what git said, when it fails. When making the input fails, git is ended.
    """
    with begun(*args, cwd=cwd, sealed=sealed, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # git has said why, and so does `begun`
            process.stdin.writelines(stdin)


@contextlib.contextmanager
def begun(
    *args: str, cwd: Path, sealed: bool = True, stdin: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    """Git at work while the block lasts, and until git has ended. If the block fails, git is ended.

    Raises GitError, with what git said, when it fails; WorkshopError when there is no git.
    """
    try:
        process = subprocess.Popen(
            command(*args), cwd=cwd, env=environment(sealed=sealed),
            stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=_held,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise no_git(cwd) from error
    assert process.stderr is not None
    with process:
        try:
            yield process
            _hang_up(process)
            said = process.stderr.read().decode(errors="replace").strip()
        except BaseException:
            process.kill()
            _hang_up(process)
            raise
    if process.returncode != 0:
        raise GitError(args, said)


def _hang_up(process: subprocess.Popen[bytes]) -> None:
    """Let go of its input. Who has ended before it read all of it is no surprise, and no error."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def text(*args: str, cwd: Path, sealed: bool = True) -> str:
    """Run git and return its output as text, without the last line end."""
    return run(*args, cwd=cwd, sealed=sealed).decode(errors="replace").rstrip("\n")


class Content(NamedTuple):
    """An object of a repository. Its kind is `missing` when the repository does not have it."""

    name: str
    kind: str
    data: bytes


def contents(names: Iterable[str], cwd: Path) -> Iterator[Content]:
    """Read objects, one after the other: a whole history may be larger than the memory.

    Raises GitError, with what git said, when it fails; WorkshopError when there is no git.
    """
    with tempfile.TemporaryFile() as wanted, tempfile.TemporaryFile() as said:
        # A file, and no pipe: nobody has to write while somebody else reads.
        wanted.writelines(f"{name}\n".encode() for name in names)
        wanted.seek(0)
        args = ("cat-file", "--batch")
        # What `git replace` hides is pushed all the same.
        variables = environment() | {"GIT_NO_REPLACE_OBJECTS": "1"}
        try:
            process = subprocess.Popen(
                command(*args), cwd=cwd, env=variables, stdin=wanted,
                stdout=subprocess.PIPE, stderr=said, pass_fds=_held,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise no_git(cwd) from error
        assert process.stdout is not None
        with process:
            try:
                while head := process.stdout.readline():
                    name, kind, *size = head.decode().split()
                    data = process.stdout.read(int(size[0]) + 1)[:-1] if size else b""
                    yield Content(name, kind, data)
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            said.seek(0)
            raise GitError(args, said.read().decode(errors="replace").strip())


class GitError(Exception):
    """Git said no. Callers that know why turn it into a WorkshopError."""

    def __init__(self, args: Iterable[str], said: str) -> None:
        super().__init__(f"git {' '.join(args)}: {said}")
        self.said = said


def no_git(folder: Path) -> WorkshopError:
    """What to tell a person: git is not there, or the folder isn't."""
    if not folder.is_dir():
        return WorkshopError("there is no such folder", "Check the path.", path=folder)
    return WorkshopError(
        "git is not installed",
        "Install it (Debian, Ubuntu: apt install git; macOS: xcode-select --install; "
        "Windows: https://git-scm.com) and try again.",
    )


def top(folder: Path) -> Path:
    """The top folder of the repository that `folder` is in.

    Raises WorkshopError when it is in none.
    """
    if (folder / ".git" / "HEAD").is_file():
        return folder.resolve()  # the plain case needs no process
    try:
        return _path("rev-parse", "--show-toplevel", cwd=folder)
    except GitError as error:
        raise WorkshopError(
            "not a git repository",
            "Go to your project's folder, or make one with: workshop start DIR",
            path=folder,
        ) from error


def git_folder(folder: Path) -> Path:
    """The repository's own folder (`.git`, or where a linked worktree keeps it)."""
    if (folder / ".git" / "HEAD").is_file():
        return folder / ".git"
    return _path("rev-parse", "--absolute-git-dir", cwd=folder)


def _path(*args: str, cwd: Path) -> Path:
    """A path that git prints: any bytes, and a line end may be one of them."""
    return Path(os.fsdecode(run(*args, cwd=cwd, sealed=False).removesuffix(b"\n")))


def head(folder: Path) -> str | None:
    """The full hash of the commit that is checked out, or None before the first commit."""
    return commit(folder, "HEAD")


def commit(folder: Path, revision: str) -> str | None:
    """The full hash of the commit that `revision` names, or None when it names none."""
    try:
        found = text(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}",
            cwd=folder, sealed=False,
        )  # fmt: skip
    except GitError:
        return None
    return found or None


def changes(folder: Path) -> tuple[str, ...]:
    """What is not committed, a line each as `git status --short` writes it; empty when clean."""
    out = run(
        "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all",
        cwd=folder, sealed=False,
    )  # fmt: skip
    return tuple(entry.decode(errors="replace") for entry in out.split(b"\0") if entry)


def state(folder: Path) -> tuple[str | None, int]:
    """What `head` says, and how many `changes` there are: in one call, half the waiting."""
    out = run(
        "status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--untracked-files=all",
        cwd=folder, sealed=False,
    )  # fmt: skip
    entries = [entry.decode(errors="replace") for entry in out.split(b"\0") if entry]
    found = next(each for each in entries if each.startswith("# branch.oid ")).split(" ")[-1]
    changed = sum(not each.startswith("#") for each in entries)
    return (None if found == "(initial)" else found), changed


def ignored(folder: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Those of the paths that git leaves out of commits, and does not know yet."""
    wanted = "\0".join(paths).encode()
    if not wanted:
        return ()
    out = run("check-ignore", "-z", "--stdin", cwd=folder, sealed=False, stdin=wanted, good=(0, 1))
    return tuple(path.decode(errors="replace") for path in out.split(b"\0") if path)
