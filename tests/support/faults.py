"""The faults for which something is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zegel_protocol.errors import ErrorCode
from zegel_protocol.fields import FaultCode, InvalidRecordError

if TYPE_CHECKING:
    from collections.abc import Callable


def faults_of(make: Callable[..., object], *arguments: object) -> list[tuple[str, FaultCode]]:
    """Calls what must refuse, and returns each fault with its field."""
    with pytest.raises(InvalidRecordError) as caught:
        make(*arguments)
    assert caught.value.code is ErrorCode.INVALID
    return [(fault.field, fault.code) for fault in caught.value.faults]
