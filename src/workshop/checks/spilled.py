"""What looks like a secret that somebody wrote into a file. Pure: a path and bytes in, lines out.

Values are judged by where they stand. In a file for production, each value of a secret's name is
one. In development's files, a word such as `only-for-tests` protects nothing, and may stay.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from workshop import documents
from workshop.documents import Fields
from workshop.errors import WorkshopError

_PRIVATE = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[^A-Za-z0-9+/]{1,40}"
    rb"(?:[\w-]{1,60}: [^\n]*\s+){0,8}[A-Za-z0-9+/]{32}"
)
_MANIFEST = re.compile(rb"(?m)^[ \t{,\"'-]*kind[\"']?\s*:\s*[\"']?(Secret|List)\b[\"']?")
_SECTION = re.compile(r"^([ \t{\"']*)(?:data|stringData)[\"']?\s*:")
_PAIR = re.compile(r"^\s*[\"']?[\w.-]+[\"']?\s*:\s*[\"']?([^\s\"'].*)$")
_PROSE = (".md", ".rst", ".py")  # they may show how a manifest looks, or make one

_NAMES = re.compile(r"SECRET|PASSW|TOKEN|CREDENTIAL|PRIVATE|(^|_|API)KEY(_|$)", re.IGNORECASE)
_NO_SECRET = re.compile(
    r"_(FILE|PATH|NAME|URL|HOST|USER|HEADER|METHOD|HASHERS|AGE|TIMEOUT)$|PUBLIC", re.IGNORECASE
)
_IN_ADDRESS = re.compile(r"//[^/@\s:]*:([^/@\s]+)@")
_DEFAULT = re.compile(r"\$\{\w+:?-([^}]*)\}")
_HARMLESS = re.compile(
    r"only|test|dev|local|none|null|dummy|unused|build|stage|fake|chang|example|placeholder|<|\{\{",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"\d{0,7}|true|false|yes|no|on|off|.", re.IGNORECASE)

_ENVS = re.compile(r"(^|/)(deployment/envs/[^/]+|\.env[^/]*|[^/]+\.env(\.[^/]*)?)$")
_SHOWN_HOW = re.compile(r"example|sample|template|dist\b", re.IGNORECASE)
_COMPOSE = re.compile(r"(^|/)(docker-)?compose[^/]*\.ya?ml$")
_PIPELINE = re.compile(r"(^|/)[^/]*\.gitlab-ci\.ya?ml$")
# A database that lives as long as its tests, beside them, protects nothing.
_FOR_TESTS = re.compile(
    r"POSTGRES_PASSWORD|@(?:postgres|database|db|localhost|127\.0\.0\.1)(?:[:/]|$)"
)
_TYPED = (
    (re.compile(r"\blogin\b.*\s-p[ =]?([\"']?[^\s\"'$][^\s$]*)"), "the password of a login"),
    (re.compile(r"\s--(?:password|token)[ =]([\"']?[^\s\"'$][^\s$]*)"), "a password or a token"),
    (re.compile(r"\becho (?:-n )?([\"']?[^\s\"'$][^\s$]*)[^|]*\|.*--password-stdin"),
     "the password of a login"),
    (re.compile(r"\s(?:-u|--user)[ =][\"']?[^\s:]+:([^\s\"'$]+)"), "the password of a user"),
    (re.compile(r"(?:TOKEN|Authorization): ?(?:Bearer |Basic )?([\w.-]{8,})"), "a token"),
    (re.compile(r"\b((?:glpat|gldt|glrt|glsa|gh[pousr]|dckr_pat)[-_]\w{16,}|eyJ[\w-]{20,})"),
     "a token"),
    (re.compile(r"\b(YXBpVmVyc2lvb[\w+/=]{20,})"), "the key of a cluster"),
)  # fmt: skip
_DOCKERFILE = re.compile(r"(^|/)((Docker|Container)file[^/]*|[^/]+\.(docker|container)file)$", re.I)

_ENV_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$")
_COMPOSE_LINE = re.compile(
    r"^\s*(?:-\s*)?(?:export\s+)?[\"']?([A-Za-z_]\w*)[\"']?\s*(?:=|:\s)\s*(.*?)\s*$"
)
_SPACES = b" \t\r\n\0"  # also where a Windows shell has written two bytes for each letter


class Spilled(NamedTuple):
    """A secret that can be read: on which line, and what it is. Never its value."""

    line: int
    what: str


class Sought:
    """A value, in each form in which it is written down: as it is, and in base64."""

    def __init__(self, value: bytes) -> None:
        self._forms = tuple(dict.fromkeys((value, *_in_base64(value))))

    def line(self, data: bytes) -> int:
        """The line on which it begins; 0 when it is not in there."""
        if not any(each in data for each in self._forms):
            packed = data.translate(None, _SPACES)
            return int(any(each in packed for each in self._forms))
        first = min(at for each in self._forms if (at := data.find(each)) >= 0)
        return data.count(b"\n", 0, first) + 1


def look(path: str, data: bytes) -> Iterator[Spilled]:
    """The secrets in a file of this name, or, without one, in what a commit says."""
    if found := _PRIVATE.search(data):
        yield Spilled(data.count(b"\n", 0, found.start()) + 1, "a private key")
    if _MANIFEST.search(data) and PurePosixPath(path).suffix not in _PROSE:
        yield from _manifests(data)
    lines = _lines(path, data)
    line = _PIPELINE.search(path)
    strict = not _COMPOSE.search(path) and not _SHOWN_HOW.search(PurePosixPath(path).name)
    for number, name, raw in lines:
        value = raw.strip("\"'")
        inside = _IN_ADDRESS.search(value)
        named = _NAMES.search(name) and not _NO_SECRET.search(name)
        if line and name == "key":  # under which it keeps a cache
            continue
        hard = strict and not (line and _FOR_TESTS.search(f"{name} {value}"))
        if inside and _tells(inside[1], strict=hard):
            yield Spilled(number, f"the password in {name}")
        elif named and not inside and _tells(value, strict=hard):
            yield Spilled(number, f"the value of {name}")
    if line:
        yield from _typed(data.decode("utf-8", "replace"))


def token(address: str) -> bool:
    """Whether a remote's address has a password in it, or a token."""
    inside = _IN_ADDRESS.search(address)
    if inside:
        return "gitlab-ci-token:" not in address and _tells(inside[1], strict=True)
    alone = re.search(r"//([^/@\s:]+)@", address)
    return bool(alone and _made_up(alone[1]))


