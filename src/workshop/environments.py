"""A Python environment per hash of the requirement files: made once, found again by one hash.

The only caller of uv. It is fast from a warm cache, resolves and installs without a network what
it has seen before, and needs no admin rights.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from workshop import paths
from workshop.errors import WorkshopError

# What production serves every project with: releases bring it along, and so do checks.
SERVER = "gunicorn==27.0.1"

_COMPLETE = ".complete"
_LOOKING = threading.Lock()
_INCLUDE = rb"(?m)^[ \t]*(?:-r|-c|--requirement|--constraint)[ \t=]*([^\s#]+)"
_NAME = rb"(?m)^[ \t]*([A-Za-z0-9][A-Za-z0-9._-]*)"
_HASH = rb"(?m)^[^#\n]*--hash[= ]"
# Whoever compiled a file has written above it for which Python and later.
_OLDEST = r"(?m)^#.*--python-version[ =](\S+)"
_FULL = r"\(os error (?:28|122)\)"  # no room, no quota: in no language of its own
_LOCAL = rb"(?m)^[ \t]*(?:-e|--editable|\.|/|file:)"
# The person's own configuration of uv stays (a company's package mirror). What would lead it to
# another environment or another Python goes.
_IGNORED = {"VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "UV_PYTHON",
            "UV_SYSTEM_PYTHON", "UV_PROJECT_ENVIRONMENT"}  # fmt: skip
_UV = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1", "NO_COLOR": "1",
       "COLUMNS": "1000"}  # where uv breaks a line depends on nobody's window  # fmt: skip


class Environment(NamedTuple):
    """Where it is, its own Python, the hash that names it, and whether this call made it."""

    folder: Path
    python: Path
    key: str
    made: bool


def ensure(
    files: Sequence[Path], *, extra: Sequence[str] = (), home: Path | None = None
) -> Environment:
    """The environment that holds what `files` require, made now if it isn't there yet.

    `extra` are requirements that the platform brings along; a file that names the same package
    wins. Files with hashes are taken at their word, as pip takes them: then every package that they
    bring must have one, and what is installed must match it. Raises WorkshopError, with the
    resolver's own reason, when it can't be made.
    """
    read = dict(contents(files))
    named = {name for data in read.values() for name in _names(data)}
    added = [each for each in extra if not named.issuperset(_names(each.encode()))]
    key = _key(read, added)
    folder = (home or paths.home()) / "environments" / key
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    found = Environment(folder, python, key, made=False)
    if usable(python):
        return found

    import filelock

    folder.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(f"{folder}.lock"):
        if usable(python):  # somebody else made it while we waited
            return found
        hashed = any(re.search(_HASH, data) for data in read.values())
        _make(found, files, added, hashed=hashed)
    return found._replace(made=True)


def compiled(source: Path, pins: Path) -> str:
    """What the requirements in `source` come to, for every platform and with every hash.

    A version that `pins` has is kept while it will do. Raises WorkshopError, with the resolver's
    own reason, when they come to nothing.
    """
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "compiled.txt"
        # Whole: from this folder, what it includes could not be found. And without the hashes: uv
        # would believe them, and miss those that are missing.
        known = b"\n".join(re.sub(_INCLUDE, b"", data) for _, data in contents([pins]))
        known = re.sub(rb"\s*\\\n\s*--hash=\S+", b"", known)
        out.write_bytes(known)
        oldest = re.search(_OLDEST, known.decode(errors="replace"))
        command = [
            _program(), "pip", "compile", "--quiet", "--no-header", "--no-annotate",
            "--universal", "--generate-hashes", "--python", sys.executable,
            *(["--python-version", oldest[1]] if oldest else []),
            "--output-file", str(out), str(source.absolute()),
        ]  # fmt: skip
        if _uv([*command, "--offline"], source.absolute().parent) is not None:
            said = _uv(command, source.absolute().parent)
            if said is not None:
                raise _refused(said, source)
        return out.read_text(encoding="utf-8")


def tools() -> dict[str, str]:
    """What a tool that makes environments through uv must know of this machine's own uv."""
    import subprocess

    cache = subprocess.run(
        [_program(), "cache", "dir"], capture_output=True, encoding="utf-8", check=False
    ).stdout.strip()
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("UV_", "SSL_CERT_", "HTTP_PROXY", "HTTPS_PROXY"))
        and name not in _IGNORED
    }
    return kept | _UV | ({"UV_CACHE_DIR": cache} if cache else {})


def fetch_for_tox(folder: Path) -> bool:
    """Have uv's cache hold all that the `tox.ini` in `folder` asks for.

    Returns whether something had to be fetched. Raises WorkshopError when it can't be had.
    """
    import subprocess

    said = ""
    for offline in ({"UV_OFFLINE": "1"}, {}):
        done = subprocess.run(
            [sys.executable, "-m", "tox", "run", "--notest", "-q", "-e", "ALL"],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name not in _IGNORED}
            | tools() | offline,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return not offline
        said = done.stdout.strip()
    raise WorkshopError(
        f"tox can't make its environments:\n{said}",
        "Connect to a network once, or mend the packages that it names.",
        path=folder / "tox.ini",
    )


