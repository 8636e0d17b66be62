"""The one exception of this device: a stable code of docs/protocol/10-errors.md and a sentence."""


class ProtocolError(Exception):
    """A message, a reply or a state that the protocol does not allow."""

    def __init__(self, code: str, message: str):
        super().__init__(f'{code}: {message}')
        self.code = code
        self.message = message
