"""Hostile files: valid ones of every format that data=folder reads, what is done to them at random, and made ones."""

import copy
import io
import json
import os
import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import wfdb

from ecggan.data.readers.registry import SUFFIXES
from ecggan.ecg import EIGHT_LEADS
from tests.data.readers.device_files import aecg, dicom, muse, renumbered, save_dicom
from tests.data.readers.test_devices import write_scp

Files = Mapping[str, bytes]  # by name; one of them is what data=folder lists, the others belong to it
SINUS = "426783006"

_DICOM = "dicom_ecg/anonymous_ecg.dcm"
_NUMBER, _WORD = re.compile(rb"-?\d+(?:\.\d+)?"), re.compile(rb"[A-Za-z_][\w./]*")
_NUMBERS = [b"", b"0", b"-1", b"nan", b"inf", b"1e308", b"-1e308", b"1e-308", b"65536", b"2147483648", b"9" * 18]
_NUMBERS += [b"9" * 400, b"0x10", b"1,5", b"500.0001", b"1" + b"0" * 12, b"true"]
_WORDS = [b"", b"..", b"../../outside/secret.dat", b"I", b"\xff\xfe", b"\0", b"\\ud800", b"A" * 300, b"http://[::1]/x"]
_ENDS = 600  # bytes at the beginning or the end, where most files say what they hold
_LONE = "\ud800"  # half of a character, which no UTF-8 can hold
_HUGE = "9" * 400  # digits: no float holds the number


