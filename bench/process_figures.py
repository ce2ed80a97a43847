"""What Linux tells of a process: time on the CPU and memory."""

from __future__ import annotations

import os
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def cpu_us(pid: int) -> float:
    """Time that all live threads of a process spent on the CPU, in microseconds."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((thread / "schedstat").read_text(encoding="ascii").split()[0])
        except FileNotFoundError:
            # The thread has ended since the folder was listed.
            continue
    return total / 1000


def rss_kib(pid: int) -> int:
    """Resident memory in KiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE_BYTES // 1024


def file_bytes(folder: Path) -> tuple[int, int]:
    """Sizes of all files below a folder, added up: (as they say, as the file system keeps them)."""
    size = kept = 0
    for path in folder.rglob("*"):
        found = path.lstat()
        size += found.st_size
        kept += found.st_blocks * 512
    return size, kept
