"""Step 15: one release for every place. What differs stands in three small files."""

import difflib
import fnmatch
import re
from pathlib import PurePosixPath

import pytest

from workshop.checks import expect, readme

FOLDER, README = "deployment/envs", "deployment/README.rst"
DOCKERFILE, MANIFEST = "deployment/application/Dockerfile", "deployment/application.yaml"
PLACES = ("development", "integration", "production")
SALE, NOWHERE = "/sale", "/no-such-page"
LOCAL, STRANGER = "127.0.0.1", "stranger.example.net"
WRITE = "Write a file for each of the three places, with lines such as DEBUG=False."
# What programs understand in different ways, or in no way: how it looks, what it is, what to do.
ODD = (
    (r"^\s*export\b", "it begins with export", "Take it out: no shell reads this file."),
    (r"^[^=]*$", "there is no = in it", "Write NAME=VALUE. Without a value, kubectl and docker"
     " take the one of whoever types the command."),
    (r"^\s|\s=|=\s|\s$", "it has a space that counts", "Leave no space at the beginning, around ="
     " or at the end: programs take it for a part of the name or the value."),
    (r"=[\"']|[\"']$", "its value has quotes", "Take them out: for kubectl and docker they are a"
     " part of the value."),
    (r"\s#", "a comment stands behind its value", "Give the comment a line of its own: for kubectl"
     " and docker it is a part of the value."),
    (r"=.*\$[\w{(]", "it takes over another variable", "Write the value itself: kubectl and docker"
     " take it as it stands there."),
    (r"^(?![A-Z_][A-Z0-9_]*=)", "it has an odd name", "Names are capitals, digits and _."),
)  # fmt: skip
SECRET = re.compile(r"SECRET|PASSW|TOKEN|CREDENTIAL|DATABASE_URL|(^|_)KEY(_|$)")
IN_ADDRESS = re.compile(r"//[^/@\s]*:[^/@\s]+@")  # user:password@
# Names that other programs in the image read: Python, the servers, the system.
OTHERS = re.compile(r"(PYTHON|DJANGO_|UWSGI_|GUNICORN_|LC_)\w*|LANG|TZ|WEB_CONCURRENCY")
# Prints every variable that the project asks for while it starts.
SPY = """
import os
asked, get = set(), type(os.environ).__getitem__
def told(self, name):
    asked.add(name)
    return get(self, name)
type(os.environ).__getitem__ = told
import application.wsgi
from django.urls import get_resolver
get_resolver().url_patterns
print(*asked)
"""
# A place by its name, where no word goes on; but for the lock, which is called like one.
NAMED = re.compile(
    r"(?<![a-z])(development|integration|production|staging|prod)(?![a-z]|\.(txt|in)\b)"
)
TOLD = {
    "deployed": re.compile(r"\bdeploy(?!ment)", re.IGNORECASE),
    "promoted": re.compile(r"\bpromot", re.IGNORECASE),
    "rolled back": re.compile(r"\broll\w*[ -]?back|\bundo\b", re.IGNORECASE),
}


def file(place):
    return f"{FOLDER}/{place}"


@pytest.fixture(scope="module")
def values(project):
    """What each place's file says: by place, the names and their values."""
    return {
        place: dict(re.findall(r"(?m)^\s*([^#=\s]+)\s*=(.*)", project.read(file(place))))
        for place in PLACES
    }


def hosts(project):
    """The names by which production on a laptop is asked, and the probes in a cluster."""
    manifest = project.read(MANIFEST) if project.exists(MANIFEST) else ""
    return {LOCAL, *re.findall(r"name: *Host\s+value: *[\"']?([\w.-]+)", manifest)}


def held_back(lines, path):
    """Whether .dockerignore holds a file back: the last line that fits it, or a folder above it,
    decides."""
    out = False
    parts = [path, *map(str, PurePosixPath(path).parents)]
    for line in lines:
        pattern = line.strip().lstrip("!").removeprefix("./").strip("/")
        if not pattern or pattern.startswith("#"):
            continue
        pattern = re.escape(pattern).replace(r"\*\*/", "(.*/)?").replace(r"\*\*", ".*")
        pattern = pattern.replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
        if any(re.fullmatch(pattern, part) for part in parts):
            out = not line.strip().startswith("!")
    return out


