"""The fuzzer finds what it is made to find, and begins from inputs that every decoder takes."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.append(str(Path(__file__).parents[2] / "bench"))

from fuzz import fuzz
from fuzz_targets import Target, list_targets

from zegel_protocol.errors import ErrorCode, ObjectError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

SHORT_S = 0.05


def refuse(_: bytes) -> None:
    raise ObjectError(ErrorCode.ENCODING)


def misuse(_: bytes) -> None:
    raise UsageError("ours")


def stumble(data: bytes) -> None:
    if b"\xff" in data:
        raise KeyError(data)


def run(decoder: Callable[[bytes], object]) -> tuple[int, int, list[str]]:
    target = Target("a decoder", (b"\x93\x01\x02\xc4\x02ab",), decoder)
    tried, refused, findings = fuzz([target], SHORT_S, random.Random(1))
    return tried, refused, [finding.error.partition(" ")[0] for finding in findings]


def test_refusing_is_no_finding() -> None:
    tried, refused, findings = run(refuse)
    assert tried == refused > 0
    assert findings == []


def test_taking_everything_is_no_finding() -> None:
    assert run(len)[1:] == (0, [])


def test_any_other_error_is_found_once() -> None:
    assert run(misuse)[2] == ["UsageError"]
    assert run(stumble)[2] == ["KeyError"]


def test_every_decoder_takes_its_samples() -> None:
    targets = list_targets(random.Random(1))
    assert len({target.name for target in targets}) == len(targets)
    assert {"frame of a client", "frame of a server", "envelope in a page"} <= {target.name for target in targets}
