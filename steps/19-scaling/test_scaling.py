"""Step 19: as many pods as it takes, and a README that tells how it all hangs together."""

import configparser
import fnmatch
import re
from pathlib import PurePosixPath

import pytest

from workshop.checks import expect, near
from workshop.checks.described import FILE

README = "README.rst"
KIND = "HorizontalPodAutoscaler"
PODS = 3
RUSH = 6  # pods in the rush that the check makes, if so many may be
BUSY = range(30, 91)  # percent: below, most of it is idle; above, nothing is left until help comes
SERVER, DATABASE = "deployment/application/uwsgi.ini", "deployment/postgres.yaml"
SEATS, KEPT = 100, 3  # of PostgreSQL, unless it is told otherwise: all, and those for its superuser
LAYERS = ("Application", "Development", "Deployment", "Automation")
# The talk's own project, file for file, as `tree` prints it there.
TREE = """
    application/__init__.py application/settings.py application/urls.py application/wsgi.py
    deployment/application/Dockerfile deployment/application/entrypoint.sh
    deployment/application/uwsgi.ini deployment/application-secrets.yaml
    deployment/application.yaml deployment/envs/development deployment/envs/integration
    deployment/envs/production deployment/postgres-secrets.yaml deployment/postgres.yaml
    deployment/README.rst deployment/webserver/nginx.conf docker-compose.yml LICENSE manage.py
    README.rst requirements/base.in requirements/development.in requirements/production.in
    requirements/production.txt requirements.txt tests/acceptance/environment.py
    tests/acceptance/features/login-logout.feature tests/acceptance/steps/fixtures.py
    tests/acceptance/steps/given.py tests/acceptance/steps/then.py
    tests/acceptance/steps/when.py tests/README.rst tests/unit/test_application.py tox.ini
"""


def names(project, readme):
    """The files and folders that a README names, in ``two backquotes`` or as a link."""
    folder = PurePosixPath(readme).parent
    for found in re.findall(r"``([^`\s]+)``|`([^`\s<]+)`_", project.read(readme)):
        name = "".join(found).removeprefix("./").rstrip("/")
        if "://" not in name and not name.startswith(("/", "-")):
            yield name, {name, str(folder / name)}


def is_of(path, name):
    """Whether a name means this file: its own, that of a folder above it, or one with stars."""
    return path == name or path.startswith(f"{name}/") or fnmatch.fnmatchcase(path, name)


def stale(project, name, meant):
    """Whether this is meant to be a file of the project, and is none: it begins with a folder."""
    tops = [each.removesuffix(name) + name.partition("/")[0] for each in meant]
    begins = "/" in name and any((project.path / each).is_dir() for each in tops)
    return begins and not any(is_of(path, each) for path in project.files for each in meant)


def autoscaler(releases):
    """What the file wants of the autoscaler of what visitors meet."""
    found = [each for each in releases.objects if each["kind"] == KIND]
    expect(
        found,
        seen=f"there is no {KIND} in {FILE}",
        expected="one that says how many pods there must be, and how many there may be",
        do=f"Add it at the end, behind a line with ---. `kubectl explain {KIND}` tells of it.",
    )
    expect(
        len(found) == 1,
        seen=f"there are {len(found)} of them in {FILE}",
        expected=f"one {KIND}: two would pull at the same pods",
        do="Take the others out.",
    )
    return found[0]["spec"]


def busy(spec):
    """At how many percent of the CPU that was asked for more pods come, and if not so, what else
    is measured: both ways to write it, autoscaling/v1 and v2."""
    if "metrics" not in spec:
        return spec.get("targetCPUUtilizationPercentage"), False
    for each in spec["metrics"] or ():
        if each.get("resource", {}).get("name") == "cpu":
            return each["resource"].get("target", {}).get("averageUtilization"), True
    return None, bool(spec["metrics"])


