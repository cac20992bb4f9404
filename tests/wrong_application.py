"""Wrong solutions of the step that brings the application into a cluster."""

from __future__ import annotations

from pathlib import Path

from wrong_solutions import Wrong

FILE = "deployment/application.yaml"
APPLICATION = (Path(__file__).parents[1] / "solutions/14-application" / FILE).read_text("utf-8")
ASK = (
    "            httpGet:\n              path: {path}\n              port: {port}\n"
    "              httpHeaders:\n                - name: Host\n"
    "                  value: localhost\n"
    "            timeoutSeconds: 5\n            periodSeconds: {period}\n"
    "            failureThreshold: {times}\n"
)
READINESS = "          readinessProbe:\n" + ASK.format(path="/readyz", port=8000, period=5, times=2)
WAY = "          readinessProbe:\n" + ASK.format(path="/livez", port=8080, period=5, times=2)
LIVENESS = "          livenessProbe:\n" + ASK.format(path="/livez", port=8000, period=10, times=6)
STARTUP = "          startupProbe:\n" + ASK.format(path="/livez", port=8000, period=2, times=60)
HOST = (
    "              httpHeaders:\n                - name: Host\n                  value: localhost\n"
)
RIGHTS = (
    "          securityContext:\n            allowPrivilegeEscalation: false\n"
    "            readOnlyRootFilesystem: true\n            capabilities:\n"
    "              drop: [ALL]\n"
)
PASSWORD = (
    "              valueFrom:\n                secretKeyRef:\n                  name: postgres\n"
    "                  key: password\n"
)
ADDRESS = "postgres://postgres:$(PASSWORD)@postgres/postgres?connect_timeout=3"
WAIT = "cp -R static /shared/ && until python manage.py migrate --check; do sleep 2; done"
PRE_STOP = (
    "          lifecycle:\n            preStop:\n              exec:\n"
    '                command: [sleep, "{}"]\n'
)
JOB = APPLICATION[APPLICATION.index("# Once for each") : APPLICATION.index("apiVersion: apps/v1")]
ROLL = "    rollingUpdate:\n      maxSurge: 1\n      maxUnavailable: 0\n"
SERVER = "        - name: application\n          image: demo:1\n"
USER = "        runAsNonRoot: true\n        runAsUser: 10001\n        runAsGroup: 10001\n"


def wrong(name: str, check: str, old: str, new: str) -> Wrong:
    """A mistake: the first `old` is replaced."""
    return Wrong("application", name, (check,), FILE, None, APPLICATION.replace(old, new, 1))


def everywhere(name: str, check: str, old: str, new: str) -> Wrong:
    """The same, wherever it stands."""
    return Wrong("application", name, (check,), FILE, None, APPLICATION.replace(old, new))


WRONG = (
    wrong("one question for all", "test_three_questions", LIVENESS,
          LIVENESS.replace("/livez", "/readyz")),
    wrong("asked by its address", "test_three_questions", READINESS, READINESS.replace(HOST, "")),
    wrong("a start in ten seconds", "test_three_questions", STARTUP, STARTUP.replace("60", "5")),
    wrong("nobody asks for the database", "test_three_questions", READINESS,
          READINESS.replace("/readyz", "/livez")),
    wrong("the job may do more", "test_few_rights", RIGHTS, ""),
    wrong("latest", "test_few_rights", "image: nginx:1", "image: nginx:latest"),
    wrong("a job of root", "test_few_rights", USER, "        runAsUser: 0\n"),
    wrong("a key in the file", "test_told_from_outside", "          env:\n",
          "          env:\n            - name: SECRET_KEY\n"
          "              value: django-insecure-5f0d8c\n"),
    everywhere("a password in the address", "test_told_from_outside", ADDRESS,
               "postgres://postgres:correct-horse@postgres/postgres?connect_timeout=3"),
    wrong("any name", "test_told_from_outside", "          env:\n",
          '          env:\n            - name: ALLOWED_HOSTS\n              value: "*"\n'),
    wrong("it ends at once", "test_time_to_leave", PRE_STOP.format(10), ""),
    wrong("cut off", "test_time_to_leave", "terminationGracePeriodSeconds: 60",
          "terminationGracePeriodSeconds: 30"),
    wrong("two pods", "test_serves", "replicas: 3", "replicas: 2"),
    wrong("past the web server", "test_serves", "targetPort: 8080", "targetPort: 8000"),
    wrong("a letter too much", "test_serves", "  selector:\n    app: application",
          "  selector:\n    app: applications"),
    everywhere("a configuration that is not there", "test_serves",
               "configMapRef:\n                name: application",
               "configMapRef:\n                name: applications"),
    wrong("a field in the wrong place", "test_serves", "  replicas: 3\n", "  replica: 3\n"),
    Wrong("application", "everybody migrates", ("test_one_migration",), FILE, None,
          APPLICATION.replace(JOB, "").replace(
              WAIT, "cp -R static /shared/ && python manage.py migrate")),
    Wrong("application", "nobody migrates", ("test_one_migration",), FILE, None,
          APPLICATION.replace(JOB, "").replace(WAIT, "cp -R static /shared/")),
    wrong("nobody waits", "test_one_migration", WAIT, "cp -R static /shared/"),
    wrong("all at once", "test_no_request_lost", ROLL, "    type: Recreate\n"),
    Wrong("application", "ready because it runs", ("test_no_request_lost",), FILE, None,
          APPLICATION.replace(READINESS, "").replace(WAY, "")),
    wrong("ready means alive", "test_no_request_lost", READINESS,
          READINESS.replace("/readyz", "/livez")),
)  # fmt: skip
