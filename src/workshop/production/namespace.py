"""What is done in one namespace, through kubectl: make it, fill it, look, clear up."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from workshop import kubectl, workloads
from workshop.containers import Ended
from workshop.errors import WorkshopError
from workshop.kubectl import Object
from workshop.production import objects, release
from workshop.production import place as places
from workshop.production.applied import Held
from workshop.production.place import Place

FILE = "namespace.json"  # in the place of an environment
_COMMAND = 120.0  # seconds for one command
_POLL = (0.5, 2.0)  # seconds between two looks: the first one, and the longest. Each one costs.
_ENDED = 120.0  # seconds until pods that were told to end are gone
_WATCHED = "deployments,statefulsets,jobs,horizontalpodautoscalers,pods"
MEND = "Mend it, commit, and deploy again."


class Seen(NamedTuple):
    """What was in the namespace when somebody looked."""

    workloads: Mapping[tuple[str, str], Object]
    pods: tuple[Object, ...]

    def of(self, workload: Object) -> tuple[Object, ...]:
        """The pods of a workload that are as it describes them."""
        return tuple(each for each in self.pods if objects.is_pod_of(each, workload))

    def ready(self, workload: Object) -> int:
        """How many of them are ready."""
        return sum(workloads.pod(each).ready for each in self.of(workload))


def called(place: Place) -> str:
    """The name of an environment's namespace: the one that was chosen, or would be."""
    known = places.read(places.of(place.project, place.environment, "kubernetes").folder / FILE)
    return str(known["name"]) if known else named(place)


def named(place: Place) -> str:
    """The name for an environment's namespace, before one was chosen."""
    return objects.name(place.project.resolve().name, place.environment)


