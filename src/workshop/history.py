"""The steps as commits and tags: one stream of text, one `git fast-import`.

Planning (`stages`, `stream`) reads files and touches no git; `build` and `write` do. While git
works, the next step is read: a laptop has two cores.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from workshop import git
from workshop.errors import WorkshopError
from workshop.model import Course, Step, Tag

# The same author at the same minute on every machine: that is what makes a hash the same.
_AUTHOR = "Modern Continuous Delivery <workshop@example.org>"
_EPOCH = 1767225600  # 2026-01-01 00:00:00 UTC
_MINUTE = 60


class File(NamedTuple):
    """A file in a stage: git's mode (100644 or 100755) and its bytes."""

    mode: str
    data: bytes


class Stage(NamedTuple):
    """The demo project after a step. Paths are relative, with forward slashes, in git's order."""

    step: Step
    files: Mapping[str, File]


def stages(course: Course) -> tuple[Stage, ...]:
    """Every stage of the course, whole: the previous one, plus the solution, minus `removes`."""
    found: list[Stage] = []
    tree: dict[str, File] = {}
    for step, change in _changes(course.steps):
        tree = {path: file for path, file in tree.items() if path not in step.removes} | change
        found.append(Stage(step, dict(sorted(tree.items()))))
    return tuple(found)


def stream(steps: Iterable[Step]) -> Iterator[bytes]:
    """The whole history, as `git fast-import` reads it: a commit and an annotated tag a step."""
    yield b"feature done\n"
    for index, (step, change) in enumerate(_changes(steps)):
        when = f"{_AUTHOR} {_EPOCH + index * _MINUTE} +0000"
        mark = 2 * index + 1
        parts = [
            f"commit refs/heads/main\nmark :{mark}\nauthor {when}\ncommitter {when}\n".encode(),
            _data(step.message.encode()),
        ]
        parts += [f"D {_quoted(path)}\n".encode() for path in step.removes]
        for path, file in change.items():
            parts += [f"M {file.mode} inline {_quoted(path)}\n".encode(), _data(file.data)]
        parts += [
            f"tag {step.tag}\nmark :{mark + 1}\nfrom :{mark}\ntagger {when}\n".encode(),
            _data(f"{step.title}\n".encode()),
        ]
        yield b"".join(parts)
    yield b"done\n"


def build(course: Course, target: Path, *, bundle: Path | None = None) -> tuple[Tag, ...]:
    """Make the tagged repository at `target`, which must be absent or empty, whole or not at all.

    With `bundle`, also one file that `git clone` takes, for a workshop without a network.
    Returns the tags in the order of the steps. Raises WorkshopError.
    """
    return write(course.steps, course.root, target, bundle=bundle)


def write(
    steps: Iterable[Step], root: Path, target: Path, *, bundle: Path | None = None
) -> tuple[Tag, ...]:
    """As `build`, of the course in `root`. Each step may be read when it is asked for."""
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside it; or in the empty folder, in which a shell may stand, or a disk be mounted.
    folder = target if target.is_dir() else target.parent
    _sweep(folder, target.name)
    _must_be_free(target)
    unfinished = folder / f".{target.name}.{os.getpid()}.part"
    unfinished.mkdir()
    try:
        tags = _import(steps, root, unfinished)
        if bundle is not None:
            _bundle(unfinished, bundle)
        if folder == target:
            _move_up(unfinished)
        else:
            unfinished.replace(target)
    except BaseException:
        _remove(unfinished)
        raise
    return tags


@contextlib.contextmanager
def built(course: Course) -> Iterator[tuple[Path, tuple[Tag, ...]]]:
    """The tagged repository in a temporary folder, for as long as the block lasts."""
    import tempfile  # not for `build`, which starts a little sooner without

    with tempfile.TemporaryDirectory(prefix="workshop-") as folder:
        target = Path(folder) / "demo"
        yield target, build(course, target)


def _changes(steps: Iterable[Step]) -> Iterator[tuple[Step, dict[str, File]]]:
    """Each step with the files that its solution writes. Once executable, always executable."""
    executable: set[str] = set()
    for step in steps:
        executable = (executable - set(step.removes)) | set(step.executable)
        yield (
            step,
            {
                path: File("100755" if path in executable else "100644", data)
                for path, data in sorted(_files(str(step.solution), ""))
            },
        )


