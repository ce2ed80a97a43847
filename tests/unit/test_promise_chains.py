"""Chains of envelopes: nobody goes on with another's, upwards or downwards, and none begins before its beginning."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.sections import Household

from zegel_client.engine.chains import Chains
from zegel_protocol.errors import ErrorCode, ObjectError


def test_nobody_goes_on_with_the_chain_of_another() -> None:
    house = Household.found()
    author = house.author(house.worker)
    first, second = author.seal({}), author.seal({})
    other = house.client.account
    upwards, downwards = Chains(), Chains()
    upwards.take_next(first.header, first.hash, is_whole_below=True)
    with pytest.raises(ObjectError) as fault:
        upwards.take_next(replace(second.header, author=other), second.hash, is_whole_below=True)
    assert fault.value.code is ErrorCode.CHAIN
    downwards.take_next(second.header, second.hash, is_whole_below=False)
    with pytest.raises(ObjectError) as fault:
        downwards.take_previous(replace(first.header, author=other), first.hash)
    assert fault.value.code is ErrorCode.CHAIN


def test_no_envelope_stands_before_the_first_of_a_chain() -> None:
    house = Household.found()
    header = replace(house.author(house.worker).seal({}).header, sequence=0, prev=b"?" * 32)
    with pytest.raises(ObjectError) as fault:
        Chains().take_next(header, b"!" * 32, is_whole_below=False)
    assert fault.value.code is ErrorCode.CHAIN
    with pytest.raises(ObjectError) as fault:
        Chains().take_previous(header, b"!" * 32)
    assert fault.value.code is ErrorCode.CHAIN
