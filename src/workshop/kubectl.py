"""The only caller of kubectl. It asks no cluster but the one that KUBECONFIG names.

Without that variable, kubectl would take the cluster that somebody has talked to last. That may be
the one that their visitors are on. A check makes things, and removes them: nothing for a guess.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from workshop.containers import Ended
from workshop.errors import WorkshopError

VARIABLE = "KUBECONFIG"
_PATIENCE = 10.0  # seconds for a question

Object = dict[str, Any]  # anything that a manifest describes, as Kubernetes' API has it


def answers() -> bool:
    """Whether KUBECONFIG names a cluster, and it answers."""
    return run("version", timeout=_PATIENCE).code == 0


def needed() -> None:
    """Raises WorkshopError, with what to do, unless KUBECONFIG names a cluster, and it answers."""
    if shutil.which("kubectl") is None:
        raise WorkshopError(
            "kubectl is not installed",
            "Install it: https://kubernetes.io/docs/tasks/tools/",
        )
    if not os.environ.get(VARIABLE):
        raise WorkshopError(
            f"{VARIABLE} names no cluster, and nothing is deployed by a guess",
            f"Say which one. The file that most tools write: export {VARIABLE}=~/.kube/config",
        )
    asked = run("version", timeout=_PATIENCE)
    if asked.code != 0:
        said = asked.said.strip().splitlines()
        raise WorkshopError(
            "the cluster does not answer" + (f": {said[-1]}" if said else ""),
            f"Is it up? Does {VARIABLE} name the right one? Ask it: kubectl version",
        )


def run(
    *args: str, cwd: Path | None = None, stdin: str = "", timeout: float | None = None
) -> Ended:
    """Run kubectl. Kills it after `timeout` seconds: then the code is -1. So it is when there is no
    kubectl, and when nobody has named a cluster."""
    if not os.environ.get(VARIABLE):
        return Ended(-1, "", f"{VARIABLE} names no cluster")
    try:
        done = subprocess.run(
            ["kubectl", *args],
            cwd=cwd,
            env=os.environ | _named(),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ended(-1, "", f"it did not end within {timeout:.0f} seconds")
    except OSError as error:
        return Ended(-1, "", str(error))
    return Ended(done.returncode, done.stdout, done.stderr)


def begin(*args: str) -> subprocess.Popen[str]:
    """Start a command that goes on. It reads what is written to it; who starts it ends it."""
    return subprocess.Popen(
        ["kubectl", *args],
        env=os.environ | _named(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )


def _named() -> dict[str, str]:
    """KUBECONFIG, from wherever it is read: it may name its files as they are seen from here."""
    files = os.environ.get(VARIABLE, "").split(os.pathsep)
    return {VARIABLE: os.pathsep.join(str(Path(each).absolute()) for each in files if each)}


def objects(*args: str) -> tuple[Object, ...]:
    """What `kubectl get` finds; nothing when it fails."""
    return tuple(parsed(run("get", *args, "--output", "json").out))


def parsed(text: str) -> Iterator[Object]:
    """The objects in JSON, one behind the other: kubectl prints some in a list, and some not."""
    decoder, text = json.JSONDecoder(), text.strip()
    while text:
        found, end = decoder.raw_decode(text)
        text = text[end:].lstrip()
        if found["kind"].endswith("List") and "items" in found:
            yield from found["items"]
        else:
            yield found


def namespaced() -> frozenset[tuple[str, str]]:
    """The kinds of objects that live in a namespace, each with its version."""
    return frozenset(_kinds("true"))


def _kinds(in_namespaces: str) -> Iterator[tuple[str, str]]:
    said: Sequence[str] = run(
        "api-resources", f"--namespaced={in_namespaces}", "--no-headers"
    ).out.splitlines()
    for line in said:
        version, _, kind = line.split()[-3:]  # short names stand before, and not everywhere
        yield version, kind
