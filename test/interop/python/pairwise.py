"""Dealing, joining and confirming of pairwise keys, as pure steps (docs/protocol/06-pairwise.md)."""

from dataclasses import dataclass

from encoding import Reader, framed, listed, text, u8, u32
from errors import ProtocolError
from header import Continuity, Header, Limits, commitment_of, fits_limits, pair_context
from kdf import derive, expand, join_shares, split_secret
from suites import check_tag, suite_of

RESPONSE, CONFIRMATION, ACKNOWLEDGEMENT, REFUSAL = 1, 2, 3, 4


@dataclass(frozen=True)
class Deal:
    """What the initiator keeps of a negotiation that it asked for."""

    header: Header
    encoded: bytes
    secret: bytes
    shares: list[bytes]
    ephemeral_key: bytes
    ephemeral_secret: bytes
    offered: list[Continuity]


def deal(
    network_id: bytes,
    suite_id: int,
    initiator: bytes,
    responder: bytes,
    key_id: bytes,
    purpose: str,
    key_length: int,
    limits: Limits,
    threshold: int,
    nodes: list[str],
    versions: tuple[int, int],
    offered: list[Continuity],
    secret: bytes,
    coefficients: bytes,
    seed: bytes | None,
) -> Deal:
    """PAIR-1; `versions` are those of descriptor and policy, no seed means no direct KEM."""
    suite = suite_of(suite_id)
    shares = split_secret(secret, threshold, len(nodes), coefficients)
    ephemeral_key, ephemeral_secret = suite.kem.key_pair(seed) if seed else (b'', b'')
    context = pair_context(network_id, initiator, responder, key_id, b'')
    header = Header(
        network_id=network_id,
        suite_id=suite_id,
        initiator=initiator,
        responder=responder,
        key_id=key_id,
        purpose=purpose,
        key_length=key_length,
        limits=limits,
        threshold=threshold,
        nodes=nodes,
        commitments=[commitment_of(suite, key_id, i + 1, share) for i, share in enumerate(shares)],
        ephemeral_key_hash=suite.hash(ephemeral_key) if seed else b'',
        offers=[(offer.id, offer.offer_tag(context)) for offer in offered],
        descriptor_version=versions[0],
        policy_revision=versions[1],
    )
    return Deal(header, header.encode(), secret, shares, ephemeral_key, ephemeral_secret, offered)


@dataclass(frozen=True)
class PairKey:
    """What both ends hold, and the tags of the run."""

    header: Header
    limits: Limits
    used: list[int]
    continuity_id: bytes
    tag_responder: bytes
    tag_initiator: bytes
    tag_acknowledge: bytes
    application: bytes
    tls: bytes
    continuity: Continuity
    fingerprint: bytes

    def confirmation(self) -> bytes:
        return u8(CONFIRMATION) + self.header.key_id + framed(self.tag_initiator)

    def acknowledgement(self) -> bytes:
        return u8(ACKNOWLEDGEMENT) + self.header.key_id + framed(self.tag_acknowledge)


@dataclass(frozen=True)
class Response:
    """The fields of PAIR-7 that the transcript takes up, and the tag once there is one."""

    ct: bytes
    nonce: bytes
    used: list[int]
    limits: Limits
    continuity_id: bytes
    tag: bytes = b''

    def _fields(self) -> bytes:
        lifetime, uses = self.limits
        used = listed(u8(place) for place in self.used)
        return framed(self.ct) + self.nonce + used + u32(lifetime) + u32(uses) + framed(self.continuity_id)

    def transcript(self, header: Header, encoded: bytes) -> bytes:
        return header.suite.hash(framed(encoded) + self._fields())

    def message(self, key_id: bytes, tag: bytes) -> bytes:
        return u8(RESPONSE) + key_id + self._fields() + framed(tag)


def derive_key(
    header: Header, encoded: bytes, response: Response, secret: bytes, ss: bytes, continuity: bytes
) -> PairKey:
    """PAIR-7: everything that follows from PRK."""
    suite = header.suite
    transcript = response.transcript(header, encoded)
    context = header.context(transcript)
    prk = derive(suite, [secret, ss, continuity], 'pairPrk', context)

    def tag(label: str) -> bytes:
        return suite.mac(expand(suite, prk, label, context), transcript)

    next_secret = expand(suite, prk, 'pairContinuity', context)
    next_id = expand(suite, next_secret, 'pairContinuityId', context, 16)
    return PairKey(
        header=header,
        limits=response.limits,
        used=response.used,
        continuity_id=response.continuity_id,
        tag_responder=tag('pairConfirmResponder'),
        tag_initiator=tag('pairConfirmInitiator'),
        tag_acknowledge=tag('pairAcknowledge'),
        application=expand(suite, prk, 'pairApplication', context, header.key_length),
        tls=expand(suite, prk, 'pairTls', context),
        continuity=Continuity(next_id, next_secret, suite.id),
        fingerprint=expand(suite, prk, 'pairFingerprint', context, 16),
    )


