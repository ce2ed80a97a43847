"""The spec says what the code does, where that can be compared: codes, labels, doors, fields and limits."""

from __future__ import annotations

import re

import pytest

from zegel_protocol import account, envelope, file, invite_secret, padding, typed_code, wrap
from zegel_protocol.codec import DEFAULT_LIMITS
from zegel_protocol.envelope import Header, TypeClass
from zegel_protocol.errors import ErrorCode
from zegel_protocol.labels import Label
from zegel_tools.checks.steps import ROOT
from zegel_tools.vectors.areas import AREAS

SPEC = ROOT / "protocol" / "spec"


def page(name: str) -> str:
    return (SPEC / f"{name}.md").read_text(encoding="utf-8")


def test_every_error_code_is_explained_once() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \|", page("errors"), re.MULTILINE)
    assert sorted(rows) == sorted(str(code) for code in ErrorCode)


def test_every_label_is_listed_and_no_label_begins_another() -> None:
    names = [label.value.decode().removeprefix("zegel/").removesuffix("/v1\0") for label in Label]
    assert all(label.value == f"zegel/{name}/v1\0".encode() for label, name in zip(Label, names, strict=True))
    table = page("encoding").partition("## Labels")[2].partition("## ")[0]
    listed = re.findall(
        r"`([a-z-]+)`", "".join(row.rpartition("|")[0].rpartition("|")[0] for row in table.splitlines())
    )
    assert sorted(listed) == sorted(names)
    assert not any(one != other and other.startswith(one) for one in Label for other in Label)


def test_the_doors_of_the_vectors_are_listed() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (`.*`) \|$", page("README"), re.MULTILINE))
    for area in AREAS:
        if area.name in rows:
            assert set(re.findall(r"`([a-z_]+)`", rows[area.name])) == set(area.doors), area.name
    assert set(rows) <= {area.name for area in AREAS}


def test_the_header_has_the_fields_of_the_spec() -> None:
    rows = re.findall(r"^\| (\d+) \| ([a-z ]+) \|", page("envelope"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(len(rows)))
    names = {"created at": "created_at_ms"}
    assert tuple(names.get(name, name.replace(" ", "_")) for _, name in rows) == Header.__struct_fields__


def test_the_types_of_envelopes() -> None:
    said = re.search(r"\| 2 \| type \| (.*?) \|", page("envelope"))
    assert said is not None
    assert said[1] == ", ".join(f"{int(kind)} {kind.name.lower()}" for kind in TypeClass)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("account", account.MIN_MEMORY_KIB),
        ("account", account.MAX_MEMORY_KIB),
        ("account", account.MAX_PASSWORD_BYTES),
        ("account", typed_code.MAX_TEXT_CHARACTERS),
        ("encoding", DEFAULT_LIMITS.count),
        ("envelope", envelope.MAX_HEADER_BYTES),
        ("envelope", envelope.MAX_ENVELOPE_BYTES),
        ("envelope", envelope.MAX_SKELETON_BYTES),
        ("envelope", envelope.MAX_PAYLOAD_BYTES),
        ("envelope", envelope.ENCAPSULATION_BYTES),
        *(("envelope", bucket) for bucket in padding.BUCKETS_BYTES),
        ("epochs", wrap.MAX_WRAP_BYTES),
        ("epochs", wrap.MAX_SEALED_BYTES),
        ("epochs", wrap.MAX_SCOPES),
        ("files", file.MAX_FILE_BYTES),
        ("files", file.CHUNK_BYTES),
        ("payloads", file.MAX_NAME_BYTES),
        ("invitation", invite_secret.MAX_BOX_BYTES),
        ("invitation", invite_secret.SEALED_BOX_BYTES),
        ("invitation", invite_secret.MAX_WORDS_BYTES),
    ],
)
def test_limits_stand_on_their_page(name: str, limit: int) -> None:
    assert re.search(rf"(?<!\d)(?<!\d,){limit:,}(?!,?\d)", page(name))
