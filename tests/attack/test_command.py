"""`./zegel attack` as it is called."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from zegel_tools.attack.attack import Attack, NotDefeatedError
from zegel_tools.attack.catalogue import ATTACKS, FAMILIES
from zegel_tools.attack.demands import require, require_refusal, require_silence

COMMAND = (sys.executable, "-P", "-m", "zegel_tools", "attack")


def attack(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=60, check=False)


def test_the_list_names_every_attack_once() -> None:
    done = attack("--list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    lines = json.loads(done.stdout)
    assert [line["attack"] for line in lines] == list(ATTACKS)
    assert len(lines) == sum(map(len, FAMILIES.values()))
    for line in lines:
        assert set(line) == {"attack", "family", "by", "promise", "about"}
        assert line["about"].endswith(".")
        assert 1 <= line["promise"] <= 8
    prose = attack("--list")
    assert all(name in prose.stdout for name in ATTACKS)


def test_an_attack_is_played_and_its_defeat_told() -> None:
    done = attack("reader-writes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "defeated: void: conversation 4: void of Bram" in done.stdout


def test_a_script_gets_one_value() -> None:
    done = attack("weak-parameters", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["attack"], found["is_defeated"]) == ("weak-parameters", True)


@pytest.mark.parametrize("words", [(), ("no-such-attack",), ("--nonsense",), ("reader-writes", "box-is-another")])
def test_a_wrong_call_says_what_to_do(words: tuple[str, ...]) -> None:
    done = attack(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: wrong_use: ")
    assert len(done.stderr.splitlines()) == 2


# --- a demand that is not met is told ---------------------------------------------------------------------------------


def test_an_attack_has_the_name_and_the_words_of_its_function() -> None:
    found = ATTACKS["ghost-member"]
    assert isinstance(found, Attack)
    assert found.about == "The server adds a member of its own in Marijke's name: no key is wrapped to them."


async def test_demands_that_are_not_met() -> None:
    from zegel_protocol.errors import ErrorCode, ObjectError
    from zegel_protocol.messages import GetReceipts, PutMemory

    with pytest.raises(NotDefeatedError, match="so it is"):
        require(0, "so it is")

    async def succeed() -> None:
        return None

    async def fail() -> None:
        raise ObjectError(ErrorCode.PADDING)

    with pytest.raises(NotDefeatedError, match="accepted"):
        await require_refusal(succeed(), ErrorCode.SIGNATURE)
    with pytest.raises(NotDefeatedError, match="padding"):
        await require_refusal(fail(), ErrorCode.SIGNATURE)
    assert (await require_refusal(fail(), ErrorCode.PADDING)).code is ErrorCode.PADDING
    require_silence([GetReceipts(bytes(16))])
    memory = PutMemory(bytes(16), 0, 1, b"", b"")
    require_silence([memory], bytes([1]) * 16)
    with pytest.raises(NotDefeatedError, match="PutMemory"):
        require_silence([memory], bytes(16))
    with pytest.raises(NotDefeatedError, match="PutMemory"):
        require_silence([memory])
