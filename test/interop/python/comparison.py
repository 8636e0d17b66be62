"""How values are held against the vectors."""

from typing import Any, Callable

from errors import ProtocolError

Values = dict[str, Any]
Raw = bytes.fromhex


class Tally:
    """How many values were compared."""

    compared = 0


def same(actual: Any, expected: Any, what: str) -> None:
    given = actual.hex() if isinstance(actual, bytes) else actual
    if given != expected:
        raise AssertionError(f'{what}: {given} is not {expected}')
    Tally.compared += 1


def valid(action: Callable[[], Any]) -> bool:
    try:
        action()
    except ProtocolError:
        return False
    return True
