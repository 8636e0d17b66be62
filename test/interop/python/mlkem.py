"""ML-KEM-768 and ML-KEM-1024, plainly after FIPS 203. Neither fast nor constant in time: for a test."""

import hashlib
import hmac

from errors import ProtocolError

Poly = list[int]

Q = 3329
ETA = 2


def _reversed_bits(value: int) -> int:
    return int(f'{value:07b}'[::-1], 2)


ZETAS = [pow(17, _reversed_bits(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * _reversed_bits(i) + 1, Q) for i in range(128)]


def _ntt(poly: Poly) -> Poly:
    f, i, length = poly[:], 1, 128
    while length >= 2:
        for start in range(0, 256, 2 * length):
            zeta, i = ZETAS[i], i + 1
            for j in range(start, start + length):
                t = zeta * f[j + length] % Q
                f[j + length] = (f[j] - t) % Q
                f[j] = (f[j] + t) % Q
        length //= 2
    return f


def _inverse_ntt(poly: Poly) -> Poly:
    f, i, length = poly[:], 127, 2
    while length <= 128:
        for start in range(0, 256, 2 * length):
            zeta, i = ZETAS[i], i - 1
            for j in range(start, start + length):
                t = f[j]
                f[j] = (t + f[j + length]) % Q
                f[j + length] = zeta * (f[j + length] - t) % Q
        length *= 2
    return [value * 3303 % Q for value in f]


def _product(a: Poly, b: Poly) -> Poly:
    out = [0] * 256
    for i in range(128):
        a0, a1, b0, b1 = a[2 * i], a[2 * i + 1], b[2 * i], b[2 * i + 1]
        out[2 * i] = (a0 * b0 + a1 * b1 * GAMMAS[i]) % Q
        out[2 * i + 1] = (a0 * b1 + a1 * b0) % Q
    return out


def _sum(a: Poly, b: Poly) -> Poly:
    return [(x + y) % Q for x, y in zip(a, b)]


def _inner(a: list[Poly], b: list[Poly]) -> Poly:
    total = [0] * 256
    for x, y in zip(a, b):
        total = _sum(total, _product(x, y))
    return total


def _encode(poly: Poly, bits: int) -> bytes:
    packed = sum(value << (bits * i) for i, value in enumerate(poly))
    return packed.to_bytes(32 * bits, 'little')


def _decode(data: bytes, bits: int) -> Poly:
    packed, mask = int.from_bytes(data, 'little'), (1 << bits) - 1
    return [packed >> (bits * i) & mask for i in range(256)]


def _compress(poly: Poly, bits: int) -> Poly:
    return [((value << bits) + Q // 2) // Q & ((1 << bits) - 1) for value in poly]


def _decompress(poly: Poly, bits: int) -> Poly:
    return [(value * Q + (1 << (bits - 1))) >> bits for value in poly]


def _sample_uniform(seed: bytes) -> Poly:
    length = 672
    while True:
        stream = hashlib.shake_128(seed).digest(length)
        out: Poly = []
        for i in range(0, length, 3):
            b0, b1, b2 = stream[i : i + 3]
            out += [d for d in (b0 + 256 * (b1 % 16), b1 // 16 + 16 * b2) if d < Q]
        if len(out) >= 256:
            return out[:256]
        length *= 2


def _sample_small(seed: bytes, number: int) -> Poly:
    data = int.from_bytes(hashlib.shake_256(seed + bytes([number])).digest(64 * ETA), 'little')
    bits = [data >> i & 1 for i in range(512 * ETA)]
    return [
        (sum(bits[2 * ETA * i : 2 * ETA * i + ETA]) - sum(bits[2 * ETA * i + ETA : 2 * ETA * (i + 1)])) % Q
        for i in range(256)
    ]


class MlKem:
    """One parameter set. Keys and ciphertexts are those of FIPS 203; a seed is d and z, the coins are m."""

    seed_length = 64
    coins_length = 32

    def __init__(self, k: int, du: int, dv: int):
        self._k, self._du, self._dv = k, du, dv
        self.public_key_length = 384 * k + 32
        self.ciphertext_length = 32 * (du * k + dv)

    def key_pair(self, seed: bytes) -> tuple[bytes, bytes]:
        d, z, k = seed[:32], seed[32:], self._k
        expanded = hashlib.sha3_512(d + bytes([k])).digest()
        rho, sigma = expanded[:32], expanded[32:]
        s = [_ntt(_sample_small(sigma, i)) for i in range(k)]
        e = [_ntt(_sample_small(sigma, k + i)) for i in range(k)]
        t = [_sum(_inner(row, s), e[i]) for i, row in enumerate(self._matrix(rho))]
        public_key = b''.join(_encode(poly, 12) for poly in t) + rho
        secret = b''.join(_encode(poly, 12) for poly in s)
        return public_key, secret + public_key + hashlib.sha3_256(public_key).digest() + z

    def check_public_key(self, public_key: bytes) -> None:
        """FIPS 203 section 7.2: length, and every coefficient below q."""
        if len(public_key) != self.public_key_length:
            raise ProtocolError('BAD_KEM_KEY', 'a public key of wrong length')
        if any(value >= Q for poly in self._vector(public_key) for value in poly):
            raise ProtocolError('BAD_KEM_KEY', 'a coefficient of the public key is out of range')

    def encapsulate(self, public_key: bytes, coins: bytes) -> tuple[bytes, bytes]:
        expanded = hashlib.sha3_512(coins + hashlib.sha3_256(public_key).digest()).digest()
        return self._encrypt(public_key, coins, expanded[32:]), expanded[:32]

    def decapsulate(self, secret_key: bytes, ciphertext: bytes) -> bytes:
        if len(ciphertext) != self.ciphertext_length:
            raise ProtocolError('BAD_KEM_CIPHERTEXT', 'a ciphertext of wrong length')
        split = 384 * self._k
        s, public_key = self._vector(secret_key), secret_key[split : 2 * split + 32]
        key_hash, z = secret_key[2 * split + 32 : 2 * split + 64], secret_key[2 * split + 64 :]
        expanded = hashlib.sha3_512(self._decrypt(s, ciphertext) + key_hash).digest()
        rejected = hashlib.shake_256(z + ciphertext).digest(32)
        again = self._encrypt(public_key, self._decrypt(s, ciphertext), expanded[32:])
        return expanded[:32] if hmac.compare_digest(again, ciphertext) else rejected

    def _matrix(self, rho: bytes) -> list[list[Poly]]:
        return [[_sample_uniform(rho + bytes([j, i])) for j in range(self._k)] for i in range(self._k)]

    def _vector(self, data: bytes) -> list[Poly]:
        return [_decode(data[384 * i : 384 * (i + 1)], 12) for i in range(self._k)]

    def _encrypt(self, public_key: bytes, message: bytes, coins: bytes) -> bytes:
        k, du, dv = self._k, self._du, self._dv
        t, matrix = self._vector(public_key), self._matrix(public_key[384 * k :])
        y = [_ntt(_sample_small(coins, i)) for i in range(k)]
        u = [
            _sum(_inverse_ntt(_inner([row[i] for row in matrix], y)), _sample_small(coins, k + i))
            for i in range(k)
        ]
        v = _sum(_inverse_ntt(_inner(t, y)), _sample_small(coins, 2 * k))
        v = _sum(v, _decompress(_decode(message, 1), 1))
        return b''.join(_encode(_compress(poly, du), du) for poly in u) + _encode(_compress(v, dv), dv)

    def _decrypt(self, s: list[Poly], ciphertext: bytes) -> bytes:
        k, du, dv = self._k, self._du, self._dv
        size = 32 * du
        u = [_ntt(_decompress(_decode(ciphertext[size * i : size * (i + 1)], du), du)) for i in range(k)]
        v = _decompress(_decode(ciphertext[size * k :], dv), dv)
        noise = _inverse_ntt(_inner(s, u))
        return _encode(_compress([(x - y) % Q for x, y in zip(v, noise)], 1), 1)


ML_KEM_768 = MlKem(3, 10, 4)
ML_KEM_1024 = MlKem(4, 11, 5)
