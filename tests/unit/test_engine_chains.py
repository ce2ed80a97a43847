"""Chains of envelopes: what continues one, what breaks it, and what is missing from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.sections import Household

from zegel_client.engine.chains import Chains
from zegel_protocol.epoch import NO_HASH
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError

if TYPE_CHECKING:
    from zegel_protocol.envelope import Header


def hash_of(sequence: int) -> bytes:
    return bytes([sequence]) * 32 if sequence else NO_HASH


@pytest.fixture(scope="module")
def first() -> Header:
    house = Household.found()
    return house.author(house.worker).seal({}).header


def link(first: Header, sequence: int, **changes: object) -> Header:
    return replace(first, sequence=sequence, prev=hash_of(sequence - 1), **changes)


def take(chains: Chains, *headers: Header, is_whole_below: bool = True) -> None:
    for header in headers:
        chains.take_next(header, hash_of(header.sequence), is_whole_below=is_whole_below)


def test_a_chain_goes_on_from_its_first_envelope(first: Header) -> None:
    chains = Chains()
    take(chains, link(first, 1), link(first, 2), link(first, 1, chain=b"x" * 16), link(first, 3))
    chains.verify_begun()


@pytest.mark.parametrize("changes", [{"prev": b"?" * 32}, {"author": b"?" * 16}, {"sequence": 1, "prev": NO_HASH}])
def test_what_does_not_continue_its_chain_is_void(first: Header, changes: dict[str, object]) -> None:
    chains = Chains()
    take(chains, link(first, 1))
    with pytest.raises(ObjectError) as raised:
        take(chains, replace(link(first, 2), **changes))
    assert raised.value.code is ErrorCode.CHAIN
    take(chains, link(first, 2))


@pytest.mark.parametrize("sequence", [0, 1, 2])
def test_only_the_first_envelope_names_none_before_it(first: Header, sequence: int) -> None:
    wrong = replace(first, sequence=sequence, prev=NO_HASH if sequence != 1 else b"?" * 32)
    with pytest.raises(ObjectError) as raised:
        Chains().take_previous(wrong, hash_of(9))
    assert raised.value.code is ErrorCode.CHAIN
    with pytest.raises(ObjectError) as raised:
        Chains().take_next(wrong, hash_of(9), is_whole_below=False)
    assert raised.value.code is ErrorCode.CHAIN


def test_a_missing_envelope_is_a_gap_upwards_and_downwards(first: Header) -> None:
    chains = Chains()
    take(chains, link(first, 4), is_whole_below=False)
    with pytest.raises(HistoryError):
        take(chains, link(first, 6))
    with pytest.raises(HistoryError):
        chains.take_previous(link(first, 2), hash_of(2))
    with pytest.raises(HistoryError):
        take(Chains(), link(first, 2))


def test_what_comes_before_must_be_what_was_named(first: Header) -> None:
    chains = Chains()
    take(chains, link(first, 3), is_whole_below=False)
    for header, envelope_hash in ((link(first, 2), b"?" * 32), (link(first, 3), hash_of(3))):
        with pytest.raises(ObjectError) as raised:
            chains.take_previous(header, envelope_hash)
        assert raised.value.code is ErrorCode.CHAIN
    chains.take_previous(link(first, 2), hash_of(2))
    with pytest.raises(HistoryError):
        chains.verify_begun()
    chains.take_previous(link(first, 1), hash_of(1))
    chains.verify_begun()


def test_a_position_without_an_author_accounts_for_one_missing_envelope_and_no_more(first: Header) -> None:
    chains = Chains()
    take(chains, link(first, 1))
    chains.take_unverified()
    take(chains, link(first, 3))
    with pytest.raises(HistoryError):
        take(chains, link(first, 5))
