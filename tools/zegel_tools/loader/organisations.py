"""Which organisations a set of households needs, and who works there. Pure, like `plan`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from zegel_client.household import STAFF

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zegel_client.household import Household, Person

DEFAULT_NAME: Final = "Voorbeeldorganisatie"
"""For households that name no organisation."""
OWNER: Final = "owner"
CASEWORKER: Final = "caseworker"


@dataclass(slots=True)
class Organisation:
    """One organisation and its people.

    Attributes:
        key: As the households name it.
        name: Public.
        staff: By handle, in the order in which they were named.
    """

    key: str
    name: str
    staff: dict[str, Person] = field(default_factory=dict[str, "Person"])

    @property
    def owner(self) -> Person:
        """Who founds it: the first owner, or else the first who works there."""
        people = list(self.staff.values())
        return next((person for person in people if person.role == OWNER), people[0])

    def role_of(self, person: Person) -> str:
        """What somebody is in the organisation."""
        return OWNER if person.handle == self.owner.handle or person.role == OWNER else CASEWORKER


def key_of(household: Household) -> str:
    """The key of a household's organisation: its id, else its name, else that of the default one."""
    return household.organisation_id or household.organisation_name or DEFAULT_NAME


def list_organisations(households: Iterable[Household]) -> tuple[list[Organisation], list[str]]:
    """Gathers the organisations.

    Returns:
        (organisations, notes for people about names that contradict each other).
    """
    found: dict[str, Organisation] = {}
    notes: list[str] = []
    for household in households:
        key = key_of(household)
        name = household.organisation_name or key
        organisation = found.setdefault(key, Organisation(key, name))
        if organisation.name != name:
            notes.append(f"{household.id}: organisation {key} is called {organisation.name!r} in an earlier file")
        for person in household.people:
            if person.id == household.caseworker or person.role in STAFF:
                organisation.staff.setdefault(person.handle, person)
    return list(found.values()), notes