def copied(dockerfile):
    """What the Dockerfile copies from the project, word for word."""
    for line in re.sub(r"\\\n\s*", " ", dockerfile).splitlines():
        words = re.split(r"[\s,\[\]\"']+", line.strip(" ]\"'"))
        if words[0].upper() in ("COPY", "ADD") and "--from=" not in line:
            yield from (word for word in words[1:-1] if not word.startswith("--"))


def for_all(project):
    """The files that are for every place: the settings, those of the image, and the manifests. A
    sealed secret is for one place: it opens nowhere else."""
    names = [
        each.relative_to(project.path).as_posix()
        for folder, pattern in (("application", "*settings*"), ("deployment", "*"))
        for each in sorted((project.path / folder).rglob(pattern))
        if each.is_file() and not re.match(r"README|\.|.*(\.pyc$|secret)", each.name)
    ]
    return [*project.find("Dockerfile*"), *(each for each in names if FOLDER not in each)]


def test_plain_lines(project, values):
    """There is a file of plain NAME=VALUE lines for each place, which all programs read alike."""
    for place in values:
        data = (project.path / file(place)).read_bytes()
        expect(
            b"\r" not in data,
            seen=f"the lines of {file(place)} end as on Windows",
            expected="lines that end as on Linux: else each value has one character more",
            do="Let your editor save the file with LF.",
        )
        found = {}
        for number, line in enumerate(data.decode(errors="replace").split("\n"), start=1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            for look, what, remedy in ODD:
                expect(
                    not re.search(look, line),
                    seen=f"{file(place)}, line {number}: {what}: {line}",
                    expected="NAME=VALUE, and nothing else",
                    do=remedy,
                )
            name = line.partition("=")[0]
            expect(
                name not in found,
                seen=f"{file(place)}, line {number}: {name} is in line {found.get(name)} already",
                expected="each name once: kubectl refuses the file, and others choose one of them",
                do="Keep the line that is right.",
            )
            found[name] = number
        expect(found, seen=f"{file(place)} says nothing", expected="NAME=VALUE lines", do=WRITE)


def test_same_names(values):
    """All three files have the same names, so that no place is surprised."""
    for place in PLACES:
        for other in PLACES:
            missing = sorted(values[other].keys() - values[place].keys())
            expect(
                not missing,
                seen=f"{file(other)} has {', '.join(missing)}, and {file(place)} does not",
                expected="the same names in all three: what is left out is only known to the code",
                do=f"Add it to {file(place)}, also when its value is the default: nothing behind"
                " the = is a value, too. Or take it out of all three.",
            )


def test_names_are_read(project, values):
    """Each name in the files is one that the project reads."""
    asked = set()
    for place in PLACES:
        done = project.run("python", "-c", SPY, env=project.config | values[place])
        expect(
            done.code == 0,
            seen=f"with {file(place)}, the project does not start:\n{done.tail}",
            expected="a project that starts in each place, with the packages of production",
            do="Mend the value that the last line names.",
        )
        asked |= set(done.out.split())
    for place in PLACES:
        for name in values[place]:
            near = difflib.get_close_matches(name, asked, n=1)
            expect(
                name in asked or OTHERS.fullmatch(name),
                seen=f"{file(place)} has {name}, and nothing in the project asks for it"
                + (f". It asks for {near[0]}" if near else ""),
                expected="names that application/settings.py reads: another one changes nothing",
                do=f"Is it {near[0]}?" if near else "Take it out, or read it in settings.py.",
            )


def test_no_secret(values):
    """No secret is in the files: everybody who has the project can read them."""
    for place in PLACES:
        for name, value in values[place].items():
            inside = IN_ADDRESS.search(value)
            expect(
                not SECRET.search(name) and not inside,
                seen=f"{file(place)} has {name}" + (", with a password in it" if inside else ""),
                expected="no key, no password, and no address of a database",
                do="Take it out. The place itself has it: a Secret of the cluster, or what"
                " `workshop deploy` keeps. If it was ever pushed, make a new one.",
            )


def test_one_commit(project, values):
    """The same commit serves in all three places, and only the first two have the sale."""
    wanted = {"development": 200, "integration": 200, "production": 404}
    for place in PLACES:
        with project.serve(project.config | values[place]) as site:
            for host in sorted(hosts(project)):
                expect(
                    site.get("/livez", {"Host": host}).status == 200,
                    seen=f"with {file(place)}, somebody who asks for {host} is turned away",
                    expected="an answer: so `workshop deploy` is asked"
                    if host == LOCAL
                    else f"an answer: the probes in {MANIFEST} send this name",
                    do=f"Add {host} to ALLOWED_HOSTS in {file(place)}.",
                )
            answer = site.get(SALE)
        expect(
            answer.status == wanted[place],
            seen=f"with {file(place)}, GET {SALE} answered {answer}",
            expected=f"{wanted[place]}: the business looks at the sale in integration, and has not"
            " opened it for visitors yet",
            do=f"Say FEATURE_SALE={wanted[place] == 200} in {file(place)}, and read it in"
            " settings.py.",
        )


def test_fit_for_visitors(project, values):
    """Integration and production have real names, know no others, and show nobody a mistake."""
    for place in PLACES[1:]:
        names = values[place].get("ALLOWED_HOSTS", "").split(",")
        real = [each.strip(" .") for each in names if re.search(r"\w\.[a-z]", each)]
        expect(
            real,
            seen=f"{file(place)} has no name that a visitor would type",
            expected="the place's own name in ALLOWED_HOSTS, such as www.example.org",
            do=f"Add it to ALLOWED_HOSTS in {file(place)}.",
        )
        with project.serve(project.config | values[place]) as site:
            lost = site.get(NOWHERE, {"Host": real[0]})
            stranger = site.get("/livez", {"Host": STRANGER})
        expect(
            "DEBUG = True" not in lost.text,
            seen=f"with {file(place)}, GET {NOWHERE} shows how the project is made",
            expected="a plain 404: that page is for programmers",
            do=f"DEBUG=False, in {file(place)}.",
        )
        expect(
            stranger.status == 400,
            seen=f"with {file(place)}, a visitor of {STRANGER} got {stranger.status}",
            expected="400: that is none of our names",
            do=f"Name the names one by one, and no *, in ALLOWED_HOSTS in {file(place)}.",
        )


@pytest.mark.usefixtures("values")
def test_same_for_every_place(project):
    """The image and the manifests are the same for every place: they know none of the three."""
    for name in for_all(project):
        expect(
            not NAMED.search(PurePosixPath(name).name),
            seen=f"{name} is for one place",
            expected="one file for all places: two of them will differ one day, and nobody knows",
            do=f"Move what differs to {FOLDER}/, and keep one file.",
        )
        for number, line in enumerate(project.read(name).splitlines(), start=1):
            found = None if name.endswith(".py") else NAMED.search(re.sub(r"(^|\s)#.*", "", line))
            expect(
                not found,
                seen=f"{name}, line {number}, names {found and found[1]}: {line.strip()}",
                expected="a file that knows no place: whoever deploys it says where, and with"
                f" which file of {FOLDER}/",
                do="Take the name out. If something depends on it, that is a variable.",
            )
    ignore = project.read(".dockerignore") if project.exists(".dockerignore") else ""
    if not held_back(ignore.splitlines(), file("production")):
        for source in copied(project.read(DOCKERFILE)):
            top = source.removeprefix("./").rstrip("/") or "."
            path = PurePosixPath(file("production"))
            expect(
                not path.is_relative_to(top) and not fnmatch.fnmatch(str(path), top),
                seen=f"the Dockerfile copies {source}, and with it {FOLDER}",
                expected="an image without configuration: else another value is another image",
                do=f"Hold it back: write {FOLDER} at the end of .dockerignore.",
            )


def test_readme(project):
    """deployment/README.rst says how a release is deployed, promoted and rolled back."""
    from docutils import nodes

    document = readme.document(project.read(README), complain=True)
    wrong = next(iter(document.findall(nodes.system_message)), None)
    expect(
        wrong is None,
        seen=wrong and f"{README}, line {wrong.get('line', 1)}: {wrong.children[0].astext()}",
        expected="reStructuredText that can be shown as a page",
        do="Mend that line. Titles are underlined to their end, and commands stand below"
        " `.. code-block:: console` and an empty line, indented.",
    )
    sections = list(document.findall(nodes.section)) or [document]
    for what, words in TOLD.items():
        expect(
            any(
                words.search(each.astext()) and any(each.findall(nodes.literal_block))
                for each in sections
            ),
            seen=f"{README} does not say with which command a release is {what}",
            expected="the commands for all three: whoever reads this is in a hurry",
            do="Write a section for it, with the command in a block of its own.",
        )
