"""Results as Markdown: what was measured, on which machine, and where the bar lies."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import subprocess
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_LIBRARIES = ("aiohttp", "argon2-cffi", "cryptography", "msgspec", "PyNaCl", "uvloop", "websockets")


@dataclass(frozen=True, slots=True)
class Table:
    """One benchmark's results.

    Attributes:
        title: What was measured.
        about: Two or three sentences: what was done, and what the figures mean.
        columns: Their heads.
        rows: Their cells.
        bars: Sentences that hold a figure against its bar.
    """

    title: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    bars: tuple[str, ...] = field(default=())

    def markdown(self) -> str:
        """Writes the table."""
        lines = [f"## {self.title}", "", self.about, ""]
        lines.append(f"| {' | '.join(self.columns)} |")
        lines.append(f"|{' --- |' * len(self.columns)}")
        lines.extend(f"| {' | '.join(row)} |" for row in self.rows)
        if self.bars:
            lines.append("")
            lines.extend(f"- {bar}" for bar in self.bars)
        return "\n".join(lines)


def hold(what: str, figure: float, bar: float, unit: str = "", digits: int = 2) -> str:
    """Says whether a figure is within its bar (at most)."""
    verdict = "within" if figure <= bar else "**outside**"
    return f"{what}: {figure:.{digits}f}{unit}, {verdict} the bar of {bar:g}{unit}"


def machine() -> str:
    """Describes the class of machine, the versions and the commit."""
    memory_gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{os.cpu_count()} cores ({_cpu_model()}), {memory_gib:.0f} GiB memory, {platform.system()} "
        f"{platform.release().partition('-')[0]}, CPython {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}; {libraries}; commit {_commit()}."
    )


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _commit() -> str:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return "unknown"

    def ask(*words: str) -> str:
        return subprocess.run([git, *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    # What this run is about to write says nothing about what is measured.
    measured = ("protocol", "server", "clients", "bench", ":(exclude)bench/RESULTS.md")
    changed = ask("status", "--porcelain", "--untracked-files=no", "--", *measured)
    return ask("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")
