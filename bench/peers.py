"""Side by side with other servers, by the harness that measures them all on the same work in one run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from report import ROOT

ADAPTER = "bench/peers_adapter.py"
WORKLOADS = "pairs,catchup,idle"


def measure(harness: Path, peers: str, *, is_quick: bool) -> str:
    """Runs the harness and returns its Markdown.

    Args:
        harness: Folder of `run.py`.
        peers: Names, with commas between.
        is_quick: One short repeat instead of three that wait for a quiet machine.

    Raises:
        subprocess.CalledProcessError: The harness failed; it has said why.
    """
    bench_venv = os.environ.get("BENCH_VENV")
    python = str(Path(bench_venv) / "bin" / "python") if bench_venv else sys.executable
    length = ["--repeats", "1", "--secs", "4", "--conns", "500"] if is_quick else ["--quiet", "30"]
    with tempfile.TemporaryDirectory(prefix="zegel-peers-") as folder:
        out = Path(folder) / "peers.json"
        words = ["--adapter", ADAPTER, "--peers", peers, "--workload", WORKLOADS, "--out", str(out), *length]
        subprocess.run([python, str(harness / "run.py"), *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        told = out.with_suffix(".md").read_text(encoding="utf-8")
    _, _, tables = told.partition("\n")
    return "## Side by side\n" + tables.rstrip().replace("\n## ", "\n### ")
