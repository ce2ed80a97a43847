"""The search for canaries finds what is there: else it would prove nothing."""

import base64
import json
from pathlib import Path

import pytest
from support.canaries import Canaries, amount_texts, list_canaries
from support.samples import HOUSEHOLDS

WORD = "Noor Bakker-Demir €7,15"
ENCODINGS = {
    "raw": WORD.encode(),
    "utf-16-le": WORD.encode("utf-16-le"),
    "utf-16-be": WORD.encode("utf-16-be"),
    "json": json.dumps(WORD).encode(),
    "hex": WORD.encode().hex().encode(),
    "HEX": WORD.encode().hex().upper().encode(),
    **{f"base64 at {n}": base64.b64encode(b"x" * n + WORD.encode() + b"yz") for n in range(3)},
    **{f"base64url at {n}": base64.urlsafe_b64encode(b"x" * n + WORD.encode() + b"y") for n in range(3)},
}


@pytest.mark.parametrize("encoded", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("before", [0, 1, (1 << 20) - 5])
def test_found_in_every_encoding_and_place(encoded: bytes, before: int) -> None:
    canaries = Canaries([WORD, "something else"])
    assert canaries.find(bytes(before) + encoded + bytes(3)) == {WORD}


def test_absent(tmp_path: Path) -> None:
    canaries = Canaries([WORD])
    assert canaries.find(bytes(1000) + WORD.encode()[:-1]) == set()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_bytes(b"nothing")
    assert canaries.find_in_files(tmp_path) == set()
    (tmp_path / "inner" / "file").write_bytes(b"-" + WORD.encode())
    assert canaries.find_in_files(tmp_path) == {WORD}
    (tmp_path / "inner" / "file").rename(tmp_path / WORD)
    (tmp_path / WORD).write_bytes(b"")
    assert canaries.find_in_files(tmp_path) == {WORD}


def test_amounts_as_written() -> None:
    assert set(amount_texts(-123456)) == {"-123456", "-1,234.56", "-1234.56", "-1.234,56"}


def test_samples_have_names_texts_files_and_amounts_but_no_organisations() -> None:
    found = list_canaries(HOUSEHOLDS.glob("*.household.json"))
    assert {"Noor Bakker-Demir", "Bijstand, alleenstaande ouder", "IMG_2041.HEIC", "1.345,71"} <= found
    assert "Stichting Geldgids Noordwoud (verzonnen)" not in found
