"""A team lead acts on the flags of a running gateway: in a real browser, and with ``linecontrol alarm``."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from linecontrol.gateway.operators import TOKEN_FILE
from linecontrol.model import AlarmState, FlagChanged
from tests.system.browser import CHROMEDRIVER, CHROMIUM, chrome, wait
from tests.system.gateway_journal import events, records_in
from tests.system.gateway_process import GatewayProcess, copy_of_plant, linecontrol, running, wait_for

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(300)]

RULES = """
rules:
  seen:
    each: connection
    only: [gearbox_plc]
    when: up
    ack: required
    message: "{connection} is there."
"""
FLAG = "seen/gearbox_plc"


def states(gateway: GatewayProcess) -> dict[str, str]:
    page = gateway.page()
    return {row["flag"]: row["word"] for row in (*page["flags"], *page["aside"])}


def becomes(gateway: GatewayProcess, word: str) -> None:
    wait_for(f"{FLAG} {word}", lambda: word in states(gateway).get(FLAG, ""), 10)


def told(state: Path) -> list[tuple[str, str, str]]:
    """What people did, as the journal has it."""
    return [(e.transition, e.by, e.reason) for e in events(records_in(state), FlagChanged) if e.by and e.flag == FLAG]


# --- the command line ---------------------------------------------------------------------------------------


def test_flags_are_led_from_the_command_line(tmp_path: Path) -> None:
    folder = copy_of_plant(tmp_path / "plant", RULES)
    state = tmp_path / "state"
    with running(folder, state) as (_, gateway):
        port = gateway.board.rpartition(":")[2]

        def alarm(verb: str, *more: str, flag: str = FLAG, at: Path = state) -> tuple[int, str]:
            done = linecontrol("alarm", verb, folder, flag, "--state", at, "--port", port, "--user", "eva", *more)
            return done.returncode, (done.stdout + done.stderr).strip()

        becomes(gateway, "not acknowledged")
        assert alarm("ack", "--reason", "seen") == (0, f"{FLAG}: acknowledged; now acknowledged")
        becomes(gateway, "acknowledged")
        code, said = alarm("ack")
        assert code == 1
        assert "nothing changed" in said
        assert alarm("shelve")[0] == 2, "a reason is needed"
        assert alarm("shelve", "--reason", "known", "--for", "2h") == (0, f"{FLAG}: shelved; now shelved")
        becomes(gateway, "shelved until")
        shown = linecontrol("alarm", "list", folder, "--port", port)
        assert shown.returncode == 0, shown.stderr
        assert [line.split()[:2] for line in shown.stdout.splitlines() if FLAG in line] == [["G", FLAG]]
        assert "(eva: known)" in " ".join(shown.stdout.split())
        assert alarm("unshelve") == (0, f"{FLAG}: unshelved; now acknowledged")
        assert alarm("out-of-service", "--reason", "new sensor") == (0, f"{FLAG}: out of service; now out of service")
        becomes(gateway, "out of service")
        assert alarm("in-service") == (0, f"{FLAG}: in service; now acknowledged")
        assert alarm("ack", flag="seen/nothing")[1].startswith("linecontrol: there is no flag 'seen/nothing'")
        assert alarm("shelve", "--reason", "r", "--for", "soon")[0] == 2
        code, said = alarm("ack", at=tmp_path)
        assert code == 1
        assert "operator token" in said
        (tmp_path / TOKEN_FILE).write_text("x" * 43)
        code, said = alarm("ack", at=tmp_path)
        assert (code, said) == (
            1,
            "linecontrol: the header X-Operator-Token does not hold this gateway's operator token",
        )
        busy = linecontrol("alarm", "report", folder, "--journal", state)
        assert busy.returncode == 75, "the gateway is using its journal"
        assert gateway.stop() == 0
        assert "no gateway answers" in alarm("ack")[1]
    picture = tmp_path / "flags.svg"
    report = linecontrol("alarm", "report", folder, "--journal", state, "--picture", picture)
    assert report.returncode == 0, report.stderr
    assert "time in flood" in report.stdout
    assert "flags told per hour" in picture.read_text()
    whole = json.loads(linecontrol("alarm", "report", folder, "--journal", state, "--json").stdout)
    assert [FLAG, 1] in next(line["whole"]["top"] for line in whole["lines"] if line["line"] == "")
    assert told(state) == [
        ("acknowledged", "eva", "seen"),
        ("shelved", "eva", "known"),
        ("unshelved", "eva", ""),
        ("out_of_service", "eva", "new sensor"),
        ("in_service", "eva", ""),
    ]


# --- the board ----------------------------------------------------------------------------------------------


def tab_to(browser: Chrome, name: str) -> WebElement:
    """Press Tab until something with that name has the focus."""
    for _ in range(60):
        with suppress(StaleElementReferenceException):
            focused = browser.switch_to.active_element
            if name in (focused.accessible_name, focused.get_attribute("id")):
                return focused
        ActionChains(browser).send_keys(Keys.TAB).perform()
    raise AssertionError(name)


def focused_name(browser: Chrome) -> str | None:
    return browser.execute_script("return document.activeElement.getAttribute('aria-label')")  # type: ignore[no-any-return]


def alert(browser: Chrome, dialog: str) -> str:
    return browser.find_element(By.CSS_SELECTOR, f"#{dialog} [role=alert]").text


def row(browser: Chrome, selector: str) -> str:
    """What a list says of the flag; read at once, for the page goes on changing."""
    texts: list[str] = browser.execute_script(
        "return [...document.querySelectorAll(arguments[0] + ' li.flag')]"
        ".filter(row => row.dataset.flag === arguments[1]).map(row => row.textContent)",
        selector,
        FLAG,
    )
    return "\n".join(texts)


def buttons(browser: Chrome) -> int:
    """How many flags can be acted on."""
    shown = "return [...document.querySelectorAll('li.flag button')].filter(each => each.offsetParent).length"
    return int(browser.execute_script(shown))


@pytest.mark.skipif(not (CHROMIUM and CHROMEDRIVER), reason="needs chromium and chromedriver")
def test_flags_are_led_from_the_board_by_keyboard(tmp_path: Path) -> None:
    folder = copy_of_plant(tmp_path / "plant", RULES)
    state = tmp_path / "state"
    with running(folder, state) as (_, gateway), chrome(tmp_path / "profile") as browser:
        becomes(gateway, "not acknowledged")
        token = (state / TOKEN_FILE).read_text().strip()
        browser.set_window_size(1280, 900)
        browser.get(gateway.board + "/")
        wait(browser, lambda: "not acknowledged" in row(browser, "#flags"))
        assert buttons(browser) == 0, "nobody is signed in"

        tab_to(browser, "Sign in").send_keys(Keys.ENTER)
        tab_to(browser, "Your name").send_keys("ali")
        field = tab_to(browser, "Operator token")
        field.send_keys("wrong", Keys.ENTER)
        wait(browser, lambda: alert(browser, "sign-in") == "This is not the operator token of this gateway.")
        field.clear()
        field.send_keys(token, Keys.ENTER)
        wait(browser, lambda: browser.find_element(By.ID, "done").text == "Signed in")

        tab_to(browser, "Act on: gearbox_plc is there.").send_keys(Keys.ENTER)
        browser.switch_to.active_element.send_keys(Keys.ENTER)
        wait(browser, lambda: "Critical" not in row(browser, "#flags") and "ali" in row(browser, "#flags"))
        wait(browser, lambda: focused_name(browser) == "Act on: gearbox_plc is there.")

        ActionChains(browser).send_keys(Keys.ENTER).perform()
        form = browser.find_element(By.ID, "act")
        tab_to(browser, "Reason (needed)").send_keys("  ", Keys.ENTER)
        wait(browser, lambda: alert(browser, "act") == "Say why: the next shift will want to know.")
        Select(form.find_element(By.ID, "for")).select_by_visible_text("2 hours")
        tab_to(browser, "Reason (needed)").send_keys("sensor is being changed", Keys.ENTER)
        wait(browser, lambda: "shelved until" in row(browser, "#aside"))
        assert "ali: sensor is being changed" in row(browser, "#aside")
        assert row(browser, "#flags") == ""

        tab_to(browser, "aside-count").send_keys(Keys.ENTER)
        tab_to(browser, "Act on: gearbox_plc is there.").send_keys(Keys.ENTER)
        browser.switch_to.active_element.send_keys(Keys.ENTER)
        wait(browser, lambda: "acknowledged" in row(browser, "#flags"))

        assert token not in browser.current_url
        stored = "return JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])"
        assert token not in browser.execute_script(stored)
        tab_to(browser, "Sign out").send_keys(Keys.ENTER)
        wait(browser, lambda: buttons(browser) == 0)
        wrong = [entry for entry in browser.get_log("browser") if "403" not in entry["message"]]  # type: ignore[no-untyped-call]
        assert wrong == []
        assert gateway.stop() == 0
        assert token not in gateway.words()
    assert told(state) == [
        ("acknowledged", "ali", ""),
        ("shelved", "ali", "sensor is being changed"),
        ("unshelved", "ali", ""),
    ]
    last = [e for e in events(records_in(state), FlagChanged) if e.flag == FLAG][-1]
    assert last.state is AlarmState.ACKNOWLEDGED
