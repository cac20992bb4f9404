"""A load on a service in a cluster. It is sent from a pod beside it, as its visitors come: a way in
from outside differs from cluster to cluster, and loses requests of its own."""

from __future__ import annotations

import contextlib
import inspect
import json
import subprocess
from collections.abc import Iterator

from workshop import kubectl, sending
from workshop.errors import WorkshopError
from workshop.kubectl import Object

VISITOR = "visitor"  # the pod's name, and that of its only container
WAIT = ("wait", "--for=condition=Ready", f"pod/{VISITOR}", "--timeout=120s")
_PATIENCE = 60.0  # seconds until what is under way has ended
# A cluster may refuse what asks for more.
_FEW_RIGHTS = {
    "runAsNonRoot": True, "runAsUser": 10001, "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
}  # fmt: skip


def visitor(image: str) -> Object:
    """A pod of this image that does nothing but wait for commands."""
    container = {
        "name": VISITOR, "image": image, "command": ["sleep", "86400"],
        "securityContext": _FEW_RIGHTS,
    }  # fmt: skip
    spec = {
        "containers": [container], "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False, "restartPolicy": "Never",
    }  # fmt: skip
    meta = {"name": VISITOR, "labels": {"workshop": VISITOR}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


@contextlib.contextmanager
def inside(
    namespace: str, image: str, url: str, requests: int, rate: float, least: int = 0
) -> Iterator[Inside]:
    """A load from a pod of this image, which must have Python. Both are gone afterwards. Raises
    WorkshopError when the cluster has no place for the pod."""
    where = ("--namespace", namespace)
    made = kubectl.run(*where, "apply", "--filename", "-", stdin=json.dumps(visitor(image)))
    there = kubectl.run(*where, *WAIT)
    if made.code or there.code:
        raise WorkshopError(
            f"no visitor came: {made.said}{there.said}".strip(),
            f"Ask the cluster: kubectl --namespace {namespace} describe pod {VISITOR}",
        )
    load = Inside(namespace, VISITOR, url, requests=requests, rate=rate, least=least)
    try:
        yield load
    finally:
        load.close()
        kubectl.run(*where, "delete", "pod", VISITOR, f"--timeout={_PATIENCE:.0f}s")


class Inside:
    """A load that runs until all requests are sent, or `stop` is called and `least` are sent. The
    pod must have Python; `url` is as it is seen from there."""

    def __init__(
        self, namespace: str, pod: str, url: str, *, requests: int, rate: float, least: int = 0
    ) -> None:
        numbers = (str(requests), str(rate), str(least))
        program = ("python", "-c", inspect.getsource(sending), url, *numbers)
        self._process = kubectl.begin(
            "--namespace", namespace, "exec", "--stdin", pod, "--", *program
        )

    def stop(self) -> sending.Report:
        """Send no more, wait for what is under way, and count. Raises WorkshopError when nobody can
        tell what became of it."""
        try:
            out, said = self._process.communicate("", timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            out, said = self._process.communicate()
        try:
            report = sending.Report(**json.loads(out))
        except (ValueError, TypeError) as error:
            message = f"the load broke off: {(said or out).strip()[-300:]}"
            raise WorkshopError(message, "Does the pod still run? Try again.") from error
        # JSON has texts for keys
        return report._replace(statuses={int(each): n for each, n in report.statuses.items()})

    def close(self) -> None:
        """End it, whatever it does. Nothing is counted."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
