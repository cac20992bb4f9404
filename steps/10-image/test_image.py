"""Step 10: an image that anybody may open."""

import re

from workshop.checks import expect

LOCK, TOOLS = "requirements/production.txt", "requirements/development.in"
HASH = re.compile(r"--hash=sha256:(\w)")
SECRET = re.compile(r"(?!GPG_KEY$)\w*(SECRET|PASSWORD|TOKEN|KEY)\w*")  # the one of python is public
CACHE = re.compile(r"/\.cache/(pip|uv)(?=/)")
BUILDERS = re.compile(r"(?:^|/)usr/bin/(git|make|(?:[\w-]+-)?gcc(?:-\d+)?)$")
PACKAGE = re.compile(r"/([\w.]+)-[^/]+\.dist-info/METADATA$")
SHUT_OUT = "Copy by name, and hold back the rest in .dockerignore: **/ counts in every folder."
GIVEN = "Let no ARG and no ENV of the Dockerfile have it: whoever starts it gives it."


def name(text):
    """A package's name, as registries write it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]*", text)[0]).lower()


def told(leaks):
    """What has leaked first, where it is, and how much else there is."""
    if not leaks:
        return ""
    more = len({leak.what for leak in leaks}) - 1
    are = f"and {more} more are" if more else "is"
    return f"{leaks[0].what} {are} inside: {leaks[0].where}"


def test_builds(image):
    """The image is built from a fresh clone, with nothing from your laptop and no secret."""
    image.must_be_built()


def test_no_secret(image):
    """No secret is inside: in no layer, not in the history, not in the configuration."""
    secret = [leak for leak in image.leaks if leak.secret]
    expect(
        not secret,
        seen=told(secret),
        expected="an image that anybody may open",
        do=GIVEN if secret and "argument" in secret[0].what else SHUT_OUT,
    )
    for variable, value in image.variables.items():
        expect(
            not (SECRET.fullmatch(variable) and value),
            seen=f"the image brings its own {variable} along",
            expected="no secret in the image, not even a bad one",
            do=GIVEN,
        )


def test_not_root(image):
    """It does not run as root, and whoever runs it can see that."""
    user = image.user.partition(":")[0]
    root = {"": "root: the Dockerfile has no USER", "0": "0, which is root's number"}
    expect(
        user.isdecimal() and int(user),
        seen=f"it runs as {root.get(user, user)}",
        expected="a number that is not 0: whose a name is stands inside, where nobody looks",
        do="Write USER 10001 at the end, before CMD.",
    )


def test_nothing_needless(image, project):
    """Nothing is inside that production does not need."""
    lines = project.read(TOOLS).splitlines()
    tools = {name(line) for line in lines if line[:1].isalpha()}
    for file in image.names:
        package = PACKAGE.search(file)
        expect(
            not package or name(package[1]) not in tools,
            seen=f"{package and package[1]} is installed, a tool of developers",
            expected="the packages of production alone",
            do=f"Install from {LOCK}.",
        )
        cache = CACHE.search(file)
        expect(
            not cache,
            seen=f"an installer's cache is inside: {cache and file[: cache.end()]}",
            expected="what is installed, and no second copy of it",
            do="Install with --no-cache-dir.",
        )
        builder = BUILDERS.search(file)
        expect(
            not builder,
            seen=f"{builder and builder[1]} is inside, a tool for those who build programs",
            expected="what runs your program: the rest is to be sent, stored, and kept up to date",
            do="Take a slim base. What has to be built is built in a stage of its own.",
        )
    leaks = [leak for leak in image.leaks if not leak.secret]
    expect(not leaks, seen=told(leaks), expected="the program and what it needs", do=SHUT_OUT)


def test_reproducible(image, project):
    """It has what was tested: a package that was changed on its way is refused."""
    for base in image.bases:
        version = base.rpartition("/")[2].partition(":")[2]
        expect(
            "@" in base or version not in ("", "latest"),
            seen=f"it is made from {base}, which is whatever came last",
            expected="the Python that was tested, today and next month",
            do="Name a version behind a colon: FROM python:3.13-slim",
        )
    image.must_be_built()
    other = HASH.sub(lambda found: f"--hash=sha256:{'01'[found[1] == '0']}", project.read(LOCK))
    ended = image.rebuilt({LOCK: other})
    why = f"the build failed for another reason:\n{ended.tail}" if ended.code else "it was built"
    expect(
        ended.code != 0 and "hash" in ended.out.lower(),
        seen=f"with other hashes in {LOCK}, {why}",
        expected="a build that fails: these are not the files that were tested",
        do=f"Copy {LOCK}, and install from it with --require-hashes.",
    )


def test_read_only(image):
    """It answers, also when nobody may write into it."""
    with image.serve() as running:
        running.site.get("/livez").must_be(200, do="Let it serve the project of the steps before.")


def test_no_key_no_start(image):
    """Without a SECRET_KEY it refuses to start, and says so."""
    env = {name: value for name, value in image.config.items() if name != "SECRET_KEY"}
    ended = image.ended(env)
    expect(
        ended is not None and ended.code != 0 and "SECRET_KEY" in ended.out,
        seen=f"without SECRET_KEY, it {f'ended with {ended.code}' if ended else 'started'}",
        expected="a refusal that names what is missing",
        do="Give SECRET_KEY no value in the image: whoever starts it does.",
    )
