"""A ciphertext that XChaCha20-Poly1305 opens under two keys: Poly1305 commits to none of them.

The last 16 bytes are made so that both texts end as padding ends; one block in the middle is solved for, so that both
keys give one tag. See Dodis, Grubbs, Ristenpart, Woodage: Fast Message Franking (2018), section 3.
"""

from __future__ import annotations

from zegel_protocol import primitives

_P = (1 << 130) - 5
_R = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
_SIZE = 256
_BLOCK = 16
_FREE = 3
"""Which block is solved for."""
_TAG = 16


def _streams(key: bytes, nonce: bytes, aad: bytes) -> tuple[bytes, int, int]:
    """The key stream (the encryption of zeros), and r and s of the one-time authenticator.

    See draft-irtf-cfrg-xchacha, sections 2.2 and 2.3, and RFC 8439, section 2.6.
    """
    block = _chacha_block(_hchacha(key, nonce[:16]), 0, bytes(4) + nonce[16:])
    r, s = int.from_bytes(block[:16], "little") & _R, int.from_bytes(block[16:32], "little")
    return primitives.encrypt(key, nonce, bytes(_SIZE), aad)[:_SIZE], r, s


def _rounds(state: list[int]) -> list[int]:
    found = list(state)
    for _ in range(10):
        for a, b, c, d in (
            (0, 4, 8, 12),
            (1, 5, 9, 13),
            (2, 6, 10, 14),
            (3, 7, 11, 15),
            (0, 5, 10, 15),
            (1, 6, 11, 12),
            (2, 7, 8, 13),
            (3, 4, 9, 14),
        ):
            for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                found[x] = (found[x] + found[y]) & 0xFFFFFFFF
                mixed = found[z] ^ found[x]
                found[z] = ((mixed << turn) | (mixed >> (32 - turn))) & 0xFFFFFFFF
    return found


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]


def _bytes(words: list[int]) -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in words)


_SIGMA = _words(b"expand 32-byte k")


def _hchacha(key: bytes, nonce: bytes) -> bytes:
    found = _rounds([*_SIGMA, *_words(key), *_words(nonce)])
    return _bytes([*found[:4], *found[12:]])


def _chacha_block(key: bytes, counter: int, nonce: bytes) -> bytes:
    state = [*_SIGMA, *_words(key), counter, *_words(nonce)]
    return _bytes([(a + b) & 0xFFFFFFFF for a, b in zip(state, _rounds(state), strict=True)])


def _blocks(aad: bytes, ciphertext: bytes) -> list[int]:
    padded = aad + bytes(-len(aad) % _BLOCK) + ciphertext + bytes(-len(ciphertext) % _BLOCK)
    padded += len(aad).to_bytes(8, "little") + len(ciphertext).to_bytes(8, "little")
    return [int.from_bytes(padded[at : at + _BLOCK], "little") + (1 << 128) for at in range(0, len(padded), _BLOCK)]


def _sum(blocks: list[int], r: int) -> int:
    found = 0
    for block in blocks:
        found = (found + block) * r % _P
    return found


def two_readings(first: bytes, second: bytes, nonce: bytes, aad: bytes) -> bytes | None:
    """Makes the ciphertext with its tag, of one bucket of padding; None: not with this nonce."""
    one, other = (_streams(key, nonce, aad) for key in (first, second))
    if one[0][-1] != other[0][-1]:
        return None  # one byte of ciphertext has to end both texts with the mark of the padding
    ciphertext = bytearray(_SIZE)
    ciphertext[-1] = one[0][-1] ^ 0x80
    where = -(-len(aad) // _BLOCK) + _FREE
    for twist in range(64):
        ciphertext[0] = twist
        blocks = _blocks(aad, bytes(ciphertext))
        power = len(blocks) - where
        blocks[where] = 0
        fixed = [_sum(blocks, r) for _, r, _ in (one, other)]
        slope = (pow(one[1], power, _P) - pow(other[1], power, _P)) % _P
        for carry in range(-4, 5):
            wanted = other[2] - one[2] + (carry << 128) - (fixed[0] - fixed[1])
            block = wanted * pow(slope, -1, _P) % _P - (1 << 128)
            if not 0 <= block < 1 << 128:
                continue
            found = bytearray(ciphertext)
            found[_FREE * _BLOCK : (_FREE + 1) * _BLOCK] = block.to_bytes(_BLOCK, "little")
            tags = {
                ((_sum(_blocks(aad, bytes(found)), r) + s) % (1 << 128)).to_bytes(_TAG, "little")
                for _, r, s in (one, other)
            }
            if len(tags) == 1:
                return bytes(found) + tags.pop()
    return None
