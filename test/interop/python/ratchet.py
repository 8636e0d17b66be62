"""The device's side of docs/protocol/04-ratchet.md, as pure steps."""

from dataclasses import dataclass, replace

from control import Node
from encoding import Reader, framed, listed, preamble, text, to_base32, u8, u64
from errors import ProtocolError
from kdf import Context, derive, domain_hash, expand, open_once, seal_once
from suites import LABELS, Suite, check_tag, suite_of


@dataclass(frozen=True)
class Epoch:
    """What both sides hold of an epoch (ATK-1), with the number of the next session."""

    number: int
    suite: int
    stage: str
    ratchet_key: bytes
    chain_key: bytes
    evidence_key: bytes
    counter: int


def enter_epoch(suite: Suite, key: bytes, number: int, bound: Context, stage: str) -> Epoch:
    return Epoch(
        number=number,
        suite=suite.id,
        stage=stage,
        ratchet_key=expand(suite, key, 'ratchetKey', bound),
        chain_key=expand(suite, key, 'ratchetChain', bound),
        evidence_key=expand(suite, key, 'ratchetEvidence', bound),
        counter=0,
    )


@dataclass(frozen=True)
class Place:
    """One device's chain at one node: what its contexts are made of."""

    network_id: bytes
    device_id: bytes
    node_id: str

    def context(self, epoch: int, transcript: bytes = b'') -> Context:
        return Context(self.network_id, self.device_id, self.node_id.encode(), u64(epoch), transcript)


@dataclass(frozen=True)
class Step:
    """What the device keeps between R1 and R2."""

    next_suite: int
    stage: str
    nonce: bytes
    code_nonce: bytes
    ss_s: bytes
    ephemeral_secret: bytes
    message: bytes


def _commitment(suite: Suite, code_nonce: bytes) -> bytes:
    return suite.hash(text(LABELS['ratchetCodeCommit']) + code_nonce)


def begin_step(
    place: Place,
    epoch: Epoch,
    node: Node,
    next_suite: int,
    stage: str,
    nonce: bytes,
    code_nonce: bytes,
    seed: bytes,
    coins: bytes,
) -> Step:
    """ATK-2: R1."""
    now, later = suite_of(epoch.suite), suite_of(next_suite)
    ephemeral_key, ephemeral_secret = later.kem.key_pair(seed)
    ct_s, ss_s = later.kem.encapsulate(node.kem_keys[next_suite], coins)
    head = (
        preamble(place.network_id)
        + u8(epoch.suite)
        + u8(next_suite)
        + place.device_id
        + text(place.node_id)
        + u64(epoch.number)
        + nonce
    )
    body = framed(ephemeral_key) + framed(ct_s) + text(stage) + framed(_commitment(later, code_nonce))
    context = place.context(epoch.number)
    sealed = seal_once(now, epoch.ratchet_key, 'ratchetR1Seal', context, nonce, head, body)
    mac_key = expand(now, epoch.evidence_key, 'ratchetR1Mac', context)
    message = framed(head) + framed(sealed)
    message += framed(now.mac(mac_key, message))
    return Step(next_suite, stage, nonce, code_nonce, ss_s, ephemeral_secret, message)


@dataclass(frozen=True)
class Entered:
    """What the device keeps between R3 and R4, and for the promotion code."""

    epoch: Epoch
    transcript: bytes
    q: bytes
    acknowledgement: bytes
    code_nonce: bytes
    node_code_nonce: bytes
    message: bytes


def finish_step(place: Place, epoch: Epoch, step: Step, r2: bytes) -> Entered:
    """ATK-5: checks R2, enters the next epoch and makes R3."""
    now, later = suite_of(epoch.suite), suite_of(step.next_suite)
    reader = Reader(r2)
    nonce, sealed, tag = reader.raw(32), reader.framed(), reader.framed(64)
    reader.end()
    context = place.context(epoch.number, step.nonce)
    body = Reader(open_once(now, epoch.ratchet_key, 'ratchetR2Seal', context, nonce, b'', sealed))
    ct_e, q, stage, node_code_nonce = body.framed(4096), body.raw(32), body.text(64), body.raw(32)
    body.end()
    if stage not in (step.stage, epoch.stage):
        raise ProtocolError('BAD_STAGE', 'a stage that was not asked for')
    ss_e = later.kem.decapsulate(step.ephemeral_secret, ct_e)
    transcript = later.hash(framed(step.message) + nonce + framed(sealed))
    number = epoch.number + 1
    bound = place.context(number, later.hash(framed(transcript) + framed(stage.encode())))
    key = derive(later, [epoch.ratchet_key, step.ss_s, ss_e, q], 'ratchetEpoch', bound)
    check_tag(later.mac(expand(later, key, 'ratchetNode', bound), transcript), tag, 'R2')
    r3 = preamble(place.network_id) + place.device_id + text(place.node_id) + u64(number) + step.code_nonce
    mac_key = expand(later, key, 'ratchetDevice', bound)
    r3 += framed(later.mac(mac_key, framed(transcript) + step.code_nonce))
    return Entered(
        epoch=enter_epoch(later, key, number, bound, stage),
        transcript=transcript,
        q=q,
        acknowledgement=later.mac(expand(later, key, 'ratchetAck', bound), transcript),
        code_nonce=step.code_nonce,
        node_code_nonce=node_code_nonce,
        message=r3,
    )


def prove(place: Place, newest: Epoch, former: Epoch | None, challenge: bytes) -> bytes:
    """ATK-9: shows the newest state after a challenge."""
    claim = preamble(place.network_id) + place.device_id + text(place.node_id)
    claim += u64(newest.number) + u64(newest.counter) + challenge

    def tag_under(epoch: Epoch, data: bytes) -> bytes:
        suite = suite_of(epoch.suite)
        key = expand(suite, epoch.evidence_key, 'ratchetChallenge', place.context(epoch.number))
        return suite.mac(key, data)

    shown = framed(claim) + framed(tag_under(newest, claim))
    return shown + framed(tag_under(former, shown) if former else b'')


def promotion_code(steps: dict[str, Entered]) -> str:
    """ATK-10, over the last step at each node."""
    parts = listed(
        text(node_id) + framed(step.transcript) + step.code_nonce + step.node_code_nonce
        for node_id, step in sorted(steps.items(), key=lambda item: item[0].encode())
    )
    return to_base32(domain_hash('ratchetCode', parts)[:5])


def take_session_keys(place: Place, epoch: Epoch) -> tuple[bytes, Context, Epoch]:
    """SES-1: mk_c, its context, and the epoch with the chain moved on."""
    if epoch.number == 0:
        raise ProtocolError('EPOCH_UNUSED', 'epoch 0 opens no session')
    suite = suite_of(epoch.suite)
    context = replace(place.context(epoch.number), epoch=u64(epoch.number) + u64(epoch.counter))
    key = expand(suite, epoch.chain_key, 'sessionKey', context)
    chain_key = expand(suite, epoch.chain_key, 'sessionNext', context)
    return key, context, replace(epoch, chain_key=chain_key, counter=epoch.counter + 1)
