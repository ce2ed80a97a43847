"""Where a server meets the network: TLS of its own, and a proxy before it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
from typing import TYPE_CHECKING

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.wire import User, world

from zegel_protocol import messages as m
from zegel_protocol.account import Action
from zegel_protocol.errors import ErrorCode
from zegel_server import commands
from zegel_server.config import Config, LimitsSection, ServerSection
from zegel_server.main import StartError

if TYPE_CHECKING:
    from pathlib import Path

    from support.wire import World


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of one day for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, private


async def test_a_server_with_a_certificate_speaks_tls_and_only_that(tmp_path: Path) -> None:
    chain, private = make_certificate(tmp_path)
    config = Config(server=ServerSection(certificate=str(chain), private_key=str(private)))
    async with world(tmp_path / "data", config=config, has_organisation=False) as w:
        assert w.url.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(chain))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as http:
            w.http, plain = http, w.http
            _, secret = await w.create_organisation()
            user = User.new("user")
            await w.sign_up(user, secret)
            async with w.live(user) as live:
                await live.ask(m.ListSessions(), m.Sessions)
        with pytest.raises(aiohttp.ClientError):
            await plain.get(w.url.replace("https", "http") + "/ready")


async def test_a_certificate_that_does_not_fit_its_key_is_told(tmp_path: Path) -> None:
    chain, _ = make_certificate(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    _, private = make_certificate(other)
    config = Config(server=ServerSection(certificate=str(chain), private_key=str(private)))
    with pytest.raises(StartError, match="the certificate cannot be used"):
        async with world(tmp_path / "data", config=config, has_organisation=False):
            pass


def test_a_port_that_is_taken_is_one_line_and_a_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert commands.run(["serve", "--data", str(tmp_path / "data"), "--port", str(port)]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert [line for line in errors if line.startswith("error: ")] == [
        f"error: start: cannot listen on 127.0.0.1 port {port}: Address already in use"
    ]


async def ask(w: World, forwarded: str) -> ErrorCode | None:
    """The code that a stranger gets whom a proxy reports as coming from an address."""
    body = m.encode_message(m.GetChallenge("somebody", Action.LOG_IN))
    async with w.http.post(w.url + "/v1/open", data=body, headers={"X-Forwarded-For": forwarded}) as response:
        await response.read()
        return ErrorCode.RATE_LIMITED if response.status == 429 else None


async def test_limits_count_who_a_trusted_proxy_reports(tmp_path: Path) -> None:
    limits = LimitsSection(open_requests_per_minute=2)
    proxied = Config(server=ServerSection(trusted_proxies=("127.0.0.1", "192.0.2.1")), limits=limits)
    async with world(tmp_path / "a", config=proxied, has_organisation=False) as w:
        for address in ("203.0.113.1", "203.0.113.2"):
            assert await ask(w, address) is None
            # What a client itself wrote before the proxy's word counts for nothing; a second proxy is passed over.
            assert await ask(w, f"198.51.100.9, {address}, 192.0.2.1") is None
            assert await ask(w, address) is ErrorCode.RATE_LIMITED
    async with world(tmp_path / "b", config=Config(limits=limits), has_organisation=False) as w:
        codes = [await ask(w, f"203.0.113.{n}") for n in range(3)]
        assert codes == [None, None, ErrorCode.RATE_LIMITED]
