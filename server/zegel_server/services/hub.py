"""Live connections: who follows which ledger, and how to reach the connections of a session or account.

Delivery is a call with encoded frames; it never waits. Between several processes the same calls would travel as hints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zegel_protocol.errors import ErrorCode
    from zegel_server.services.caller import Outlet

K = TypeVar("K")
V = TypeVar("V")


class Hub:
    """Everybody who is connected."""

    def __init__(self) -> None:
        self._outlets: set[Outlet] = set()
        self._by_session: dict[bytes, set[Outlet]] = {}
        self._by_account: dict[bytes, set[Outlet]] = {}
        self._followers: dict[bytes, set[Outlet]] = {}
        self._followed: dict[Outlet, set[bytes]] = {}

    def __len__(self) -> int:
        return len(self._outlets)

    def join(self, outlet: Outlet) -> None:
        """A connection was opened."""
        self._outlets.add(outlet)
        self._by_session.setdefault(outlet.session, set()).add(outlet)
        self._by_account.setdefault(outlet.account, set()).add(outlet)

    def leave(self, outlet: Outlet) -> None:
        """A connection has ended."""
        self._outlets.discard(outlet)
        _discard(self._by_session, outlet.session, outlet)
        _discard(self._by_account, outlet.account, outlet)
        for ledger in self._followed.pop(outlet, set()):
            _discard(self._followers, ledger, outlet)

    def follow(self, outlet: Outlet, ledger: bytes) -> None:
        """From now on the connection gets what happens in a ledger."""
        if outlet in self._outlets:
            self._followers.setdefault(ledger, set()).add(outlet)
            self._followed.setdefault(outlet, set()).add(ledger)

    def is_following(self, outlet: Outlet, ledger: bytes) -> bool:
        """Whether a connection gets what happens in a ledger."""
        return outlet in self._followers.get(ledger, ())

    def end_following(self, outlet: Outlet, ledger: bytes) -> None:
        """The connection no longer gets what happens in a ledger."""
        _discard(self._followers, ledger, outlet)
        _discard(self._followed, outlet, ledger)

    def unfollow(self, account: bytes, ledger: bytes) -> None:
        """The account's connections no longer get what happens in a ledger."""
        for outlet in self._by_account.get(account, ()):
            self.end_following(outlet, ledger)

    def count_followed(self, outlet: Outlet) -> int:
        """How many ledgers a connection follows."""
        return len(self._followed.get(outlet, ()))

    def followers(self, ledger: bytes) -> Iterable[Outlet]:
        """Connections that follow a ledger."""
        return self._followers.get(ledger, ())

    def of_account(self, account: bytes) -> Iterable[Outlet]:
        """Connections of an account."""
        return self._by_account.get(account, ())

    def count_of_account(self, account: bytes) -> int:
        """How many connections an account has."""
        return len(self._by_account.get(account, ()))

    def list_sessions(self) -> list[tuple[bytes, bytes]]:
        """Account and session of everybody who is connected."""
        return list({(outlet.account, outlet.session) for outlet in self._outlets})

    def end_session(self, session: bytes, code: ErrorCode) -> None:
        """Ends the connections of a session."""
        for outlet in list(self._by_session.get(session, ())):
            outlet.end(code)

    def end_account(self, account: bytes, code: ErrorCode) -> None:
        """Ends all connections of an account."""
        for outlet in list(self._by_account.get(account, ())):
            outlet.end(code)

    def end_others(self, account: bytes, kept: bytes, code: ErrorCode) -> None:
        """Ends all connections of an account but those of one session."""
        for outlet in list(self._by_account.get(account, ())):
            if outlet.session != kept:
                outlet.end(code)

    def end_all(self, code: ErrorCode) -> None:
        """Ends every connection."""
        for outlet in list(self._outlets):
            outlet.end(code)


def _discard(index: dict[K, set[V]], key: K, value: V) -> None:
    found = index.get(key)
    if found is not None:
        found.discard(value)
        if not found:
            del index[key]
