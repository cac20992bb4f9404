"""Step 13: a database in a cluster, whose data outlives its pod."""

import re
import secrets

from workshop.checks import expect

FILE = "deployment/postgres.yaml"
NAME = SECRET = "postgres"  # how it is found, and where its password is
PASSWORD, KEYS = secrets.token_hex(16), ("password", "POSTGRES_PASSWORD")
NOTE = "CREATE TABLE IF NOT EXISTS note (text text); INSERT INTO note VALUES ('still here')"
PATIENCE = 30  # seconds of silence, at least, until a database is started anew
GRACE = 30  # seconds, at least, to write down what is in memory
QUERY = re.compile(r"\bpsql\b|\bselect\b", re.IGNORECASE)
UNTIDY = "not properly shut down"


def inside(value, key):
    """All that stands under a key, however deep."""
    for name, each in enumerate(value) if isinstance(value, list) else value.items():
        if name == key:
            yield each
        if isinstance(each, (dict, list)):
            yield from inside(each, key)


def served(cluster):
    """The pod of the database, ready, in a namespace that has the Secret."""
    wanted = list(inside(list(cluster.read(FILE)), "secretKeyRef"))
    for name in (each.get("name", "without a name") for each in wanted):
        expect(
            name == SECRET,
            seen=f"{cluster.line(FILE, name)}: it wants the Secret {name}",
            expected=f"the Secret {SECRET}: the application will take the password from there, too",
            do=f"name: {SECRET}",
        )
    keys = {*KEYS, *(each.get("key", SECRET) for each in wanted)}
    cluster.secret(SECRET, dict.fromkeys(keys, PASSWORD))
    return cluster.ready(FILE)[0]


def sql(cluster, pod, query, password=PASSWORD):
    """What somebody in another pod is answered, who asks for the database by its name."""
    env = cluster.run(pod, "sh", "-c", "echo ${POSTGRES_USER:-postgres} $POSTGRES_DB").out
    user, database = (env.split() * 2)[:2]
    url = f"postgres://{user}:{password}@{NAME}/{database}?connect_timeout=5"
    return cluster.run(cluster.visitor(pod.image), "psql", url, "-tAc", query)


def too_many_rights(have):
    """What a container's securityContext should say, and does not."""
    if have.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation: false"
    if "ALL" not in have.get("capabilities", {}).get("drop", ()):
        yield "capabilities: {drop: [ALL]}"
    if have.get("seccompProfile", {}).get("type") in (None, "Unconfined"):
        yield "seccompProfile: {type: RuntimeDefault}"


def test_ready(cluster):
    """In a new namespace it becomes ready, says so itself, and nobody ends it for being busy."""
    first = served(cluster).spec["containers"][0]
    expect(
        "readinessProbe" in first,
        seen="nobody asks the database whether it is ready",
        expected="a readiness probe: until it says yes, nobody is sent to it",
        do="Add a readinessProbe that runs pg_isready.",
    )
    alive = first.get("livenessProbe", {"periodSeconds": PATIENCE, "failureThreshold": 1})
    patience = alive["periodSeconds"] * alive["failureThreshold"]
    expect(
        patience >= PATIENCE,
        seen=f"after {patience} seconds without an answer, livenessProbe ends the database",
        expected=f"{PATIENCE} seconds of patience, at least: who is busy is not dead",
        do="Raise its failureThreshold. A minute is fine.",
    )
    expect(
        not QUERY.search(" ".join(alive.get("exec", {}).get("command", ()))),
        seen="livenessProbe asks the database in SQL",
        expected="somebody who only knocks: or a database is ended for having many visitors",
        do="Let livenessProbe run pg_isready.",
    )


def test_data_survives(cluster):
    """What was written is still there after its pod was deleted, and the pod went in peace."""
    pod = served(cluster)
    told = sql(cluster, pod, NOTE)
    assert told.code == 0, told.said
    cluster.delete_pod(pod)
    after = served(cluster)
    expect(
        "still here" in sql(cluster, after, "SELECT text FROM note").out,
        seen="a row was written, the pod was deleted, and in the next pod the row is gone",
        expected="the same data: a pod is a guest, and its own files leave with it",
        do="Claim a volume, and mount it where PostgreSQL has its files: /var/lib/postgresql",
    )
    grace = pod.spec["terminationGracePeriodSeconds"]
    expect(
        grace >= GRACE and UNTIDY not in cluster.logs(after),
        seen=f"terminationGracePeriodSeconds is {grace}"
        + (", and PostgreSQL was killed before it had ended" if grace >= GRACE else ""),
        expected=f"a server that has {GRACE} seconds or more to write everything down, and ends by"
        " itself",
        do="Give it a minute: terminationGracePeriodSeconds: 60. And let the server be the first"
        " process of its container.",
    )