def _tells(value: str, *, strict: bool) -> bool:
    """Whether a value is one that protects something."""
    if default := _DEFAULT.search(value):
        value = default[1]
    elif "$" in value.replace("$$", ""):
        return False  # it comes from somewhere else
    if _PLAIN.fullmatch(value):
        return False
    return _made_up(value) or (strict and not _HARMLESS.search(value))


def _made_up(value: str) -> bool:
    """Whether it looks as if a program has made it: long, of letters and digits, all mixed."""
    mixed = re.search(r"\d", value) and re.search(r"[A-Za-z]", value)
    return len(value) >= 16 and len(set(value)) >= 9 and bool(mixed) and "$" not in value


def _lines(path: str, data: bytes) -> Iterator[tuple[int, str, str]]:
    """What is set in a file that configures something: the line, the name and the value."""
    text = data.decode("utf-8", "replace")
    if _DOCKERFILE.search(path):
        yield from _dockerfile(text)
        return
    listed = _COMPOSE.search(path) or _PIPELINE.search(path)
    shape = _ENV_LINE if _ENVS.search(path) else _COMPOSE_LINE if listed else None
    for number, line in enumerate(text.splitlines() if shape else (), start=1):
        if shape and (found := shape.match(line)):
            yield number, found[1], f" {found[2]}".partition(" #")[0].strip()


def _typed(text: str) -> Iterator[Spilled]:
    """What somebody has written into a command."""
    for number, line in enumerate(text.splitlines(), start=1):
        for shape, what in _TYPED:
            found = shape.search(line)
            if found and _tells(found[1].strip("\"'"), strict=True):
                yield Spilled(number, what)
                break


def _dockerfile(text: str) -> Iterator[tuple[int, str, str]]:
    number = 1
    # A line that ends in a backslash goes on; comments between do not end it.
    for whole in re.findall(r"(?m)(?:^.*\\\s*\n(?:\s*#.*\n)*)*^.*\n?", text):
        words = re.match(r"\s*(?:ENV|ARG)\s+(.*)", whole.replace("\\\n", " "), re.I | re.S)
        pairs = words and re.findall(r"([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|\S*)", words[1])
        old = words and not pairs and re.match(r"([A-Za-z_]\w*)\s+(.*?)\s*$", words[1], re.S)
        for name, value in pairs or ([old.groups()] if old else ()):
            yield number + whole[: max(whole.find(f"{name}="), 0)].count("\n"), name, value
        number += whole.count("\n")


def _manifests(data: bytes) -> Iterator[Spilled]:
    try:
        found = documents.read(data, "")
    except WorkshopError:
        yield from _unreadable(data.decode("utf-8", "replace"))
        return
    for each in found:
        for one in each.get("items") or () if each.get("kind") == "List" else (each,):
            if isinstance(one, Fields) and one.get("kind") == "Secret":
                yield from _secret(one)


def _secret(one: Fields) -> Iterator[Spilled]:
    meta = one.get("metadata")
    name = meta.get("name") if isinstance(meta, Fields) else None
    for section in ("data", "stringData"):
        values = one.get(section)
        if isinstance(values, Fields) and any(map(_is_set, values.values())):
            what = f"the Secret {name}" if isinstance(name, str) else "a Secret"
            yield Spilled(one.lines[section], f"{what}, which was never sealed")
            return


def _is_set(value: object) -> bool:
    if not isinstance(value, str):
        return value is not None
    return bool(value) and not re.search(r"\{\{|^\$|^<", value)


def _unreadable(text: str) -> Iterator[Spilled]:
    """A Secret in what is no YAML, such as a template of some: by its lines."""
    before = 1
    for document in re.split(r"(?m)^---.*$", text):
        lines = document.splitlines()
        if re.search(r"(?m)^[ \t{,\"']{0,4}kind[\"']?\s*:\s*[\"']?Secret[\"']?\s*,?\s*$", document):
            for number, line in enumerate(lines):
                following = _deeper(lines[number:]) if _SECTION.match(line) else ()
                values = [found[1] for each in following if (found := _PAIR.match(each))]
                if any(map(_is_set, values)):
                    yield Spilled(before + number, "a Secret, which was never sealed")
                    break
        before += document.count("\n")


def _deeper(lines: list[str]) -> Iterator[str]:
    """The lines below the first one that belong to it: they are further to the right."""
    far = len(lines[0]) - len(lines[0].lstrip())
    for line in lines[1:]:
        if line.strip() and len(line) - len(line.lstrip()) <= far:
            return
        yield line


def _in_base64(value: bytes) -> Iterator[bytes]:
    """The part that stays the same, whatever stands before and behind it in the same text."""
    for before in range(3):
        coded = base64.b64encode(bytes(before) + value)
        cut = (0, 2, 3)[before]
        end = len(coded) if (before + len(value)) % 3 == 0 else coded.index(b"=") - 1
        yield coded[cut:end]
        yield coded[cut:end].translate(bytes.maketrans(b"+/", b"-_"))