class Namespace:
    """One namespace of the cluster that KUBECONFIG names, and whose it must be."""

    def __init__(self, name: str, mark: str) -> None:
        self.name = name
        self._mark = mark

    def claim(self) -> bool:
        """Make it, unless it is there. Returns whether it was made. Raises WorkshopError when it is
        somebody else's."""
        found = self.there()
        if not found:
            wanted = json.dumps(objects.namespace(self.name, self._mark))
            done = self.kubectl("create", "--filename", "-", stdin=wanted)
            _worked(done, f"the cluster made no namespace {self.name}",
                    "Let KUBECONFIG name a cluster in which you may make namespaces.")  # fmt: skip
        return not found

    def there(self) -> bool:
        """Whether it is there. Raises WorkshopError when it is somebody else's."""
        asked = self.kubectl("get", "namespace", self.name, "--ignore-not-found",
                              "--output", "json")  # fmt: skip
        _worked(asked, f"the cluster does not tell of the namespace {self.name}",
                "May you see namespaces there? kubectl auth can-i get namespaces")  # fmt: skip
        found = next(kubectl.parsed(asked.out), None)
        if found is None:
            return False
        labels = found["metadata"].get("labels") or {}
        if labels.get(objects.PROJECT) != self._mark:
            raise WorkshopError(
                f"the namespace {self.name} is there already, and it is not this project's",
                "Rename your project's folder. Or is it yours, from another machine? Then say so:\n"
                f"kubectl label namespace {self.name} --overwrite {objects.PROJECT}={self._mark}",
            )
        if found.get("status", {}).get("phase") == "Terminating":
            raise WorkshopError(
                f"the namespace {self.name} is just being deleted",
                f"Wait until it is gone: kubectl wait --for=delete namespace/{self.name}",
            )
        return True

    # What is in it

    def put_secrets(
        self, wanted: Mapping[str, Mapping[str, str]], note: Callable[[Held], None]
    ) -> Held:
        """Let Secrets have these values; what else they hold stays. Returns what each held before,
        in base64: None when there was none. `note` is told that before each of them changes: who
        is killed tells nothing any more. Raises WorkshopError, and then nothing has changed."""
        before: dict[str, Mapping[str, str] | None] = {}
        try:
            for name, values in wanted.items():
                found = self._secret(name)
                known = None if found is None else dict(found.get("data") or {})
                new = {key: _coded(value) for key, value in values.items()}
                if found is not None and new.items() <= (known or {}).items():
                    continue
                before[name] = known  # first: who is interrupted does not know what was taken
                note(before)
                if found is None:
                    self._write(name, "create", objects.secret(name, values))
                else:
                    self._write(name, "replace", {**found, "data": {**(known or {}), **new}})
        except BaseException:
            self.put_back(before)
            raise
        return before

    def put_back(self, before: Held) -> None:
        """Let Secrets hold again what they held before `put_secrets`."""
        for name, data in before.items():
            found = self._secret(name)
            if found is None:
                continue
            if data is None:
                gone = self.kubectl("delete", "secret", name)
                _worked(gone, f"the cluster did not remove the Secret {name}", "Try again.")
            elif data != found.get("data"):
                self._write(name, "replace", {**found, "data": dict(data)})

    def keep_secrets(self, wanted: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
        """Make the Secrets that are missing, and the keys. Nothing that is there is changed: the
        database would not know a new password. Returns the names of those that were made."""
        made = []
        for name, keys in wanted.items():
            found = self._secret(name)
            known = (found or {}).get("data") or {}
            # Digits and letters mean the same everywhere, also within an address.
            new = {key: secrets.token_hex(32) for key in keys if key not in known}
            if found is None:
                self._write(name, "create", objects.secret(name, new))
            elif new:
                coded = {key: _coded(value) for key, value in new.items()}
                self._write(name, "replace", {**found, "data": {**known, **coded}})
            else:
                continue
            made.append(name)
        return tuple(made)

    def _secret(self, name: str) -> Object | None:
        asked = self.kubectl("get", "secret", name, "--ignore-not-found", "--output", "json")
        _worked(asked, f"the cluster does not tell of the Secret {name}",
                "May you see it there? kubectl auth can-i get secrets")  # fmt: skip
        return next(kubectl.parsed(asked.out), None)

    def _write(self, name: str, verb: str, described: Object) -> None:
        done = self.kubectl(verb, "--filename", "-", stdin=json.dumps(described))
        if done.code != 0:  # what it says may quote what it was given
            may = "create" if verb == "create" else "update"
            raise WorkshopError(
                f"the cluster did not take the Secret {name}",
                f"May you do that there? kubectl auth can-i {may} secrets"
                + ("\nOr is it immutable? Then it has to be made anew." if may == "update" else ""),
            )

    def apply(self, described: Iterable[Object]) -> None:
        """Let the cluster have these objects as they are described. A Job is made anew: none can be
        changed, and two of the same at once would be one too many."""
        every = list(described)
        for each in every:
            if each["kind"] == "Job":
                self._delete("job", each["metadata"]["name"])
        if every:
            done = self.kubectl("apply", "--filename", "-", stdin=_list(every))
            _worked(done, "the cluster does not take what the release describes", MEND)
        self._wake(every)

    def remove(self, gone: Iterable[tuple[str, str]]) -> None:
        """Remove objects by their kinds and names. Volumes are not among them."""
        for kind, name in gone:
            self._delete(kind, name)

    def look(self) -> Seen:
        """What is in it now."""
        asked = self.kubectl("get", _WATCHED, "--output", "json")
        _worked(asked, f"the cluster does not tell what is in {self.name}",
                "Is it up? Ask it: kubectl version")  # fmt: skip
        found = tuple(kubectl.parsed(asked.out))
        return Seen(
            {objects.identity(each): each for each in found if each["kind"] != "Pod"},
            tuple(each for each in found if each["kind"] == "Pod"),
        )

    # How it ends

    def restart_stuck(self) -> None:
        """Remove pods of a StatefulSet that can't start. It waits for them for good, even when
        their description was mended."""
        for pod in self.look().pods:
            owners = {each["kind"] for each in pod["metadata"].get("ownerReferences") or ()}
            if "StatefulSet" in owners and workloads.trouble(workloads.pod(pod)):
                self._delete("pod", pod["metadata"]["name"])

    def end_jobs(self, commit: str) -> None:
        """Remove the Jobs of a release, whether they run or not."""
        for (kind, name), each in self.look().workloads.items():
            if kind == "Job" and objects.of_release(each) == commit:
                self._delete(kind, name)

    def sleep(self, only: str = "") -> bool:
        """Let no pod run, or none that runs `only` this commit. All else stays. Returns whether any
        did."""
        seen = self.look()
        chosen = {
            identity: each for identity, each in seen.workloads.items()
            if not only or objects.of_release(each) == only
        }  # fmt: skip
        scaled = [
            f"{kind}/{name}" for (kind, name), each in chosen.items()
            if kind in objects.SCALED and each["spec"].get("replicas", 1)
        ]  # fmt: skip
        if scaled:
            done = self.kubectl("scale", "--replicas=0", *scaled)
            _worked(done, "the cluster did not end the pods", "Try again.")
        self.remove(identity for identity in chosen if identity[0] == "Job")
        give_up = time.monotonic() + _ENDED
        for pause in pauses():
            if only or not self.look().pods or time.monotonic() > give_up:
                break
            time.sleep(pause)
        return bool(scaled)

    def remove_all(self) -> None:
        """Remove the namespace, and all that is in it. The cluster takes its time for that."""
        if self.there():
            self.kubectl("delete", "namespace", self.name, "--wait=false")

    # How

    def kubectl(self, *args: str, stdin: str = "") -> Ended:
        """Run kubectl in here."""
        return kubectl.run("--namespace", self.name, *args, stdin=stdin, timeout=_COMMAND)

    def _delete(self, kind: str, name: str) -> None:
        self.kubectl("delete", kind, name, "--ignore-not-found", "--cascade=foreground")

    def _wake(self, every: Iterable[Object]) -> None:
        """A manifest need not say how many pods it wants. Then `sleep` would last for good."""
        unsaid = [
            objects.identity(each) for each in every
            if each["kind"] in objects.SCALED and "replicas" not in each["spec"]
        ]  # fmt: skip
        there = self.look().workloads if unsaid else {}
        for kind, name in unsaid:
            if (kind, name) in there and there[kind, name]["spec"].get("replicas", 1) == 0:
                self.kubectl("scale", "--replicas=1", f"{kind}/{name}")


def pauses() -> Iterator[float]:
    """How long to wait between two looks, for good."""
    pause, longest = _POLL
    while True:
        yield pause
        pause = min(1.2 * pause, longest)


def _coded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def _list(every: Sequence[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": every})


def _worked(done: Ended, fact: str, remedy: str) -> None:
    if done.code != 0:
        raise WorkshopError(f"{fact}:\n{release.tail(done.said)}", remedy)
