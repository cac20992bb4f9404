"""Where things are: what the workshop keeps outside of the project, its course, its command."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def home() -> Path:
    """The folder for everything the workshop keeps: WORKSHOP_HOME, or the platform's own place.

    For root on POSIX it is /var/lib/workshop: PostgreSQL refuses root, so it runs as another
    user, who must be able to get there.
    """
    named = os.environ.get("WORKSHOP_HOME")
    if named:
        return Path(named).resolve()
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/workshop")
    import platformdirs

    return Path(platformdirs.user_state_dir("workshop", appauthor=False))


def project_home(project: Path) -> Path:
    """The folder of one project's environments, found by the project's own resolved path."""
    return home() / "projects" / project_key(project.resolve())


def project_key(resolved: Path) -> str:
    """The name of that folder."""
    # It only tells apart folders of the same name; `hashlib` would take longer than all of this.
    import zlib

    return f"{resolved.name}-{zlib.crc32(os.fsencode(resolved)):08x}"


def default_root() -> Path:
    """The course that came with this package, or, in a clone, the one beside it."""
    here = Path(__file__).resolve().parent
    packaged = here / "_course"
    return packaged if packaged.is_dir() else here.parent.parent


def program() -> str:
    """How the person called us: `workshop` when that is on the PATH, else the path of the command.

    Every command that we print can be typed as it stands.
    """
    import shutil

    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        python = shutil.which("python")
        same = python is not None and Path(python).parent == Path(sys.executable).parent
        return f"{'python' if same else typed(sys.executable)} -m workshop"
    if called.stem != "workshop":
        return "workshop"
    found = shutil.which("workshop")
    if found and Path(found).resolve() == called.resolve():
        return "workshop"
    return typed(str(called.absolute()))


def typed(word: str) -> str:
    """A word of a command as a person types it: in quotes, when it must be."""
    import shlex

    if os.name == "nt":  # cmd.exe and PowerShell know double quotes alone
        return f'"{word}"' if " " in word else word
    return shlex.quote(word)
