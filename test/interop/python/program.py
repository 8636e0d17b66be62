"""The device as a program: a JSON command a line on standard input, a JSON object a line on standard output.

`python3 program.py <folder of the state>`. Secrets come in on standard input and leave as files of mode 0600.
"""

import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any

from device import Device
from encoding import from_base32, to_base32
from errors import ProtocolError
from negotiation import Negotiations
from vault import Vault

TICK_SECONDS = 0.25


class Program:
    """Commands, events of the link and the clock, one after the other."""

    def __init__(self, folder: Path):
        self._vault = Vault(folder)
        self._inbox: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._device: Device | None = None
        self._negotiations: Negotiations | None = None

    def run(self) -> None:
        threading.Thread(target=self._read_commands, daemon=True).start()
        while True:
            try:
                kind, content = self._inbox.get(timeout=TICK_SECONDS)
            except queue.Empty:
                if self._negotiations:
                    self._negotiations.tick()
                continue
            if kind == 'end':
                break
            if kind == 'command':
                self._obey(content)
            elif kind == 'event' and self._negotiations:
                self._negotiations.take_event(*content)
            elif kind == 'missed':
                self._open_device().attach(content)
            elif kind == 'link ended':
                self._print({'event': 'link ended', 'code': content})
        if self._device:
            self._device.close()

    def _read_commands(self) -> None:
        for line in sys.stdin:
            if line.strip():
                self._inbox.put(('command', json.loads(line)))
        self._inbox.put(('end', None))

    def _obey(self, command: dict[str, Any]) -> None:
        name = command.pop('do')
        actions = {
            'enrol': self._enrol,
            'ratchet': self._ratchet,
            'connect': self._connect,
            'negotiate': self._negotiate,
            'export': self._export,
        }
        try:
            self._print({'done': name, **actions[name](**command)})
        except ProtocolError as error:
            self._print({'failed': name, 'code': error.code, 'message': error.message})

    def _open_device(self) -> Device:
        if self._device is None:
            self._device = Device.open(self._vault)
        return self._device

    def _enrol(self, token: str, name: str, suite: int = 1) -> dict[str, Any]:
        self._device = Device.enrol(self._vault, token, name, suite)
        return self._status()

    def _ratchet(self, suite: int | None = None) -> dict[str, Any]:
        code = self._open_device().ratchet(suite)
        return {**self._status(), 'code': code}

    def _connect(self) -> dict[str, Any]:
        device = self._open_device()
        self._negotiations = Negotiations(device, self._print)
        device.connect(self._on_event, lambda reason: self._inbox.put(('link ended', reason)))
        return self._status()

    def _on_event(self, node_id: str, event: dict[str, Any], missed: bool) -> None:
        if missed:
            self._inbox.put(('missed', node_id))
        self._inbox.put(('event', (node_id, event)))

    def _negotiate(
        self,
        peer: str,
        purpose: str = 'default',
        keyLength: int = 32,
        lifetime: int = 3600,
        uses: int = 0,
        suite: int = 1,
        directKem: bool = True,
    ) -> dict[str, Any]:
        if self._negotiations is None:
            raise ProtocolError('NOT_CONNECTED', 'the device is not connected')
        key_id = self._negotiations.ask(
            from_base32(peer), purpose, keyLength, (lifetime, uses), suite, directKem
        )
        return {'keyId': key_id.hex()}

    def _export(self, keyId: str, out: str) -> dict[str, Any]:
        """Writes an application key to a new file of mode 0600."""
        held = self._open_device().state.held.get(bytes.fromhex(keyId))
        if held is None or not held.finished:
            raise ProtocolError('KEY_UNKNOWN', 'no finished key with this id')
        with open(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), 'wb') as file:
            file.write(held.key.application)
        return {'keyId': keyId}

    def _status(self) -> dict[str, Any]:
        device = self._open_device()
        chains = device.state.chains
        return {
            'deviceId': to_base32(device.state.device_id),
            'home': device.home,
            'epochs': {node_id: chain.epoch.number for node_id, chain in chains.items()},
            'stages': {node_id: chain.epoch.stage for node_id, chain in chains.items()},
            'suites': {node_id: chain.epoch.suite for node_id, chain in chains.items()},
        }

    def _print(self, report: dict[str, Any]) -> None:
        print(json.dumps(report), flush=True)


if __name__ == '__main__':
    Program(Path(sys.argv[1])).run()
