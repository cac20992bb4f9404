"""A copy of the project that a check may break, and many of them at a time."""

from __future__ import annotations

import contextlib
import queue
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from workshop import git
from workshop.checks import mistakes
from workshop.checks.commands import Result
from workshop.checks.contract import Tox
from workshop.checks.mistakes import Mistake
from workshop.checks.processes import Warmth


class Copy:
    """The project's files as git would commit them, in a folder of their own."""

    def __init__(
        self,
        project: Path,
        folder: Path,
        variables: Mapping[str, str],
        *,
        home: Path | None = None,
        warmth: Warmth | None = None,
    ) -> None:
        self.path = folder
        found = git.text(
            "ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=project
        )
        self.names = tuple(
            name for name in found.split("\0") if name and (project / name).is_file()
        )
        for name in self.names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((project / name).read_bytes())
        self._tox = Tox(folder, self.names, variables, home=home, warmth=warmth)

    def tox(self, name: str, env: Mapping[str, str]) -> Result:
        """Run the tox environment `name`. Of `env`, it sees what tox.ini lets through.

        Raises CheckFailed when there is none, or when its packages can't be installed.
        """
        return self._tox.run(name, env)

    def environments(self) -> tuple[str, ...]:
        """The names of what `tox` runs when nobody says more."""
        return self._tox.environments()

    def variables(self) -> dict[str, str]:
        """What a program needs that calls tox by itself. Raises CheckFailed as `tox` does."""
        return self._tox.ready()

    @contextlib.contextmanager
    def spoiled(self, mistake: Mistake) -> Iterator[None]:
        """With this mistake in it, for as long as the block lasts."""
        before: dict[Path, bytes | None] = {}
        folders: list[Path] = []
        try:
            for name, text in mistake.behind:
                file = self.path / name
                new = [each for each in file.parents if not each.exists()]
                file.parent.mkdir(parents=True, exist_ok=True)
                folders += new
                before.setdefault(file, file.read_bytes() if file.exists() else None)
                with file.open("ab") as opened:
                    opened.write(text.encode())
            yield
        finally:
            for file, data in before.items():
                if data is None:
                    file.unlink(missing_ok=True)
                else:
                    file.write_bytes(data)
            for folder in folders:  # with what Python has left in them
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """End what runs in it."""
        self._tox.close()


class Trials:
    """The project's own tests, with one mistake in the project each time.

    They run on several copies at once, and what is known `ahead` begins before anybody asks: a
    learner has more than one core, and waits.
    """

    def __init__(
        self,
        name: str,
        copies: Sequence[tuple[Copy, Mapping[str, str]]],
        ahead: Iterable[Mistake] = (),
    ) -> None:
        self._name = name
        self._copies = [copy for copy, _ in copies]
        self._free: queue.SimpleQueue[tuple[Copy, Mapping[str, str]]] = queue.SimpleQueue()
        for each in copies:
            self._free.put(each)
        self._pool = ThreadPoolExecutor(len(copies))
        self._begun: dict[Mistake, Future[Result]] = {}
        for mistake in (mistakes.NONE, *ahead):
            self._begin(mistake)

    def on(self, mistake: Mistake = mistakes.NONE) -> Result:
        """How the tests end with this mistake. Raises CheckFailed when they can't be run."""
        return self._begin(mistake).result()

    def close(self) -> None:
        """End what still runs: nobody will ask for it."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for copy in self._copies:
            copy.close()
        self._pool.shutdown()

    def _begin(self, mistake: Mistake) -> Future[Result]:
        if mistake not in self._begun:
            self._begun[mistake] = self._pool.submit(self._run, mistake)
        return self._begun[mistake]

    def _run(self, mistake: Mistake) -> Result:
        copy, env = self._free.get()
        try:
            with copy.spoiled(mistake):
                return copy.tox(self._name, {**env, **dict(mistake.env)})
        finally:
            self._free.put((copy, env))
