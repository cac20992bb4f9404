"""What a learner types in a lesson, and what comes back: one text file a lesson, made for diffs.

    $ git commit --quiet -m "Start"     a command; lines that it goes on in begin with "> "
    | nothing to commit                 a line that came back
    = 1                                 how it ended, when that is not 0

What differs from run to run is compared by its kind, never left out: see `KINDS`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from workshop.errors import WorkshopError

NAME = "transcript.txt"

# The typed wildcards: a kind, and what belongs to it. The first that fits wins. A path and a port
# are no wildcards: whoever runs the commands puts in the names that a reader knows (see `robot`).
KINDS = {
    "time": re.compile(
        r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
        r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
    ),
    # What an engine calls an image, a container: a line that is nothing but a digest.
    "digest": re.compile(r"(?m)^(?:sha256:)?[0-9a-f]{64}$"),
    "duration": re.compile(r"\b\d+\.\d+ ?(?:ms|s|seconds)\b"),
    # What `workshop metrics` makes of times: with the spaces in front, which depend on its length.
    "measure": re.compile(
        r"(?m)(?<=lead time|very time) +\d.*?(?=  [a-z])|(?<=frequency) +\S+ a day(?=  )"
        r"|(?<= deploys )in \d+ days?$"
    ),
}

# Once a project holds what is its own (see `own`), its commits have hashes of their own, too. One
# short hash in a hundred has no letter, just like a count of bytes: it counts where git or we say
# what it is.
COMMIT = re.compile(
    r"(?:(?<=\[main )|(?<=  release      )"
    r"|(?<=Commit:      |Development: |Integration: |Production:  ))[0-9a-f]{7,40}\b"
    r"|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b"
)


class Entry(NamedTuple):
    """A command (without its prompt), all that it wrote, and its exit code."""

    command: str
    output: str
    code: int = 0


def parse(text: str, path: Path | str) -> tuple[Entry, ...]:
    """The entries in a transcript. Raises WorkshopError, with the line, for what is none."""
    entries: list[Entry] = []
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else (), 1):
        mark, body = line[:2].rstrip(), line[2:]
        if mark == "$":
            entries.append(Entry(body, ""))
        elif not entries or mark not in (">", "|", "="):
            raise _broken(path, number, line)
        elif mark == ">":
            entries[-1] = entries[-1]._replace(command=f"{entries[-1].command}\n{body}")
        elif mark == "|":
            entries[-1] = entries[-1]._replace(output=f"{entries[-1].output}{body}\n")
        elif not body.isdecimal():
            raise _broken(path, number, line)
        else:
            entries[-1] = entries[-1]._replace(code=int(body))
    return tuple(entries)


def text(entries: Iterable[Entry]) -> str:
    """The transcript, as it stands in its file."""
    lines = []
    for entry in entries:
        first, *more = entry.command.split("\n")
        lines += [f"$ {first}", *(f"> {line}" for line in more)]
        lines += [f"| {line}" if line else "|" for line in entry.output.split("\n")[:-1]]
        lines += [f"= {entry.code}"] if entry.code else []
    return "".join(f"{line}\n" for line in lines)


def read(folder: Path) -> tuple[Entry, ...]:
    """The transcript of the lesson in this folder; empty when nothing was recorded yet."""
    file = folder / NAME
    try:
        return parse(file.read_text(encoding="utf-8"), file)
    except FileNotFoundError:
        return ()


def write(folder: Path, entries: Sequence[Entry]) -> bool:
    """Write the transcript, whole or not at all. Returns whether that changed anything."""
    file = folder / NAME
    new = text(entries)
    if (file.read_text(encoding="utf-8") if file.exists() else "") == new:
        return False
    if not entries:
        file.unlink()
        return True
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    part.write_text(new, encoding="utf-8", newline="\n")
    part.replace(file)
    return True


def kinds(output: str, *, own: bool = False) -> tuple[tuple[str, str], ...]:
    """The output in pieces: each with its kind, or with "" when it must be the same every time.
    With `own`, commits differ, too."""
    known = KINDS | ({"commit": COMMIT} if own else {})
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(output):
        matches = [
            (name, each) for name, kind in known.items() if (each := kind.search(output, at))
        ]
        if not matches:
            break
        name, match = min(matches, key=lambda pair: pair[1].start())
        found += [("", output[at : match.start()]), (name, match[0])]
        at = match.end()
    return (*found, ("", output[at:]))


def same(one: Entry, other: Entry, *, own: bool = False) -> bool:
    """Whether these are the same, but for what differs from run to run."""
    texts = [masked(each.output, own=own) for each in (one, other)]
    return (one.command, one.code) == (other.command, other.code) and texts[0] == texts[1]


def masked(output: str, *, own: bool = False) -> str:
    """The output with the kind instead of each text that differs from run to run."""
    return "".join(f"<{kind}>" if kind else piece for kind, piece in kinds(output, own=own))


def merge(old: Sequence[Entry], new: Sequence[Entry], *, own: bool = False) -> tuple[Entry, ...]:
    """The new entries; where an old one says the same, the old one, so that nothing changes."""
    left = list(old)
    merged = []
    for entry in new:
        known = next((each for each in left if same(each, entry, own=own)), None)
        if known is not None:
            del left[: left.index(known) + 1]
        merged.append(known or entry)
    return tuple(merged)


class Commits:
    """Which commit of one run is which of another: as they are met, from the first lesson on.

    Their hashes need not be the same. But whatever is one commit here is one there, and what are
    two are two, whether a hash is written out or cut off.
    """

    def __init__(self) -> None:
        self._met: set[tuple[str, str]] = set()

    def meet(self, shown: Entry, seen: Entry) -> Iterator[tuple[str, str]]:
        """The pairs of hashes that can't be one commit, after all that was met before."""
        pairs = zip(commits(shown.output), commits(seen.output), strict=False)
        for one, other in dict.fromkeys(pairs):
            if len(one) == len(other) and all(_fit(one, other, *each) for each in self._met):
                self._met.add((one, other))
            else:
                yield one, other


def _fit(one: str, other: str, met: str, its: str) -> bool:
    """Whether two hashes are one commit just where the two that were met with them are."""
    shorter = min(len(one), len(met))
    return (one[:shorter] == met[:shorter]) == (other[:shorter] == its[:shorter])


def commits(output: str) -> tuple[str, ...]:
    """The hashes of commits in it."""
    return tuple(text for kind, text in kinds(output, own=True) if kind == "commit")


def merge_all(
    old: Sequence[Sequence[Entry]], new: Sequence[Sequence[Entry]], first: int
) -> tuple[tuple[Entry, ...], ...]:
    """All lessons in their order, merged. From number `first` on, their commits are the project's
    own: old ones are kept all together or not at all, so that no page shows two runs."""
    kept = [merge(*pair, own=at >= first) for at, pair in enumerate(zip(old, new, strict=True))]
    known = Commits()
    for at, pairs in enumerate(map(zip, kept, new)):
        for one, other in pairs:
            is_new = at >= first and one is other and commits(one.output)
            if is_new or any(known.meet(one, other)):
                return tuple(map(merge, old, new))
    return tuple(kept)


def _broken(path: Path | str, number: int, line: str) -> WorkshopError:
    return WorkshopError(
        f"this is no line of a transcript: {line!r}",
        "Don't edit it: `nox -s record` writes it.",
        path=f"{path}:{number}",
    )
