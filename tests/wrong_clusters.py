"""Wrong solutions of the steps in a cluster."""

from __future__ import annotations

from pathlib import Path

from wrong_solutions import Wrong

POSTGRES = "deployment/postgres.yaml"
DATABASE = (Path(__file__).parents[1] / "solutions/13-database" / POSTGRES).read_text("utf-8")
TITLE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: postgres\n"
ASK = "command: [pg_isready, --host, 127.0.0.1, --username, postgres]\n"
PATIENT = f"{ASK}            timeoutSeconds: 5\n            periodSeconds: 10\n"
READINESS = (
    "          readinessProbe:\n            exec:\n"
    f"              {ASK}            timeoutSeconds: 5\n            periodSeconds: 5\n"
)
SECRET = (
    "valueFrom:\n                secretKeyRef:\n                  name: postgres\n"
    "                  key: password\n"
)
USER = "        runAsNonRoot: true\n        runAsUser: 999\n        runAsGroup: 999\n"
RIGHTS = (
    "          securityContext:\n            allowPrivilegeEscalation: false\n"
    "            capabilities:\n              drop: [ALL]\n"
)
CLAIM = DATABASE[DATABASE.index("  volumeClaimTemplates:") :]
MOUNT = "mountPath: /var/lib/postgresql\n"


def volume(of: str) -> str:
    """The database with another volume instead of the claim."""
    return DATABASE.replace(CLAIM, "").rstrip() + f"\n      volumes:\n        - name: data\n{of}"


WRONG = (
    Wrong("database", "nobody is asked", ("test_ready",), POSTGRES, READINESS, ""),
    Wrong("database", "a probe without patience", ("test_ready",),
          POSTGRES, "failureThreshold: 12", "failureThreshold: 2"),
    Wrong("database", "a query keeps it alive", ("test_ready",), POSTGRES, PATIENT,
          PATIENT.replace(ASK, "command: [psql, -U, postgres, -c, SELECT 1]\n")),
    Wrong("database", "a version with a capital", ("test_ready",),
          POSTGRES, "image: postgres:18", "image: Postgres:18"),
    Wrong("database", "a secret of another name", ("test_ready",), POSTGRES, SECRET,
          SECRET.replace("postgres", "postgres-password")),
    Wrong("database", "the old place of the files", ("test_ready",), POSTGRES, MOUNT,
          "mountPath: /var/lib/postgresql/data\n"),
    Wrong("database", "a letter is missing", ("test_ready",), POSTGRES, "containers:",
          "container:"),
    Wrong("database", "a space too much", ("test_ready",), POSTGRES, "  replicas: 1",
          "   replicas: 1"),
    Wrong("database", "it knows where it lives", ("test_ready",), POSTGRES, TITLE,
          f"{TITLE}  namespace: default\n"),
    Wrong("database", "it makes the namespace", ("test_ready",), POSTGRES, TITLE,
          f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: demo\n---\n{TITLE}"),
    Wrong("database", "a name and nothing behind it", ("test_ready",), POSTGRES, None,
          DATABASE.partition("\n---\n")[0]),
    Wrong("database", "root without rights", ("test_ready",), POSTGRES, USER,
          "        runAsUser: 0\n"),
    Wrong("database", "a volume that goes with the pod", ("test_data_survives",),
          POSTGRES, None, volume("          emptyDir: {}\n")),
    Wrong("database", "a volume somewhere else", ("test_data_survives",), POSTGRES, MOUNT,
          "mountPath: /var/lib/postgres\n"),
    Wrong("database", "no time to leave", ("test_data_survives",),
          POSTGRES, "terminationGracePeriodSeconds: 60", "terminationGracePeriodSeconds: 1"),
    Wrong("database", "a shell keeps the signal", ("test_data_survives",), POSTGRES,
          "          ports:\n            - containerPort: 5432\n",
          '          command: [sh, -c, "docker-entrypoint.sh postgres; echo The end."]\n'),
    Wrong("database", "a folder of the machine", ("test_data_survives",),
          POSTGRES, None, volume("          hostPath:\n            path: /srv/postgres\n")),
    Wrong("database", "two are better than one", ("test_one_at_a_time",),
          POSTGRES, "replicas: 1", "replicas: 2"),
    Wrong("database", "a deployment rolls", ("test_one_at_a_time",), POSTGRES, None,
          volume("          persistentVolumeClaim:\n            claimName: data\n")
          .replace("kind: StatefulSet", "kind: Deployment")
          .replace("  serviceName: postgres\n", "")),
    Wrong("database", "a name that nobody asks for", ("test_found_by_name",), POSTGRES, TITLE,
          TITLE.replace("name: postgres", "name: database")),
    Wrong("database", "a name that leads nowhere", ("test_found_by_name",), POSTGRES,
          "selector:\n    app: postgres", "selector:\n    app: database"),
    Wrong("database", "an older version", ("test_found_by_name",),
          POSTGRES, "image: postgres:18", "image: postgres:17"),
    Wrong("database", "a password in the file", ("test_password",), POSTGRES, SECRET,
          "value: correct-horse-battery-staple\n"),
    Wrong("database", "a secret that is none", ("test_password",), POSTGRES, TITLE,
          "apiVersion: v1\nkind: Secret\nmetadata:\n  name: postgres\ndata:\n"
          f"  password: Y29ycmVjdC1ob3JzZQ==\n---\n{TITLE}"),
    Wrong("database", "everybody is trusted", ("test_password",), POSTGRES,
          "            - name: POSTGRES_PASSWORD\n",
          "            - name: POSTGRES_HOST_AUTH_METHOD\n              value: trust\n"
          "            - name: POSTGRES_PASSWORD\n"),
    Wrong("database", "root", ("test_few_rights",), POSTGRES, None,
          DATABASE.replace(USER, "").replace(RIGHTS, "")),
    Wrong("database", "it may become more", ("test_few_rights",), POSTGRES, RIGHTS, ""),
    Wrong("database", "any call is allowed", ("test_few_rights",), POSTGRES,
          "type: RuntimeDefault", "type: Unconfined"),
    Wrong("database", "it takes what it gets", ("test_few_rights",), POSTGRES,
          "            limits:\n              memory: 512Mi\n", ""),
)  # fmt: skip
