"""Wrong solutions of the last step: an oath with other words, or one that nobody keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from wrong_solutions import Wrong

README = "README.rst"
LINES, POINTED, TODAY = "test_lines", "test_pointed", "test_today"
SILENCED = (
    "Unless explicitly silenced.\n"
    "    A button that nobody had to press is no failure. ``.gitlab-ci.yml``:\n"
    "    ``allow_failure: true``\n\n"
)
SIMPLE = 'That is a whole page. ``application/urls.py``:\n    ``path("", home),``'
LIVE = "``.gitlab-ci.yml``:\n    ``kubectl --namespace demo-$PLACE apply --filename -``"


def wrong(name: str, check: str, old: str, new: str, file: str = README) -> Wrong:
    return Wrong("oath", name, (check,), file, old, new)


def made(name: str, check: str, make: Callable[[Path], None]) -> Wrong:
    """A mistake that is more than one text."""
    return Wrong("oath", name, (check,), make=make)


def rewritten(*pairs: tuple[str, str]) -> Callable[[Path], None]:
    """Each first text of README becomes the second."""

    def make(project: Path) -> None:
        text = (project / README).read_text("utf-8")
        for old, new in pairs:
            assert old in text, old
            text = text.replace(old, new)
        (project / README).write_text(text, "utf-8")

    return make


def unsworn(project: Path) -> None:
    """The section is there, and says something else."""
    text = (project / README).read_text("utf-8")
    before, _, _ = text.partition("Anybody can swear.")
    (project / README).write_text(f"{before}We do our best.\n", "utf-8")


def own_file(project: Path) -> None:
    """A promise that only this machine can read."""
    (project / ".env").write_text("SECRET_KEY=only-here\n", "utf-8")
    rewritten(("``application/settings.py``:\n    ``SECRET_KEY = env(\"SECRET_KEY\")``",
               "``.env``: ``SECRET_KEY=only-here``"))(project)  # fmt: skip


WRONG = (
    made("we do our best", LINES, unsworn),
    wrong("and preferably", LINES, "one-- only one --obvious",
          "one-- and preferably only one --obvious"),
    wrong("one is forgotten", LINES, SILENCED, ""),
    wrong("the first is forgotten", LINES, "Beautiful is better than ugly.\n", "Beautiful.\n"),
    wrong("now or never", LINES, "Now is better than never.", "Now is better than never!"),
    wrong("in small letters", LINES, "Readability counts.", "readability counts."),
    wrong("a slip of the pen", LINES, "Unless explicitly", "Unless explicitely"),
    made("silence comes first", LINES, rewritten(
        (SILENCED, ""), ("Errors should never", f"{SILENCED}Errors should never"))),
    wrong("only words", POINTED, SIMPLE, "That is a whole page."),
    wrong("a line without its file", POINTED, SIMPLE, '``path("", home),``'),
    wrong("a file without its line", POINTED, SIMPLE, "``application/urls.py``"),
    wrong("a file without its folder", POINTED, "``application/urls.py``:\n    ``path",
          "``urls.py``:\n    ``path"),
    wrong("a whole folder", POINTED, "``deployment/envs/production``", "``deployment/envs``"),
    made("a file that only I have", POINTED, own_file),
    wrong("spaces are gone", POINTED, "``need-app = true``", "``need-app=true``"),
    wrong("it stands somewhere else", POINTED,
          "``application/settings.py``:\n    ``SECRET_KEY", "``tox.ini``:\n    ``SECRET_KEY"),
    wrong("the line has changed since", POINTED, "maxUnavailable: 0", "maxUnavailable: 1",
          "deployment/application.yaml"),
    wrong("nobody has it", POINTED, SIMPLE, "``application/urls.py``: ``if magic():``"),
    wrong("it swears by itself", POINTED, "It has been in production since its first commit.``",
          "Anybody can swear.``"),
    wrong("one line for two promises", POINTED, SIMPLE,
          '``application/settings.py``:\n    ``SECRET_KEY = env("SECRET_KEY")``'),
    wrong("half a word", POINTED, "``$ tox``", "``tox``"),
    made("nobody swears by tests", POINTED, rewritten(
        ("``tests/acceptance/features/login-logout.feature``:\n    ``And she is greeted by name``",
         '``application/urls.py``: ``path("livez", livez),``'),
        ("``tests/README.rst``:\n    ``$ tox``",
         '``application/urls.py``: ``path("readyz", readyz),``'),
        ("``docker-compose.yml``:\n    ``docker compose up``",
         '``application/urls.py``: ``path("sale", sale),``'))),
    wrong("it starts somewhere else", TODAY, LIVE,
          "``application/wsgi.py``: ``application = get_wsgi_application()``"),
    wrong("it goes back", TODAY, LIVE, "``.gitlab-ci.yml``:\n    ``kubectl --namespace"
          " demo-production rollout undo deployment/application``"),
    wrong("it only tests", TODAY, LIVE, "``.gitlab-ci.yml``: ``tox -e acceptance``"),
    wrong("no page to go live with", TODAY, '    return HttpResponse("It works.',
          '    return HttpRespons("It works.', "application/urls.py"),
)  # fmt: skip
