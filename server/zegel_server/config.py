"""The configuration: every setting with its default, unit, bounds and a line that explains it.

Each section of the TOML file is a dataclass; the field's metadata is the one source of `config.example.toml`, of the
checks and of the errors. Unknown sections and settings are refused, and all faults are told at once.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

T = TypeVar("T", int, str, bool, tuple[str, ...])

_MIB = 1 << 20
_GIB = 1 << 30
_DAY_SECONDS = 24 * 60 * 60
_LARGE = 1 << 40


class ConfigError(Exception):
    """A configuration that cannot be used.

    Attributes:
        faults: One sentence for each, in the order of the file.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known about one setting."""

    about: str
    unit: str
    lowest: int
    highest: int


def _setting(default: T, about: str, *, unit: str = "", lowest: int = 0, highest: int = _LARGE) -> T:
    return field(default=default, metadata={"setting": Setting(about, unit, lowest, highest)})


@dataclass(frozen=True, slots=True)
class ServerSection:
    """Where the server listens and as what people know it."""

    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8460, "port to listen on; 0 takes a free one", highest=65_535)
    public_url: str = _setting("", "address that people use, as https://zegel.example; empty: loopback only")
    allowed_origins: tuple[str, ...] = _setting((), "other origins whose pages may use this server")
    trusted_proxies: tuple[str, ...] = _setting((), "addresses of proxies whose X-Forwarded-For is believed")
    certificate: str = _setting("", "PEM file with the certificate chain; empty: plain HTTP")
    private_key: str = _setting("", "PEM file with its private key")
    public_metrics: bool = _setting(False, "whether /metrics answers others than this machine")


@dataclass(frozen=True, slots=True)
class StorageSection:
    """Where things are kept, and how much of them."""

    data: str = _setting("data", "folder of database, secrets and files")
    readers: int = _setting(2, "threads that read the database", lowest=1, highest=64)
    cached_ledgers: int = _setting(4096, "ledgers kept in memory", unit="ledgers", lowest=16)
    file_bytes: int = _setting(128 * _MIB, "largest file, sealed", unit="bytes", lowest=65_553)
    dossier_bytes: int = _setting(
        10 * _GIB, "most that one dossier may store, files included", unit="bytes", lowest=_MIB
    )
    organisation_bytes: int = _setting(
        256 * _GIB,
        "most that all dossiers of one organisation may store, files included",
        unit="bytes",
        lowest=4 * _MIB,
        highest=1 << 50,
    )
    free_bytes: int = _setting(
        256 * _MIB,
        "free space that is kept for log-ins, changes of rights and erasures; below it nothing else is stored",
        unit="bytes",
    )
    ledger_entries: int = _setting(100_000, "most entries of a ledger", unit="entries", lowest=16)
    memory_bytes: int = _setting(4 * _MIB, "largest memory of one account for one ledger", unit="bytes", lowest=65_536)
    unused_file_days: int = _setting(7, "after which a file that no envelope lists is dropped", unit="days", lowest=1)


@dataclass(frozen=True, slots=True)
class SessionsSection:
    """How long a session lives."""

    lifetime_days: int = _setting(30, "after which a session ends", unit="days", lowest=1, highest=366)
    idle_days: int = _setting(7, "without use, after which a session ends", unit="days", lowest=1, highest=366)
    per_account: int = _setting(64, "most sessions of an account; the oldest ends", unit="sessions", lowest=2)


@dataclass(frozen=True, slots=True)
class LogInSection:
    """How often somebody may try."""

    failures: int = _setting(10, "failed log-ins of an account in the window", unit="log-ins", lowest=1)
    failure_window_seconds: int = _setting(300, "that window", unit="seconds", lowest=1, highest=_DAY_SECONDS)
    per_account_per_minute: int = _setting(60, "successful log-ins of an account", unit="a minute", lowest=1)
    per_address_per_minute: int = _setting(600, "successful log-ins from an address", unit="a minute", lowest=1)
    open_challenges: int = _setting(50_000, "most challenges that wait for an answer", unit="challenges", lowest=16)


@dataclass(frozen=True, slots=True)
class LimitsSection:
    """What a stranger or a member may send."""

    connections: int = _setting(20_000, "most connections", unit="connections", lowest=1)
    connections_per_address: int = _setting(1_000, "most connections of one address", unit="connections", lowest=1)
    connections_per_account: int = _setting(32, "most live connections of one account", unit="connections", lowest=1)
    calls_per_account: int = _setting(
        64,
        "single calls of one account at the same time",
        unit="calls",
        lowest=1,
    )
    open_requests_per_minute: int = _setting(
        2_400, "requests without a session from one address", unit="a minute", lowest=1
    )
    requests_per_second: int = _setting(500, "requests of one account, sustained", unit="a second", lowest=1)
    request_burst: int = _setting(5_000, "requests of one account at once", unit="requests", lowest=1)
    in_flight: int = _setting(256, "unanswered requests of one connection", unit="requests", lowest=1, highest=65_536)
    queue_bytes: int = _setting(16 * _MIB, "what may wait for a slow reader", unit="bytes", lowest=9 * _MIB)
    queue_frames: int = _setting(16_384, "frames that may wait for a slow reader", unit="frames", lowest=64)
    stall_seconds: int = _setting(30, "after which a reader that takes nothing is dropped", unit="seconds", lowest=1)
    subscriptions: int = _setting(4_096, "ledgers that one connection may follow", unit="ledgers", lowest=1)
    idle_seconds: int = _setting(
        45, "between two signs of life that a live connection is asked for", unit="seconds", lowest=1
    )
    sections: int = _setting(256, "most sections of a dossier", unit="sections", lowest=2, highest=256)
    entries_per_hour: int = _setting(
        5_000, "ledger entries of an account in one ledger, sustained and at once", unit="an hour", lowest=16
    )
    advances_per_hour: int = _setting(600, "new epochs in a ledger", unit="an hour", lowest=1)
    invitations_per_day: int = _setting(500, "invitations by an account", unit="a day", lowest=1)
    ledgers_per_day: int = _setting(500, "ledgers created by an account", unit="a day", lowest=1)
    dossiers_per_account: int = _setting(
        2_000, "dossiers that an account founded and of which it is a member still", unit="dossiers", lowest=1
    )
    claims_per_invitation: int = _setting(4, "answers kept for one invitation", unit="answers", lowest=2)
    open_uploads: int = _setting(64, "unfinished files of an account", unit="files", lowest=1)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that may be set."""

    server: ServerSection = field(default_factory=ServerSection)
    storage: StorageSection = field(default_factory=StorageSection)
    sessions: SessionsSection = field(default_factory=SessionsSection)
    log_in: LogInSection = field(default_factory=LogInSection)
    limits: LimitsSection = field(default_factory=LimitsSection)

    def with_place(self, *, data: str | None = None, port: int | None = None) -> Config:
        """Returns the same with another data folder or port, as the command line may name them."""
        storage = self.storage if data is None else dataclasses.replace(self.storage, data=data)
        server = self.server if port is None else dataclasses.replace(self.server, port=port)
        return dataclasses.replace(self, storage=storage, server=server)


