"""The link to the home node: calls, replies and events on one stream (docs/protocol/09-services.md)."""

import queue
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Callable

import grpc

import wire
from errors import ProtocolError
from nodes import NodeClient, as_protocol_error
from session import EVENT_METHOD, Session

CONNECT = '/symmetra.link.v1.LinkService/Connect'
TIMEOUT_SECONDS = 20

# Called with the node's id, its event, and whether one before it is missing.
EventListener = Callable[[str, dict[str, Any], bool], None]


class Link:
    """Sessions with every node over one stream; a thread of its own reads what comes."""

    def __init__(self, client: NodeClient, on_event: EventListener, on_end: Callable[[str], None]):
        self.sessions: dict[str, Session] = {}
        self._on_event, self._on_end = on_event, on_end
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._calls: dict[int, tuple[Session, str, int, Future[bytes]]] = {}
        self._lock = threading.Lock()
        self._last_call = 0
        self._stream = client.channel.stream_stream(CONNECT)(iter(self._outgoing.get, None))
        threading.Thread(target=self._read, daemon=True).start()

    def call(self, node_id: str, method: str, values: dict[str, Any]) -> dict[str, Any]:
        """A sealed call: its reply, or the error that the node or the transport gave."""
        name = method.rsplit('/', 1)[1]
        outcome: Future[bytes] = Future()
        with self._lock:
            session = self.sessions[node_id]
            seq, ciphertext = session.seal(method, wire.encode(f'{name}Request', values))
            self._last_call += 1
            call_id = self._last_call
            self._calls[call_id] = (session, method, seq, outcome)
        sealed = {'session': session.id, 'seq': seq, 'ciphertext': ciphertext, 'node': node_id}
        frame = {'calls': [{'id': call_id, 'method': method, 'sealed': sealed}]}
        self._outgoing.put(wire.encode('ConnectRequest', frame))
        try:
            plaintext = outcome.result(TIMEOUT_SECONDS)
        except FutureTimeout:
            raise ProtocolError('DEADLINE_EXCEEDED', 'no reply came') from None
        if plaintext[:1] == b'\0':
            return wire.decode(f'{name}Response', plaintext[1:])
        refusal = wire.decode('Refusal', plaintext[1:])
        raise ProtocolError(refusal['code'], refusal['message'])

    def close(self) -> None:
        self._outgoing.put(None)
        self._stream.cancel()

    def _read(self) -> None:
        reason = 'LINK_CLOSED'
        try:
            for data in self._stream:
                frame = wire.decode('ConnectResponse', data)
                for reply in frame['replies']:
                    self._settle(reply)
                for event in frame['events']:
                    self._take(event)
        except grpc.RpcError as failure:
            reason = as_protocol_error(failure).code
        with self._lock:
            waiting, self._calls = list(self._calls.values()), {}
        for *_, outcome in waiting:
            outcome.set_exception(ProtocolError('NODE_UNREACHABLE', 'the link ended'))
        self._on_end(reason)

    def _settle(self, reply: dict[str, Any]) -> None:
        with self._lock:
            call = self._calls.pop(reply['id'], None)
        if call is None:
            return
        session, method, seq, outcome = call
        try:
            if reply['sealed'] is None:
                raise ProtocolError(reply['transport_error'] or 'BAD_MESSAGE', 'the call was not answered')
            sealed = reply['sealed']
            outcome.set_result(session.open(method, sealed['seq'], seq, sealed['ciphertext']))
        except ProtocolError as error:
            outcome.set_exception(error)

    def _take(self, event: dict[str, Any]) -> None:
        """An event that does not verify changes nothing (rule 2 of the overview)."""
        session, sealed = self.sessions.get(event['node']), event['sealed']
        if session is None or sealed is None or sealed['session'] != session.id:
            return
        try:
            plaintext = session.open(EVENT_METHOD, sealed['seq'], None, sealed['ciphertext'])
            content = wire.decode('DeviceEvent', plaintext)
        except ProtocolError:
            return
        missed = content['number'] > session.last_event + 1
        session.last_event = max(session.last_event, content['number'])
        self._on_event(event['node'], content, missed)
