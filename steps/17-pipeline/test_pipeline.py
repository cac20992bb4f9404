"""Step 17: a machine does what was done by hand, in the same order, and stops at the first red."""

import re

import pytest

from workshop.checks import CheckFailed, expect, gitlab, readme, spilled
from workshop.checks.mistakes import answering, appended
from workshop.checks.pipeline import FILE

STAGES = ("check", "test", "build", "deploy")
TESTS = ("unit", "acceptance")
PLACES = ("integration", "production")
IMAGE = re.compile(r"^\s*(?:- )?image:[ \t]*[\"']?(\S*?)[\"']?\s*$", re.MULTILINE)
MANIFEST = "deployment/application.yaml"
OWN = "demo:1"  # as the manifests call it
# What needs no explanation, and changes nothing but for the lines behind it.
EASY = re.compile(
    r"(?:export )?[A-Za-z_]\w*=\S*$|(?:(?:echo|cd|set|source|\.) |apk add |apt-get )[^|&;]*$"
    r"|(?:pip3?|pipx) install [^|&;]*$|echo \S+ \| docker login [^|&;]*$"
)
NEVER_RED = re.compile(r"\|\|\s*(?:true|:|echo\b|exit 0)|;\s*(?:true|exit 0)$|^set \+e$|^exit 0$")
BUILDS = re.compile(r"\bdocker (?:buildx |image )?build\b")
SET = re.compile(r"(?:export )?([A-Za-z_]\w*)=(.*)")
MAIN = re.compile(r"CI_DEFAULT_BRANCH|\bmain\b")
NOT_MAIN = re.compile(r"!=\s*[\"']?(?:\$CI_DEFAULT_BRANCH|main\b)")
COMMIT = re.compile(r"CI_COMMIT_(?:SHORT_)?SHA|git (?:rev-parse|describe)")
WAITS = (("rollout", "status"), ("wait",))
HANDED_ON = (
    "Hand the digest on: the job that builds writes IMAGE=... into a file, and names it below"
    " artifacts, reports, dotenv. Then $IMAGE is known in each job that needs that one, or that has"
    " no needs at all."
)
SETTINGS = "application/settings.py"
WARNING = """
from django.core import checks as _checks


@_checks.register
def _odd(app_configs, **_):
    return [_checks.Warning("Something looks wrong", id="workshop.W001")]
"""
MODEL = """from django.db import models


class Forgotten(models.Model):
    name = models.TextField(primary_key=True)

    class Meta:
        managed = False  # no test misses its table
"""
# What no test of a page notices, what is to be said of it, and how it is asked.
ODD = {
    "Django warns": (
        appended(SETTINGS, WARNING),
        "python manage.py check --fail-level WARNING",
        "Without the option, a warning is printed, and nobody reads it.",
    ),
    "a model has no migration": (
        appended("forgotten/__init__.py", "") | appended("forgotten/migrations/__init__.py", "")
        | appended("forgotten/models.py", MODEL)
        | appended(SETTINGS, "\nINSTALLED_APPS = [*INSTALLED_APPS, 'forgotten']\n"),
        "python manage.py makemigrations --check --dry-run",
        "With --check it ends red when one is missing; with --dry-run it makes none.",
    ),
}  # fmt: skip
BROKEN = {"unit": answering("/", 500), "acceptance": answering("/admin/login/", 200, "Later.",
          methods="POST")}  # fmt: skip


def by_itself(pipeline):
    """The jobs that nobody has to start by hand."""
    return [job for job in pipeline.jobs.values() if not job.manual]


def deploying(pipeline):
    """The jobs of the last stage that deploy, as pairs of a place and a job. A button beside them,
    for a bad day, is no business of the line."""
    last = [job for job in pipeline.jobs.values() if job.stage == "deploy"]
    for place in PLACES:
        there = [job for job in last if job.place == place]
        expect(
            there,
            seen=f"no job of the stage deploy has the environment {place}",
            expected=f"a job for {' and one for '.join(PLACES)}",
            do=f"environment: {place}, and stage: deploy, in the job that deploys there",
        )
        waiting = there[0]
        expect(
            any(not job.manual for job in there),
            seen=f"{pipeline.line(waiting, 'when: manual')}: {waiting.name} waits"
            " until somebody presses a button",
            expected="whatever is on the main branch, and green, is deployed by itself",
            do="Take when: manual out.",
        )
    return [
        (place, job) for place in PLACES for job in last if job.place == place and not job.manual
    ]  # fmt: skip


