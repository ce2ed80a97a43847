"""Loads a set of households into a running server."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from zegel_protocol.invite_secret import InviteSecret
from zegel_tools.loader.dossier_loader import DossierLoader
from zegel_tools.loader.organisations import Organisation, key_of, list_organisations
from zegel_tools.loader.people import Account, People
from zegel_tools.loader.plan import Plan, plan_household

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from zegel_client.household import Household

Permit: TypeAlias = "Callable[[str], Awaitable[tuple[bytes, str]]]"
"""What the operator does for the name of an organisation: returns its id and the invitation of its first owner."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What has to be loaded.

    Attributes:
        organisations: With their people.
        plans: One for each household.
        notes: What is not quite as the files have it, for people.
    """

    organisations: tuple[Organisation, ...]
    plans: tuple[Plan, ...]
    notes: tuple[str, ...]

    @property
    def steps(self) -> int:
        """How much there is to do."""
        return sum(len(it.staff) for it in self.organisations) + sum(plan.steps for plan in self.plans)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded.

    Attributes:
        accounts: Everybody who can sign in, in order of their handles.
        dossiers: Id by the household's own word.
    """

    accounts: tuple[Account, ...]
    dossiers: Mapping[str, bytes]


def plan_installation(households: Sequence[Household], now_ms: int) -> Installation:
    """Works out what has to happen for all households."""
    organisations, notes = list_organisations(households)
    plans = tuple(plan_household(household, key_of(household), now_ms) for household in households)
    return Installation(tuple(organisations), plans, (*notes, *(note for plan in plans for note in plan.notes)))


async def load(server: str, installation: Installation, permit: Permit, step: Callable[[int], None]) -> Loaded:
    """Loads everything: first the organisations, then all dossiers side by side; at the end everybody signs out.

    Args:
        server: Its address.
        installation: From `plan_installation`.
        permit: Stands for the operator.
        step: Is told how much was done; all together `Installation.steps`.
    """
    async with People(server) as people:
        with tempfile.TemporaryDirectory(prefix="zegel-attachments-") as folder:
            ids: dict[str, bytes] = {}
            for organisation in installation.organisations:
                ids[organisation.key] = await _found(organisation, people, permit)
                step(len(organisation.staff))
            loaders = {
                plan.household: DossierLoader(plan, ids[plan.organisation], people, Path(folder))
                for plan in installation.plans
            }
            async with asyncio.TaskGroup() as group:
                tasks = {name: group.create_task(loader.load(step)) for name, loader in loaders.items()}
        await people.leave()
        return Loaded(tuple(people.accounts()), {name: task.result() for name, task in tasks.items()})


async def _found(organisation: Organisation, people: People, permit: Permit) -> bytes:
    """The operator permits it, its owner founds it, everybody else who works there is invited and joins."""
    identifier, invitation = await permit(organisation.name)
    owner = organisation.owner
    client = await people.answer(owner, InviteSecret.parse(invitation))
    await client.create_organisation(organisation.name, identifier, own_name=owner.name)
    others = [person for person in organisation.staff.values() if person.handle != owner.handle]
    async with asyncio.TaskGroup() as group:
        for person in others:
            role = organisation.role_of(person)
            secret, _ = await client.invite_colleague(person.name, role, organisation=identifier, handle=person.handle)
            group.create_task(people.answer(person, secret))
    if others:
        await people.welcome(owner.handle)
    return identifier
