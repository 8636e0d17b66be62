"""Derivations with bound context, one-shot sealing and secret sharing (docs/protocol/02-suites.md)."""

import hashlib
from dataclasses import dataclass, replace

from encoding import framed, text, u8, u16
from suites import LABELS, Suite


@dataclass(frozen=True)
class Context:
    """What every derivation binds besides its label and suite."""

    network_id: bytes
    initiator: bytes
    responder: bytes
    epoch: bytes
    transcript: bytes = b''

    def under(self, transcript: bytes) -> 'Context':
        return replace(self, transcript=transcript)


def expand(suite: Suite, key: bytes, label: str, context: Context, length: int | None = None) -> bytes:
    wanted = suite.hash_length if length is None else length
    info = (
        text(LABELS[label])
        + u8(suite.id)
        + context.network_id
        + framed(context.initiator)
        + framed(context.responder)
        + framed(context.epoch)
        + framed(context.transcript)
        + u16(wanted)
    )
    out, block, number = b'', b'', 1
    while len(out) < wanted:
        block = suite.mac(key, block + info + u8(number))
        out += block
        number += 1
    return out[:wanted]


def derive(
    suite: Suite, secrets: list[bytes], label: str, context: Context, length: int | None = None
) -> bytes:
    prk = suite.mac(LABELS[label].encode(), b''.join(framed(secret) for secret in secrets))
    return expand(suite, prk, label, context, length)


def _one_shot_key(suite: Suite, key: bytes, label: str, context: Context, nonce: bytes) -> bytes:
    bound = context.under(suite.hash(framed(context.transcript) + framed(nonce)))
    return expand(suite, key, label, bound, 32)


def seal_once(
    suite: Suite, key: bytes, label: str, context: Context, nonce: bytes, aad: bytes, plaintext: bytes
) -> bytes:
    return suite.seal(_one_shot_key(suite, key, label, context, nonce), bytes(12), aad, plaintext)


def open_once(
    suite: Suite, key: bytes, label: str, context: Context, nonce: bytes, aad: bytes, sealed: bytes
) -> bytes:
    return suite.open(_one_shot_key(suite, key, label, context, nonce), bytes(12), aad, sealed)


def domain_hash(label: str, fields: bytes) -> bytes:
    return hashlib.sha256(text(LABELS[label]) + fields).digest()


def _multiply(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def _power(a: int, exponent: int) -> int:
    result = 1
    for _ in range(exponent):
        result = _multiply(result, a)
    return result


def split_secret(secret: bytes, k: int, n: int, coins: bytes) -> list[bytes]:
    """Share x, counted from 1, stands at place x - 1 of the list."""
    length = len(secret)
    shares = []
    for x in range(1, n + 1):
        share = bytearray(secret)
        for j in range(1, k):
            for i in range(length):
                share[i] ^= _multiply(coins[(j - 1) * length + i], _power(x, j))
        shares.append(bytes(share))
    return shares


def join_shares(shares: dict[int, bytes]) -> bytes:
    """Interpolates at 0 from shares by their number."""
    secret = bytearray(len(next(iter(shares.values()))))
    for x, share in shares.items():
        weight = 1
        for other in shares:
            if other != x:
                weight = _multiply(weight, _multiply(other, _power(other ^ x, 254)))
        for i, value in enumerate(share):
            secret[i] ^= _multiply(value, weight)
    return bytes(secret)
