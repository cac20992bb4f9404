"""How gunicorn serves a project for a check. It runs in the project's own environment, so it
knows nothing but the standard library and gunicorn."""

import os
import signal
import threading
from typing import Any

bind = "127.0.0.1:0"  # any free port: two checks never want the same one
workers = 1
preload_app = True  # who listens has loaded the application; who can't load it ends at once
control_socket_disable = True
graceful_timeout = 2
timeout = 60

READY = "\0ready %d\0\n"


def when_ready(server: Any) -> None:
    """Tell the port, and end when the check that wanted us is gone, however it went."""
    port = server.LISTENERS[0].sock.getsockname()[1]
    os.write(1, (READY % port).encode())
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # Our standard input is a pipe from the check's process: it ends when that one ends.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
