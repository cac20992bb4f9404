"""Where things are kept, and how we are called."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from workshop import paths


def test_the_named_home_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKSHOP_HOME", "here/../there")
    assert paths.home() == tmp_path / "there"


def test_root_has_a_place_where_postgresql_can_get(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKSHOP_HOME")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert paths.home() == Path("/var/lib/workshop")


def test_everybody_else_has_the_platforms_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("WORKSHOP_HOME")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert paths.home() == tmp_path / "workshop"


def test_a_project_is_found_by_its_own_path(tmp_path: Path, home: Path) -> None:
    one, two = tmp_path / "one" / "demo", tmp_path / "two" / "demo"
    for each in (one, two):
        each.mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(one)
    found = paths.project_home(one)
    assert found.parent == home / "projects"
    assert found.name.startswith("demo-")
    assert (
        paths.project_home(link) == paths.project_home(two.parent / ".." / "one" / "demo") == found
    )
    assert paths.project_home(two) != found


def test_a_command_can_be_typed_as_it_is_printed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "workshop"
    program.parent.mkdir()
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", str(program.parent))
    assert paths.program() == "workshop"
    monkeypatch.setenv("PATH", "/nowhere")
    assert paths.program() == str(program)
    odd = tmp_path / "my tools" / "workshop"
    monkeypatch.setattr(sys, "argv", [str(odd)])
    assert paths.program() == f"'{odd}'"
    monkeypatch.setattr(sys, "argv", ["/x/workshop/__main__.py"])
    assert paths.program() == f"{sys.executable} -m workshop"
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert paths.program() == "python -m workshop"
    monkeypatch.setattr(sys, "argv", ["/x/pytest"])
    assert paths.program() == "workshop"
