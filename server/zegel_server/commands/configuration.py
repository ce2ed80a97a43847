"""``./zegel config check FILE``: says what is wrong with a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_server.config import read_config

if TYPE_CHECKING:
    import argparse

    from zegel_server.config import Config


def check(arguments: argparse.Namespace, _: Config) -> int:
    """Reads the file; its faults are an error of the command."""
    read_config(arguments.file)
    print(f"{arguments.file}: no faults")  # noqa: T201 - the command's answer
    return 0
