"""After a prefetch, no stage's environment is made any more, and none needs a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from workshop import environments
from workshop.course import load
from workshop.errors import WorkshopError
from workshop.prefetch import prefetch


@pytest.fixture
def made(course_folder: Path) -> list[tuple[str, bool]]:
    told: list[tuple[str, bool]] = []
    prefetch(load(course_folder), report=lambda *words: told.append(words))
    return told


def test_every_stage_is_told(made: list[tuple[str, bool]]) -> None:
    # the second stage requires the same as the first
    assert made == [("01-hello", True), ("02-name", False)]


def test_the_environment_is_the_one_that_production_takes(
    made: list[tuple[str, bool]], course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert made
    monkeypatch.setenv("UV_OFFLINE", "1")
    file = course_folder / "solutions" / "01-hello" / "requirements.txt"
    assert environments.ensure([file], extra=[environments.SERVER]).made is False


def test_what_tox_asks_for_is_there_too(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    solution = course_folder / "solutions" / "02-name"
    (solution / "tox.ini").write_text(
        "[tox]\nno_package = true\n[testenv:unit]\ndeps = iniconfig\n"
    )
    told = []
    prefetch(load(course_folder), report=lambda *words: told.append(words))
    assert [tag for tag, _ in told] == ["01-hello", "02-name"]
    monkeypatch.setenv("UV_OFFLINE", "1")
    assert environments.fetch_for_tox(solution) is False


def test_what_is_compiled_is_compiled_without_a_network(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))  # nothing was fetched before
    solution = course_folder / "solutions" / "02-name"
    wanted, pins = solution / "requirements" / "production.in", solution / "requirements.txt"
    wanted.parent.mkdir()
    wanted.write_text("click==8.1.7\n")  # on Windows, it needs another one
    pins.write_text("click==8.1.7\n")
    prefetch(load(course_folder), report=lambda *_: None)
    monkeypatch.setenv("UV_OFFLINE", "1")
    assert "colorama" in environments.compiled(wanted, pins)


def test_a_tox_ini_that_asks_for_nonsense_is_told(course_folder: Path) -> None:
    ini = course_folder / "solutions" / "02-name" / "tox.ini"
    ini.write_text("[tox]\nno_package = true\n[testenv:unit]\ndeps = ./nowhere\n")
    with pytest.raises(WorkshopError, match="nowhere") as caught:
        prefetch(load(course_folder), report=lambda *_: None)
    assert caught.value.path == ini
