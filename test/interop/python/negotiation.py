"""Negotiations in both roles, between the pure steps of pairwise.py and the device's nodes and state."""

import time
from dataclasses import dataclass
from typing import Any, Callable

import control
import header as headers
import pairwise
from control import DEVICE_REVOKE, KEY_REVOKE
from device import Device
from encoding import to_base32
from errors import ProtocolError
from header import Header, Limits
from nodes import PAIRWISE
from suites import check_tag, suite_of
from vault import Held

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Delivered:
    """A delivery that passed PAIR-5."""

    node_id: str
    header: Header
    encoded: bytes
    share: bytes
    ephemeral_key: bytes
    limits: Limits


class Negotiations:
    """What runs between this device and its peers. Everything here happens in one thread."""

    def __init__(self, device: Device, report: Report):
        self._device, self._report = device, report
        self._deliveries: dict[bytes, dict[int, Delivered]] = {}

    def ask(
        self, peer: bytes, purpose: str, key_length: int, limits: Limits, suite_id: int, direct_kem: bool
    ) -> bytes:
        """PAIR-1 and PAIR-2: deals, stores, and sends to every node. @returns the key id"""
        state, draw = self._device.state, self._device.randomness.draw
        descriptor, policy = state.descriptor, state.policy
        nodes = [node.id for node in descriptor.nodes]
        continuity = state.peer(peer).offers()
        all_of_them = bool(policy and policy.first_contact_all and not continuity)
        threshold = len(nodes) if all_of_them else descriptor.threshold
        seed_length = suite_of(suite_id).kem.seed_length
        dealt = pairwise.deal(
            state.network_id,
            suite_id,
            state.device_id,
            peer,
            draw(16),
            purpose,
            key_length,
            limits,
            threshold,
            nodes,
            (descriptor.version, policy.revision if policy else 0),
            continuity,
            draw(32),
            draw(32 * (threshold - 1)),
            draw(seed_length) if direct_kem else None,
        )
        key_id = dealt.header.key_id
        state.dealt[key_id] = dealt
        self._device.save()
        receipts = [self._request(node_id, place, dealt) for place, node_id in enumerate(nodes)]
        if receipts.count(True) < threshold:
            raise ProtocolError('TOO_FEW_NODES', 'fewer nodes than the threshold approved')
        return key_id

    def _request(self, node_id: str, place: int, dealt: pairwise.Deal) -> bool:
        values = {
            'header': dealt.encoded,
            'share': dealt.shares[place],
            'ephemeral_key': dealt.ephemeral_key,
        }
        try:
            receipt = self._device.call(node_id, PAIRWISE + 'Negotiate', values)
        except ProtocolError as error:
            self._report({'event': 'refused', 'node': node_id, 'code': error.code})
            return False
        return receipt['header_hash'] == dealt.header.suite.hash(dealt.encoded)

    def take_event(self, node_id: str, event: dict[str, Any]) -> None:
        """SES-6: one of the three kinds of events."""
        if event['delivery']:
            self._take_delivery(node_id, event['delivery'])
        elif event['message']:
            self._take_message(event['message']['peer'], event['message']['message'])
        elif event['notice']:
            self._take_notice(event['notice'])

    def _take_delivery(self, node_id: str, delivery: dict[str, Any]) -> None:
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
        shares = self._deliveries.setdefault(key_id, {})
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
        del self._deliveries[header.key_id]
        self._acknowledge(header.key_id, header.nodes)
        if code:
            self._relay(header.initiator, message)
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

    def _take_message(self, peer: bytes, data: bytes) -> None:
        """PAIR-7 to PAIR-9: what does not verify is dropped and changes nothing."""
        try:
            message = pairwise.read_peer_message(data)
            if message.kind in (pairwise.RESPONSE, pairwise.REFUSAL):
                self._take_answer(peer, message, data)
            elif message.kind == pairwise.CONFIRMATION:
                self._take_confirmation(peer, message)
            else:
                self._take_acknowledgement(peer, message)
        except ProtocolError as error:
            self._report({'event': 'message dropped', 'code': error.code})

    def _take_answer(self, peer: bytes, message: pairwise.PeerMessage, data: bytes) -> None:
        """PAIR-8, and the end of a run by an authentic refusal."""
        state, key_id = self._device.state, message.key_id
        held, dealt = state.held.get(key_id), state.dealt.get(key_id)
        if held and held.role == 'initiator' and held.response == data:
            self._relay(peer, held.key.confirmation())
            return
        if dealt is None or dealt.header.responder != peer:
            return
        try:
            if message.kind == pairwise.REFUSAL:
                pairwise.check_refusal(dealt, message)
                raise ProtocolError(message.code, 'the peer refused')
            key = pairwise.accept_response(dealt, message, state.peer(peer).newest is not None)
        except ProtocolError as error:
            if error.code in ('AUTHENTICATION_FAILED', 'BAD_RESPONSE'):
                raise
            self._give_up(key_id, error.code)
            return
        not_after = self._device.now() + key.limits[0]
        state.held[key_id] = Held(key, 'initiator', peer, not_after, data, key.confirmation())
        state.peer(peer).newest = key.continuity
        del state.dealt[key_id]
        self._device.save()

    def _give_up(self, key_id: bytes, code: str) -> None:
        state = self._device.state
        state.ended[key_id] = code
        del state.dealt[key_id]
        self._device.save()
        self._report({'event': 'ended', 'keyId': key_id.hex(), 'code': code})

    def _take_confirmation(self, peer: bytes, message: pairwise.PeerMessage) -> None:
        """PAIR-9 at the responder."""
        state = self._device.state
        held = state.held.get(message.key_id)
        if held is None or held.role != 'responder' or held.peer != peer:
            return
        check_tag(held.key.tag_initiator, message.tag, 'the confirmation')
        if not held.finished:
            known = state.peer(peer)
            if not held.key.continuity_id and known.has_duty:
                del state.held[message.key_id]
                state.ended[message.key_id] = 'CONTINUITY_REQUIRED'
                self._device.save()
                return
            known.confirm(held.key.continuity)
            held.finished, held.outgoing = True, b''
            self._device.save()
            self._tell(held)
        self._relay(peer, held.key.acknowledgement())

    def _take_acknowledgement(self, peer: bytes, message: pairwise.PeerMessage) -> None:
        """PAIR-9 at the initiator."""
        state = self._device.state
        held = state.held.get(message.key_id)
        if held is None or held.role != 'initiator' or held.peer != peer or held.finished:
            return
        check_tag(held.key.tag_acknowledge, message.tag, 'the acknowledgement')
        known = state.peer(peer)
        if known.known is None or known.newest == held.key.continuity:
            known.known = held.key.continuity
        held.finished, held.outgoing = True, b''
        self._device.save()
        self._tell(held)

    def _take_notice(self, notice: dict[str, Any]) -> None:
        """CTL-4 and CTL-5, as far as the device verified the event itself."""
        state = self._device.state
        try:
            event = control.verify_event(notice, state.descriptor)
        except ProtocolError as error:
            self._report({'event': 'notice dropped', 'code': error.code})
            return
        self._device.take_policy(event.policy)
        if event.kind == DEVICE_REVOKE:
            peer = state.peer(event.subject)
            peer.newest, peer.known, peer.remembered, peer.revoked = None, None, [], True
            state.held = {key: held for key, held in state.held.items() if held.peer != event.subject}
        if event.kind == KEY_REVOKE:
            state.held.pop(event.subject, None)
            state.dealt.pop(event.subject, None)
            state.ended[event.subject] = 'KEY_REVOKED'
        if event.kind in (DEVICE_REVOKE, KEY_REVOKE):
            self._device.save()
            self._report({'event': 'revoked', 'kind': event.kind, 'subject': event.subject.hex()})

    def tick(self) -> None:
        """Sends again what has no answer yet, and erases keys whose time is over."""
        state, now = self._device.state, self._device.now()
        over = [key_id for key_id, held in state.held.items() if held.not_after < now]
        for key_id in over:
            del state.held[key_id]
            state.ended[key_id] = 'KEY_EXPIRED'
        if over:
            self._device.save()
        for held in list(state.held.values()):
            if held.due():
                self._relay(held.peer, held.outgoing)

    def _relay(self, peer: bytes, message: bytes) -> None:
        """PAIR-10, through the home node; what is not handed over goes out again with the next tick."""
        try:
            values = {'peer': peer, 'message': message}
            self._device.call(self._device.home, PAIRWISE + 'Relay', values)
        except ProtocolError as error:
            self._report({'event': 'refused', 'node': self._device.home, 'code': error.code})

    def _tell(self, held: Held) -> None:
        self._report({'event': 'key', **describe(held)})


def _smallest(granted: list[Limits]) -> Limits:
    """PAIR-7: the smallest lifetime; the smallest uses, where 0 is without limit."""
    uses = [limit for _, limit in granted if limit]
    return min(lifetime for lifetime, _ in granted), min(uses, default=0)


def describe(held: Held) -> dict[str, Any]:
    """What both ends hold, without the secrets."""
    key, header = held.key, held.key.header
    return {
        'keyId': header.key_id.hex(),
        'peer': to_base32(held.peer),
        'role': held.role,
        'purpose': header.purpose,
        'suite': header.suite_id,
        'length': header.key_length,
        'uses': key.limits[1],
        'nodes': [header.nodes[place - 1] for place in key.used],
        'directKem': header.ephemeral_key_hash != b'',
        'continuity': key.continuity_id != b'',
        'policyRevision': header.policy_revision,
        'fingerprint': key.fingerprint.hex(),
        'notAfter': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(held.not_after)),
    }
