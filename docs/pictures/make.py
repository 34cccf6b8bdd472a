"""Make the pictures of the README and of the site: pages of the demo's release, and the Dagster UI on the demo's home.

``make pictures`` after ``make demo``. Needs Chromium on the PATH.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
HOME = Path(os.environ.get("STEGVIS_HOME", ".stegvis")).resolve()
REPORT = HOME / "releases" / "latest" / "report"
WIDE, PHONE = {"width": 1100, "height": 1000}, {"width": 390, "height": 760}
TOKEN = "the-token-of-the-pictures"


def main() -> None:
    """Make all pictures, and say which."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or not REPORT.exists():
        sys.exit("make pictures needs Chromium on the PATH and a release: run make demo first")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        pages(browser)
        with ui() as address:
            graph(browser, address)
        browser.close()


def pages(browser: Browser) -> None:
    """The pages of the newest release."""
    wave = sorted(file.name for file in REPORT.glob("wave-*.html") if file.stem.count("-") == 2)[0]
    for name, file in {"front_page": "index.html", "plain": "plain.html", "explorer": "explorer.html"}.items():
        _save(_opened(browser, REPORT / file, WIDE), name)
    _save(_opened(browser, REPORT / "index.html", PHONE), "phone")
    page = _opened(browser, REPORT / wave, WIDE)
    page.locator("xpath=//h2[@id='curves']/following::figure[1]").screenshot(path=HERE / "curve.png")
    print(HERE / "curve.png")


def graph(browser: Browser, address: str) -> None:
    """The asset graph in the Dagster UI."""
    page = browser.new_page(viewport={"width": 1700, "height": 900})
    page.goto(f"{address}/?token={TOKEN}")
    page.goto(f"{address}/asset-groups")
    page.get_by_text("reporting").first.wait_for(timeout=60_000)
    page.wait_for_timeout(5000)
    _save(page, "graph")


@contextlib.contextmanager
def ui() -> Iterator[str]:
    """``stegvis ui`` on the demo's home."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "stegvis.orchestration", "ui", "--home", str(HOME), "--port", str(port)]
    process = subprocess.Popen(
        command,
        env=os.environ | {"STEGVIS_UI_TOKEN": TOKEN},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    asked = urllib.request.Request(f"{address}/server_info", headers={"Authorization": f"Bearer {TOKEN}"})
    try:
        for _ in range(240):
            with contextlib.suppress(OSError), urllib.request.urlopen(asked):
                break
            time.sleep(0.5)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)


def _opened(browser: Browser, file: Path, size: dict[str, int]) -> Page:
    page = browser.new_page(viewport={"width": size["width"], "height": size["height"]})
    page.goto(file.as_uri())
    page.wait_for_load_state()
    return page


def _save(page: Page, name: str) -> None:
    page.screenshot(path=HERE / f"{name}.png")
    print(HERE / f"{name}.png")
    page.close()


if __name__ == "__main__":
    main()
