"""Dead links in the docs: every relative link in a `*.md` must lead to a file, and to a heading where it names one."""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from zegel_tools.checks.steps import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_NOT_OURS = frozenset({"node_modules", "build", "dist"})
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_INLINE_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^\s)>]+)>?(?:\s+[\"'(][^)]*)?\)")
_REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s+<?(\S+?)>?(?:\s|$)")
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")


def list_dead_links(root: Path, pages: list[Path]) -> list[str]:
    """Each dead link as `page:line: target: reason`, in the order in which they stand.

    Links to other places in the network are not followed: a check must not depend on them.

    Args:
        root: The folder that a link starting with `/` counts from, and that no link may leave.
        pages: The Markdown files to read.
    """
    dead: list[str] = []
    for page in pages:
        for number, line in _prose_lines(page):
            found = _REFERENCE.findall(line) + _LINK.findall(_INLINE_CODE.sub("", line))
            for target in found:
                reason = _fault(root, page, target)
                if reason:
                    dead.append(f"{page.relative_to(root)}:{number}: {target}: {reason}")
    return dead


def _fault(root: Path, page: Path, target: str) -> str | None:
    if _ELSEWHERE.match(target):
        return None
    path, _, anchor = unquote(target).partition("#")
    if not path:
        file = page
    elif path.startswith("/"):
        file = root / path[1:]
    else:
        file = page.parent / path
    file = file.resolve()
    if not file.is_relative_to(root.resolve()):
        return "outside the repository"
    if not file.exists():
        return "no such file"
    if anchor and file.suffix == ".md" and anchor not in _anchors(file):
        return "no such heading"
    return None


def _prose_lines(page: Path) -> list[tuple[int, str]]:
    """The numbered lines outside of code blocks."""
    lines: list[tuple[int, str]] = []
    fence: str | None = None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        mark = _FENCE.match(line)
        if fence is None and mark:
            fence = mark.group(1)
        elif fence is not None:
            if mark and mark.group(1).startswith(fence) and not line.strip().strip(fence[0]):
                fence = None
        else:
            lines.append((number, line))
    return lines


@cache
def _anchors(page: Path) -> frozenset[str]:
    """The anchors that the usual renderers give to the headings of a page."""
    seen: dict[str, int] = {}
    anchors: set[str] = set()
    for _, line in _prose_lines(page):
        anchors.update(_ANCHOR.findall(line))
        heading = _HEADING.match(line)
        if heading is None:
            continue
        text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading.group(1))
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        anchors.add(f"{slug}-{count}" if count else slug)
    return frozenset(anchors)


def list_pages(root: Path) -> list[Path]:
    """The Markdown files below `root`, without what is hidden, fetched or built."""
    return sorted(
        page
        for page in root.rglob("*.md")
        if not any(part.startswith(".") or part in _NOT_OURS for part in page.relative_to(root).parts)
    )


def main() -> int:
    """Print each dead link; returns 1 when there is one."""
    dead = list_dead_links(ROOT, list_pages(ROOT))
    for line in dead:
        print(line)
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
