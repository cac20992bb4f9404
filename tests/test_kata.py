"""The kata room: how a kata begins, and a judge that knows good work from bad.

The submissions here are really committed and really deployed, each into a home of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import commit

from workshop import course as courses
from workshop import kata, production
from workshop.errors import WorkshopError
from workshop.model import Course, Verdict

PLAIN = {
    ".gitignore": "__pycache__/\n",
    "requirements.txt": "# Nothing but Python.\n",
    "application/__init__.py": "",
    "application/wsgi.py": (
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "    return [b'It is live.\\n']\n"
    ),
}
# Its probe for readiness is fine: the release comes up, and the page is what is broken.
BROKEN_PAGE = PLAIN["application/wsgi.py"].replace(
    "'200 OK'", "'500 Oops' if environ['PATH_INFO'] == '/' else '200 OK'"
)

# Everything in the file that Django calls urls.py, as in a tutorial's first hour.
ONE_FILE = {
    "requirements.txt": "Django==5.2.19\n",
    "application/__init__.py": "",
    "application/urls.py": (
        "from django.http import HttpResponse\n"
        "from django.urls import path\n"
        "DEBUG = True\n"
        "SECRET_KEY = 'known-to-all'\n"
        "ROOT_URLCONF = __name__\n"
        "urlpatterns = [path('', lambda request: HttpResponse('Hello.'))]\n"
    ),
    "application/wsgi.py": (
        "import os\n"
        "from django.core.wsgi import get_wsgi_application\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'application.urls'\n"
        "application = get_wsgi_application()\n"
    ),
}
# Other folders, a view class, requirements where large projects have them.
OTHER_LAYOUT = {
    "requirements/production.txt": "-r base.txt\n",
    "requirements/base.txt": "Django==5.2.19\n",
    "config/__init__.py": "",
    "config/production.py": (
        "import os\n"
        "SECRET_KEY = os.environ['SECRET_KEY']\n"
        "ALLOWED_HOSTS = os.environ['ALLOWED_HOSTS'].split(',')\n"
        "ROOT_URLCONF = 'pages.routes'\n"
    ),
    "pages/__init__.py": "",
    "pages/routes.py": (
        "from django.urls import path\n"
        "from pages.views import Home\n"
        "urlpatterns = [path('', Home.as_view())]\n"
    ),
    "pages/views.py": (
        "from django.http import HttpResponse\n"
        "from django.views import View\n"
        "class Home(View):\n"
        "    def get(self, request):\n"
        "        return HttpResponse('<h1>Home</h1>')\n"
    ),
    "application/wsgi.py": (
        "import os\n"
        "from django.core.wsgi import get_wsgi_application\n"
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.production')\n"
        "application = get_wsgi_application()\n"
    ),
}


@pytest.fixture(scope="module")
def course() -> Course:
    return courses.load(courses.default_root())


@pytest.fixture
def submission(course: Course, tmp_path: Path, home: Path, environments: Path) -> Iterator[Path]:
    """A kata that began just now. Its production is ended afterwards."""
    (home / "environments").symlink_to(environments, target_is_directory=True)
    project = kata.start(course, "commit-one", tmp_path / "team").project
    identify(project)
    yield project
    production.down(project)


def identify(project: Path) -> None:
    git(project, "config", "user.name", "A Team")
    git(project, "config", "user.email", "team@example.org")


def git(project: Path, *words: str) -> str:
    return subprocess.check_output(["git", *words], cwd=project, text=True).strip()


def deploy(course: Course, project: Path, files: Mapping[str, str], message: str = "Begin") -> str:
    """Commit the files and bring them into production. Returns the commit."""
    made = commit(project, dict(files), message)
    assert production.deploy(project, "production", course.platform).commit == made
    return made


def judge(course: Course, project: Path) -> dict[str, Verdict]:
    return {each.check: each for each in kata.judge(course, project)}


def red(verdicts: Mapping[str, Verdict]) -> dict[str, str]:
    """What is not green, and what was seen."""
    return {name: each.seen for name, each in verdicts.items() if each.outcome != "green"}


# --- how it begins -------------------------------------------------------------------------------


def test_the_katas_are_those_of_the_course(course: Course) -> None:
    assert [each.slug for each in kata.katas(course)] == ["commit-one"]


def test_it_begins_with_an_empty_repository_and_a_clock(course: Course, tmp_path: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    begun = kata.start(course, "commit-one", tmp_path / "new" / "team")
    assert begun.project == tmp_path / "new" / "team"
    assert begun.kata.title == "From nothing to production"
    assert [path.name for path in begun.project.iterdir()] == [".git"]
    assert git(begun.project, "symbolic-ref", "HEAD") == "refs/heads/main"
    assert git(begun.project, "rev-list", "--all") == ""
    record = json.loads((begun.project / ".git" / "workshop" / "kata.json").read_text("utf-8"))
    assert record.keys() == {"kata", "started", "version"}
    assert record["kata"] == "commit-one"
    assert before <= datetime.fromisoformat(record["started"]) <= datetime.now(UTC)


def test_it_begins_in_an_empty_folder_that_is_there(course: Course, tmp_path: Path) -> None:
    assert kata.start(course, "commit-one", tmp_path).project == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == [".git"]


def test_it_begins_with_the_files_of_its_start(course_folder: Path, tmp_path: Path) -> None:
    start = course_folder / "katas" / "mend" / "start"
    (start / "app").mkdir(parents=True)
    (start / "app" / "broken.py").write_text("1 / 0\n", encoding="utf-8")
    (start.parent / "kata.toml").write_text('title = "Mend"\nminutes = 30\n', encoding="utf-8")
    project = kata.start(courses.load(course_folder), "mend", tmp_path / "team").project
    assert (project / "app" / "broken.py").read_text("utf-8") == "1 / 0\n"
    assert git(project, "status", "--porcelain") == "?? app/"


def test_a_folder_with_other_things_in_it_is_refused(course: Course, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(WorkshopError) as error:
        kata.start(course, "commit-one", tmp_path)
    assert error.value.path == tmp_path
    assert str(error.value) == (
        f"{tmp_path}: this folder is not empty\n"
        "Name a folder that does not exist yet, or an empty one."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_file_is_refused(course: Course, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(WorkshopError) as error:
        kata.start(course, "commit-one", tmp_path / "letter.txt")
    assert str(error.value) == (
        f"{tmp_path / 'letter.txt'}: this is not a folder\nName a folder that does not exist yet."
    )


def test_an_unknown_kata_is_refused_and_the_known_ones_are_named(
    course: Course, tmp_path: Path
) -> None:
    with pytest.raises(WorkshopError) as error:
        kata.start(course, "commit-two", tmp_path / "team")
    assert str(error.value) == (
        f"{course.root}: there is no kata commit-two\nThe katas are: commit-one"
    )
    assert not (tmp_path / "team").exists()


def test_a_start_that_fails_leaves_nothing_behind(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no git there
    with pytest.raises(WorkshopError, match="git is not installed"):
        kata.start(course, "commit-one", tmp_path / "team")
    assert list(tmp_path.iterdir()) == []


# --- bad input to the judge ----------------------------------------------------------------------


def test_a_folder_where_no_kata_began_is_refused(course: Course, project: Path) -> None:
    for folder in (project, project.parent):  # a repository, and none
        with pytest.raises(WorkshopError) as error:
            kata.judge(course, folder)
        assert str(error.value) == (
            f"{folder}: no kata began in this folder\n"
            "Go to your kata's folder, or begin one: workshop kata start KATA DIR\n"
            "The katas are: commit-one"
        )


def test_a_folder_that_does_not_exist_is_refused(course: Course, tmp_path: Path) -> None:
    with pytest.raises(WorkshopError) as error:
        kata.judge(course, tmp_path / "nowhere")
    assert str(error.value) == (f"{tmp_path / 'nowhere'}: there is no such folder\nCheck the path.")


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"kata": "commit-one"}', '{"kata": "commit-one", "started": 1, "version": ""}'],
)
def test_a_damaged_record_is_refused(content: str, course: Course, submission: Path) -> None:
    file = submission / ".git" / "workshop" / "kata.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(WorkshopError) as error:
        kata.judge(course, submission)
    assert str(error.value) == (
        f"{file}: this file is damaged: the workshop can't read when your kata began\n"
        "Begin anew in another folder: workshop kata start KATA DIR"
    )


def test_a_kata_of_another_course_is_refused(course_folder: Path, submission: Path) -> None:
    other = courses.load(course_folder)
    with pytest.raises(WorkshopError) as error:
        kata.judge(other, submission)
    assert str(error.value) == (
        f"{course_folder}: there is no kata commit-one\nThe katas are: none"
    )


def test_a_kata_without_a_judge_is_refused(course_folder: Path, tmp_path: Path) -> None:
    folder = course_folder / "katas" / "mend"
    folder.mkdir(parents=True)
    (folder / "kata.toml").write_text('title = "Mend"\nminutes = 30\n', encoding="utf-8")
    course = courses.load(course_folder)
    project = kata.start(course, "mend", tmp_path / "team").project
    with pytest.raises(WorkshopError) as error:
        kata.judge(course, project)
    assert str(error.value) == f"{folder}: this kata's judge has no tests\nRun: workshop lint"


# --- the judge of commit-one ---------------------------------------------------------------------


def test_the_start_is_red_for_the_stated_reasons(course: Course, submission: Path) -> None:
    verdicts = judge(course, submission)
    stated = courses.kata(course, "commit-one").red
    assert verdicts.keys() == stated.keys()
    for name, each in verdicts.items():
        assert each.outcome == "red", name
        assert stated[name] in each.seen, name
        assert each.sentence and each.expected and each.do, name


def test_the_exemplar_is_green(course: Course, submission: Path) -> None:
    exemplar = courses.kata(course, "commit-one").solution
    shutil.copytree(exemplar, submission, dirs_exist_ok=True)
    deploy(course, submission, {})
    assert red(judge(course, submission)) == {}


@pytest.mark.parametrize(
    "files", [PLAIN, ONE_FILE, OTHER_LAYOUT], ids=["plain WSGI", "one file", "another layout"]
)
def test_other_solutions_are_green(
    files: Mapping[str, str], course: Course, submission: Path
) -> None:
    deploy(course, submission, files)
    assert red(judge(course, submission)) == {}


def test_a_team_that_goes_on_is_green(course: Course, submission: Path) -> None:
    """More commits, one of them bad and rolled back, one merged; judged from a folder inside."""
    deploy(course, submission, PLAIN)
    deploy(course, submission, {"application/wsgi.py": BROKEN_PAGE}, "Break it")
    production.rollback(submission, "production", course.platform)
    git(submission, "switch", "--quiet", "--create", "mend")
    commit(submission, PLAIN, "Mend it")
    git(submission, "switch", "--quiet", "main")
    git(submission, "merge", "--quiet", "--no-ff", "--no-edit", "mend")
    deploy(course, submission, {})
    assert red(judge(course, submission / "application")) == {}


def test_a_first_deploy_that_failed_may_be_amended(course: Course, submission: Path) -> None:
    """Nobody has ever seen it: that is no rewritten history."""
    commit(submission, {**PLAIN, "application/wsgi.py": "1 / 0\n"})
    with pytest.raises(WorkshopError):
        production.deploy(submission, "production", course.platform)
    assert red(judge(course, submission))["test_first_to_go_live"] == (
        "nothing went live yet (deploys that failed: 1)"
    )
    (submission / "application" / "wsgi.py").write_text(PLAIN["application/wsgi.py"])
    git(submission, "commit", "--quiet", "--amend", "--all", "--no-edit")
    production.deploy(submission, "production", course.platform)
    assert red(judge(course, submission)) == {}


def test_an_amended_history_is_red(course: Course, submission: Path) -> None:
    went = deploy(course, submission, PLAIN)
    git(submission, "commit", "--quiet", "--amend", "-m", "Begin, but nicer")
    production.deploy(submission, "production", course.platform)
    root = git(submission, "rev-parse", "HEAD")
    assert red(judge(course, submission)) == {
        "test_first_to_go_live": f'the first to go live was {went[:10]} "Begin"',
        "test_history_is_not_rewritten": (
            f'it went live, and is gone from the history: {went[:10]} "Begin"'
        ),
    }
    assert root != went


def test_a_rebased_history_is_red(course: Course, submission: Path) -> None:
    """The root stays; a commit that was live is squashed away, and git forgets it."""
    root = deploy(course, submission, PLAIN)
    went = deploy(course, submission, {"README.rst": "Hello\n"}, "Say hello")
    git(submission, "reset", "--quiet", "--hard", root)
    git(submission, "reflog", "expire", "--expire=now", "--all")
    git(submission, "gc", "--quiet", "--prune=now")
    deploy(course, submission, {"README.rst": "Hello, world\n"}, "Say hello to all")
    assert red(judge(course, submission)) == {
        "test_history_is_not_rewritten": f"it went live, and is gone from the history: {went[:10]}"
    }


def test_a_first_deploy_of_the_second_commit_is_red(course: Course, submission: Path) -> None:
    commit(submission, PLAIN)
    second = deploy(course, submission, {"README.rst": "Hello\n"}, "Say hello")
    assert red(judge(course, submission)) == {
        "test_first_to_go_live": f'the first to go live was {second[:10]} "Say hello"'
    }


def test_a_first_commit_that_does_not_deploy_is_red(course: Course, submission: Path) -> None:
    root = commit(submission, {"README.rst": "Soon\n"}, "Promise something")
    deploy(course, submission, PLAIN, "Do it")
    seen = red(judge(course, submission))
    assert seen.keys() == {"test_first_commit_works", "test_first_to_go_live"}
    assert seen["test_first_commit_works"] == (
        f'{root[:10]} "Promise something" does not deploy: the commit has no requirements.txt'
    )


def test_a_last_commit_that_is_not_live_is_red(course: Course, submission: Path) -> None:
    root = deploy(course, submission, PLAIN)
    commit(submission, {"README.rst": "Hello\n"}, "Say hello")
    assert red(judge(course, submission)) == {
        "test_last_commit_is_live": f'{root[:10]} "Begin" is live'
    }


def test_a_production_that_was_ended_is_red(course: Course, submission: Path) -> None:
    deploy(course, submission, PLAIN)
    production.down(submission)
    assert red(judge(course, submission)) == {
        "test_last_commit_is_live": "nothing is live: production is not running",
        "test_page_answers": "nothing is live: production is not running",
    }


def test_a_page_that_answers_500_is_red(course: Course, submission: Path) -> None:
    deploy(course, submission, PLAIN)
    deploy(course, submission, {"application/wsgi.py": BROKEN_PAGE}, "Break it")
    seen = red(judge(course, submission))
    assert seen.keys() == {"test_page_answers"}
    assert seen["test_page_answers"].startswith("GET / answered 500")


def test_a_time_box_that_is_over_is_red(course: Course, submission: Path) -> None:
    deploy(course, submission, PLAIN)
    begin_earlier(submission, timedelta(minutes=40))
    assert red(judge(course, submission)) == {
        "test_within_the_time_box": "it was live in minute 41"
    }


def test_what_went_live_before_the_kata_began_does_not_count(
    course: Course, submission: Path
) -> None:
    deploy(course, submission, PLAIN)
    begin_earlier(submission, -timedelta(minutes=1))
    seen = red(judge(course, submission))
    assert seen.keys() == {
        "test_first_to_go_live", "test_within_the_time_box", "test_history_is_not_rewritten",
    }  # fmt: skip
    assert set(seen.values()) == {"nothing went live yet"}


def test_the_judge_leaves_nothing_behind(
    course: Course, submission: Path, home: Path, tmp_path: Path
) -> None:
    deploy(course, submission, PLAIN)
    before = sorted((home / "projects").iterdir())
    judge(course, submission)
    assert sorted((home / "projects").iterdir()) == before
    assert git(submission, "status", "--porcelain", "--ignored") == ""


def begin_earlier(submission: Path, by: timedelta) -> None:
    """Move the start of the kata into the past."""
    file = submission / ".git" / "workshop" / "kata.json"
    record = json.loads(file.read_text("utf-8"))
    record["started"] = (datetime.fromisoformat(record["started"]) - by).isoformat()
    file.write_text(json.dumps(record), encoding="utf-8")


# --- the commands --------------------------------------------------------------------------------


def test_the_commands_of_a_team(course: Course, tmp_path: Path) -> None:
    def workshop(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "workshop", *words],
            cwd=cwd, capture_output=True, text=True, env=os.environ, check=False,
        )  # fmt: skip

    listed = workshop("kata", "list", cwd=tmp_path)
    assert listed.returncode == 0
    assert "commit-one" in listed.stdout
    assert "30 minutes  From nothing to production" in listed.stdout
    started = workshop("kata", "start", "commit-one", "team", cwd=tmp_path)
    assert started.returncode == 0
    assert "You have 30 minutes, from now." in started.stdout
    judged = workshop("kata", "judge", cwd=tmp_path / "team")
    assert judged.returncode == 1
    assert judged.stdout.endswith("0 of 6 green.\n")
    refused = workshop("kata", "start", "commit-one", "team", cwd=tmp_path)
    assert (refused.returncode, refused.stderr) == (
        2,
        "error: team: this folder is not empty\n"
        "       Name a folder that does not exist yet, or an empty one.\n",
    )


# --- the texts -----------------------------------------------------------------------------------


def test_the_brief_says_the_time_box_and_can_be_read_in_two_minutes(course: Course) -> None:
    for each in course.katas:
        brief = (each.folder / "index.md").read_text("utf-8")
        assert f"**{{value}}`kata-minutes:{each.slug}` minutes" in brief
        assert len(brief.split()) <= 2 * 220  # a calm reader's words a minute