def read_config(path: Path) -> Config:
    """Reads a configuration file.

    Raises:
        ConfigError: With every fault at once.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror or 'cannot be read'}"]) from None
    try:
        found = tomllib.loads(raw.decode())
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: not UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: {error}"]) from None
    except (ValueError, RecursionError):
        # A number of thousands of digits, or lists in lists without end: tomllib has no words for these.
        raise ConfigError([f"{path}: not TOML that can be read"]) from None
    return build_config(found)


def build_config(found: dict[str, Any]) -> Config:
    """Checks decoded TOML and builds the configuration.

    Raises:
        ConfigError: With every fault at once.
    """
    faults: list[str] = []
    sections: dict[str, Any] = {}
    known = {item.name: item for item in dataclasses.fields(Config)}
    for name, values in found.items():
        item = known.get(name)
        if item is None:
            faults.append(f"[{name}]: there is no such section")
        elif not isinstance(values, dict):
            faults.append(f"{name}: is a section, written as [{name}]")
        else:
            section = cast("type[object]", item.default_factory)
            sections[name] = _build_section(name, section, cast("dict[str, object]", values), faults)
    config = Config(**sections)
    # Of a setting that cannot be read nothing more is said: its default stands for it.
    unread = {fault.partition(":")[0] for fault in faults}
    faults += [fault for fault in _contradictions(config) if not any(name in fault for name in unread)]
    if faults:
        raise ConfigError(faults)
    return config


def _build_section(name: str, section: type[object], values: dict[str, object], faults: list[str]) -> object:
    known = {item.name: item for item in dataclasses.fields(cast("Any", section))}
    taken: dict[str, object] = {}
    for key, value in values.items():
        item = known.get(key)
        if item is None:
            faults.append(f"{name}.{key}: there is no such setting")
            continue
        about: Setting = item.metadata["setting"]
        fault, read = _read_value(value, item.default, about)
        if fault:
            faults.append(f"{name}.{key}: {fault}")
        else:
            taken[key] = read
    return section(**taken)


def _read_value(value: object, default: object, about: Setting) -> tuple[str, object]:
    if isinstance(default, bool):
        return ("" if isinstance(value, bool) else "is true or false"), value
    if isinstance(default, int):
        if not isinstance(value, int) or isinstance(value, bool):
            return "is a whole number", value
        if not about.lowest <= value <= about.highest:
            unit = f" {about.unit}" if about.unit else ""
            return f"is {about.lowest} to {about.highest}{unit}, not {value}", value
        return "", value
    if isinstance(default, str):
        if not isinstance(value, str):
            return "is a text in quotes", value
        return ("" if value.isprintable() else "holds characters that cannot be seen"), value
    texts = [item for item in cast("list[object]", value) if isinstance(item, str)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(texts) != len(cast("list[object]", value)):
        return "is a list of texts", None
    return "", tuple(texts)


def _contradictions(config: Config) -> list[str]:
    """Faults that only show in values or between settings."""
    faults: list[str] = []
    server = config.server
    origins = [("server.public_url", server.public_url)] if server.public_url else []
    origins += [("server.allowed_origins", origin) for origin in server.allowed_origins]
    for name, text in origins:
        if normalise_origin(text) is None:
            faults.append(f"{name}: {text!r} is no address of the form https://host[:port]")
    faults += [
        f"server.trusted_proxies: {proxy!r} is no address of a machine"
        for proxy in server.trusted_proxies
        if not _is_address(proxy)
    ]
    if bool(server.certificate) != bool(server.private_key):
        faults.append("server.certificate and server.private_key: both or neither")
    for name, path in (("certificate", server.certificate), ("private_key", server.private_key)):
        if path and not Path(path).is_file():
            faults.append(f"server.{name}: there is no file {path}")
    if not server.host:
        faults.append("server.host: is empty")
    if not config.storage.data:
        faults.append("storage.data: is empty")
    if config.sessions.idle_days > config.sessions.lifetime_days:
        faults.append("sessions.idle_days: is more than sessions.lifetime_days")
    if config.storage.dossier_bytes > config.storage.organisation_bytes:
        faults.append("storage.dossier_bytes: is more than storage.organisation_bytes")
    if config.limits.connections_per_address > config.limits.connections:
        faults.append("limits.connections_per_address: is more than limits.connections")
    return faults


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
"""A name as it travels: others than ASCII are written in punycode. An IPv4 address looks like one."""


def normalise_origin(text: str) -> str | None:
    """Returns scheme, host and port of a web address in the one form in which they are compared; None: is none."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or parts.username is not None or parts.password is not None:
        return None
    if not (_HOST.fullmatch(host) or (":" in host and _is_address(host))):
        return None
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        return None
    shown = f"[{host}]" if ":" in host else host
    is_default = port is None or port == (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{shown}" if is_default else f"{parts.scheme}://{shown}:{port}"


def example_toml() -> str:
    """Returns the example file: every setting with its default, commented out."""
    lines = [
        "# Settings of a Zegel server, each with its default. Remove the # before what you change.",
        "# `./zegel config check FILE` says what is wrong with a file; unknown settings are refused.",
    ]
    for part in dataclasses.fields(Config):
        section = cast("Any", part.default_factory)
        lines += ["", f"# {section.__doc__}", f"[{part.name}]"]
        for item in dataclasses.fields(section):
            about: Setting = item.metadata["setting"]
            unit = f" ({about.unit})" if about.unit else ""
            lines.append(f"# {about.about[0].upper()}{about.about[1:]}{unit}.")
            lines.append(f"#{item.name} = {_toml(item.default)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[]"
    return f'"{value}"' if isinstance(value, str) else str(value)