def choose_offer(header: Header, held: list[Continuity]) -> Continuity | None:
    """PAIR-7: of the responder's list, the one nearest to the end that is offered and whose tag verifies."""
    offers = dict(header.offers)
    for candidate in reversed(held):
        if candidate.id in offers:
            try:
                check_tag(candidate.offer_tag(header.context()), offers[candidate.id], 'an offer')
                return candidate
            except ProtocolError:
                continue
    return None


def respond(
    header: Header,
    encoded: bytes,
    shares: dict[int, bytes],
    ephemeral_key: bytes,
    limits: Limits,
    chosen: Continuity | None,
    nonce: bytes,
    coins: bytes,
) -> tuple[PairKey, bytes]:
    """PAIR-6 and PAIR-7: the key and the response; `shares` are those of the quorum, by place from 1."""
    secret = join_shares(shares)
    ct, ss = header.suite.kem.encapsulate(ephemeral_key, coins) if ephemeral_key else (b'', b'')
    continuity_id, continuity = (chosen.id, chosen.secret) if chosen else (b'', b'')
    response = Response(ct, nonce, sorted(shares), limits, continuity_id)
    key = derive_key(header, encoded, response, secret, ss, continuity)
    return key, response.message(header.key_id, key.tag_responder)


def refuse(header: Header, encoded: bytes, secret: bytes, code: str) -> bytes:
    return u8(REFUSAL) + header.key_id + text(code) + framed(_refusal_tag(header, encoded, secret, code))


def _refusal_tag(header: Header, encoded: bytes, secret: bytes, code: str) -> bytes:
    suite = header.suite
    key = derive(suite, [secret], 'pairRefusal', header.context(suite.hash(encoded)))
    return suite.mac(key, text(code))


@dataclass(frozen=True)
class PeerMessage:
    """A message between devices: type, key id, and what the type makes of the rest."""

    kind: int
    key_id: bytes
    tag: bytes
    response: Response | None = None
    code: str = ''


def read_peer_message(data: bytes) -> PeerMessage:
    reader = Reader(data)
    kind, key_id = reader.u8(), reader.raw(16)
    response, code = None, ''
    if kind == RESPONSE:
        ct, nonce, used = reader.framed(4096), reader.raw(32), reader.listed(reader.u8, 16)
        limits, continuity_id = (reader.u32(), reader.u32()), reader.framed(16)
        response = Response(ct, nonce, used, limits, continuity_id)
    elif kind == REFUSAL:
        code = reader.text(64)
    elif kind not in (CONFIRMATION, ACKNOWLEDGEMENT):
        raise ProtocolError('BAD_ENCODING', 'a peer message of unknown type')
    message = PeerMessage(kind, key_id, reader.framed(64), response, code)
    reader.end()
    return message


def accept_response(dealt: Deal, message: PeerMessage, holds_continuity: bool) -> PairKey:
    """PAIR-8: the key, if tag_B fits and the response is one that may be accepted."""
    response, header = message.response, dealt.header
    if response is None:
        raise ProtocolError('BAD_RESPONSE', 'no response')
    ss = header.suite.kem.decapsulate(dealt.ephemeral_secret, response.ct) if dealt.ephemeral_key else b''
    offered = {offer.id: offer.secret for offer in dealt.offered}
    if response.continuity_id and response.continuity_id not in offered:
        raise ProtocolError('AUTHENTICATION_FAILED', 'a continuity id that was not offered')
    continuity = offered.get(response.continuity_id, b'')
    key = derive_key(header, dealt.encoded, response, dealt.secret, ss, continuity)
    check_tag(key.tag_responder, message.tag, 'the response')
    places = range(1, len(header.nodes) + 1)
    ascending = all(a < b for a, b in zip(response.used, response.used[1:]))
    known = all(place in places for place in response.used)
    if not (ascending and known and len(response.used) >= header.threshold):
        raise ProtocolError('BAD_RESPONSE', 'the nodes used are not a quorum')
    if not fits_limits(response.limits, header.limits):
        raise ProtocolError('BAD_RESPONSE', 'limits beyond those asked')
    if not response.continuity_id and (dealt.offered or holds_continuity):
        raise ProtocolError('CONTINUITY_REQUIRED', 'the response took no continuity')
    return key


def check_refusal(dealt: Deal, message: PeerMessage) -> None:
    """PAIR-7: an authentic refusal ends the run; any other is dropped."""
    expected = _refusal_tag(dealt.header, dealt.encoded, dealt.secret, message.code)
    check_tag(expected, message.tag, 'the refusal')
