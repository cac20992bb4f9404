"""A stand-in for metrics-server, which the lab can't have. It runs in a pod, with Python alone.

What it tells is real: how busy each container is, as the nodes' kubelets have measured it. It only
says so in the words of the API `metrics.k8s.io`, which an autoscaler asks.
"""

from __future__ import annotations

import http.server
import json
import ssl
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
API = "https://kubernetes.default.svc"
GROUP = "/apis/metrics.k8s.io/v1beta1"
WINDOW = "15s"  # that a kubelet looks back


def ask(path: str) -> Any:
    """What the cluster says."""
    token = (ACCOUNT / "token").read_text("ascii")
    request = urllib.request.Request(API + path, headers={"Authorization": f"Bearer {token}"})
    trusted = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    # older clusters do not say what their key is for
    trusted.verify_flags &= ~ssl.VERIFY_X509_STRICT
    with urllib.request.urlopen(request, context=trusted, timeout=10) as answer:
        return json.load(answer)


def measured(namespace: str, query: str) -> dict[str, Any]:
    """How busy the pods of a namespace are, those that the query asks for."""
    pods = ask(f"/api/v1/namespaces/{namespace}/pods?{query}")["items"]
    wanted = {each["metadata"]["name"]: each["metadata"] for each in pods}
    items = []
    for node in ask("/api/v1/nodes")["items"]:
        for pod in ask(f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary")["pods"]:
            name = pod["podRef"]["name"]
            known = [each for each in pod.get("containers", ()) if "cpu" in each]
            if pod["podRef"]["namespace"] != namespace or name not in wanted or not known:
                continue
            meta = {key: wanted[name][key] for key in ("name", "namespace", "creationTimestamp")}
            usage = [
                {"name": each["name"], "usage": {
                    "cpu": f"{each['cpu'].get('usageNanoCores', 0)}n",
                    "memory": str(each.get("memory", {}).get("workingSetBytes", 0))}}
                for each in known
            ]  # fmt: skip
            items.append({"metadata": meta, "timestamp": known[0]["cpu"]["time"],
                          "window": WINDOW, "containers": usage})  # fmt: skip
    return {"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {},
            "items": items}  # fmt: skip


def told(path: str) -> dict[str, Any] | None:
    """The answer to a question; None when there is none."""
    asked = urllib.parse.urlsplit(path)
    parts = asked.path.removeprefix(GROUP).strip("/").split("/")
    if asked.path == GROUP:
        pods = {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics",
                "verbs": ["get", "list"]}  # fmt: skip
        return {"kind": "APIResourceList", "apiVersion": "v1",
                "groupVersion": "metrics.k8s.io/v1beta1", "resources": [pods]}  # fmt: skip
    if asked.path.startswith(GROUP) and len(parts) == 3 and parts[::2] == ["namespaces", "pods"]:
        return measured(parts[1], asked.query)
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers the cluster."""

    def do_GET(self) -> None:
        """Tell what is asked."""
        try:
            found, status = told(self.path), 200
        except OSError as error:
            found, status = {"kind": "Status", "message": str(error)}, 500
        if found is None:
            found, status = {"kind": "Status", "message": "no such thing"}, 404
        body = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("", 8443), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/keys/tls.crt", "/keys/tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
