"""A member of a group, as pure steps (docs/protocol/13-groups.md)."""

from dataclasses import dataclass, field

import mldsa
from control import Descriptor
from encoding import Reader, framed, text, u8, u32, u64
from errors import ProtocolError
from kdf import Context, derive, domain_hash, expand, join_shares, open_once
from suites import LABELS, Suite, check_tag, suite_of

EPOCH, DUE = 1, 2
MAX_PLACES = 2**14
EMPTY_HASH = bytes(32)


@dataclass(frozen=True)
class GroupHeader:
    """GRP-1."""

    network_id: bytes
    encoded: bytes
    suite: Suite
    group_id: bytes
    epoch: int
    previous: bytes
    barrier: int
    dealer: bytes
    managers: list[bytes]
    members: int
    height: int
    roster_root: bytes
    purpose: str
    key_length: int
    lifetime: int
    uses: int
    threshold: int
    nodes: list[str]
    commitments: list[bytes]
    descriptor_version: int
    policy_revision: int

    @property
    def epoch_id(self) -> bytes:
        return self.suite.hash(self.encoded)

    def deal_hash(self, tag: bytes) -> bytes:
        return self.suite.hash(framed(self.encoded) + framed(tag))

    def check_commitment(self, place: int, part: bytes) -> None:
        """Place 0 is S."""
        fields = text(LABELS['groupShare']) + self.group_id + u64(self.epoch) + u8(place) + part
        if self.suite.hash(fields) != self.commitments[place]:
            raise ProtocolError('SHARE_MISMATCH', f'the share of place {place} does not fit')


def read_group_header(data: bytes, network_id: bytes) -> GroupHeader:
    reader = Reader(data)
    reader.preamble(network_id)
    header = GroupHeader(
        network_id=network_id,
        encoded=data,
        suite=suite_of(reader.u8()),
        group_id=reader.raw(16),
        epoch=reader.count(),
        previous=reader.framed(64),
        barrier=reader.count(),
        dealer=reader.raw(32),
        managers=reader.listed(lambda: reader.raw(32), 8),
        members=reader.u32(),
        height=reader.u8(),
        roster_root=reader.raw(32),
        purpose=reader.text(64),
        key_length=reader.u16(),
        lifetime=reader.u32(),
        uses=reader.u32(),
        threshold=reader.u8(),
        nodes=reader.listed(lambda: reader.text(64), 16),
        commitments=reader.listed(lambda: reader.framed(64), 17),
        descriptor_version=reader.count(),
        policy_revision=reader.count(),
    )
    reader.end()
    _check_header(header)
    return header


def _check_header(header: GroupHeader) -> None:
    distinct = all(len(set(names)) == len(names) for names in (header.nodes, header.managers))
    fitting = all(len(one) == header.suite.hash_length for one in header.commitments)
    rules = (
        header.epoch > 0,
        header.barrier <= header.epoch,
        header.previous != b'' or header.barrier == 0,
        distinct and len(header.managers) > 0,
        1 <= header.members <= 2**header.height <= MAX_PLACES,
        header.purpose != '',
        16 <= header.key_length <= 64,
        header.lifetime > 0,
        2 <= header.threshold <= len(header.nodes),
        fitting and len(header.commitments) == len(header.nodes) + 1,
    )
    if not all(rules):
        raise ProtocolError('BAD_HEADER', 'the header of an epoch breaks a rule')


def roster_root(devices: dict[int, bytes], height: int) -> bytes:
    """GRP-2."""
    level = [
        domain_hash('groupRoster', u8(0) + devices[place]) if place in devices else EMPTY_HASH
        for place in range(2**height)
    ]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2])
        level = [_roster_node(left, right) for left, right in pairs]
    return level[0]


def _roster_node(left: bytes, right: bytes) -> bytes:
    if left == EMPTY_HASH and right == EMPTY_HASH:
        return EMPTY_HASH
    return domain_hash('groupRoster', u8(1) + left + right)


@dataclass(frozen=True)
class GroupSecrets:
    """GRP-3: what S gives."""

    key: bytes
    check_key: bytes
    tag: bytes
    application: bytes
    message: bytes
    fingerprint: bytes


def group_secrets(header: GroupHeader, secret: bytes) -> GroupSecrets:
    suite = header.suite
    context = Context(header.network_id, header.group_id, b'', u64(header.epoch), header.epoch_id)
    key = derive(suite, [secret], 'groupKey', context)
    check_key = expand(suite, key, 'groupCheck', context)
    return GroupSecrets(
        key=key,
        check_key=check_key,
        tag=suite.mac(check_key, header.encoded),
        application=expand(suite, key, 'groupApplication', context, header.key_length),
        message=expand(suite, key, 'groupMessage', context),
        fingerprint=expand(suite, key, 'groupFingerprint', context, 16),
    )


@dataclass(frozen=True)
class Broadcast:
    """GRP-7; `seals` by level and index of the child."""

    node_id: str
    header: GroupHeader
    tag: bytes
    previous: bytes
    step: int
    nonce: bytes
    vacated: list[tuple[int, int]]
    taken: list[tuple[int, int]]
    seals: dict[tuple[int, int], bytes]
    share: bytes


@dataclass(frozen=True)
class Notice:
    """GRP-10."""

    node_id: str
    group_id: bytes
    epoch: int
    epoch_id: bytes
    reason: int
    out: list[bytes]
    order: list[bytes]
    bound: int


def read_signed(content: bytes, network_id: bytes) -> Broadcast | Notice:
    reader = Reader(content)
    reader.preamble(network_id)
    kind = reader.u8()
    if kind not in (EPOCH, DUE):
        raise ProtocolError('BAD_ENCODING', 'neither a broadcast nor a notice')
    said = _read_broadcast(reader, network_id) if kind == EPOCH else _read_notice(reader)
    reader.end()
    return said


