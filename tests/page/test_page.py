"""The page as a browser and a script meet it: one server, its processes, every ability."""

import base64
import csv
import io
import json
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

import ecggan
from ecggan.data.readers.registry import read_record
from ecggan.data.record import Layout
from ecggan.ecg import TWELVE_LEADS, select_leads
from ecggan.jobs import ReaderScores
from ecggan.measurement.measure_set import measure
from ecggan.page.access import Access
from ecggan.page.page import Processes
from tests.page.conftest import served

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("page")]


def get(address: str, status: int = 200, **options: Any) -> Any:
    answer = requests.get(address, timeout=60, **options)
    assert answer.status_code == status, answer.text[:500]
    return answer.json()


def signals_uv(found: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(found["signal"]), "<i2").reshape(len(found["leads"]), -1)


def body_of(**files: bytes) -> bytes:
    named = {name.replace("__", "."): content for name, content in files.items()}
    return (
        json.dumps([[name, len(content)] for name, content in named.items()]).encode()
        + b"\n"
        + b"".join(named.values())
    )


def send(page: str, status: int = 200, query: str = "", **files: bytes) -> Any:
    answer = requests.post(f"{page}/api/file?{query}", data=body_of(**files), timeout=60)
    assert answer.status_code == status, answer.text[:500]
    return answer.json()


def test_ecg_is_that_of_generate_bit_by_bit(page: str) -> None:
    found = get(f"{page}/api/ecg?seed=5&index=37")
    expected = ecggan.generate("published", indices=[37], seed=5, leads=12, device="cpu", progress=False)
    assert found["leads"] == list(TWELVE_LEADS)
    np.testing.assert_array_equal(signals_uv(found), expected.microvolts()[0])
    row = measure(expected, num_workers=1).iloc[0]
    shown = {line["column"]: line["value"] for line in found["measurements"]}
    assert shown["qrs_duration_ms"] == row["qrs_duration_ms"]
    assert shown["qtc_fridericia_ms"] == row["qtc_fridericia_ms"]


def test_what_is_drawn_can_be_shown_before_it_is_measured(page: str) -> None:
    drawn, measured = (get(f"{page}/api/{what}?seed=5&index=38") for what in ("drawn", "ecg"))
    assert drawn.items() < measured.items()
    assert "is_measurable" not in drawn


def test_boundaries_of_the_median_beat_are_those_that_were_measured(page: str) -> None:
    for number in (0, 2, 3, 4):
        found = get(f"{page}/api/ecg?source=real_ecgs&index={number}")
        at = found["beat"]["boundaries"]
        shown = {line["column"]: line["value"] for line in found["measurements"]}
        assert at["qrs_offset"] - at["qrs_onset"] == pytest.approx(shown["qrs_duration_ms"], abs=1e-6)
        assert at["t_offset"] - at["qrs_onset"] == pytest.approx(shown["qt_interval_ms"], abs=1e-6)
        if shown["pr_interval_ms"] is not None:
            assert at["qrs_onset"] - at["p_onset"] == pytest.approx(shown["pr_interval_ms"], abs=1e-6)


def test_next_normal_ecg_is_the_next_that_keep_normal_keeps(page: str) -> None:
    kept = ecggan.generate(
        "published", 5, 11, keep=ecggan.NormalityFilter("normal", num_workers=1), device="cpu", progress=False
    ).records["index"]  # fmt: skip
    found, index = [], 0
    while len(found) < 5:
        found.append(get(f"{page}/api/normal?seed=11&index={index}")["index"])
        index = found[-1] + 1
    assert found == kept.tolist()
    assert get(f"{page}/api/normal?seed=11&index={found[-1] - 1}&back=1")["index"] == found[-2]


@pytest.mark.full
def test_fifty_requests_at_once_are_all_answered(page: str) -> None:
    with ThreadPoolExecutor(50) as many:
        found = list(many.map(lambda seed: get(f"{page}/api/ecg?seed={seed}&index={seed}"), range(100, 150)))
    assert [each["seed"] for each in found] == [str(seed) for seed in range(100, 150)]
    assert len({each["signal"] for each in found}) == 50


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("api/ecg?seed=-1", "seed"),
        ("api/ecg?seed=1e3", "seed"),
        ("api/ecg?seed=9223372036854775808", "seed"),
        ("api/ecg?index=１", "index"),
        ("api/ecg?source=../../etc/passwd", "published, real_ecgs"),
        ("api/ecg?source=real_ecgs&index=40", "last is 39"),
        ("download?form=exe", "form"),
        ("download?form=csv&num_records=257", "num_records"),
        ("download?form=pdf&num_records=21", "num_records"),
        ("download?form=csv&leads=3", "leads"),
        ("api/distribution?source=nothing", "published, real_ecgs"),
        ("api/quiz?real=published&generated=published", "published"),
        ("api/quiz?real=real_ecgs&generated=published&num_each=51", "num_each"),
        ("report/second", "second"),
    ],
)
def test_a_wrong_question_is_answered_with_what_is_wrong(page: str, question: str, told: str) -> None:
    assert told in get(f"{page}/{question}", 400)["error"]


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/", "/report/../../etc/passwd"])
def test_no_path_of_a_request_is_opened(page: str, path: str) -> None:
    session = requests.Session()
    request = requests.Request("GET", page).prepare()
    request.url = page + path  # requests would shorten it
    assert session.send(request, timeout=10).status_code in (400, 404)


