"""The release before this one: the last commit, while something is not committed yet, and else the
one before that.

Somebody who has just written a solution, and somebody who has committed it, are judged alike.
"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from workshop import git


def commit(project: Path) -> str:
    """The commit of the release before; empty when nothing was released before."""
    lies_there = git.text("status", "--porcelain", cwd=project)
    name = "HEAD" if lies_there else "HEAD^"
    try:
        return git.text("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", cwd=project)
    except git.GitError:
        return ""


def unpacked(project: Path, folder: Path) -> Path:
    """The folder, with the files of the release before; the project itself when there is none:
    its first release can only go back to itself."""
    found = commit(project)
    if not found:
        return project
    data = git.run("archive", "--format=tar", found, cwd=project)
    with tarfile.open(fileobj=io.BytesIO(data)) as files:
        files.extractall(folder, filter="data")
    return folder
