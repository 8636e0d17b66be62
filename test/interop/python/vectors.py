"""Every step of this device against the vectors: `python3 vectors.py <folder of the vectors>`."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import control
import enrolment
import kdf
import pairwise
import ratchet
import session
from comparison import Raw, Tally, Values, same, valid
from encoding import Reader, to_base32
from group_vectors import check_group
from header import Continuity, read_header
from primitive_vectors import check_primitives
from suites import SUITES

class World:
    """What the vectors share: the network of control.json and the token of token.json."""

    def __init__(self, folder: Path):
        self._folder = folder
        published = self.read('control')['CTL-1 descriptor']
        self.descriptor = control.read_descriptor(Raw(published['descriptor']))
        self.published = published
        self.tokens = self.read('token')
        self.token = enrolment.read_token(self.tokens['ENR-1 token']['text'])

    def read(self, name: str) -> Values:
        return json.loads((self._folder / f'{name}.json').read_text())


def check_token(world: World) -> None:
    expected = world.tokens['ENR-1 token']
    same(world.token.network_id, expected['networkId'], 'token: network id')
    same(world.token.secret, expected['secret'], 'token: secret')
    same(world.token.root_hash, expected['rootKeyHash'], 'token: root key hash')
    same(world.token.hints, [expected['hint 1'], expected['hint 2']], 'token: hints')
    same(world.token.expires, int(expected['expiresMs']), 'token: expires')
    same(world.token.id, expected['token id'], 'token id')
    for node_id, case in world.tokens['CTL-4 sealed shares'].items():
        node = world.descriptor.node(node_id)
        same(node.key_hash, case['nodeKeyHash'], f'{node_id}: key hash')
        same(world.token.secret_for(node), case['t_i'], f'{node_id}: t_i')


def check_control(world: World) -> None:
    names = {
        'descriptor': 'descriptor',
        'signature': 'signature',
        'root_public_key': 'root public key',
    }
    response = {field: Raw(world.published[name]) for field, name in names.items()}
    trust = (world.token.network_id, world.token.root_hash)
    same(control.verify_descriptor(response, *trust, 0).version, 7, 'CTL-2 version')
    same(valid(lambda: control.verify_descriptor(response, *trust, 8)), False, 'CTL-2 older version')
    altered = {**response, 'descriptor': response['descriptor'][:-1] + b'\x02'}
    same(valid(lambda: control.verify_descriptor(altered, *trust, 0)), False, 'CTL-2 altered')
    for name, case in world.read('control')['CTL-3 events'].items():
        same(control.event_hash(Raw(case['event'])), case['hash'], name)
        signature = {'administrator': Raw(case['administrator']), 'signature': Raw(case['signature'])}
        notice = {'event': Raw(case['event']), 'signatures': [signature]}
        if 'token-create' not in name:
            same(control.verify_event(notice, world.descriptor).number, int(name.split()[1][:-1]), name)
        altered = {**notice, 'event': notice['event'] + b'\0'}
        same(valid(lambda: control.verify_event(altered, world.descriptor)), False, name)


def check_enrolment(world: World, suite_id: int, case: Values) -> ratchet.Epoch:
    want, node = case['ENR-2 offer'], world.descriptor.node(case['ENR-2 offer']['nodeId'])
    offer = enrolment.make_offer(
        world.token,
        world.token.secret_for(node),
        Raw(want['enrolmentNonce']),
        node,
        int(want['descriptorVersion']),
        suite_id,
        want['name'],
        Raw(want['seed']),
        Raw(want['coins']),
    )
    same(offer.device_id, want['deviceId'], 'ENR-1 device id')
    same(offer.m1, want['m1'], 'ENR-2 m1')
    same(offer.message, want['message'], 'ENR-2 offer')
    want = case['ENR-4 answer']
    confirmation = enrolment.confirm(offer, Raw(want['message']))
    same(confirmation.account, want['account'], 'ENR-4 account')
    same(confirmation.transcript, want['transcriptHash'], 'ENR-4 th')
    same(confirmation.key, want['bootstrap key'], 'ENR-4 bootstrap key')
    same(confirmation.message, case['ENR-5 confirmation']['message'], 'ENR-5 confirmation')
    acknowledgement = Raw(case['ENR-7 acknowledgement']['message'])
    epoch = enrolment.complete(offer, confirmation, acknowledgement, 'bootstrap')
    check_epoch(epoch, case['ATK-1 epoch 0'])
    broken = acknowledgement[:-1] + bytes([acknowledgement[-1] ^ 1])
    same(valid(lambda: enrolment.complete(offer, confirmation, broken, 'bootstrap')), False, 'ENR-8')
    return epoch


def check_epoch(epoch: ratchet.Epoch, want: Values) -> None:
    same(epoch.ratchet_key, want['ratchet key'], 'ATK-1 ratchet key')
    same(epoch.chain_key, want['chain key 0'], 'ATK-1 chain key')
    same(epoch.evidence_key, want['evidence key'], 'ATK-1 evidence key')


def check_step(world: World, place: ratchet.Place, epoch: ratchet.Epoch, case: Values) -> ratchet.Epoch:
    want, node = case['ATK-2 R1'], world.descriptor.node(place.node_id)
    step = ratchet.begin_step(
        place,
        epoch,
        node,
        int(want['next suite']),
        want['stage'],
        Raw(want['nonce']),
        Raw(want['codeNonce']),
        Raw(want['seed']),
        Raw(want['coins']),
    )
    same(step.message, want['message'], 'ATK-2 R1')
    want = case['ATK-4 R2']
    entered = ratchet.finish_step(place, epoch, step, Raw(want['message']))
    same(entered.q, want['q'], 'ATK-4 q')
    same(entered.epoch.stage, want['stage granted'], 'ATK-4 stage')
    same(entered.transcript, want['transcriptHash'], 'ATK-4 th')
    same(entered.message, case['ATK-5 R3']['message'], 'ATK-5 R3')
    same(entered.acknowledgement, case['ATK-7 R4']['message'], 'ATK-7 R4')
    check_epoch(entered.epoch, case['ATK-1 next epoch'])
    return entered.epoch


def check_ratchet(world: World, place: ratchet.Place, first: ratchet.Epoch, case: Values) -> ratchet.Epoch:
    steps = [value for name, value in case.items() if name.startswith('step to epoch')]
    one = check_step(world, place, first, steps[0])
    two = check_step(world, place, one, steps[1])
    challenge = Raw(case['ATK-8 challenge']['nonce'])
    for name, has_former in (('ATK-9 proof, one epoch', False), ('ATK-9 proof, two epochs', True)):
        claim = Reader(Raw(case[name]['claim']))
        claim.raw(1 + 16 + 32)
        claim.text(64)
        number, counter = claim.count(), claim.count()
        newest = replace({1: one, 2: two}[number], counter=counter)
        before = {1: first, 2: one}[number] if has_former else None
        same(ratchet.prove(place, newest, before, challenge), case[name]['message'], name)
    return one


def check_code(case: Values) -> None:
    for name in ('ATK-10 promotion code, one node', 'ATK-10 promotion code, three nodes'):
        digest = kdf.domain_hash('ratchetCode', Raw(case[name]['input']))
        same(digest, case[name]['digest'], name)
        same(to_base32(digest[:5]), case[name]['code'], name)


def check_session(place: ratchet.Place, epoch: ratchet.Epoch, case: Values) -> None:
    want = case['SES-1 open']
    key, context, moved = ratchet.take_session_keys(place, epoch)
    same(key, want['mk 0'], 'SES-1 mk')
    same(moved.chain_key, want['chain key 1'], 'SES-1 chain key')
    opening = session.make_opening(place, epoch, key, context, Raw(want['nonce']))
    same(opening.message, want['message'], 'SES-1 open')
    want = case['SES-3 answer']
    opened, q = session.accept_answer(opening, Raw(want['message']))
    same(q, want['q'], 'SES-3 q')
    same(opened.lifetime, int(want['lifetimeSeconds']), 'SES-3 lifetime')
    same(opened.clock, int(want['clockMs']), 'SES-3 clock')
    messages = case['SES-5 sealed messages']
    call, reply, event = messages['call'], messages['reply'], messages['event']
    seq, ciphertext = opened.seal(call['method'], Raw(call['plaintext']))
    same(ciphertext, call['ciphertext'], 'SES-5 call')
    for message, in_reply_to in ((reply, seq), (event, None)):
        number, sealed = int(message['seq']), Raw(message['ciphertext'])
        plaintext = opened.open(message['method'], number, in_reply_to, sealed)
        same(plaintext, message['plaintext'], 'SES-5 message')
        again = valid(lambda: opened.open(message['method'], number, in_reply_to, sealed))
        same(again, False, 'SES-5 replay')


def check_run(world: World, case: Values, held: list[Continuity]) -> Continuity:
    want = case['PAIR-1 header']
    header = read_header(Raw(want['header']), world.token.network_id)
    seed = Raw(want['seed']) if 'seed' in want else None
    dealt = pairwise.deal(
        world.token.network_id,
        header.suite_id,
        header.initiator,
        header.responder,
        Raw(want['keyId']),
        header.purpose,
        header.key_length,
        header.limits,
        header.threshold,
        header.nodes,
        (header.descriptor_version, header.policy_revision),
        held,
        Raw(want['S']),
        Raw(want['coefficients']),
        seed,
    )
    for i, share in enumerate(dealt.shares):
        same(share, want[f'share {i + 1}'], 'PAIR-1 share')
    same(dealt.encoded, want['header'], 'PAIR-1 header')
    want, limits = case['PAIR-7 response'], case['PAIR-3 limits granted by each node']
    shares = {1: dealt.shares[0], 3: dealt.shares[2]}
    key, response = pairwise.respond(
        header,
        dealt.encoded,
        shares,
        dealt.ephemeral_key,
        (int(limits['lifetimeSeconds']), int(limits['uses'])),
        pairwise.choose_offer(header, held),
        Raw(want['nonce']),
        Raw(want.get('coins', '')),
    )
    same(response, want['message'], 'PAIR-7 response')
    same(key.application, want['application key'], 'PAIR-7 application key')
    same(key.tls, want['TLS key'], 'PAIR-7 TLS key')
    same(key.continuity.secret, want['continuity secret'], 'PAIR-7 continuity secret')
    same(key.continuity.id, want['continuity id'], 'PAIR-7 continuity id')
    same(key.fingerprint, want['fingerprint'], 'PAIR-7 fingerprint')
    accepted = pairwise.accept_response(dealt, pairwise.read_peer_message(response), bool(held))
    same(accepted.application, want['application key'], 'PAIR-8 application key')
    same(accepted.confirmation(), case['PAIR-8 confirmation']['message'], 'PAIR-8 confirmation')
    same(key.acknowledgement(), case['PAIR-9 acknowledgement']['message'], 'PAIR-9 acknowledgement')
    return key.continuity


def check_pairwise(world: World, case: Values) -> None:
    first = check_run(world, case['first contact, direct KEM'], [])
    check_run(world, case['continued, no direct KEM'], [first])
    want = case['PAIR-7 refusal']
    header = read_header(Raw(want['header']), world.token.network_id)
    refusal = pairwise.refuse(header, Raw(want['header']), Raw(want['S']), want['code'])
    same(refusal, want['message'], 'PAIR-7 refusal')


def main(folder: Path) -> None:
    check_primitives(folder / 'primitives' / 'data')
    world = World(folder / 'protocol' / 'data')
    check_token(world)
    check_control(world)
    enrolments, ratchets = world.read('enrolment'), world.read('ratchet')
    sessions, pairs, groups = (world.read(name) for name in ('session', 'pairwise', 'group'))
    for suite_id in SUITES:
        name = f'suite {suite_id}'
        first = check_enrolment(world, suite_id, enrolments[name])
        offer = enrolments[name]['ENR-2 offer']
        place = ratchet.Place(world.token.network_id, Raw(offer['deviceId']), offer['nodeId'])
        epoch = check_ratchet(world, place, first, ratchets[name])
        check_code(ratchets[name])
        check_session(place, epoch, sessions[name])
        check_pairwise(world, pairs[name])
        check_group(world.descriptor, world.token.network_id, groups[name])
    print(json.dumps({'checked': Tally.compared}))


if __name__ == '__main__':
    main(Path(sys.argv[1]))
