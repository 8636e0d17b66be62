"""The canonical encoding and the text forms of docs/protocol/01-encoding.md."""

import base64
import binascii
from typing import Callable, Iterable, TypeVar

from errors import ProtocolError

Item = TypeVar('Item')

MAX_COUNT = 2**53 - 1


def u8(value: int) -> bytes:
    return value.to_bytes(1, 'big')


def u16(value: int) -> bytes:
    return value.to_bytes(2, 'big')


def u32(value: int) -> bytes:
    return value.to_bytes(4, 'big')


def u64(value: int) -> bytes:
    if value > MAX_COUNT:
        raise ProtocolError('BAD_ENCODING', 'a count is above 2^53 - 1')
    return value.to_bytes(8, 'big')


def framed(value: bytes) -> bytes:
    """The field that the documents call `bytes`."""
    return u16(len(value)) + value


def text(value: str) -> bytes:
    return framed(value.encode('utf-8'))


def listed(items: Iterable[bytes]) -> bytes:
    encoded = list(items)
    return u16(len(encoded)) + b''.join(encoded)


def preamble(network_id: bytes) -> bytes:
    return u8(1) + network_id


class Reader:
    """Reads fields in order; every breach of a rule is BAD_ENCODING."""

    def __init__(self, data: bytes):
        self._data = data
        self._at = 0

    def raw(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._data):
            raise ProtocolError('BAD_ENCODING', 'a field runs past the last byte')
        value = self._data[self._at : end]
        self._at = end
        return value

    def u8(self) -> int:
        return self.raw(1)[0]

    def u16(self) -> int:
        return int.from_bytes(self.raw(2), 'big')

    def u32(self) -> int:
        return int.from_bytes(self.raw(4), 'big')

    def count(self) -> int:
        value = int.from_bytes(self.raw(8), 'big')
        if value > MAX_COUNT:
            raise ProtocolError('BAD_ENCODING', 'a count is above 2^53 - 1')
        return value

    def flag(self) -> bool:
        value = self.u8()
        if value > 1:
            raise ProtocolError('BAD_ENCODING', 'a flag is neither 0 nor 1')
        return value == 1

    def framed(self, bound: int = 0xFFFF) -> bytes:
        length = self.u16()
        if length > bound:
            raise ProtocolError('BAD_ENCODING', 'a field is longer than its bound')
        return self.raw(length)

    def text(self, bound: int = 0xFFFF) -> str:
        try:
            return self.framed(bound).decode('utf-8')
        except UnicodeDecodeError:
            raise ProtocolError('BAD_ENCODING', 'a text is not well-formed UTF-8') from None

    def listed(self, read: Callable[[], Item], bound: int = 0xFFFF) -> list[Item]:
        length = self.u16()
        if length > bound:
            raise ProtocolError('BAD_ENCODING', 'a list is longer than its bound')
        return [read() for _ in range(length)]

    def preamble(self, network_id: bytes) -> None:
        if self.u8() != 1:
            raise ProtocolError('WRONG_VERSION', 'another version of the protocol')
        if self.raw(16) != network_id:
            raise ProtocolError('WRONG_NETWORK', 'it belongs to another network')

    def at_end(self) -> bool:
        return self._at == len(self._data)

    def end(self) -> None:
        if not self.at_end():
            raise ProtocolError('BAD_ENCODING', 'bytes after the last field')


def to_base32(value: bytes) -> str:
    return base64.b32encode(value).decode('ascii').lower().rstrip('=')


def from_base32(value: str) -> bytes:
    padded = value.upper() + '=' * (-len(value) % 8)
    try:
        data = base64.b32decode(padded)
    except binascii.Error:
        raise ProtocolError('BAD_TEXT', 'not base32') from None
    if to_base32(data) != value:
        raise ProtocolError('BAD_TEXT', 'not the one base32 form')
    return data


def to_base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode('ascii').rstrip('=')


def from_base64url(value: str) -> bytes:
    try:
        data = base64.b64decode(value + '=' * (-len(value) % 4), altchars=b'-_', validate=True)
    except (binascii.Error, ValueError):
        raise ProtocolError('BAD_TEXT', 'not base64url') from None
    if to_base64url(data) != value:
        raise ProtocolError('BAD_TEXT', 'not the one base64url form')
    return data
