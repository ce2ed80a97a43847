"""Faults and questions as sentences in Dutch and English.

Spec: ``protocol/spec/payloads.md``, section "Faults".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zegel_protocol.fields.faults import FaultCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_protocol.fields.faults import Fault

DUTCH: Final[Mapping[FaultCode, str]] = {
    FaultCode.WRONG_KIND: "dit is geen {kind}",
    FaultCode.NEWER_FORMAT: "dit is gemaakt met een nieuwere versie",
    FaultCode.RESERVED_NAME: "deze naam is al in gebruik",
    FaultCode.MISSING: "dit ontbreekt",
    FaultCode.WRONG_TYPE: "hier past iets van een andere soort",
    FaultCode.UNKNOWN_WORD: "dit woord is niet bekend; het kan zijn: {words}",
    FaultCode.OUT_OF_RANGE: "dit moet tussen {least} en {most} liggen",
    FaultCode.NEGATIVE: "dit mag niet onder nul zijn",
    FaultCode.TOO_DEEP: "dit heeft meer dan {most} lagen",
    FaultCode.TEXT_EMPTY: "hier moet iets staan",
    FaultCode.TEXT_TOO_LONG: "dit mag niet langer zijn dan {most} tekens",
    FaultCode.TEXT_NUL: "hier staat een teken dat niet mag (NUL)",
    FaultCode.TEXT_SURROGATE: "hier staat een half teken",
    FaultCode.TOO_MANY: "dit mogen er niet meer dan {most} zijn",
    FaultCode.TWICE: "dit staat er twee keer",
    FaultCode.NOT_A_DATE: "deze datum bestaat niet, of staat er niet als jjjj-mm-dd",
    FaultCode.END_BEFORE_START: "het einde ligt voor het begin",
    FaultCode.NOT_A_MOMENT: "dit is geen tijdstip met tijdzone",
    FaultCode.NOT_A_SHARE: "dit is geen deel, zoals 1/2",
    FaultCode.NOT_AN_ID: "dit is geen kenmerk van 36 tekens (UUID)",
    FaultCode.NOT_A_HANDLE: "hiermee kan niemand inloggen: alleen a-z 0-9 . _ + @ -",
    FaultCode.WRONG_LENGTH: "dit moeten {size} bytes zijn",
    FaultCode.UNKNOWN_REFERENCE: "dit verwijst naar iets dat er niet is",
    FaultCode.WORD_CHANGED: "een woord van een onderdeel verandert nooit",
    FaultCode.WORD_LOST: "een woord van een onderdeel verdwijnt nooit",
    FaultCode.AMOUNT_EMPTY: "vul een bedrag in",
    FaultCode.AMOUNT_FORM: "dit is geen bedrag; schrijf het zoals 1.234,50",
    FaultCode.AMOUNT_DECIMALS: "een bedrag heeft ten hoogste twee cijfers na de komma",
    FaultCode.AMOUNT_CURRENCY: "een bedrag is in euro",
    FaultCode.AMOUNT_AMBIGUOUS: "dit bedrag kan op twee manieren gelezen worden; schrijf het zoals 1.234,50",
    FaultCode.FILE_ENCODING: "dit bestand is niet te lezen; bewaar het als UTF-8",
    FaultCode.NOT_JSON: "dit is geen JSON",
    FaultCode.TOO_LARGE: "dit is groter dan {most} bytes",
    FaultCode.FILE_HEADER: "de eerste regel moet de namen van de kolommen bevatten",
    FaultCode.CELL_COUNT: "deze regel heeft {found} vakken, het moeten er {needed} zijn",
    FaultCode.QUOTES: "de aanhalingstekens op deze regel kloppen niet",
    FaultCode.INCOME_ENDS: "deze inkomsten stoppen op een dag; klopt dat?",
    FaultCode.INCOME_NEGATIVE: "deze inkomsten zijn onder nul; klopt dat?",
}

ENGLISH: Final[Mapping[FaultCode, str]] = {
    FaultCode.WRONG_KIND: "this is not a {kind}",
    FaultCode.NEWER_FORMAT: "this was made by a newer version",
    FaultCode.RESERVED_NAME: "this name is taken",
    FaultCode.MISSING: "this is missing",
    FaultCode.WRONG_TYPE: "a value of another type belongs here",
    FaultCode.UNKNOWN_WORD: "this word is not known; it may be: {words}",
    FaultCode.OUT_OF_RANGE: "this must lie between {least} and {most}",
    FaultCode.NEGATIVE: "this may not be below zero",
    FaultCode.TOO_DEEP: "this is nested more than {most} deep",
    FaultCode.TEXT_EMPTY: "something must stand here",
    FaultCode.TEXT_TOO_LONG: "this may not be longer than {most} characters",
    FaultCode.TEXT_NUL: "a character that is not allowed stands here (NUL)",
    FaultCode.TEXT_SURROGATE: "half a character stands here",
    FaultCode.TOO_MANY: "there may be no more than {most} of these",
    FaultCode.TWICE: "this is there twice",
    FaultCode.NOT_A_DATE: "this day does not exist, or is not written as yyyy-mm-dd",
    FaultCode.END_BEFORE_START: "the end lies before the start",
    FaultCode.NOT_A_MOMENT: "this is not a time with a time zone",
    FaultCode.NOT_A_SHARE: "this is not a part such as 1/2",
    FaultCode.NOT_AN_ID: "this is not an id of 36 characters (UUID)",
    FaultCode.NOT_A_HANDLE: "nobody can sign in with this: only a-z 0-9 . _ + @ -",
    FaultCode.WRONG_LENGTH: "this must be {size} bytes",
    FaultCode.UNKNOWN_REFERENCE: "this refers to something that is not there",
    FaultCode.WORD_CHANGED: "the word of a slot never changes",
    FaultCode.WORD_LOST: "the word of a slot never goes",
    FaultCode.AMOUNT_EMPTY: "an amount is needed",
    FaultCode.AMOUNT_FORM: "this is not an amount; write it as in 1234.50",
    FaultCode.AMOUNT_DECIMALS: "an amount has two decimals at most",
    FaultCode.AMOUNT_CURRENCY: "an amount is in euros",
    FaultCode.AMOUNT_AMBIGUOUS: "this amount can be read in two ways; write it without separators of thousands",
    FaultCode.FILE_ENCODING: "this file cannot be read; save it as UTF-8",
    FaultCode.NOT_JSON: "this is not JSON",
    FaultCode.TOO_LARGE: "this is larger than {most} bytes",
    FaultCode.FILE_HEADER: "the first line must hold the names of the columns",
    FaultCode.CELL_COUNT: "this row has {found} cells, and {needed} are needed",
    FaultCode.QUOTES: "the quotes on this row do not match",
    FaultCode.INCOME_ENDS: "this income ends on a day; is that right?",
    FaultCode.INCOME_NEGATIVE: "this income is below zero; is that right?",
}


def fault_sentence(fault: Fault, language: str = "nl") -> str:
    """Says what is wrong, with the field in front: in English for ``en``, else in Dutch."""
    words = (ENGLISH if language == "en" else DUTCH)[fault.code].format_map(fault.parameters)
    return f"{fault.field}: {words}" if fault.field else words
