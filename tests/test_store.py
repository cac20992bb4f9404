"""Known results: whole or not at all, and a damaged one counts as none."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from workshop import store


def test_what_is_kept_is_there_under_its_kind_and_key(home: Path) -> None:
    assert store.read("verified", "k") is None
    store.write("verified", "k", {"seen": ["ä"]})
    assert store.read("verified", "k") == {"seen": ["ä"]}
    assert store.read("verified", "other") is None
    assert store.read("mutants", "k") is None


@pytest.mark.parametrize("text", ["{", "", "[1]", "\xff", "[" * 100_000])
def test_a_damaged_one_is_none(home: Path, text: str) -> None:
    store.write("verified", "k", {})
    (file,) = (home / "verified").iterdir()
    file.write_text(text, encoding="latin-1")
    assert store.read("verified", "k") is None


def test_who_keeps_the_same_at_the_same_time_is_in_nobodys_way(home: Path) -> None:
    ready = threading.Barrier(4)
    value = {"each": "x" * 100_000}
    wrong: list[object] = []

    def keep() -> None:
        ready.wait()
        try:
            for _ in range(25):
                store.write("verified", "k", value)
                if store.read("verified", "k") != value:
                    wrong.append("half of it")
        except OSError as error:
            wrong.append(error)

    threads = [threading.Thread(target=keep) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []
    assert [each.name for each in (home / "verified").iterdir()] == ["k.json"]
