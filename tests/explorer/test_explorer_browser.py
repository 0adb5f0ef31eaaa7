"""The site as a reader meets it: opened from disk in Chromium, by mouse, by keyboard, on a phone, by hostile titles.

Screenshots are kept in `.pytest_cache/d/explorer`.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from r2rec_bench.explorer.scripts import write_script

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
playwright = pytest.importorskip("playwright.sync_api", reason="NO DRIVER of browsers: pip install playwright")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="NO BROWSER for these tests: apt-get install chromium")
expect = playwright.expect
LOCAL = re.compile("file:|data:")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        unboxed = ["--no-sandbox"] if os.geteuid() == 0 else []
        running = driver.chromium.launch(executable_path=CHROMIUM, args=unboxed)
        yield running
        running.close()


@pytest.fixture
def visit(browser: Any, site: Any, request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[Any]:
    """Opens a page of the site; whatever the browser has to complain of fails the test."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def opened(where: str = "#/", width: int = 1280, scheme: str = "light", root: Path | None = None) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: None if LOCAL.match(asked.url) else complaints.append(asked.url))
        page.goto(f"{(root or site.page).as_uri()}{where}")
        page.wait_for_selector("main[data-ready]")
        return page

    opened.complaints = complaints
    yield opened
    assert pytestconfig.cache is not None
    kept = pytestconfig.cache.mkdir("explorer")
    for number, context in enumerate(contexts):
        for page in context.pages:
            page.screenshot(path=kept / f"{request.node.name}-{number}.png")
        context.close()
    assert complaints == []


def column(page: Any, number: int) -> list[str]:
    return page.locator(f"section[aria-label='Main table'] tbody tr > :nth-child({number})").all_inner_texts()


def test_the_first_page_answers_the_question(visit: Any) -> None:
    page = visit()
    assert page.locator("h1").inner_text() == "Does it <b>show</b>?"
    assert column(page, 1) == ["popularity", "ease", "R2Rec (nano): sft"]
    assert "n = 56 users" in page.locator(".caption").first.inner_text()
    figures = page.locator("figure svg[role=img]")
    expect(figures).to_have_count(4)  # two forests, tokens, training
    names = [figure.get_attribute("aria-label") for figure in figures.all()]
    assert all(re.search(r"\d", name) for name in names), "each says its numbers to who cannot see it"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_bold_is_the_best_of_what_a_table_shows_and_all_seeds_are_compared(
    visit: Any, site: Any, tmp_path: Path
) -> None:
    shutil.copytree(site.page.parent, tmp_path / "copy")
    study = site.read("study")
    study["systems"][3]["values"]["ndcg@10"][0] = 0.999  # of the ablation, which is no row of the main table
    study["systems"][2]["runs"].append("f" * 16)
    write_script(tmp_path / "copy" / "data", "study", study)
    page = visit(root=tmp_path / "copy" / "index.html")
    heads = page.locator("section[aria-label='Main table'] thead th").all_inner_texts()
    bold = page.locator(f"section[aria-label='Main table'] tbody td:nth-child({heads.index('NDCG@10') + 1}) strong")
    best = max(system["values"]["ndcg@10"][0] for system in study["systems"][:3])
    assert set(bold.all_inner_texts()) == {f"{best:.3f}"}
    page.goto(page.url.partition("#")[0] + "#/sides?run=2&against=0")
    command = page.locator(".summary code")
    expect(command).to_contain_text(f"{study['systems'][2]['runs'][0][:12]},{'f' * 12} ")
    expect(page.locator("section[aria-label='Agreement'] .caption")).to_contain_text(
        "under the first of a system's seeds"
    )


def test_a_table_is_sorted_by_its_heads(visit: Any) -> None:
    page = visit()
    head = page.get_by_role("columnheader", name="HR@1").first
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    down = [float(re.match(r"[\d.]+", text)[0]) for text in column(page, 2)]
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    up = [float(re.match(r"[\d.]+", text)[0]) for text in column(page, 2)]
    assert down == sorted(down, reverse=True)
    assert up == sorted(up)
    assert len(set(up)) > 1


def test_filters_and_pages_narrow_the_users(visit: Any, site: Any) -> None:
    page, users = visit("#/cases"), site.read("users")
    found = page.locator("#found strong")
    assert found.inner_text() == "56"
    assert page.locator("tbody tr").count() == 50
    page.get_by_role("button", name="Next").click()
    expect(page.locator("tbody tr")).to_have_count(6)
    page.get_by_label("Show").select_option("hit")
    hits = sum(rank == 1 for rank in users["ranks"]["2"])
    expect(found).to_have_text(str(hits))
    page.get_by_label("Show").select_option("all")
    page.get_by_label("Against").select_option("0")
    page.get_by_label("where the two disagree").check()
    apart = sum((a == 1) != (b == 1) for a, b in zip(users["ranks"]["2"], users["ranks"]["0"], strict=True))
    expect(found).to_have_text(str(apart))
    page.get_by_label("where the two disagree").uncheck()
    page.get_by_label("cold users").check()
    expect(found).to_have_text(str(sum(seen <= site.read("study")["cases"]["cold"] for seen in users["seen"])))
    page.get_by_label("cold users").uncheck()
    expect(found).to_have_text("56")
    assert page.get_by_label("invalid answers").is_disabled(), "this run has none"
    page.get_by_label("Run", exact=True).select_option("3")
    page.get_by_label("invalid answers").check()
    expect(found).to_have_text(str(sum(map(bool, users["invalid"]["3"]))))
    page.get_by_label("invalid answers").uncheck()
    page.get_by_label("User id").fill(users["ids"][7])
    page.get_by_label("User id").press("Enter")
    expect(found).to_have_text("1")


