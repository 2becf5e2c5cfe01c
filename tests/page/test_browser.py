"""The page in a real browser: the installed Chromium, driven by Playwright. Every ability; nothing leaves 127.0.0.1."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium")
PX_PER_MM = 96 / 25.4
FOCUSED = "document.activeElement.textContent.trim().slice(0, 12) || document.activeElement.name"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("page"),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=60_000)  # on a busy machine
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def opened(browser: Browser, page: str) -> Iterator[Callable[..., Page]]:
    """Open an address of the page; at the end nothing was logged as an error, and nothing was asked for elsewhere."""
    errors: list[str] = []
    elsewhere: list[str] = []

    def open_it(path: str, width: int = 1280, height: int = 900, **options: str) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, base_url=page, **options)  # type: ignore[arg-type]
        tab = context.new_page()
        tab.set_default_timeout(60_000)
        tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on(
            "request", lambda asked: elsewhere.append(asked.url) if not asked.url.startswith((page, "blob:")) else None
        )
        tab.goto(path)
        return tab

    yield open_it
    for context in browser.contexts:
        context.close()
    assert errors == []
    assert elsewhere == []


def trace(tab: Page, lead: str = "II") -> str:
    shown = tab.locator(f".paper .trace[data-lead={lead}]").last
    expect(shown).to_be_attached()
    return str(shown.get_attribute("d"))


def read_calipers(tab: Page) -> tuple[float, float]:
    reading = tab.locator(".paper-figure .readout")
    expect(reading).to_contain_text("mV")
    found = re.fullmatch(r"(\d+) ms(?:, \d+ bpm)?, (\S+) mV", reading.inner_text())
    assert found is not None
    return float(found[1]), float(found[2].replace("−", "-"))


def test_draw_gives_an_address_that_stays(opened: Callable[..., Page]) -> None:
    tab = opened("/")
    expect(tab.locator("h1")).to_have_text("published, seed 0, ECG 0")
    tab.get_by_role("button", name="Draw").click()
    expect(tab.locator("h1")).not_to_have_text("published, seed 0, ECG 0")
    address, drawn = tab.url, trace(tab)
    assert re.search(r"/ecg/\d+/0$", address)
    tab.keyboard.press("ArrowRight")
    expect(tab).to_have_url(re.sub("0$", "1", address))
    expect(tab.locator("h1")).to_have_text(re.compile("ECG 1$"))
    assert trace(tab) != drawn
    tab.keyboard.press("ArrowLeft")
    expect(tab).to_have_url(address)
    expect(tab.locator("h1")).to_have_text(re.compile("ECG 0$"))
    assert trace(opened(address)) == drawn
    tab.locator("[name=seed]").fill("9223372036854775807")
    tab.locator("[name=index]").fill("16")
    tab.keyboard.press("Enter")
    expect(tab.locator("h1")).to_have_text("published, seed 9223372036854775807, ECG 16")


@pytest.mark.full
def test_only_normal_ecgs_are_drawn_if_wanted(opened: Callable[..., Page]) -> None:
    tab = opened("/ecg/1/0")
    expect(tab.locator("h1")).to_have_text("published, seed 1, ECG 0")
    tab.keyboard.press("n")
    expect(tab.get_by_label("normal ones only")).to_be_checked()
    for _ in range(3):
        before = tab.locator("h1").inner_text()
        tab.keyboard.press("ArrowRight")
        expect(tab.locator("h1")).not_to_have_text(before)
        expect(tab.locator(".verdict")).to_have_text("Normal by the screen")


def test_paper_is_true_to_scale_and_calipers_measure_on_it(opened: Callable[..., Page]) -> None:
    tab = opened("/ecg/0/0")
    rhythm = trace(tab)
    xs = [float(x) for x in re.findall(r"[ML](\S+) ", rhythm)]
    assert xs[-1] - xs[0] == pytest.approx(25 * (10 - 1 / 500), abs=0.02)  # mm
    paper = tab.locator(".paper svg")
    box = paper.bounding_box()
    assert box is not None
    width_mm = float(str(paper.get_attribute("viewBox")).split()[2])
    assert box["width"] == pytest.approx(width_mm * PX_PER_MM, abs=1)
    expect(tab.locator(".scale-note")).to_have_text("true size")
    x, y = box["x"] + 40 * PX_PER_MM, box["y"] + 60 * PX_PER_MM
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x + 25 * PX_PER_MM, y - 10 * PX_PER_MM)
    tab.mouse.up()
    ms, mv = read_calipers(tab)
    assert ms == pytest.approx(1000, abs=12)  # a pixel is 11 ms
    assert mv == pytest.approx(1, abs=0.03)
    for _ in range(2):
        tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("Shift+ArrowUp")
    assert read_calipers(tab)[0] == pytest.approx(ms - 40, abs=1)
    assert read_calipers(tab)[1] == pytest.approx(mv + 0.5, abs=0.01)
    tab.keyboard.press("Escape")
    expect(tab.locator(".paper-figure .readout")).to_have_text("")
    tab.locator("[name=speed]").select_option("50")
    tab.locator("[name=gain]").select_option("20")
    faster = [float(x) for x in re.findall(r"[ML](\S+) ", trace(tab, "V1"))]
    assert faster[-1] - faster[0] == pytest.approx(50 * (2.5 - 1 / 500), abs=0.02)
    for layout, num_rows in (("12", 12), ("8", 8), ("6x2", 7), ("3x4", 4)):
        tab.locator("[name=layout]").select_option(layout)
        expect(tab.locator(".paper .pulse")).to_have_count(num_rows)


def test_measurements_stand_beside_the_ecg_with_their_ranges(opened: Callable[..., Page], page: str) -> None:
    tab = opened("/ecg/0/0")
    found = requests.get(f"{page}/api/ecg?seed=0&index=0", timeout=60).json()
    by = {line["column"]: line for line in found["measurements"]}
    row = tab.locator(".measurements tr", has_text="PR interval")
    expect(row).to_contain_text(f"{by['pr_interval_ms']['value']:.0f}")
    expect(row).to_contain_text("120–200")
    expect(tab.locator(".beat-paper .boundary")).to_have_count(5)
    expect(tab.locator(".rules li")).to_have_count(len(found["rules"]))
    expect(tab.locator(".amplitudes tbody tr")).to_have_count(12)
    paper, table = tab.locator(".paper svg").bounding_box(), tab.locator(".measurements").bounding_box()
    assert paper is not None
    assert table is not None
    assert table["x"] >= paper["x"] + paper["width"]


def test_two_sources_are_compared_side_by_side(opened: Callable[..., Page]) -> None:
    tab = opened("/compare")
    expect(tab.locator(".side-by-side .paper svg")).to_have_count(2)
    expect(tab.locator("[data-table=differences] tbody tr")).to_have_count(24)
    expect(tab.locator(".panels .histogram")).to_have_count(24)
    expect(tab.locator(".panels .histogram").first.locator(".mark-line")).to_have_count(2)
    tab.get_by_role("button", name="next →").last.click()
    expect(tab).to_have_url(re.compile("of=1"))
    with tab.context.expect_page() as report:
        tab.get_by_role("link", name="first").click()
    expect(report.value.locator("h1")).to_have_text("A report")


def test_own_file_is_shown_beside_the_nearest_generated_ecg(
    opened: Callable[..., Page], page: str, tmp_path: Path
) -> None:
    tab = opened("/file")
    one = requests.get(f"{page}/download?seed=0&index=9&form=csv", timeout=60).content
    (tmp_path / "mine.csv").write_bytes(one)
    tab.locator("summary").click()
    tab.locator("[name=sampling_rate]").fill("500")
    tab.locator("[name=unit]").select_option("uV")
    tab.locator("[name=file]").set_input_files(tmp_path / "mine.csv")
    expect(tab.locator("h1").first).to_have_text("mine")
    expect(tab.locator("[data-say=nearest]")).to_contain_text("ECG 9 is a copy of it")
    expect(tab.locator(".nearest-paper svg")).to_be_visible()


def test_quiz_is_answered_by_keys_and_scored(opened: Callable[..., Page]) -> None:
    tab = opened("/quiz")
    tab.get_by_label("How many of each").fill("2")
    tab.get_by_role("button", name="Begin").click()
    for number in range(1, 5):
        expect(tab.locator(".progress")).to_contain_text(f"ECG {number} of 4")
        expect(tab.locator(".quiz-paper h1")).to_have_text(f"ECG {number}")
        tab.keyboard.press("4")
        tab.keyboard.press("r" if number % 2 else "g")
    expect(tab.locator(".result")).to_contain_text("95 % interval")
    with tab.expect_download() as sheet:
        tab.get_by_role("link", name="Sheet (CSV)").click()
    assert Path(sheet.value.path()).read_text(encoding="utf-8").count(",4,\n") == 4


def test_an_ecg_is_taken_along_as_file_command_and_print(opened: Callable[..., Page]) -> None:
    tab = opened("/ecg/2/3")
    expect(tab.locator("h1")).to_have_text("published, seed 2, ECG 3")
    tab.locator("[name=what]").select_option("many")
    tab.get_by_label("How many").fill("2")
    tab.locator("[name=form]").select_option("asc")
    command = "python generate.py checkpoint=published seed=2 num_records=2 device=cpu out=ECGS export=asc"
    expect(tab.locator(".command")).to_have_text(command)
    with tab.expect_download() as file:
        tab.get_by_role("link", name="Download").click()
    assert file.value.suggested_filename == "published_seed2_2-asc.zip"
    tab.locator("[name=layout]").select_option("12")  # too tall for A4
    pdf = tab.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert boxes
    assert all((round(float(w)), round(float(h))) == (842, 595) for w, h in boxes)  # A4, landscape, in points
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    paper = tab.locator(".paper svg")
    printed = float(str(paper.get_attribute("width")).removesuffix("mm"))
    assert printed == pytest.approx(float(str(paper.get_attribute("viewBox")).split()[2]), abs=0.25)  # a pixel
    assert printed <= 281


@pytest.mark.parametrize("path", ["/ecg/0/0", "/compare", "/file", "/quiz"])
def test_nothing_is_wider_than_a_phone(opened: Callable[..., Page], path: str) -> None:
    tab = opened(path, width=400, height=800, color_scheme="dark")
    if path in ("/ecg/0/0", "/compare"):
        expect(tab.locator(".paper svg").first).to_be_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_page_works_by_keyboard_alone(opened: Callable[..., Page]) -> None:
    tab = opened("/ecg/0/0")
    expect(tab.locator(".paper svg")).to_be_visible()
    reached = set()
    for _ in range(60):
        tab.keyboard.press("Tab")
        reached.add(
            tab.evaluate("document.activeElement.textContent.trim().slice(0, 12) || document.activeElement.name")
        )
    assert {"To the ECG", "Draw", "seed", "index", "Go", "Calipers", "Download", "Print", "Own file"} <= reached
    tab.locator(".paper").focus()
    tab.keyboard.press("c")
    expect(tab.locator(".paper-figure .readout")).to_have_text("200 ms, 300 bpm, 0.50 mV")
    tab.keyboard.press("d")
    expect(tab.locator("h1")).not_to_have_text("published, seed 0, ECG 0")
