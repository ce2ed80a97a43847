"""Words that people see: sections, roles, categories and dates, in Dutch and English.

A word that the tables do not know (a category that somebody made up, a role of a later version) is shown as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

DUTCH: Final = "nl"
ENGLISH: Final = "en"
LANGUAGES: Final = (DUTCH, ENGLISH)

SECTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    DUTCH: {
        "conversation": "het gesprek",
        "notes": "de werknotities",
        "budget": "het geld",
        "debts": "de schulden",
        "trajectory": "het traject",
        "side": "het aparte gesprek",
    },
    ENGLISH: {
        "conversation": "the conversation",
        "notes": "the working notes",
        "budget": "the money",
        "debts": "the debts",
        "trajectory": "the plan",
        "side": "the separate conversation",
    },
}
"""What a section is called inside a sentence, by its kind."""

ROLES: Final[Mapping[str, Mapping[str, str]]] = {
    DUTCH: {
        "caseworker": "hulpverlener",
        "client": "cliënt",
        "guardian": "bewindvoerder",
        "interpreter": "tolk",
        "volunteer": "vrijwilliger",
        "family": "familie",
        "owner": "beheerder van de organisatie",
    },
    ENGLISH: {
        "caseworker": "caseworker",
        "client": "client",
        "guardian": "guardian",
        "interpreter": "interpreter",
        "volunteer": "volunteer",
        "family": "family",
        "owner": "owner of the organisation",
    },
}

CATEGORIES: Final[Mapping[str, Mapping[str, str]]] = {
    DUTCH: {
        "alimony_paid": "betaalde alimentatie",
        "alimony_received": "ontvangen alimentatie",
        "allowance": "toeslagen",
        "bank": "bank",
        "benefit": "uitkering",
        "care": "zorg",
        "care_excess": "eigen risico",
        "child_benefit": "kinderbijslag",
        "clothing": "kleding",
        "education": "school en studie",
        "energy": "energie",
        "government": "overheid",
        "groceries": "boodschappen",
        "guardianship": "bewindvoering",
        "health_insurance": "zorgverzekering",
        "insurance": "verzekeringen",
        "leisure": "vrije tijd",
        "living_money": "leefgeld",
        "local_tax": "gemeentelijke belastingen",
        "mail_order": "webwinkels",
        "mortgage": "hypotheek",
        "other": "overig",
        "pay_later": "achteraf betalen",
        "pension": "pensioen",
        "phone_internet": "telefoon en internet",
        "private_loan": "leningen van bekenden",
        "rent": "huur",
        "subscription": "abonnementen",
        "telecom": "telefoon en internet",
        "wage": "loon",
        "water": "water",
    },
    ENGLISH: {
        "alimony_paid": "alimony paid",
        "alimony_received": "alimony received",
        "allowance": "allowances",
        "care_excess": "care excess",
        "child_benefit": "child benefit",
        "health_insurance": "health insurance",
        "living_money": "living money",
        "local_tax": "local taxes",
        "mail_order": "mail order",
        "pay_later": "pay later",
        "phone_internet": "phone and internet",
        "private_loan": "private loans",
        "subscription": "subscriptions",
    },
}
"""The usual categories of entries and debts, as people call them."""

_MONTHS: Final = {
    DUTCH: (
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ),
    ENGLISH: (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
}
_AND: Final = {DUTCH: "en", ENGLISH: "and"}


def category_word(category: str, language: str) -> str:
    """What a category is called."""
    return CATEGORIES[language].get(category, category)


def role_word(role: str, language: str) -> str:
    """What a role is called."""
    return ROLES[language].get(role, role)


def list_words(items: Sequence[str], language: str) -> str:
    """Joins names as a sentence does: ``a, b and c``."""
    if len(items) < 2:  # noqa: PLR2004 - nothing to join
        return "".join(items)
    return f"{', '.join(items[:-1])} {_AND[language]} {items[-1]}"


def date_words(day: date, language: str) -> str:
    """Writes a day: ``3 juni 2026``, ``3 June 2026``."""
    return f"{day.day} {_MONTHS[language][day.month - 1]} {day.year}"
