"""Open calls to a node over gRPC (docs/protocol/09-services.md), without generated code."""

import time
from typing import Any

import grpc

import wire
from errors import ProtocolError

NETWORK = '/symmetra.network.v1.NetworkService/'
ENROLMENT = '/symmetra.enrolment.v1.EnrolmentService/'
RATCHET = '/symmetra.ratchet.v1.RatchetService/'
SESSION = '/symmetra.session.v1.SessionService/'
PAIRWISE = '/symmetra.pairwise.v1.PairwiseService/'

TIMEOUT_SECONDS = 15
ATTEMPTS = 4
AGAIN = ('NODE_UNREACHABLE', 'DEADLINE_EXCEEDED', 'RATE_LIMITED', 'TRANSPORT_FAILED')

MADE_BY_GRPC = {
    grpc.StatusCode.UNAVAILABLE: 'NODE_UNREACHABLE',
    grpc.StatusCode.DEADLINE_EXCEEDED: 'DEADLINE_EXCEEDED',
    grpc.StatusCode.UNIMPLEMENTED: 'METHOD_NOT_ALLOWED',
    grpc.StatusCode.RESOURCE_EXHAUSTED: 'MESSAGE_TOO_LARGE',
}


def as_protocol_error(error: grpc.RpcError) -> ProtocolError:
    metadata = dict(error.trailing_metadata() or ())
    code = metadata.get('symmetra-code') or MADE_BY_GRPC.get(error.code(), 'TRANSPORT_FAILED')
    return ProtocolError(code, error.details() or 'no details')


class NodeClient:
    """One connection to one node, which relays to every other."""

    def __init__(self, address: str):
        self.address = address
        self.channel = grpc.insecure_channel(address)

    def call(self, method: str, values: dict[str, Any]) -> dict[str, Any]:
        """An open call; where only transport failed, the identical bytes go out again."""
        name = method.rsplit('/', 1)[1]
        request = wire.encode(f'{name}Request', values)
        send = self.channel.unary_unary(method)
        for attempt in range(ATTEMPTS):
            try:
                return wire.decode(f'{name}Response', send(request, timeout=TIMEOUT_SECONDS))
            except grpc.RpcError as failure:
                error = as_protocol_error(failure)
                if error.code not in AGAIN or attempt == ATTEMPTS - 1:
                    raise error from None
                time.sleep(0.2 * 2**attempt)
        raise ProtocolError('NODE_UNREACHABLE', 'the node did not answer')

    def close(self) -> None:
        self.channel.close()
