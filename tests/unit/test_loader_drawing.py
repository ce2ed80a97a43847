"""Files are made of exactly the size asked for, and pictures can be opened."""

from pathlib import Path

import pytest
from PIL import Image

from zegel_client.household import Attachment
from zegel_tools.loader.drawing import DRAWABLE, PDF, write_attachment
from zegel_tools.loader.passwords import WORD_COUNT, new_password

SEED = b"some id of 16 by"
SIZES = [0, 1, 47, 700, 701, 1_500, 65_536, 300_001]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("media_type", [*DRAWABLE, PDF, "image/heic", "text/plain", "nonsense"])
def test_exactly_as_long(tmp_path: Path, media_type: str, size: int) -> None:
    path = tmp_path / "file"
    write_attachment(path, Attachment("a name", media_type, size), SEED)
    assert path.stat().st_size == size


@pytest.mark.parametrize("media_type", DRAWABLE)
def test_pictures_open(tmp_path: Path, media_type: str) -> None:
    path = tmp_path / "file"
    write_attachment(path, Attachment("a name", media_type.upper(), 200_000), SEED)
    with Image.open(path) as picture:
        assert picture.get_format_mimetype() == media_type
        picture.load()


def test_a_document_finds_its_own_parts(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for size in range(900, 1_300):
        write_attachment(path, Attachment("a name", PDF, size), SEED)
        made = path.read_bytes()
        table = int(made.rpartition(b"startxref\n")[2].split()[0])
        assert made[table:].startswith(b"xref\n0 6\n")
        for number, line in enumerate(made[table:].splitlines()[3:8], 1):
            assert made[int(line.split()[0]) :].startswith(b"%d 0 obj\n" % number)
        assert made.rstrip().endswith(b"%%EOF")


def test_another_seed_gives_another_picture(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write_attachment(one, Attachment("a name", "image/png", 50_000), SEED)
    write_attachment(two, Attachment("a name", "image/png", 50_000), bytes(16))
    assert one.read_bytes() != two.read_bytes()


def test_passwords_differ_and_can_be_typed() -> None:
    passwords = {new_password() for _ in range(50)}
    assert len(passwords) == 50
    for password in passwords:
        words = password.split("-")
        assert len(words) == WORD_COUNT
        assert all(word.isascii() and word.isalpha() for word in words)
