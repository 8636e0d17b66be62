"""What the device keeps, and how: one file, replaced as a whole and synchronised before anything is sent."""

import os
import pickle
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from control import Descriptor, Policy
from encoding import to_base32
from enrolment import Confirmation, Offer
from errors import ProtocolError
from header import Continuity
from pairwise import Deal, PairKey
from ratchet import Entered, Epoch, Step


@dataclass
class Chain:
    """The chain at one node: the epoch in force, and what a step under way needs (04-ratchet.md)."""

    epoch: Epoch
    step: Step | None = None
    entered: Entered | None = None
    last: Entered | None = None

    @property
    def newest(self) -> Epoch:
        return self.entered.epoch if self.entered else self.epoch

    def keep(self, epoch: Epoch) -> None:
        """Takes the newest epoch back after its chain moved on."""
        if self.entered:
            self.entered = Entered(**{**vars(self.entered), 'epoch': epoch})
        else:
            self.epoch = epoch


@dataclass
class Memory:
    """A continuity secret in a responder's list."""

    continuity: Continuity
    confirmed: bool = False


@dataclass
class Peer:
    """Continuity with one peer, by direction (PAIR-5)."""

    newest: Continuity | None = None
    known: Continuity | None = None
    remembered: list[Memory] = field(default_factory=list)
    revoked: bool = False

    def offers(self) -> list[Continuity]:
        """The newest last, each once."""
        held = [secret for secret in (self.known, self.newest) if secret]
        return held[-1:] if self.known == self.newest else held

    @property
    def has_duty(self) -> bool:
        return any(memory.confirmed for memory in self.remembered)

    def remember(self, continuity: Continuity) -> None:
        self.remembered = [*self.remembered, Memory(continuity)][-130:]

    def confirm(self, continuity: Continuity) -> None:
        """Marks a secret that the initiator has shown to hold, and moves it to the end."""
        others = [memory for memory in self.remembered if memory.continuity != continuity]
        self.remembered = [*others, Memory(continuity, True)]


@dataclass
class Held:
    """A run that came to a key: `outgoing` goes out again until the run is over."""

    key: PairKey
    role: str
    peer: bytes
    not_after: float
    response: bytes = b''
    outgoing: bytes = b''
    finished: bool = False
    next_send: float = 0
    pause: float = 0.5

    def due(self) -> bool:
        """Whether the message goes out again now; the pause grows each time."""
        if not self.outgoing or time.monotonic() < self.next_send:
            return False
        self.next_send = time.monotonic() + self.pause
        self.pause = min(2 * self.pause, 8)
        return True

    def describe(self) -> dict[str, Any]:
        """What both ends hold, without the secrets."""
        key, header = self.key, self.key.header
        return {
            'keyId': header.key_id.hex(),
            'peer': to_base32(self.peer),
            'role': self.role,
            'purpose': header.purpose,
            'suite': header.suite_id,
            'length': header.key_length,
            'uses': key.limits[1],
            'nodes': [header.nodes[place - 1] for place in key.used],
            'directKem': header.ephemeral_key_hash != b'',
            'continuity': key.continuity_id != b'',
            'policyRevision': header.policy_revision,
            'fingerprint': key.fingerprint.hex(),
            'notAfter': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(self.not_after)),
        }


@dataclass
class State:
    network_id: bytes
    root_hash: bytes
    device_id: bytes
    descriptor: Descriptor
    policy: Policy | None
    pool: bytes
    offers: dict[str, Offer] = field(default_factory=dict)
    confirmations: dict[str, Confirmation] = field(default_factory=dict)
    chains: dict[str, Chain] = field(default_factory=dict)
    peers: dict[bytes, Peer] = field(default_factory=dict)
    dealt: dict[bytes, Deal] = field(default_factory=dict)
    held: dict[bytes, Held] = field(default_factory=dict)
    ended: dict[bytes, str] = field(default_factory=dict)

    def peer(self, device_id: bytes) -> Peer:
        return self.peers.setdefault(device_id, Peer())


class Vault:
    """The state's file. The device reads back only what it wrote itself, so Python's own format will do."""

    def __init__(self, folder: Path):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._file = folder, folder / 'device.state'

    def load(self) -> State:
        if not self._file.exists():
            raise ProtocolError('STATE_MISSING', 'there is no device in this folder')
        return pickle.loads(self._file.read_bytes())

    def save(self, state: State) -> None:
        draft = self._folder / 'device.draft'
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'wb') as file:
            pickle.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self._file)
        folder = os.open(self._folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