def typed(project):
    """What people are told to type: the commands in the READMEs, each on one line."""
    names = [*project.find("README*"), *(f"{each}/README.rst" for each in ("tests", "deployment"))]
    for name in (each for each in names if project.exists(each)):
        text = project.read(name)
        yield from readme.typed(text)
        yield from map(readme.alike, re.findall(r"`([^`]+)`", text))


def at_work(pipeline, name, text=""):
    """The line of a job that has run, or of a text in it."""
    job = pipeline.jobs.get(re.sub(r"( \d+/\d+|: \[.*\])$", "", name))  # one of many, in parallel
    return pipeline.line(job, text) if job else FILE


def told(pipeline, done):
    """What a run that is red has said last, and where."""
    if not done.job:
        return f":\n{done.tail}"
    where = at_work(pipeline, done.job, done.command)
    return f", in the job {done.job} ({where}):\n$ {done.command}\n{done.tail}"


def test_four_stages(pipeline):
    """It tells a story in four stages: check, test, build, deploy."""
    expect(
        pipeline.names_stages,
        seen=f"{FILE} does not say which stages there are",
        expected=f"{', '.join(STAGES)}, in this order: whoever reads them knows how a change"
        " travels",
        do=f"stages: [{', '.join(STAGES)}]",
    )
    expect(
        pipeline.stages[1:-1] == STAGES,
        seen=f"{FILE}, line {pipeline.where('stages:')}: the stages are"
        f" {', '.join(pipeline.stages[1:-1])}",
        expected=f"{', '.join(STAGES)}, in this order: whoever reads them knows how a change"
        " travels",
        do=f"stages: [{', '.join(STAGES)}]",
    )
    silent = [job for job in pipeline.jobs.values() if "stage" not in job.said]
    for stage in STAGES:
        expect(
            any(job.stage == stage for job in pipeline.jobs.values()),
            seen=f"no job belongs to the stage {stage}"
            + "".join(
                f"\n{pipeline.line(job)}: {job.name} says no stage, and so it belongs to test"
                for job in silent
            ),
            expected="one at least, in each stage",
            do=f"stage: {stage}, in the job that it is about",
        )


def test_by_hand(project, pipeline):
    """A person can do the same: each command of each job stands in one of the READMEs."""
    known = set(typed(project))
    for job in pipeline.jobs.values():
        expect(
            job.commands,
            seen=f"{pipeline.line(job)}: the job {job.name} types nothing",
            expected="its commands, below script",
            do="Which one would you type? Write that.",
        )
        for each in job.commands:
            expect(
                readme.alike(each) in known or EASY.match(each),
                seen=f"{pipeline.line(job, each)}: the job {job.name} types what no"
                f" README says:\n{each}",
                expected="the same command in tests/README.rst or deployment/README.rst, word for"
                " word: when the machine is ill, somebody has to type it",
                do="Take the \\ out, and the one in the next lines: in YAML, the line goes on by"
                " itself." if " \\ " in f"{each} " else
                "Which of the two is right? Write it into the other one, too.",
            )  # fmt: skip


def test_every_test_is_run(pipeline):
    """The unit tests and the acceptance tests are run for each commit, on every branch."""
    for name in TESTS:
        jobs = [job for job in pipeline.jobs.values() if _runs(job, name)]
        expect(
            jobs,
            seen=f"no job runs the {name} tests, all of them",
            expected=f"one that calls `tox -e {name}`",
            do=f"script: [tox -e {name}], in a job of the stage test",
        )
        for job in jobs:
            left_out = next((key for key in ("rules", "only", "except") if job.said.get(key)), "")
            expect(
                not left_out or job.manual,
                seen=f"{pipeline.line(job, f'{left_out}:')}: the job {job.name} has {left_out}, and"
                " is left out now and then",
                expected="tests for each commit: on a branch, too, one wants to know",
                do=f"Take {left_out} out of that job.",
            )
            expect(
                not job.manual,
                seen=f"{pipeline.line(job, 'when: manual')}: the job {job.name} waits until"
                " somebody presses a button",
                expected="tests that are run by themselves: what needs a press is soon forgotten",
                do="Take when: manual out of that job.",
            )


def _runs(job, name):
    """Whether a job runs these tests, and not only some: by their name, or because it runs all."""
    words = [re.sub(r"^(python3? -m )?tox( run)?( -q+)?", "tox", each) for each in job.commands]
    named = re.compile(rf"tox\b.* -q*e[ =]?\S*\b{name}\b(?!.* -- )")
    return any(named.match(each) or each == "tox" for each in words)


