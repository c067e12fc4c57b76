"""A real browser, without a screen."""

import os
import shutil
from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from tests.browser.page import Page
from tests.support.command import Run, Running


@pytest.fixture
def service(start: Run) -> Running:
    return start("--gateway", "in-memory", AUTH_API_SECRET="s3cret", AUTH_API_SECRET_ID="tenant-a")


@pytest.fixture
def browser() -> Iterator[Chrome]:
    """Chromium at 1280 by 900 pixels, whose console and network traffic are recorded."""
    options = ChromeOptions()
    options.binary_location = os.environ["CHROMIUM"]
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1280,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # Selenium would download a driver, were it not told where one is.
    driver = Chrome(options, ChromeService(shutil.which("chromedriver") or "chromedriver"))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Chrome, service: Running) -> Page:
    return Page(browser, f"{service.url}/docs")
