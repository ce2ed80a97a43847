"""What several tests of the engine begin with."""

from __future__ import annotations

import pytest
from support.sections import Household


@pytest.fixture
def house() -> Household:
    return Household.found()
