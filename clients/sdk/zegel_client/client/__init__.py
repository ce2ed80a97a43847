"""What programs are written against: an account, its dossiers, their sections.

    async with await Client.log_in("https://zegel.example", "marijke", password) as client:
        dossier = await client.open("Bijstand, alleenstaande ouder")
        await dossier.section("conversation").send("Tot maandag!")
        for message in await dossier.section("conversation").read(limit=10):
            print(message.author_name, message.text)

Everything shown was verified before; an error of `zegel_client.errors` or of the protocol says why not.
"""

from zegel_client.client.client import Client as Client
from zegel_client.client.dossier import Dossier as Dossier
from zegel_client.client.section import Section as Section
