"""The sample households and what must come out of them."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HOUSEHOLDS = ROOT / "sample"
EXPECTED = Path(__file__).with_name("expected")

SAMPLE_IDS = sorted(path.name.split(".")[0] for path in HOUSEHOLDS.glob("*.household.json"))


def load_household(sample_id: str) -> dict[str, Any]:
    """Reads a household file as it is."""
    return _load(HOUSEHOLDS / f"{sample_id}.household.json")


def load_expected(sample_id: str) -> dict[str, Any]:
    """Reads what must come out of a household."""
    return _load(EXPECTED / f"{sample_id}.expected.json")


def load_cases(name: str) -> list[dict[str, Any]]:
    """Reads a list of cases of this folder: ``entry_edge_cases`` or ``hostile_texts``."""
    found: list[dict[str, Any]] = json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
    return found


def hostile_texts() -> list[str]:
    """Texts that some program somewhere takes for more than text."""
    return [text for case in load_cases("hostile_texts") for name, text in case.items() if name != "id"]


def without_id(record: dict[str, Any]) -> dict[str, Any]:
    """A record of a file as its type reads it."""
    return {name: value for name, value in record.items() if name != "id"}


def _load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
