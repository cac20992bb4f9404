"""A release: one commit's files in a folder of their own, and what it takes to run them."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from workshop import environments, git
from workshop.errors import WorkshopError
from workshop.model import Platform
from workshop.postgres import Cluster
from workshop.production import Report, log, unsealed
from workshop.production import place as places
from workshop.production.place import Place

KEPT = 5
_DATABASE = "DATABASE_URL"
_LAST_LINES = 8
_ONCE = Path(__file__).with_name("once.py")


class Release(NamedTuple):
    """One commit, made ready once.

    `live_at` is when it last began to answer (ISO 8601), empty before. `withdrawn` is set when it
    was rolled back: then no rollback chooses it. `turn` counts which went live after which: a clock
    may be wrong. A process runs it with `python`, a cluster runs `image`.
    """

    commit: str
    subject: str
    authored: str
    python: str = ""
    database: bool = False
    live_at: str = ""
    withdrawn: bool = False
    image: str = ""
    turn: int = 0


def make(place: Place, platform: Platform, commit: str) -> Release:
    """Make the release of `commit`, or find the one that is there. Nothing half-made stays."""
    folder = place.releases / commit
    known = find(place, commit)
    if known is not None and folder.is_dir() and environments.usable(Path(known.python)):
        return known  # it was made once, and nothing has changed since
    unpack(place, commit)
    subject, authored = told(place, commit)
    wanted = [_requirements(platform, folder)]
    environment = environments.ensure(wanted, extra=[environments.SERVER])
    release = Release(commit, subject, authored, str(environment.python), _asks(folder))
    if known is not None:
        release = release._replace(live_at=known.live_at, withdrawn=known.withdrawn)
    keep(place, release)
    return release


def keep(place: Place, release: Release) -> None:
    """Write down what the release is."""
    places.write(place.releases / f"{release.commit}.json", release._asdict())


def find(place: Place, commit: str) -> Release | None:
    """The release of this commit, if it is kept."""
    value = places.read(place.releases / f"{commit}.json")
    return None if value is None else Release(**value)


def kept(place: Place) -> tuple[Release, ...]:
    """The releases that were live and are kept, the latest first."""
    files = place.releases.glob("*.json") if place.releases.is_dir() else ()
    found = [Release(**(places.read(file) or {})) for file in files]
    live = (each for each in found if each.live_at)
    # the time, too: a workshop from before turns were counted has left none
    return tuple(sorted(live, key=lambda each: (each.turn, each.live_at), reverse=True))


def prune(place: Place) -> None:
    """Remove what is too old, and what never became live. The live one always stays."""
    staying = {release.commit for release in kept(place)[:KEPT]} | {str(place.live)}
    for entry in list(place.releases.iterdir()):
        name = entry.name.removesuffix(".json")
        if name not in staying:
            # out of its place at once: half of a release must not be taken for one
            discard(entry.replace(entry.with_name(f".{entry.name}.{os.getpid()}.part")))


def clear_up(place: Place, report: Report) -> Release | None:
    """Clear up after a command that was killed, on any target. Returns the release that is live."""
    for left in (*place.releases.glob(".*.part"), *place.folder.glob(".*.part")):
        discard(left)
    interrupted = log.begun(place)
    if interrupted is not None:
        report("repaired", f"the {interrupted.kind} of {interrupted.commit[:10]} was interrupted")
        close(place, interrupted)
    live = find(place, place.live) if place.live else None
    if live is not None and not live.live_at:  # the switch came when its command had gone
        live = _up(place, live)
    return live


def book(place: Place, entry: log.Entry) -> None:
    """Write down that this deploy is live: what is known of its release, and the log, at last. Who
    is killed in between is found by the next command, which does it all once more."""
    entry = entry._replace(outcome="live", live=_switched(place))
    new, before = find(place, entry.commit), log.before(place)
    if new is not None:
        entry = entry._replace(authored=_up(place, new).authored)
    bad = find(place, before) if entry.kind == "rollback" and before else None
    if bad is not None and bad.commit != entry.commit:
        keep(place, bad._replace(withdrawn=True))
    log.end(place, entry)


def close(place: Place, entry: log.Entry) -> None:
    """Write down a deploy that did not come to its end. If the switch was done, then visitors see
    the release, whatever became of the command."""
    if place.live == entry.commit != log.before(place):
        book(place, entry._replace(reason="the command was ended after the switch"))
    else:
        log.end(place, entry)


def _up(place: Place, release: Release) -> Release:
    """Note that this release is live now, after all others."""
    turn = 1 + max((each.turn for each in kept(place)), default=0)
    release = release._replace(live_at=_switched(place), withdrawn=False, turn=turn)
    keep(place, release)
    return release


def _switched(place: Place) -> str:
    """When what is live began to answer (ISO 8601): that moment, `live.json` was written."""
    at = (place.folder / "live.json").stat().st_mtime
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def discard(path: Path) -> None:
    """Remove a release's folder, which is read-only, or a file."""
    if not path.is_dir():
        path.unlink(missing_ok=True)
        return
    for folder, _, files in os.walk(path):
        Path(folder).chmod(0o700)
        if os.name == "nt":  # there, a file that can't be written can't be removed either
            for name in files:
                Path(folder, name).chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)