def _program() -> str:
    """Where uv is. One thread at a time looks: Python's `sysconfig`, which is asked for the ending
    of programs, shows others what it has not filled in yet."""
    import uv

    with _LOOKING:
        return uv.find_uv_bin()


def usable(python: Path) -> bool:
    """Whether the environment of this Python is whole, and the Python that it was made from is
    still there (its link leads somewhere)."""
    return (python.parent.parent / _COMPLETE).exists() and python.exists()


def contents(files: Sequence[Path]) -> Iterator[tuple[Path, bytes]]:
    """Each requirements file and what it includes, once, in the order of reading.

    Raises WorkshopError for one that can't be read.
    """
    waiting = list(files)
    seen = set()
    while waiting:
        file = waiting.pop(0)
        if file in seen:
            continue
        seen.add(file)
        try:
            data = file.read_bytes()
        except OSError as error:
            raise WorkshopError(
                "this requirements file can't be read",
                "Write it, or mend the line that includes it.",
                path=file,
            ) from error
        yield file, data
        names = [os.fsdecode(name) for name in re.findall(_INCLUDE, data) if b"://" not in name]
        waiting += [Path(os.path.normpath(file.parent / name)) for name in names]


def _key(read: Mapping[Path, bytes], added: Sequence[str]) -> str:
    """The same requirements give the same key in any folder, on this Python and machine."""
    machine = os.uname().machine if hasattr(os, "uname") else ""
    parts = [sys.version, sys.base_exec_prefix, sys.platform, machine, *added]
    digest = hashlib.sha256("\0".join(parts).encode())
    for file, data in read.items():
        digest.update(b"\0%d\0" % len(data) + data)
        if re.search(_LOCAL, data):  # a path in it means another thing in another folder
            digest.update(os.fsencode(file.resolve()))
    return digest.hexdigest()[:32]


def _names(requirements: bytes) -> set[bytes]:
    """The packages that stand at the beginning of a line, normalized as registries do."""
    return {re.sub(rb"[-_.]+", b"-", name).lower() for name in re.findall(_NAME, requirements)}


def _make(
    environment: Environment, files: Sequence[Path], added: Sequence[str], *, hashed: bool
) -> None:
    """Build it in place (an environment can't be moved) and mark it as whole at the very end.

    Without the mark it is made again: an interrupt needs no cleaning up.
    """
    import shutil

    shutil.rmtree(environment.folder, ignore_errors=True)
    said = _build(environment, files, added, hashed=hashed)
    if said is not None:
        shutil.rmtree(environment.folder, ignore_errors=True)
        raise _refused(said, files[0] if files else None, environment.folder.parent)
    (environment.folder / _COMPLETE).write_bytes(b"")


def _build(
    environment: Environment, files: Sequence[Path], added: Sequence[str], *, hashed: bool
) -> str | None:
    """Make and fill it. Returns None when all went well, else what uv said."""
    program = _program()
    folder, python = str(environment.folder), str(environment.python)
    at = files[0].absolute().parent if files else environment.folder.parent
    said = _uv([program, "venv", "--quiet", "--python", sys.executable, folder], at)
    if said is not None:
        return said
    wanted = [part for file in files for part in ("--requirement", str(file.absolute()))]
    # What we bring along has no hash: with the files that have, all would be refused. So it comes
    # after them, and they come once more: their versions hold, and so do their places to look.
    rounds = [["--require-hashes", *wanted]] if hashed else []
    rounds += [[*wanted, *added]] if added or not hashed else []
    # Compiled here once, or each process that starts from it would compile Django anew.
    install = [program, "pip", "install", "--quiet", "--python", python, "--compile-bytecode"]
    for each in rounds if wanted or added else ():
        # From the cache first: nothing leaves the machine when nothing is missing, and without a
        # network nobody waits for one.
        if _uv([*install, *each, "--offline"], at) is not None:
            said = _uv([*install, *each], at)
            if said is not None:
                return said
    return None


def _uv(command: Sequence[str], cwd: Path) -> str | None:
    """Run uv. Returns None when all went well, else what it said."""
    import subprocess

    done = subprocess.run(
        command,
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name not in _IGNORED} | _UV,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return done.stderr if done.returncode else None


def _refused(said: str, path: Path | None, kept: Path | None = None) -> WorkshopError:
    """Why uv could not do it, about the file in `path`, into the folder `kept`."""
    if re.search(_FULL, said):
        if kept is not None and str(kept) in said:
            return WorkshopError("the disk is full", "Make room, then try again.", path=kept)
        reason = _reason(said)  # it names the file, such as one in its cache
        return WorkshopError(f"the disk is full: {reason}", "Make room, then try again.")
    return WorkshopError(
        f"the requirements can't be installed: {_reason(said)}",
        "Connect to a network once; after that it works without."
        if "Failed to fetch" in said
        else "Mend the requirements, and try again.",
        path=path,
    )


def _reason(said: str) -> str:
    """What uv said, as one line: no label in front, no marker below a column."""
    lines = (re.sub(r"^(error|cause|hint|warning):", "", line.strip()) for line in said.split("\n"))
    kept = [line.strip() for line in lines if line.strip(" ^")]
    return ": ".join(kept).replace(".: ", ". ") or "uv gave no reason"
