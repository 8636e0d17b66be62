"""The steps of a group's member against group.json."""

import group
from comparison import Raw, Values, same, valid
from control import Descriptor
from kdf import split_secret

PLACE = 0


def check_group(descriptor: Descriptor, network_id: bytes, case: Values) -> None:
    epochs = [value for value in case.values() if isinstance(value, dict) and 'header' in value]
    same(len(epochs), 4, 'four epochs')
    devices = {name: Raw(value) for name, value in case['members'].items()}
    five = ['Alice', 'Bob', 'Carol', 'Dave', 'Eve']
    without = {place: devices[name] for place, name in enumerate(five) if name != 'Carol'}
    rosters = [
        {place: devices[name] for place, name in enumerate(five)},
        without,
        {**without, 2: devices['Frank']},
        {**without, 2: devices['Frank']},
    ]
    headers = [group.read_group_header(Raw(epoch['header']), network_id) for epoch in epochs]
    for epoch, header, roster in zip(epochs, headers, rosters):
        check_epoch(epoch, header, roster)
    alice = group.Member(
        {
            node_id: path_of(node, headers[0])
            for node_id, node in epochs[0]['nodes'].items()
        }
    )
    for before, epoch, header in zip(epochs, epochs[1:], headers[1:]):
        check_broadcasts(descriptor, alice, before, epoch, header)
    check_signed(descriptor, network_id, case, headers[-1])
    check_message(case, epochs[-1], headers[-1])


def path_of(node: Values, header: group.GroupHeader) -> group.Path:
    keys = node['tree keys by level/index']
    path = [Raw(keys[f'{level}/{PLACE >> level}']) for level in range(header.height + 1)]
    return group.Path(PLACE, int(node['step']), header.epoch_id, path)


def check_epoch(epoch: Values, header: group.GroupHeader, roster: dict[int, bytes]) -> None:
    same(group.roster_root(roster, header.height), epoch['roster root'], 'GRP-2 roster root')
    same(header.roster_root, epoch['roster root'], 'GRP-2 roster root in the header')
    same(header.members, len(roster), 'GRP-1 members')
    shares = split_secret(Raw(epoch['S']), header.threshold, 3, Raw(epoch['coefficients']))
    for place, part in enumerate([Raw(epoch['S']), *shares]):
        header.check_commitment(place, part)
        same(header.commitments[place], epoch[f'commitment {place}'], 'GRP-1 commitment')
    for place, share in enumerate(shares):
        same(share, epoch[f'share {place + 1}'], 'GRP-3 share')
    secrets = group.rebuild(header, Raw(epoch['tag']), {1: shares[0], 3: shares[2]})
    same(header.epoch_id, epoch['epoch id'], 'GRP-1 epoch id')
    same(header.deal_hash(secrets.tag), epoch['deal hash'], 'GRP-5 deal hash')
    check_secrets(secrets, epoch)
    swapped = {1: shares[1], 3: shares[2]}
    same(valid(lambda: group.rebuild(header, secrets.tag, swapped)), False, 'GRP-9 other shares')


def check_secrets(secrets: group.GroupSecrets, epoch: Values) -> None:
    same(secrets.key, epoch['G'], 'GRP-3 G')
    same(secrets.check_key, epoch['check key'], 'GRP-3 check key')
    same(secrets.tag, epoch['tag'], 'GRP-3 tag')
    same(secrets.application, epoch['application key'], 'GRP-3 application key')
    same(secrets.message, epoch['message key'], 'GRP-3 message key')
    same(secrets.fingerprint, epoch['fingerprint'], 'GRP-3 fingerprint')


def check_broadcasts(
    descriptor: Descriptor, alice: group.Member, before: Values, epoch: Values, header: group.GroupHeader
) -> None:
    held = None
    for node_id, node in epoch['nodes'].items():
        want = node['GRP-7 broadcast']
        said = group.read_signed(Raw(want['content']), header.network_id)
        same(said.node_id, node_id, 'GRP-7 node')
        same(said.previous, before['epoch id'], 'GRP-7 from')
        same(said.nonce, want['nonce'], 'GRP-7 nonce')
        for (level, index), seal in said.seals.items():
            same(seal, want['seals'][f'under {level}/{index}'], 'GRP-7 seal')
        if 'signature' in want:
            signature = Raw(want['signature'])
            group.check_signature(descriptor, node_id, Raw(want['content']), signature)
            altered = Raw(want['content'])[:-1] + b'\0'
            refused = valid(lambda: group.check_signature(descriptor, node_id, altered, signature))
            same(refused, False, 'GRP-9 altered')
        held = alice.hear(said) or held
        check_tree(before['nodes'][node_id], node, said)
        path = alice.paths[node_id]
        same(b''.join(path.keys), b''.join(path_of(node, header).keys).hex(), 'GRP-9 path')
        same(valid(lambda: alice.hear(said)), False, 'GRP-9 heard before')
    assert held is not None
    check_secrets(held, epoch)


def check_tree(before: Values, after: Values, said: group.Broadcast) -> None:
    """GRP-6: what is not below a place that changed went one step on."""
    changed = {
        place
        for first, count in [*said.vacated, *said.taken]
        for place in range(first, first + count)
    }
    old, new = (node['tree keys by level/index'] for node in (before, after))
    for name in old.keys() & new.keys():
        level, index = map(int, name.split('/'))
        if not any(place >> level == index for place in changed):
            at = (level, index)
            key = group.next_tree_key(said.header, said.node_id, said.step, at, Raw(old[name]))
            same(key, new[name], 'GRP-6 next')


def check_signed(
    descriptor: Descriptor, network_id: bytes, case: Values, header: group.GroupHeader
) -> None:
    want = case['GRP-10 notice of amsterdam: Bob left']
    said = group.read_signed(Raw(want['content']), network_id)
    same(said.epoch, header.epoch, 'GRP-10 epoch')
    same(said.epoch_id, header.epoch_id.hex(), 'GRP-10 epoch id')
    same([one.hex() for one in said.out], [case['members']['Bob']], 'GRP-10 out')
    same([one.hex() for one in said.order], [case['members']['Alice']], 'GRP-10 order')
    same((said.reason, said.bound), (1, 10), 'GRP-10 reason and bound')
    group.check_signature(descriptor, said.node_id, Raw(want['content']), Raw(want['signature']))


def check_message(case: Values, epoch: Values, header: group.GroupHeader) -> None:
    want = case['GRP-12 message of Alice in the last epoch']
    secrets = group.group_secrets(header, Raw(epoch['S']))
    message, aad = Raw(want['message']), Raw(want['aad'])
    same(group.open_message(header, secrets, message, aad), want['plaintext'], 'GRP-12 plaintext')
    same(valid(lambda: group.open_message(header, secrets, message, aad + b'!')), False, 'GRP-12 aad')
