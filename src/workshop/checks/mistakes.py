"""Mistakes that a check makes on purpose: do the project's own tests notice?

One is put in front of the project's pages, or behind a file's own text. So it needs no knowledge of
how the project is written.
"""

from __future__ import annotations

from typing import NamedTuple

_SETTINGS = "application/settings.py"
_ANSWERS = """

def broken(get_response):
    def middleware(request):
        from django.http import HttpResponse

        if request.path == {path!r} and request.method in {methods!r}:
            return HttpResponse({text!r}, status={status})
        return get_response(request)

    return middleware


MIDDLEWARE = [f"{{__name__}}.broken", *MIDDLEWARE]
"""


class Mistake(NamedTuple):
    """What stands behind the text of files, as pairs of a name and a text, and the variables that
    tests get while it does. A file that is not there has no text, and is gone again afterwards."""

    behind: tuple[tuple[str, str], ...] = ()
    env: tuple[tuple[str, str], ...] = ()

    def __or__(self, other: Mistake) -> Mistake:
        """Both at once."""
        return Mistake(self.behind + other.behind, self.env + other.env)


NONE = Mistake()


def appended(name: str, text: str, **env: str) -> Mistake:
    """This text behind the file's own, and for tests these variables."""
    return Mistake(((name, text),), tuple(env.items()))


def answering(path: str, status: int, text: str = "", methods: str = "GET POST") -> Mistake:
    """This answer to `path`, whatever the project would say."""
    spoiled = _ANSWERS.format(path=path, status=status, text=text, methods=methods.split())
    return appended(_SETTINGS, spoiled)