def test_red_stops_the_line(pipeline):
    """Nothing is deployed unless all before it is green: no job may fail, and none jumps ahead."""
    for job in by_itself(pipeline):
        allowed = any(each.get("allow_failure") for each in (job.said, *job.rules))
        expect(
            not allowed,
            seen=f"{pipeline.line(job, 'allow_failure')}: the job {job.name} may fail, and the line"
            " goes on",
            expected="red means stop: what may fail, nobody looks at any more",
            do="Take allow_failure out. Or take the job out: it tells nothing.",
        )
        quiet = next((each for each in job.commands if NEVER_RED.search(each)), "")
        expect(
            not quiet,
            seen=f"{pipeline.line(job, quiet)}: in the job {job.name}, this can't turn red:"
            f"\n{quiet}",
            expected="a command that fails ends its job",
            do="Let it fail: take out what swallows that.",
        )
        expect(
            not any(each.get("when") == "always" for each in (job.said, *job.rules)),
            seen=f"{pipeline.line(job, 'when: always')}: the job {job.name} is done always, red or"
            " green",
            expected="jobs that are done when all before them is well",
            do="Take when: always out.",
        )
    tests = {job.name for job in by_itself(pipeline) if job.stage in ("check", "test")}
    deploying(pipeline)
    for job in (each for each in by_itself(pipeline) if each.stage in ("build", "deploy")):
        jumped = sorted(tests - pipeline.before(job.name))
        expect(
            not jumped,
            seen=f"{pipeline.line(job, 'needs')}: the job {job.name} does not wait for"
            f" {' and '.join(jumped)}",
            expected="it waits for all of them: `needs` is a shortcut past the stages",
            do="Let it need a job that waits for them, or take needs out.",
        )


def test_built_once(pipeline):
    """The image is built once for each commit, under a name that tells which one."""
    building = [
        (job, each) for job in pipeline.jobs.values() for each in job.commands
        if BUILDS.search(each)
    ]  # fmt: skip
    expect(
        building,
        seen="no job builds an image",
        expected="one, in the stage build",
        do="docker build, in a job of the stage build",
    )
    expect(
        len(building) == 1,
        seen=f"an image is built {len(building)} times"
        + "".join(f"\n{pipeline.line(job, each)}: {job.name}" for job, each in building),
        expected="once, for all places: what was tested is what is deployed",
        do="Build in a job of the stage build, and hand the image on.",
    )
    ((job, command),) = building
    expect(
        job.stage == "build",
        seen=f"{pipeline.line(job)}: {job.name} builds, and belongs to the stage {job.stage}",
        expected="the stage build",
        do="stage: build",
    )
    expect(
        "matrix" not in str(job.said.get("parallel")),
        seen=f"{pipeline.line(job, 'parallel')}: {job.name} is done once for each line of a matrix",
        expected="one image, for all places: what was tested is what is deployed",
        do="Build in a job without parallel, and hand the image on.",
    )
    latest = pipeline.where(":latest")
    expect(
        not latest,
        seen=f"{FILE}, line {latest}: latest",
        expected="names that stay what they are: tomorrow, latest is something else",
        do="Name the commit instead, or the version.",
    )
    expect(
        COMMIT.search(_with_values(pipeline, job)),
        seen=f"{pipeline.line(job, command)}: the image's name does not tell from which commit it"
        " is",
        expected="the commit in its name: then you can ask what runs, and find it again",
        do="NAME: $CI_REGISTRY_IMAGE:$CI_COMMIT_SHORT_SHA, among the variables",
    )


def _with_values(pipeline, job):
    """What a job tells docker, with the values of variables in it."""
    known = dict(pipeline.variables(job))
    known |= dict(found.groups() for each in job.commands if (found := SET.match(each)))
    told = " ".join(each for each in job.commands if "docker" in each)
    for _ in range(5):  # so often may one variable stand in another
        told = gitlab.filled(told, known)
    return told


