"""X-Wing (docs/protocol/02-suites.md): ML-KEM-768 and X25519 under one SHA3-256."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from errors import ProtocolError
from mlkem import ML_KEM_768

LABEL = bytes.fromhex('5c2e2f2f5e5c')


def _public(scalar: bytes) -> bytes:
    key = X25519PrivateKey.from_private_bytes(scalar).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _shared(scalar: bytes, point: bytes) -> bytes:
    try:
        return X25519PrivateKey.from_private_bytes(scalar).exchange(X25519PublicKey.from_public_bytes(point))
    except ValueError:  # the library refuses the output zero, the draft does not
        return bytes(32)


def _combine(ss_m: bytes, ss_x: bytes, ct_x: bytes, pk_x: bytes) -> bytes:
    return hashlib.sha3_256(ss_m + ss_x + ct_x + pk_x + LABEL).digest()


class XWing:
    """Keys as the draft has them: the secret key is the seed."""

    seed_length = 32
    coins_length = 64
    public_key_length = 1216
    ciphertext_length = 1120

    def key_pair(self, seed: bytes) -> tuple[bytes, bytes]:
        expanded = hashlib.shake_256(seed).digest(96)
        return ML_KEM_768.key_pair(expanded[:64])[0] + _public(expanded[64:]), seed

    def check_public_key(self, public_key: bytes) -> None:
        if len(public_key) != self.public_key_length:
            raise ProtocolError('BAD_KEM_KEY', 'a public key of wrong length')
        ML_KEM_768.check_public_key(public_key[:1184])

    def encapsulate(self, public_key: bytes, coins: bytes) -> tuple[bytes, bytes]:
        pk_m, pk_x = public_key[:1184], public_key[1184:]
        ct_m, ss_m = ML_KEM_768.encapsulate(pk_m, coins[:32])
        ct_x, ss_x = _public(coins[32:]), _shared(coins[32:], pk_x)
        return ct_m + ct_x, _combine(ss_m, ss_x, ct_x, pk_x)

    def decapsulate(self, secret_key: bytes, ciphertext: bytes) -> bytes:
        if len(ciphertext) != self.ciphertext_length:
            raise ProtocolError('BAD_KEM_CIPHERTEXT', 'a ciphertext of wrong length')
        expanded = hashlib.shake_256(secret_key).digest(96)
        dk_m, sk_x = ML_KEM_768.key_pair(expanded[:64])[1], expanded[64:]
        ct_m, ct_x = ciphertext[:1088], ciphertext[1088:]
        return _combine(ML_KEM_768.decapsulate(dk_m, ct_m), _shared(sk_x, ct_x), ct_x, _public(sk_x))


X_WING = XWing()
