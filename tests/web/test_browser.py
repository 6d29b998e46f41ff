"""End to end in a browser: from ``perfcalc serve`` to verdicts, another day, a trace, the files; for everybody."""

import base64
from pathlib import Path

import pytest

from web.browser import NEEDED, chip_of, launched, missing, served, shown, taken, watched
from web.test_equal import command_line, shift_jis, workbook

pytestmark = pytest.mark.xdist_group("browser")  # one browser and one server for all of them

ROOT = Path(__file__).parents[2]
DAY = "2026-11-23"
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
PAGES = ("/items/9", "/columns", "/coverage", "/changes", "/problems")


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(browser, tmp_path_factory):
    with served(tmp_path_factory.mktemp("browser") / "data") as address:
        yield address


@pytest.fixture(scope="module")
def sample(browser, address):
    """The path of a job that holds the sample, scored for one day."""
    with watched(browser, address) as page:
        page.get_by_role("button", name="Try the sample").click()
        shown(page)
        path = page.url.split("?")[0]
        page.goto(f"{path}?as_of={DAY}")
        shown(page, DAY)
        return path


def test_three_actions_to_a_verdict_then_another_day_a_trace_and_the_files(browser, address, tmp_path):
    with watched(browser, address) as page:  # `perfcalc serve` and opening its address were the first two
        page.get_by_role("button", name="Try the sample").click()
        shown(page)
        assert chip_of(page, "NVIDIA H100 SXM") == "controlled"

        page.get_by_label("Day", exact=True).fill("2023-11-16")
        shown(page, "2023-11-16")
        assert chip_of(page, "NVIDIA A800") == "not controlled"
        assert page.get_by_text("Transfer rate to other chips").count() == 1, "the rule of 2022 tests it"
        page.get_by_label("Move through the days").press("ArrowRight")
        shown(page, "2023-11-17")
        assert chip_of(page, "NVIDIA A800") == "controlled"
        said = page.get_by_role("status").filter(has_text="changed on this page")
        assert "NVIDIA A800" in said.inner_text()
        assert "as_of=2023-11-17" in page.url
        page.get_by_role("link", name="Next law change: 2024-04-04").click()
        shown(page, "2024-04-04")
        assert page.get_by_label("Day", exact=True).input_value() == "2024-04-04"

        page.locator("svg a.mark[aria-label^='NVIDIA H20']").click()
        page.wait_for_url("**/items/5?as_of=2024-04-04")
        assert page.get_by_role("heading", level=1).inner_text() == "Row 5: NVIDIA H20"
        assert page.get_by_text("3A090.a.1").first.is_visible()
        page.get_by_role("link", name="Back to the results").click()
        shown(page, "2024-04-04")
        data = (ROOT / "perfcalc/web/sample.csv").read_bytes()
        assert taken(page, "CSV") == command_line(tmp_path, "sample.csv", data, "--as-of", "2024-04-04")[0]
        page.get_by_role("button", name="Delete this sheet").click()
        assert "deleted" in page.get_by_role("heading", level=1).inner_text()


SHEETS = {
    "chips.csv": (ROOT / "specs/chips.csv").read_bytes,
    "messy.xlsx": workbook,
    "shift.csv": shift_jis,
    "broken.csv": lambda: b"name,fp16_tflops,die_area_mm2\nA,1000,800\nB,12,34,56,78\nC,about a lot,800\n\nD,99.5,?\n",
}


@pytest.mark.parametrize("name", SHEETS)
def test_an_upload_gives_the_files_of_the_command_line(browser, address, tmp_path, name):
    data = SHEETS[name]()
    wanted, rejects = command_line(tmp_path, name, data)
    with watched(browser, address) as page:
        drop(page, name, data) if name == "shift.csv" else choose(page, name, data)
        shown(page)
        page.get_by_label("Day", exact=True).fill(DAY)
        shown(page, DAY)
        assert taken(page, "CSV") == wanted
        if name == "shift.csv":
            assert page.get_by_role("link", name="試作チップ①", exact=True).is_visible()
        if rejects is not None:
            assert taken(page, "Rejected rows (CSV)") == rejects
            page.get_by_role("link", name="Problems", exact=True).click()
            assert page.get_by_role("row", name="broken.csv 3").is_visible(), "the line of the row that was left out"
            assert page.get_by_role("row", name="2 4 C fp16_tflops").is_visible(), "row, line and item of the odd cell"


def choose(page, name, data):
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    page.get_by_label("Drop a file here, or choose one").set_input_files(file)
    page.get_by_role("button", name="Score it").click()


def drop(page, name, data):
    """A file, dropped beside the frame."""
    page.evaluate(
        """([name, text]) => {
          const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
          const carried = new DataTransfer();
          carried.items.add(new File([bytes], name));
          const options = { dataTransfer: carried, bubbles: true, cancelable: true };
          document.body.dispatchEvent(new DragEvent("dragover", options));
          document.body.dispatchEvent(new DragEvent("drop", options));
        }""",
        [name, base64.b64encode(data).decode()],
    )


