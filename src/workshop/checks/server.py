"""Starts a project's server, as production does, and ends it again."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path

from workshop.checks import processes

_CONF = Path(__file__).with_name("gunicorn_conf.py")
_READY = re.compile(rb"\0ready (\d+)\0\n")
_START = 30.0  # seconds until a server listens
_POLL = 0.005


class Server:
    """One gunicorn with one worker, on a free loopback port.

    `port` is 0 when it did not start; then `output` says why.
    """

    def __init__(
        self,
        python: Path,
        wsgi: str,
        *,
        project: Path,
        env: Mapping[str, str],
        log: Path,
        stem: Path | None = None,
    ) -> None:
        self._log = log
        theirs, self._ours = os.pipe()  # open as long as we live: see gunicorn_conf.py
        with log.open("wb") as out:
            self._process = processes.start(
                [str(python), "-m", "gunicorn", "--config", str(_CONF), wsgi],
                cwd=project, env=env, stdin=theirs, output=out, stem=stem,
            )  # fmt: skip
        os.close(theirs)
        try:
            self.port = self._await_port()
        except BaseException:
            self.stop()
            raise
        if not self.port:
            self.stop()

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process.poll() is None

    @property
    def output(self) -> str:
        """All that it wrote, until now."""
        return _READY.sub(b"", self._log.read_bytes()).decode(errors="replace")

    def stop(self) -> None:
        """End it, and leave no process behind. Does nothing the second time.

        At once: nobody waits for an answer of a check's server, and a learner waits for the check.
        """
        if self._ours >= 0:
            processes.end_all([self._process])
            os.close(self._ours)
            self._ours = -1

    def _await_port(self) -> int:
        deadline = time.monotonic() + _START
        while time.monotonic() < deadline:
            ended = not self.running  # asked first: what it wrote before its end is there below
            ready = _READY.search(self._log.read_bytes())
            if ready is not None and not ended:
                return int(ready[1])
            if ended:
                return 0
            time.sleep(_POLL)
        return 0
