"""The device's side of docs/protocol/03-enrolment.md, as pure steps."""

import hashlib
from dataclasses import dataclass

from control import Node
from encoding import Reader, framed, from_base64url, preamble, text, u8, u64
from errors import ProtocolError
from kdf import Context, derive, domain_hash, expand
from ratchet import Epoch, enter_epoch
from suites import check_tag, suite_of


@dataclass(frozen=True)
class Token:
    network_id: bytes
    secret: bytes
    root_hash: bytes
    hints: list[str]
    expires: int

    def _context(self, responder: bytes, transcript: bytes) -> Context:
        return Context(self.network_id, b'', responder, u64(0), transcript)

    @property
    def id(self) -> bytes:
        return derive(suite_of(1), [self.secret], 'enrolTokenId', self._context(b'', b''), 16)

    def secret_for(self, node: Node) -> bytes:
        """t_i of ENR-1: suite 1, whatever suite the device enrols with."""
        context = self._context(node.id.encode(), node.key_hash)
        return derive(suite_of(1), [self.secret], 'enrolToken', context, 32)


def read_token(line: str) -> Token:
    """ENR-1: the token's one line of text."""
    try:
        if not line.startswith('smt1_'):
            raise ProtocolError('BAD_TEXT', 'no token')
        data = from_base64url(line[5:])
        body, checksum = data[:-4], data[-4:]
        if hashlib.sha256(body).digest()[:4] != checksum:
            raise ProtocolError('BAD_ENCODING', 'the checksum does not fit')
        reader = Reader(body)
        if reader.u8() != 1:
            raise ProtocolError('WRONG_VERSION', 'another version')
        token = Token(
            network_id=reader.raw(16),
            secret=reader.raw(32),
            root_hash=reader.raw(32),
            hints=reader.listed(lambda: reader.text(255), 32),
            expires=reader.count(),
        )
        reader.end()
        return token
    except ProtocolError as error:
        raise ProtocolError('TOKEN_MALFORMED', error.message) from None


def device_id_of(token_id: bytes, enrolment_nonce: bytes) -> bytes:
    return domain_hash('enrolDeviceId', token_id + enrolment_nonce)


@dataclass(frozen=True)
class Offer:
    """What the device keeps of an offer, and the message itself."""

    network_id: bytes
    device_id: bytes
    token_id: bytes
    suite: int
    node_id: str
    node_key_hash: bytes
    token_secret: bytes
    ss1: bytes
    ephemeral_secret: bytes
    m1: bytes
    message: bytes

    def context(self, transcript: bytes) -> Context:
        return Context(self.network_id, self.device_id, self.node_id.encode(), u64(0), transcript)


def make_offer(
    token: Token,
    token_secret: bytes,
    enrolment_nonce: bytes,
    node: Node,
    descriptor_version: int,
    suite_id: int,
    name: str,
    seed: bytes,
    coins: bytes,
) -> Offer:
    """ENR-2."""
    suite = suite_of(suite_id)
    ephemeral_key, ephemeral_secret = suite.kem.key_pair(seed)
    ct1, ss1 = suite.kem.encapsulate(node.kem_keys[suite_id], coins)
    m1 = (
        preamble(token.network_id)
        + u8(suite_id)
        + text(node.id)
        + u64(descriptor_version)
        + token.id
        + enrolment_nonce
        + framed(ephemeral_key)
        + framed(ct1)
        + text(name)
    )
    device_id = device_id_of(token.id, enrolment_nonce)
    context = Context(token.network_id, device_id, node.id.encode(), u64(0))
    filter_key = derive(suite, [token_secret], 'enrolFilter', context.under(node.key_hash))
    request_key = derive(suite, [token_secret, ss1], 'enrolRequest', context.under(suite.hash(m1)))
    message = framed(m1) + framed(suite.mac(filter_key, m1)) + framed(suite.mac(request_key, m1))
    return Offer(
        network_id=token.network_id,
        device_id=device_id,
        token_id=token.id,
        suite=suite_id,
        node_id=node.id,
        node_key_hash=node.key_hash,
        token_secret=token_secret,
        ss1=ss1,
        ephemeral_secret=ephemeral_secret,
        m1=m1,
        message=message,
    )


@dataclass(frozen=True)
class Confirmation:
    """BK_i and th of a node that answered, and the confirmation for it."""

    key: bytes
    transcript: bytes
    account: str
    message: bytes


def confirm(offer: Offer, answer: bytes) -> Confirmation:
    """ENR-5: checks the answer of ENR-4."""
    suite = suite_of(offer.suite)
    reader = Reader(answer)
    nonce, ct2, account, tag = reader.raw(32), reader.framed(4096), reader.text(64), reader.framed(64)
    reader.end()
    ss2 = suite.kem.decapsulate(offer.ephemeral_secret, ct2)
    transcript = suite.hash(framed(offer.m1) + nonce + framed(ct2) + text(account) + offer.node_key_hash)
    context = offer.context(transcript)
    key = derive(suite, [offer.token_secret, offer.ss1, ss2], 'enrolBootstrap', context)
    check_tag(suite.mac(expand(suite, key, 'enrolNode', context), transcript), tag, "the node's answer")
    device_tag = suite.mac(expand(suite, key, 'enrolDevice', context), transcript)
    return Confirmation(key, transcript, account, offer.token_id + offer.device_id + framed(device_tag))


def complete(offer: Offer, confirmation: Confirmation, acknowledgement: bytes, stage: str) -> Epoch:
    """ENR-8: checks the acknowledgement and enters epoch 0."""
    suite, context = suite_of(offer.suite), offer.context(confirmation.transcript)
    expected = suite.mac(expand(suite, confirmation.key, 'enrolAck', context), confirmation.transcript)
    check_tag(expected, acknowledgement, 'the acknowledgement')
    return enter_epoch(suite, confirmation.key, 0, context, stage)
