"""Step 09: production installs what was tested, to the byte."""

import re

from workshop.checks import expect

LOCK, SOURCE = "requirements/production.txt", "requirements/production.in"
TOOLS, DEVELOPERS = "requirements/development.in", "requirements.txt"
COMPILE = "Compile it anew: uv pip compile, with the options that stand at its head."
HASH = re.compile(r"--hash=sha256:(\w)")


def name(line):
    """The package that a line requires, as registries write it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]*", line)[0]).lower()


def pins(lines):
    """By package, all that a line fixes: its version and its hashes. Where it counts is no pin."""
    found = {}
    for line in lines:
        found.setdefault(name(line), set()).update(re.findall(r"==([\w.]+)|--hash=(\S+)", line))
    return found


def told(names):
    return ", ".join(sorted(names))


def test_pinned_with_hashes(project):
    """Production installs one exact version of each package, and knows the hashes of its files."""
    project.read(LOCK)
    for line in project.requirements(LOCK):
        expect(
            "==" in line and HASH.search(line),
            seen=f"in {LOCK}, {line.split(' --hash')[0]} has no exact version with a hash",
            expected="NAME==VERSION and a --hash=sha256:... for each file of it",
            do="Let a program write the file: uv pip compile --universal --generate-hashes",
        )


def test_every_platform(project):
    """What production installs is complete, on every platform."""
    whole = pins(project.recompiled(LOCK, LOCK))
    missing = whole.keys() - pins(project.requirements(LOCK)).keys()
    expect(
        not missing,
        seen=f"{LOCK} does not have {told(missing)}, which some platform needs",
        expected="every package, also those that only another platform needs",
        do="Compile it with --universal: without it, it is for your own machine alone.",
    )


def test_recompile(project):
    """Compiled again, both files are the same: each holds what its list asks for."""
    for source, file in ((SOURCE, LOCK), (TOOLS, DEVELOPERS)):
        now, anew = pins(project.requirements(file)), pins(project.recompiled(source, file))
        differ = [each for each in now.keys() | anew.keys() if now.get(each) != anew.get(each)]
        expect(
            not differ,
            seen=f"compiled again from {source}, {file} differs in {told(differ)}",
            expected="no difference: nobody writes into this file by hand",
            do=COMPILE,
        )


def test_changed_package_is_refused(project):
    """A package that was changed on its way is refused."""
    other = HASH.sub(lambda found: f"--hash=sha256:{'01'[found[1] == '0']}", project.read(LOCK))
    said = project.refused(other)
    expect(
        "hash" in said.lower(),
        seen=f"with other hashes in {LOCK}, {said or 'all was installed'}",
        expected="a refusal: these are not the files that were tested",
        do="Write the hashes behind each version: uv pip compile --generate-hashes does it.",
    )


def test_same_for_developers(project):
    """Who installs requirements.txt develops with the versions that production runs."""
    theirs = pins(project.requirements(DEVELOPERS))
    differ = [
        each for each, wanted in pins(project.requirements(LOCK)).items()
        if theirs.get(each) != wanted
    ]  # fmt: skip
    expect(
        not differ,
        seen=f"{DEVELOPERS} has another version, another hash or none of {told(differ)}",
        expected=f"whatever stands in {LOCK}, and the tools of a developer",
        do=f"Compile it from {TOOLS}, with --constraint {LOCK}",
    )


def test_tools_stay_at_home(project):
    """What only developers need does not travel to production."""
    project.read(LOCK)
    own = {name(line) for line in project.read(TOOLS).splitlines() if line[:1].isalpha()}
    expect(
        own,
        seen=f"{TOOLS} names no package",
        expected="what tests and developers need, a line for each",
        do=f"Name the tools in {TOOLS}, below `-r base.in`.",
    )
    travel = own & pins(project.requirements(LOCK)).keys()
    expect(
        not travel,
        seen=f"production installs {told(travel)}",
        expected=f"no package of {TOOLS} in {LOCK}",
        do=f"Include base.in in {SOURCE}, and not development.in. Then compile.",
    )


def test_versions_stand_once(project):
    """Whoever updates a package changes no other file."""
    project.read(LOCK)
    for file in (*project.find("README*"), *project.find("tox.ini"), *project.find("*compose*.y*")):
        repeated = re.findall(r"\w[\w.-]*(?:\[\w+\])?==\d[\w.]*", project.read(file))
        expect(
            not repeated,
            seen=f"{file} names a version, too: {told(repeated)}",
            expected="versions in the compiled files, and nowhere else",
            do=f"Install from {DEVELOPERS} there, or name the package without a version.",
        )
