"""Visitors of a page that takes its time: who was let in, and who got a whole answer."""

from __future__ import annotations

import http.client
import threading
import time

URLS = "application/urls.py"  # where a project lists its pages
PAGE = "/workshop-slow"
# Added to the project's pages. It says at once that it has begun, and later that it has ended.
CODE = f"""

import time as _time
from django.http import StreamingHttpResponse as _Streaming
from django.urls import path as _path


def _slow(request):
    def said():
        yield "began\\n"
        _time.sleep(float(request.GET["seconds"]))
        yield "ended\\n"

    # The header is for nginx: it must not collect the answer first.
    return _Streaming(said(), content_type="text/plain", headers={{"X-Accel-Buffering": "no"}})


urlpatterns = [_path("{PAGE[1:]}", _slow), *urlpatterns]
"""
_END = b"ended\n"
_QUICK = 0.02  # seconds that a quick visit takes
_PATIENCE = 30.0  # seconds until a visitor goes away
_POLL = 0.02


class Visit(threading.Thread):
    """One visitor. `begun`: the server has begun to answer. `answered`: and has told all."""

    def __init__(self, port: int, seconds: float) -> None:
        super().__init__(daemon=True)
        self._port, self._seconds = port, seconds
        self.begun = self.answered = False
        self.start()

    def run(self) -> None:
        """Ask once, and read to the end."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        try:
            connection.request("GET", f"{PAGE}?seconds={self._seconds}")
            answer = connection.getresponse()
            self.begun = answer.status == 200
            self.answered = answer.read().endswith(_END)
        except (OSError, http.client.HTTPException):
            pass  # to see that is what a visit is for
        finally:
            connection.close()

    def inside(self, seconds: float) -> bool:
        """Whether the server begins to answer within so many seconds."""
        give_up = time.monotonic() + seconds
        while self.is_alive() and not self.begun and time.monotonic() < give_up:
            time.sleep(_POLL)
        return self.begun


class Crowd:
    """People who come again and again for a quick answer, until one is turned away."""

    def __init__(self, port: int, *, people: int, seconds: float) -> None:
        self._port = port
        self._until = time.monotonic() + seconds
        self._visits: list[Visit] = []
        self._people = [threading.Thread(target=self._come, daemon=True) for _ in range(people)]
        for each in self._people:
            each.start()

    def gone(self) -> list[Visit]:
        """All visits, when everybody has left."""
        for each in self._people:
            each.join()
        return self._visits

    def _come(self) -> None:
        while time.monotonic() < self._until:
            visit = Visit(self._port, _QUICK)
            self._visits.append(visit)
            visit.join()
            if not visit.begun:
                return