def workers(project):
    """How many visitors a pod serves at a time, as uwsgi.ini has it; 0 when it does not say."""
    said = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    if not project.exists(SERVER):
        return 0
    try:
        said.read_string(project.read(SERVER))
    except configparser.Error:  # the server may understand it all the same
        return 0
    asked = ("processes", "workers", "threads")
    processes, same, threads = (said.get("uwsgi", each, fallback="") for each in asked)
    counts = [processes or same, threads or "1"]
    return (
        int(counts[0]) * int(counts[1]) if all(each and each.isdecimal() for each in counts) else 0
    )


def seats(project):
    """How many may talk to the database at the same time."""
    told = re.search(r"max_connections\s*=\s*(\d+)", project.read(DATABASE))
    return (int(told[1]) if told else SEATS) - KEPT


def more(strategy, most):
    """How many pods more than wanted there may be while a release takes over."""
    surge = strategy.get("rollingUpdate", {}).get("maxSurge", "25%")
    return -(-most * int(surge[:-1]) // 100) if isinstance(surge, str) else surge


def test_story(project, pipeline):
    """README.rst tells the way of a commit, stage by stage, and what the four layers are."""
    told = project.read(README)
    stages = [each for each in pipeline.stages if not each.startswith(".")]
    at = 0
    for stage in stages:
        found = re.compile(rf"\b{re.escape(stage)}\b", re.IGNORECASE).search(told, at)
        expect(
            found,
            seen=f"{README} does not tell of the stage {stage}"
            + (f", behind {stages[stages.index(stage) - 1]}" if at else ""),
            expected=f"the story of a commit: {', '.join(stages)}, in this order",
            do="Write a section for somebody who comes new: what happens to what they push?",
        )
        at = found.end()
    for layer in LAYERS:
        expect(
            re.search(rf"^\W*{layer}\b", told, re.MULTILINE),
            seen=f"no line of {README} begins with {layer}",
            expected=f"the four layers, and what is in each: {', '.join(LAYERS)}",
            do="A line for each, with its question, and its files in ``two backquotes``.",
        )


def test_tree(project):
    """The tree is the talk's, file for file. Each is told of, and none that is gone."""
    for each in TREE.split():
        near.must_be_there(
            project.path,
            each,
            "the talk's tree, file for file",
            "An earlier step has made it. Is it gone? Look: workshop diff",
        )
    known = set()
    for readme in [each for each in project.files if PurePosixPath(each).name == README]:
        for name, meant in names(project, readme):
            known |= meant
            expect(
                not stale(project, name, meant),
                seen=f"{readme} tells of {name}, and there is no such file",
                expected="a story that is true",
                do="Does it have another name now? Then mend the README.",
            )
    for path in project.files:
        expect(
            PurePosixPath(path).name == README or any(is_of(path, each) for each in known),
            seen=f"no {README} tells what {path} is for",
            expected="each file in the story, by its own name or by its folder's, in"
            " ``two backquotes``",
            do="Tell it. Or does nobody need it? Then take it away.",
        )


@pytest.mark.needs("containers", "cluster")
def test_autoscaler(releases):
    """The cluster decides how many pods there are: three, and more while they are busy."""
    spec = autoscaler(releases)
    own = releases.deployment
    target, name = spec.get("scaleTargetRef", {}), own["metadata"]["name"]
    expect(
        (target.get("kind"), target.get("name")) == (own["kind"], name),
        seen=f"{releases.line('scaleTargetRef')}: it is for the {target.get('kind')}"
        f" {target.get('name')}",
        expected=f"the {own['kind']} {name}: its pods are those that visitors meet",
        do=f"kind: {own['kind']}, name: {name}",
    )
    expect(
        "replicas" not in own["spec"],
        seen=f"{releases.line('replicas:')}: the {own['kind']} says how many pods there are, too",
        expected="one who decides: else each deploy in a rush sends pods home",
        do="Take the line with replicas out.",
    )
    least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
    expect(
        least >= PODS,
        seen=f"{releases.line('minReplicas')}: on a quiet day, {least} may be enough for it"
        if "minReplicas" in spec
        else f"{releases.line(KIND)}: it says no minReplicas, and that means 1",
        expected=f"{PODS} pods: one may go, and one may fail at the same time",
        do=f"minReplicas: {PODS}",
    )
    expect(
        most > least,
        seen=f"{releases.line('maxReplicas')}: there are {least} pods, and never more than {most}",
        expected="room for a rush",
        do=f"maxReplicas: {2 * least}, or more",
    )
    percent, other = busy(spec)
    expect(
        percent is not None or other,
        seen=f"{releases.line(KIND)}: it does not say when pods are busy",
        expected="a number that you have chosen: what is not said, somebody else has guessed",
        do="targetCPUUtilizationPercentage: 70",
    )
    expect(
        percent is None or percent in BUSY,
        seen=f"more pods come at {percent} percent of the CPU that they ask for",
        expected=f"something between {BUSY.start} and {BUSY.stop - 1}: until a new pod has started,"
        " the others serve everybody",
        do="70 is a good beginning.",
    )


@pytest.mark.needs("containers", "cluster")
def test_limits(project, releases):
    """Each container says how much CPU it needs, and the database has a seat for every worker."""
    spec = autoscaler(releases)
    pod = releases.pod_spec
    for each in pod["containers"]:
        size = each.get("resources", {})
        expect(
            any("cpu" in size.get(part, {}) for part in ("requests", "limits")),
            seen=f"the container {each['name']} requests no CPU",
            expected="a number for each container: a percentage of nothing is nothing, and then no"
            " pod ever comes",
            do="Below resources and requests: cpu: 100m, a tenth of a core",
        )
    each, most = workers(project), spec["maxReplicas"]
    pods = most + more(releases.deployment["spec"].get("strategy", {}), most)
    expect(
        pods * each <= seats(project),
        seen=f"{pods} pods (with those of a release that takes over) with {each} workers each want"
        f" {pods * each} connections, and the database has {seats(project)} for them",
        expected="a seat for everybody: who gets none answers with an error, in the middle of a"
        " rush",
        do=f"maxReplicas: {seats(project) // max(each, 1) - pods + most}, or fewer. Or give the"
        " database more seats, and the memory that they take.",
    )


@pytest.mark.needs("containers", "cluster")
def test_rush(releases):
    """Pods come in a rush, a deploy in the middle of it sends none home, and no request is lost."""
    spec = autoscaler(releases)
    releases.first()
    many = min(RUSH, spec["maxReplicas"])
    rush, report = releases.rush(many)
    expect(
        rush.before >= PODS,
        seen=f"the file was applied, and {rush.before} pods served",
        expected=f"{PODS}, on a quiet day",
        do=f"minReplicas: {PODS}, and scaleTargetRef must name what is to be scaled.",
    )
    expect(
        rush.reached == many,
        seen=f"{many} pods were asked for, and {rush.reached} became ready",
        expected="a pod that starts wherever there is room, and as often as one likes",
        do="Do they wait for each other, or for something of which there is only one?",
    )
    expect(
        rush.kept >= many,
        seen=f"{rush.reached} pods served in a rush, the same file was applied again, and then"
        f" there were {rush.kept}",
        expected=f"{many} pods: a deploy is no reason to send anybody home",
        do="Take the line with replicas out of the Deployment. The autoscaler decides alone.",
    )
    expect(
        not report.lost,
        seen=f"while pods came and went, {sum(report.lost.values())} of {report.sent} visitors got"
        " no answer",
        expected="nobody: who comes waits until it is ready, who goes answers whoever is inside",
        do="Let readinessProbe say when a pod may have visitors, and let it serve on for some"
        " seconds when it has to go (preStop).",
    )
