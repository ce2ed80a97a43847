"""`./zegel demo`: a fresh installation with everybody of a folder of household files in it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zegel_client.cli.answer import Answer, print_answer
from zegel_client.cli.failure import CommandError
from zegel_client.cli.progress import Progress, showing
from zegel_client.cli.status import Status
from zegel_client.cli.visible import visible_line
from zegel_client.clock import now_ms
from zegel_server.clock import SystemClock
from zegel_server.config import Config
from zegel_server.log import Log
from zegel_server.main import StartError, running_server
from zegel_tools.demo_report import to_json, to_text
from zegel_tools.loader.household_folder import FaultyFolderError, read_folder
from zegel_tools.loader.load import Loaded, load, plan_installation
from zegel_tools.loader.operator import Operator

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from zegel_client.household import Household

SAMPLE: Final = Path(__file__).resolve().parents[2] / "sample"
LOG: Final = "server.log"
"""Where the server's log is in its data folder."""
HIGHEST_PORT: Final = 65_535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.add_argument("--sample", type=Path, default=SAMPLE, metavar="DIR", help="folder of household files")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="empty folder for the server; default: a temporary one"
    )
    parser.add_argument("--port", type=_port, metavar="N", help="default: 8460, or a free one with --load-only")
    parser.add_argument("--load-only", action="store_true", help="stop when everything is loaded")
    parser.add_argument("--json", action="store_true", help="print one JSON value when everything is loaded")


def run(options: argparse.Namespace) -> Status:
    """Loads, prints, and serves until interrupted.

    Raises:
        CommandError: A faulty household file, a folder that is not empty, a port that is taken.
    """
    households = _read(options.sample)
    with _data_folder(options.data) as data:
        try:
            return asyncio.run(_demo(options, data, households))
        except StartError as error:
            raise CommandError("start", str(error), Status.FAULT, hint="--port N takes another port") from None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


def _read(folder: Path) -> list[Household]:
    if not folder.is_dir():
        raise CommandError("sample", f"there is no folder {folder}")
    try:
        return read_folder(folder)
    except FaultyFolderError as error:
        for fault in error.faults[:-1]:
            print(f"error: sample: {visible_line(fault)}", file=sys.stderr)
        raise CommandError("sample", visible_line(error.faults[-1])) from None


@contextlib.contextmanager
def _data_folder(wanted: Path | None) -> Generator[Path]:
    """The folder for the server: a temporary one, or one that is empty again when loading failed."""
    if wanted is None:
        with tempfile.TemporaryDirectory(prefix="zegel-demo-") as folder:
            yield Path(folder)
        return
    wanted = wanted.absolute()
    was_there = wanted.exists()
    if was_there and (not wanted.is_dir() or any(wanted.iterdir())):
        raise CommandError("data", f"{wanted} is not an empty folder", hint="name one that is empty or not there yet")
    wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        yield wanted
    except BaseException:
        _empty(wanted)
        if not was_there:
            wanted.rmdir()
        raise


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


async def _demo(options: argparse.Namespace, data: Path, households: Sequence[Household]) -> Status:
    # Told to end while it loads, it cleans up as after Ctrl-C, which the event loop turns into an end of its task.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
    port = options.port if options.port is not None else 0 if options.load_only else Config().server.port
    config = Config().with_place(data=str(data), port=port)
    with (data / LOG).open("a", encoding="utf-8") as log:
        async with running_server(config, log=Log(SystemClock(), log)) as server:
            loaded = await _load(server.url, data, households)
            text = to_text(server.url, data, households, loaded, is_running=not options.load_only)
            print_answer(Answer(to_json(server.url, data, households, loaded), text), is_json=options.json)
            if not options.load_only:
                await _wait_for_end()
    return Status.DONE


async def _wait_for_end() -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    print("Ctrl-C ends it.", file=sys.stderr)
    await ended.wait()


async def _load(server: str, data: Path, households: Sequence[Household]) -> Loaded:
    installation = plan_installation(households, now_ms())
    for note in installation.notes:
        print(f"note: {visible_line(note)}", file=sys.stderr)
    progress = Progress("Loading", installation.steps)
    async with showing(progress):
        return await load(server, installation, Operator(data).permit, progress.step)
