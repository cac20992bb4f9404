"""Sealed values: what goes in comes out, by the right key and label only, here and elsewhere."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from pairs import NOW, pair

from workshop import sealing

HERE = Path(__file__).parent
LABEL = sealing.label("production", "app", "strict")
REFUSED = (sealing.DamagedError, sealing.OtherKeyError, sealing.OtherLabelError)
CANARY = b"canary-in-a-coal-mine"
few = settings(max_examples=25, deadline=None, derandomize=True)


@functools.cache
def once() -> str:
    """The same text for every example."""
    return seal()


def seal(value: bytes = CANARY, number: int = 0, label: bytes = LABEL) -> str:
    return sealing.seal(value, pair(number).certificate, label)


def opened(text: str, *numbers: int, label: bytes = LABEL) -> sealing.Opened:
    return sealing.opened(text, [pair(number).private for number in numbers or (0,)], label)


def test_labels() -> None:
    assert sealing.label("a", "b", "strict") == b"a/b"
    assert sealing.label("a", "b", "namespace-wide") == b"a"
    assert sealing.label("a", "b", "cluster-wide") == b""


@few
@given(value=st.binary(max_size=3000), label=st.binary(max_size=60))
def test_any_value_comes_back(value: bytes, label: bytes) -> None:
    text = seal(value, label=label)
    assert opened(text, label=label) == (value, 0)
    assert len(base64.b64decode(text)) == 2 + 256 + len(value) + 16
    assert base64.b64decode(text)[:2] == b"\x01\x00"


def test_a_large_value_comes_back() -> None:
    value = os.urandom(1 << 20)  # as much as a Secret may hold
    assert opened(seal(value)).value == value


@few
@given(data=st.data())
def test_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    raw = bytearray(base64.b64decode(once()))
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(REFUSED):
        opened(base64.b64encode(raw).decode())


@few
@given(data=st.data())
def test_any_other_character_is_refused(data: st.DataObject) -> None:
    text = once()
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(exclude_characters=text[at] + "\r\n"))
    with pytest.raises(REFUSED):
        opened(text[:at] + other + text[at + 1 :])


@few
@given(end=st.integers(0, 600))
def test_what_is_cut_off_is_refused(end: int) -> None:
    with pytest.raises(REFUSED):
        opened(once()[:-1][:end])


def test_last_bits_that_say_nothing_are_not_free() -> None:
    text = seal(b"x" * 21)  # ends with ==, and so with four bits that are dropped
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet[alphabet.index(text[-3]) + 1]
    assert text.endswith("==")
    assert base64.b64decode(text[:-3] + last + "==") == base64.b64decode(text)
    with pytest.raises(sealing.DamagedError):
        opened(text[:-3] + last + "==")


@few
@given(other=st.binary(max_size=60).filter(lambda label: label != LABEL))
def test_another_label_is_refused_and_told_from_another_key(other: bytes) -> None:
    with pytest.raises(sealing.OtherLabelError) as caught:
        opened(seal(label=other), 1, 0)
    assert caught.value.digest == hashlib.sha256(other).digest()
    with pytest.raises(sealing.OtherKeyError):
        opened(seal(label=other), 1)


def test_an_old_key_still_opens_and_says_so() -> None:
    assert opened(seal(number=0), 2, 1, 0) == (CANARY, 2)
    assert opened(seal(number=2), 2, 1, 0) == (CANARY, 0)
    with pytest.raises(sealing.OtherKeyError):
        sealing.opened(seal(), [], LABEL)


def test_a_changed_value_is_damaged_and_no_refusal_tells_it() -> None:
    raw = bytearray(base64.b64decode(seal()))
    raw[-20] ^= 1
    for text in (base64.b64encode(raw).decode(), "nö", "AAAA", ""):
        with pytest.raises(sealing.DamagedError) as caught:
            opened(text)
        assert CANARY.decode() not in str(caught.value)


def test_sealed_twice_nobody_sees_that_it_is_the_same() -> None:
    one, other = (base64.b64decode(seal()) for _ in range(2))
    assert one[2:258] != other[2:258]
    assert one[258:] != other[258:]
    assert CANARY not in one


def test_line_breaks_do_no_harm() -> None:
    text = seal()
    assert opened(f"{text[:76]}\r\n{text[76:]}\n").value == CANARY


def test_a_real_pair_is_as_kubeseal_wants_it() -> None:
    real = sealing.pair(NOW)
    certificate = x509.load_pem_x509_certificate(real.certificate)
    public: Any = certificate.public_key()
    assert public.key_size == 4096
    assert certificate.not_valid_before_utc == NOW
    assert certificate.not_valid_after_utc == datetime(2039, 12, 31, tzinfo=UTC)
    certificate.verify_directly_issued_by(certificate)
    assert real.private.startswith(b"-----BEGIN RSA PRIVATE KEY-----\n")
    text = sealing.seal(CANARY, real.certificate, LABEL)
    assert sealing.opened(text, [real.private], LABEL) == (CANARY, 0)
    with pytest.raises(sealing.OtherLabelError):
        sealing.opened(text, [real.private], b"")


def test_what_is_no_certificate_seals_nothing() -> None:
    with pytest.raises(ValueError, match=r"."):
        sealing.seal(CANARY, pair(0).private, LABEL)


@pytest.fixture(scope="module", params=["node", "go"])
def another(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of an implementation that shares nothing with ours."""
    found = shutil.which(request.param)
    if found is None:
        pytest.skip(f"{request.param} is not installed")
    if request.param == "node":
        return [found, str(HERE / "sealers" / "node.js")]
    folder = tmp_path_factory.mktemp("go")
    subprocess.run(
        [found, "build", "-o", folder / "sealer", HERE / "sealers" / "sealer.go"],
        check=True, env=os.environ | {"GOCACHE": str(folder / "cache"), "GOPROXY": "off"},
    )  # fmt: skip
    return [str(folder / "sealer")]


@pytest.mark.parametrize("label", ["production/app", ""])
def test_others_open_what_we_sealed_and_we_what_they_did(
    another: list[str], label: str, tmp_path: Path
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    key.write_bytes(pair(0).private)
    certificate.write_bytes(pair(0).certificate)
    for value in (b"", bytes(range(256)) * 40):
        theirs = subprocess.check_output([*another, "seal", certificate, label], input=value)
        assert opened(theirs.decode(), label=label.encode()).value == value
        ours = seal(value, label=label.encode()).encode()
        assert subprocess.check_output([*another, "open", key, label], input=ours) == value
    words: list[str | Path] = [*another, "open", key, "elsewhere"]
    assert subprocess.run(words, input=ours, capture_output=True, check=False).returncode
