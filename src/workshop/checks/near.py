"""Near misses: what is almost there, said by its name. It looks, and changes nothing."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from workshop.checks.failure import CheckFailed

_MANY = 2000  # files; a larger project is not searched any further
# Where vim's swap file says that its text is newer than the file's: byte 1007 is 0x55 then.
_VIM_CHANGED = 1007
_WRITTEN = {".py", ".txt", ".rst", ".md", ".toml", ".yml", ".yaml", ".in", ".cfg", ".ini"}
_EVERYWHERE = {"README.rst", "README.md", "__init__.py"}  # many folders have one of their own
_MAY_BE_EMPTY = {"__init__.py"}


def missing(root: Path, name: str) -> tuple[str, str]:
    """For a file that is not there: what is there instead, and what to do. Empty: nothing near."""
    wanted = PurePosixPath(name)
    if wanted.suffix == "" and (root / name).is_dir():
        return f"{name} is a folder", f"Make a file of it: {name} must hold text."
    if _swap(root / name) is not None:
        return (
            f"an editor has {name} open, and it was never saved",
            "Save it in your editor.",
        )
    files = list(_files(root))
    for file in files:
        if file.lower() == name.lower():
            return f"there is {file}", f"Rename it, upper and lower case count: mv {file} {name}"
    for file in files:
        if PurePosixPath(file).name == wanted.name and wanted.name not in _EVERYWHERE:
            return f"there is {file}", f"Move it to the right folder: mv {file} {name}"
    for file in files:
        if file in (f"{name}.txt", f"{name}.py"):
            return f"there is {file}", f"Take the second ending off: mv {file} {name}"
    beside = [
        file for file in files
        if PurePosixPath(file).parent == wanted.parent and not _a_word_more(wanted, file)
    ]  # fmt: skip
    close = difflib.get_close_matches(name, beside, n=1, cutoff=0.85)
    if close:
        return f"there is {close[0]}", f"Is that it? mv {close[0]} {name}"
    return "", ""


def _a_word_more(wanted: PurePosixPath, file: str) -> bool:
    """Whether one is the other with a word more, such as `app.yaml` and `app-secrets.yaml`: that is
    no slip, and both may be there."""
    one, other = sorted((wanted.stem, PurePosixPath(file).stem), key=len)
    return other.startswith(f"{one}-")


def must_be_there(root: Path, name: str, expected: str = "", do: str = "") -> None:
    """Raises CheckFailed, which names what is near, when the project has no such file."""
    if not (root / name).is_file():
        instead, remedy = missing(root, name)
        raise CheckFailed(
            seen=f"there is no {name}" + (f", but {instead}" if instead else ""),
            expected=expected or f"a file {name} in the project",
            do=remedy or do or f"Write {name}.",
        )


def unsaved(root: Path) -> str:
    """Which files hold less than their writer thinks; empty when there is none."""
    found = []
    for file in _files(root):
        path = root / file
        swap = _swap(path)
        if swap is not None and _newer(swap):
            found.append(f"{file} is open in an editor, with changes that are not saved.")
        elif path.suffix in _WRITTEN and path.name not in _MAY_BE_EMPTY and _empty(path):
            found.append(f"{file} is empty. Is it saved in your editor?")
    return "\n".join(found)


def _swap(path: Path) -> Path | None:
    """What an editor keeps beside a file that is open: vim's swap file, Emacs's lock."""
    vim = path.with_name(f".{path.name}.swp")
    emacs = path.with_name(f".#{path.name}")
    if vim.is_file():
        return vim
    return emacs if emacs.is_symlink() or emacs.is_file() else None


def _newer(swap: Path) -> bool:
    """Whether it says that there is more than in the file. Emacs has a lock only while there is."""
    if swap.suffix != ".swp":
        return True
    try:
        with swap.open("rb") as file:
            file.seek(_VIM_CHANGED)
            return file.read(1) == b"\x55"
    except OSError:
        return False


def _empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError:
        return False


def _files(root: Path) -> Iterator[str]:
    """The project's files, the nearest first, as relative paths with forward slashes."""
    count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            each for each in folders
            if not each.startswith(".") and each not in ("__pycache__", "node_modules")
            and not Path(folder, each, "pyvenv.cfg").exists()
        )  # fmt: skip
        for name in sorted(names):
            count += 1
            if count > _MANY:
                return
            yield Path(folder, name).relative_to(root).as_posix()
