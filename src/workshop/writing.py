"""Shows the docs while they are written: each save builds them anew, and the gates look at them.

The gates that need nobody to type anything look at all pages within seconds. Whether the outputs
are still true is for `nox -s tests` to find.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
import sys
from importlib import util
from pathlib import Path

from workshop.errors import WorkshopError

FIRST_PORT = 8090
_PORTS = 100  # that many are tried
GATES = ("provenance", "equality", "facts", "coverage", "values", "variants")
WATCHED = ("docs", "steps", "solutions", "katas", "notebooks", "src", "conf.py")


def serve(root: Path, port: int | None = None) -> None:
    """Serve the docs of the clone in `root` on this machine alone, until somebody ends it.

    Without a port it is the first free one from 8090. Raises WorkshopError when `root` is no clone,
    when the port is taken, or when the docs' tools are not installed.
    """
    root = root.resolve()
    if not (root / "conf.py").is_file():
        raise WorkshopError(
            "there are no docs to write here", "Clone the repository, and work there.", path=root
        )
    if util.find_spec("sphinx_autobuild") is None:
        raise WorkshopError(
            "sphinx-autobuild is not installed", 'Install it: pip install ".[docs]"', path=root
        )
    arguments = commands(root, _port(port))
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        # Without bytecode a build takes twice as long. So it is kept where nobody minds it.
        os.environ["PYTHONPYCACHEPREFIX"] = str(_build(root) / "bytecode")

    from sphinx_autobuild.__main__ import main

    main(arguments)


def commands(root: Path, port: int) -> list[str]:
    """What sphinx-autobuild is told: what to build, where, what to look at, what to run after."""
    html = _build(root) / "html"
    # As a call that always ends well: what the gates find is news for the writer, and no crash.
    words = ["gates", *GATES, "--html", str(html), "--course", str(root)]
    gates = [sys.executable, "-c", f"from workshop import cli; cli.main({words})"]
    top = re.escape(root.as_posix())
    watched = "|".join(map(re.escape, WATCHED))
    return [
        "--host", "127.0.0.1", "--port", str(port),
        "--re-ignore", rf"^{top}/(?!(?:{watched})(?:/|$))",
        "--re-ignore", rf"^{top}/(?:.*/)?(?:\.|__pycache__(?:/|$))",  # editors' and Python's own
        "--post-build", shlex.join(gates),
        "-b", "html", "-n", "-q", "-d", str(_build(root) / "doctrees"), str(root), str(html),
    ]  # fmt: skip


def _build(root: Path) -> Path:
    return root / "build" / "live"


def _port(wanted: int | None) -> int:
    for port in range(FIRST_PORT, FIRST_PORT + _PORTS) if wanted is None else [wanted]:
        with socket.socket() as probe:
            if sys.platform != "win32":  # there it would let two programs have one port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    which = f"{FIRST_PORT} to {FIRST_PORT + _PORTS - 1}" if wanted is None else str(wanted)
    raise WorkshopError(f"port {which}: taken", "Name a free one: workshop docs --port PORT")