def test_a_case_reveals_evidence_and_thoughts_step_by_step(visit: Any, site: Any) -> None:
    page = visit("#/case/4")
    told = site.read("told/2/0")[4][str(site.read("lists/0")[4]["positive"])]
    assert page.locator("ol.steps li").count() == len(told["steps"]) == 3
    assert page.locator(".candidates tbody tr").count() == 6
    expect(page.locator("ol.steps li.masked")).to_have_count(0)
    for left in (1, 2, 3):
        page.get_by_role("button", name="One step back").click()
        masked = page.locator("ol.steps li.masked")
        expect(masked).to_have_count(left)
        assert all(told["mask"] in text for text in masked.all_inner_texts())
        assert page.locator(".graph svg text", has_text="[MASK]").count() >= left
    assert page.get_by_role("button", name="One step back").is_disabled()
    page.get_by_role("button", name="Go to step 2").click()
    expect(page.locator("ol.steps li.masked")).to_have_count(1)
    assert page.locator("ol.steps .thought").count() == 2, "no thought is shown before its step"


def test_another_candidate_is_opened_from_the_list(visit: Any) -> None:
    page = visit("#/case/4")
    page.locator(".candidate").first.click()
    expect(page.locator(".candidate").first).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".verdict")).to_contain_text("ranked 1")


def test_two_runs_stand_side_by_side(visit: Any, site: Any) -> None:
    page, study, users = visit("#/sides?run=2&against=0"), site.read("study"), site.read("users")
    difference = -study["pairs"]["0-2"][0]
    words = f"{'+' if difference > 0 else '−'}{abs(difference):.3f}"
    expect(page.locator(".summary strong")).to_have_text(words)
    only_left = sum(a == 1 and b != 1 for a, b in zip(users["ranks"]["2"], users["ranks"]["0"], strict=True))
    link = page.locator("td.apart a").first
    assert link.inner_text() == f"{only_left} users"
    link.click()
    expect(page.locator("#found strong")).to_have_text(str(only_left))
    page.goto(page.url.partition("#")[0] + "#/case/4?run=2&beside=3")
    expect(page.locator("section.why")).to_have_count(2)
    expect(page.locator("section.why").nth(1)).to_contain_text("single")


def test_the_keyboard_alone_reaches_a_thought(visit: Any) -> None:
    page = visit("#/cases")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('tbody a')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("section.why")).to_have_count(1)
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.ariaLabel") == "One step back":
            break
    page.keyboard.press("Enter")
    expect(page.locator("ol.steps li.masked")).to_have_count(1)
    assert page.evaluate("document.activeElement.ariaLabel") == "One step back", "the focus stays where it was"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_hostile_titles_are_texts(visit: Any) -> None:
    page = visit("#/cases")
    for where in ("#/case/1", "#/case/2", "#/case/5?beside=3", "#/cases?words=script", "#/"):
        page.goto(page.url.partition("#")[0] + where)
        page.wait_for_timeout(50)
    assert page.title() == "tiny+single · R2Rec explorer"
    assert page.locator("main img, main script, main b, main a[href^='javascript']").count() == 0
    page.goto(page.url.partition("#")[0] + "#/cases?words=onerror")
    expect(page.locator("tbody .title").first).to_contain_text("<img src=x onerror=")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("where", ["#/", "#/cases", "#/case/4?beside=3"])
def test_words_stand_out_from_their_ground(visit: Any, where: str, scheme: str) -> None:
    page = visit(where, scheme=scheme)
    page.wait_for_selector("h1")
    faint = page.evaluate(_FAINT)
    assert faint == []


def test_a_phone_shows_all_of_it(visit: Any) -> None:
    for where in ("#/", "#/cases", "#/case/4", "#/sides"):
        page = visit(where, width=390)
        page.wait_for_selector("h1")
        assert page.evaluate("document.documentElement.scrollWidth") == 390, where


def test_light_and_dark_can_be_chosen(visit: Any) -> None:
    page = visit(scheme="dark")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(ground) != dark
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(ground) == dark


def test_a_missing_file_is_named(visit: Any, site: Any, tmp_path: Path) -> None:
    shutil.copytree(site.page.parent, tmp_path / "copy")
    (tmp_path / "copy" / "data" / "users.js").unlink()
    page = visit(root=tmp_path / "copy" / "index.html")
    page.get_by_role("link", name="Cases").click()
    expect(page.get_by_role("alert")).to_contain_text("data/users.js is missing")
    assert [said for said in visit.complaints if "ERR_FILE_NOT_FOUND" not in said] == []
    visit.complaints.clear()


_FAINT = """() => {
  // Elements with words of their own whose contrast is below 4.5, or 3 where they are large (WCAG 2, 1.4.3).
  const parse = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll('body *')) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    if (!element.checkVisibility() || element.closest(':disabled, .check:has(:disabled), style')) continue;
    const style = getComputedStyle(element);
    const drawn = element.closest('svg');
    const colour = parse(drawn && style.fill !== 'none' ? style.fill : style.color);
    const [a, b] = [light(colour), light(ground(drawn ?? element))].sort((x, y) => y - x);
    const least = parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
    if ((a + 0.05) / (b + 0.05) < least) faint.push(`${element.tagName} ${element.textContent.slice(0, 40)}`);
  }
  return faint;
}"""
