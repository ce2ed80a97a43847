"""Reads a folder of household files, and says of each what could not be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zegel_client.household import load_household
from zegel_protocol.fields import InvalidRecordError
from zegel_protocol.fields.wording import fault_sentence
from zegel_server.commands.organisation import MAX_NAME_BYTES as MAX_ORGANISATION_NAME_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zegel_client.household import Household

PATTERN: Final = "*.household.json"


class FaultyFolderError(Exception):
    """A folder that cannot be loaded.

    Attributes:
        faults: One sentence each, beginning with the file and the place in it.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def read_folder(folder: Path) -> list[Household]:
    """Reads all household files ``*.household.json`` of a folder, in order of their names.

    Raises:
        FaultyFolderError: There are none, or something in one cannot be loaded; with every fault of every file.
    """
    faults: list[str] = []
    households: dict[str, Household] = {}
    paths = sorted(folder.glob(PATTERN))
    for path in paths:
        try:
            household = load_household(path)
        except OSError as error:
            faults.append(f"{path.name}: {error.strerror or 'it cannot be read'}")
            continue
        except InvalidRecordError as error:
            faults += [f"{path.name}: {fault_sentence(fault, 'en')}" for fault in error.faults]
            continue
        faults += [f"{path.name}: {fault}" for fault in list_faults(household)]
        if household.id in households:
            faults.append(f"{path.name}: id: another file has {household.id!r} too")
        households[household.id] = household
    if not paths:
        faults.append(f"{folder}: there is no file {PATTERN} in it")
    if faults:
        raise FaultyFolderError(faults)
    return list(households.values())


def list_faults(household: Household) -> Iterator[str]:
    """Lists what the format allows but a server has no room for."""
    name = household.organisation_name or household.organisation_id or ""
    if name and (not name.isprintable() or len(name.encode()) > MAX_ORGANISATION_NAME_BYTES):
        yield f"organisation.name: the name of an organisation is 1 to {MAX_ORGANISATION_NAME_BYTES} bytes of text"
