"""Runs checks and returns verdicts. It prints nothing: who called decides what is shown."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from workshop.checks import near, plugin
from workshop.checks.failure import CheckFailed
from workshop.checks.processes import Warmth
from workshop.errors import WorkshopError
from workshop.model import Course, Outcome, Verdict

_INI = Path(__file__).with_name("pytest.ini")
# Plugins of pytest that no check needs: each costs time at every start.
_WITHOUT = (
    "terminal", "cacheprovider", "doctest", "unittest", "junitxml", "pastebin", "faulthandler",
    "logging", "stepwise", "setuponly", "setupplan", "legacypath", "debugging", "subtests",
)  # fmt: skip

_BUSY = "trials"  # a fixture that uses all cores already


class Wanted(NamedTuple):
    """Which checks are wanted, as `run` has it."""

    only: Sequence[str] = ()
    until_red: bool = False


def run(
    tests: Sequence[Path],
    project: Path,
    course: Course,
    *,
    home: Path | None = None,
    on_verdict: Callable[[Verdict], None] | None = None,
    keep: Sequence[str] = (),
    only: Sequence[str] = (),
    until_red: bool = False,
    warmth: Warmth | None = None,
    gate: Callable[[Sequence[str]], Wanted | None] | None = None,
) -> tuple[Verdict, ...]:
    """Judge `project` by the checks in the files `tests`, in their order.

    `on_verdict` gets each verdict as soon as it is there. `home` is where the workshop keeps its
    things, when not in the usual place; `keep` names variables of this process that the project
    sees, too; `only` names the checks that are wanted, in their order, all when empty. With
    `until_red`, the first red one is the last. With `warmth`, what is slow to start is started
    from what is kept warm: the verdicts are the same. `gate` is asked right before the first check,
    when all is ready for it: it may wait, and says what is wanted, or None for nothing. It is told
    which checks had better stay together, since what they share is slow to make.

    A project that is not as it should be is red. Only a bug of ours, or a machine that can't
    judge, is an error.
    """
    if not tests:
        return ()
    judge = _Judge(course, project, on_verdict or _ignore, only, warmth, gate)
    root = os.path.commonpath([file.resolve().parent for file in tests])
    arguments = [
        *(f"-pno:{name}" for name in _WITHOUT),
        "--disable-plugin-autoload", "--noconftest", "--import-mode=importlib", "--assert=plain",
        "-c", str(_INI), f"--rootdir={root}",
        "--in-memory", f"--project={project}", *(f"--keep={name}" for name in keep),
        *([f"--home={home}"] if home else []), *(["--exitfirst"] if until_red else []),
        *map(str, tests),
    ]  # fmt: skip
    with _no_traces():
        code = pytest.main(arguments, plugins=[plugin, judge])
    if code == pytest.ExitCode.INTERRUPTED and not judge.broken:
        raise KeyboardInterrupt
    if code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
        raise RuntimeError(f"pytest could not run the checks: {code!r} {judge.said}")
    return tuple(judge.verdicts)


def _choose(items: list[pytest.Item], only: Sequence[str]) -> None:
    if only:
        items[:] = [item for item in items if item.name in only]
        items.sort(key=lambda item: only.index(item.name))


def _shares(item: pytest.Item) -> bool:
    """Whether it shares with other checks what is slow to make: its file made it for all of them,
    or it keeps all cores busy."""
    known = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    return _BUSY in known or any(
        made[-1].scope == "module" and made[-1].baseid == item.parent.nodeid  # type: ignore[union-attr]
        for made in known.values()
    )


def _ignore(_: Verdict) -> None:
    pass


class _Judge:
    """A plugin of pytest: makes a verdict of each test."""

    def __init__(
        self,
        course: Course,
        project: Path,
        on_verdict: Callable[[Verdict], None],
        only: Sequence[str],
        warmth: Warmth | None,
        gate: Callable[[Sequence[str]], Wanted | None] | None,
    ) -> None:
        self.verdicts: list[Verdict] = []
        self.broken = False  # a file of checks could not be read
        self.said = ""
        self._course = course
        self._warmth = warmth
        self._project = project
        self._unsaved: str | None = None  # not looked for yet
        self._on_verdict = on_verdict
        self._only = only
        self._gate = gate
        self._began = 0.0
        self._open: Verdict | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[plugin.COURSE] = self._course
        config.stash[plugin.WARMTH] = self._warmth

    def pytest_internalerror(self, excrepr: object) -> None:
        self.said = str(excrepr)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        _choose(items, self._only)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if self._gate is None:
            return None
        wanted = self._gate([item.name for item in session.items if _shares(item)])
        if wanted is None:
            return True  # all is done, of nothing
        _choose(session.items, wanted.only)
        if wanted.until_red:
            session.config.option.maxfail = 1
        return None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken = True
            seen = "\n".join(report.longreprtext.splitlines()[-8:])
            name = Path(report.nodeid).name
            self._end(Verdict(name, f"{name} can be read.", "error", seen))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        self._began = time.monotonic()
        self._open = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        # The first thing that goes wrong is what the verdict is about.
        if self._open is None or self._open.outcome == "green":
            self._open = _verdict(item, call.excinfo.value if call.excinfo else None)
        if call.when == "teardown":
            self._end(self._open, time.monotonic() - self._began)
        return report

    def _end(self, verdict: Verdict, seconds: float = 0.0) -> None:
        ended = verdict._replace(seconds=round(seconds, 3))
        if ended.outcome == "red":
            if self._unsaved is None:
                self._unsaved = near.unsaved(self._project)
            ended = ended._replace(do="\n".join(filter(None, (self._unsaved, ended.do))))
        self.verdicts.append(ended)
        self._on_verdict(ended)


def _verdict(item: pytest.Item, error: BaseException | None) -> Verdict:
    """What an exception, or none, says of the project."""
    outcome: Outcome = "green"
    seen = expected = do = where = ""
    if isinstance(error, CheckFailed):
        outcome, seen, expected, do = "red", error.seen, error.expected, error.do
    elif isinstance(error, pytest.skip.Exception):
        outcome, seen = "skipped", str(error)
    elif isinstance(error, pytest.FixtureLookupError):
        outcome, seen = "error", f"fixture '{error.argname}' not found"
        where = item.path.name
    elif isinstance(error, WorkshopError):
        outcome, seen, do = "error", error.fact, error.remedy
        where = str(error.path or "")
    elif error is not None:
        outcome = "red" if isinstance(error, AssertionError) else "error"
        place = _place(item.path, error)
        where = f"{item.path.name}:{place.lineno}" if place else item.path.name
        said = str(error) or (place.line if place else "") or ""
        seen = said if outcome == "red" else f"{type(error).__name__}: {said}"
    return Verdict(item.name, _sentence(item), outcome, seen, expected, do, where)


def _sentence(item: pytest.Item) -> str:
    text = getattr(getattr(item, "function", None), "__doc__", None) or ""
    return " ".join(text.split())


def _place(file: Path, error: BaseException) -> traceback.FrameSummary | None:
    """The line of the check that the exception went through last."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename) == file]
    return own[-1] if own else None


@contextlib.contextmanager
def _no_traces() -> Iterator[None]:
    """Nobody's options for pytest come in, and nothing that pytest changes stays."""
    modules, path = set(sys.modules), list(sys.path)
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PYTEST_")}
    try:
        yield
    finally:
        os.environ.update(hidden)
        sys.path[:] = path
        # A file of checks that changed is read again the next time.
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if Path(file).name.startswith("test_"):
                del sys.modules[name]
