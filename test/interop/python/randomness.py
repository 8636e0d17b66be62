"""The device's generator: the operating system's numbers and every q of a node (02-suites.md)."""

import hashlib
import hmac
import os


class Randomness:
    """Good when the operating system is, or when one node was."""

    def __init__(self, pool: bytes = b''):
        self.pool = pool or os.urandom(64)

    def mix(self, entropy: bytes) -> None:
        self.pool = hmac.digest(self.pool, b'mix' + entropy, 'sha512')

    def draw(self, length: int) -> bytes:
        seed = hmac.digest(self.pool, b'draw' + os.urandom(64), 'sha512')
        self.pool = hmac.digest(self.pool, b'next' + seed, 'sha512')
        return hashlib.shake_256(seed).digest(length)
