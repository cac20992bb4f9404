"""Lets the lab's cluster measure, for as long as a test wants that: see `metrics_server`."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workshop import kubectl, sealing

NAME = "workshop-metrics"
SERVICE = "v1beta1.metrics.k8s.io"
IMAGE = "python:3.13-slim"
PORT = 8443
_SETTLED = 3.0  # seconds until a name leads to a pod that is ready


def measures() -> bool:
    """Whether somebody in the cluster tells how busy pods are."""
    found = kubectl.run("get", "apiservice", SERVICE, "--output", "json", timeout=10)
    conditions = json.loads(found.out)["status"]["conditions"] if found.code == 0 else []
    return ("Available", "True") in [(each["type"], each["status"]) for each in conditions]


def missing() -> str:
    """Why it can't be had: a cluster of somebody else is not changed for a test."""
    if measures() or "LAB_REGISTRY" in os.environ:
        return ""
    return "the cluster has no metrics-server, and is not the lab's, which gets a stand-in"


@contextlib.contextmanager
def there() -> Iterator[None]:
    """Have it, and take away afterwards what was not there before."""
    if measures():
        yield
        return
    namespace = f"{NAME}-{os.getpid()}-{secrets.token_hex(2)}"
    try:
        *own, api = described(namespace)
        # The API comes when somebody is there who answers: what is asked into the void may get its
        # answer from whoever sits on the way.
        for what, waits in (
            (own, f"--namespace={namespace} deployment/{NAME}"),
            ([api], f"apiservice/{SERVICE}"),
        ):
            text = json.dumps({"apiVersion": "v1", "kind": "List", "items": what})
            made = kubectl.run("apply", "--filename", "-", stdin=text, timeout=60)
            assert made.code == 0, made.said
            words = ("wait", *waits.split(), "--for=condition=Available", "--timeout=120s")
            done = kubectl.run(*words, timeout=150)
            assert done.code == 0, done.said
            time.sleep(_SETTLED)
        yield
    finally:
        # first what belongs to all: while it is there and nobody answers, no namespace can go
        for kind, name in (("apiservice", SERVICE), ("clusterrolebinding", NAME),
                           ("clusterrole", NAME)):  # fmt: skip
            kubectl.run("delete", kind, name, "--ignore-not-found", timeout=60)
        kubectl.run("delete", "namespace", namespace, "--wait=false", timeout=60)


def described(namespace: str) -> list[dict[str, Any]]:
    """All that it takes."""
    pair = sealing.pair(datetime.now(UTC))
    program = (Path(__file__).parent / "metrics_server.py").read_text("utf-8")
    labels, core = {"app": NAME}, "rbac.authorization.k8s.io"

    def one(kind: str, version: str = "v1", *, own: bool = True, **more: Any) -> dict[str, Any]:
        meta = {"name": NAME} | ({"namespace": namespace} if own else {})
        return {"apiVersion": version, "kind": kind, "metadata": meta, **more}

    container = {
        "name": NAME, "image": IMAGE, "command": ["python", "-u", "/program/it.py"],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "volumeMounts": [{"name": "program", "mountPath": "/program"},
                         {"name": "keys", "mountPath": "/keys"}],
    }  # fmt: skip
    pod = {
        "serviceAccountName": NAME, "containers": [container], "terminationGracePeriodSeconds": 0,
        "volumes": [{"name": "program", "configMap": {"name": NAME}},
                    {"name": "keys", "secret": {"secretName": NAME}}],
    }  # fmt: skip
    asks = [
        {"apiGroups": [""], "resources": ["nodes", "pods"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["nodes/proxy", "nodes/stats"], "verbs": ["get"]},
    ]
    api = {
        "group": "metrics.k8s.io", "version": "v1beta1", "insecureSkipTLSVerify": True,
        "groupPriorityMinimum": 100, "versionPriority": 100,
        "service": {"name": NAME, "namespace": namespace},
    }  # fmt: skip
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        one("ServiceAccount"),
        one("ClusterRole", f"{core}/v1", own=False, rules=asks),
        one("ClusterRoleBinding", f"{core}/v1", own=False,
            roleRef={"apiGroup": core, "kind": "ClusterRole", "name": NAME},
            subjects=[{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}]),
        one("ConfigMap", data={"it.py": program}),
        one("Secret", stringData={"tls.crt": pair.certificate.decode(),
                                  "tls.key": pair.private.decode()}),
        one("Service", spec={"selector": labels, "ports": [{"port": 443, "targetPort": PORT}]}),
        one("Deployment", "apps/v1", spec={"selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels}, "spec": pod}}),
        {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
         "metadata": {"name": SERVICE}, "spec": api},
    ]  # fmt: skip
