"""The header of a negotiation, its context and its hashes (docs/protocol/06-pairwise.md, PAIR-1)."""

from dataclasses import dataclass

from encoding import Reader, framed, listed, preamble, text, u8, u16, u32, u64
from errors import ProtocolError
from kdf import Context, expand
from suites import LABELS, Suite, suite_of

Limits = tuple[int, int]


@dataclass(frozen=True)
class Header:
    network_id: bytes
    suite_id: int
    initiator: bytes
    responder: bytes
    key_id: bytes
    purpose: str
    key_length: int
    limits: Limits
    threshold: int
    nodes: list[str]
    commitments: list[bytes]
    ephemeral_key_hash: bytes
    offers: list[tuple[bytes, bytes]]
    descriptor_version: int
    policy_revision: int

    @property
    def suite(self) -> Suite:
        return suite_of(self.suite_id)

    def context(self, transcript: bytes = b'') -> Context:
        """Q(th)."""
        return pair_context(self.network_id, self.initiator, self.responder, self.key_id, transcript)

    def encode(self) -> bytes:
        lifetime, uses = self.limits
        return (
            preamble(self.network_id)
            + u8(self.suite_id)
            + self.initiator
            + self.responder
            + self.key_id
            + text(self.purpose)
            + u16(self.key_length)
            + u32(lifetime)
            + u32(uses)
            + u8(self.threshold)
            + listed(text(node) for node in self.nodes)
            + listed(framed(commitment) for commitment in self.commitments)
            + framed(self.ephemeral_key_hash)
            + listed(offer_id + framed(tag) for offer_id, tag in self.offers)
            + u64(self.descriptor_version)
            + u64(self.policy_revision)
        )

    def check(self) -> None:
        length = self.suite.hash_length
        sound = (
            self.initiator != self.responder
            and self.purpose != ''
            and 16 <= self.key_length <= 64
            and self.limits[0] != 0
            and 2 <= self.threshold <= len(self.nodes)
            and len(set(self.nodes)) == len(self.nodes) == len(self.commitments)
            and all(len(commitment) == length for commitment in self.commitments)
            and len(self.ephemeral_key_hash) in (0, length)
            and all(len(tag) in (32, 64) for _, tag in self.offers)
        )
        if not sound:
            raise ProtocolError('BAD_HEADER', 'the header breaks a rule')


def read_header(data: bytes, network_id: bytes) -> Header:
    reader = Reader(data)
    try:
        reader.preamble(network_id)
        header = Header(
            network_id=network_id,
            suite_id=reader.u8(),
            initiator=reader.raw(32),
            responder=reader.raw(32),
            key_id=reader.raw(16),
            purpose=reader.text(64),
            key_length=reader.u16(),
            limits=(reader.u32(), reader.u32()),
            threshold=reader.u8(),
            nodes=reader.listed(lambda: reader.text(64), 16),
            commitments=reader.listed(lambda: reader.framed(64), 16),
            ephemeral_key_hash=reader.framed(64),
            offers=reader.listed(lambda: (reader.raw(16), reader.framed(64)), 2),
            descriptor_version=reader.count(),
            policy_revision=reader.count(),
        )
        reader.end()
        header.check()
    except ProtocolError as error:
        raise ProtocolError('BAD_HEADER', error.message) from None
    return header


def pair_context(
    network_id: bytes, initiator: bytes, responder: bytes, key_id: bytes, transcript: bytes
) -> Context:
    return Context(network_id, initiator, responder, key_id, transcript)


def commitment_of(suite: Suite, key_id: bytes, place: int, share: bytes) -> bytes:
    """cm_i; places count from 1."""
    return suite.hash(text(LABELS['pairShare']) + key_id + u8(place) + share)


def fits_limits(granted: Limits, asked: Limits) -> bool:
    """Within what was asked; 0 uses is without limit, a lifetime of 0 is none."""
    within_uses = asked[1] == 0 or 0 < granted[1] <= asked[1]
    return 0 < granted[0] <= asked[0] and within_uses


@dataclass(frozen=True)
class Continuity:
    """A secret of an earlier negotiation, with the suite that made it."""

    id: bytes
    secret: bytes
    suite: int

    def offer_tag(self, context: Context) -> bytes:
        """PAIR-1; `context` is Q(empty) of the negotiation that offers it, whose key id is its epoch."""
        suite = suite_of(self.suite)
        return suite.mac(expand(suite, self.secret, 'pairContinuityOffer', context), context.epoch)
