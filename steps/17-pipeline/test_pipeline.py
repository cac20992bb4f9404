"""Step 17: a machine does what was done by hand, in the same order, and stops at the first red."""

import re

import pytest

from workshop.checks import expect, spilled
from workshop.checks.mistakes import answering
from workshop.checks.pipeline import FILE

STAGES = ("check", "test", "build", "deploy")
TESTS = ("unit", "acceptance")
PLACES = ("integration", "production")
IMAGE = re.compile(r"^\s*(?:- )?image:\s*[\"']?(\S+?)[\"']?\s*$", re.MULTILINE)
OWN = "demo:1"  # as the manifests call it
# What needs no explanation, and changes nothing but for the lines behind it.
EASY = re.compile(r"(?:export )?[A-Za-z_]\w*=\S*$|(?:echo|cd|set|source|\.) |apk add |apt-get ")
INSTALLED = re.compile(r"(?:python3? -m )?(?:pip|pipx|uv tool) install ")
NEVER_RED = re.compile(r"\|\|\s*(?:true|:|echo\b|exit 0)|;\s*true$|^set \+e$|;\s*exit 0$")
BROKEN = {"unit": answering("/", 500), "acceptance": answering("/admin/login/", 200, "Later.",
          methods="POST")}  # fmt: skip


def by_itself(pipeline):
    """The jobs that nobody has to start by hand."""
    return [job for job in pipeline.jobs.values() if not job.manual]


def deploying(pipeline):
    """The jobs of the last stage, by the place they are for."""
    found = {job.place: job for job in by_itself(pipeline) if job.stage == "deploy"}
    for place in PLACES:
        expect(
            place in found,
            seen=f"no job of the stage deploy has the environment {place}",
            expected=f"a job for {' and one for '.join(PLACES)}",
            do=f"environment: {place}, in the job that deploys there",
        )
    return found


def calling(pipeline, *words):
    """The jobs which have a command with all of these words."""
    return [
        job for job in pipeline.jobs.values()
        if any(set(words) <= set(re.split(r"[\s|;&]+", each)) for each in job.commands)
    ]  # fmt: skip


def typed(project):
    """What people are told to type: the commands in the READMEs, each on one line."""
    names = [*project.find("README*"), *(f"{each}/README.rst" for each in ("tests", "deployment"))]
    for name in (each for each in names if project.exists(each)):
        text = re.sub(r"\\\n\s*", " ", project.read(name))
        found = re.findall(r"^\s*\$ (.+)$", text, re.MULTILINE) + re.findall(r"`([^`]+)`", text)
        yield from (alike(each) for each in found)


def alike(command):
    """A command as it looks when nobody minds spaces and kinds of quotes."""
    return " ".join(command.replace('"', "'").split())


def test_four_stages(pipeline):
    """It tells a story in four stages: check, test, build, deploy."""
    expect(
        pipeline.stages[1:-1] == STAGES,
        seen=f"the stages are {', '.join(pipeline.stages[1:-1])}",
        expected=f"{', '.join(STAGES)}, in this order: whoever reads them knows how a change"
        " travels",
        do=f"stages: [{', '.join(STAGES)}]",
    )
    for stage in STAGES:
        expect(
            any(job.stage == stage for job in pipeline.jobs.values()),
            seen=f"no job belongs to the stage {stage}",
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
                alike(each) in known or EASY.match(each) or INSTALLED.match(each),
                seen=f"{pipeline.line(job, each.split()[0])}: the job {job.name} types what no"
                f" README says:\n{each}",
                expected="the same command in tests/README.rst or deployment/README.rst, word for"
                " word: when the machine is ill, somebody has to type it",
                do="Which of the two is right? Write it into the other one, too.",
            )


def test_every_test_is_run(pipeline):
    """The unit tests and the acceptance tests are run for each commit, on every branch."""
    for name in TESTS:
        jobs = [job for job in pipeline.jobs.values() if _runs(job, name)]
        expect(
            jobs,
            seen=f"no job runs the {name} tests",
            expected=f"one that calls `tox -e {name}`",
            do=f"script: [tox -e {name}], in a job of the stage test",
        )
        expect(
            not any(job.said.get("rules") or job.said.get("only") for job in jobs),
            seen=f"{pipeline.line(jobs[0])}: the job {jobs[0].name} has rules, and is left out"
            " now and then",
            expected="tests for each commit: on a branch, too, one wants to know",
            do="Take rules (or only) out of that job.",
        )


def _runs(job, name):
    """Whether a job runs these tests: by their name, or because it runs all."""
    words = [re.sub(r"^tox( run)?( -q+)?", "tox", each) for each in job.commands if "tox" in each]
    return any(re.search(rf"-e\s*\S*\b{name}\b", each) or each == "tox" for each in words)


