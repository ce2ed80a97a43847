"""Words that the server must never hold, and a search for them in several encodings."""

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

SECRET_PAIRS = frozenset(
    [
        "text",
        "name",
        "display_name",
        "title",
        "email",
        "description",
        "note",
        "reference",
        "party",
        "creditor",
        "collector",
        "category",
        "client_says",
        "caseworker_says",
        "step",
        "phase",
        "goal",
        "measured_by",
        "why",
        "plan",
        "next",
        "recall_reason",
    ]
)
"""Pairs of a household file whose texts are sealed."""
LEAST_BYTES = 8
"""Shorter forms occur by chance."""


def list_canaries(households: Iterable[Path]) -> set[str]:
    """Every name, amount, text, title and file name of household files, names of organisations apart."""
    found: set[str] = set()
    for path in households:
        found |= set(_walk(json.loads(path.read_text(encoding="utf-8")), ""))
    return found


def _walk(value: object, pair: str) -> Iterator[str]:
    match value:
        case dict():
            for name, inner in cast("dict[str, object]", value).items():
                if name != "organisation":
                    yield from _walk(inner, name)
        case list():
            for inner in cast("list[object]", value):
                yield from _walk(inner, pair)
        case str() if pair in SECRET_PAIRS:
            yield value
        case int() if pair.endswith("_cents") and not isinstance(value, bool):
            yield from amount_texts(value)
        case _:
            pass


def amount_texts(cents: int) -> Iterator[str]:
    """An amount as people and programs write it."""
    whole = f"{cents / 100:,.2f}"
    yield from (str(cents), whole, whole.replace(",", ""), whole.translate(str.maketrans(",.", ".,")))


def forms_of(word: str) -> Iterator[bytes]:
    """A word as it could lie in a file or pass over a line."""
    raw = word.encode()
    yield raw
    yield json.dumps(word)[1:-1].encode()
    yield from (word.encode("utf-16-le"), word.encode("utf-16-be"))
    yield from (raw.hex().encode(), raw.hex().upper().encode())
    for shift in range(3):
        # At any alignment: the characters that bytes before and after have no part in.
        encoded = base64.b64encode(bytes(shift) + raw)
        first = -(-shift * 8 // 6)
        last = (shift + len(raw)) * 8 // 6
        yield encoded[first:last]
        yield base64.urlsafe_b64encode(bytes(shift) + raw)[first:last]


class Canaries:
    """Looks for words in bytes, all at once."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words: dict[bytes, str] = {}
        for word in words:
            self._words |= {form: word for form in forms_of(word) if len(form) >= LEAST_BYTES}
        self._by_prefix: dict[bytes, list[bytes]] = {}
        for form in self._words:
            self._by_prefix.setdefault(form[:LEAST_BYTES], []).append(form)

    def __len__(self) -> int:
        return len(self._words)

    def find(self, data: bytes) -> set[str]:
        """The words that occur."""
        found: set[str] = set()
        for start in range(0, len(data), 1 << 20):
            block = data[start : start + (1 << 20) + LEAST_BYTES]
            windows = {block[place : place + LEAST_BYTES] for place in range(len(block))}
            for prefix in self._by_prefix.keys() & windows:
                found |= {self._words[form] for form in self._by_prefix[prefix] if form in data}
        return found

    def find_in_files(self, folder: Path) -> set[str]:
        """The words that occur in a file of a folder, or in the name of one."""
        found: set[str] = set()
        for path in folder.rglob("*"):
            found |= self.find(str(path.relative_to(folder)).encode())
            if path.is_file():
                found |= self.find(path.read_bytes())
        return found
