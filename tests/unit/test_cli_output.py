"""What stands on the terminal: harmless, in columns, one JSON value; days and rights as they are read."""

from __future__ import annotations

import asyncio
import io
import json
import time
from typing import TYPE_CHECKING

import pytest

from zegel_client.cli.answer import Answer, print_answer
from zegel_client.cli.failure import CommandError
from zegel_client.cli.moments import end_text, moment_text, parse_day, parse_end
from zegel_client.cli.progress import Progress, showing
from zegel_client.cli.table import table
from zegel_client.cli.visible import visible, visible_line, width

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Jiří 🎉 ليلى", "Jiří 🎉 ليلى"),
        ("a\x1b[2Jb", "a⟨U+001B⟩[2Jb"),
        ("factuur\u202efdp.exe\u202c", "factuur⟨U+202E⟩fdp.exe⟨U+202C⟩"),
        ("voor\0na\x7f\x9b", "voor⟨U+0000⟩na⟨U+007F⟩⟨U+009B⟩"),
        ("a\u2028b\ud800", "a⟨U+2028⟩b⟨U+D800⟩"),
        ("\u2068ليلى\u2069", "\u2068ليلى\u2069"),
    ],
)
def test_controls_are_shown_as_code_points(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_line_stays_a_line() -> None:
    assert visible("a\nb") == "a\nb"
    assert visible_line("a\r\nb\nc\rd") == "a ⏎ b ⏎ c⟨U+000D⟩d"


def test_width() -> None:
    assert [width(text) for text in ("abc", "Jir\u030ci\u0301", "日本", "")] == [3, 4, 4, 0]


def test_columns() -> None:
    shown = table(("NAME", "EURO"), [("日本", "1.00"), ("a\nb", "12.50")], right=("EURO",))
    assert shown == "NAME    EURO\n日本    1.00\na ⏎ b  12.50"


def test_one_json_value_and_nothing_else() -> None:
    out = io.StringIO()
    print_answer(Answer({"text": "Jiří\n", "id": b"\x01"}, "prose"), is_json=True, out=out)
    assert json.loads(out.getvalue()) == {"text": "Jiří\n", "id": "01"}
    assert out.getvalue().count("\n") == 1


def test_prose_and_silence() -> None:
    out = io.StringIO()
    print_answer(Answer([], ""), is_json=False, out=out)
    assert not out.getvalue()
    print_answer(Answer([], "done"), is_json=False, out=out)
    assert out.getvalue() == "done\n"


# --- days ---


@pytest.fixture
def amsterdam(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Amsterdam")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_moments_are_told_in_utc() -> None:
    assert moment_text(0) == "1970-01-01T00:00:00Z"
    assert moment_text(1_780_000_000_007) == "2026-05-28T20:26:40.007Z"


@pytest.mark.usefixtures("amsterdam")
def test_an_end_is_the_end_of_its_day() -> None:
    assert moment_text(parse_end("2026-07-31")) == "2026-07-31T22:00:00Z"
    assert moment_text(parse_end("2026-12-31")) == "2026-12-31T23:00:00Z"
    assert end_text(parse_end("2026-03-28")) == "2026-03-28"
    assert end_text(parse_end("2026-03-29")) == "2026-03-29"


@pytest.mark.usefixtures("amsterdam")
def test_an_end_may_be_a_moment() -> None:
    assert end_text(parse_end("2026-07-31T12:00:00+02:00")) == "2026-07-31T10:00:00Z"
    assert end_text(0) is None


@pytest.mark.parametrize("text", ["", "31-12-2026", "2026-02-30", "2026-1-1", "2026-07-31T12:00:00", "tomorrow", "T"])
def test_no_end(text: str) -> None:
    with pytest.raises(CommandError):
        parse_end(text)


def test_no_day() -> None:
    with pytest.raises(CommandError):
        parse_day("2026-02-29", "--on")


# --- progress ---


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_says_how_far() -> None:
    progress = Progress("import")
    assert progress.line(1.2) == "import (1 s)"
    progress.begin("import", 4)
    progress.step(2)
    assert progress.line(9) == f"import [{'#' * 20}{' ' * 20}] 2/4"


async def test_nothing_is_drawn_where_nobody_watches() -> None:
    out = io.StringIO()
    async with showing(Progress("x"), out):
        await asyncio.sleep(0)
    assert not out.getvalue()


async def test_short_work_draws_nothing_on_a_terminal() -> None:
    out = Terminal()
    async with showing(Progress("x"), out):
        await asyncio.sleep(0)
    assert not out.getvalue()
