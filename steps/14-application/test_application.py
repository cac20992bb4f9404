"""Step 14: the application in a cluster, released and released again, with no request lost."""

import contextlib
import re

from workshop.checks import CheckFailed, expect
from workshop.checks.described import takes

FILE = "deployment/application.yaml"
NAME = "application"  # how it is found, and where its configuration and its key are
READY, DATABASE = "/readyz", "postgres"
PODS = 3
PATIENCE = 30  # seconds of silence, at least, until a server is started anew
START = 30  # seconds that a start may take, at least
SERVE_ON = 3  # seconds, at least, in which the name still leads to a pod that has to go
ANSWER = 25  # seconds for those who are inside: see uwsgi.ini
SECRET = re.compile(r"SECRET|PASSW|TOKEN|_KEY\b")
IN_URL = re.compile(r"://[^:/@]*:(?!\$\()[^@]+@")
CSS = re.compile(r'href="([^"]+\.css)"')


def path(probe):
    """Which page a probe asks for."""
    return probe.get("httpGet", {}).get("path", "")


def patience(probe, times):
    """How many seconds a probe is silent before anything follows."""
    return probe.get("periodSeconds", 10) * probe.get("failureThreshold", times)


def missing_rights(pod, container):
    """What a container's description should say, and does not."""
    have = pod.get("securityContext", {}) | container.get("securityContext", {})
    if not have.get("runAsNonRoot") and not have.get("runAsUser"):
        yield "runAsNonRoot: true"
    if have.get("runAsUser") == 0:
        yield "runAsUser: 10001"
    if have.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation: false"
    if have.get("readOnlyRootFilesystem") is not True:
        yield "readOnlyRootFilesystem: true"
    if "ALL" not in have.get("capabilities", {}).get("drop", ()):
        yield "capabilities: {drop: [ALL]}"
    if have.get("seccompProfile", {}).get("type") in (None, "Unconfined"):
        yield "seccompProfile: {type: RuntimeDefault}"


def values(releases):
    """Every variable that has its value in the file: its name and the value."""
    for each in releases.objects:
        if each["kind"] == "ConfigMap":
            yield from each.get("data", {}).items()
    for _, pod in releases.templates():
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            for each in container.get("env", ()):
                yield each["name"], str(each.get("value") or "")


def seconds(container):
    """How long a container serves on before it is told to end; None if that can't be read."""
    hook = container.get("lifecycle", {}).get("preStop", {})
    words = " ".join(hook.get("exec", {}).get("command", ()))
    found = re.search(r"sleep\D*(\d+)", words)
    return int(found[1]) if found else None if hook else 0


def enough_pods(releases, count):
    """Raise CheckFailed unless there are three."""
    expect(
        count >= PODS,
        seen=f"{releases.line('replicas:')}: it wants {count}",
        expected=f"{PODS} pods: one may go, and one may fail at the same time",
        do=f"replicas: {PODS}",
    )


def test_three_questions(releases):
    """Three questions, and each has another consequence: started, ready, beyond help?"""
    first, everyone = releases.application, releases.pod_spec["containers"]
    for probe in ("startupProbe", "livenessProbe"):
        expect(
            probe in first,
            seen=f"the container {first['name']} has no {probe}",
            expected="three probes: have you started, may visitors come, are you beyond help?",
            do=f"Add a {probe} that asks for /livez.",
        )
    expect(
        READY in [path(each.get("readinessProbe", {})) for each in everyone],
        seen=f"no readinessProbe asks for {READY}",
        expected="a probe that asks the database, too: while it says no, visitors go to others",
        do=f"Let readinessProbe ask for {READY}.",
    )
    alive = [(each["name"], each.get("livenessProbe", {})) for each in everyone]
    for name, probe in alive:
        expect(
            path(probe) != READY,
            seen=f"livenessProbe of {name} asks for {READY}, and so the database",
            expected="a question about this process alone: no restart ever mended a database",
            do="Let livenessProbe ask for /livez.",
        )
        wait = patience(probe, 3) if probe else PATIENCE
        expect(
            wait >= PATIENCE,
            seen=f"after {wait} seconds without an answer, livenessProbe ends {name}",
            expected=f"{PATIENCE} seconds of patience, at least: who is busy is not dead",
            do="Raise its failureThreshold. A minute is fine.",
        )
    wait = patience(first["startupProbe"], 3)
    expect(
        wait >= START,
        seen=f"a start may take {wait} seconds, and then it is ended",
        expected=f"{START} seconds, at least: on a busy day, everything takes longer",
        do="Raise failureThreshold of startupProbe.",
    )
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = first.get(kind, {}).get("httpGet")
        names = [each["name"].lower() for each in (asked or {}).get("httpHeaders", ())]
        expect(
            not asked or "host" in names,
            seen=f"{kind} asks the pod by its address, which is no name in ALLOWED_HOSTS",
            expected="a question by a name that the application answers to",
            do="Below httpGet, write httpHeaders with the name Host and the value localhost.",
        )


