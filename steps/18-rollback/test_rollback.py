"""Step 18: a bad release out, the last good one back, by a button and by hand."""

import re

import pytest

from workshop.checks import CheckFailed, expect, readme
from workshop.checks.pipeline import FILE
from workshop.checks.releases import PRODUCTION, ROLLOUT

README = "deployment/README.rst"
PLACE = "production"
UNDO = "kubectl --namespace demo-production rollout undo deployment/application"
STATUS = "kubectl --namespace demo-production rollout status deployment/application"
# Not for a condition such as Available: that is true all the time.
WAITS = re.compile(r"\brollout status\b(?!.*(watch|-w)=false)|\bwait\b.*\bjsonpath\b")
BACK = re.compile(r"\bkubectl\b.*\bundo\b")
# What a person who was woken up must find below the commands, and what to write if they don't.
TOLD = {
    "within which time it is over": (
        r"\b(five|5)\s+min", "A number to hold on to: after five minutes, call somebody."),
    "that the data stays as it is": (
        r"\b(data|databases?|tables?|migrations?)\b", "The tables stay those of the newer release."
        " So first add (expand), and take away in a later release (contract)."),
    "that the configuration stays as it is": (
        r"\bconfig", "The ConfigMap was applied before. For that: git revert, and deploy."),
    "what becomes of a key that has leaked": (
        r"\b(leak|secret|key)", "It is known all the same. See Leaked?"),
    "how one sees that it is over": (
        r"\b(look|see|ask|visit|open|curl)\b", "Look at the page that was wrong, as visitors do."
        " Pods that are ready prove nothing: the bad ones were, too."),
    "what to do then": (
        r"\b(mend|fix|revert|repair)", "Mend it by the normal way: revert, test, deploy."),
    "that a test is missing": (
        r"(?<!no )(?<!no\n)\btest", "One that would have caught it, in the same commit"
        " as the mend."),
}  # fmt: skip
NUMBERS = {
    "change lead time": r"lead\s+time",
    "deployment frequency": r"deployment\s+frequency",
    "failed deployment recovery time": r"recovery\s+time",
    "change fail rate": r"fail(ure)?\s+rate",
    "deployment rework rate": r"rework\s+rate",
}
ADA = {
    "DJANGO_SUPERUSER_USERNAME": "ada",
    "DJANGO_SUPERUSER_PASSWORD": "correct-horse-battery-staple",
    "DJANGO_SUPERUSER_EMAIL": "ada@shop.example",
}


def button(pipeline):
    """The job that brings production back."""
    found = [job for job in pipeline.jobs.values() if any(map(BACK.search, job.commands))]
    expect(
        found,
        seen=f"no job of {FILE} rolls back",
        expected="one that does it with the two commands that a person would type",
        do=f"Write a job rollback, with: {UNDO}",
    )
    expect(
        len(found) == 1,
        seen=f"{' and '.join(job.name for job in found)} roll back, both",
        expected="one button: at night, nobody wants to choose",
        do="Take the others out.",
    )
    return found[0]


def whens(job):
    """When it is started, and whether it may fail: by each of its rules, or without one."""
    own = job.said.get("when", "on_success"), job.said.get("allow_failure")
    for rule in job.said.get("rules") or ():
        if isinstance(rule, dict):
            when = rule.get("when", own[0])
            # What a rule makes manual holds the pipeline up, unless it is said that it does not.
            default = own[1] if own[1] is not None else "when" not in rule
            yield when, rule.get("allow_failure", default)
    if not job.said.get("rules"):
        yield own[0], own[1] if own[1] is not None else True


def group(pipeline, job):
    """Which jobs are done one at a time: the name of the group, with the job's variables in it."""
    return pipeline.filled(job, job.said.get("resource_group") or "")


def sections(text):
    """The sections of a README, each with those inside: their commands, and all their words."""
    from docutils import nodes

    document = readme.document(text)
    for section in list(document.findall(nodes.section)) or [document]:
        blocks = [each.astext() for each in section.findall(nodes.literal_block)]
        inline = [readme.alike(each.astext()) for each in section.findall(nodes.literal)]
        yield [*readme.typed("\n".join(blocks)), *inline], section.astext()


def looks(site):
    """What visitors of a release meet: each thing by its name, whether it works, and what they are
    told."""
    found = {}
    for name in ("GET /", "GET /readyz", "a login"):
        try:
            answer = login(site) if name == "a login" else site.get(name.removeprefix("GET "))
            found[name] = answer.status == 200, f"{name} answers {answer.status}"
        except CheckFailed:  # it waits, or is gone
            found[name] = False, f"{name} gets no answer"
    return found


