"""What is malformed in a way that its neighbours do not notice is refused by an error of the protocol."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from support.household import CLIENT, STRANGER, found_household

from zegel_protocol import primitives
from zegel_protocol.envelope import Header, TypeClass
from zegel_protocol.epoch import EpochKeys, seal_link
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError, UsageError
from zegel_protocol.fields import InvalidRecordError
from zegel_protocol.file import FileOpener, FileSealer
from zegel_protocol.ids import id_text, parse_id
from zegel_protocol.labels import Label
from zegel_protocol.ledger.validity import find_author_keys
from zegel_protocol.records.record_kind import read_payload
from zegel_tools.vectors.scene import ANNA, epoch

AN_ID = bytes(range(16))


@pytest.mark.parametrize(
    "text",
    ["{%s}", "urn:uuid:%s", "%s-", "{%s", " %s", "%s\n"],
)
def test_an_id_has_one_form(text: str) -> None:
    assert parse_id(id_text(AN_ID)) == AN_ID
    assert parse_id(id_text(AN_ID).upper()) == AN_ID
    for other in (text % id_text(AN_ID), id_text(AN_ID).replace("-", "")):
        with pytest.raises(ProtocolError) as fault:
            parse_id(other)
        assert fault.value.code is ErrorCode.INVALID


def test_nothing_follows_the_last_chunk_of_a_file() -> None:
    """Whoever sends a file holds its key, and can make a stream that goes on after its end."""
    sealer = FileSealer(3, "x", "y")
    chunks = [*sealer.add(b"abc"), *sealer.finish()]
    reference = sealer.reference()
    stream = primitives.StreamSealer(reference.key, reference.header)
    aad = Label.FILE.value
    stream.seal(b"", aad, is_last=True)
    opener = FileOpener(reference)
    assert b"".join(opener.add(chunk) for chunk in chunks) == b"abc"
    for further in (stream.seal(b"", aad, is_last=False), chunks[0], b""):
        with pytest.raises(ObjectError, match="after the last") as fault:
            opener.add(further)
        assert fault.value.code is ErrorCode.FILE
    opener.finish()


@pytest.mark.parametrize(("key_bytes", "signature_bytes"), [(31, 64), (33, 64), (0, 64), (32, 63), (32, 65), (32, 0)])
def test_keys_and_signatures_of_another_length_verify_nothing(key_bytes: int, signature_bytes: int) -> None:
    key = primitives.SigningKey(bytes(32))
    signature = key.sign(Label.RECEIPT, b"signed")
    primitives.verify_signature(key.public, signature, Label.RECEIPT, b"signed")
    with pytest.raises(ObjectError) as fault:
        primitives.verify_signature(
            (key.public + b"\0")[:key_bytes], (signature + b"\0")[:signature_bytes], Label.RECEIPT, b"signed"
        )
    assert fault.value.code is ErrorCode.SIGNATURE


def test_no_byte_of_a_label_moves_into_a_signature() -> None:
    """libsodium takes signature and message as one string: a longer signature would move the boundary."""
    key = primitives.SigningKey(bytes(32))
    label = Label.RECEIPT.value
    signature = key.sign(Label.RECEIPT, label + b"signed")
    with pytest.raises(ObjectError) as fault:
        primitives.verify_signature(key.public, signature + label, Label.RECEIPT, b"signed")
    assert fault.value.code is ErrorCode.SIGNATURE


@pytest.mark.parametrize("size", [0, 1184, 1215, 1217])
def test_nothing_is_wrapped_to_a_key_of_another_length(size: int) -> None:
    with pytest.raises(ObjectError) as fault:
        primitives.verify_wrap_key((ANNA.public().wrap_key + b"\0")[:size])
    assert fault.value.code is ErrorCode.KEY_MISMATCH


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_no_key_is_made_of_a_seed_of_another_length(size: int) -> None:
    with pytest.raises(UsageError):
        primitives.WrapPrivateKey(bytes(size))


@pytest.mark.parametrize("size", [0, 23, 25])
def test_no_stream_begins_with_a_header_of_another_length(size: int) -> None:
    with pytest.raises(ObjectError) as fault:
        primitives.StreamOpener(bytes(32), bytes(size))
    assert fault.value.code is ErrorCode.FILE


@pytest.mark.parametrize("version", [True, 0, -1, "1", 1.0])
@pytest.mark.parametrize("kind", ["message", "of a newer version"])
def test_the_format_of_a_payload_is_a_number_from_one(kind: str, version: Any) -> None:
    with pytest.raises(InvalidRecordError) as fault:
        read_payload({"kind": kind, "format": version, "text": "x"}, "")
    assert [it.field for it in fault.value.faults] == ["format"]


def test_no_link_is_made_without_both_history_keys() -> None:
    current, previous = epoch(3), epoch(2)
    for one, other in ((_blind(current), previous), (current, _blind(previous))):
        with pytest.raises(UsageError):
            seal_link(one, other)


def _blind(keys: EpochKeys) -> EpochKeys:
    return EpochKeys(keys.ledger, keys.section, keys.epoch, keys.content, None)


def test_who_never_was_a_member_has_no_keys_and_what_there_is_not_no_state() -> None:
    state = found_household().now
    header = _header(CLIENT.account, CLIENT.generation)
    assert find_author_keys(state, header) == CLIENT.public()
    for other, code in (
        (_header(STRANGER.account, 1), ErrorCode.NO_ACCESS),
        (replace(header, generation=2), ErrorCode.GENERATION),
    ):
        with pytest.raises(ObjectError) as fault:
            find_author_keys(state, other)
        assert fault.value.code is code
    with pytest.raises(ProtocolError) as missing:
        state.get_section(AN_ID)
    assert missing.value.code is ErrorCode.NO_ACCESS


def _header(author: bytes, generation: int) -> Header:
    zeros, no_hash = bytes(16), bytes(32)
    place = (1, 1, TypeClass.MESSAGE, zeros, zeros, zeros, 1, zeros, zeros, (), (), (), b"")
    return Header(*place, author, generation, zeros, 1, no_hash, 0, no_hash, 0, no_hash, 0, bytes(24))
