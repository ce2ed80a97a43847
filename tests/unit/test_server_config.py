"""The configuration: one source for defaults, checks and the example; every fault at once."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from zegel_server import commands
from zegel_server.config import Config, ConfigError, build_config, example_toml, normalise_origin, read_config

ROOT = Path(__file__).parents[2]


def test_the_example_is_made_from_the_settings() -> None:
    assert (ROOT / "config.example.toml").read_text(encoding="utf-8") == example_toml()


def test_the_example_with_everything_switched_on_is_the_default() -> None:
    lines = [
        line[1:] if line[:1] == "#" and line[1:2] not in {" ", ""} else line for line in example_toml().splitlines()
    ]
    assert build_config(tomllib.loads("\n".join(lines))) == Config()


def test_every_setting_in_the_example_has_its_unit_or_needs_none() -> None:
    for line, following in zip(example_toml().splitlines(), example_toml().splitlines()[1:], strict=False):
        if following.startswith("#") and following.partition(" = ")[2].isdigit() and not following.startswith("# "):
            assert line.endswith(").") or "port" in following or "readers" in following, following


def test_all_faults_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "zegel.toml"
    path.write_text(
        "[server]\nport = 65536\nhots = 'x'\npublic_metrics = 1\nallowed_origins = [1]\n"
        "[storage]\nreaders = true\ndata = 3\n[limit]\nx = 1\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as found:
        read_config(path)
    assert found.value.faults == [
        "server.port: is 0 to 65535, not 65536",
        "server.hots: there is no such setting",
        "server.public_metrics: is true or false",
        "server.allowed_origins: is a list of texts",
        "storage.readers: is a whole number",
        "storage.data: is a text in quotes",
        "[limit]: there is no such section",
    ]
    assert commands.run(["config", "check", str(path)]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert errors == [f"error: config: {fault}" for fault in found.value.faults]


def test_contradictions_are_told(tmp_path: Path) -> None:
    faults = {
        "[server]\npublic_url = 'zegel.example'": "server.public_url: 'zegel.example' is no address",
        "[server]\nallowed_origins = ['https://a.example/path']": "server.allowed_origins: ",
        "[server]\ncertificate = '/no/such'": "server.certificate and server.private_key: both or neither",
        "[server]\nhost = ''": "server.host: is empty",
        "[storage]\ndata = ''": "storage.data: is empty",
        "[sessions]\nidle_days = 31": "sessions.idle_days: is more than sessions.lifetime_days",
        "[limits]\nconnections = 1": "limits.connections_per_address: is more than limits.connections",
        "[storage]\norganisation_bytes = 4194304": "storage.dossier_bytes: is more than storage.organisation_bytes",
        "server = 1": "server: is a section",
        "= 1": "",
    }
    for text, fault in faults.items():
        path = tmp_path / "zegel.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as found:
            read_config(path)
        assert any(fault in told for told in found.value.faults), text


def test_a_good_file_has_no_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "zegel.toml"
    path.write_text("[server]\nport = 1\n[sessions]\nidle_days = 3\n", encoding="utf-8")
    assert commands.run(["config", "check", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: no faults\n"
    config = read_config(path)
    assert (config.server.port, config.sessions.idle_days, config.sessions.lifetime_days) == (1, 3, 30)
    assert config.with_place(data="x", port=2).server.port == 2


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://Zegel.example", "https://zegel.example"),
        ("https://zegel.example:443/", "https://zegel.example"),
        ("http://zegel.example:443", "http://zegel.example:443"),
        ("http://[::1]:80", "http://[::1]"),
        ("ftp://zegel.example", None),
        ("https://user@zegel.example", None),
        ("https://zegel.example/x", None),
        ("https://zegel.example?x", None),
        ("https://zegel.example:99999", None),
        ("https://", None),
        ("", None),
    ],
)
def test_addresses_have_one_form(text: str, origin: str | None) -> None:
    assert normalise_origin(text) == origin