def test_every_answer_binds_the_browser_to_this_page(page: str) -> None:
    for path in ("/", "/static/main.js", "/api/about", "/ecg/1/2", "/nothing"):
        policy = requests.get(page + path, timeout=10).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy
    assert "sandbox" in requests.get(f"{page}/report/first", timeout=10).headers["content-security-policy"]


def test_another_host_or_origin_is_refused(page: str) -> None:
    assert requests.get(page, headers={"host": "rebound.example"}, timeout=10).status_code == 421
    refused = requests.post(f"{page}/api/file", headers={"origin": "http://rebound.example"}, timeout=10)
    assert refused.status_code == 403


def test_a_page_for_others_needs_its_token(processes: Processes) -> None:
    with served(processes, {}, Access(None, "sesame")) as page:
        assert requests.get(f"{page}/api/about", timeout=10).status_code == 403
        assert requests.get(f"{page}/?token=wrong", timeout=10).status_code == 403
        session = requests.Session()
        opened = session.get(f"{page}/ecg/1/2?token=sesame&source=published", timeout=10)
        assert opened.url == f"{page}/ecg/1/2?source=published"
        assert session.get(f"{page}/api/about", timeout=10).json()["reports"] == []


def test_one_ecg_and_many_are_taken_along_as_generate_exports_them(page: str, tmp_path: Path) -> None:
    one = requests.get(f"{page}/download?seed=3&index=20&form=csv&leads=12", timeout=60)
    assert one.headers["content-disposition"] == 'attachment; filename="seed3_000020.csv"'
    (tmp_path / "one.csv").write_bytes(one.content)
    drawn = ecggan.generate("published", indices=[20], seed=3, leads=12, device="cpu", progress=False)
    record = read_record(tmp_path / "one.csv", Layout(sampling_rate=500, unit="uV"))
    np.testing.assert_array_equal(np.rint(record.millivolts * 1000), drawn.microvolts()[0])
    many = requests.get(f"{page}/download?seed=3&num_records=3&form=wfdb", timeout=60)
    with zipfile.ZipFile(io.BytesIO(many.content)) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "many")
    assert {"README.md", "RECORDS", "checksums.sha256"} <= set(names)
    (second,) = (tmp_path / "many").rglob("seed3_000002.hea")
    expected = ecggan.generate("published", 3, 3, device="cpu", progress=False).microvolts()[2]
    np.testing.assert_array_equal(np.rint(read_record(second, Layout()).millivolts * 1000), expected)

    def downloaded(form: str) -> bytes:
        return requests.get(f"{page}/download?seed=3&index=20&form={form}", timeout=60).content

    for form, start in (("pdf", b"%PDF"), ("png", b"\x89PNG"), ("npz", b"PK")):
        assert downloaded(form).startswith(start)
    np.testing.assert_array_equal(np.loadtxt(io.BytesIO(downloaded("asc"))).T[:2], drawn.microvolts()[0, :2])
    told = get(f"{page}/api/command?seed=3&num_records=3&form=wfdb&normal=1")["command"]
    assert (
        told
        == "python generate.py checkpoint=published seed=3 num_records=3 keep=normal device=cpu out=ECGS export=wfdb"
    )


