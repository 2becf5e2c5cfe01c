"""SCP-ECG files, reduced to the sections and leads that are read, for ecgdatakit to decode.

A recorder may count the samples from 0, where the standard counts from 1. The sections of median beats, measurements
and statements may be damaged; median beats are read only where the rhythm is stored as the difference from them.

Source: EN 1064:2020, ISO 11073-91064.
"""

import binascii
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ecggan.data.readers.lead_names import LeadName

_HEADER = 16  # bytes of a section before its body
_PREAMBLE = 6
_LEAD = struct.Struct("<IIB")  # first sample, last sample, code
LEADS_OF_CODES = {
    1: "I", 2: "II", 61: "III", 62: "aVR", 63: "aVL", 64: "aVF",
    **{number: f"V{number - 2}" for number in range(3, 9)},
}  # fmt: skip
"""The twelve leads by the codes that SCP-ECG and DICOM share."""


@dataclass(frozen=True)
class _Section:
    body: bytes
    version: int
    protocol: int

    def with_body(self, body: bytes) -> "_Section":
        return _Section(body, self.version, self.protocol)


def reduce_scp(
    content: bytes, choose: Callable[[Sequence[str]], tuple[list[int], list[LeadName]]]
) -> tuple[bytes, list[LeadName]]:
    """A file of the same rhythm strip and patient, and of no more than the chosen leads, which count from 1.

    Args:
        content: of the file.
        choose: the positions of the leads to keep, and what they are, out of their names.

    Raises:
        ValueError: a section that is read is missing or damaged, or its leads do not begin together.
    """
    sections, damaged = _sections(content)
    missing = [number for number in (3, 6) if number not in sections]
    if missing:
        raise ValueError(f"its section {missing[0]} is missing")
    body = sections[3].body
    count, flags = body[0], body[1]
    leads = [_LEAD.unpack_from(body, 2 + _LEAD.size * number) for number in range(count)]
    kept, names = choose([LEADS_OF_CODES.get(code, f"SCP lead {code}") for _, _, code in leads])
    is_subtracted = bool(flags & 1) or bool(sections[6].body[5] and sections[0].protocol < 30)
    read = [0, 1, 2, 3, *((4, 5) if is_subtracted else ()), 6]
    wrong = [f"Section {number}" for number in read if number in damaged]
    if wrong:
        record = ["record"] if "record" in damaged else []
        raise ValueError(f"it is in doubt: SCP-ECG CRC mismatch in: {', '.join([*record, *wrong])}")
    chosen = {number: sections[number] for number in read if number in sections}
    for number in (5, 6):
        if number in chosen:
            chosen[number] = chosen[number].with_body(_of_leads(chosen[number].body, count, kept, number))
    ends = _ends([leads[position] for position in kept], chosen[6].body, 2 in sections, is_subtracted)
    definitions = [_LEAD.pack(1, end, leads[position][2]) for position, end in zip(kept, ends, strict=True)]
    chosen[3] = sections[3].with_body(bytes([len(kept), flags]) + b"".join(definitions))
    return _file(chosen), names


def _sections(content: bytes) -> tuple[dict[int, _Section], set[int | str]]:
    """The sections of the standard by number, and those whose checksum is wrong."""
    if len(content) < _PREAMBLE + _HEADER or struct.unpack_from("<I", content, 2)[0] > len(content):
        raise ValueError("it is shorter than it states, or no SCP-ECG file")
    content = content[: struct.unpack_from("<I", content, 2)[0]]
    number, length = struct.unpack_from("<HI", content, 8)
    if number != 0 or not _HEADER <= length <= len(content) - _PREAMBLE:
        raise ValueError("it is no SCP-ECG file: it does not begin with a section 0")
    damaged: set[int | str] = set()
    if binascii.crc_hqx(content[2:], 0xFFFF) != struct.unpack_from("<H", content)[0]:
        damaged.add("record")
    pointers = list(struct.iter_unpack("<HII", content[22 : 22 + (length - _HEADER) // 10 * 10]))
    found: dict[int, _Section] = {}
    read = [(0, length, _PREAMBLE + 1), *(pointer for pointer in pointers if pointer[0] in range(1, 7))]
    for number, length, begin in read:
        section = content[begin - 1 : begin - 1 + length] if begin else b""
        if not length:
            continue
        if len(section) < max(length, _HEADER):
            if number in (1, 2, 3, 6):
                raise ValueError(f"its section {number} lies outside of the file")
            continue
        checksum, own_number, own_length, version, protocol = struct.unpack_from("<HHIBB", section)
        if binascii.crc_hqx(section[2:], 0xFFFF) != checksum or (own_number, own_length) != (number, length):
            damaged.add(number)
        found[number] = _Section(section[_HEADER:], version, protocol)
    return found, damaged


def _of_leads(body: bytes, count: int, kept: Sequence[int], section: int) -> bytes:
    """The body of a section of samples, of some leads alone."""
    sizes = struct.unpack_from(f"<{count}H", body, 6)
    begins = [6 + 2 * count + sum(sizes[:position]) for position in range(count)]
    if any(begins[position] + sizes[position] > len(body) for position in kept):
        raise ValueError(f"the samples of its section {section} exceed it")
    samples = [body[begins[position] : begins[position] + sizes[position]] for position in kept]
    return body[:6] + struct.pack(f"<{len(kept)}H", *map(len, samples)) + b"".join(samples)


def _ends(leads: Sequence[Sequence[int]], body: bytes, is_compressed: bool, is_subtracted: bool) -> list[int]:
    """How many samples each lead has, which may be counted from 0."""
    begin = leads[0][0]
    if any(lead[0] != begin for lead in leads) or (is_subtracted and begin != 1):
        raise ValueError("its leads do not begin together")
    stated = [last - begin + 1 for _, last, _ in leads]
    if begin == 0 and is_compressed:
        return [count - 1 for count in stated]  # 0 to 5000 are 5000 samples, as Contec writes them, or one is lost
    held = [size // 2 for size in struct.unpack_from(f"<{len(leads)}H", body, 6)]
    if begin == 0 and held == [count - 1 for count in stated]:
        return held
    if not is_compressed and held != stated:
        raise ValueError(f"its leads state {stated} samples, but hold {held}")
    return stated


def _file(sections: Mapping[int, _Section]) -> bytes:
    size = _HEADER + 10 * 12
    pointers, rest, begin = [(0, size, _PREAMBLE + 1)], b"", _PREAMBLE + 1 + size
    for number in range(1, 12):
        section = _section(number, sections[number]) if number in sections else b""
        pointers.append((number, len(section), begin if section else 0))
        rest, begin = rest + section, begin + len(section)
    body = b"".join(struct.pack("<HII", *pointer) for pointer in pointers)
    first = _section(0, sections[0].with_body(body), b"SCPECG")
    return _with_checksum(struct.pack("<I", _PREAMBLE + len(first) + len(rest)) + first + rest)


def _section(number: int, section: _Section, reserved: bytes = bytes(6)) -> bytes:
    body = section.body + bytes(len(section.body) % 2)
    return _with_checksum(
        struct.pack("<HIBB", number, _HEADER + len(body), section.version, section.protocol) + reserved + body
    )


def _with_checksum(content: bytes) -> bytes:
    return struct.pack("<H", binascii.crc_hqx(content, 0xFFFF)) + content
