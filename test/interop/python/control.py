"""The descriptor, control events and policies that a device verifies itself (docs/protocol/08-control.md)."""

import hashlib
from dataclasses import dataclass
from typing import Any

import mldsa
from encoding import Reader, framed, listed, u8
from errors import ProtocolError
from kdf import domain_hash
from suites import LABELS

POLICY, DEVICE_REVOKE, KEY_REVOKE = 1, 3, 4
# CTL-5; a policy from before there were groups ends before these two.
GROUP_DEFAULTS = (10_000, 10)
MAX_GROUP_MEMBERS, MAX_GROUP_BOUND_SECONDS = 16_384, 3600


@dataclass(frozen=True)
class Node:
    id: str
    addresses: list[str]
    kem_keys: dict[int, bytes]
    signing_key: bytes

    @property
    def key_hash(self) -> bytes:
        """H(pk_Ni) of ENR-1: over all KEM keys in the descriptor's order, in SHA-256 whatever the suite."""
        keys = listed(u8(suite) + framed(key) for suite, key in self.kem_keys.items())
        return hashlib.sha256(keys).digest()


@dataclass(frozen=True)
class Descriptor:
    network_id: bytes
    version: int
    nodes: list[Node]
    suites: list[int]
    threshold: int
    administrators: list[bytes]
    administrator_threshold: int

    def node(self, node_id: str) -> Node:
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise ProtocolError('NODE_UNKNOWN', 'the descriptor names no such node')


@dataclass(frozen=True)
class Policy:
    revision: int
    suites: list[int]
    purposes: list[str]
    first_contact_all: bool
    require_direct_kem: bool
    stages: list[str]
    group_members: int
    group_bound_seconds: int


@dataclass(frozen=True)
class ControlEvent:
    number: int
    kind: int
    policy: Policy | None = None
    subject: bytes = b''


def _read_node(reader: Reader) -> Node:
    node_id = reader.text(64)
    addresses = reader.listed(lambda: reader.text(255), 16)
    keys = dict(reader.listed(lambda: (reader.u8(), reader.framed(4096)), 16))
    signing_key = reader.framed(4096)
    reader.text(64)
    return Node(node_id, addresses, keys, signing_key)


def read_descriptor(data: bytes) -> Descriptor:
    reader = Reader(data)
    if reader.u8() != 1:
        raise ProtocolError('WRONG_VERSION', 'another version of the protocol')
    descriptor = Descriptor(
        network_id=reader.raw(16),
        version=reader.count(),
        nodes=reader.listed(lambda: _read_node(reader), 16),
        suites=reader.listed(reader.u8, 16),
        threshold=reader.u8(),
        administrators=reader.listed(lambda: reader.framed(4096), 64),
        administrator_threshold=reader.u8(),
    )
    reader.end()
    ids = [node.id for node in descriptor.nodes]
    keyed = all(set(node.kem_keys) == {1, *descriptor.suites} for node in descriptor.nodes)
    sound = (
        keyed
        and len(set(ids)) == len(ids)
        and descriptor.suites == sorted(set(descriptor.suites))
        and 2 <= descriptor.threshold <= len(ids)
        and len(set(descriptor.administrators)) == len(descriptor.administrators)
        and descriptor.administrator_threshold >= 1
    )
    if not sound:
        raise ProtocolError('BAD_DESCRIPTOR', 'the descriptor breaks a rule')
    return descriptor


def verify_descriptor(
    response: dict[str, Any], network_id: bytes, root_hash: bytes, known_version: int
) -> Descriptor:
    """CTL-2, in its order."""
    root = response['root_public_key']
    if hashlib.sha256(root).digest() != root_hash:
        raise ProtocolError('ROOT_MISMATCH', 'another root than that of the token')
    label = LABELS['descriptorSign'].encode()
    if not mldsa.verify(root, label, response['descriptor'], response['signature']):
        raise ProtocolError('BAD_SIGNATURE', 'the signature of the descriptor does not verify')
    descriptor = read_descriptor(response['descriptor'])
    if descriptor.network_id != network_id:
        raise ProtocolError('WRONG_NETWORK', 'a descriptor of another network')
    if descriptor.version < known_version:
        raise ProtocolError('DESCRIPTOR_OLD', 'a descriptor older than the known one')
    return descriptor


def event_hash(event: bytes) -> bytes:
    return domain_hash('controlEventHash', framed(event))


def _read_policy(reader: Reader, number: int) -> Policy:
    suites = reader.listed(reader.u8, 64)
    purposes = reader.listed(lambda: reader.text(64), 64)
    lifetime = reader.u32()
    reader.u32()
    first_contact_all, require_direct_kem = reader.flag(), reader.flag()
    stages = reader.listed(lambda: reader.text(64), 64)
    reader.listed(lambda: reader.text(64), 64)
    if lifetime == 0 or not stages:
        raise ProtocolError('BAD_EVENT', 'a policy without a stage or with a lifetime of 0')
    members, bound = GROUP_DEFAULTS if reader.at_end() else (reader.u32(), reader.u32())
    if members > MAX_GROUP_MEMBERS or not 1 <= bound <= MAX_GROUP_BOUND_SECONDS:
        raise ProtocolError('BAD_EVENT', 'a value for groups is out of its range')
    return Policy(
        number,
        suites,
        purposes,
        first_contact_all,
        require_direct_kem,
        stages,
        members,
        bound,
    )


def verify_event(notice: dict[str, Any], descriptor: Descriptor) -> ControlEvent:
    """CTL-3 as far as a device checks it: signatures and network, not the chain."""
    data, label = notice['event'], LABELS['controlEventSign'].encode()
    keys = {hashlib.sha256(key).digest(): key for key in descriptor.administrators}
    signers = {
        entry['administrator']
        for entry in notice['signatures']
        if entry['administrator'] in keys
        and mldsa.verify(keys[entry['administrator']], label, data, entry['signature'])
    }
    if len(signers) < descriptor.administrator_threshold:
        raise ProtocolError('BAD_SIGNATURE', 'too few administrators signed the event')
    reader = Reader(data)
    reader.preamble(descriptor.network_id)
    number = reader.count()
    reader.raw(32)
    reader.count()
    kind = reader.u8()
    if kind == POLICY:
        event = ControlEvent(number, kind, policy=_read_policy(reader, number))
    elif kind in (DEVICE_REVOKE, KEY_REVOKE):
        event = ControlEvent(number, kind, subject=reader.raw(32 if kind == DEVICE_REVOKE else 16))
        reader.text(255)
    else:
        raise ProtocolError('BAD_EVENT', 'no event for a device')
    reader.end()
    return event