def login(site):
    """Ada logs in. Returns the page behind the door; when it broke on the way, what that said."""
    visitor = site.visitor()
    door = visitor.submit(
        "/admin/login/", username=ADA["DJANGO_SUPERUSER_USERNAME"],
        password=ADA["DJANGO_SUPERUSER_PASSWORD"],
    )  # fmt: skip
    return door if door.status == 500 else visitor.get("/admin/")


def test_a_button(pipeline):
    """A person presses a button: it waits for nobody, holds nobody up, and is for production."""
    job = button(pipeline)
    for when, may_fail in whens(job):
        expect(
            when in ("manual", "never"),
            seen=f"{pipeline.line(job)}: the job {job.name} starts by itself ({when})",
            expected="a button: whether visitors are unhappy, a person decides",
            do="when: manual, in its rule",
        )
        expect(
            may_fail or when == "never",
            seen=f"{pipeline.line(job, 'manual')}: until somebody has pressed {job.name}, each"
            " pipeline is blocked",
            expected="a pipeline that is green without it: in rules, what is manual is waited for",
            do="allow_failure: true, beside when: manual",
        )
    before = sorted(pipeline.before(job.name))
    expect(
        not before,
        seen=f"{pipeline.line(job)}: the job {job.name} waits for {' and '.join(before)}",
        expected="a job that waits for nobody: what it brings back was tested long ago",
        do="needs: []",
    )
    waiting = [each.name for each in pipeline.jobs.values() if job.name in (each.needs or ())]
    expect(
        not waiting,
        seen=f"{' and '.join(waiting)} can't begin until somebody has pressed {job.name}",
        expected="nobody who waits for it",
        do=f"Take {job.name} out of their needs.",
    )
    expect(
        job.place == PLACE,
        seen=f"{pipeline.line(job)}: the job {job.name} belongs to "
        + (f"the environment {job.place}" if job.place else "no environment"),
        expected=f"{PLACE}: who may deploy there may press it, and nobody else",
        do=f"environment: {PLACE}",
    )
    rules = str(job.said.get("rules") or job.said.get("only") or "")
    expect(
        re.search(r"CI_DEFAULT_BRANCH|\bmain\b", rules),
        seen=f"{pipeline.line(job)}: each branch has the button {job.name}",
        expected="the main branch alone: nobody should find it where they are trying something",
        do="rules: [{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH, when: manual, allow_failure:"
        " true}]",
    )
    deploys = [each for each in pipeline.jobs.values() if each.place == PLACE and each != job]
    groups = {group(pipeline, each) for each in deploys}
    expect(
        group(pipeline, job) in groups or not groups,
        seen=f"{pipeline.line(job)}: a deploy may be under way while {job.name} goes back",
        expected="one of them at a time: else the one that ends last wins",
        do=f"resource_group: {min(groups - {''}, default=PLACE)}",
    )


def test_told(project, pipeline):
    """deployment/README.rst has the same commands, and all else that one needs at night."""
    job = button(pipeline)
    found = list(sections(project.read(README)))
    commands = [readme.alike(each) for each in job.commands]
    missing = [each for each in commands if not any(each in typed for typed, _ in found)]
    expect(
        not missing,
        seen=f"{README} does not say, word for word:\n{missing[0] if missing else ''}",
        expected=f"the commands of the job {job.name}: on the day when the machine is ill as well,"
        " somebody types them",
        do="Below Roll back, in a block of its own, with a $ in front.",
    )
    holding = [text for typed, text in found if all(each in typed for each in commands)]
    expect(
        holding,
        seen=f"in {README}, the commands of the job {job.name} stand in different sections",
        expected="one place to read",
        do="Let one section, such as Roll back, have them all.",
    )
    told = min(holding, key=len)  # the innermost
    for what, (words, do) in TOLD.items():
        expect(
            re.search(words, told, re.IGNORECASE),
            seen=f"{README} does not say, where it rolls back, {what}",
            expected="all that a person needs who was woken up, on one screen",
            do=do,
        )
    every = project.read(README)
    for number, words in NUMBERS.items():
        expect(
            re.search(words, every, re.IGNORECASE),
            seen=f"{README} says nothing of the {number}",
            expected="the five numbers that tell whether deploys go well, and what each of them"
            " asks",
            do=f"A line for each, in a section of their own: {', '.join(NUMBERS)}",
        )


