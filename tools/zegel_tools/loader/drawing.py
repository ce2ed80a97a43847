"""Makes the files that household files only describe: exactly as long, and a real picture where one can be drawn.

A picture is encoded as large as fits, and zeros follow up to its size: programs that show pictures stop reading where
the picture ends. A PDF holds its filling in a comment. Anything else is numbered lines of text.
"""

from __future__ import annotations

import io
from random import Random
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from pathlib import Path

    from zegel_client.household import Attachment

DRAWABLE: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
}
"""Media types that Pillow draws, and its names for them."""
PDF: Final = "application/pdf"

_SIDES: Final = (1024, 512, 128, 32, 8, 1)
_DIGITS: Final = 12
_LINE: Final = "Made for a demonstration, line {:>8}\n"


def write_attachment(path: Path, attachment: Attachment, seed: bytes) -> None:
    """Writes a file of exactly the size asked for; blocks.

    Args:
        path: Where to.
        attachment: What the household file says of it.
        seed: Files of another seed look different.
    """
    size = attachment.size_bytes
    head = _draw(attachment.media_type.lower(), size, seed)
    with path.open("wb") as file:
        if head is None:
            _write_lines(file, size)
        else:
            file.write(head)
            file.truncate(size)


def _draw(media_type: str, size: int, seed: bytes) -> bytes | None:
    """Returns a picture or document of at most `size` bytes; None: none can be made."""
    if media_type == PDF:
        return _make_pdf(size)
    encoding = DRAWABLE.get(media_type)
    if encoding is None:
        return None
    pictures = (_encode(encoding, side, seed) for side in _SIDES)
    return next((picture for picture in pictures if len(picture) <= size), None)


def _encode(encoding: str, side: int, seed: bytes) -> bytes:
    """Draws something like a photographed letter."""
    random = Random(seed)  # noqa: S311 - a picture, no secret
    table = tuple(random.randrange(60, 140) for _ in range(3))
    mark = tuple(random.randrange(40, 220) for _ in range(3))
    picture = Image.new("RGB", (side, side), table)
    draw = ImageDraw.Draw(picture)
    edge, line = side // 8, max(side // 40, 1)
    draw.rectangle((edge, edge // 2, side - edge, side - edge // 2), fill=(250, 249, 244))
    draw.rectangle((2 * edge, edge, 3 * edge, 2 * edge), fill=mark)
    for top in range(3 * edge, side - edge, 2 * line):
        right = 2 * edge + random.randrange(1, max(side - 4 * edge, 2))
        draw.rectangle((2 * edge, top, right, top + line // 2), fill=(70, 70, 80))
    written = io.BytesIO()
    picture.save(written, encoding)
    return written.getvalue()


def _make_pdf(size: int) -> bytes | None:
    """Makes a document of one page with one line, exactly `size` bytes; None: that is too few."""
    text = b"BT /F1 24 Tf 72 720 Td (Made for a demonstration) Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    bare = len(_join_pdf(objects, 0))
    if size < bare:
        return None
    # The number after `startxref` may grow with the filling, by a few digits at most; line ends make up for them.
    made = _join_pdf(objects, max(size - bare - _DIGITS, 0))
    return made + b"\n" * (size - len(made))


def _join_pdf(objects: list[bytes], filling: int) -> bytes:
    written = io.BytesIO()
    written.write(b"%PDF-1.4\n%" + b" " * filling + b"\n")
    offsets: list[int] = []
    for number, item in enumerate(objects, 1):
        offsets.append(written.tell())
        written.write(b"%d 0 obj\n%s\nendobj\n" % (number, item))
    table = written.tell()
    written.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    written.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
    written.write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table))
    return written.getvalue()


def _write_lines(file: io.BufferedWriter, size: int) -> None:
    left, number = size, 0
    while left:
        line = _LINE.format(number).encode()[:left]
        file.write(line)
        left -= len(line)
        number += 1
