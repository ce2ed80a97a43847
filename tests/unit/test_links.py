"""Dead links are found, living ones are not reported."""

from pathlib import Path

import pytest

from zegel_tools.checks.links import list_dead_links, list_pages


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "b.md").write_text("# Some *Heading*, here\n\n## Twice\n\n## Twice\n\n```\n# Not one\n```\n")
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "[a](docs/b.md)",
        "[a](/docs/b.md)",
        "[a](docs/)",
        "[a](docs/b.md#some-heading-here)",
        "[a](docs/b.md#twice) [a](docs/b.md#twice-1)",
        '[a](docs/b.md "a title")',
        "[a]: docs/b.md",
        "[a](https://example.org/nothing)",
        "[a](mailto:a@example.org)",
        "`[a](nothing.md)`",
        "```\n[a](nothing.md)\n```",
        "# Here\n[a](#here)",
    ],
)
def test_living(docs: Path, text: str) -> None:
    page = docs / "a.md"
    page.write_text(text)
    assert list_dead_links(docs, [page]) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[a](nothing.md)", "no such file"),
        ("![a](nothing.png)", "no such file"),
        ("[a]: nothing.md", "no such file"),
        ("[![a](docs/b.md)](nothing.md)", "no such file"),
        ("[a](docs/b.md#nothing)", "no such heading"),
        ("[a](docs/b.md#twice-2)", "no such heading"),
        ("[a](docs/b.md#not-one)", "no such heading"),
        ("[a](#nothing)", "no such heading"),
        ("[a](../outside.md)", "outside the repository"),
    ],
)
def test_dead(docs: Path, text: str, reason: str) -> None:
    page = docs / "a.md"
    page.write_text(f"first line\n{text}")
    (dead,) = list_dead_links(docs, [page])
    assert dead.startswith("a.md:2: ")
    assert dead.endswith(reason)


def test_pages_are_ours(docs: Path) -> None:
    for folder in (".venv/x", "clients/web/node_modules/y", "a"):
        (docs / folder).mkdir(parents=True)
        (docs / folder / "page.md").touch()
    assert list_pages(docs) == [docs / "a" / "page.md", docs / "docs" / "b.md"]
