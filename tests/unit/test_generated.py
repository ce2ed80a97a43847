"""A generated file that differs from its source is reported, until it is made anew."""

from pathlib import Path

from zegel_tools.checks.generated import Generated, list_stale, write


def test_stale_until_written(tmp_path: Path) -> None:
    files = [Generated("a/x.gen.json", lambda: "{}\n"), Generated("y.gen.md", lambda: "text é\n")]
    assert list_stale(files, tmp_path) == ["a/x.gen.json", "y.gen.md"]
    write(files, tmp_path)
    assert list_stale(files, tmp_path) == []
    (tmp_path / "a" / "x.gen.json").write_text("{}\r\n", newline="")
    assert list_stale(files, tmp_path) == ["a/x.gen.json"]
