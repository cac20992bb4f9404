"""git's index file, read without a process: entries with the flags that no listing shows whole.

The format is git's own, versions 2 to 4: https://git-scm.com/docs/index-format. It is only read
here. git writes it, or its bytes come back as they were.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

_STAT = 40  # ten numbers of 4 bytes: two times, device, inode, mode, user, group, size
_MODE = 24
_EXTENDED, _INTENT = 0x4000, 0x2000
GITLINK = 0o160000


class Entry(NamedTuple):
    """A path in the index. `stage` is 0 unless a merge left it open; `intent` is `git add -N`."""

    path: bytes
    mode: int
    blob: str
    stage: int
    intent: bool


class Index(NamedTuple):
    """The entries in git's order, and what the extensions after them tell.

    `split`: a part of it is in another file (`git update-index --split-index`). `objects` are the
    names that stand beside the entries: of trees that git need not make again, and of the sides of
    a conflict that was solved. They need not exist.
    """

    entries: tuple[Entry, ...] = ()
    split: bool = False
    objects: tuple[str, ...] = ()


def parse(data: bytes, size: int = 20) -> Index:
    """Read an index file's bytes; `size` is the length of a hash. Raises ValueError."""
    try:
        magic, version, count = struct.unpack_from(">4sII", data)
        if magic != b"DIRC" or version not in (2, 3, 4):
            raise ValueError(f"not an index that we know: {magic!r}, version {version}")
        entries = []
        at, before = 12, b""
        for _ in range(count):
            entry, at = _entry(data, at, size, version, before)
            before = entry.path
            entries.append(entry)
        extensions = dict(_extensions(data, at, size))
        trees = _trees(extensions.get(b"TREE", b""), size)
        sides = _sides(extensions.get(b"REUC", b""), size)
        return Index(tuple(entries), b"link" in extensions, tuple(dict.fromkeys([*trees, *sides])))
    except (struct.error, IndexError) as error:
        raise ValueError(f"the index ends too early: {error}") from error


def _entry(data: bytes, start: int, size: int, version: int, before: bytes) -> tuple[Entry, int]:
    (mode,) = struct.unpack_from(">I", data, start + _MODE)
    at = start + _STAT
    blob = data[at : at + size].hex()
    at += size
    (flags,) = struct.unpack_from(">H", data, at)
    at += 2
    more = 0
    if flags & _EXTENDED:
        (more,) = struct.unpack_from(">H", data, at)
        at += 2
    prefix = b""
    if version == 4:  # only what differs from the path before is written
        dropped, at = _number(data, at)
        prefix = before[: len(before) - dropped]
    end = data.index(b"\0", at)
    path = prefix + data[at:end]
    # versions 2 and 3 fill up with 1 to 8 zeros, so that entries begin at multiples of 8
    after = end + 1 if version == 4 else start + (end - start + 8) // 8 * 8
    return Entry(path, mode, blob, flags >> 12 & 3, bool(more & _INTENT)), after


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = data[at] & 127
    while data[at] & 128:
        at += 1
        value = (value + 1 << 7) | data[at] & 127
    return value, at + 1


def _extensions(data: bytes, at: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= len(data) - size:
        name, length = struct.unpack_from(">4sI", data, at)
        at += 8 + length
        yield name, data[at - length : at]


def _trees(data: bytes, size: int) -> Iterator[str]:
    """The trees of `TREE`. One that is out of date has no name there, and -1 entries."""
    at = 0
    while at < len(data):
        at = data.index(b"\0", at) + 1  # a folder's name
        end = data.index(b"\n", at)
        valid = not data[at:end].startswith(b"-")  # how many entries, how many folders in it
        at = end + 1
        if valid:
            yield data[at : at + size].hex()
            at += size


def _sides(data: bytes, size: int) -> Iterator[str]:
    """The objects of `REUC`: up to three for each path, those whose mode is not 0."""
    at = 0
    while at < len(data):
        at = data.index(b"\0", at) + 1
        modes = []
        for _ in range(3):
            end = data.index(b"\0", at)
            modes.append(int(data[at:end], 8))
            at = end + 1
        for _ in filter(None, modes):
            yield data[at : at + size].hex()
            at += size