def test_one_at_a_time(cluster):
    """Never do two servers have the same files, not even while one follows the other."""
    for each in cluster.starts(FILE):
        kind, spec = each["kind"], each.get("spec", {})
        copies = spec.get("replicas", 1)
        expect(
            copies == 1,
            seen=f"{cluster.line(FILE, 'replicas:')}: it wants {copies} servers",
            expected="one: a second server is no copy of the first, and knows nothing of its data",
            do="replicas: 1",
        )
        expect(
            kind == "StatefulSet" or spec.get("strategy", {}).get("type") == "Recreate",
            seen=f"{cluster.line(FILE, f'kind: {kind}')}: a {kind} starts the next pod before the"
            " last one is gone",
            expected="one after the other: two servers on the same files destroy them",
            do="Make it a StatefulSet.",
        )


def test_found_by_name(cluster, database):
    """Another pod finds it as `postgres`, in the same major version as in production."""
    told = sql(cluster, served(cluster), "SHOW server_version")
    why = re.sub("(to address): .*", r"\1", told.said.partition("\n")[0])  # each system's own words
    expect(
        told.code == 0,
        seen=f"another pod asked for {NAME}, and got:\n{why}",
        expected="an answer: each new pod has a new address, and the name stays",
        do=f"Write a Service {NAME} with port 5432, whose selector has the labels of the pod.",
    )
    expect(
        told.out.startswith(f"{database.major}."),
        seen=f"PostgreSQL {told.out.strip()} answered",
        expected=f"PostgreSQL {database.major}, as production has it",
        do=f"Take the image postgres:{database.major}.",
    )


def test_password(cluster):
    """The password is in a Secret, and not in the file, and without it nobody gets in."""
    found = list(cluster.read(FILE))
    written = [
        (name, each["value"])
        for each in (one for env in inside(found, "env") if isinstance(env, list) for one in env)
        if "PASS" in (name := each.get("name", "")) and "_FILE" not in name and each.get("value")
    ]
    expect(
        not written,
        seen="; ".join(
            f"{cluster.line(FILE, value)}: {name} has a value" for name, value in written
        ),
        expected="the name of a place that has it: whoever has the project can read this file",
        do=f"Take it from the Secret {SECRET}, by valueFrom and secretKeyRef.",
    )
    expect(
        "Secret" not in [each["kind"] for each in found],
        seen=f"{cluster.line(FILE, 'kind: Secret')}: the file brings a Secret",
        expected="none: base64 is only another way to write, and hides nothing",
        do="Take it out. `kubectl create secret` makes one in the cluster, as the lesson does.",
    )
    expect(
        sql(cluster, served(cluster), "SELECT 1", password="wrong").code != 0,
        seen="another pod came with a wrong password, and was let in",
        expected="an answer for those alone who know it: every pod can knock here",
        do="Take POSTGRES_HOST_AUTH_METHOD out.",
    )


def test_few_rights(cluster):
    """It says how much it needs, is not root, and has no right that it does not need."""
    pod = served(cluster)
    expect(
        cluster.run(pod, "id", "-u").out.strip() != "0",
        seen="it runs as root",
        expected="the image's own user postgres: 999",
        do="In the pod's securityContext: runAsUser: 999, runAsGroup: 999, fsGroup: 999",
    )
    for each in pod.spec["containers"]:
        have = pod.spec.get("securityContext", {}) | each.get("securityContext", {})
        more = list(too_many_rights(have))
        expect(
            not more,
            seen=f"the container {each['name']} may do more than a database has to",
            expected="as few rights as possible: who breaks in has no more than these",
            do=f"Write into its securityContext: {' and '.join(more)}",
        )
        size = each.get("resources", {})
        expect(
            "memory" in size.get("requests", {}) and "memory" in size.get("limits", {}),
            seen=f"the container {each['name']} does not say how much memory it needs",
            expected="how much must be there, and how much is too much: it has neighbours",
            do="Write resources, with requests and limits for memory.",
        )
