"""A cluster and a container engine that only pretend: two programs that keep notes in a folder.

    python pretended.py kubectl|docker|kind|minikube ARGUMENT...

The folder is SAID. Manifests are JSON here, and a release is well unless a file in that folder says
otherwise: `broken` holds a part of an image's name, and how its pods are.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path
from typing import Any

SAID = Path(os.environ.get("SAID", "."))
KINDS = ("v1 true Service|v1 true ConfigMap|v1 true Secret|v1 true Pod|apps/v1 true Deployment|"
         "apps/v1 true StatefulSet|batch/v1 true Job")  # fmt: skip


def main() -> int:
    program, *words = sys.argv[1:]
    with (SAID / "told").open("a", encoding="utf-8") as told:
        told.write(f"{program} {' '.join(words)}\n")
    if program != "kubectl":
        return docker(words) if program == "docker" else 0
    if words[0] == "--namespace":
        words = words[2:]
    return int(KUBECTL[words[0]](words[1:]) or 0)


def read(name: str, default: Any = None) -> Any:
    file = SAID / name
    return json.loads(file.read_text("utf-8")) if file.exists() else default


def write(name: str, value: Any) -> None:
    (SAID / name).write_text(json.dumps(value), "utf-8")


def docker(words: list[str]) -> int:
    images = read("images", {})
    if words[0] == "version":
        print(read("engine", "20.10"))
    elif words[0] == "build":
        where = Path(words[-1])
        found = {each.name: oct(each.stat().st_mode & 0o777) for each in where.iterdir()}
        images[words[words.index("--tag") + 1]] = found
        write("images", images)
        print("Last words of the build.", file=sys.stderr)
        return int(read("build", 0))
    elif words[:2] == ["image", "inspect"]:
        if "RepoDigests" in words[3]:
            print(json.dumps([f"{words[4].rpartition(':')[0]}@sha256:0a1b"]))
        elif words[-1] in images:
            print('{"Cmd": ["serve"]}')
        else:
            return 1
    return 0


def get(words: list[str]) -> int:
    what, state = words[0], read("state", {})
    if what == "nodes":
        info = {"containerRuntimeVersion": read("runtime", "docker://20.10")}
        listed([{"kind": "Node", "status": {"nodeInfo": info}}])
    elif what in ("namespace", "secret"):
        found = state.get(f"{what.capitalize()} {words[1]}")
        print(json.dumps(found) if found else "")
    elif what == "events":
        listed([])
    else:
        listed([one for each in state.values() for one in seen(each)])
    return 0


def listed(items: list[Any]) -> None:
    print(json.dumps({"kind": "List", "items": items}))


def seen(found: dict[str, Any]) -> list[dict[str, Any]]:
    """A workload and its pods, as a cluster has them a moment later."""
    if found["kind"] not in ("Deployment", "StatefulSet", "Job"):
        return []
    made = found["spec"]["template"]
    image = made["spec"]["containers"][0]["image"]
    how = next((how for word, how in read("broken", {}).items() if word in image), "")
    name, wanted = found["metadata"]["name"], found["spec"].get("replicas", 1)
    labels = made["metadata"].get("labels", {}) | {"job-name": name}
    pod = {
        "kind": "Pod", "spec": made["spec"],
        "metadata": {"name": f"{name}-0", "uid": "1", "labels": labels,
                     "annotations": made["metadata"].get("annotations", {}),
                     "ownerReferences": [{"kind": found["kind"]}]},
        "status": {"conditions": [{"type": "Ready", "status": str(not how)}],
                   "containerStatuses": [{"name": "it", "ready": not how, "state": {
                       "waiting": {"reason": how, "message": "It says why."}} if how else {}}]},
    }  # fmt: skip
    bad = how == "Failed"
    status: dict[str, Any] = {"conditions": []}
    if found["kind"] == "Job":
        kind = "Failed" if bad else "Complete"
        status["conditions"] = [{"type": kind, "status": "True", "message": "too often"}]
    elif bad:
        status["conditions"] = [{"type": "Progressing", "status": "False", "message": "too late"}]
    elif not how:
        counts = ("updatedReplicas", "replicas", "availableReplicas", "readyReplicas")
        status |= dict.fromkeys(counts, wanted)
    if found["kind"] == "Job" and how and not bad:
        status["conditions"] = []
    return [{**found, "status": status}, *([pod] * wanted)]


def keep(found: dict[str, Any]) -> None:
    if "stringData" in found:
        coded = {key: base64.b64encode(value.encode()).decode()
                 for key, value in found.pop("stringData").items()}  # fmt: skip
        found["data"] = coded
    state = read("state", {})
    state[f"{found['kind']} {found['metadata']['name']}"] = found
    write("state", state)


def create(words: list[str]) -> int:
    if "--dry-run=client" in words:
        print(Path(words[-1]).read_text("utf-8"))
        return 0
    keep(json.load(sys.stdin))
    return 0


def apply(_: list[str]) -> int:
    if (SAID / "refused").exists():
        print("The cluster says no.", file=sys.stderr)
        return 1
    for each in json.load(sys.stdin)["items"]:
        before = read("state", {}).get(f"{each['kind']} {each['metadata']['name']}", {})
        if "replicas" in before.get("spec", {}):  # what a description does not say stays
            each["spec"].setdefault("replicas", before["spec"]["replicas"])
        keep(each)
    return 0


def scale(words: list[str]) -> int:
    state = read("state")
    for each in words[1:]:
        kind, name = each.split("/")
        state[f"{kind} {name}"]["spec"]["replicas"] = int(words[0].rpartition("=")[2])
    write("state", state)
    return 0


def delete(words: list[str]) -> int:
    state = read("state", {})
    state.pop(f"{words[0].capitalize()} {words[1]}", state.pop(f"{words[0]} {words[1]}", None))
    write("state", state)
    return 0


KUBECTL = {
    "version": lambda _: read("version", 0),
    "config": lambda _: print(json.dumps(read("context", {"current-context": "lab"}))),
    "api-resources": lambda _: print("\n".join(f"them it {each}" for each in KINDS.split("|"))),
    "logs": lambda _: print("Last words."),
    "get": get, "create": create, "replace": create, "apply": apply, "scale": scale,
    "delete": delete,
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
