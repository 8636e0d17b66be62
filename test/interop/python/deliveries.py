"""The responder's side up to its response: deliveries, quorum, decision (docs/protocol/06-pairwise.md)."""

from dataclasses import dataclass
from typing import Any

import header as headers
import pairwise
from device import Device
from errors import ProtocolError
from header import Header, Limits
from nodes import PAIRWISE
from relay import Relay, Report
from vault import Held


@dataclass(frozen=True)
class Delivered:
    """A delivery that passed PAIR-5."""

    node_id: str
    header: Header
    encoded: bytes
    share: bytes
    ephemeral_key: bytes
    limits: Limits


class Deliveries:
    """What nodes delivered of runs that this device has not answered yet."""

    def __init__(self, device: Device, relay: Relay, report: Report):
        self._device, self._relay, self._report = device, relay, report
        self._waiting: dict[bytes, dict[int, Delivered]] = {}

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
        shares = self._waiting.setdefault(key_id, {})
        shares[header.nodes.index(node_id) + 1] = delivered
        quorum = {p: d for p, d in shares.items() if d.encoded == delivered.encoded}
        for place, other in shares.items():
            if place not in quorum and len(quorum) >= header.threshold:
                self._accuse(other, 'HEADER_MISMATCH', header.suite.hash(delivered.encoded), other.encoded)
        if len(quorum) >= self._needed(header):
            self._answer(header, quorum)

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
            raise ProtocolError('EPHEMERAL_KEY_MISMATCH', 'the ephemeral key does not fit the header')
        if key:
            header.suite.kem.check_public_key(key)
        if not headers.fits_limits(granted, header.limits):
            raise ProtocolError('BAD_LIMITS', 'limits beyond those asked')
        return delivered

    def _accuse(self, delivered: Delivered, reason: str, header_hash: bytes, evidence: bytes) -> None:
        """PAIR-11, told to the home node."""
        values = {
            'key_id': delivered.header.key_id,
            'node': delivered.node_id,
            'initiator': delivered.header.initiator,
            'reason': reason,
            'header_hash': header_hash,
            'evidence': evidence,
        }
        self._device.call(self._device.home, PAIRWISE + 'Report', values)

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
