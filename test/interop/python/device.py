"""A device: enrolment, ratchet, sessions and link, with its state stored before anything is sent."""

import statistics
import time
from typing import Any

import control
import enrolment
import ratchet
import session as sessions
from errors import ProtocolError
from link import EventListener, Link
from nodes import ENROLMENT, NETWORK, RATCHET, SESSION, NodeClient
from randomness import Randomness
from suites import check_tag, suite_of
from vault import Chain, State, Vault

SESSION_OVER = ('SESSION_LOST', 'SESSION_EXHAUSTED', 'AUTHENTICATION_FAILED', 'MESSAGE_REPLAYED')
ATTEMPTS = 3
CLOCKS_APART_SECONDS = 60
FIRST_STAGE = 'bootstrap'


def fetch_descriptor(
    client: NodeClient, network_id: bytes, root_hash: bytes, known_version: int
) -> tuple[control.Descriptor, control.Policy | None]:
    """CTL-2, and the policy in force that comes along (CTL-5)."""
    response = client.call(NETWORK + 'GetDescriptor', {})
    descriptor = control.verify_descriptor(response, network_id, root_hash, known_version)
    notice = response['policy']
    return descriptor, control.verify_event(notice, descriptor).policy if notice else None


class Device:
    """One device, one folder, one connection to the node that is its home."""

    def __init__(self, vault: Vault, state: State, client: NodeClient):
        self.state, self._vault, self._client = state, vault, client
        self.randomness = Randomness(state.pool)
        self.home = ''
        self._link: Link | None = None
        self._clocks: dict[str, float] = {}

    @staticmethod
    def enrol(vault: Vault, token_line: str, name: str, suite_id: int) -> 'Device':
        """ENR-1 to ENR-8 at every node, all through the first node of the token's hints that answers."""
        token = enrolment.read_token(token_line)
        client, found = Device._first_answer(token)
        descriptor, policy = found
        randomness = Randomness()
        nonce = randomness.draw(32)
        device_id = enrolment.device_id_of(token.id, nonce)
        state = State(token.network_id, token.root_hash, device_id, descriptor, policy, randomness.pool)
        device = Device(vault, state, client)
        kem = suite_of(suite_id).kem
        for node in descriptor.nodes:
            state.offers[node.id] = enrolment.make_offer(
                token,
                token.secret_for(node),
                nonce,
                node,
                descriptor.version,
                suite_id,
                name,
                randomness.draw(kem.seed_length),
                randomness.draw(kem.coins_length),
            )
        device.save()
        for node in descriptor.nodes:
            device._enrol_at(node.id)
        return device

    @staticmethod
    def _first_answer(
        token: enrolment.Token,
    ) -> tuple[NodeClient, tuple[control.Descriptor, control.Policy | None]]:
        failure = ProtocolError('NODE_UNREACHABLE', 'the token names no node')
        for address in token.hints:
            client = NodeClient(address)
            try:
                return client, fetch_descriptor(client, token.network_id, token.root_hash, 0)
            except ProtocolError as error:
                failure = error
                client.close()
        raise failure

    def _enrol_at(self, node_id: str) -> None:
        offer = self.state.offers[node_id]
        reply = self._client.call(ENROLMENT + 'Offer', {'node': node_id, 'offer': offer.message})
        confirmation = enrolment.confirm(offer, reply['answer'])
        self.state.confirmations[node_id] = confirmation
        self.save()
        values = {'node': node_id, 'confirmation': confirmation.message}
        reply = self._client.call(ENROLMENT + 'Confirm', values)
        epoch = enrolment.complete(offer, confirmation, reply['acknowledgement'], FIRST_STAGE)
        self.state.chains[node_id] = Chain(epoch)
        del self.state.offers[node_id], self.state.confirmations[node_id]
        self.save()

    @staticmethod
    def open(vault: Vault) -> 'Device':
        """A device of an earlier process: it reaches its home by the descriptor that it verified."""
        state = vault.load()
        return Device(vault, state, NodeClient(state.descriptor.nodes[0].addresses[0]))

    def save(self) -> None:
        self.state.pool = self.randomness.pool
        self._vault.save(self.state)

    def close(self) -> None:
        """SES-8 where there are sessions; a node that does not answer ends them by itself."""
        link, self._link = self._link, None
        if link:
            for node_id in [*(node for node in link.sessions if node != self.home), self.home]:
                try:
                    link.call(node_id, SESSION + 'Close', {})
                except ProtocolError:
                    continue
            link.close()
        self._client.close()

    def _place(self, node_id: str) -> ratchet.Place:
        return ratchet.Place(self.state.network_id, self.state.device_id, node_id)

    def next_stage(self, stage: str) -> str:
        """The stage that comes after it in the policy, or itself."""
        stages = self.state.policy.stages if self.state.policy else []
        place = stages.index(stage) + 1 if stage in stages else len(stages)
        return stages[place] if place < len(stages) else stage

    def ratchet(self, suite_id: int | None) -> str:
        """ATK-2 to ATK-7 at every node where the device is enrolled; gives the promotion code of ATK-10."""
        for node_id in self.state.chains:
            self._step(node_id, suite_id)
        steps = {node_id: chain.last for node_id, chain in self.state.chains.items() if chain.last}
        return ratchet.promotion_code(steps)

    def _step(self, node_id: str, suite_id: int | None) -> None:
        chain, place = self.state.chains[node_id], self._place(node_id)
        if chain.entered is None and chain.step is None:
            next_suite = suite_id or chain.epoch.suite
            kem, draw = suite_of(next_suite).kem, self.randomness.draw
            chain.step = ratchet.begin_step(
                place,
                chain.epoch,
                self.state.descriptor.node(node_id),
                next_suite,
                self.next_stage(chain.epoch.stage),
                draw(32),
                draw(32),
                draw(kem.seed_length),
                draw(kem.coins_length),
            )
            self.save()
        if chain.entered is None and chain.step:
            r2 = self._ask_or_prove(RATCHET + 'Step', 'r2', node_id, {'r1': chain.step.message})
            chain.entered = ratchet.finish_step(place, chain.epoch, chain.step, r2)
            self.randomness.mix(chain.entered.q)
            self.save()
        self._commit_step(node_id, chain)

    def _commit_step(self, node_id: str, chain: Chain) -> None:
        entered = chain.entered
        if entered is None:
            return
        reply = self._client.call(RATCHET + 'Commit', {'node': node_id, 'r3': entered.message})
        check_tag(entered.acknowledgement, reply['r4'], 'R4')
        chain.epoch, chain.last, chain.step, chain.entered = entered.epoch, entered, None, None
        self.save()

    def _ask_or_prove(self, method: str, wanted: str, node_id: str, values: dict[str, Any]) -> bytes:
        """An open call that may be answered with a challenge; then the device proves its place (ATK-9)."""
        reply = self._client.call(method, {'node': node_id, **values})
        if reply['challenge']:
            self._prove(node_id, reply['challenge'])
            raise ProtocolError('MESSAGE_LATE', 'the node challenged; the device has shown its place')
        return reply[wanted]

    def _prove(self, node_id: str, challenge: bytes) -> None:
        chain = self.state.chains[node_id]
        former = chain.epoch if chain.entered else None
        proof = ratchet.prove(self._place(node_id), chain.newest, former, challenge)
        self._client.call(RATCHET + 'Prove', {'node': node_id, 'proof': proof})

    def connect(self, on_event: EventListener, on_end: Any) -> None:
        """SES-1 to SES-7: the link to the home node, a session and an Attach with every node, home first."""
        self.home = self._home_of(self._client.address)
        link = Link(self._client, on_event, on_end)
        for node_id in [self.home, *(node for node in self.state.chains if node != self.home)]:
            link.sessions[node_id] = self._open_session(node_id)
            self._link = link
            self.attach(node_id)

    def _home_of(self, address: str) -> str:
        for node in self.state.descriptor.nodes:
            if address in node.addresses:
                return node.id
        raise ProtocolError('NODE_UNKNOWN', 'the descriptor names no node at this address')

    def attach(self, node_id: str) -> None:
        """SES-7. With the number 0 the node sends everything again that waits for the device."""
        values = {'home': self.home, 'last_event': 0}
        reply = self._need_link().call(node_id, SESSION + 'Attach', values)
        if reply['descriptor_version'] > self.state.descriptor.version:
            self.refresh()

    def refresh(self) -> None:
        """Fetches descriptor and policy anew, and takes only what is newer and verifies."""
        state = self.state
        trust = (state.network_id, state.root_hash, state.descriptor.version)
        state.descriptor, policy = fetch_descriptor(self._client, *trust)
        self.take_policy(policy)
        self.save()

    def take_policy(self, policy: control.Policy | None) -> None:
        known = self.state.policy
        if policy and (known is None or policy.revision > known.revision):
            self.state.policy = policy
            self.save()

    def _open_session(self, node_id: str) -> sessions.Session:
        """SES-1 and SES-4; after a challenge, or a lost answer, the next session is opened."""
        for _ in range(ATTEMPTS):
            chain, place = self.state.chains[node_id], self._place(node_id)
            epoch = chain.newest
            key, context, moved = ratchet.take_session_keys(place, epoch)
            chain.keep(moved)
            self.save()
            opening = sessions.make_opening(place, epoch, key, context, self.randomness.draw(32))
            reply = self._client.call(SESSION + 'Open', {'node': node_id, 'open': opening.message})
            if reply['challenge']:
                self._prove(node_id, reply['challenge'])
                continue
            session, q = sessions.accept_answer(opening, reply['answer'])
            self.randomness.mix(q)
            self._clocks[node_id] = session.clock / 1000 - time.time()
            return session
        raise ProtocolError('SESSION_LOST', 'no session could be opened')

    def call(self, node_id: str, method: str, values: dict[str, Any]) -> dict[str, Any]:
        """A sealed call; when the session is over, once more in another."""
        link = self._need_link()
        try:
            return link.call(node_id, method, values)
        except ProtocolError as error:
            if error.code not in SESSION_OVER:
                raise
        link.sessions[node_id] = self._open_session(node_id)
        self.attach(node_id)
        return link.call(node_id, method, values)

    def now(self) -> float:
        """The time of the nodes: the own clock, corrected by the middle of the k values closest together."""
        offsets, k = sorted(self._clocks.values()), self.state.descriptor.threshold
        groups = [offsets[i : i + k] for i in range(len(offsets) - k + 1)]
        closest = min(groups, key=lambda group: group[-1] - group[0], default=[])
        agree = closest and closest[-1] - closest[0] <= CLOCKS_APART_SECONDS
        return time.time() + (statistics.median(closest) if agree else 0)

    def _need_link(self) -> Link:
        if self._link is None:
            raise ProtocolError('NOT_CONNECTED', 'the device is not connected')
        return self._link
