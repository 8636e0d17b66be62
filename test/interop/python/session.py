"""Sessions and sealed messages from the device's side (docs/protocol/05-sessions.md)."""

from dataclasses import dataclass

from encoding import Reader, framed, preamble, text, u8, u64
from errors import ProtocolError
from kdf import Context, expand, open_once
from ratchet import Epoch, Place
from suites import Suite, check_tag, suite_of

WINDOW = 1024
EVENT_METHOD = '/symmetra.link.v1.LinkService/Event'
TO_NODE, TO_DEVICE = 0, 1


@dataclass(frozen=True)
class Opening:
    """An open message on its way, with the key that is in memory only."""

    suite: Suite
    key: bytes
    context: Context
    network_id: bytes
    message: bytes


def make_opening(place: Place, epoch: Epoch, key: bytes, context: Context, nonce: bytes) -> Opening:
    """SES-1; `epoch` is the one before its chain moved on."""
    suite = suite_of(epoch.suite)
    body = (
        preamble(place.network_id)
        + u8(epoch.suite)
        + place.device_id
        + text(place.node_id)
        + u64(epoch.number)
        + u64(epoch.counter)
        + nonce
    )
    evidence_key = expand(suite, epoch.evidence_key, 'sessionEvidence', place.context(epoch.number))
    message = framed(body) + framed(suite.mac(evidence_key, body))
    message += framed(suite.mac(expand(suite, key, 'sessionOpen', context), message))
    return Opening(suite, key, context, place.network_id, message)


def accept_answer(opening: Opening, answer: bytes) -> tuple['Session', bytes]:
    """SES-4: the session, and q for the generator."""
    suite, context = opening.suite, opening.context
    reader = Reader(answer)
    session_id, nonce = reader.raw(16), reader.raw(32)
    sealed, tag = reader.framed(256), reader.framed(64)
    reader.end()
    transcript = suite.hash(framed(opening.message) + session_id + nonce + framed(sealed))
    bound = context.under(transcript)
    expected = suite.mac(expand(suite, opening.key, 'sessionAnswer', bound), transcript)
    check_tag(expected, tag, 'the answer')
    under_open = context.under(suite.hash(opening.message))
    opened = open_once(suite, opening.key, 'sessionAnswerSeal', under_open, nonce, session_id, sealed)
    grant = Reader(opened)
    q, lifetime, max_messages, clock = grant.raw(32), grant.u32(), grant.count(), grant.count()
    grant.end()
    to_node = expand(suite, opening.key, 'sessionDeviceToNode', bound, 32)
    to_device = expand(suite, opening.key, 'sessionNodeToDevice', bound, 32)
    session = Session(suite, opening.network_id, session_id, to_node, to_device, max_messages)
    session.lifetime, session.clock = lifetime, clock
    return session, q


class Window:
    """Which sequence numbers of a direction were seen (SES-5)."""

    def __init__(self) -> None:
        self._highest = -1
        self._seen: set[int] = set()

    def check(self, seq: int) -> None:
        if seq in self._seen or seq <= self._highest - WINDOW:
            raise ProtocolError('MESSAGE_REPLAYED', 'the sealed message came before')

    def note(self, seq: int) -> None:
        self._seen.add(seq)
        if seq > self._highest:
            self._highest = seq
            self._seen = {number for number in self._seen if number > seq - WINDOW}


class Session:
    """SES-5: seals requests and opens replies and events."""

    lifetime = 0
    clock = 0

    def __init__(
        self,
        suite: Suite,
        network_id: bytes,
        session_id: bytes,
        to_node: bytes,
        to_device: bytes,
        max_messages: int,
    ):
        self.id = session_id
        self.last_event = 0
        self._suite, self._network_id = suite, network_id
        self._to_node, self._to_device = to_node, to_device
        self._max_messages = max_messages
        self._next = 0
        self._window = Window()

    def aad(self, direction: int, method: str, seq: int, in_reply_to: int | None) -> bytes:
        reply = u8(0) if in_reply_to is None else u8(1) + u64(in_reply_to)
        return (
            u8(1)
            + u8(self._suite.id)
            + self._network_id
            + self.id
            + u8(direction)
            + text(method)
            + u64(seq)
            + reply
        )

    def seal(self, method: str, plaintext: bytes) -> tuple[int, bytes]:
        seq = self._next
        if seq >= self._max_messages:
            raise ProtocolError('SESSION_EXHAUSTED', 'the session may carry no more messages')
        self._next += 1
        aad = self.aad(TO_NODE, method, seq, None)
        return seq, self._suite.seal(self._to_node, bytes(4) + u64(seq), aad, plaintext)

    def open(self, method: str, seq: int, in_reply_to: int | None, ciphertext: bytes) -> bytes:
        if seq >= self._max_messages:
            raise ProtocolError('SESSION_EXHAUSTED', 'a number beyond what the session may carry')
        self._window.check(seq)
        aad = self.aad(TO_DEVICE, method, seq, in_reply_to)
        plaintext = self._suite.open(self._to_device, bytes(4) + u64(seq), aad, ciphertext)
        self._window.note(seq)
        return plaintext
