"""What seals secrets, so that they may stand in git. A value is never shown, and never an argument.

Arguments are seen by everyone who lists processes, and kept in the shell's history.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.commands import GREEN, project_argument

if TYPE_CHECKING:
    from workshop.commands import Verb
    from workshop.secret import Target

_STDIN = "standard input"
_MANY = 50  # bytes of chance in a value that is made up: as in the secrets of the local production


def seal(args: argparse.Namespace) -> int:
    """Seal a manifest, or values; or look after the keys."""
    from workshop import git
    from workshop.errors import WorkshopError

    project = git.top(args.project)
    if args.environment:
        from workshop.production import namespace
        from workshop.production import place as places

        if args.namespace:
            raise WorkshopError("the namespace is given twice", "Leave --namespace out.")
        args.namespace = namespace.called(places.of(project, args.environment))
    if args.certificate or args.rotate:
        if args.words or args.generate or args.certificate == args.rotate:
            what = "--certificate" if args.certificate else "--rotate"
            raise WorkshopError(f"{what} stands alone", "Leave the other words out.")
        return _certificate(project) if args.certificate else _rotate(project)
    if len(args.words) > 1 or args.generate:
        return _values(args, project)
    return _manifest(args, project)


def _certificate(project: Path) -> int:
    sys.stdout.write(_newest(project).decode("ascii"))
    return GREEN


def _rotate(project: Path) -> int:
    from workshop.paths import program
    from workshop.production import sealer

    sealer.rotate(project)
    print("A new key pair seals from now on. What was sealed before still opens.")
    print("\nSeal it anew, file by file; no value is shown:")
    print(f"  {program()} seal FILE --output FILE")
    print("\nDid somebody see a value, or get an old key? Then change the value, too.")
    return GREEN


def _newest(project: Path) -> bytes:
    """The certificate that seals, and, if its pair was made just now, a word about that."""
    from workshop.production import sealer

    first = not sealer.pairs(project)
    certificate = sealer.newest(project).certificate
    if first:
        print(f"The project has a key pair now, in {sealer.folder(project)}\n"
              "Keep a copy of that folder: without it, nothing that is sealed opens again.\n",
              file=sys.stderr)  # fmt: skip
    return certificate


def _target(args: argparse.Namespace, name: str | None) -> Target:
    from workshop.secret import Target

    return Target(args.namespace, name, args.scope)


def _manifest(args: argparse.Namespace, project: Path) -> int:
    """As kubeseal does: a Secret in, a SealedSecret out."""
    from workshop import sealed
    from workshop.errors import WorkshopError
    from workshop.paths import program
    from workshop.production import sealer

    (word,) = args.words or ("-",)
    if not args.words and sys.stdin.isatty():
        raise WorkshopError(
            "seal what?",
            f"The values of a new secret: {program()} seal --namespace NAMESPACE NAME KEY…\n"
            f"Or a manifest: {program()} seal FILE",
        )
    path: Path | str = _STDIN if word == "-" else Path(word)
    raw = _input(path)
    pairs = sealer.pairs(project)
    _before(args.output)
    text = sealed.seal(
        raw, pairs[0].certificate if pairs else _newest(project), path=path,
        keys=[pair.private for pair in pairs], target=_target(args, args.name),
    )  # fmt: skip
    _give(text, args.output)
    return GREEN


def _values(args: argparse.Namespace, project: Path) -> int:
    """Without a plain manifest: values are typed unseen, piped in, or made up."""
    from workshop import sealed, secret
    from workshop.errors import WorkshopError

    name, keys = (args.words or [""])[0], [secret.checked(key) for key in args.words[1:]]
    made_up = [secret.checked(key) for key in args.generate]
    if args.name:
        raise WorkshopError("the name is given twice", f"Leave --name out: it is {name}.")
    twice = [key for key in (*keys, *made_up) if (keys + made_up).count(key) > 1]
    if twice:
        raise WorkshopError(f"{twice[0]} is named twice", "Name each key once.")
    place = secret.place(_target(args, name))
    before, certificate = _before(args.output), _newest(project)
    if before:  # asked now, since what is typed unseen is typed for nothing when it is refused
        sealed.merged(before, place, {}, certificate, path=args.output)
    values = _asked(keys) | {key: _made_up() for key in made_up}
    if before:
        text = sealed.merged(before, place, values, certificate, path=args.output)
    else:
        text = sealed.made(place, values, certificate)
    _give(text, args.output)
    return GREEN


def _asked(keys: list[str]) -> dict[str, bytes]:
    """What is typed, unseen; or the lines of a pipe. All of it is one value if one is asked for."""
    from workshop.errors import WorkshopError

    if not keys:
        return {}
    if sys.stdin.isatty():
        return {key: _typed(key) for key in keys}
    raw = sys.stdin.buffer.read()
    raw = raw.removesuffix(b"\n").removesuffix(b"\r")  # `echo` adds it, and no password has it
    found = [raw] if len(keys) == 1 else [line.removesuffix(b"\r") for line in raw.split(b"\n")]
    if len(found) != len(keys):
        raise WorkshopError(
            f"there are {len(found)} lines for {len(keys)} keys: {', '.join(keys)}",
            "Give a line for each, in this order. A value of many lines is sealed alone.",
            path=_STDIN,
        )
    values = dict(zip(keys, found, strict=True))
    for key, value in values.items():
        if not value:
            raise WorkshopError(f"the value of {key} is empty", "Give one.", path=_STDIN)
    return values


def _typed(key: str) -> bytes:
    import getpass
    import warnings

    from workshop.errors import WorkshopError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            value = getpass.getpass(f"{key} (you see nothing while you type): ")
    except (getpass.GetPassWarning, EOFError):
        raise WorkshopError(
            f"{key} can't be typed here without being seen", "Pipe it in, a line for each key."
        ) from None
    if not value:
        raise WorkshopError(f"the value of {key} is empty", "Type it, or paste it.")
    return value.encode(errors="surrogateescape")  # the bytes that were typed


def _made_up() -> bytes:
    import secrets

    return secrets.token_urlsafe(_MANY).encode()


def _input(path: Path | str) -> bytes:
    from workshop.errors import WorkshopError
    from workshop.paths import program

    if isinstance(path, str):
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise WorkshopError(
            "there is no such file",
            f"To seal values without one, name their keys: {program()} seal {path.name} KEY…",
            path=path,
        ) from None
    except OSError as error:
        raise WorkshopError(
            f"it can't be read: {error.strerror}", "Name a file.", path=path
        ) from None


def _before(output: Path | None) -> bytes:
    """What stands in the output, to be written over: nothing, or what is sealed.

    So no plain manifest is lost, not even the one that is being read, by whatever name.
    """
    from workshop import sealed
    from workshop.errors import WorkshopError

    if output is None or not output.exists():
        return b""
    raw = output.read_bytes() if output.is_file() else None
    try:
        harmless = raw is not None and (not raw or sealed.is_sealed(raw, output))
    except WorkshopError:  # it is no manifest at all
        harmless = False
    if raw is None or not harmless:
        raise WorkshopError(
            "this is not sealed, and would be lost", "Write to another file.", path=output
        )
    return raw


def _give(text: str, output: Path | None) -> None:
    """To the output, whole or not at all. What is sealed may be read by everybody."""
    from workshop.errors import WorkshopError

    if output is None:
        sys.stdout.write(text)
        return
    target = output.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(target)
    except OSError as error:
        raise WorkshopError(
            f"it can't be written: {error.strerror}",
            "Name a file in a folder of yours.",
            path=output,
        ) from None
    finally:
        part.unlink(missing_ok=True)
    print(f"Sealed: {output}. Commit it.")


def _for_seal(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    own.add_argument(
        "words", metavar="NAME KEY… | FILE", nargs="*",
        help="the keys of the secret NAME: each value is asked for, unseen, or read from a pipe, a"
        " line for each. Or a FILE with a Secret's manifest; without one, it is read from a pipe."
        " What is sealed already is sealed anew",
    )  # fmt: skip
    own.add_argument(
        "--generate", metavar="KEY", action="append", default=[],
        help="make up the value of this key, and show it to nobody; may be given more than once",
    )  # fmt: skip
    own.add_argument("--namespace", metavar="NAMESPACE", help="where it opens, and nowhere else")
    own.add_argument(
        "--env", "--environment", dest="environment", metavar="ENVIRONMENT",
        help="the same, by the environment that lives there, such as production",
    )  # fmt: skip
    own.add_argument("--name", metavar="NAME", help="instead of the name that the manifest has")
    own.add_argument(
        "--scope", metavar="SCOPE",
        help="strict: only in its namespace, under its name (the default); namespace-wide: under"
        " any name; cluster-wide: in any namespace",
    )  # fmt: skip
    own.add_argument(
        "--output", metavar="FILE", type=Path,
        help="write the SealedSecret there; values of NAME that are there, and not named, stay",
    )  # fmt: skip
    own.add_argument(
        "--certificate",
        action="store_true",
        help="show the public certificate, for kubeseal --cert",
    )
    own.add_argument(
        "--rotate", action="store_true", help="make a new key pair; the old ones still open"
    )


VERBS: Mapping[str, Verb] = {"seal": (_for_seal, seal)}
