"""Padding: sizes that tell little, and one form for each payload. What is refused is in the vectors."""

import pytest

from zegel_protocol.errors import UsageError
from zegel_protocol.padding import BUCKETS_BYTES, is_bucket, pad, padme, unpad


def test_small_payloads_grow_to_five_sizes() -> None:
    sizes = {len(pad(bytes(size))) for size in range(0, 65_536, 17)}
    assert sizes == set(BUCKETS_BYTES)


@pytest.mark.parametrize("bucket", [*BUCKETS_BYTES, 67_584, 1 << 20])
def test_the_mark_takes_one_byte_of_the_bucket(bucket: int) -> None:
    full = b"x" * (bucket - 1)
    assert len(pad(full)) == bucket
    assert len(pad(full + b"x")) > bucket
    assert unpad(pad(full)) == full


def test_only_sizes_that_padding_gives_are_buckets() -> None:
    assert [size for size in range(-1, 5000) if is_bucket(size)] == [256, 1024, 4096]
    assert is_bucket(65_536)
    assert not is_bucket(65_537)
    assert is_bucket(67_584)


def test_padme_needs_a_length() -> None:
    assert [padme(size) for size in range(1, 12)] == [1, 2, 3, 4, 5, 6, 7, 8, 10, 10, 12]
    with pytest.raises(UsageError):
        padme(0)
