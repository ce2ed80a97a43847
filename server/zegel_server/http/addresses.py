"""Where a request comes from, as far as limits need it; never kept, never beside an account."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

_IPV6_HOME = 64
"""Bits of an IPv6 address that one household or machine has to itself: one address for the limits."""


class Addresses:
    """Finds the address of a request, behind the proxies that are trusted."""

    def __init__(self, trusted_proxies: tuple[str, ...]) -> None:
        self._trusted = set(trusted_proxies)

    def of(self, request: web.BaseRequest) -> str:
        """The address that counts for limits."""
        return group_of(self._find(request))

    def is_direct_loopback(self, request: web.BaseRequest) -> bool:
        """Whether a request comes from this machine and through no proxy."""
        if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
            return False
        try:
            return ipaddress.ip_address(request.remote or "").is_loopback
        except ValueError:
            # A socket without an address.
            return False

    def _find(self, request: web.BaseRequest) -> str:
        remote = request.remote or ""
        if remote not in self._trusted:
            return remote
        hops = [hop.strip() for hop in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")]
        for hop in reversed(hops):
            if hop and hop not in self._trusted:
                return hop
        return remote


def group_of(address: str) -> str:
    """An IPv4 address as it is, of an IPv6 address its network, anything else as one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, _IPV6_HOME), strict=False))
    return str(found)
