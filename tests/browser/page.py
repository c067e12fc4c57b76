"""The page at ``/docs`` as a reader uses it: what can be clicked, and what can be read."""

import json
from collections.abc import Mapping
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import (
    element_to_be_clickable,
    invisibility_of_element_located,
)
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.timeouts import scaled

NARROW = 390  # pixels
MUTE = "#operations-tracks-muteParticipantTrack"


class Page:
    """The page in a browser, opened."""

    def __init__(self, browser: Chrome, url: str) -> None:
        self.browser = browser
        self._wait = WebDriverWait(browser, scaled(30))
        browser.get(url)
        self.find(MUTE)

    def find(self, css: str) -> WebElement:
        """Wait for an element that can be clicked, and bring it into view."""
        element: WebElement = self._wait.until(element_to_be_clickable((By.CSS_SELECTOR, css)))
        return element

    def click(self, css: str) -> None:
        """Click an element where it can be seen, in the middle of the window."""
        element = self.find(css)
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def narrow(self) -> None:
        """Give it the screen of a telephone: 390 by 844 pixels, touched instead of clicked."""
        screen = {"width": NARROW, "height": 844, "deviceScaleFactor": 2, "mobile": True}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)

    def authorize(self, token: str) -> None:
        """Enter a token as the one that requests send in their header."""
        self.click(".btn.authorize")
        self.find(".modal-ux input#auth-bearer-value").send_keys(token)
        self.click(".modal-ux button.authorize")
        self.click(".modal-ux button.btn-done")
        self._wait.until(invisibility_of_element_located((By.CSS_SELECTOR, ".dialog-ux")))

    def open_mute(self) -> None:
        """Open the operation that mutes, with a form for its request."""
        self.click(f"{MUTE} .opblock-summary-control")
        self.click(f"{MUTE} .try-out__btn")

    def mute(self, body: Mapping[str, object]) -> tuple[str, Any]:
        """Send a body, and return the status and the body of the answer as the page shows them."""
        text = self.find(f"{MUTE} .body-param__text")
        text.clear()
        text.click()
        # Pasted: Swagger UI draws all of the operation again at each key.
        self.browser.execute_cdp_cmd("Input.insertText", {"text": json.dumps(body)})
        self.click(f"{MUTE} .execute")
        status = self.find(f"{MUTE} .live-responses-table .response .response-col_status")
        answer = self.find(f"{MUTE} .live-responses-table .highlight-code code")
        result = (status.text.split()[0], json.loads(answer.text))
        self.click(f"{MUTE} .btn-clear")
        return result

    @property
    def operations(self) -> list[str]:
        """The paths of the operations, as it shows them."""
        paths = self.browser.find_elements(By.CSS_SELECTOR, ".opblock-summary-path")
        return [path.text.replace("\u200b", "") for path in paths]  # where lines may break

    @property
    def errors(self) -> list[str]:
        """What the console shows in red since it was asked last."""
        entries = self._new_entries("browser")
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]

    @property
    def width(self) -> int:
        """How wide what it shows is, in pixels; more than the screen means scrolling sideways."""
        width: int = self.browser.execute_script("return document.documentElement.scrollWidth")
        return width

    @property
    def requested(self) -> set[str]:
        """The URLs that the page has asked for."""
        entries = self._new_entries("performance")
        events = [json.loads(entry["message"])["message"] for entry in entries]
        return {
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        }

    def _new_entries(self, log: str) -> list[dict[str, str]]:
        entries: list[dict[str, str]] = self.browser.get_log(log)  # type: ignore[no-untyped-call]
        return entries
