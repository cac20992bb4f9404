"""Plays `docker` and `kubectl` in a dry run: `players.py docker push demo:1`.

It builds nothing and deploys nothing. It notes each call, in the file that WORKSHOP_CALLS names,
and says no where the real one would at once: for a file that is not there, for an image that nobody
has built. A learner's machine need have neither program. It runs in a process of its own, with
nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOG = "WORKSHOP_CALLS"
_JOB = ("CI_JOB_NAME", "GITHUB_JOB")  # where a job finds its name, in GitLab and in GitHub
_FILES = ("-f", "--file", "--filename", "--from-file", "--from-env-file", "-k", "--kustomize")
_STDIN = ("-", "/dev/stdin")


def main(program: str, *words: str) -> int:
    """Note the call, and answer. Returns the exit code."""
    names = list(_files(program, words))
    said = sys.stdin.read() if any(each in _STDIN for each in names) else ""
    texts = [said]
    for name in names:
        file = Path(name)
        if name in _STDIN:
            continue
        if not file.exists():
            print(f"error: the path {name!r} does not exist", file=sys.stderr)
            return 1
        texts += [file.read_text("utf-8", "replace")] if file.is_file() else []
    calls = _calls()
    call = {
        "job": next(filter(None, map(os.environ.get, _JOB)), ""), "program": program,
        "words": words, "text": "\n".join(texts),
    }  # fmt: skip
    with Path(os.environ[LOG]).open("a", encoding="utf-8") as log:
        log.write(json.dumps(call) + "\n")
    return _docker(words, calls) if program == "docker" else _kubectl(words, calls)


def digest(name: str) -> str:
    """By which name a registry would know what is pushed as `name`."""
    repository = re.sub(r":[^:/]*$", "", name)
    return f"{repository}@sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def _docker(words: tuple[str, ...], calls: list[dict[str, Any]]) -> int:
    if "build" in words[:2]:
        for name in _values(words, "--iidfile", "--metadata-file"):
            found = digest(next(_values(words, "-t", "--tag"), "")).partition("@")[2]
            told = (
                json.dumps({"containerimage.digest": found})
                if "--metadata" in str(words)
                else found
            )
            Path(name).write_text(told, "utf-8")
    elif "push" in words[:2]:
        if not _known(words[-1], calls, "build", "tag"):
            print(f"An image does not exist locally with the tag: {words[-1]}", file=sys.stderr)
            return 1
        print(f"digest: {digest(words[-1]).partition('@')[2]} size: 1")
    elif "inspect" in words[:2]:
        if not _known(words[-1], calls, "build", "tag", "pull"):
            print(f"Error: No such image: {words[-1]}", file=sys.stderr)
            return 1
        form = next(_values(words, "-f", "--format"), "{{}}")
        if "RepoDigests" in form and not _known(words[-1], calls, "push", "pull", "--push"):
            print("error calling index: index out of range: 0", file=sys.stderr)
            return 1
        print(re.sub(r"\{\{.*?\}\}", digest(words[-1]), form))
    return 0


def _kubectl(words: tuple[str, ...], calls: list[dict[str, Any]]) -> int:
    if any(each.startswith("--dry-run") for each in words):
        print("kind: ConfigMap")
    elif "get" in words:
        here = [each for each in calls if namespace(each["words"]) == namespace(words)]
        found = re.findall(
            r"^\s*(?:- )?image:\s*(\S*@\S+)", "\n".join(each["text"] for each in here), re.M
        )
        print(found[-1] if found else "")
    return 0


def namespace(words: tuple[str, ...] | list[str]) -> str:
    """Where a call of kubectl does what it does."""
    return next(_values(words, "-n", "--namespace"), "default")


def _known(name: str, calls: list[dict[str, Any]], *verbs: str) -> bool:
    """Whether an earlier call with one of these verbs named this image."""
    return any(
        name in each["words"] and any(verb in each["words"] for verb in verbs)
        for each in calls if each["program"] == "docker"
    )  # fmt: skip


def _files(program: str, words: tuple[str, ...]) -> Iterator[str]:
    """The files that a call names."""
    chosen = ("-f", "--file") if program == "docker" else _FILES
    if program == "docker" and "build" not in words[:2]:
        return
    for each in _values(words, *chosen):
        name = each.partition("=")[2] if "=" in each else each
        yield name


def _values(words: tuple[str, ...] | list[str], *options: str) -> Iterator[str]:
    """What stands behind these options, `--option value` or `--option=value`."""
    for at, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in options:
            if equals:
                yield value
            elif at + 1 < len(words):
                yield words[at + 1]


def _calls() -> list[dict[str, Any]]:
    file = Path(os.environ[LOG])
    return (
        [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
