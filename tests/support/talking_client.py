"""A client in a process of its own, so that it can be killed: says numbered texts and prints which were told.

Arguments: server, handle, password, profile, dossier (UUID), prefix, how many texts at most.
Says one text, prints ``ready``, and begins with the first line on standard input. Then ``told TEXT`` for each
acknowledged text, and ``waiting`` when everything else was given up and lies in the outbox. It never ends by itself.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from zegel_client.client import Client
from zegel_client.errors import UnreachableError
from zegel_protocol.conversation import Message
from zegel_protocol.envelope import TypeClass

GIVE_UP_S = 2.0


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(server: str, handle: str, password: str, profile: str, dossier: str, prefix: str, most: str) -> None:
    client = await Client.log_in(server, handle, password, profile=Path(profile), give_up_s=GIVE_UP_S)
    section = (await client.open(dossier)).section("conversation")
    await section.send(f"{prefix} warm")
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    texts = [f"{prefix} {number}" for number in range(int(most))]
    futures = {text: section.submit_payload(Message(text=text).to_payload(), type=TypeClass.MESSAGE) for text in texts}
    for text, future in futures.items():
        try:
            await future
        except UnreachableError:
            continue  # it stays in the outbox
        say(f"told {text}")
    say("waiting")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
