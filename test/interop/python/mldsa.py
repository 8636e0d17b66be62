"""Verification of ML-DSA-65 signatures, written plainly after FIPS 204 (pure, with a context string)."""

import hashlib
import hmac

Poly = list[int]

Q = 8380417
K, L = 6, 5
DROPPED_BITS = 13
TAU = 49
GAMMA1 = 2**19
GAMMA2 = (Q - 1) // 32
BETA = 196
OMEGA = 55
CHALLENGE_LENGTH = 48
PUBLIC_KEY_LENGTH = 1952
SIGNATURE_LENGTH = 3309

ZETAS = [pow(1753, int(f'{i:08b}'[::-1], 2), Q) for i in range(256)]


def _ntt(poly: Poly) -> Poly:
    f, m, length = poly[:], 0, 128
    while length >= 1:
        for start in range(0, 256, 2 * length):
            m += 1
            for j in range(start, start + length):
                t = ZETAS[m] * f[j + length] % Q
                f[j + length] = (f[j] - t) % Q
                f[j] = (f[j] + t) % Q
        length //= 2
    return f


def _inverse_ntt(poly: Poly) -> Poly:
    f, m, length = poly[:], 256, 1
    while length < 256:
        for start in range(0, 256, 2 * length):
            m -= 1
            for j in range(start, start + length):
                t = f[j]
                f[j] = (t + f[j + length]) % Q
                f[j + length] = -ZETAS[m] * (t - f[j + length]) % Q
        length *= 2
    return [value * 8347681 % Q for value in f]


def _unpack(data: bytes, bits: int) -> Poly:
    packed, mask = int.from_bytes(data, 'little'), (1 << bits) - 1
    return [packed >> (bits * i) & mask for i in range(256)]


def _uniform(rho: bytes, row: int, column: int) -> Poly:
    length = 1008
    while True:
        stream = hashlib.shake_128(rho + bytes([column, row])).digest(length)
        values = (int.from_bytes(stream[i : i + 3], 'little') & 0x7FFFFF for i in range(0, length, 3))
        out = [value for value in values if value < Q]
        if len(out) >= 256:
            return out[:256]
        length *= 2


def _challenge(seed: bytes) -> Poly:
    length = 512
    stream = hashlib.shake_256(seed).digest(length)
    signs, at, out = int.from_bytes(stream[:8], 'little'), 8, [0] * 256
    for i in range(256 - TAU, 256):
        while stream[at] > i:
            at += 1
            if at == length:
                length *= 2
                stream = hashlib.shake_256(seed).digest(length)
        j = stream[at]
        at += 1
        out[i] = out[j]
        out[j] = Q - 1 if signs >> (i + TAU - 256) & 1 else 1
    return out


def _hints(data: bytes) -> list[set[int]] | None:
    hints: list[set[int]] = []
    index = 0
    for i in range(K):
        end = data[OMEGA + i]
        if end < index or end > OMEGA:
            return None
        places = list(data[index:end])
        if any(a >= b for a, b in zip(places, places[1:])):
            return None
        hints.append(set(places))
        index = end
    return hints if not any(data[index:OMEGA]) else None


def _high_bits(value: int, hinted: bool) -> int:
    low = value % (2 * GAMMA2)
    if low > GAMMA2:
        low -= 2 * GAMMA2
    if value - low == Q - 1:
        high, low = 0, low - 1
    else:
        high = (value - low) // (2 * GAMMA2)
    if not hinted:
        return high
    return (high + 1) % 16 if low > 0 else (high - 1) % 16


def verify(public_key: bytes, context: bytes, message: bytes, signature: bytes) -> bool:
    """True when the signature over the message under the context string is the key's."""
    if len(public_key) != PUBLIC_KEY_LENGTH or len(signature) != SIGNATURE_LENGTH or len(context) > 255:
        return False
    rho = public_key[:32]
    seed, packed = signature[:CHALLENGE_LENGTH], signature[CHALLENGE_LENGTH:]
    z = [[GAMMA1 - value for value in _unpack(packed[640 * i : 640 * (i + 1)], 20)] for i in range(L)]
    hints = _hints(packed[640 * L :])
    if hints is None or any(abs(value) >= GAMMA1 - BETA for poly in z for value in poly):
        return False
    key_hash = hashlib.shake_256(public_key).digest(64)
    formatted = bytes([0, len(context)]) + context + message
    mu = hashlib.shake_256(key_hash + formatted).digest(64)
    c_hat, z_hat = _ntt(_challenge(seed)), [_ntt([value % Q for value in poly]) for poly in z]
    encoded = b''
    for row in range(K):
        t1 = _unpack(public_key[32 + 320 * row : 32 + 320 * (row + 1)], 10)
        t_hat = _ntt([value << DROPPED_BITS for value in t1])
        total = [-c * t for c, t in zip(c_hat, t_hat)]
        for column in range(L):
            a = _uniform(rho, row, column)
            total = [x + y * w for x, y, w in zip(total, a, z_hat[column])]
        w = _inverse_ntt([value % Q for value in total])
        high = [_high_bits(value, i in hints[row]) for i, value in enumerate(w)]
        encoded += sum(value << (4 * i) for i, value in enumerate(high)).to_bytes(128, 'little')
    return hmac.compare_digest(hashlib.shake_256(mu + encoded).digest(CHALLENGE_LENGTH), seed)
