"""Files: sent in whole chunks, resumed, complete only when verified, read with an envelope that lists them."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from support.ledgers import DAY_MS
from support.wire import (
    ANSWER,
    FakeClock,
    User,
    WireError,
    code_of,
    expect,
    planned,
    scene,
    with_limits,
    with_storage,
    world,
)

from zegel_protocol import messages as m
from zegel_protocol import primitives
from zegel_protocol.envelope import TypeClass
from zegel_protocol.errors import ErrorCode
from zegel_protocol.file import SEALED_CHUNK_BYTES, FileOpener, FileReference, FileSealer
from zegel_protocol.ids import id_text
from zegel_protocol.ledger.operations import Right

if TYPE_CHECKING:
    from pathlib import Path

    from support.wire import Scene, World

PIECE_BYTES = m.FILE_CHUNKS_PER_REQUEST * SEALED_CHUNK_BYTES


@dataclass
class Sealed:
    """A file as it is sent."""

    s: Scene
    plain: bytes
    reference: FileReference
    sealed: bytes

    def start(self, **changes: object) -> m.StartFile:
        fields = {
            "ledger": self.s.book.ledger,
            "section": self.s.section,
            "file": self.reference.id,
            "size_bytes": len(self.sealed),
            "chunks": self.reference.chunks,
            "digest": self.reference.digest,
        }
        return m.StartFile(**(fields | changes))  # type: ignore[arg-type]

    async def begin(self, user: User | None = None, **changes: object) -> m.FileState:
        return await self.s.w.call(user or self.s.client, self.start(**changes), m.FileState)

    async def put(self, chunk: int, piece: bytes | None = None, user: User | None = None) -> m.FileState:
        if piece is None:
            at = chunk * SEALED_CHUNK_BYTES
            piece = self.sealed[at : at + PIECE_BYTES]
        w = self.s.w
        url = f"{w.url}/v1/files/{id_text(self.reference.id)}/{chunk}"
        headers = {"Authorization": f"Bearer {(user or self.s.client).token.hex()}"}

        async with w.http.put(url, data=io.BytesIO(piece), headers=headers) as response:
            return expect(ANSWER.decode(await response.read()), m.FileState)

    async def get(self, user: User, chunk: int = 0) -> bytes:
        w = self.s.w
        url = f"{w.url}/v1/files/{id_text(self.reference.id)}/{chunk}"
        async with w.http.get(url, headers={"Authorization": f"Bearer {user.token.hex()}"}) as response:
            body = await response.read()
            if response.status != 200:
                raise WireError(_failure(body))
            return body

    async def upload(self) -> None:
        state = await self.begin()
        while state.next_chunk < state.chunks:
            state = await self.put(state.next_chunk)

    async def download(self, user: User) -> bytes:
        opener = FileOpener(self.reference)
        plain = b""
        number = 0
        while number < self.reference.chunks:
            piece = await self.get(user, number)
            for at in range(0, len(piece), SEALED_CHUNK_BYTES):
                plain += opener.add(piece[at : at + SEALED_CHUNK_BYTES])
                number += 1
        opener.finish()
        return plain


def _failure(body: bytes) -> m.Failure:
    found = ANSWER.decode(body)
    assert isinstance(found, m.Failure)
    return found


def seal(s: Scene, size: int = 2_500_000) -> Sealed:
    plain = primitives.random_bytes(size)
    sealer = FileSealer(size, "photo.jpg", "image/jpeg")
    chunks = [*sealer.add(plain), *sealer.finish()]
    return Sealed(s, plain, sealer.reference(), b"".join(chunks))


async def test_a_file_comes_back_as_it_was_sent_to_who_reads_its_envelope(w: World) -> None:
    s = await scene(w)
    file = seal(s)
    assert await file.begin() == m.FileState(file.reference.id, 0, file.reference.chunks)
    await file.upload()
    # Nobody reads it before an envelope lists it.
    assert await code_of(file.get(s.owner)) is ErrorCode.NO_ACCESS
    await s.submit(s.client, s.chain(s.client).next(files=(file.reference.id,))[0])
    assert await file.download(s.owner) == file.plain
    assert await file.download(s.client) == file.plain
    stranger = await scene(w, name="stranger")
    assert await code_of(file.get(stranger.client)) is ErrorCode.NO_ACCESS
    assert await code_of(file.get(s.owner, file.reference.chunks)) is ErrorCode.FILE
    # Once complete it is complete.
    again = await file.begin()
    assert again.next_chunk == again.chunks
    assert await file.put(0) == again


async def test_an_upload_goes_on_where_it_was_also_after_a_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    async with world(tmp_path, clock) as w:
        s = await scene(w)
        file = seal(s)
        await file.begin()
        assert (await file.put(0)).next_chunk == m.FILE_CHUNKS_PER_REQUEST
        # What a crash left of a piece that was never acknowledged.
        name = file.reference.id.hex()
        part = tmp_path / "files" / name[:2] / f"{name}.part"
        part.write_bytes(part.read_bytes() + b"half a chunk")
    async with world(tmp_path, clock, has_organisation=False) as again:
        s.w = again
        assert (await file.begin()).next_chunk == m.FILE_CHUNKS_PER_REQUEST
        await file.upload()
        await s.submit(s.client, s.chain(s.client).next(files=(file.reference.id,))[0])
        assert await file.download(s.client) == file.plain


async def test_pieces_are_whole_chunks_in_order(w: World) -> None:
    s = await scene(w)
    file = seal(s)
    await file.begin()
    wrong = [
        (1, None),
        (16, None),
        (0, b""),
        (0, file.sealed[:100]),
        (0, file.sealed[: SEALED_CHUNK_BYTES + 1]),
    ]
    for chunk, piece in wrong:
        assert await code_of(file.put(chunk, piece)) is ErrorCode.FILE, chunk
    assert await code_of(file.put(0, file.sealed[: PIECE_BYTES + 1])) is ErrorCode.TOO_LARGE
    assert (await file.put(0, file.sealed[:SEALED_CHUNK_BYTES])).next_chunk == 1
    assert (await file.put(1)).next_chunk == 17


async def test_other_bytes_than_announced_are_dropped(w: World) -> None:
    s = await scene(w)
    file = seal(s, 100_000)
    await file.begin()
    broken = bytearray(file.sealed)
    broken[5] ^= 1
    assert await code_of(file.put(0, bytes(broken))) is ErrorCode.FILE
    assert (await file.begin()).next_chunk == 0
    await file.upload()
    await s.submit(s.client, s.chain(s.client).next(files=(file.reference.id,))[0])


async def test_a_file_is_announced_by_who_writes_with_a_size_that_chunks_give(tmp_path: Path) -> None:
    async with world(tmp_path, config=with_storage(file_bytes=300_000)) as w:
        s = await scene(w, Right.READ)
        file = seal(s, 100_000)
        assert await code_of(file.begin(s.client)) is ErrorCode.NO_ACCESS
        for changes, code in (
            ({"chunks": 1}, ErrorCode.FILE),
            ({"size_bytes": 0, "chunks": 0}, ErrorCode.FILE),
            ({"size_bytes": 300_001, "chunks": 5}, ErrorCode.TOO_LARGE),
            ({"section": b"\1" * 16}, ErrorCode.NO_ACCESS),
        ):
            assert await code_of(file.begin(s.owner, **changes)) is code
        await file.begin(s.owner)
        for changes in ({"digest": bytes(32)}, {"size_bytes": len(file.sealed) - 1}):
            assert await code_of(file.begin(s.owner, **changes)) is ErrorCode.FILE
        # It is its uploader's alone until it is complete.
        other = await scene(w, name="other")
        assert await code_of(file.put(0, user=other.client)) is ErrorCode.NO_ACCESS
        stolen = Sealed(other, file.plain, file.reference, file.sealed)
        assert await code_of(stolen.begin(other.owner)) is ErrorCode.FILE


async def test_an_envelope_lists_only_complete_files_of_its_section(w: World) -> None:
    s = await scene(w)
    other = await scene(w, name="other")
    file, foreign = seal(s, 1000), seal(other, 1000)
    await file.begin()
    await foreign.upload()
    chain = s.chain(s.client)
    for listed in (file, foreign):
        sealed, _ = chain.seal(files=(listed.reference.id,))
        assert await code_of(s.submit(s.client, sealed)) is ErrorCode.FILE_INCOMPLETE
    await file.upload()
    await s.submit(s.client, chain.next(files=(file.reference.id,))[0])


async def test_erasing_frees_a_file_that_no_other_envelope_lists(w: World) -> None:
    s = await scene(w)
    file, shared = seal(s, 1000), seal(s, 1000)
    for one in (file, shared):
        await one.upload()
    chain = s.chain(s.client)
    own = primitives.random_bytes(16)
    both = (file.reference.id, shared.reference.id)
    sent, sent_hash = chain.next(id=own, record=own, files=both)
    await s.submit(s.client, sent)
    await s.submit(s.client, chain.next(files=(shared.reference.id,))[0])
    await s.submit(s.client, chain.next(type=TypeClass.ERASE, record=own, targets=(sent_hash,))[0])
    assert await code_of(file.get(s.owner)) is ErrorCode.NO_ACCESS
    assert await shared.download(s.owner) == shared.plain
    await w.housekeeping()
    assert not path_of(w, file).exists()
    assert path_of(w, shared).exists()


async def test_files_that_nothing_lists_are_dropped_after_a_week(w: World) -> None:
    s = await scene(w)
    whole_one, half = seal(s, 1000), seal(s)
    await whole_one.upload()
    await half.begin()
    await half.put(0)
    await w.housekeeping()
    assert path_of(w, whole_one).exists()
    w.clock.ms += 7 * DAY_MS
    await w.housekeeping()
    assert not path_of(w, whole_one).exists()
    assert not list((w.data / "files").rglob("*.part"))
    s.client.token = (await w.log_in(s.client)).token
    sealed, _ = s.chain(s.client).seal(files=(whole_one.reference.id,))
    assert await code_of(s.submit(s.client, sealed)) is ErrorCode.FILE_INCOMPLETE


async def test_a_file_that_could_not_be_dropped_is_dropped_the_next_time(w: World) -> None:
    s = await scene(w)
    file = seal(s, 1000)
    await file.upload()
    w.clock.ms += 7 * DAY_MS
    path = path_of(w, file)
    # A folder is in its place, as a crash is between what the database knows and what the disk holds.
    aside = path.rename(path.with_name("aside"))
    path.mkdir()
    with pytest.raises(OSError, match=re.escape(path.name)):
        await w.housekeeping()
    path.rmdir()
    aside.rename(path)
    await w.housekeeping()
    assert not path.exists()
    # That was all: what is put there now is not ours to drop.
    path.write_bytes(b"x")
    await w.housekeeping()
    assert path.exists()


async def test_files_count_for_the_quota_and_unfinished_ones_are_few(tmp_path: Path) -> None:
    async with world(tmp_path / "a", config=with_storage(dossier_bytes=1 << 20)) as w:
        s = await scene(w)
        await seal(s, 700_000).begin()
        assert await code_of(seal(s, 700_000).begin()) is ErrorCode.QUOTA
    async with world(tmp_path / "b", config=with_limits(open_uploads=2)) as w:
        s = await scene(w)
        for _ in range(2):
            await seal(s, 10).begin()
        assert await code_of(seal(s, 10).begin()) is ErrorCode.QUOTA


async def test_who_reads_one_record_reads_the_files_of_that(w: World) -> None:
    import msgspec

    from zegel_protocol.ledger.operations import Scope, ScopeKind

    s = await scene(w)
    record = primitives.random_bytes(16)
    narrow = User.new("narrow")
    lobby, grant = planned(s.book, s.section, Right.READ)
    scope = Scope(s.section, ScopeKind.RECORD, record)
    await w.invite(s.owner, s.book, narrow, lobby, msgspec.structs.replace(grant, scope=scope))
    mine, rest = seal(s, 1000), seal(s, 1000)
    chain = s.chain(s.client)
    for file, own in ((mine, record), (rest, primitives.random_bytes(16))):
        await file.upload()
        await s.submit(s.client, chain.next(files=(file.reference.id,), id=own, record=own)[0])
    assert await mine.download(narrow) == mine.plain
    assert await code_of(rest.get(narrow)) is ErrorCode.NO_ACCESS


async def test_paths_that_name_no_file(w: World) -> None:
    headers = {"Authorization": f"Bearer {w.owner.token.hex()}"}
    for path, status in (
        ("/v1/files/x/0", 400),
        (f"/v1/files/{id_text(bytes(16))}/-1", 400),
        (f"/v1/files/{id_text(bytes(16))}/0", 404),
        (f"/v1/files/{id_text(bytes(16))}/0/0", 404),
    ):
        async with w.http.get(w.url + path, headers=headers) as response:
            assert response.status == status
    async with w.http.get(f"{w.url}/v1/files/{id_text(bytes(16))}/0") as response:
        assert response.status == 401


def path_of(w: World, file: Sealed) -> Path:
    name = file.reference.id.hex()
    return w.data / "files" / name[:2] / name
