"""Where key pairs are kept: made once, by whoever comes first, and never written over."""

from __future__ import annotations

import multiprocessing
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pairs import pair, short

from workshop import sealing
from workshop.errors import WorkshopError
from workshop.production import sealer


def modes(project: Path) -> dict[str, str]:
    place = sealer.folder(project)
    found = {each.name: stat.filemode(each.stat().st_mode) for each in sorted(place.iterdir())}
    return {".": stat.filemode(place.stat().st_mode)} | found


def test_there_is_none_until_one_is_needed(project: Path, home: Path) -> None:
    assert sealer.pairs(project) == ()
    assert not sealer.folder(project).exists()
    made = sealer.newest(project, short)
    assert sealer.folder(project).parent.parent == home / "projects"
    assert sealer.pairs(project) == (made,)
    assert modes(project) == {".": "drwx------", "0001.pem": "-rw-------"}
    assert sealer.newest(project, short) == made
    text = sealing.seal(b"x", made.certificate, b"a/b")
    assert sealing.opened(text, [made.private], b"a/b") == (b"x", 0)


def test_a_folder_that_others_could_read_is_closed(project: Path) -> None:
    sealer.folder(project).mkdir(parents=True)
    sealer.folder(project).chmod(0o755)
    sealer.newest(project, short)
    assert modes(project)["."] == "drwx------"


def test_a_new_pair_comes_first_and_the_old_ones_stay(project: Path) -> None:
    first = sealer.newest(project, short)
    second = sealer.rotate(project, short)
    assert sealer.pairs(project) == (second, first)
    assert sealer.newest(project, short) == second
    for _ in range(9):
        last = sealer.rotate(project, short)
    assert sealer.newest(project)[0] == last.private
    assert len(sealer.pairs(project)) == 11
    for old, new in (("0011", "10000"), ("0010", "9999")):
        (sealer.folder(project) / f"{old}.pem").rename(sealer.folder(project) / f"{new}.pem")
    assert sealer.newest(project) == last  # by number, not by the letters


def test_to_rotate_before_there_is_one_makes_the_first(project: Path) -> None:
    assert sealer.rotate(project, short) == sealer.newest(project)


def test_another_project_has_others(project: Path, tmp_path: Path) -> None:
    sealer.newest(project, short)
    assert sealer.pairs(tmp_path / "elsewhere") == ()


def _at_once(project: Path, barrier: Any, answers: Any, verb: str) -> None:
    def make(now: Any) -> sealing.Pair:
        made = short(now)
        barrier.wait(60)  # so that all have seen that there is none
        return made

    answers.put(getattr(sealer, verb)(project, make).private)


def test_two_processes_make_one_first_pair(project: Path) -> None:
    apart = multiprocessing.get_context("spawn")
    barrier, answers = apart.Barrier(3), apart.Queue()
    others = [
        apart.Process(target=_at_once, args=(project, barrier, answers, "newest")) for _ in range(3)
    ]
    for each in others:
        each.start()
    found = {answers.get(timeout=60) for _ in others}
    for each in others:
        each.join(60)
    assert found == {sealer.newest(project).private}
    assert list(modes(project)) == [".", "0001.pem"]


def test_two_that_rotate_at_once_make_two(project: Path) -> None:
    first = sealer.newest(project, short)
    mine = threading.Event()

    def make(now: Any) -> sealing.Pair:
        if not mine.is_set():  # while we make ours, another process is faster
            mine.set()
            others.append(sealer.rotate(project, short))
        return short(now)

    others: list[sealing.Pair] = []
    second = sealer.rotate(project, make)
    assert sealer.pairs(project) == (second, *others, first)


def test_what_breaks_off_leaves_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        sealer.newest(project, short)
    assert list(modes(project)) == ["."]


def _bit(raw: bytes, part: bytes) -> bytes:
    """One letter of the base64 of that part is another one: in its modulus."""
    at = raw.index(part) + 150
    return raw[:at] + (b"A" if raw[at : at + 1] != b"A" else b"B") + raw[at + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda raw: raw[:700],
        lambda raw: raw[:-700],
        lambda raw: raw[raw.index(b"-----BEGIN CERT") :],
        lambda raw: _bit(raw, b"-----BEGIN RSA"),
        lambda raw: raw[: raw.index(b"-----BEGIN CERT")] + pair(9).certificate,
    ],
)
def test_a_damaged_pair_is_named_and_left_alone(
    project: Path, damage: Callable[[bytes], bytes]
) -> None:
    sealer.newest(project, short)
    file = sealer.folder(project) / "0001.pem"
    text = damage(file.read_bytes())
    file.write_bytes(text)
    for verb in (sealer.newest, sealer.pairs):
        with pytest.raises(WorkshopError, match="this key pair is damaged") as caught:
            verb(project)
        assert caught.value.path == file
    assert file.read_bytes() == text