def test_few_rights(releases):
    """No container has a right that it does not need, and each says how much memory it takes."""
    for owner, pod in releases.templates():
        for each in (*pod.get("initContainers", ()), *pod["containers"]):
            who = f"the container {each['name']} of the {owner}"
            more = list(missing_rights(pod, each))
            expect(
                not more,
                seen=f"{who} may do more than it has to",
                expected="as few rights as possible: who breaks in has no more than these",
                do=f"Write into its securityContext: {' and '.join(more)}",
            )
            size = each.get("resources", {})
            expect(
                "memory" in size.get("requests", {}) and "memory" in size.get("limits", {}),
                seen=f"{who} does not say how much memory it needs",
                expected="how much must be there, and how much is too much: it has neighbours",
                do="Write resources, with requests and limits for memory.",
            )
            tag = each["image"].rpartition("/")[2].partition(":")[2]
            expect(
                "@" in each["image"] or tag not in ("", "latest"),
                seen=f"{who} takes the image {each['image']}",
                expected="an image that is the same tomorrow: latest is whatever came last",
                do="Name a version behind a colon, such as demo:1 or nginx:1.",
            )


def test_told_from_outside(releases):
    """Configuration, key and password come from outside, and no secret stands in the file."""
    first = releases.application
    expect(
        takes(first, "configMap", NAME),
        seen=f"the container {first['name']} takes nothing from the ConfigMap {NAME}",
        expected="configuration from outside: the same file is for every place",
        do=f"Below envFrom, write a configMapRef with the name {NAME}.",
    )
    expect(
        takes(first, "secret", DATABASE),
        seen=f"the container {first['name']} takes nothing from the Secret {DATABASE}",
        expected="the password from where the database has it, too",
        do=f"Take it from the Secret {DATABASE}, by valueFrom and secretKeyRef.",
    )
    for name, value in values(releases):
        expect(
            not (value and SECRET.search(name)) and not IN_URL.search(value),
            seen=f"{releases.line(value)}: {name} has a secret value",
            expected="no secret in a file that is in git",
            do="Take it from a Secret, by valueFrom and secretKeyRef. Another variable may use it:"
            " $(PASSWORD)",
        )
        expect(
            name != "ALLOWED_HOSTS" or "*" not in value.split(","),
            seen=f"{releases.line(value)}: ALLOWED_HOSTS is {value}",
            expected="the names that are yours: with a star, visitors choose your name",
            do="Give probes the header Host: localhost, and allow that name.",
        )
    expect(
        "Secret" not in [each["kind"] for each in releases.objects],
        seen=f"{releases.line('kind: Secret')}: the file brings a Secret",
        expected="none: base64 is only another way to write, and hides nothing",
        do="Take it out. `kubectl create secret` makes one in the cluster, as the lesson does.",
    )


