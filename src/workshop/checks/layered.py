"""Releases of a project that differ from each other: its own image, and a layer of ours on it.

Each has a page that says which release answers, and a table in which the migration of the first one
leaves a line. What else they change is what a check wants to see: a migration that fails, a release
that is never ready, one that is ready and whose first page is broken. The project's files stay as
they are.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from workshop import containers
from workshop.checks import near, visits
from workshop.checks.failure import CheckFailed
from workshop.checks.image import Image
from workshop.errors import WorkshopError
from workshop.production import images

SETTINGS = "application/settings.py"
PAGE = "workshop-release"
_BUILD = 300.0  # seconds
_APP = "workshop_release"  # a Django app of ours, inside of the image
TABLE = f"{_APP}_run"

_URLS = f"""

from django.http import HttpResponse as _Answer
from django.urls import path as _path


def _release(request):
    return _Answer("it answers\\n", headers={{"X-Release": "NAME"}})


urlpatterns = [_path("{PAGE}", _release), *urlpatterns]
"""
_BROKEN = """
urlpatterns = [_path("", lambda request: _Answer("nonsense\\n", status=500)), *urlpatterns]
"""
_NOT_READY = """
urlpatterns = [_path("readyz", lambda request: _Answer("never\\n", status=503)), *urlpatterns]
"""
_SETTINGS = f"\nINSTALLED_APPS = [*INSTALLED_APPS, '{_APP}']\n"
# The first of all, and slow, so that others who do the same at the same time are seen.
_RECORD = """import socket
import time

from django.db import migrations


def record(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS TABLE (host text)")
        cursor.execute("INSERT INTO TABLE VALUES (%s)", [socket.gethostname()])
    time.sleep(6)


class Migration(migrations.Migration):
    atomic = False
    run_before = [("contenttypes", "0001_initial")]
    operations = [migrations.RunPython(record)]
""".replace("EXISTS TABLE", f"EXISTS {TABLE}").replace("INTO TABLE", f"INTO {TABLE}")
_FAILS = f"""from django.db import migrations


def fail(apps, schema_editor):
    raise RuntimeError("this migration fails")


class Migration(migrations.Migration):
    dependencies = [("{_APP}", "0001_record")]
    operations = [migrations.RunPython(fail)]
"""


class Layered:
    """The images of one project's releases. They go when their project's own image goes."""

    def __init__(self, project: Path, image: Image) -> None:
        self._project = project
        self._image = image

    def make(
        self, name: str, root: str, *, ready: bool = True, migrates: bool = True,
        broken: bool = False,
    ) -> str:  # fmt: skip
        """Build the release of this name, whose files are in `root`. Returns its image, as the
        cluster knows it."""
        made = f"{self._image.built}-{name}:1"
        with tempfile.TemporaryDirectory(prefix="workshop-") as folder:
            within = Path(folder)
            self._write(within, name, ready=ready, migrates=migrates, broken=broken)
            layer = f"FROM {self._image.built}\nCOPY . {root}/\n"
            (within / "Dockerfile").write_text(layer, "utf-8")
            (within / ".dockerignore").write_text("Dockerfile\n.dockerignore\n", "utf-8")
            done = containers.build(within, "Dockerfile", made, {}, _BUILD)
        assert done.code == 0, done.said
        try:
            return images.brought(made)[0]
        except WorkshopError as error:
            raise CheckFailed(
                seen=error.fact, expected="a cluster that gets your image", do=error.remedy
            ) from error

    def _write(
        self, folder: Path, name: str, *, ready: bool, migrates: bool, broken: bool
    ) -> None:  # fmt: skip
        pages = _URLS.replace("NAME", name)
        pages += ("" if ready else _NOT_READY) + (_BROKEN if broken else "")
        for file, more in ((visits.URLS, pages), (SETTINGS, _SETTINGS)):
            near.must_be_there(self._project, file)
            (folder / file).parent.mkdir(exist_ok=True)
            own = (self._project / file).read_text("utf-8")
            (folder / file).write_text(own + more, "utf-8")
        migrations = folder / _APP / "migrations"
        migrations.mkdir(parents=True)
        for each in (migrations, migrations.parent):
            (each / "__init__.py").touch()
        (migrations / "0001_record.py").write_text(_RECORD, "utf-8")
        if not migrates:
            (migrations / "0002_fails.py").write_text(_FAILS, "utf-8")
