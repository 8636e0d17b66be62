"""Protobuf on the wire for the messages of proto/ that a device needs, without generated code."""

from typing import Any

from errors import ProtocolError

# Per message: field number -> (name, kind). A kind is 'bytes', 'string', 'number', 'flag' or the name of a
# message; '*' before it means repeated.
Fields = dict[int, tuple[str, str]]

MESSAGES: dict[str, Fields] = {
    'GetDescriptorRequest': {},
    'GetDescriptorResponse': {
        1: ('descriptor', 'bytes'),
        2: ('signature', 'bytes'),
        3: ('root_public_key', 'bytes'),
        4: ('policy', 'ControlNotice'),
    },
    'OfferRequest': {1: ('node', 'string'), 2: ('offer', 'bytes')},
    'OfferResponse': {1: ('answer', 'bytes')},
    'ConfirmRequest': {1: ('node', 'string'), 2: ('confirmation', 'bytes')},
    'ConfirmResponse': {1: ('acknowledgement', 'bytes')},
    'StepRequest': {1: ('node', 'string'), 2: ('r1', 'bytes')},
    'StepResponse': {1: ('r2', 'bytes'), 2: ('challenge', 'bytes')},
    'CommitRequest': {1: ('node', 'string'), 2: ('r3', 'bytes')},
    'CommitResponse': {1: ('r4', 'bytes')},
    'ProveRequest': {1: ('node', 'string'), 2: ('proof', 'bytes')},
    'ProveResponse': {},
    'OpenRequest': {1: ('node', 'string'), 2: ('open', 'bytes')},
    'OpenResponse': {1: ('answer', 'bytes'), 2: ('challenge', 'bytes')},
    'AttachRequest': {1: ('home', 'string'), 2: ('addresses', '*string'), 3: ('last_event', 'number')},
    'AttachResponse': {
        1: ('last_event', 'number'),
        2: ('descriptor_version', 'number'),
        3: ('stage', 'string'),
    },
    'CloseRequest': {},
    'CloseResponse': {},
    'Sealed': {
        1: ('session', 'bytes'),
        2: ('seq', 'number'),
        3: ('ciphertext', 'bytes'),
        4: ('node', 'string'),
    },
    'Refusal': {1: ('code', 'string'), 2: ('message', 'string')},
    'ConnectRequest': {1: ('calls', '*Call')},
    'Call': {1: ('id', 'number'), 2: ('method', 'string'), 3: ('sealed', 'Sealed')},
    'ConnectResponse': {1: ('replies', '*Reply'), 2: ('events', '*Event')},
    'Reply': {1: ('id', 'number'), 2: ('sealed', 'Sealed'), 3: ('transport_error', 'string')},
    'Event': {1: ('node', 'string'), 2: ('sealed', 'Sealed')},
    'DeviceEvent': {
        1: ('number', 'number'),
        2: ('delivery', 'Delivery'),
        3: ('message', 'PeerMessage'),
        4: ('notice', 'ControlNotice'),
    },
    'ControlNotice': {1: ('event', 'bytes'), 2: ('signatures', '*ControlSignature')},
    'ControlSignature': {1: ('administrator', 'bytes'), 2: ('signature', 'bytes')},
    'Limits': {1: ('lifetime_seconds', 'number'), 2: ('uses', 'number')},
    'Presence': {1: ('online', 'flag'), 2: ('addresses', '*string')},
    'NegotiateRequest': {1: ('header', 'bytes'), 2: ('share', 'bytes'), 3: ('ephemeral_key', 'bytes')},
    'NegotiateResponse': {
        1: ('header_hash', 'bytes'),
        2: ('granted', 'Limits'),
        3: ('responder', 'Presence'),
    },
    'Delivery': {
        1: ('header', 'bytes'),
        2: ('share', 'bytes'),
        3: ('ephemeral_key', 'bytes'),
        4: ('granted', 'Limits'),
        5: ('initiator', 'Presence'),
    },
    'AcknowledgeRequest': {1: ('key_ids', '*bytes')},
    'AcknowledgeResponse': {},
    'RelayRequest': {1: ('peer', 'bytes'), 2: ('message', 'bytes')},
    'RelayResponse': {1: ('handed_over', 'flag')},
    'PeerMessage': {1: ('peer', 'bytes'), 2: ('message', 'bytes')},
    'ReportRequest': {
        1: ('key_id', 'bytes'),
        2: ('node', 'string'),
        3: ('initiator', 'bytes'),
        4: ('reason', 'string'),
        5: ('header_hash', 'bytes'),
        6: ('evidence', 'bytes'),
    },
    'ReportResponse': {},
}

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
DEFAULTS = {'bytes': b'', 'string': '', 'number': 0, 'flag': False}


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _payload(kind: str, value: Any) -> bytes:
    if kind == 'bytes':
        return value
    return value.encode() if kind == 'string' else encode(kind, value)


def encode(message: str, values: dict[str, Any]) -> bytes:
    """Fields that are missing or have their default are left out, as proto3 does."""
    out = b''
    for number, (name, kind) in MESSAGES[message].items():
        repeated = kind.startswith('*')
        kind = kind.lstrip('*')
        given = values.get(name, [] if repeated else None)
        for value in given if repeated else [given]:
            if value is None or (not repeated and value == DEFAULTS.get(kind)):
                continue
            if kind in ('number', 'flag'):
                out += _varint(number << 3 | VARINT) + _varint(int(value))
            else:
                data = _payload(kind, value)
                out += _varint(number << 3 | LENGTH) + _varint(len(data)) + data
    return out


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ProtocolError('BAD_MESSAGE', 'cut protobuf bytes')
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ProtocolError('BAD_MESSAGE', 'a varint of more than ten bytes')


def _read_field(data: bytes, at: int) -> tuple[int, int | bytes, int]:
    key, at = _read_varint(data, at)
    form = key & 7
    if form == VARINT:
        value, at = _read_varint(data, at)
        return key >> 3, value, at
    if form == LENGTH:
        length, at = _read_varint(data, at)
    elif form in (FIXED64, FIXED32):
        length = 8 if form == FIXED64 else 4
    else:
        raise ProtocolError('BAD_MESSAGE', 'an unknown wire type')
    if at + length > len(data):
        raise ProtocolError('BAD_MESSAGE', 'cut protobuf bytes')
    return key >> 3, data[at : at + length], at + length


def _value(kind: str, raw: int | bytes) -> Any:
    if kind in ('number', 'flag'):
        if not isinstance(raw, int) or raw > 2**53 - 1:
            raise ProtocolError('BAD_MESSAGE', 'a number of the wrong form')
        return bool(raw) if kind == 'flag' else raw
    if not isinstance(raw, bytes):
        raise ProtocolError('BAD_MESSAGE', 'a field of the wrong type')
    if kind == 'bytes':
        return raw
    if kind != 'string':
        return decode(kind, raw)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ProtocolError('BAD_MESSAGE', 'a string that is not UTF-8') from None


def decode(message: str, data: bytes) -> dict[str, Any]:
    """Each scalar field is there, by default if need be; an absent message is None."""
    fields = MESSAGES[message]
    values: dict[str, Any] = {
        name: [] if kind.startswith('*') else DEFAULTS.get(kind) for name, kind in fields.values()
    }
    at = 0
    while at < len(data):
        number, raw, at = _read_field(data, at)
        if number not in fields:
            continue
        name, kind = fields[number]
        if kind.startswith('*'):
            values[name].append(_value(kind[1:], raw))
        else:
            values[name] = _value(kind, raw)
    return values
