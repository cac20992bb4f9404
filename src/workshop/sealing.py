"""The format of sealed values, as kubeseal writes it and its controller reads it: bytes to bytes.

A value is encrypted by a session key that is used once (AES-256-GCM), and that key by the public
one (RSA-OAEP with SHA-256). OAEP takes a label, which is not stored: who opens the value must know
it. So a value that was sealed for one namespace opens in no other, and nobody can move it there.

    2 bytes     how long the encrypted session key is, big-endian
    that many   the session key, encrypted
    the rest    the value, encrypted, and the tag that proves it (16 bytes)

The nonce is zero: it must differ between two messages of one key, and there is only one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric import padding, rsa

STRICT, NAMESPACE_WIDE, CLUSTER_WIDE = SCOPES = ("strict", "namespace-wide", "cluster-wide")
_BITS = 4096  # as the controller's own keys
_DAYS = 3650  # ten years, as the controller has it; kubeseal seals with none that is past it
_NONCE = bytes(12)
_HASH = 32  # bytes of SHA-256


class Pair(NamedTuple):
    """What opens, and what seals, both in PEM. The certificate is public: anybody may seal."""

    private: bytes
    certificate: bytes


class Opened(NamedTuple):
    """A value, and which of the keys opened it; 0 is the newest."""

    value: bytes
    key: int


class DamagedError(ValueError):
    """Nobody can open this text. The message says why, and never what."""


class OtherKeyError(ValueError):
    """None of the keys opens this text."""


class OtherLabelError(ValueError):
    """A key of ours opens this text, but with another label. `digest` is that label's SHA-256."""

    def __init__(self, digest: bytes) -> None:
        super().__init__("sealed with another label")
        self.digest = digest


def label(namespace: str, name: str, scope: str) -> bytes:
    """What a value is bound to: its namespace and name, its namespace alone, or nothing."""
    if scope == CLUSTER_WIDE:
        return b""
    return (namespace if scope == NAMESPACE_WIDE else f"{namespace}/{name}").encode()


def pair(now: datetime, bits: int = _BITS) -> Pair:
    """A new key, and its certificate, signed by itself: valid from `now` on (with a time zone)."""
    from datetime import timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    nobody = x509.Name([])  # kubeseal does not ask who
    uses = (False, False, True, False, False, False, False, False, False)  # it encrypts keys
    certificate = (
        x509.CertificateBuilder(nobody, nobody, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.KeyUsage(*uses), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,  # as kubeseal and its controller keep it
        serialization.NoEncryption(),
    )
    return Pair(private, certificate.public_bytes(serialization.Encoding.PEM))


def fits(pair: Pair) -> bool:
    """Is it a pair: does what the certificate seals open by the key?"""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return opened(seal(b"", pair.certificate, b""), [pair.private], b"").value == b""
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def seal(value: bytes, certificate: bytes, label: bytes) -> str:
    """The sealed value in base64. Sealed twice, it looks different, and nobody sees it is the same.

    Raises ValueError for what is no certificate in PEM, TypeError for one that is not for RSA.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    public = x509.load_pem_x509_certificate(certificate).public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise TypeError("this certificate is not for RSA")
    session = AESGCM.generate_key(256)
    locked = public.encrypt(session, _oaep(label))
    sealed = AESGCM(session).encrypt(_NONCE, value, None)
    return base64.b64encode(len(locked).to_bytes(2, "big") + locked + sealed).decode("ascii")


def opened(text: str, keys: Sequence[bytes], label: bytes) -> Opened:
    """Open a sealed value by one of these private keys (PEM), the newest first.

    Raises DamagedError, OtherLabelError or OtherKeyError.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    locked, sealed = _parts(text)
    privates = [_private(key) for key in keys]
    for index, private in enumerate(privates):
        try:
            session = private.decrypt(locked, _oaep(label))
        except ValueError:
            continue
        try:
            return Opened(AESGCM(session).decrypt(_NONCE, sealed, None), index)
        except (InvalidTag, ValueError) as error:  # the second: not the length of a key
            raise DamagedError("it was changed after it had been sealed") from error
    for private in privates:
        digest = _label_of(locked, private)
        if digest is not None:
            raise OtherLabelError(digest)
    raise OtherKeyError("none of the keys opens it")


def _parts(text: str) -> tuple[bytes, bytes]:
    """The encrypted session key, and the encrypted value."""
    packed = text.replace("\r", "").replace("\n", "")
    try:
        raw = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:  # the second: not ASCII
        raise DamagedError("it is not base64") from error
    if base64.b64encode(raw).decode("ascii") != packed:  # its last bits say nothing, so must be 0
        raise DamagedError("it is not base64 as it is written")
    length = int.from_bytes(raw[:2], "big")
    if not length or len(raw) < 2 + length:
        raise DamagedError("it is too short for what it says it holds")
    return raw[2 : 2 + length], raw[2 + length :]


def _private(key: bytes) -> rsa.RSAPrivateKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    # To prove each time that our own key is sound would take a third of a second.
    private = serialization.load_pem_private_key(
        key, password=None, unsafe_skip_rsa_key_validation=True
    )
    if not isinstance(private, rsa.RSAPrivateKey):
        raise TypeError("this key is not for RSA")
    return private


def _oaep(label: bytes) -> padding.OAEP:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label or None)


def _label_of(locked: bytes, private: rsa.RSAPrivateKey) -> bytes | None:
    """The SHA-256 of the label that a session key was encrypted with; None if not to this key.

    To OAEP, another label and another key are the same: it says no. A person wants to know which.
    So once it has said no, the padding is taken off by hand (RFC 8017, 7.1.2), and looked at. What
    it holds is not used. To tell strangers why they were refused helps them to guess, but whoever
    asks here has the key.
    """
    size = private.key_size // 8
    if len(locked) != size:
        return None
    numbers = private.private_numbers()
    modulus = numbers.public_numbers.n
    padded = pow(int.from_bytes(locked, "big"), numbers.d, modulus).to_bytes(size, "big")
    seed = _xor(padded[1 : 1 + _HASH], _mask(padded[1 + _HASH :], _HASH))
    block = _xor(padded[1 + _HASH :], _mask(seed, size - 1 - _HASH))
    filler, one, _ = block[_HASH:].partition(b"\x01")
    return block[:_HASH] if padded[0] == 0 and one and not any(filler) else None


def _mask(seed: bytes, size: int) -> bytes:
    """MGF1 with SHA-256."""
    rounds = range(-(-size // _HASH))
    return b"".join(hashlib.sha256(seed + n.to_bytes(4, "big")).digest() for n in rounds)[:size]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