def test_production_comes_last(pipeline):
    """Production gets what integration runs, from the main branch, one deploy at a time."""
    jobs = deploying(pipeline)
    first = [job.name for place, job in jobs if place == "integration"]
    built = [job.name for job in pipeline.jobs.values() if job.stage == "build"]
    for production in (job for place, job in jobs if place == "production"):
        missing = sorted(set(first) - pipeline.before(production.name))
        expect(
            not missing,
            seen=f"{pipeline.line(production)}: {production.name} does not wait for"
            f" {' and '.join(missing)}",
            expected="integration first: what fails there, no visitor sees",
            do=f"needs: [{', '.join((*built, *missing))}], in {production.name}",
        )
    for place, job in jobs:
        expect(
            _only_main(job),
            seen=f"{pipeline.line(job, 'rules')}: {job.name} deploys from other branches than main",
            expected="the main branch alone: of what somebody is just trying, nobody gets anything",
            do="rules: [{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH}]",
        )
        expect(
            job.said.get("resource_group"),
            seen=f"{pipeline.line(job)}: two pipelines may deploy to {place} at once",
            expected="one after the other: else the older one may end last, and win",
            do=f"resource_group: {place}",
        )


def _only_main(job):
    """Whether a job is part of pipelines of the main branch alone."""
    if not job.rules:
        return MAIN.search(str(job.said.get("only") or ""))
    never = [str(each.get("if")) for each in job.rules if each.get("when") == "never"]
    others = [str(each.get("if")) for each in job.rules if each.get("when") != "never"]
    return any(NOT_MAIN.search(each) for each in never) or all(
        MAIN.search(each) and not NOT_MAIN.search(each) for each in others
    )


def test_no_secret(pipeline):
    """The file holds no secret: the machine has them from elsewhere."""
    for found in spilled.look(FILE, pipeline.text.encode()):
        expect(
            False,
            seen=f"{FILE}, line {found.line}: {found.what}",
            expected="the name of a variable: its value is in the settings of the project, masked",
            do="Take it out, and make a new one: who has a clone knows the old one.",
        )


def parts(call):
    """All mappings in the manifests of a call, however deep, those inside behind those around."""
    import yaml

    try:
        ahead = list(yaml.safe_load_all(call.text))
    except yaml.YAMLError as error:
        raise CheckFailed(
            seen=f"the job {call.job} applies what is no YAML: {error}",
            expected=f"{MANIFEST}, with an image's name put in",
            do="Type the command in front of the last | by hand, and read what it prints.",
        ) from error
    for each in ahead:
        if isinstance(each, dict):
            yield each
        if isinstance(each, (dict, list)):
            ahead += each.values() if isinstance(each, dict) else each


def read_by(call):
    """The ConfigMaps that the pods of these manifests can't do without."""
    found = set()
    for each in parts(call):
        for key in ("configMapRef", "configMapKeyRef", "configMap"):
            named = each.get(key)
            if isinstance(named, dict) and "name" in named and not named.get("optional"):
                found.add(named["name"])
    return found


def brought(calls):
    """The ConfigMaps that these calls have made or changed."""
    found = set()
    for call in calls:
        if "create" in call.words and not any(each.startswith("--dry") for each in call.words):
            found.update(call.words)
        for each in parts(call) if "apply" in call.words else ():
            made = [each] if each.get("kind") == "ConfigMap" else each.get("configMapGenerator")
            found.update(
                (one.get("metadata") or one).get("name")
                for one in made or () if isinstance(one, dict)
            )  # fmt: skip
    return found


