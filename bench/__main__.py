"""`./zegel bench`: the benchmarks of Zegel, as Markdown.

Without a name all of the project's own benchmarks are run; with `--all` everything that there is, as for RESULTS.md.
Nothing here passes or fails by its time; status 1 says that fuzzing found something, or that the harness failed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import client_opening
import growth
import idle_connections
import ledger_cost
import message_cost
import page_cost
import peers
from fuzz import fuzz_all
from report import ROOT, machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fuzz import Finding

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
HARNESS = ROOT.parent / "shared" / "bench" / "peers"
STORED, STORED_QUICKLY, STORED_OF_ALL = 100_000, 10_000, 1_000_000
FUZZ_SECONDS, FUZZ_SECONDS_QUICKLY = 30.0, 5.0
PEERS = "zegel,floor-aiohttp-signed,prosody-sqlite,ejabberd-sqlite"
"""The floor with a signature verified for each message, and those that sync what they store."""
BENCHMARKS: dict[str, Callable[[argparse.Namespace], str]] = {
    "message": lambda asked: message_cost.measure(is_quick=asked.quick).markdown(),
    "page": lambda asked: page_cost.measure(is_quick=asked.quick).markdown(),
    "opening": lambda asked: client_opening.measure(is_quick=asked.quick).markdown(),
    "ledger": lambda asked: ledger_cost.measure(is_quick=asked.quick).markdown(),
    "idle": lambda asked: idle_connections.measure(is_quick=asked.quick).markdown(),
    "growth": lambda asked: growth.measure(is_quick=asked.quick, stored=asked.stored).markdown(),
}


def main(words: list[str]) -> int:
    """Runs what was asked for and prints it; returns the exit status."""
    asked = read_words(words)
    parts = [f"# Results\n\nMeasured on {time.strftime('%Y-%m-%d', time.gmtime())}: {machine()}"]
    print(parts[0], flush=True)
    findings: list[Finding] = []
    failed = False
    try:
        for part in run(asked, findings):
            parts.append(part)
            print(f"\n{part}", flush=True)
    except peers.HarnessError as error:
        # It comes last: what was measured before it is kept.
        parts.append(f"## Side by side\n\nNot measured: {error}.")
        print(f"error: {error}", file=sys.stderr)
        failed = True
    if asked.write:
        RESULTS.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    for finding in findings:
        print(f"{finding.target}: {finding.error}: {finding.data}", file=sys.stderr)
    return 1 if findings or failed else 0


def run(asked: argparse.Namespace, findings: list[Finding]) -> Iterator[str]:
    """Yields each result as it is there; what fuzzing found is added to `findings`."""
    if asked.fuzz is not None:
        table, found = fuzz_all(asked.fuzz, asked.seed)
        findings.extend(found)
        yield table.markdown()
    for name in asked.names:
        yield BENCHMARKS[name](asked)
    if asked.peers:
        yield peers.measure(asked.harness, asked.peers, is_quick=asked.quick)
    elif asked.all:
        yield "## Side by side\n\nNot measured: the harness is not there."


def read_words(words: list[str]) -> argparse.Namespace:
    """Reads the command line; ends with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(prog="./zegel bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(BENCHMARKS)}")
    parser.add_argument(
        "--all",
        action="store_true",
        help=f"all benchmarks, growth to {STORED_OF_ALL:,}, fuzzing, and where the harness is {PEERS}",
    )
    parser.add_argument("--quick", action="store_true", help="less of everything: to see that it works")
    parser.add_argument("--stored", type=int, metavar="N", help="up to how many envelopes `growth` goes")
    parser.add_argument("--fuzz", type=float, metavar="SECONDS", help="fuzz every decoder for so long")
    parser.add_argument("--seed", type=int, help="of the fuzzing; one is drawn otherwise, and told")
    parser.add_argument("--peers", metavar="LIST", help="measure zegel beside these peers, with the harness")
    parser.add_argument("--harness", type=Path, default=HARNESS, metavar="DIR", help="where the harness lies")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    asked = parser.parse_args(words)
    unknown = [name for name in asked.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    if asked.all:
        _ask_for_all(asked)
    if not asked.names and (asked.all or (asked.fuzz is None and not asked.peers)):
        asked.names = list(BENCHMARKS)
    if asked.stored is None:
        asked.stored = STORED_QUICKLY if asked.quick else STORED
    if asked.stored < 1_000:
        parser.error("--stored is at least 1000")
    if asked.seed is None:
        asked.seed = time.time_ns() % 1_000_000
    if asked.peers and not (asked.harness / "run.py").is_file():
        parser.error(f"no harness in {asked.harness}")
    return asked


def _ask_for_all(asked: argparse.Namespace) -> None:
    """Sets what was not asked for otherwise."""
    if asked.fuzz is None:
        asked.fuzz = FUZZ_SECONDS_QUICKLY if asked.quick else FUZZ_SECONDS
    if asked.stored is None and not asked.quick:
        asked.stored = STORED_OF_ALL
    if asked.peers is None and (asked.harness / "run.py").is_file():
        asked.peers = PEERS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