def _read_broadcast(reader: Reader, network_id: bytes) -> Broadcast:
    def places() -> tuple[int, int]:
        return reader.u32(), reader.u32()

    def seal() -> tuple[tuple[int, int], bytes]:
        return (reader.u8(), reader.u32()), reader.raw(48)

    return Broadcast(
        node_id=reader.text(64),
        header=read_group_header(reader.framed(), network_id),
        tag=reader.framed(64),
        previous=reader.framed(64),
        step=reader.count(),
        nonce=reader.raw(32),
        vacated=reader.listed(places, 4096),
        taken=reader.listed(places, 4096),
        seals=dict(reader.listed(seal, 4096)),
        share=reader.raw(48),
    )


def _read_notice(reader: Reader) -> Notice:
    return Notice(
        node_id=reader.text(64),
        group_id=reader.raw(16),
        epoch=reader.count(),
        epoch_id=reader.framed(64),
        reason=reader.u8(),
        out=reader.listed(lambda: reader.raw(32), 1024),
        order=reader.listed(lambda: reader.raw(32), 8),
        bound=reader.u32(),
    )


def check_signature(descriptor: Descriptor, node_id: str, content: bytes, signature: bytes) -> None:
    key = descriptor.node(node_id).signing_key
    if not mldsa.verify(key, LABELS['groupBroadcastSign'].encode(), content, signature):
        raise ProtocolError('BAD_SIGNATURE', 'what a node signed does not verify')


def _position(level: int, index: int) -> bytes:
    return u8(level) + u32(index)


def tree_context(header: GroupHeader, node_id: str, step: int, transcript: bytes) -> Context:
    return Context(header.network_id, header.group_id, node_id.encode(), u64(step), transcript)


def next_tree_key(header: GroupHeader, node_id: str, step: int, at: tuple[int, int], key: bytes) -> bytes:
    """GRP-6: a key that is not replaced, one step on; `step` is the new one."""
    context = tree_context(header, node_id, step, _position(*at))
    return derive(header.suite, [key], 'groupTreeNext', context, 32)


@dataclass
class Path:
    """GRP-9: the keys of one node's tree from this member's leaf to the root."""

    place: int
    step: int
    epoch_id: bytes
    keys: list[bytes]

    def follow(self, said: Broadcast) -> tuple['Path', bytes]:
        """The path in the epoch of a broadcast, and the node's share."""
        header = said.header
        if said.previous != self.epoch_id or said.step != self.step + 1:
            raise ProtocolError('GROUP_BEHIND', 'a broadcast does not follow what this member has')
        keys: list[bytes] = []
        for level in range(header.height + 1):
            child = (level - 1, self.place >> (level - 1)) if level else None
            if child in said.seals:
                key = self._open(said, 'groupTreeSeal', child, keys[-1], said.seals[child])
            else:
                at = (level, self.place >> level)
                key = next_tree_key(header, said.node_id, said.step, at, self.keys[level])
            keys.append(key)
        share = self._open(said, 'groupShareSeal', (header.height, 0), keys[-1], said.share)
        return Path(self.place, said.step, header.epoch_id, keys), share

    @staticmethod
    def _open(said: Broadcast, label: str, at: tuple[int, int], key: bytes, sealed: bytes) -> bytes:
        header, position = said.header, _position(*at)

        def context(transcript: bytes) -> Context:
            return tree_context(header, said.node_id, said.step, transcript)

        over = header.epoch_id if label == 'groupShareSeal' else position + header.epoch_id
        protecting = derive(header.suite, [key], 'groupTreeKey', context(position))
        return open_once(
            header.suite, protecting, label, context(over), said.nonce, header.epoch_id, sealed
        )


@dataclass
class Member:
    """What one member has of a group."""

    paths: dict[str, Path]
    shares: dict[bytes, dict[int, bytes]] = field(default_factory=dict)

    def hear(self, said: Broadcast) -> GroupSecrets | None:
        """The epoch's secrets, once as many nodes as make an epoch brought shares of one deal."""
        path, share = self.paths[said.node_id].follow(said)
        place = said.header.nodes.index(said.node_id) + 1
        said.header.check_commitment(place, share)
        self.paths[said.node_id] = path
        gathered = self.shares.setdefault(said.header.deal_hash(said.tag), {})
        gathered[place] = share
        quorum = max(said.header.threshold, len(said.header.nodes) // 2 + 1)
        return rebuild(said.header, said.tag, gathered) if len(gathered) == quorum else None


def rebuild(header: GroupHeader, tag: bytes, shares: dict[int, bytes]) -> GroupSecrets:
    """GRP-9."""
    secret = join_shares(shares)
    header.check_commitment(0, secret)
    secrets = group_secrets(header, secret)
    check_tag(secrets.tag, tag, 'an epoch')
    return secrets


def open_message(header: GroupHeader, secrets: GroupSecrets, message: bytes, aad: bytes) -> bytes:
    """GRP-12."""
    reader = Reader(message)
    head = reader.raw(1 + 16 + 8 + 32 + 8 + 4)
    ciphertext = reader.framed()
    reader.end()
    fields = Reader(head)
    if (fields.u8(), fields.raw(16), fields.count()) != (1, header.group_id, header.epoch):
        raise ProtocolError('EPOCH_NOT_ACCEPTED', 'a message of another epoch')
    sender, counter, guard = fields.raw(32), fields.raw(8), fields.raw(4)
    context = Context(header.network_id, sender, header.group_id, u64(header.epoch), header.epoch_id)
    key = expand(header.suite, secrets.message, 'groupSender', context, 32)
    return header.suite.open(key, guard + counter, head + framed(aad), ciphertext)
