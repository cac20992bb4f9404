"""Where the key pairs of a project are kept, which seal its secrets and open them.

sealing/        in the project's home, outside of the project; mode 0700
  0001.pem      a private key and its certificate, mode 0600; the highest number seals

A project has one pair that seals, and not one for each environment. What keeps environments apart
is the namespace, which every sealed value is bound to. A cluster, too, has one controller for all
its namespaces, and whoever seals needs one certificate.

No pair is ever removed or written over, since what was sealed to it opens by nothing else. To
rotate is to add a pair. That alone makes no value secret again that somebody has read: change it.
"""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from workshop import paths
from workshop.errors import WorkshopError
from workshop.sealing import Pair

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Maker = Callable[[datetime], Pair]

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


def folder(project: Path) -> Path:
    """Where the pairs of a project are. It is what to copy, for the day the machine is lost."""
    return paths.project_home(project) / "sealing"


def pairs(project: Path) -> tuple[Pair, ...]:
    """All pairs, the newest first; none before the first secret was sealed."""
    return tuple(_read(file) for file in _files(project))


def newest(project: Path, make: Maker | None = None) -> Pair:
    """The pair that seals. The first one is made when it is asked for."""
    if not _files(project):
        with contextlib.suppress(FileExistsError):  # another process was first: as good
            _add(project, 1, make)
    return _read(_files(project)[0])


def rotate(project: Path, make: Maker | None = None) -> Pair:
    """Add a pair, which seals from now on. The others still open what was sealed to them."""
    while True:
        files = _files(project)
        try:
            return _add(project, int(files[0].stem) + 1 if files else 1, make)
        except FileExistsError:
            continue  # so another process took that number


def _files(project: Path) -> list[Path]:
    found = folder(project).glob("[0-9]*.pem")
    return sorted(found, key=lambda file: int(file.stem), reverse=True)


def _add(project: Path, number: int, make: Maker | None) -> Pair:
    """Write a new pair, whole or not at all. Raises FileExistsError if the number is taken."""
    from workshop import sealing

    made = (make or sealing.pair)(datetime.now(UTC))
    place = folder(project)
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o700)
    file = place / f"{number:04}.pem"
    part = place / f".{file.name}.{os.getpid()}.part"
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(made.private + made.certificate)
            out.flush()
            os.fsync(out.fileno())  # a secret that is sealed to it may be the only copy
        file.hardlink_to(part)  # unlike `replace`, it refuses to write over another pair
    finally:
        part.unlink(missing_ok=True)
    return made


def _read(file: Path) -> Pair:
    from workshop import sealing

    private, mark, certificate = file.read_bytes().partition(_CERTIFICATE)
    pair = Pair(private, mark + certificate)
    if not sealing.fits(pair):
        raise WorkshopError(
            "this key pair is damaged",
            "Bring it back from a copy: what was sealed to it opens by nothing else.",
            path=file,
        )
    return pair
