"""The responder's side up to its response: deliveries, quorum, decision (docs/protocol/06-pairwise.md)."""

import time
from dataclasses import dataclass, field
from typing import Any

import header as headers
import pairwise
from device import Device
from encoding import u32
from errors import ProtocolError
from header import Header, Limits
from nodes import PAIRWISE
from relay import Relay, Report
from vault import Held

PATIENCE_SECONDS = 1


@dataclass(frozen=True)
class Delivered:
    """A delivery that passed PAIR-5."""

    node_id: str
    header: Header
    encoded: bytes
    share: bytes
    ephemeral_key: bytes
    limits: Limits


@dataclass
class Waiting:
    """The deliveries of one key id, by place, and until when more of them are waited for."""

    patient_until: float
    shares: dict[int, Delivered] = field(default_factory=dict)


class Deliveries:
    """What nodes delivered of runs that this device has not answered yet."""

    def __init__(self, device: Device, relay: Relay, report: Report):
        self._device, self._relay, self._report = device, relay, report
        self._waiting: dict[bytes, Waiting] = {}

    def take(self, node_id: str, delivery: dict[str, Any]) -> None:
        try:
            delivered = self._check_delivery(node_id, delivery)
        except ProtocolError as error:
            self._report({'event': 'delivery refused', 'node': node_id, 'code': error.code})
            return
        header, state = delivered.header, self._device.state
        key_id = header.key_id
        if key_id in state.held or key_id in state.ended or state.peer(header.initiator).revoked:
            self._acknowledge(key_id, [node_id])
            return
        waiting = self._waiting.setdefault(key_id, Waiting(time.monotonic() + PATIENCE_SECONDS))
        waiting.shares[header.nodes.index(node_id) + 1] = delivered
        self._try(waiting, delivered.encoded)

    def tick(self) -> None:
        """Goes on with what came when no k nodes granted the same limits in time."""
        for waiting in list(self._waiting.values()):
            for encoded in {delivered.encoded for delivered in waiting.shares.values()}:
                if time.monotonic() > waiting.patient_until:
                    self._try(waiting, encoded)

    def _try(self, waiting: Waiting, encoded: bytes) -> None:
        """PAIR-5: answers when enough deliveries carry the identical header."""
        if waiting not in self._waiting.values():
            return
        same_header = {place: d for place, d in waiting.shares.items() if d.encoded == encoded}
        header = next(iter(same_header.values())).header
        quorum = self._quorum(header, same_header, time.monotonic() > waiting.patient_until)
        if not quorum:
            return
        self._answer(header, quorum)
        header_hash = header.suite.hash(encoded)
        granted = _smallest([delivered.limits for delivered in quorum.values()])
        for place, other in waiting.shares.items():
            if place not in same_header:
                self._accuse(other, 'HEADER_MISMATCH', header_hash, other.encoded)
            elif place not in quorum and not headers.fits_limits(granted, other.limits):
                lifetime, uses = other.limits
                self._accuse(other, 'LIMITS_MISMATCH', header_hash, u32(lifetime) + u32(uses))

    def _quorum(self, header: Header, came: dict[int, Delivered], late: bool) -> dict[int, Delivered]:
        """Those that the key is made of, empty while there are not enough; best, they grant the same."""
        needed = self._needed(header)
        for limits in {delivered.limits for delivered in came.values()}:
            agreeing = {place: d for place, d in came.items() if d.limits == limits}
            if len(agreeing) >= needed:
                return agreeing
        complete = late or len(came) == len(header.nodes)
        return came if complete and len(came) >= needed else {}

    def _needed(self, header: Header) -> int:
        """PAIR-5: a first contact under firstContactAll waits for all shares."""
        policy, peer = self._device.state.policy, self._device.state.peer(header.initiator)
        first = not pairwise.choose_offer(header, [m.continuity for m in peer.remembered])
        wait_for_all = bool(policy and policy.first_contact_all and first)
        return len(header.nodes) if wait_for_all else header.threshold

    def _check_delivery(self, node_id: str, delivery: dict[str, Any]) -> Delivered:
        """PAIR-5, in its order."""
        state, share = self._device.state, delivery['share']
        header = headers.read_header(delivery['header'], state.network_id)
        if node_id not in header.nodes:
            raise ProtocolError('NOT_IN_NODE_SET', 'the node is not in the node set')
        if header.responder != state.device_id:
            raise ProtocolError('RESPONDER_MISMATCH', 'a delivery for another device')
        if header.descriptor_version > state.descriptor.version:
            self._device.refresh()
        known = {node.id for node in state.descriptor.nodes}
        enough = len(header.nodes) >= len(known) and header.threshold >= state.descriptor.threshold
        if not (enough and set(header.nodes) <= known):
            raise ProtocolError('BELOW_FLOOR', 'too few nodes or shares')
        allowed = state.policy.suites if state.policy else state.descriptor.suites
        if header.suite_id not in allowed:
            raise ProtocolError('SUITE_FORBIDDEN', 'policy forbids the suite')
        place, key, limits = header.nodes.index(node_id) + 1, delivery['ephemeral_key'], delivery['granted']
        granted = (limits['lifetime_seconds'], limits['uses']) if limits else (0, 0)
        delivered = Delivered(node_id, header, delivery['header'], share, key, granted)
        expected = headers.commitment_of(header.suite, header.key_id, place, share)
        if len(share) != 32 or expected != header.commitments[place - 1]:
            self._accuse(delivered, 'SHARE_MISMATCH', header.suite.hash(delivered.encoded), b'')
            raise ProtocolError('SHARE_MISMATCH', 'the share does not fit its commitment')
        if (header.suite.hash(key) if key else b'') != header.ephemeral_key_hash:
            self._accuse(delivered, 'EPHEMERAL_KEY_MISMATCH', header.suite.hash(delivered.encoded), b'')
            raise ProtocolError('EPHEMERAL_KEY_MISMATCH', 'the ephemeral key does not fit the header')
        if key:
            header.suite.kem.check_public_key(key)
        if not headers.fits_limits(granted, header.limits):
            raise ProtocolError('BAD_LIMITS', 'limits beyond those asked')
        return delivered

    def _accuse(self, delivered: Delivered, reason: str, header_hash: bytes, evidence: bytes) -> None:
        header = delivered.header
        self._relay.accuse(header.key_id, delivered.node_id, header.initiator, reason, header_hash, evidence)

    def _answer(self, header: Header, quorum: dict[int, Delivered]) -> None:
        """PAIR-6 and PAIR-7."""
        state, encoded = self._device.state, next(iter(quorum.values())).encoded
        peer, draw = state.peer(header.initiator), self._device.randomness.draw
        shares = {place: delivered.share for place, delivered in sorted(quorum.items())}
        chosen = pairwise.choose_offer(header, [m.continuity for m in peer.remembered])
        code = self._objection(header, chosen is not None, len(shares))
        if code:
            secret = pairwise.join_shares(shares)
            state.ended[header.key_id] = code
            message = pairwise.refuse(header, encoded, secret, code)
        else:
            coins = draw(header.suite.kem.coins_length)
            ephemeral_key = next(iter(quorum.values())).ephemeral_key
            limits = _smallest([delivered.limits for delivered in quorum.values()])
            key, message = pairwise.respond(
                header, encoded, shares, ephemeral_key, limits, chosen, draw(32), coins
            )
            if chosen:
                peer.confirm(chosen)
            peer.remember(key.continuity)
            not_after = self._device.now() + key.limits[0]
            state.held[header.key_id] = Held(
                key, 'responder', header.initiator, not_after, outgoing=message
            )
        self._device.save()
        del self._waiting[header.key_id]
        self._acknowledge(header.key_id, header.nodes)
        if code:
            self._relay.send(header.initiator, message)
            self._report({'event': 'ended', 'keyId': header.key_id.hex(), 'code': code})

    def _objection(self, header: Header, continued: bool, shares: int) -> str:
        """Why B refuses (PAIR-7); empty when it does not."""
        state = self._device.state
        if header.descriptor_version < state.descriptor.version:
            return 'DESCRIPTOR_OLD'
        if state.policy and state.policy.require_direct_kem and not header.ephemeral_key_hash:
            return 'DIRECT_KEM_REQUIRED'
        if continued:
            return ''
        if state.peer(header.initiator).has_duty:
            return 'CONTINUITY_REQUIRED'
        whole = header.threshold == len(header.nodes) == shares
        if state.policy and state.policy.first_contact_all and not whole:
            return 'FIRST_CONTACT_NEEDS_ALL'
        return ''

    def _acknowledge(self, key_id: bytes, node_ids: list[str]) -> None:
        for node_id in node_ids:
            try:
                self._device.call(node_id, PAIRWISE + 'Acknowledge', {'key_ids': [key_id]})
            except ProtocolError as error:
                self._report({'event': 'refused', 'node': node_id, 'code': error.code})


def _smallest(granted: list[Limits]) -> Limits:
    """PAIR-7: the smallest lifetime; the smallest uses, where 0 is without limit."""
    uses = [limit for _, limit in granted if limit]
    return min(lifetime for lifetime, _ in granted), min(uses, default=0)
