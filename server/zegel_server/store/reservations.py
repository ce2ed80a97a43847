"""What ledgers have reserved of the storage of their organisation. An organisation's own ledger is one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zegel_server.store.database import Connection


def reserve(connection: Connection, ledger: bytes, size_bytes: int, most_bytes: int) -> bool:
    """Reserves more for a ledger. Returns False, and does nothing, where its organisation would have over `most`."""
    organisation = _organisation_of(connection, ledger)
    row = connection.execute(
        "SELECT reserved_bytes FROM organisation_storage WHERE ledger = ?", (organisation,)
    ).fetchone()
    if (int(row[0]) if row else 0) + size_bytes > most_bytes:
        return False
    _change(connection, ledger, organisation, size_bytes)
    return True


def give_back(connection: Connection, ledger: bytes, size_bytes: int) -> None:
    """Reserves less for a ledger."""
    _change(connection, ledger, _organisation_of(connection, ledger), -size_bytes)


def _organisation_of(connection: Connection, ledger: bytes) -> bytes:
    row = connection.execute(
        "SELECT CASE kind WHEN 2 THEN ledger ELSE organisation END FROM ledger WHERE ledger = ?", (ledger,)
    ).fetchone()
    return bytes(row[0])


def _change(connection: Connection, ledger: bytes, organisation: bytes, change_bytes: int) -> None:
    connection.execute(
        "UPDATE ledger SET reserved_bytes = max(0, reserved_bytes + ?) WHERE ledger = ?", (change_bytes, ledger)
    )
    connection.execute(
        "INSERT INTO organisation_storage (ledger, reserved_bytes) VALUES (?, max(0, ?)) "
        "ON CONFLICT (ledger) DO UPDATE SET reserved_bytes = max(0, reserved_bytes + ?)",
        (organisation, change_bytes, change_bytes),
    )
