"""Plays `docker` and `kubectl` in a dry run: `players.py docker push demo:1`.

It builds nothing and deploys nothing. It notes what would go well, in the file that WORKSHOP_CALLS
names, and says no where the real one would at once: for a file that is not there, for an image that
nobody has built. A learner's machine need have neither program. What installs something on a
runner, such as pip, is played as well: here, it is there already. It runs in a process of its own,
with nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOG = "WORKSHOP_CALLS"
_JOB = ("CI_JOB_NAME", "GITHUB_JOB")  # where a job finds its name, in GitLab and in GitHub
PLAYED = ("docker", "kubectl", "pip", "pip3", "pipx", "apk", "apt-get")
_FILES = ("-f", "--file", "--filename", "--from-file", "--from-env-file", "-k", "--kustomize")
_STDIN = ("-", "/dev/stdin")
_NAME = re.compile(r"(?m)^metadata:[ \t]*\n(?:  .*\n)*?  name:[ \t]*[\"']?([\w.-]+)")
_JOBS = {"job", "jobs", "job.batch", "jobs.batch"}
_TAKES_FILES = ("apply", "create", "delete", "replace", "rollout", "wait")
_WITH_VALUE = (
    "-f", "--format", "-t", "--tag", "--type", "--platform", "--build-arg", "--label", "--target",
    "--iidfile", "--metadata-file", "--file", "--builder", "-o", "--output", "-n", "--namespace",
    "--from-file", "--from-env-file", "--from-literal",
)  # fmt: skip


def main(program: str, *words: str) -> int:
    """Answer, and note the call unless it fails. Returns the exit code."""
    job = next(filter(None, map(os.environ.get, _JOB)), "")
    if not job or program not in ("docker", "kubectl"):
        if "inspect" in words:
            print('[{"Config": {}}]')
        return 0  # it is no job who asks, but what runs them; or there is nothing to do
    names = list(_files(program, words))
    said = sys.stdin.read() if any(each in _STDIN for each in names) else ""
    texts = [said]
    for name in names:
        if name in _STDIN:
            continue
        if re.match(r"https?://", name):
            texts += [f"# {name}"]  # what stands there, nobody asks: nothing leaves the machine
            continue
        if not Path(name).exists():
            print(f"error: the path {name!r} does not exist", file=sys.stderr)
            return 1
        texts += _texts(Path(name))
    calls = _calls()
    docker = program == "docker"
    code = _docker(words, calls) if docker else _kubectl(words, "".join(texts), calls)
    if code == 0:
        call = {"job": job, "program": program, "words": words, "text": "\n".join(texts)}
        with Path(os.environ[LOG]).open("ab", buffering=0) as log:  # all at once: others read it
            log.write(f"{json.dumps(call)}\n".encode())
    return code


def digest(name: str) -> str:
    """By which name a registry would know what is pushed as `name`."""
    repository = re.sub(r":[^:/]*$", "", name)
    return f"{repository}@sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def _docker(words: tuple[str, ...], calls: list[dict[str, Any]]) -> int:
    if "build" in words[:2]:
        return _built(words)
    image = next(reversed(_plain(words)), "")
    if "push" in words[:2]:
        if not _known(image, calls, "build", "tag"):
            print(f"An image does not exist locally with the tag: {image}", file=sys.stderr)
            return 1
        quiet = {"-q", "--quiet"}.intersection(words)
        found = digest(image).partition("@")[2]
        print(image if quiet else f"{image.rpartition(':')[2]}: digest: {found} size: 1")
    elif "inspect" in words[:3]:
        if not _known(image, calls, "build", "tag", "pull"):
            print(f"Error: No such image: {image}", file=sys.stderr)
            return 1
        form = next(_values(words, "-f", "--format"), "")
        pushed = _known(image, calls, "push", "pull", "--push")
        if "RepoDigests" in form and not pushed:
            print("error calling index: index out of range: 0", file=sys.stderr)
            return 1
        whole = json.dumps([{"RepoDigests": [digest(image)] if pushed else []}])
        print(re.sub(r"\{\{.*\}\}", lambda _: _filled(image, form), form) if form else whole)
    return 0


def _built(words: tuple[str, ...]) -> int:
    if not any(each == "-" or Path(each).is_dir() for each in _plain(words)):
        print("docker build requires a folder to build in, such as . (a dot)", file=sys.stderr)
        return 1
    found = digest(next(_values(words, "-t", "--tag"), "")).partition("@")[2]
    for name in _values(words, "--iidfile"):
        Path(name).write_text(found, "utf-8")
    for name in _values(words, "--metadata-file"):
        told = json.dumps({"containerimage.digest": found}, indent=2)
        Path(name).write_text(told, "utf-8")
    return 0


def _filled(image: str, form: str) -> str:
    """What stands for the braces: the digest with a name in front of it, or alone."""
    alone = ".Manifest" in form or ".Digest" in form or ".Id" in form
    return digest(image).partition("@")[2] if alone else digest(image)


def _kubectl(words: tuple[str, ...], text: str, calls: list[dict[str, Any]]) -> int:
    if any(each.startswith("--dry-run") for each in words):
        print(_made(words))
    elif "apply" in words and not any(_values(words, "-k", "--kustomize")) and not text.strip():
        print("error: no objects passed to apply", file=sys.stderr)
        return 1
    elif (
        "apply" in words
        and "--force" not in words
        and (job := _in_the_way(text, namespace(words), calls))
    ):
        print(f'The Job "{job}" is invalid: spec.template: field is immutable', file=sys.stderr)
        print("(It is there already: the one of the release before.)", file=sys.stderr)
        return 1
    elif "get" in words:
        here = [each for each in calls if namespace(each["words"]) == namespace(words)]
        found = re.findall(
            r"^\s*(?:- )?image:\s*(\S*@\S+)", "\n".join(each["text"] for each in here), re.M
        )
        print(found[-1] if found else "")
    return 0


def _made(words: tuple[str, ...]) -> str:
    """What `create` would make, as it prints it: the kind, and the name."""
    said = _plain(words[words.index("create") :]) if "create" in words else []
    kind, *names = said or [""]
    if kind in ("configmap", "cm"):
        return f"kind: ConfigMap\nmetadata:\n  name: {next(iter(names), '')}"
    return f"kind: {kind.capitalize()}"


def _in_the_way(text: str, where: str, calls: list[dict[str, Any]]) -> str:
    """The name of a Job that can't be applied. Each place has a release already, a Job can't be
    changed, and no call has deleted the one that is there. (A name that no manifest of the project
    has is made anew for each release, and is in nobody's way.)"""
    files = Path("deployment").rglob("*.y*ml")
    own = {name for each in files for name in _NAME.findall(each.read_text("utf-8", "replace"))}
    for document in re.split(r"(?m)^---", text):
        name = next(iter(_NAME.findall(document)), "")
        if not re.search(r"(?m)^kind:[ \t]*[\"']?Job\b", document) or not name:
            continue
        gone = any(
            "delete" in each["words"] and _is_about(each, name)
            for each in calls if namespace(each["words"]) == where
        )  # fmt: skip
        if name in own and not gone:
            return name
    return ""


def _is_about(call: dict[str, Any], job: str) -> bool:
    """Whether a call names this Job: itself, by a file, or among all that there are."""
    words = set(call["words"])
    many = any(each.startswith(("--all", "-l", "--selector")) for each in words)
    return (
        job in _NAME.findall(call["text"])
        or bool(words & {f"{kind}/{job}" for kind in _JOBS})
        or bool(words & _JOBS and (many or job in words))
    )


def namespace(words: tuple[str, ...] | list[str]) -> str:
    """Where a call of kubectl does what it does."""
    return next(_values(words, "-n", "--namespace"), "default")


def _known(name: str, calls: list[dict[str, Any]], *verbs: str) -> bool:
    """Whether an earlier call with one of these verbs named this image."""
    return any(
        name in (*each["words"], *_values(each["words"], "-t", "--tag"))
        and any(verb in each["words"] for verb in verbs)
        for each in calls if each["program"] == "docker"
    )  # fmt: skip


def _plain(words: tuple[str, ...]) -> list[str]:
    """The words behind the verb that are no option, and no option's value."""
    return [
        word for before, word in itertools.pairwise(words)
        if before not in _WITH_VALUE and (word == "-" or not word.startswith("-"))
    ]  # fmt: skip


def _files(program: str, words: tuple[str, ...]) -> Iterator[str]:
    """The files that a call names."""
    chosen = ("-f", "--file") if program == "docker" else _FILES
    takes = "build" in words[:2] if program == "docker" else set(_TAKES_FILES) & set(words)
    for each in _values(words, *chosen) if takes else ():
        yield each.partition("=")[2] if "=" in each else each


def _texts(path: Path) -> list[str]:
    """What is in a file, or, of a folder, in its manifests."""
    files = sorted(path.glob("*.y*ml")) if path.is_dir() else [path]
    return [each.read_text("utf-8", "replace") for each in files]


def _values(words: tuple[str, ...] | list[str], *options: str) -> Iterator[str]:
    """What stands behind these options: `--option value`, `--option=value`, or `-ovalue`."""
    for at, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in options and equals:
            yield value
        elif option in options and at + 1 < len(words):
            yield words[at + 1]
        elif option not in options and not word.startswith("--") and word[:2] in options:
            yield word[2:]


def _calls() -> list[dict[str, Any]]:
    file = Path(os.environ[LOG])
    lines = file.read_text("utf-8").splitlines() if file.exists() else ()
    return [json.loads(line) for line in lines]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
