"""Negotiations in both roles, between the pure steps of pairwise.py and the device's nodes and state."""

from typing import Any

import control
import pairwise
from control import DEVICE_REVOKE, KEY_REVOKE
from deliveries import Deliveries
from device import Device
from errors import ProtocolError
from header import Limits
from nodes import PAIRWISE
from relay import Relay, Report
from suites import check_tag, suite_of
from vault import Held


class Negotiations:
    """What runs between this device and its peers. Everything here happens in one thread."""

    def __init__(self, device: Device, report: Report):
        self._device, self._report = device, report
        self._relay = Relay(device, report)
        self._deliveries = Deliveries(device, self._relay, report)

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
        header = dealt.header
        header_hash = header.suite.hash(dealt.encoded)
        if receipt['header_hash'] == header_hash:
            return True
        evidence = receipt['header_hash']
        self._relay.accuse(
            header.key_id, node_id, header.initiator, 'HEADER_MISMATCH', header_hash, evidence
        )
        return False

    def take_event(self, node_id: str, event: dict[str, Any]) -> None:
        """SES-6: one of the three kinds of events."""
        if event['delivery']:
            self._deliveries.take(node_id, event['delivery'])
        elif event['message']:
            self._take_message(event['message']['peer'], event['message']['message'])
        elif event['notice']:
            self._take_notice(event['notice'])

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
            self._relay.send(peer, held.key.confirmation())
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
        self._relay.send(peer, held.key.acknowledgement())

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
        self._deliveries.tick()
        for held in list(state.held.values()):
            if held.due():
                self._relay.send(held.peer, held.outgoing)

    def _tell(self, held: Held) -> None:
        self._report({'event': 'key', **held.describe()})
