"""Patient numbers that stand for nobody, and sets in which most records name one patient.

De-identified exports write one word or number for everybody. Taken for a patient, it would put all records into one
split and count them as one observation; here the record has no patient, and its split goes by its own name.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from ecggan.data.record import printable

PLACEHOLDER = "placeholder_patient"  # the column that keeps what stood for nobody
LEAST_OF_ONE_PATIENT = 3  # records, for a warning

_PLACEHOLDERS = (
    "anon anonym anonyme anonymer anonimo anonima anonymous anonymus anonymised anonymized anonymisiert anonymise "
    "anonymouspatient patientanonymous anonymizedpatient anonymisedpatient anonpatient "
    "deid deidentified deidentify deidentifiedpatient identityremoved idremoved pseudonymised pseudonymized "
    "removed redacted deleted erased hidden masked withheld confidential suppressed cleared private restricted "
    "undisclosed notdisclosed johndoe janedoe doejohn doejane mustermann maxmustermann "
    "none null nil nan nat na nd novalue noname noid nopatient nopatientid nomrn nobody nonegiven "
    "unknown unknownpatient patientunknown unk unkn unbekannt inconnu desconocido desconhecido sconosciuto onbekend "
    "ukendt ukjent okand notknown notavailable notapplicable notgiven notprovided notspecified notset notentered "
    "notassigned notrecorded unavailable tbd tba unspecified undefined unidentified unassigned missing blank empty "
    "test testpatient patienttest testing tester demo demopatient dummy dummypatient sample samplepatient example "
    "default patient patientid patientnumber patientname id mrn name firstname lastname subject subjectid string "
    "匿名 未知 不明 無名 аноним анонимно неизвестно неизвестен"
)
_WORDS = frozenset(_PLACEHOLDERS.split())
_ZERO = re.compile(r"0+")
_MINUS = re.compile(r"-\s*(1|9+)")  # codes for a missing number
_WHOLE = re.compile(r"-?\d+\.0+")  # of a column of floats
_ALL_ALIKE = re.compile(r"9{6,}|([1-8])\1{7,}")  # shorter ones are real numbers of large sets
_COUNTED_UP = ("12345678", "123456789", "1234567890", "0123456789", "987654321", "9876543210")
_LETTERS = re.compile(r"x{2,}")


def stands_for_nobody(number: str, further: Collection[str] = ()) -> bool:
    """Whether a patient number is a placeholder: a word for "unknown", "removed" or "test", zero, a code, nothing.

    Capitals, spaces and punctuation do not matter. Only the whole number counts: ``anon-0017`` is somebody.

    Args:
        number: as a file states it.
        further: others that stand for nobody.

    >>> [stands_for_nobody(n) for n in ("ANONYMOUS", "N/A", "-1", "000000", "*****", "xxx", " ")]
    [True, True, True, True, True, True, True]
    >>> [stands_for_nobody(n) for n in ("1", "Anna", "10", "anon-0017", "TEST12", "9999")]
    [False, False, False, False, False, False]
    """
    text = unicodedata.normalize("NFKD", number).strip().casefold().replace("−", "-")
    if text in {str(each).strip().casefold() for each in further}:
        return True
    if _WHOLE.fullmatch(text):
        text = text.partition(".")[0]
    bare = "".join(char for char in text if char.isalnum())
    return (
        not bare
        or bare in _WORDS
        or bare in _COUNTED_UP
        or bool(
            _ZERO.fullmatch(bare) or _MINUS.fullmatch(text) or _ALL_ALIKE.fullmatch(bare) or _LETTERS.fullmatch(bare)
        )
    )


def known_patient(number: Any, further: Collection[str] = ()) -> str | None:
    """A patient number as text; None where there is none, or it stands for nobody."""
    return None if number is None or stands_for_nobody(str(number), further) else str(number)


def without_placeholder(facts: Mapping[str, Any], further: Collection[str]) -> dict[str, Any]:
    """The facts of a record, in which a number that stands for nobody is no patient but the fact `PLACEHOLDER`."""
    number = facts.get("patient")
    if number is None or not stands_for_nobody(str(number), further):
        return dict(facts)
    written = {PLACEHOLDER: printable(str(number), 40)} if str(number).strip() else {}
    return {**facts, "patient": None, **written}


def num_by_placeholder(records: pd.DataFrame) -> dict[str, int]:
    """How many records name each number that stands for nobody, the most frequent first."""
    if PLACEHOLDER not in records:
        return {}
    return dict(Counter(map(str, records[PLACEHOLDER].dropna())).most_common())


def patient_cautions(records: pd.DataFrame, name: str) -> list[str]:
    """A sentence where patients are placeholders, and one where most records name one patient.

    Args:
        records: the table of a set, or of a part of one.
        name: of the set, for the sentence.
    """
    found = []
    placeholders = num_by_placeholder(records)
    if placeholders:
        shown = ", ".join(f"{number!r} ({count})" for number, count in list(placeholders.items())[:5])
        found.append(
            f"{name}: the patient number of {sum(placeholders.values()):,} of {len(records):,} records stands for "
            f"nobody: {shown}. Each of them counts as a patient, and its split goes by the record's name: a person "
            "with several records may be in two splits"
        )
    one = one_patient(records)
    return [*found, f"{name}: {one}"] if one else found


def one_patient(records: pd.DataFrame) -> str:
    """Which patient most records name, and what to do about it; empty if none."""
    if "patient" not in records or len(records) < LEAST_OF_ONE_PATIENT:
        return ""
    counts = records["patient"].dropna().astype(str).value_counts()
    if not len(counts) or counts.iloc[0] < LEAST_OF_ONE_PATIENT or counts.iloc[0] <= len(records) / 2:
        return ""
    number, count = str(counts.index[0]), int(counts.iloc[0])
    remedy = f"pack the source with packing.placeholder_patients={_for_the_shell(printable(number))}"
    if stands_for_nobody(number):
        remedy = "make the set again from its files"
    return (
        f"{count:,} of {len(records):,} records name one patient, {printable(number, 40)!r}, count as one and go into "
        f"one split. If they are of several people, this number stands for nobody: {remedy}"
    )


def why_few_patients(records: pd.DataFrame) -> str:
    """[one_patient][] as a sentence that follows another; empty if there is none."""
    text = one_patient(records)
    return f". {text}" if text else ""


def _for_the_shell(number: str) -> str:
    if re.fullmatch(r"[1-9]\d{0,14}|0\d+|[A-Za-z][A-Za-z_-]*\d\w*", number, re.ASCII):
        return f"[{number}]"
    escaped = number.replace("\\", "\\\\").replace('"', '\\"').replace("'", "'\\''")
    return f"'[\"{escaped}\"]'"
