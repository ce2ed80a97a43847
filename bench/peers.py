"""Side by side with other servers, by the harness that measures them all on the same work in one run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from report import ROOT

ADAPTER = "bench/peers_adapter.py"
WORKLOADS = "pairs,catchup,idle"
FULL = ("--repeats", "3", "--secs", "4", "--conns", "1000", "--settle", "5", "--quiet", "30")
QUICK = ("--repeats", "1", "--secs", "2", "--conns", "200", "--stored", "1000", "--settle", "2")


class HarnessError(Exception):
    """The harness measured nothing."""


def measure(harness: Path, peers: str, *, is_quick: bool) -> str:
    """Runs the harness and returns its Markdown; a peer that failed is named there, with the error.

    Args:
        harness: Folder of `run.py`.
        peers: Names, with commas between.
        is_quick: One short repeat instead of three that wait for a quiet machine.

    Raises:
        HarnessError: The harness failed; it has said why.
    """
    bench_venv = os.environ.get("BENCH_VENV")
    python = str(Path(bench_venv) / "bin" / "python") if bench_venv else sys.executable
    length = QUICK if is_quick else FULL
    with tempfile.TemporaryDirectory(prefix="zegel-peers-") as folder:
        out = Path(folder) / "peers.json"
        words = ["--adapter", ADAPTER, "--peers", peers, "--workload", WORKLOADS, "--out", str(out), *length]
        ended = subprocess.run(
            [python, str(harness / "run.py"), *words], cwd=ROOT, check=False, stdout=subprocess.DEVNULL
        )
        if ended.returncode:
            raise HarnessError(f"the harness ended with status {ended.returncode}")
        told = out.with_suffix(".md").read_text(encoding="utf-8")
        failed: list[list[str]] = json.loads(out.read_text(encoding="utf-8"))["failed"]
    _, _, tables = told.partition("\n")
    lines = ["## Side by side\n" + tables.rstrip().replace("\n## ", "\n### ")]
    lines += [f"- **{peer} failed** at {workload}: {error}" for peer, workload, error in failed]
    return "\n\n".join(lines)