def test_time_to_leave(releases):
    """Who has to go serves on for some seconds, and has the time to answer whoever is inside."""
    pod = releases.pod_spec
    longest = 0
    for each in pod["containers"]:
        wait = seconds(each)
        expect(
            wait is None or wait >= SERVE_ON,
            seen=f"the container {each['name']} ends as soon as it is told to"
            if not wait
            else f"the container {each['name']} serves on for {wait} seconds only",
            expected="some seconds more: until all have heard that it goes, visitors still come",
            do='Below lifecycle, write a preStop that sleeps: command: [sleep, "10"]',
        )
        longest = max(longest, wait or 0)
    grace = pod.get("terminationGracePeriodSeconds", 30)
    expect(
        grace >= longest + ANSWER,
        seen=f"terminationGracePeriodSeconds is {grace}, and {longest} of them are for preStop",
        expected=f"{ANSWER} seconds more, at least: after that, whoever is inside is cut off",
        do=f"terminationGracePeriodSeconds: {max(60, longest + ANSWER)}",
    )


def test_serves(releases):
    """Three pods become ready behind one name, and serve pages, stylesheets, and the login."""
    enough_pods(releases, releases.deployment["spec"].get("replicas", PODS))
    releases.first()
    enough_pods(releases, len(releases.pods()))
    home, login = releases.get("/"), releases.get("/admin/login/")
    for name, answer in (("/", home), ("/admin/login/", login)):
        expect(
            answer.status == 200,
            seen=f"http://{NAME}{name} answered another pod: {answer.status or answer.text}",
            expected="200: each new pod has a new address, and the name stays",
            do="Does the Service lead to the web server, and does that know the application?",
        )
    style = CSS.search(login.text)
    answer = releases.get(style[1] if style else "/static/admin/css/base.css")
    expect(
        answer.status == 200,
        seen=f"the login's stylesheet answered {answer.status}",
        expected="200: the web server has the files, and the application's image brought them",
        do="Copy static/ into a volume that both have, before the servers start.",
    )


def test_one_migration(releases):
    """The database is migrated once for each release, and when that fails, the old one stays."""
    assert releases.application  # there must be something to start
    with contextlib.suppress(CheckFailed):  # who runs beside itself may well fail
        releases.first()
    count = releases.migrations()
    if not count:
        releases.first()
    expect(
        count == 1,
        seen=f"{PODS} pods started, and the same migration ran "
        + ("more than once, at the same time" if count else "in none of them, nor beside them"),
        expected="once: a migration that runs beside itself fails, or does everything twice",
        do="Let a Job migrate, and let the pods wait for it: manage.py migrate --check",
    )
    releases.first()
    image = releases.release("unmigrated", migrates=False)
    ready, report = releases.visited(image, releases.tried)
    expect(
        not ready,
        seen="a migration failed, and visitors were sent to the new release all the same",
        expected="a release that stays away: the database is not what it was made for",
        do="Let an init container wait until `manage.py migrate --check` is content.",
    )
    expect(
        not report.lost,
        seen=f"a migration failed, and {sum(report.lost.values())} of {report.sent} visitors got"
        " no answer",
        expected="the old release, which serves on as if nothing had happened",
        do="Let no old pod go before a new one is ready: maxUnavailable: 0",
    )
    releases.back()


def test_no_request_lost(releases):
    """A new release takes over and no request is lost; one that is never ready gets no visitor."""
    releases.first()
    image = releases.release("second")
    _, report = releases.visited(image, releases.settle)
    expect(
        not report.lost,
        seen=f"while a new release took over, {sum(report.lost.values())} of {report.sent} visitors"
        " got no answer",
        expected="nobody: each of them had a pod that was ready",
        do="Let no old pod go before a new one is ready (maxUnavailable: 0), and let it serve on"
        " for some seconds (preStop).",
    )
    assert set(report.releases) == {"first", "second"}, report.releases
    image = releases.release("never-ready", ready=False)
    ready, report = releases.visited(image, releases.tried)
    expect(
        not ready and set(report.releases) == {"second"} and not report.lost,
        seen=f"{READY} of a new release said no, and visitors were sent there all the same"
        if ready or "never-ready" in report.releases
        else f"a new release never was ready, and {sum(report.lost.values())} of {report.sent}"
        " visitors got no answer",
        expected="the old release for everybody, until the new one says that it is ready",
        do=f"Let readinessProbe ask for {READY}, and let no old pod go before: maxUnavailable: 0",
    )
