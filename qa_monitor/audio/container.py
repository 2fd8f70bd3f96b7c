"""Looking at a file before FFmpeg does: what its first bytes say it is, and how much sound its header promises."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

# FFmpeg opens by content, whatever the name says. Play lists and concat scripts would make it open other files, so only
# containers and raw telephone streams that carry sound themselves are let through.
FORMATS = ("wav,w64,mp3,aac,ac3,amr,amrnb,amrwb,ogg,flac,aiff,au,caf,asf,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,gsm,g722,"
           "g729,adx,ape,wv,mp2,avi,xwma,act,voc,sln")  # fmt: skip
EXPECTED = {
    b"wav": ("wav",), b"mp3": ("mp3",), b"ogg": ("ogg",), b"opus": ("ogg",), b"flac": ("flac",),
    b"amr": ("amr", "3gp", "mov"), b"m4a": ("mov", "mp4"), b"wma": ("asf",), b"gsm": ("gsm",), b"aac": ("aac", "mov"),
}  # fmt: skip
RAW_ENDINGS = (b"pcm", b"raw", b"vox", b"g729", b"g723", b"g726", b"al", b"alaw", b"ul", b"ulaw", b"adpcm")
UNKNOWN_SIZES = (0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000)


@dataclass(frozen=True, slots=True)
class RiffHeader:
    """What a WAV header promises: bytes of sound claimed and present, bytes a second."""

    claimed_bytes: int | None
    present_bytes: int
    bytes_a_second: int
    size_is_junk: bool

    @property
    def claimed_s(self) -> float | None:
        if self.claimed_bytes is None or not self.bytes_a_second:
            return None
        return self.claimed_bytes / self.bytes_a_second


def read_riff(stream: BinaryIO, size_bytes: int) -> RiffHeader | None:
    """The header of a WAV file, None when it is not one. Leaves the stream at its start."""
    try:
        stream.seek(0)
        head = stream.read(12)
        if len(head) < 12 or head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
            return None
        rate = 0
        while len(chunk := stream.read(8)) == 8:
            name, length = chunk[:4], struct.unpack("<I", chunk[4:])[0]
            if name == b"fmt ":
                body = stream.read(length)
                rate = struct.unpack("<I", body[8:12])[0] if len(body) >= 12 else 0
                stream.seek(length % 2, 1)
            elif name == b"data":
                present = max(0, size_bytes - stream.tell())
                junk = length in UNKNOWN_SIZES and present > 0
                return RiffHeader(None if junk else length, present, rate, junk)
            else:
                stream.seek(length + length % 2, 1)
        return RiffHeader(0, 0, rate, False)
    finally:
        stream.seek(0)


def looks_like_text(head: bytes) -> bool:
    """Whether a file's first bytes are readable text (a play list, a log, a CSV) rather than sound."""
    if not head or b"\0" in head:
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            text = head[: len(head) // 4 * 4].decode(encoding, "strict")
        except UnicodeDecodeError:
            continue
        odd = sum(character < " " and character not in "\r\n\t" for character in text)
        return odd <= len(text) // 100
    return False