def variables(
    place: Place, platform: Platform, release: Release, configured: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The configuration of this release in this environment: from the platform, from the
    project's sealed secrets and its file `deployment/envs/ENVIRONMENT`, and from what a person has
    set. The later wins. `configured` stands for what is set, when it is not kept yet."""
    found = {
        "PATH": os.pathsep.join(
            [str(Path(release.python).parent), os.environ.get("PATH", os.defpath)]
        ),
        "HOME": str(place.folder),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",  # a release is not changed, not even by Python
        "SECRET_KEY": places.secret(place, "SECRET_KEY"),
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
    }
    if release.database:
        found[_DATABASE] = _cluster(place).url(place.environment)
    by_hand = places.configuration(place) if configured is None else configured
    opened = unsealed.of(place, platform.sealed, release.commit).variables
    return found | opened | committed(place, release.commit) | dict(by_hand)


def committed(place: Place, commit: str) -> dict[str, str]:
    """The variables that a commit has for this environment."""
    file = place.releases / commit / "deployment" / "envs" / place.environment
    return dict(assignments(file))


def attach_database(place: Place) -> str:
    """Start the environment's PostgreSQL, and make its database. Returns what was done."""
    cluster = _cluster(place)
    known, running = cluster.folder.is_dir(), cluster.running()
    cluster.start()
    live = find(place, place.live) if place.live else None
    if not (running and live and live.database):  # else the live release speaks with it already
        cluster.create(place.environment)
    return "runs" if running else "started" if known else "made"


def detach_database(place: Place) -> None:
    """Stop the environment's PostgreSQL. Its data stays."""
    _cluster(place).stop()


def run_command(place: Place, platform: Platform, release: Release) -> None:
    """Run what must be done once for a release: the migrations. Raises WorkshopError.

    It holds the lock of the place, too. When we are killed it goes on, and no second one may run
    beside it.
    """
    command = platform.release
    sooner = [str(_ONCE)] if command[0].endswith(".py") else []
    done = subprocess.run(
        [release.python, *sooner, *command],
        cwd=place.releases / release.commit,
        env=variables(place, platform, release),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        pass_fds=places.held(place),
        check=False,
    )
    if done.returncode != 0:
        raise WorkshopError(
            f"`{' '.join(command)}` failed:\n{tail(done.stdout)}",
            "Mend it, commit, and deploy again.",
            path=place.project,
        )


def tail(text: str) -> str:
    """The last lines, each a little to the right."""
    lines = [line for line in text.splitlines() if line.strip()][-_LAST_LINES:]
    return "\n".join(f"    {line}" for line in lines) or "    (it said nothing)"


def _cluster(place: Place) -> Cluster:
    return Cluster(place.folder / "postgres")


def told(place: Place, commit: str) -> tuple[str, str]:
    """What the first line of a commit's message says, and when its author wrote it (ISO 8601).

    Of a kept release that is noted: its commit may be in the repository no more.
    """
    known = find(place, commit)
    if known is not None:
        return known.subject, known.authored
    said = _ask(place, "show", "--no-patch", "--format=%s%n%aI", commit).decode(errors="replace")
    subject, authored = said.rstrip("\n").split("\n")
    return subject, authored


def _ask(place: Place, *words: str) -> bytes:
    """What git says of a commit, the last of the words."""
    try:
        return git.run(*words, cwd=place.project)
    except git.GitError as error:
        raise WorkshopError(
            f"git does not give the commit {words[-1][:10]}: {error.said}",
            "Is it in this repository? `git fetch` may bring it. Or deploy another one.",
            path=place.project,
        ) from error


def unpack(place: Place, commit: str) -> None:
    """The commit's files, byte for byte, read-only, in place at once or not at all."""
    folder = place.releases / commit
    if folder.is_dir():
        return
    part = folder.with_name(f".{commit}.{os.getpid()}.part")
    try:
        export(place, commit, part)
        for each in sorted(part.rglob("*"), reverse=True):
            if not each.is_symlink():
                each.chmod(stat.S_IMODE(each.stat().st_mode) & ~0o222)
        part.chmod(0o500)  # nothing is added to it either
        part.replace(folder)
    except BaseException:
        discard(part)
        raise


def export(place: Place, commit: str, folder: Path) -> None:
    """The commit's files, byte for byte, in a new folder."""
    import tarfile

    data = _ask(place, "archive", "--format=tar", commit)
    try:
        folder.mkdir()
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            archive.extractall(folder, filter="data")
    except tarfile.FilterError as error:
        raise WorkshopError(
            f"the commit {commit[:10]} can't be unpacked: {error}",
            "Keep to files and links inside of the project.",
            path=place.project,
        ) from error


def _requirements(platform: Platform, folder: Path) -> Path:
    names = platform.requirements
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise WorkshopError(
        f"the commit has no {names[-1]}",
        "Write it: a line for each package that the project needs. Then commit.",
        path=folder.name,
    )


def _asks(folder: Path) -> bool:
    """Whether the project asks for a database: then it gets a real one."""
    files = (file for file in folder.rglob("*.py") if file.is_file())  # a link may lead nowhere
    return any(_DATABASE.encode() in file.read_bytes() for file in files)


def assignments(file: Path) -> Iterator[tuple[str, str]]:
    """The lines KEY=VALUE of a file. Raises WorkshopError for a line that is none."""
    if not file.is_file():
        return
    # what is not UTF-8 has no place in it, and its line says so
    for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier() or "\ufffd" in value:
            raise WorkshopError(
                f"this is no configuration: {line!r}",
                "Write lines such as DEBUG=False, commit, and deploy again.",
                path=f"deployment/envs/{file.name}:{number}",
            )
        yield name.strip(), value.strip().strip("\"'")
