"""Makes every Python environment that the course needs, so that afterwards all works offline."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from workshop import environments, history
from workshop.errors import WorkshopError
from workshop.model import Course, Step


def prefetch(course: Course, *, report: Callable[[str, bool], None]) -> None:
    """Make the environment of each stage, and fetch what its tests and its compiler need.

    `report(tag, made)` is told whether there was something to do.

    Raises WorkshopError when one can't be made, such as without a network the first time.
    """
    contract = b""
    for stage in history.stages(course):
        with (
            tempfile.TemporaryDirectory(prefix="workshop-") as folder,
            _told_of_the_solution(Path(folder), course.steps[: stage.step.number]),
        ):
            # all its files: requirements may name each other, and may stand anywhere
            for name, file in stage.files.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.data)
            wanted = (Path(folder) / name for name in course.platform.requirements)
            found = next((path for path in wanted if path.is_file()), None)
            if found is not None:
                made = environments.ensure([found], extra=[environments.SERVER]).made
                tox = stage.files.get("tox.ini")
                if tox is not None and tox.data != contract:
                    contract = tox.data
                    made = environments.fetch_for_tox(Path(folder)) or made
                for source, pins in _compiled(stage.files):
                    # it knows all platforms, and so asks of packages that no environment here has
                    environments.compiled(Path(folder) / source, Path(folder) / pins)
                report(stage.step.tag, made)


@contextlib.contextmanager
def _told_of_the_solution(folder: Path, steps: Sequence[Step]) -> Iterator[None]:
    """What is wrong with a copy in `folder` is told of the file in the solution it came from."""
    try:
        yield
    except WorkshopError as error:
        if error.path is not None and Path(error.path).is_relative_to(folder):
            name = Path(error.path).relative_to(folder)
            for step in reversed(steps):
                if (step.solution / name).is_file():
                    raise WorkshopError(
                        error.fact, error.remedy, path=step.solution / name
                    ) from error
        raise


def _compiled(files: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The short lists of requirements among these files, each with the pins made from it."""
    names = set(files)
    for path in sorted(name for name in names if name.endswith(".in")):
        own = f"{path.removesuffix('.in')}.txt"
        yield from ((path, pins) for pins in (own, "requirements.txt") if pins in names)
