"""The primitives against the vectors of test/vectors/primitives."""

import json
from pathlib import Path
from typing import Any

import mldsa
from comparison import Raw, Values, same, valid
from suites import SUITES


def check_kem(kem: Any, vectors: Values) -> None:
    for case in vectors['keygen']:
        same(kem.key_pair(Raw(case['seed']))[1], case['secretKey'], case['source'])
        same(kem.key_pair(Raw(case['seed']))[0], case['publicKey'], case['source'])
    for case in vectors['encapsulation']:
        ct, ss = kem.encapsulate(Raw(case['publicKey']), Raw(case['coins']))
        same(ct, case['ciphertext'], case['source'])
        same(ss, case['sharedSecret'], case['source'])
    for case in vectors['decapsulation']:
        ss = kem.decapsulate(Raw(case['secretKey']), Raw(case['ciphertext']))
        same(ss, case['sharedSecret'], case['source'])
    for case in vectors['publicKeyCheck']:
        accepted = valid(lambda: kem.check_public_key(Raw(case['publicKey'])))
        same(accepted, case['valid'], case['source'])


def check_primitives(folder: Path) -> None:
    def read(name: str) -> Any:
        return json.loads((folder / f'{name}.json').read_text())

    check_kem(SUITES[1].kem, read('ml-kem-768'))
    check_kem(SUITES[2].kem, read('ml-kem-1024'))
    for case in read('x-wing'):
        public_key, secret_key = SUITES[3].kem.key_pair(Raw(case['seed']))
        ct, ss = SUITES[3].kem.encapsulate(public_key, Raw(case['coins']))
        same(public_key, case['publicKey'], case['source'])
        same(ct, case['ciphertext'], case['source'])
        same(ss, case['sharedSecret'], case['source'])
        same(SUITES[3].kem.decapsulate(secret_key, ct), case['sharedSecret'], case['source'])
    signatures = read('ml-dsa-65')
    for case in signatures['verify'] + signatures['sign']:
        fields = (Raw(case[name]) for name in ('publicKey', 'context', 'message', 'signature'))
        same(mldsa.verify(*fields), case.get('valid', True), case['source'])
    for name, suite_id in (('aes256Gcm', 1), ('chacha20Poly1305', 2)):
        for case in read('aead')[name]:
            suite, key, nonce, aad = SUITES[suite_id], Raw(case['key']), Raw(case['nonce']), Raw(case['aad'])
            opened = valid(lambda: suite.open(key, nonce, aad, Raw(case['sealed'])))
            same(opened, case['valid'], case['source'])
