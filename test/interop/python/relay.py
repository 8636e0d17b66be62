"""Messages to a peer through the home nodes, and reports (docs/protocol/06-pairwise.md)."""

from typing import Any, Callable

from device import Device
from errors import ProtocolError
from nodes import PAIRWISE

Report = Callable[[dict[str, Any]], None]


class Relay:
    """Hands messages to the home node; one that does not arrive goes out again by the clock of its run."""

    def __init__(self, device: Device, report: Report):
        self._device, self._report = device, report

    def send(self, peer: bytes, message: bytes) -> None:
        try:
            values = {'peer': peer, 'message': message}
            self._device.call(self._device.home, PAIRWISE + 'Relay', values)
        except ProtocolError as error:
            self._report({'event': 'refused', 'node': self._device.home, 'code': error.code})

    def accuse(
        self, key_id: bytes, node_id: str, initiator: bytes, reason: str, header_hash: bytes, evidence: bytes
    ) -> None:
        """PAIR-11: told to every node; it changes nothing by itself."""
        values = {
            'key_id': key_id,
            'node': node_id,
            'initiator': initiator,
            'reason': reason,
            'header_hash': header_hash,
            'evidence': evidence,
        }
        for told in self._device.state.chains:
            try:
                self._device.call(told, PAIRWISE + 'Report', values)
            except ProtocolError as error:
                self._report({'event': 'refused', 'node': told, 'code': error.code})