@pytest.mark.needs("pipelines")
def test_goes_all_the_way(project, pipeline, dry_run):
    """From commit to production: what was built reaches integration, and then production."""
    deploying(pipeline)
    done = dry_run.on()
    expect(
        done.code == 0,
        seen=f"the pipeline is red{told(pipeline, done)}",
        expected="green, from the first job to the last",
        do="Type the commands of that job by hand, one by one. In this check, docker and kubectl"
        " only take notes.",
    )
    others = {name for name in IMAGE.findall(project.read(MANIFEST)) if name != OWN}
    images = {}
    for place in PLACES:
        there = [each for each in done.calls if each.namespace.endswith(place)]
        applied = [
            at for at, each in enumerate(there)
            if "apply" in each.words and "kind: Deployment" in each.text
        ]  # fmt: skip
        elsewhere = sorted({each.namespace for each in done.calls if "apply" in each.words})
        expect(
            applied,
            seen=f"no job applies {MANIFEST} in the namespace demo-{place}"
            + (f", but in {' and '.join(elsewhere)}" if elsewhere else ""),
            expected="kubectl apply, in each place",
            do="See Deploy in deployment/README.rst: there, the namespace is an option of kubectl.",
        )
        last = there[applied[-1]]
        missing = sorted(read_by(last) - brought(there[: applied[-1] + 1]))
        expect(
            not missing,
            seen=f"{at_work(pipeline, last.job)}: the job {last.job} does not bring the ConfigMap"
            f" {' and '.join(missing)}, which {MANIFEST} reads",
            expected=f"the configuration first: what a commit changes there comes to {place}, too",
            do="See Deploy in deployment/README.rst: kubectl create configmap, and apply.",
        )
        own = [name for name in IMAGE.findall(last.text) if name not in others]
        wrong = next((name for name in own if "@sha256:" not in name), None)
        expect(
            own and wrong is None,
            seen=f"{at_work(pipeline, last.job, 'sed')}: the job {last.job} deploys to {place} "
            + (f"by the name {wrong}" if wrong else "without an image: what it puts in is empty"),
            expected="the digest of what the job before has built: name@sha256:...",
            do=HANDED_ON if not wrong else "A name can be given to something else. See Deploy in"
            " deployment/README.rst: `sed` puts $IMAGE in, and that has the digest.",
        )  # fmt: skip
        images[place] = set(own)
        behind = [set(each.words) for each in there[applied[-1] :]]
        expect(
            any(set(words) <= each for each in behind for words in WAITS),
            seen=f"{at_work(pipeline, last.job)}: the job {last.job} does not wait until {place} is"
            " ready",
            expected="a job that is green when the pods are, and red when they are not",
            do=f"kubectl --namespace demo-{place} rollout status deployment/application",
        )
    expect(
        images["integration"] == images["production"],
        seen="integration and production get different images",
        expected="one: what was tested is what is deployed",
        do="Build once, and hand on the digest.",
    )


def green_at_first(pipeline, dry_run):
    """Raise CheckFailed unless the line is green as it is: else, red means nothing."""
    deploying(pipeline)
    whole = dry_run.on()
    expect(
        whole.code == 0,
        seen=f"the pipeline is red before anything is broken{told(pipeline, whole)}",
        expected="green, as long as all is well",
        do="Mend that first.",
    )


def nothing_behind(pipeline, done, what):
    """Raise CheckFailed when something was built or deployed all the same."""
    late = {job.name for job in pipeline.jobs.values() if job.stage in ("build", "deploy")}
    called = next((each for each in done.calls if each.job in late), None)
    expect(
        not called,
        seen=called
        and f"{what}, and the job {called.job} calls `{called.program} {called.words[0]}`. Look at"
        f" {at_work(pipeline, called.job)}",
        expected="red, and nothing behind it",
        do="Whom does that job need? Let it wait for the tests.",
    )


@pytest.mark.needs("pipelines")
def test_django_is_asked(pipeline, dry_run):
    """Django warns, or a migration was forgotten: the line is red, though all tests are green."""
    green_at_first(pipeline, dry_run)
    job = next((each for each in pipeline.jobs.values() if each.stage == "check"), None)
    for what, (mistake, command, why) in ODD.items():
        done = dry_run.on(mistake)
        expect(
            done.code != 0,
            seen=f"{what}, and the pipeline is green. "
            + (
                f"Look at the job {job.name}, {pipeline.line(job, 'tox')}, and at what it starts"
                if job
                else "No job belongs to the stage check"
            ),
            expected="red: no test looks for that, but Django knows it",
            do=("" if job else "Call `tox -e check`, in a job of the stage check. ")
            + f"Below [testenv:check] in tox.ini, under commands:\n{command}\n{why}",
        )
        nothing_behind(pipeline, done, what)


@pytest.mark.needs("pipelines")
def test_a_red_test_stops_it(pipeline, dry_run):
    """A page breaks, or a login: the line is red, and nothing is built or deployed."""
    green_at_first(pipeline, dry_run)
    for name, mistake in BROKEN.items():
        done = dry_run.on(mistake)
        runs = next((job for job in pipeline.jobs.values() if _runs(job, name)), None)
        expect(
            done.code != 0,
            seen=f"what the {name} tests want is broken, and the pipeline is green"
            + (f". Look at the job {runs.name}, {pipeline.line(runs, 'tox')}" if runs else ""),
            expected="red",
            do=f"Run `tox -e {name}` in a job of the stage test, and let it fail. What swallows"
            " that may stand there, such as `if` or `||`, or in tox.ini: a - in front of a"
            " command.",
        )
        nothing_behind(pipeline, done, f"what the {name} tests want is broken")