def test_red_stops_the_line(pipeline):
    """Nothing is deployed unless all before it is green: no job may fail, and none jumps ahead."""
    for job in by_itself(pipeline):
        allowed = job.said.get("allow_failure")
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
            seen=f"{pipeline.line(job, quiet[:12])}: in the job {job.name}, this can't turn red:"
            f"\n{quiet}",
            expected="a command that fails ends its job",
            do="Let it fail: take out what swallows that.",
        )
        expect(
            job.said.get("when") != "always",
            seen=f"{pipeline.line(job, 'when')}: the job {job.name} is done always, red or green",
            expected="jobs that are done when all before them is well",
            do="Take when: always out.",
        )
    tests = {job.name for job in pipeline.jobs.values() if job.stage in ("check", "test")}
    for job in deploying(pipeline).values():
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
    building = [*calling(pipeline, "docker", "build"), *calling(pipeline, "buildx", "build")]
    expect(
        len(building) == 1,
        seen=f"{len(building)} jobs build an image"
        + "".join(f"\n{pipeline.line(job)}: {job.name}" for job in building),
        expected="one, for all places: what was tested is what is deployed",
        do="Build in a job of the stage build, and hand the image on."
        if building else "docker build, in a job of the stage build",
    )  # fmt: skip
    (job,) = building
    expect(
        job.stage == "build",
        seen=f"{pipeline.line(job)}: {job.name} builds, and belongs to the stage {job.stage}",
        expected="the stage build",
        do="stage: build",
    )
    told = " ".join((*job.commands, *map(str, (job.said.get("variables") or {}).values()),
                     pipeline.text))  # fmt: skip
    expect(
        "CI_COMMIT_SHORT_SHA" in told or "CI_COMMIT_SHA" in told,
        seen=f"{pipeline.line(job)}: the image's name does not tell from which commit it is",
        expected="the commit in its name: then you can ask what runs, and find it again",
        do="NAME: $CI_REGISTRY_IMAGE:$CI_COMMIT_SHORT_SHA, among the variables",
    )
    latest = re.search(r":latest\b", pipeline.text)
    line = pipeline.text.count("\n", 0, latest.start()) + 1 if latest else 0
    expect(
        not latest,
        seen=f"{FILE}, line {line}: latest",
        expected="names that stay what they are: tomorrow, latest is something else",
        do="Name the commit instead, or the version.",
    )


def test_production_comes_last(pipeline):
    """Production gets what integration runs, from the main branch, one deploy at a time."""
    found = deploying(pipeline)
    integration, production = (found[place] for place in PLACES)
    expect(
        integration.name in pipeline.before(production.name),
        seen=f"{pipeline.line(production)}: {production.name} does not wait for {integration.name}",
        expected="integration first: what fails there, no visitor sees",
        do=f"needs: [{integration.name}, and the job that builds], in {production.name}",
    )
    for job in (integration, production):
        rules = str(job.said.get("rules") or job.said.get("only") or "")
        expect(
            re.search(r"CI_DEFAULT_BRANCH|\bmain\b", rules),
            seen=f"{pipeline.line(job)}: {job.name} deploys from every branch",
            expected="the main branch alone: of what somebody is just trying, nobody gets anything",
            do="rules: [{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH}]",
        )
        expect(
            job.said.get("resource_group"),
            seen=f"{pipeline.line(job)}: two pipelines may deploy to {job.place} at once",
            expected="one after the other: else the older one may end last, and win",
            do=f"resource_group: {job.place}",
        )


def test_no_secret(pipeline):
    """The file holds no secret: the machine has them from elsewhere."""
    for found in spilled.look(FILE, pipeline.text.encode()):
        expect(
            False,
            seen=f"{FILE}, line {found.line}: {found.what}",
            expected="the name of a variable: its value is in the settings of the project, masked",
            do="Take it out, and make a new one: who has a clone has the old one.",
        )


@pytest.mark.needs("pipelines")
def test_goes_all_the_way(pipeline, dry_run):
    """From commit to production: what was built reaches integration, and then production."""
    deploying(pipeline)
    done = dry_run.on()
    expect(
        done.code == 0,
        seen=f"the pipeline is red:\n{done.tail}",
        expected="green, from the first job to the last",
        do="Try it yourself: gitlab-ci-local. Which job is red? Type its commands by hand.",
    )
    images = {}
    for place in PLACES:
        calls = [
            each for each in done.asked("kubectl", "apply")
            if each.namespace.endswith(place) and "kind: Deployment" in each.text
        ]  # fmt: skip
        expect(
            calls,
            seen=f"no job applies deployment/application.yaml in the namespace demo-{place}",
            expected="kubectl apply, in each place",
            do="See Deploy in deployment/README.rst, and `sed`, which puts the image in.",
        )
        own = [name for name in IMAGE.findall(calls[-1].text) if "demo" in name]
        images[place] = set(own)
        wrong = next((name for name in own if "@sha256:" not in name), "")
        expect(
            own and not wrong,
            seen=f"{place} is told to run the image {wrong or 'of nobody'}",
            expected="the digest of what the job before has built: name@sha256:...",
            do="Hand it on: artifacts, reports, dotenv. Then $IMAGE is known in the jobs behind.",
        )
        waited = [*done.asked("kubectl", "rollout", "status"), *done.asked("kubectl", "wait")]
        expect(
            any(each.namespace.endswith(place) for each in waited),
            seen=f"nobody waits until {place} is ready",
            expected="a job that is green when the pods are, and red when they are not",
            do=f"kubectl --namespace demo-{place} rollout status deployment/application",
        )
    expect(
        images["integration"] == images["production"],
        seen="integration and production get different images",
        expected="one: what was tested is what is deployed",
        do="Build once, and hand on the digest.",
    )


@pytest.mark.needs("pipelines")
def test_a_red_test_stops_it(pipeline, dry_run):
    """A page breaks, or a login: the line is red, and nothing is built or deployed."""
    deploying(pipeline)
    expect(
        dry_run.on().code == 0,
        seen="the pipeline is red already, before anything is broken",
        expected="green: see the other check",
        do="Mend that first.",
    )
    for name, mistake in BROKEN.items():
        done = dry_run.on(mistake)
        expect(
            done.code != 0 and not done.calls,
            seen=f"what the {name} tests want is broken, and "
            + (f"`{done.calls[0].program} {done.calls[0].words[0]}` is called" if done.calls
               else "the pipeline is green"),
            expected="red, and nothing behind it",
            do=f"Run `tox -e {name}` in a job of the stage test, and let it fail.",
        )  # fmt: skip
