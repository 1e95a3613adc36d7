"""A page as a browser sees it: headless Chromium, driven by Selenium."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service


@dataclass(frozen=True)
class Page:
    """What became of a page: its text, how many of its style rules work, and what it asked for in vain."""

    title: str
    text: str
    style_rules: int
    failed: tuple[str, ...]


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "/usr/bin/chromium"
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1200,800",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver") or "/usr/bin/chromedriver"))
    driver.set_page_load_timeout(60)
    try:
        yield driver
    finally:
        driver.quit()


def _log(driver: webdriver.Chrome) -> list[dict[str, Any]]:
    """What the page asked for since the last look."""
    entries: list[dict[str, str]] = driver.get_log("performance")  # type: ignore[no-untyped-call]
    return [json.loads(entry["message"])["message"] for entry in entries]


def see(driver: webdriver.Chrome, url: str, expected: str, *, seconds: float = 45, picture: Path | None = None) -> Page:
    """Opens a page and waits until `expected` stands in its text or title; fails with what stood there instead."""
    _log(driver)
    driver.get(url)
    until = time.monotonic() + seconds
    while True:
        text = driver.execute_script("return document.body ? document.body.innerText : ''")
        if expected.lower() in f"{driver.title} {text}".lower():
            break
        assert time.monotonic() < until, f"{url}: no {expected!r} on the page, but:\n{driver.title}\n{text[:2000]}"
        time.sleep(0.3)
    rules = driver.execute_script(
        "let n = 0; for (const s of document.styleSheets) { try { n += s.cssRules.length } catch (e) {} } return n"
    )
    failed = []
    for message in _log(driver):
        if message["method"] == "Network.responseReceived":
            response, kind = message["params"]["response"], message["params"]["type"]
            if response["status"] >= 400 and kind in ("Document", "Stylesheet", "Script"):
                failed.append(f"{response['status']} {kind} {response['url']}")
    if picture is not None:
        driver.save_screenshot(str(picture))
    return Page(driver.title, text, int(rules), tuple(failed))