@pytest.mark.parametrize(
    "wanted",
    [
        "seed=3&index=20&leads=12&form=wfdb",
        "seed=3&index=900000&form=npz",
        "seed=3&num_records=3&leads=12&form=wfdb",
        "source=real_ecgs&index=5&form=npz",
        "source=real_ecgs&num_records=4&normal=1&leads=12&form=wfdb",
    ],
)
def test_the_line_of_python_makes_what_is_downloaded(
    page: str, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    eval(get(f"{page}/api/command?{wanted}")["python"])
    made = {path.name: path.read_bytes() for path in Path("ECGS").rglob("*") if path.suffix in (".hea", ".dat", ".npz")}
    file = requests.get(f"{page}/download?{wanted}", timeout=60)
    name = file.headers["content-disposition"].split('"')[1]
    downloaded = {"ecgs.npz": file.content}
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
            downloaded = {Path(each).name: archive.read(each) for each in archive.namelist()}
    assert made
    assert {each: downloaded[each] for each in made} == made


def test_the_line_of_python_keeps_normal_ones_where_the_download_does(page: str) -> None:
    python = get(f"{page}/api/command?seed=3&num_records=2&normal=1&form=npz")["python"]
    drawn = "'published', num_records=2, seed=3, keep=ecggan.NormalityFilter(\"normal\"), device='cpu'"
    assert python == f'ecggan.export(ecggan.generate({drawn}), "npz", "ECGS")'


def test_one_ecg_far_out_has_no_command_line_as_that_would_draw_all_before_it(page: str) -> None:
    first, far = (get(f"{page}/api/command?seed=3&index={index}&form=pdf") for index in (0, 900_000))
    assert first["command"] == "python generate.py checkpoint=published seed=3 num_records=1 device=cpu out=ECGS"
    assert far["command"] == ""
    assert far["python"] == "ecggan.generate('published', indices=[900000], seed=3, device='cpu')"


def test_own_file_is_shown_measured_and_not_kept(page: str, real_set: Path) -> None:
    ecgs = ecggan.ECGSet.open(real_set)
    text = "\n".join([",".join(ecgs.leads), *(",".join(map(str, row)) for row in ecgs.microvolts([7])[0].T)]).encode()
    assert "sampling rate" in send(page, 400, ecg__csv=text)["error"]
    before = set(Path("/dev/shm").glob("ecggan-page-*"))
    found = send(page, query="sampling_rate=500&unit=uV", ecg__csv=text)
    deadline = time.monotonic() + 30  # other tests' files may be there for a moment
    while not set(Path("/dev/shm").glob("ecggan-page-*")) <= before:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    np.testing.assert_array_equal(signals_uv(found), select_leads(ecgs.microvolts([7])[0], ecgs.leads, TWELVE_LEADS))
    row = measure(ecgs.subset([7]), num_workers=1).iloc[0]
    shown = {line["column"]: line["value"] for line in found["measurements"]}
    assert shown["qt_interval_ms"] == row["qt_interval_ms"]
    signal = {key: found[key] for key in ("leads", "sampling_rate", "signal")}
    near = requests.post(f"{page}/api/nearest?source=real_ecgs", json=signal, timeout=60).json()
    assert (near["index"], near["copy_index"], near["is_copy"]) == (7, 7, True)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"ecg__csv": b""}, "ecg.csv"),
        ({"ecg__exe": b"MZ"}, ".exe"),
        ({"ecg__npy": b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|O'" + b" " * 90}, "ecg.npy"),
        ({"ecg__hea": b"ecg 1 500 5000\n../../../etc/passwd 16 200 16 0 0 0 0 II\n"}, "ecg"),
        ({"ecg__hea": b"ecg 1 500 99999999999\necg.dat 16 200 16 0 0 0 0 II\n", "ecg__dat": b"0"}, "ecg"),
        ({"ecg__xml": b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"}, "ecg.xml"),
        ({"a__csv": b"", "b__csv": b""}, "one at a time"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_ecg_costs_a_message(page: str, files: dict[str, bytes], told: str) -> None:
    error = send(page, 400, **files)["error"]
    assert told in error
    assert "/dev/shm" not in error


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"[]\n", b'[["../a.csv", 1]]\nx', b'[["/etc/a.csv", 1]]\nx', b'[["a.csv", 2]]\nx',
        b'[["a.csv", -1]]\n',
        b'[[".csv", 1]]\nx', b'[["a\\u0000.csv", 1]]\nx', b'[["a.csv", 1], ["A.CSV", 1]]\nxx',
        b"[" * 10_000 + b"\n", b"{\n",
    ],
)  # fmt: skip
def test_a_body_that_is_no_files_costs_a_message(page: str, body: bytes) -> None:
    answer = requests.post(f"{page}/api/file", data=body, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_file_that_is_too_large_is_refused_while_it_arrives(page: str) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b"0" * 2**20

    try:
        status = requests.post(f"{page}/api/file", data=endless(), timeout=30).status_code
    except requests.ConnectionError:  # the server answered and hung up
        return
    assert status == 413


def test_quiz_scores_what_its_sheet_and_key_score(page: str, tmp_path: Path) -> None:
    kit = "real=real_ecgs&generated=published&num_each=4&seed=8"
    assert get(f"{page}/api/quiz?{kit}")["num_ecgs"] == 8
    first = get(f"{page}/api/quiz/ecg?{kit}&number=1")
    assert set(first) == {"leads", "sampling_rate", "signal"}
    assert first["leads"] == list(TWELVE_LEADS)
    answers = [{"ecg": number, "answer": "real", "confidence": 1 + number % 5} for number in range(1, 8)]
    scored = requests.post(f"{page}/api/quiz/scores?{kit}", json={"answers": answers}, timeout=60).json()
    assert scored["score"]["num_answered"] == 7
    for name in ("sheet", "key"):
        (tmp_path / f"{name}.csv").write_text(scored[name], newline="")
    job = ReaderScores(readers=tmp_path / "sheet.csv", key=tmp_path / "key.csv", out=tmp_path / "scores", seed=8)
    row = job.run().value.readers.iloc[0]
    assert scored["score"]["accuracy"] == row["accuracy"]
    assert scored["score"]["accuracy_low"] == row["accuracy_low"]
    assert [line["ecg"] for line in csv.DictReader(io.StringIO(scored["sheet"]))] == [str(n) for n in range(1, 9)]
    refused = requests.post(f"{page}/api/quiz/scores?{kit}", json={"answers": [{"ecg": 1, "answer": "cat"}]}, timeout=9)
    assert refused.status_code == 400
