"""Step 01: a Django project of eight files, ready for production."""

import re

from workshop.checks import expect

PAGE = 'Give the path "" a view that returns an HttpResponse, in application/urls.py.'
# A command in README that needs manage.py to be executable.
STARTS_IT = re.compile(r"(?<!python )(?<!python3 )\./manage\.py\b")
# What Django shows while a project has no page at all.
DJANGOS_OWN = "The install worked successfully"


def test_readme_and_license(project):
    """README and LICENSE tell a stranger what this is, and what one may do with it."""
    for name in ("README", "LICENSE"):
        texts = [file for file in project.find(f"{name}*") if project.read(file).strip()]
        expect(
            texts,
            seen=f"there is no {name} with text in it",
            expected=f"a file {name}.rst or {name}, in the project's folder",
            do=f"Write {name}. A few honest lines are enough.",
        )
    for name in project.find("README*"):
        expect(
            not STARTS_IT.search(project.read(name)) or project.executable("manage.py"),
            seen=f"{name} says ./manage.py, and manage.py is not executable",
            expected="what README says works as it stands there",
            do="Let it be started by its name: chmod +x manage.py",
        )


def test_leftovers_stay_out(project):
    """Git leaves out the byte code that Python writes beside your files."""
    leftover = "application/__pycache__/settings.cpython-311.pyc"
    expect(
        project.ignores(leftover),
        seen=f"git would commit {leftover}",
        expected="git ignores what Python can write again at any time",
        do="Write the line `__pycache__/` into the file .gitignore.",
    )
    expect(
        not project.tracked("*.pyc"),
        seen=f"git has byte code already: {', '.join(project.tracked('*.pyc'))}",
        expected="only files that people write are in the history",
        do="Take it out of git, not off the disk: git rm -r --cached PATH",
    )


def test_requirements(project):
    """requirements.txt names what the project needs, each in one exact version."""
    loose = [line for line in project.requirements() if "==" not in line or "*" in line]
    edits = [f"- {line}\n+ {project.pinned(line)}" for line in loose if project.pinned(line)]
    expect(
        not loose,
        seen=f"not one exact version: {', '.join(loose)}",
        expected="one version each, such as Django==5.2.19",
        do="\n".join(["Write the version that you use behind `==`, in requirements.txt.", *edits]),
    )
    done = project.run("python", "-c", "import django")
    expect(
        done.code == 0,
        seen=f"Django can't be imported:\n{done.tail}",
        expected="Django is there, once requirements.txt is installed",
        do="Name Django in requirements.txt, such as Django==5.2.19",
    )


def test_system_check(project):
    """`manage.py check` finds nothing wrong."""
    done = project.manage("check")
    expect(
        done.code == 0,
        seen=f"`manage.py check` failed:\n{done.tail}",
        expected="Django's own check of the project passes",
        do="Mend what the last line above says. Run `python manage.py check` to see it all.",
    )
    expect(
        done.out.strip(),
        seen="`manage.py check` did not say a word: manage.py starts nothing",
        expected="System check identified no issues",
        do="End manage.py with execute_from_command_line(sys.argv), as the lesson has it.",
    )


def test_home_page(project):
    """The page / answers, served as in production."""
    with project.serve() as site:
        answer = site.get("/")
    answer.must_be(200, do=PAGE)
    expect(
        DJANGOS_OWN not in answer.text,
        seen="GET / answered with Django's own welcome page",
        expected="a page of yours",
        do=PAGE,
    )
    expect(
        answer.shown,
        seen=f"GET / answered {answer.kind}: a browser saves that as a file",
        expected="a page that a browser shows, such as text/plain or text/html",
        do="Look for a typing error in content_type, in application/urls.py.",
    )
