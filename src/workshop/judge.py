"""Judges many projects, one after another, in one warm process (see `checks/warm.py`)."""

from __future__ import annotations

import contextlib
import functools
import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from workshop import git, history, own, paths
from workshop.checks.keeper import Keeper
from workshop.model import Course, Step, Verdict


class Judge:
    """A warm process, and a project of its own that it judges again and again."""

    def __init__(self, course: Course) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="workshop-"))
        self._project = self._folder / "demo"
        self._project.mkdir()
        git.run("init", "--quiet", "--template=", cwd=self._project)
        self._closed = threading.Lock()
        self._writing = threading.Lock()
        self._keeper = Keeper(course.root)
        self._course = course
        self._made: dict[str, history.File] = {}  # what is the project's own, by its path

    def verdicts(
        self, files: Mapping[str, history.File], step: Step, only: Sequence[str]
    ) -> tuple[Verdict, ...] | None:
        """What the checks of `step` say of a project with these files: `only` these, in their
        order (all, when empty), until one is red. None when the judge was closed."""
        with contextlib.suppress(OSError, ValueError):  # it was closed
            with self._writing:
                if self._closed.locked():
                    return None
                self._write(self._own(files, step) if step.own else files)
            run = self._keeper.ask(self._project, step.tests, only=only, until_red=True)
            return self._keeper.verdicts(run)
        return None

    @functools.cached_property
    def _stages(self) -> dict[str, Mapping[str, history.File]]:
        return {each.step.tag: each.files for each in history.stages(self._course)}

    def _own(self, files: Mapping[str, history.File], step: Step) -> Mapping[str, history.File]:
        """These files, with what opens for nobody else made for this project, and spoiled as the
        course's example is."""
        found = dict(files)
        for path in step.own.keys() & files.keys():
            example = self._stages[step.tag][path].data
            if path not in self._made:
                self._write(self._stages[step.tag])
                own.make(step, self._project)
                self._made[path] = files[path]._replace(data=(self._project / path).read_bytes())
            data = self._made[path].data
            if files[path].data != example:
                data = own.spoiled(files[path].data, example, data)
            found[path] = files[path]._replace(data=data)
        return found

    def _write(self, files: Mapping[str, history.File]) -> None:
        """Have these files in the project, and nothing else."""
        for entry in self._project.iterdir():
            if entry.name == ".git":
                shutil.rmtree(entry / "workshop", ignore_errors=True)
            elif entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        for name, file in files.items():
            target = self._project / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.data)
            target.chmod(0o755 if file.mode == "100755" else 0o644)

    def close(self) -> None:
        """End it, and all that it started. Does nothing the second time."""
        if not self._closed.acquire(blocking=False):
            return
        self._keeper.close()
        self._keeper.release()
        with self._writing:  # somebody may have begun, and would write it again
            if self._made:  # its keys
                shutil.rmtree(paths.project_home(self._project), ignore_errors=True)
            shutil.rmtree(self._folder, ignore_errors=True)
