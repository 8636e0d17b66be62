"""Suites and labels of docs/protocol/02-suites.md."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from errors import ProtocolError
from mlkem import ML_KEM_768, ML_KEM_1024
from xwing import X_WING

LABELS = {
    'enrolToken': 'symmetra/1 enrol token',
    'enrolTokenId': 'symmetra/1 enrol token-id',
    'enrolTokenSeal': 'symmetra/1 enrol token-seal',
    'enrolDeviceId': 'symmetra/1 enrol device-id',
    'enrolFilter': 'symmetra/1 enrol filter',
    'enrolRequest': 'symmetra/1 enrol request',
    'enrolBootstrap': 'symmetra/1 enrol bootstrap',
    'enrolNode': 'symmetra/1 enrol node',
    'enrolDevice': 'symmetra/1 enrol device',
    'enrolAck': 'symmetra/1 enrol ack',
    'ratchetKey': 'symmetra/1 ratchet key',
    'ratchetChain': 'symmetra/1 ratchet chain',
    'ratchetEvidence': 'symmetra/1 ratchet evidence',
    'ratchetR1Seal': 'symmetra/1 ratchet r1-seal',
    'ratchetR1Mac': 'symmetra/1 ratchet r1-mac',
    'ratchetR2Seal': 'symmetra/1 ratchet r2-seal',
    'ratchetEpoch': 'symmetra/1 ratchet epoch',
    'ratchetNode': 'symmetra/1 ratchet node',
    'ratchetDevice': 'symmetra/1 ratchet device',
    'ratchetAck': 'symmetra/1 ratchet ack',
    'ratchetCodeCommit': 'symmetra/1 ratchet code-commit',
    'ratchetCode': 'symmetra/1 ratchet code',
    'ratchetChallenge': 'symmetra/1 ratchet challenge',
    'sessionKey': 'symmetra/1 session key',
    'sessionNext': 'symmetra/1 session next',
    'sessionEvidence': 'symmetra/1 session evidence',
    'sessionOpen': 'symmetra/1 session open',
    'sessionAnswer': 'symmetra/1 session answer',
    'sessionAnswerSeal': 'symmetra/1 session answer-seal',
    'sessionDeviceToNode': 'symmetra/1 session device-to-node',
    'sessionNodeToDevice': 'symmetra/1 session node-to-device',
    'pairShare': 'symmetra/1 pair share',
    'pairPrk': 'symmetra/1 pair prk',
    'pairConfirmInitiator': 'symmetra/1 pair confirm-initiator',
    'pairConfirmResponder': 'symmetra/1 pair confirm-responder',
    'pairAcknowledge': 'symmetra/1 pair acknowledge',
    'pairRefusal': 'symmetra/1 pair refusal',
    'pairContinuity': 'symmetra/1 pair continuity',
    'pairContinuityId': 'symmetra/1 pair continuity-id',
    'pairContinuityOffer': 'symmetra/1 pair continuity-offer',
    'pairApplication': 'symmetra/1 pair application',
    'pairTls': 'symmetra/1 pair tls',
    'pairFingerprint': 'symmetra/1 pair fingerprint',
    'groupShare': 'symmetra/1 group share',
    'groupRoster': 'symmetra/1 group roster',
    'groupKey': 'symmetra/1 group key',
    'groupCheck': 'symmetra/1 group check',
    'groupApplication': 'symmetra/1 group application',
    'groupMessage': 'symmetra/1 group message',
    'groupSender': 'symmetra/1 group sender',
    'groupFingerprint': 'symmetra/1 group fingerprint',
    'groupTreeNext': 'symmetra/1 group tree-next',
    'groupTreeKey': 'symmetra/1 group tree-key',
    'groupTreeSeal': 'symmetra/1 group tree-seal',
    'groupShareSeal': 'symmetra/1 group share-seal',
    'groupBroadcastSign': 'symmetra/1 group broadcast-sign',
    'descriptorSign': 'symmetra/1 descriptor sign',
    'controlEventSign': 'symmetra/1 control event-sign',
    'controlEventHash': 'symmetra/1 control event-hash',
}


@dataclass(frozen=True)
class Suite:
    """One row of the table of suites."""

    id: int
    kem: Any
    hash_name: str
    aead: Any
    hash_length: int

    def hash(self, data: bytes) -> bytes:
        return hashlib.new(self.hash_name, data).digest()

    def mac(self, key: bytes, data: bytes) -> bytes:
        return hmac.digest(key, data, self.hash_name)

    def seal(self, key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
        return self.aead(key).encrypt(nonce, plaintext, aad)

    def open(self, key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
        try:
            return self.aead(key).decrypt(nonce, sealed, aad)
        except InvalidTag:
            raise ProtocolError('AUTHENTICATION_FAILED', 'a sealed value does not open') from None


SUITES = {
    1: Suite(1, ML_KEM_768, 'sha256', AESGCM, 32),
    2: Suite(2, ML_KEM_1024, 'sha512', ChaCha20Poly1305, 64),
    3: Suite(3, X_WING, 'sha256', AESGCM, 32),
}


def suite_of(suite_id: int) -> Suite:
    if suite_id not in SUITES:
        raise ProtocolError('SUITE_UNKNOWN', f'no suite {suite_id}')
    return SUITES[suite_id]


def check_tag(expected: bytes, given: bytes, what: str) -> None:
    if not hmac.compare_digest(expected, given):
        raise ProtocolError('AUTHENTICATION_FAILED', f'the tag of {what} does not fit')
