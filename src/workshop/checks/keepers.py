"""Two warm processes that share the checks of a judgement: who saves waits half as long.

The first judgement runs in one of them, and tells how long each check takes. From then on, each
gets a share that takes about as long. Checks that share what is slow to make, or busy on all cores,
stay together: it is made once. The processes have nothing in common: each has its own stems and its
own PostgreSQL, so a check that stops the database disturbs no other.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from workshop.checks.keeper import Keeper, Said
from workshop.keys import digest
from workshop.model import Step

_WORTH_IT = 0.05  # seconds: two processes judge what takes longer
_BROKEN = 3


class Keepers:
    """Warm processes, one judgement at a time. `hear` is told what they say, from other threads.

    A judgement that they share has one number, its verdicts in the order in which they are there,
    and one end.
    """

    def __init__(self, course: Path, hear: Callable[[Said], None]) -> None:
        self._course = course
        self._hear = hear
        self._lock = threading.Lock()
        self._closed = False
        self._gone = False  # whether one of them has ended
        self._run = 0
        self._asked: tuple[Path, Step]  # the running judgement
        self._key = ""  # which checks the running judgement is of
        self._open: dict[int, int] = {}  # who has not ended yet: keeper, and its own number
        self._code = 0
        self._took: dict[str, float] = {}  # seconds of each check, in the running judgement
        self._known: dict[str, Mapping[str, float]] = {}  # the same, of whole ones, by their keys
        self._together: dict[str, tuple[str, ...]] = {}  # what one process judges, by their keys
        self._keepers: list[Keeper] = []
        self._listeners: list[threading.Thread] = []
        self._begin()

    def ask(self, project: Path, step: Step) -> int:
        """Begin a judgement, and end the one before. Returns its number.

        Raises OSError when the processes are gone.
        """
        with self._lock:
            if self._gone:
                raise BrokenPipeError("the process of the checks ended")
            self._run += 1
            self._asked = project, step
            self._key = digest(step.tag, *(file.read_bytes() for file in step.tests))
            self._open, self._took, self._code = {}, {}, 0
            shares = self._shares()
            for index, keeper in enumerate(self._keepers):
                if index < len(shares):
                    self._open[index] = keeper.ask(project, step.tests, only=shares[index])
                else:
                    keeper.stop()
            return self._run

    def in_order(self, checks: Mapping[str, object]) -> tuple[str, ...]:
        """These checks' names in the order of their file, as far as it is known."""
        with self._lock:
            order = list(self._known.get(self._key, checks))
        return tuple(sorted(checks, key=lambda name: order.index(name) if name in order else 0))

    def close(self) -> None:
        """End them, and all that they keep."""
        with self._lock:
            self._closed = True
        for keeper in self._keepers:
            keeper.close()
        for listener in self._listeners:
            listener.join(5)
        for keeper in self._keepers:
            keeper.release()

    def _begin(self) -> None:
        keeper, index = Keeper(self._course), len(self._keepers)
        self._keepers.append(keeper)
        self._listeners.append(
            threading.Thread(target=self._listen, args=(index, keeper), daemon=True)
        )
        self._listeners[-1].start()

    def _shares(self) -> list[tuple[str, ...]]:
        """Which checks each process gets. The first gets all, `()`, until the times are known, or
        when they share something large, such as containers."""
        known, (_, step) = self._known.get(self._key, {}), self._asked
        short = len(known) < 2 or sum(known.values()) < _WORTH_IT
        if short or step.needs or (os.cpu_count() or 1) < 2:
            return [()]
        block = [name for name in self._together.get(self._key, ()) if name in known]
        blocks = [[name] for name in known if name not in block] + ([block] if block else [])
        seconds = [sum(known[name] for name in each) for each in blocks]
        shares: tuple[list[str], list[str]] = ([], [])
        filled = [0.0, 0.0]
        for number in sorted(range(len(blocks)), key=lambda each: -seconds[each]):
            lighter = filled.index(min(filled))
            shares[lighter].extend(blocks[number])
            filled[lighter] += seconds[number]
        if not all(shares):
            return [()]
        order = list(known)
        return [tuple(sorted(each, key=order.index)) for each in shares]

    def _listen(self, index: int, keeper: Keeper) -> None:
        for said in keeper.heard():
            with self._lock:
                if self._open.get(index) == said.run:
                    self._pass_on(index, said)
        with self._lock:
            self._gone = True
            if index in self._open:  # it died over it
                run = self._open[index]
                self._pass_on(index, Said(run, broken="the process of the checks ended"))
                self._pass_on(index, Said(run, code=_BROKEN))

    def _pass_on(self, index: int, said: Said) -> None:
        if said.code is None:
            if said.together:
                self._together[self._key] = said.together
                return
            if said.verdict is not None:
                self._took[said.verdict.check] = said.verdict.seconds
            self._hear(said._replace(run=self._run))
            return
        del self._open[index]
        self._code = max(self._code, abs(said.code))
        if not self._open:
            if self._code == 0:
                order = self._known.get(self._key, self._took)
                self._known[self._key] = {name: self._took.get(name, 0.0) for name in order}
            self._hear(Said(self._run, code=self._code))
            self._warm_up()

    def _warm_up(self) -> None:
        """Let the second process do its share once, before the next save, for nobody to hear."""
        shares = self._shares()
        if len(shares) > len(self._keepers) and not self._closed:
            self._begin()
            project, step = self._asked
            with contextlib.suppress(OSError):  # the next judgement will notice, too
                self._keepers[-1].ask(project, step.tests, only=shares[-1])