def _files(folder: str, prefix: str) -> Iterator[tuple[str, bytes]]:
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except FileNotFoundError as error:
        raise WorkshopError(
            "this step has no solution",
            "Make the folder, and write the files of the step into it.",
            path=Path(folder),
        ) from error
    for entry in entries:
        path = prefix + entry.name
        if entry.is_symlink():
            raise WorkshopError(
                "a solution may not hold symbolic links: they can lead out of the step",
                "Replace it by the file.",
                path=Path(entry.path),
            )
        if entry.is_dir():
            if entry.name == ".git":
                raise WorkshopError(
                    "a solution may not hold a git repository",
                    "Remove it.",
                    path=Path(entry.path),
                )
            if entry.name != "__pycache__":
                yield from _files(entry.path, path + "/")
        elif entry.name != ".DS_Store":  # a Mac leaves one wherever somebody looked
            yield path, lf(content(entry.path))


def content(path: str) -> bytes:
    """All of a file, by as few calls of the system as there can be: a long course has thousands."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        parts = []
        while part := os.read(descriptor, 1 << 20):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def lf(data: bytes) -> bytes:
    """Text with LF, however it was checked out; binary as it is."""
    return data if b"\0" in data else data.replace(b"\r\n", b"\n")


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: str) -> str:
    # git's own rule: a path that could be taken for something else is quoted as in C
    if path.startswith('"') or "\n" in path or "\\" in path:
        return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return path


def _move_up(folder: Path) -> None:
    """Put all that is in a folder into the one above it, or nothing."""
    moved: list[Path] = []
    try:
        # `.git` at last: then it is a project
        for entry in sorted(folder.iterdir(), key=lambda each: each.name == ".git"):
            entry.rename(folder.parent / entry.name)
            moved.append(entry)
        folder.rmdir()
    except BaseException:
        for entry in moved:
            (folder.parent / entry.name).rename(entry)
        raise


def _sweep(folder: Path, name: str) -> None:
    """Remove what a build that was killed left behind. A build that still runs keeps its own."""
    for left in folder.iterdir():
        if left.name.startswith(f".{name}.") and left.name.endswith(".part"):
            pid = left.name.split(".")[-2]
            if pid.isdecimal() and not _runs(int(pid)):
                _remove(left)


def _remove(folder: Path) -> None:
    import shutil  # only for what went wrong: it takes a tenth of our time to import

    shutil.rmtree(folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    if os.name == "nt":  # there, signal 0 would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _must_be_free(target: Path) -> None:
    if target.is_dir():
        if any(target.iterdir()):
            raise WorkshopError(
                "this folder is not empty",
                "Name a folder that does not exist yet, or an empty one.",
                path=target,
            )
    elif target.exists() or target.is_symlink():
        raise WorkshopError(
            "this is not a folder", "Name a folder that does not exist yet.", path=target
        )


def _import(steps: Iterable[Step], root: Path, folder: Path) -> tuple[Tag, ...]:
    """Fill `folder` with the repository, its working tree at `main`."""
    names = []

    def noted() -> Iterator[Step]:
        for step in steps:
            names.append(step.tag)
            yield step

    parts = stream(noted())
    with git.begun("init", "--quiet", "--template=", "--initial-branch=main", cwd=folder):
        head = [*islice(parts, 2)]  # git makes its folders while we read the first step
    with (folder / ".git" / "config").open("a", encoding="utf-8", newline="\n") as config:
        # A later `git checkout` by the trainer must write LF too, whatever their own settings.
        config.write("[core]\n\tautocrlf = false\n\teol = lf\n")
    marks = folder / ".git" / "marks"
    try:
        git.feed(
            "fast-import", "--quiet", f"--export-marks={marks}",
            cwd=folder, stdin=chain(head, parts), sealed=True,
        )  # fmt: skip
        git.run("read-tree", "--reset", "-u", "HEAD", cwd=folder)  # the files, and no more
    except git.GitError as error:
        raise WorkshopError(
            f"git refused the history: {error.said}", "Mend the step.", path=root
        ) from error
    hashes = dict(line.split() for line in marks.read_bytes().decode().splitlines())
    marks.unlink()
    return tuple(
        Tag(name, hashes[f":{2 * index + 1}"], hashes[f":{2 * index + 2}"])
        for index, name in enumerate(names)
    )


def _bundle(repository: Path, bundle: Path) -> None:
    part = bundle.with_name(f".{bundle.name}.part")
    try:
        git.run("bundle", "create", "--quiet", str(part.absolute()), "--all", cwd=repository)
        part.replace(bundle)
    except (git.GitError, OSError) as error:
        raise WorkshopError(
            f"the bundle can't be written: {error}",
            "Name a file in a folder of yours.",
            path=bundle,
        ) from error
    finally:
        part.unlink(missing_ok=True)
