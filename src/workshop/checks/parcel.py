"""What is inside an image: every file of every layer, whoever made it, and what was noted down.

Pure: an archive comes in, as `docker save` writes it, and values go out.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

_SHELL = re.compile(r"^(?:RUN )?(\|\d+ .*?)?/bin/sh -c (#\(nop\)\s+)?")
_SUM = re.compile(r"(?:file|dir|multi):[0-9a-f]{16,} in ")  # what old builders note of COPY
_FROM = re.compile(r"(?im)^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)(?:[ \t]+AS[ \t]+(\S+))?")
_ARGUMENT = re.compile(r"""(?im)^[ \t]*ARG[ \t]+(\w+)=["']?([^\s"']*)""")
_VARIABLE = re.compile(r"\$\{?(\w+)(?::?-([^}]*))?\}?")
_LONG = 70
_ENDS = "\\"
_REMOVES = ".wh."  # so begins the name of what a layer removes


class File(NamedTuple):
    """A file in a layer: its name from the root, the layer's number (from 1), what made it, and
    what is in it. `removed` when a later layer takes it away, from sight alone."""

    name: str
    layer: int
    by: str
    data: bytes
    removed: bool = False


class Note(NamedTuple):
    """What an instruction left in the image's history, and the instruction."""

    by: str
    text: str


class Parcel:
    """An image that is open before you."""

    def __init__(self, archive: Path, dockerfile: str) -> None:
        self._archive = archive
        with tarfile.open(archive) as whole:
            self._manifest: dict[str, Any] = json.load(_file(whole, "manifest.json"))[0]
            config: dict[str, Any] = json.load(_file(whole, self._manifest["Config"]))
        history: list[dict[str, Any]] = config.get("history") or []
        made = _made_by([each.get("created_by", "") for each in history], dockerfile)
        self.notes = tuple(
            Note(by, each.get("created_by", "")) for by, each in zip(made, history, strict=True)
        )
        self._makers = [
            by for by, each in zip(made, history, strict=True) if not each.get("empty_layer")
        ]

    def files(self) -> Iterator[File]:
        """All files of all layers, those included that a later layer removes."""
        layers: list[str] = self._manifest["Layers"]
        gone = self._gone(layers)
        with tarfile.open(self._archive) as whole:
            for number, name in enumerate(layers, 1):
                known = len(self._makers) == len(layers)
                by = self._makers[number - 1] if known else ""
                with tarfile.open(fileobj=_file(whole, name)) as layer:
                    for member in layer:
                        data = layer.extractfile(member) if member.isfile() else None
                        if data is not None:
                            path = _path(member.name)
                            removed = any(
                                later > number and (path == each or path.startswith(f"{each}/"))
                                for each, later in gone
                            )
                            yield File(path, number, by, data.read(), removed)

    def _gone(self, layers: Sequence[str]) -> list[tuple[str, int]]:
        """What layers remove, and which of them does."""
        found = []
        with tarfile.open(self._archive) as whole:
            for number, name in enumerate(layers, 1):
                with tarfile.open(fileobj=_file(whole, name)) as layer:
                    for member in layer:
                        folder, _, last = _path(member.name).rpartition("/")
                        if last.startswith(_REMOVES):
                            found.append((f"{folder}/{last.removeprefix(_REMOVES)}", number))
        return found


def instructions(dockerfile: str) -> tuple[str, ...]:
    """The instructions of the last stage, one a line, without its FROM."""
    found: list[str] = []
    open_line = ""
    for line in dockerfile.splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        open_line += text.removesuffix(_ENDS)
        if not text.endswith(_ENDS):
            found.append(" ".join(open_line.split()))
            open_line = ""
    starts = [index for index, line in enumerate(found) if line.upper().startswith("FROM ")]
    return tuple(found[starts[-1] + 1 :]) if starts else ()


def bases(dockerfile: str) -> tuple[str, ...]:
    """The images that a Dockerfile begins with, its arguments as they are when nobody gives them.
    A FROM sees those before the first one alone. A stage of its own is none, and neither is
    `scratch`."""
    lines = list(_FROM.finditer(dockerfile))
    given = dict(_ARGUMENT.findall(dockerfile, 0, lines[0].start() if lines else 0))
    found, stages = [], {"scratch"}
    for line in lines:
        image = _VARIABLE.sub(lambda one: given.get(one[1]) or one[2] or one[0], line[1])
        if image.lower() not in stages:
            found.append(image)
        stages.add(str(line[2]).lower())
    return tuple(found)


def _made_by(history: Sequence[str], dockerfile: str) -> list[str]:
    """What each entry of a history comes from, as it stands in the Dockerfile: each instruction
    leaves one entry, at the end. What comes with the base image, as the history has it."""
    plain = [_plain(each) for each in history]
    own = instructions(dockerfile)
    last = plain[len(plain) - len(own) :]
    if len(last) == len(own) and all(
        one.split(" ")[0] == other.split(" ")[0].upper()
        for one, other in zip(last, own, strict=True)
    ):
        plain[len(plain) - len(own) :] = own
    return [each if len(each) <= _LONG else f"{each[:_LONG]}..." for each in plain]


def _plain(entry: str) -> str:
    """An entry of a history as an instruction, whichever builder has written it."""
    found = _SHELL.match(entry)
    entry = entry.removesuffix(" # buildkit").strip()
    if found and found[2]:
        entry = _SUM.sub("... ", entry[found.end() :])
    elif found:
        entry = f"RUN {entry[found.end() :]}"
    return " ".join(entry.split())


def _file(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    data = archive.extractfile(name)
    if data is None:
        raise ValueError(f"{name} is no file of the image")
    return data


def _path(name: str) -> str:
    return "/" + name.removeprefix("./").strip("/")
