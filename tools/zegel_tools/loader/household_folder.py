"""Reads a folder of household files, and says of each what could not be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zegel_client.household import load_household
from zegel_protocol.fields import InvalidRecordError
from zegel_protocol.fields.wording import fault_sentence
from zegel_protocol.file import MAX_FILE_BYTES, MAX_MEDIA_TYPE_BYTES, MAX_NAME_BYTES
from zegel_protocol.records.slot_table import MAX_SLOTS
from zegel_server.commands.organisation import MAX_NAME_BYTES as MAX_ORGANISATION_NAME_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zegel_client.household import Attachment, Household

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
    """Lists what the format allows but a server or a section has no room for."""
    name = household.organisation_name or household.organisation_id or ""
    if name and (not name.isprintable() or len(name.encode()) > MAX_ORGANISATION_NAME_BYTES):
        yield f"organisation.name: the name of an organisation is 1 to {MAX_ORGANISATION_NAME_BYTES} bytes of text"
    for place, filed in (("entries", household.entries), ("debts", household.debts)):
        if len({it.record.category for it in filed}) > MAX_SLOTS:
            yield f"{place}: there are at most {MAX_SLOTS} categories"
    for number, message in enumerate(household.messages):
        place = f"messages[{number}]"
        for file, attachment in enumerate(message.attachments):
            yield from _list_file_faults(attachment, f"{place}.attachments[{file}]")


def _list_file_faults(attachment: Attachment, place: str) -> Iterator[str]:
    if attachment.size_bytes > MAX_FILE_BYTES:
        yield f"{place}.size_bytes: a file has at most {MAX_FILE_BYTES} bytes"
    if len(attachment.name.encode()) > MAX_NAME_BYTES:
        yield f"{place}.name: has at most {MAX_NAME_BYTES} bytes"
    if len(attachment.media_type.encode()) > MAX_MEDIA_TYPE_BYTES:
        yield f"{place}.media_type: has at most {MAX_MEDIA_TYPE_BYTES} bytes"
