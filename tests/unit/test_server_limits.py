"""Limits on how often, origins, and addresses."""

from __future__ import annotations

import pytest
from support.wire import FakeClock

from zegel_protocol.account import Action
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_server.http.addresses import group_of
from zegel_server.services.challenges import Challenges
from zegel_server.services.limits import Bucket, Window
from zegel_server.services.refusal import RefusedError


def test_a_bucket_refills_as_time_goes_on() -> None:
    clock = FakeClock(1_000_000)
    bucket: Bucket[str] = Bucket(clock, per_second=2, burst=3)
    for _ in range(3):
        bucket.take("a")
    with pytest.raises(RefusedError) as found:
        bucket.take("a")
    assert (found.value.code, found.value.retry_after_ms) == (ErrorCode.RATE_LIMITED, 501)
    bucket.take("b")
    clock.ms += 501
    bucket.take("a")
    with pytest.raises(RefusedError):
        bucket.take("a")
    # A clock that goes back gives nothing, and takes nothing.
    clock.ms -= 10_000
    with pytest.raises(RefusedError):
        bucket.take("a")


def test_a_window_forgets_what_is_old() -> None:
    clock = FakeClock(1_000_000)
    window: Window[str] = Window(clock, most=2, window_ms=1000)
    window.take("a")
    clock.ms += 600
    window.take("a")
    with pytest.raises(RefusedError) as found:
        window.check("a")
    assert found.value.retry_after_ms == 400
    window.check("b")
    clock.ms += 400
    window.take("a")
    with pytest.raises(RefusedError):
        window.take("a")


def test_challenges_are_bounded_and_used_once() -> None:
    clock = FakeClock(1_000_000)
    challenges = Challenges(clock, most=3)
    drawn = [challenges.draw(b"handle", Action.LOG_IN) for _ in range(4)]
    with pytest.raises(ProtocolError):
        challenges.use(drawn[0], b"handle", Action.LOG_IN)
    challenges.use(drawn[1], b"handle", Action.LOG_IN)
    for challenge, handle, action in (
        (drawn[1], b"handle", Action.LOG_IN),
        (drawn[2], b"other", Action.LOG_IN),
        (drawn[3], b"handle", Action.STEP_UP),
        # Used up by the wrong try.
        (drawn[3], b"handle", Action.LOG_IN),
    ):
        with pytest.raises(ProtocolError) as found:
            challenges.use(challenge, handle, action)
        assert found.value.code is ErrorCode.CHALLENGE
    late = challenges.draw(b"handle", Action.LOG_IN)
    clock.ms += 60_000
    with pytest.raises(ProtocolError):
        challenges.use(late, b"handle", Action.LOG_IN)


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("unix", "unknown"),
        ("", "unknown"),
    ],
)
def test_an_ipv6_network_counts_as_one_address(address: str, group: str) -> None:
    assert group_of(address) == group