def test_tables(project, pipeline, earlier, other_database):
    """The release before this one goes on working when this one has migrated the database."""
    job = button(pipeline)
    with earlier.serve(database=other_database) as site:
        earlier.manage("createsuperuser", "--noinput", env=site.env | ADA)
        before = looks(site)
        env = project.config | {"DATABASE_URL": other_database.url}
        migrated = project.manage("migrate", "--noinput", env=env)
        expect(
            migrated.code == 0,
            seen=f"on the tables of the release before, `manage.py migrate` failed:\n"
            f"{migrated.tail}",
            expected="tables that this release can live with, and the one before as well",
            do="Mend what the last line above says.",
        )
        after = looks(site)
    lost = [name for name, (works, _) in before.items() if works and not after[name][0]]
    expect(
        not lost,
        seen="the release before was served on, with the tables of this one, and"
        f" {after[lost[0]][1] if lost else ''}",
        expected=f"all that worked before: {job.name} brings the program back, and not the tables",
        do="Look at your new migrations. Add what is new, so that the old code need not know it"
        " (expand). Take away what is old in a later release (contract).",
    )


@pytest.mark.needs("pipelines")
def test_pressed(pipeline, dry_run):
    """Pressed, it undoes what production has, waits until that is over, and runs no test."""
    job = button(pipeline)
    done = dry_run.pressed(job.name)
    more = sorted(done.jobs - {job.name})
    expect(
        not more,
        seen=f"whoever presses {job.name} waits for {' and '.join(more)}",
        expected="the way back at once: a red test must not be in the way",
        do=f"needs: [], in {job.name}",
    )
    expect(
        done.code == 0,
        seen=f"the job {job.name} is red:\n{done.tail}",
        expected="green",
        do=f"Try it yourself: gitlab-ci-local {job.name}",
    )
    other = next((each for each in done.calls if each.namespace != PRODUCTION), None)
    expect(
        other is None,
        seen=f"it does something in the namespace {other and other.namespace}:"
        f" {' '.join((other.program, *other.words)) if other else ''}",
        expected=f"nothing but {PRODUCTION}: the other places are well",
        do=f"--namespace {PRODUCTION}",
    )
    undone = [at for at, each in enumerate(done.calls) if {"rollout", "undo"} <= set(each.words)]
    expect(
        undone,
        seen="kubectl is not told to undo the rollout",
        expected=UNDO,
        do="Write that.",
    )
    expect(
        len(undone) == 1,
        seen="the rollout is undone, and then undone again: that is the bad one",
        expected="one undo",
        do="Take the others out.",
    )
    waited = [
        at for at, each in enumerate(done.calls) if WAITS.search(" ".join(each.words))
    ]  # fmt: skip
    expect(
        any(at > undone[0] for at in waited),
        seen="nobody waits until the good release is back",
        expected="a button that is green when it is over, and red when it is not",
        do=f"Behind undo: {STATUS} --timeout 300s",
    )


@pytest.mark.needs("containers", "cluster")
def test_back_in_time(pipeline, releases):
    """A release is ready, and its page is broken: the way back takes minutes, and loses nobody."""
    job = button(pipeline)
    releases.first()
    bad = releases.release("bad", broken=True)
    releases.bring(bad)
    releases.settle(bad)
    assert releases.get("/").status == 500
    undone, report = releases.undone(job.commands, pipeline.variables(job))
    expect(
        undone.done.code == 0,
        seen=f"a bad release was live, and the commands of {job.name} failed:\n{undone.done.tail}",
        expected="the last good release",
        do=f"Type them yourself, in a cluster. These two are enough: {UNDO}, and {STATUS}",
    )
    expect(
        undone.good and undone.seconds < ROLLOUT,
        seen=f"after {job.name}, the bad release still serves"
        if not undone.good
        else f"it took {undone.seconds:.0f} seconds",
        expected=f"the last good release, and no other, within {ROLLOUT:.0f} seconds",
        do=UNDO,
    )
    answer = releases.get("/")
    expect(
        answer.status == 200,
        seen=f"after {job.name}, GET / answered {answer.status or answer.text}",
        expected="200, as before the bad release",
        do="Does it go back to a release that was good?",
    )
    expect(
        not report.lost,
        seen=f"on the way back, {sum(report.lost.values())} of {report.sent} visitors got no"
        " answer",
        expected="nobody: the way back is a rollout like any other",
        do="Let no bad pod go before a good one is ready: undo, and never delete or scale.",
    )