def test_a_file_that_is_no_sheet_is_refused_in_words(browser, address):
    with watched(browser, address, expected=["status of 422"]) as page:
        choose(page, "cut.xlsx", workbook()[:900])
        alert = page.locator("#part [role=alert]")
        alert.wait_for()
        assert "could not be scored" in alert.inner_text()
        assert "cut.xlsx" in alert.inner_text()
        for word in ("Traceback", "Error(", "/data/"):
            assert word not in page.content()
        page.get_by_role("link", name="New sheet").click()
        page.get_by_role("button", name="Score it").click()
        assert "no file was chosen" in page.get_by_role("alert").inner_text()


def test_columns_are_corrected_before_scoring(browser, address):
    with watched(browser, address) as page:
        file = {"name": "a.csv", "mimeType": "text/csv", "buffer": b"Thing,Speed\nX,400\n"}
        page.get_by_label("Drop a file here, or choose one").set_input_files(file)
        page.get_by_role("button", name="Check the columns first").click()
        page.get_by_label("Thing", exact=True).select_option("name")
        page.get_by_label("Speed", exact=True).select_option("fp16_tflops")
        page.get_by_label("Unit: Speed").fill("TFLOPS")
        page.get_by_role("button", name="Score with these columns").first.click()
        shown(page)
        assert page.get_by_role("row", name="X").get_by_role("cell", name="6,400").is_visible()


def test_keyboard(browser, sample):
    with watched(browser, sample.rsplit("/jobs", 1)[0]) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        page.goto(f"{sample}?as_of={DAY}")
        assert page.locator("a.mark:not([tabindex])").count() == 1, "the tab key stops once in the map"
        page.locator("a.mark").first.focus()
        for key in ("ArrowRight", "End", "Home", "ArrowDown"):
            page.keyboard.press(key)
        assert page.evaluate("[...document.querySelectorAll('a.mark')].indexOf(document.activeElement)") == 1
        page.keyboard.press("Enter")
        page.wait_for_url("**/items/*")


def test_without_a_script(browser, sample):
    with watched(browser, sample.rsplit("/jobs", 1)[0], java_script_enabled=False) as page:
        page.goto(f"{sample}?as_of={DAY}")
        page.get_by_label("Day", exact=True).fill("2023-11-17")
        page.get_by_role("button", name="Score again").click()
        shown(page, "2023-11-17")
        page.get_by_label("Search").fill("A800")
        page.get_by_role("button", name="Show").click()
        assert page.get_by_text("Rows 1 to 1 of 1 that match, of 17").is_visible()
        assert page.locator("svg a.mark").count() > 8


@pytest.mark.parametrize(
    ("code", "words"),
    [("en", "controlled"), ("ko", "통제 대상"), ("ja", "規制対象")],
)
def test_languages_on_a_phone(browser, sample, code, words):
    first = sample.rsplit("/jobs", 1)[0]
    with watched(browser, first, locale=code, **PHONE) as page:
        assert page.locator("html").get_attribute("lang") == code
        for path in ("", *PAGES):
            page.goto(f"{sample}{path}?as_of={DAY}")
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{path} is wider than the phone"
            if not path:
                assert chip_of(page, "NVIDIA H100 SXM") == words
        page.get_by_role("link", name="日本語" if code != "ja" else "English").click()
        assert page.url == f"{sample}/problems?as_of={DAY}"
        assert page.locator("html").get_attribute("lang") == ("ja" if code != "ja" else "en")


def test_no_serious_finding_of_axe_on_any_page(browser, sample):
    from axe_playwright_python.sync_playwright import Axe

    axe, first = Axe(), sample.rsplit("/jobs", 1)[0]
    with watched(browser, first, expected=["status of 404"]) as page:
        for path in (f"{first}/", f"{first}/nothing", *(f"{sample}{path}?as_of={DAY}" for path in ("", *PAGES))):
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                options = {"resultTypes": ["violations"]}
                if scheme == "dark":  # nothing but colours differs
                    options["runOnly"] = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
                found = axe.run(page, options=options).response
                serious = [
                    (each["id"], [node["html"][:300] for node in each["nodes"][:3]])
                    for each in found["violations"]
                    if each["impact"] in {"serious", "critical"}
                ]
                assert serious == [], f"{path}, {scheme}"
        page.evaluate("document.querySelector('main').innerHTML = '<img src=/static/icon.svg><p>'")
        assert "image-alt" in {each["id"] for each in axe.run(page).response["violations"]}, (
            "the check finds what is wrong"
        )


def test_ci_cannot_skip_the_browser(monkeypatch):
    monkeypatch.setenv(NEEDED, "1")
    with pytest.raises(pytest.fail.Exception, match="no browser"):
        missing("no browser is installed")
    monkeypatch.delenv(NEEDED)
    with pytest.raises(pytest.skip.Exception):
        missing("no browser is installed")
