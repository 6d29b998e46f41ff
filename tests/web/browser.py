"""What the tests of the page in a browser share: the system's browser, a server as a user starts it, a watched page."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Set where a browser must be there: a test that would be skipped fails.
NEEDED = "PERFCALC_NEED_BROWSER"


def missing(reason):
    """Skip, or fail where the browser tests must run."""
    if os.environ.get(NEEDED):
        pytest.fail(f"{NEEDED} is set, and {reason}", pytrace=False)
    pytest.skip(reason)


def system_browser():
    """The path of a browser of the system: none is downloaded."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or missing(f"no browser is installed ({', '.join(NAMES)})")


@contextmanager
def launched():
    """A browser without a window."""
    path = system_browser()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("Playwright is not installed: pip install 'perfcalc[dev]'")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@contextmanager
def served(folder):
    """``perfcalc serve`` in a process of its own; the address at which it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "perfcalc.cli", "serve", "--port", str(port), "--data", str(folder)]
    log = (folder.parent / "serve.log").open("w+")
    server = subprocess.Popen(command, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/api/health", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, (folder.parent / "serve.log").read_text()
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(20)
        log.close()
    said = (folder.parent / "serve.log").read_text()
    assert "Traceback" not in said, said


@contextmanager
def watched(browser, address, expected=(), **options):
    """A page in a context of its own, that may ask nothing but its own server and must not complain of anything.

    `expected` are patterns of complaints that belong to the test, such as the status of an error page.
    """
    context = browser.new_context(**({"locale": "en", "viewport": {"width": 1280, "height": 900}} | options))
    asked, complaints = [], []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    yield page
    context.close()
    assert [url for url in asked if not url.startswith((f"{address}/", "blob:", "data:"))] == []
    assert len(asked) > 2
    assert [text for text in complaints if not any(re.search(each, text) for each in expected)] == []


def shown(page, day=None):
    """Wait until the results of a day are there."""
    which = f'[data-day="{day}"]' if day else ""
    page.wait_for_selector(f'#part[data-state="done"]{which}')
    page.wait_for_selector('#results[aria-busy="false"]')


def chip_of(page, name):
    """The verdict beside an item."""
    row = page.locator("tbody tr", has=page.get_by_role("link", name=name, exact=True))
    return row.locator(".chip").inner_text().split(" ", 1)[-1].strip()


def taken(page, link):
    """The bytes of a download."""
    with page.expect_download() as download:
        page.get_by_role("link", name=link, exact=True).click()
    return download.value.path().read_bytes()