def seeds(ecgs: Iterator[np.ndarray], folder: Path, shared_data: Path) -> dict[str, Files]:
    """A valid file of every format, each with ECGs of its own.

    Args:
        ecgs: one after the other, integer µV ``(8 leads, time)`` at 500 Hz.
        folder: to make files in.
        shared_data: holds real files of devices.
    """
    real = {"muse": "muse_xml/example1.xml", "aecg": "aecg/subject1_0.xml", "dicom": _DICOM}
    says = {"leads": EIGHT_LEADS, "sampling_rate": 500, "unit": "mV", "patient": "P7", "age": 61, "sex": "female"}
    facts = {"patient": ["p", "q"], "age": [40, 50], "sex": ["male", "female"]}
    return {
        "wfdb_16": _wfdb(folder, "16", next(ecgs), 1000),
        "wfdb_212": _wfdb(folder, "212", next(ecgs) // 4, 250),
        "wfdb_mat": challenge_record(next(ecgs)),
        "wfdb_61": _in_format_61(next(ecgs)),
        **{name: {f"a{Path(file).suffix}": (shared_data / file).read_bytes()} for name, file in real.items()},
        "scp": {"a.scp": write_scp(folder / "a.scp", next(ecgs) // 5).read_bytes()},
        "asc": {"a.asc": text(next(ecgs))},
        "csv": {"a.csv": ",".join(EIGHT_LEADS).encode() + b"\n" + text(next(ecgs), ",")},
        "csv_of_pandas": {"a.csv": b"0,1,2,3,4,5,6,7\n" + text(next(ecgs), ",")},
        "csv_of_commas": {"a.csv": with_commas(next(ecgs))},
        "dicom_of_groups": {"a.dcm": _dicom_of_groups(next(ecgs), folder)},
        "sidecar": {"a.csv": text(next(ecgs) / 1000, ","), "a.json": json.dumps(says).encode()},
        "npy": {"a.npy": npy(_two(ecgs))},
        "npz": {"a.npz": npz(ecgs=_two(ecgs), record=["x", "y"], sampling_rate=500)},
        "npz_compressed": {"a.npz": npz(zipfile.ZIP_DEFLATED, ecg=next(ecgs))},
        "parquet": {"a.parquet": parquet(**facts, ecg=_two(ecgs).tolist())},
        "parquet_of_leads": {
            "a.parquet": parquet(**dict(zip(EIGHT_LEADS, _two(ecgs).swapaxes(0, 1).tolist(), strict=True)))
        },
        "hdf5": {"a.h5": _hdf5_of(data=_two(ecgs))},
        "hdf5_gzip": {"a.hdf5": _hdf5_of(data=_two(ecgs), chunks=(1, 8, 5000), compression="gzip")},
        "zip": {"a.zip": zipped({f"set/{i}.asc": text(ecg) for i, ecg in enumerate(_two(ecgs))})},
    }


def text(values: np.ndarray, separator: str = " ") -> bytes:
    row = separator.join(["%g"] * len(values)) + "\n"
    return (row * values.shape[1] % tuple(values.T.flat)).encode()


def with_commas(values: np.ndarray) -> bytes:
    """As a spreadsheet of Europe writes it: a time, names with units, a row of units, decimal commas."""
    names = ";".join(["Zeit (s)", *(f"Ableitung {lead} (µV)" for lead in EIGHT_LEADS)])
    rows = (";".join([f"{i / 500:g}", *(f"{value:.1f}" for value in row)]) for i, row in enumerate(values.T))
    return "\r\n".join(["\ufeff" + names, "s" + ";[uV]" * 8, *(row.replace(".", ",") for row in rows), ""]).encode()


def _in_format_61(microvolts: np.ndarray) -> dict[str, bytes]:
    header = challenge_record(microvolts)["a.hea"].replace(b"a.mat 16+24", b"a.dat 61")
    return {"a.hea": header, "a.dat": microvolts.T.astype(">i2").tobytes()}


def _dicom_of_groups(microvolts: np.ndarray, folder: Path) -> bytes:
    leads = dict(zip(EIGHT_LEADS, microvolts, strict=True))
    groups = [("MEDIAN BEAT", leads), (None, {"I": microvolts[0], "RESP": microvolts[1]}), (None, leads)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return save_dicom(dicom(groups), folder / "a.dcm").read_bytes()


def npy(array: object) -> bytes:
    return _written(np.save, array)


def npz(compression: int = zipfile.ZIP_STORED, **arrays: object) -> bytes:
    return zipped({f"{name}.npy": npy(array) for name, array in arrays.items()}, compression)


def parquet(**columns: Sequence) -> bytes:
    return _written(lambda file: pq.write_table(pa.table(columns), file, compression="zstd"))


def hdf5(fill: Callable[[h5py.File], object], **says: object) -> bytes:
    """A file of the eight leads at 500 Hz in µV, where it is not told to say something else."""
    file = io.BytesIO()
    with h5py.File(file, "w") as written:
        written.attrs.update(says or {"leads": EIGHT_LEADS, "sampling_rate": 500, "unit": "uV"})
        fill(written)
    return file.getvalue()


def zipped(members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)  # of 1980, so that it is the same every day
    return file.getvalue()


def challenge_record(microvolts: np.ndarray, name: str = "a") -> dict[str, bytes]:
    """As the PhysioNet Challenges have them: a header, and a MATLAB v4 file."""
    count = microvolts.shape[1]
    signals = [
        f"{name}.mat 16+24 1000/mV 16 0 {lead[0]} {lead.sum().astype(np.int16)} 0 {label}"
        for label, lead in zip(EIGHT_LEADS, microvolts, strict=True)
    ]
    header = "\n".join([f"{name} 8 500 {count}", *signals, "#Age: 61", "#Sex: Female", f"#Dx: {SINUS}", ""])
    matrix = struct.pack("<5i4s", 30, 8, count, 0, 4, b"val") + microvolts.T.astype("<i2").tobytes()
    return {f"{name}.hea": header.encode(), f"{name}.mat": matrix}


def _wfdb(folder: Path, fmt: str, steps: np.ndarray, gain: float) -> dict[str, bytes]:
    how = {"fmt": [fmt] * 8, "adc_gain": [float(gain)] * 8, "baseline": [0] * 8}
    wfdb.wrsamp("a", 500, ["mV"] * 8, list(EIGHT_LEADS), d_signal=steps.T, **how, write_dir=str(folder))
    return {name: (folder / name).read_bytes() for name in ("a.hea", "a.dat")}


def _hdf5_of(**dataset: object) -> bytes:
    return hdf5(lambda file: file.create_dataset("exams/tracings", **dataset))


def _written(write: Callable, *content: object) -> bytes:
    file = io.BytesIO()
    write(file, *content)
    return file.getvalue()


def _two(ecgs: Iterator[np.ndarray]) -> np.ndarray:
    return np.stack([next(ecgs), next(ecgs)]).astype(np.int16)


@dataclass(frozen=True)
class Mutant:
    """A hostile file with those that belong to it, which one was changed, and how."""

    format: str
    how: str
    changed: str
    files: Files


def mutants(seeds: Mapping[str, Files], rng: np.random.Generator, each: int) -> Iterator[Mutant]:
    """So many of each format."""
    for kind, files in seeds.items():
        for _ in range(each):
            how, changed = (str(rng.choice(list(choices))) for choices in (MUTATORS, files))
            content, name = files[changed], changed
            if how == "wrong suffix":
                name = f"a{rng.choice(SUFFIXES)}"
            elif how == "spliced":
                other = next(iter(seeds[str(rng.choice(list(seeds)))].values()))
                content = content[: _place(content, rng)] + other[_place(other, rng) :]
            else:
                content = MUTATORS[how](content, rng)
            yield Mutant(kind, how, changed, {**{k: v for k, v in files.items() if k != changed}, name: content})


def _truncated(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: _place(content, rng)]


def _with_flipped_bits(content: bytes, rng: np.random.Generator) -> bytes:
    flipped = bytearray(content)
    for _ in range(rng.integers(1, 33)):
        flipped[_place(content, rng)] ^= 1 << int(rng.integers(8))
    return bytes(flipped)


def _with_a_span_overwritten(content: bytes, rng: np.random.Generator) -> bytes:
    begin, length = _span(content, rng)
    noise = [b"\0" * length, b"\xff" * length, rng.bytes(length)]
    return content[:begin] + noise[rng.integers(3)] + content[begin + length :]


def _without_a_span(content: bytes, rng: np.random.Generator) -> bytes:
    begin, length = _span(content, rng)
    return content[:begin] + content[begin + length :]


def _with_a_span_twice(content: bytes, rng: np.random.Generator) -> bytes:
    begin, length = _span(content, rng)
    return content[: begin + length] + content[begin:]


def _with_huge_fields(content: bytes, rng: np.random.Generator) -> bytes:
    """Binary numbers, such as sizes and offsets, at their largest or at -1."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        width = int(rng.choice([2, 4, 8]))
        begin = _place(content, rng) // width * width
        changed[begin : begin + width] = [b"\xff" * width, b"\xff" * (width - 1) + b"\x7f"][rng.integers(2)]
    return bytes(changed)


def _with_other_numbers(content: bytes, rng: np.random.Generator) -> bytes:
    return _replaced(content, rng, _NUMBER, _NUMBERS)


def _with_other_words(content: bytes, rng: np.random.Generator) -> bytes:
    return _replaced(content, rng, _WORD, _WORDS)


def _replaced(content: bytes, rng: np.random.Generator, pattern: re.Pattern, by: Sequence[bytes]) -> bytes:
    """Up to three of those that are found near the beginning, where headers are, or anywhere."""
    found = list(pattern.finditer(content, 0, int(rng.choice([_ENDS, 4 * _ENDS, len(content)]))))
    for place in sorted(rng.integers(len(found), size=min(len(found), rng.integers(1, 4))), reverse=True):
        content = content[: found[place].start()] + by[rng.integers(len(by))] + content[found[place].end() :]
    return content


def _place(content: bytes, rng: np.random.Generator) -> int:
    place = int(rng.integers(min(len(content), rng.choice([len(content), _ENDS]))))
    return place if rng.random() < 0.7 else len(content) - 1 - place


def _span(content: bytes, rng: np.random.Generator) -> tuple[int, int]:
    return _place(content, rng), int(2 ** rng.uniform(0, 15))


MUTATORS: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "truncated": _truncated,
    "bits": _with_flipped_bits,
    "overwritten": _with_a_span_overwritten,
    "span lost": _without_a_span,
    "span twice": _with_a_span_twice,
    "huge fields": _with_huge_fields,
    "numbers": _with_other_numbers,
    "words": _with_other_words,
    "spliced": lambda content, rng: content,
    "wrong suffix": lambda content, rng: content,
}


def _of_headers(ecg: np.ndarray, outside: Path) -> Iterator[tuple[str, Files]]:
    files = challenge_record(ecg)
    places = (
        f"{outside}/a.mat",
        "../../outside/a.mat",
        "http://127.0.0.1:9/a.mat",
        "file:///etc/passwd",
        "..",
        "a" * 300,
    )
    changes = {
        "a.mat": places,
        "a 8": ("a/3 8", "../../outside/a 8", f"{outside}/a 8", "a 1000000", "a 9", "a 1", "a 0"),
        "500 5000": ("500 1000000000000", "500 -5000", "500 nan", "500 4999", "500(1)99999999 5000", "500"),
        "8 500 ": (
            "8 250e1 ",
            "8 nan ",
            "8 inf ",
            "8 -500 ",
            "8 0 ",
            "8 1e308 ",
            f"8 {'9' * 308} ",
            f"8 {_HUGE} ",
            "8 ",
        ),
        "8 500 5000": ("8",),
        "1000/mV": (
            "0/mV",
            "nan/mV",
            "inf/mV",
            "1e308/mV",
            "1e-308/mV",
            f"{_HUGE}/mV",
            "1000(2147483648)/mV",
            "1000/V",
        ),
        " 16+24 ": (" 16x100000000+24 ", " 16:1000000000+24 ", " 16+1000000000 ", " 999 ", " 508 ", " 0 "),
    }
    for old, others in changes.items():
        for new in others:
            yield f"{new} for {old}", {**files, "a.hea": files["a.hea"].replace(old.encode(), new.encode())}
    yield "a line more", {**files, "a.hea": files["a.hea"] + b"../../outside/a.mat 16+24 1000/mV\n"}
    yield "another line break", {**files, "a.hea": files["a.hea"] + b"\x1c../../outside/a.mat 16+24 1000/mV\n"}


def _of_further_signals(ecg: np.ndarray, outside: Path) -> Iterator[tuple[str, Files]]:
    """A signal that nobody asked for: the others must be kept."""
    files = challenge_record(ecg)
    for line in (
        f"{outside}/a.mat 16+24 1000/mV 16 0 0 0 0 RESP",
        "../../outside/a.mat 16+24 1000/mV 16 0 0 0 0 RESP",
        "x.dat 16 1000/mV 16 0 0 0 0 RESP",
        "a.hea 999 1000/mV 16 0 0 0 0 RESP",
        "a.hea 16x99999999999 1000/mV 16 0 0 0 0 RESP",
        "a.hea 16:99999999999+99999999999 1000/mV 16 0 0 0 0 RESP",
        "a.hea 8 0/NU 16 0 9 9 9 ../../x",
        "a.hea 516 1000/mV 16 0 0 0 0 RESP",
        "a.hea",
        "\x1c",
    ):
        header = files["a.hea"].replace(b"a 8", b"a 9").replace(b"#Age", line.encode() + b"\n#Age")
        yield line, {**files, "a.hea": header}


def _of_strips(ecg: np.ndarray, outside: Path) -> Iterator[tuple[str, Files]]:
    """Further strips, and strips that count otherwise."""
    leads, short = (dict(zip(EIGHT_LEADS, each, strict=True)) for each in (ecg, ecg[:, :600]))
    coded = [{f"MDC_ECG_LEAD_{lead}": signal for lead, signal in each.items()} for each in (short, leads)]
    other = f'<component><sequence><code code="{"A" * 10**5}"/></sequence></component>'
    yield "two strips in MUSE", {"a.xml": muse([("Rhythm", short), ("Rhythm", leads)]).encode()}
    yield "two strips in aECG", {"a.xml": aecg([("RHYTHM", each) for each in coded], other).encode()}
    yield (
        "a series within a series",
        {"a.xml": aecg([("RHYTHM", coded[1])], in_series="<component><series/></component>").encode()},
    )
    made = write_scp(outside.parent / "made.scp", ecg, nanovolts=1000)
    content = made.read_bytes()
    made.unlink()
    for begin, last in (
        (0, 5000),
        (0, 4999),
        (0, 5001),
        (0, 0),
        (2**32 - 1, 2**32 - 1),
        (1, 2**32 - 1),
        (0, 2**32 - 1),
    ):
        yield f"from {begin} to {last} in SCP-ECG", {"a.scp": renumbered(content, begin, last)}


def _of_xml(ecg: np.ndarray, outside: Path) -> Iterator[tuple[str, Files]]:
    laughs = "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in pairwise("abcdefghij"))
    secret = f'SYSTEM "file://{outside}/passwd"'
    for root in ("RestingECG", "AnnotatedECG"):
        for name, declared, body in (
            ("laughs", f'[<!ENTITY a "ha">{laughs}]', "&j;"),
            ("quadratic", f'[<!ENTITY a "{"ha" * 50_000}">]', "&a;" * 50_000),
            ("entity", f"[<!ENTITY a {secret}>]", "&a;"),
            ("parameter entity", f"[<!ENTITY % a {secret}> %a;]", ""),
            ("definition", secret, ""),
            (
                "inclusion",
                "",
                f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="{outside}/passwd" parse="text"/>',
            ),
        ):
            yield f"{name} in {root}", {"a.xml": f"<!DOCTYPE {root} {declared}><{root}>{body}</{root}>".encode()}


def _of_text(ecg: np.ndarray, outside: Path) -> Iterator[tuple[str, Files]]:
    content = text(ecg)
    for new in ("nan", "inf", "1e308", "-1e400", "0x1"):
        yield f"{new} in text", {"a.asc": content.replace(b"\n-1 ", f"\n{new} ".encode())}
    yield "no end of a quotation", {"a.asc": b'"' + content}
    yield "nothing but NUL", {"a.asc": bytes(10**6)}
    yield "a word of 1 MB", {"a.asc": content + b"x" * 10**6}
    values = text(ecg, ",")
    numbers = [b",".join(b"%d" % i for i in range(begin, begin + 8)) for begin in (0, 1, 7)]
    for first in (*numbers, b"NaN" + b",NaN" * 7, b"-" + b",-" * 7, b"mV" + b",mV" * 7, b"V9" + b",V9" * 7, b";" * 9):
        yield f"{first.decode()} before the samples", {"a.csv": first + b"\n" + values}
    for name in (b"-aVR", b"V1 V2", b"I (mmHg)", b"\xff", b"I" * 60_000, b'"', b"'I", b"\0I", b"sep=,"):
        yield f"{name[:20]!r} for I", {"a.csv": name + b",II,V1,V2,V3,V4,V5,V6\n" + values}
    commas = with_commas(ecg)
    for old, new in ((b";", b"\t"), (b",", b"."), (b";[uV]", b";[mV]"), (b"s;", b"x;"), (b"0,0;", b"0.0,0;")):
        yield f"{new!r} for {old!r} in a spreadsheet", {"a.csv": commas.replace(old, new)}
    yield "3,000 columns", {"a.csv": b",".join(b"L%d" % i for i in range(3000)) + b"\n" + b"1," * 2999 + b"1\n"}


def _of_sidecars(ecg: np.ndarray, outside: Path) -> Iterator[tuple[str, Files]]:
    for said in (
        *(
            "[" * 10**5,
            '{"a":' * 10**5,
            " " * 2**21,
            "null",
            '{"split": "train"}',
            '{"array": [1]}',
            '{"leads": [["I"]]}',
        ),
        *(f'{{"age": {age}}}' for age in ("-5", "1e308", "1e999", "NaN", "true", "9" * 20, _HUGE)),
        *(f'{{"sampling_rate": {rate}}}' for rate in ("NaN", "1e308", "1e-308", "[500]", "true", _HUGE, "9" * 5000)),
        *(json.dumps({key: _LONE}) for key in ("patient", "sex", "unit", "array", _LONE)),
        *(json.dumps({"leads": leads}) for leads in ([*EIGHT_LEADS[:7], _LONE], [], ["I"] * 8, ["I"] * 10_000)),
        '{"sex": "neither"}',
    ):
        for name, content in (("a.asc", text(ecg)), ("a.npy", npy(ecg))):
            yield f"{said[:60]} beside {name}", {name: content, "a.json": said.encode()}


class _Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.path),)


def array_file(
    shape: str, body: bytes = b"", kind: str = "'<i2'", version: int = 1, length: int | None = None
) -> bytes:
    """An array whose header says what it likes."""
    header = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    length = len(header) if length is None else length
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", length) + header + body


def _of_arrays(ecg: np.ndarray, outside: Path) -> Iterator[tuple[str, Files]]:
    body, trap = ecg.astype("<i2").tobytes(), _Trap(outside / "sprung")
    two = np.stack([ecg, ecg]).astype(np.int16)
    shapes = (
        "(8, 1000000000000)",
        "(1000000000, 8, 5000)",
        "(-1, -8, 5000)",
        "(-2, 8, -2500)",
        "(8.0, 5000)",
        "()",
        "x",
    )
    shapes += ("(" * 3000, f"__import__('os').mkdir('{trap.path}')", "(8, 5000)" + " " * 60_000, "(3, 8, 0)")
    kinds = ("'|O'", "'<U1000000000'", "'|V0'", "[('a', '|O')]", "'<M8[s]'", "'<c8'", "'<i3'", "('<i2', (2,))")
    arrays = {
        **{shape[:60]: array_file(shape, body) for shape in shapes},
        **{kind: array_file("(8, 5000)", body, kind) for kind in kinds},
        "a header of 4 GB": array_file("(8, 5000)", body, version=2, length=2**32 - 1),
        "version 9": array_file("(8, 5000)", body, version=9),
        "objects": _written(lambda file: np.save(file, np.array([trap], object), allow_pickle=True)),
        "a pickle": pickle.dumps(trap),
        **{str(value): npy(np.where(ecg == ecg.max(), value, ecg)) for value in (np.nan, np.inf, 1e308)},
    }
    for name, content in arrays.items():
        yield f"{name} in .npy", {"a.npy": content}
        yield f"{name} in .npz", {"a.npz": zipped({"ecgs.npy": content})}
    for rate in (np.nan, 1e308, -1, 1e-308, 2**63 - 1):
        yield f"{rate} Hz in .npz", {"a.npz": npz(ecgs=ecg, sampling_rate=rate)}
    lone = np.frombuffer(np.array([0xD800, 0x41], "<u4").tobytes(), "<U1")
    impossible = np.frombuffer(b"\xff" * 8, "<U1")
    for i, names in enumerate((lone, impossible, ["../../outside/x", "/etc/x"], [["x", "y"]], ["x", "x"])):
        yield f"names of kind {i} in .npz", {"a.npz": npz(ecgs=two + np.int16([[[0]], [[1]]]), record=names)}
    damaged = bytearray(npz(ecgs=two))
    damaged[len(damaged) // 4] ^= 1
    yield "a changed bit in .npz", {"a.npz": bytes(damaged)}
    yield "leads of half characters in .npz", {"a.npz": npz(ecgs=ecg, leads=np.repeat(lone[:1], 8))}


def _of_hdf5(ecg: np.ndarray, outside: Path) -> Iterator[tuple[str, Files]]:
    samples = ecg.astype(np.int16)
    virtual = h5py.VirtualLayout(samples.shape, samples.dtype)
    virtual[:] = h5py.VirtualSource(str(outside / "secret.h5"), "ecg", samples.shape)
    external = [(str(outside / "secret.raw"), 0, samples.nbytes)]
    fills = {
        "external link": lambda file: file.update({"ecg": h5py.ExternalLink(str(outside / "secret.h5"), "ecg")}),
        "external storage": lambda file: file.create_dataset("ecg", samples.shape, samples.dtype, external=external),
        "virtual dataset": lambda file: file.create_virtual_dataset("ecg", virtual),
        "link to itself": lambda file: file.update({"ecg": h5py.SoftLink("/ecg")}),
        "groups in circles": lambda file: file.update({f"g{i}": file["/"] for i in range(4)}),
        "80 TB": lambda file: file.create_dataset("ecg", (10**9, 8, 5000), np.int16, chunks=(1, 8, 5000)),
        "chunks of 0.8 GB": lambda file: file.create_dataset(
            "ecg", (10**5, 8, 5000), np.int16, chunks=(10**4, 8, 5000)
        ),
        "a name that is no text": lambda file: file.update({b"\xff": samples}),
        "names with dots and lines": lambda file: file.update({"..": samples, "a\nb": samples + np.int16(1)}),
        "lists": lambda file: file.create_dataset("ecg", (8, 5000), h5py.vlen_dtype(np.int16)),
    }
    for name, fill in fills.items():
        yield name, {"a.h5": hdf5(fill)}
    plain = hdf5(lambda file: file.update({"ecg": samples}))
    yield "a lead whose name is no text in .h5", {"a.h5": plain.replace(b"V6", b"\xff6")}
    for rate in (np.nan, 1e308, [500, 500], b"\xff"):
        yield f"{rate} Hz in .h5", {"a.h5": hdf5(lambda file: file.update({"ecg": samples}), sampling_rate=rate)}


def _of_parquet(ecg: np.ndarray, outside: Path) -> Iterator[tuple[str, Files]]:
    rows = [ecg.tolist(), (ecg + 1).tolist()]
    for column, values in (
        *(("age", ages) for ages in ([1e308, -5.0], [np.inf, np.nan], ["x", "y"], [True, False])),
        *(("record", names) for names in (["x", "x"], [None, "y"], ["../../outside/x", "/etc/x"], ["x" * 10**5, "y"])),
        *(("patient", names) for names in ([b"\xff", b"\0"], [[1], [2]])),
        *(("sex", ["neither", "\0"]), ("split", ["all", "../x"])),
    ):
        yield f"{column} {str(values)[:60]} in .parquet", {"a.parquet": parquet(**{column: values, "ecg": rows})}
    kind = pa.list_(pa.list_(pa.float64()))
    for values in ([], [None], [[]], [[None]], [[[np.inf] * 5000] * 8], [[[1.0]] * 7 + [[]]]):
        yield f"signals {str(values)[:30]} in .parquet", {"a.parquet": parquet(ecg=pa.array(values, kind))}
    for said in (
        '{"leads": 5}',
        "[" * 10**5,
        f'{{"sampling_rate": {_HUGE}}}',
        json.dumps({"leads": [*EIGHT_LEADS[:7], _LONE]}),
    ):
        table = pa.table({"ecg": rows}).replace_schema_metadata({b"ecggan": said.encode()})
        yield f"{said[:60]} in .parquet", {"a.parquet": _written(lambda file, table=table: pq.write_table(table, file))}


def _of_zips(ecg: np.ndarray, outside: Path) -> Iterator[tuple[str, Files]]:
    content = text(ecg)
    names = (
        "../../outside/x.asc",
        "/etc/x.asc",
        "..\\..\\x.asc",
        "C:\\x.asc",
        "a\nb.asc",
        "n" * 60_000 + ".asc",
        "\u202e.asc",
    )
    for name in names:
        yield f"{name[:30]!r}", {"a.zip": zipped({name: content})}
    yield "4 GB stated", {"a.zip": stating(zipped({"x.asc": content}), 2**32 - 2)}
    yield "100 bytes stated", {"a.zip": stating(zipped({"x.asc": content}), 100)}
    yield "a zip in a zip", {"a.zip": zipped({"b.zip": zipped({"c.zip": zipped({"x.asc": content})})})}
    yield "256 MB of zeros", {"a.zip": zipped({"x.asc": b"0" * (2**28 + 1)})}
    link = zipfile.ZipInfo("x.asc")
    link.external_attr = 0o120777 << 16
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(link, f"{outside}/secret.asc")
    yield "a link", {"a.zip": file.getvalue()}
    yield "nothing but an end", {"a.zip": b"PK\5\6" + b"\xff" * 18}


def stating(archive: bytes, size: int) -> bytes:
    """A zip of one file that states another size of it."""
    at = archive.rfind(b"PK\1\2") + 24
    return archive[:22] + struct.pack("<I", size) + archive[26:at] + struct.pack("<I", size) + archive[at + 4 :]


def overlapping(content: bytes, times: int) -> bytes:
    """A zip that holds a file once and lists it many times."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.asc", content)
        archive.filelist += [copy.copy(archive.filelist[0]) for _ in range(times - 1)]
    return file.getvalue()


ATTACKS: dict[str, Callable[[np.ndarray, Path], Iterator[tuple[str, Files]]]] = {
    "headers": _of_headers,
    "further signals": _of_further_signals,
    "strips": _of_strips,
    "xml": _of_xml,
    "text": _of_text,
    "sidecars": _of_sidecars,
    "arrays": _of_arrays,
    "hdf5": _of_hdf5,
    "parquet": _of_parquet,
    "zips": _of_zips,
}
"""Made files by what they attack, each by what is wrong with it; of an ECG, and a folder that is nobody's business."""


def bombs() -> dict[str, Files]:
    """Small files, by name, that take seconds or gigabytes where nobody looks out."""
    heap = hdf5(lambda file: file.update({"ecg": np.ones((8, 5000), np.int16)}))
    at = heap.index(b"GCOL") + 24  # where the size of its first text stands
    leads = [f"L{i}" for i in range(50_000)]
    many = "a 20000 500 1\n" + "a.dat 16 1000/mV\n" * 20_000
    return {
        "endless_heap": {"a.h5": heap[:at] + struct.pack("<Q", 2**64 - 16) + heap[at + 8 :]},
        "deep": {"a.xml": b"<RestingECG>" * 10**6},
        "one_line": {"a.zip": zipped({"x.asc": b"1 " * 2**27})},
        "bz2": {"a.zip": stating(zipped({"x.asc": b"0" * 2**27}, zipfile.ZIP_BZIP2), 100)},
        "leads": {"a.npz": npz(zipfile.ZIP_DEFLATED, ecgs=np.zeros((50_000, 500), np.int8), leads=leads)},
        "signals": {"a.hea": many.encode(), "a.dat": bytes(40_000)},
    }
