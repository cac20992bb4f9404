"""How a release is served. Runs in the project's own environment: standard library only.

The listening socket is inherited. A worker that does not accept loses nothing: whoever connects
meanwhile waits in the socket's queue, which the supervisor keeps open. So a worker first asks its
own application whether it is ready, and only then begins to accept.
"""

import contextlib
import gc
import io
import mmap
import os
import select
import sys
import time
import traceback
from typing import Any

worker_class = "gthread"  # a browser that connects and says nothing blocks one thread, not all
workers = 1
threads = 8
keepalive = 0  # a connection that is kept open and closed at the switch is a lost request
timeout = 60
graceful_timeout = 30
control_socket_disable = True

_COMMIT = os.environ.pop("WORKSHOP_COMMIT")
_PROBE = os.environ.pop("WORKSHOP_PROBE")
_HOST = os.environ.pop("WORKSHOP_HOST")
_READY = int(os.environ.pop("WORKSHOP_READY"))
_GATE = int(os.environ.pop("WORKSHOP_GATE"))
_WAS_READY = mmap.mmap(-1, 1)  # shared by all processes of this server
_PAUSE = 0.05
_STATUS: list[str] = []  # what the application answered last, when it was asked


def pre_fork(_: Any, worker: Any) -> None:
    """A worker that ended before it was ready would end again, and again."""
    if worker.age > 1 and not _WAS_READY[0]:
        from gunicorn.errors import HaltServer

        raise HaltServer("its worker ended before it was ready", 3)


def post_fork(_server: Any, _worker: Any) -> None:
    """It loads the application now. Nothing of that dies, so Python need not look for the dead."""
    gc.disable()


def post_worker_init(worker: Any) -> None:
    """The application is loaded; wait for the release command, then for readiness."""
    application = worker.wsgi
    worker.wsgi = _stamped(application)
    # when it replaces a worker that died, who sees visitors off is the probe, not we
    if not _WAS_READY[0]:
        _become_ready(worker, application)
    gc.freeze()  # what stands there now stays
    gc.enable()
    _tell_when_it_leaves(worker)


def _tell_when_it_leaves(worker: Any) -> None:
    """Tell it as soon as the worker accepts no connection any more: then it only finishes."""
    enable = getattr(worker, "set_accept_enabled", None)
    if enable is None:  # a gunicorn that the project chose: the supervisor waits a moment instead
        return

    def told(enabled: bool) -> None:
        enable(enabled)
        if not enabled and not worker.alive:
            _tell("left")

    worker.set_accept_enabled = told


def _become_ready(worker: Any, application: Any) -> None:
    while not select.select([_GATE], [], [], 1.0)[0]:
        worker.notify()  # a long migration is no reason to be taken for dead
    if not os.read(_GATE, 1):
        sys.exit("nobody waits for it any more")  # its supervisor was killed, and knew it alone
    said = ""
    while (reason := _ask(application)) is not None:
        if reason != said:
            _tell(f"no {reason}")
            said = reason
        worker.notify()
        time.sleep(_PAUSE)
    _WAS_READY[0] = 1
    _tell(f"ready {_STATUS[-1]}")


def _tell(words: str) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        os.write(_READY, words.replace("\n", " ").encode() + b"\n")


def _ask(application: Any) -> str | None:
    """None when the application is ready, else what it answered. A 404 is an answer, too: the
    project has no probe yet, and it has loaded."""
    answer: list[str] = []
    host, _, port = _HOST.partition(":")
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": _PROBE,
        "QUERY_STRING": "",
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": _HOST,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    try:
        body = application(environ, lambda status, *_: answer.append(status))
        for _ in body:
            pass
        getattr(body, "close", lambda: None)()
    except Exception as error:
        return f"GET {_PROBE}: {type(error).__name__}: {error}"
    status = answer[-1] if answer else "nothing"
    _STATUS[:] = [status]
    if status[:3].isdecimal() and (int(status[:3]) < 400 or status.startswith("404")):
        return None
    return f"GET {_PROBE} answers {status}"


def _stamped(application: Any) -> Any:
    """Every answer says which commit it comes from. The project's own code knows nothing of it."""

    def stamped(environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: Any, *error: Any) -> Any:
            kept = [each for each in headers if each[0].lower() != "x-release"]
            return start_response(status, [*kept, ("X-Release", _COMMIT)], *error)

        try:
            return application(environ, start)
        except Exception:
            traceback.print_exc()  # into the release's log; gunicorn's own answer has no commit
            start("500 Internal Server Error", [("Content-Type", "text/plain")], sys.exc_info())
            return [b"Internal Server Error\n"]

    return stamped
