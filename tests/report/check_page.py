"""Looks at a page in headless Chromium and prints what is wrong with it: check_page.py CHECK PAGE [FOLDER]

CHECK is layout, accessibility, use, downloads, print or pictures; FOLDER is where print and pictures write. Exit code 1 if
anything is wrong. Needs axe-playwright-python and Debian's chromium, which scripts/setup.sh installs.
"""

import pathlib
import shutil
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

WIDTHS = (400, 900, 1400)
SCHEMES = ("light", "dark")

# Texts of drawings that overlap or stick out, and what makes the page scroll sideways.
LAYOUT = """() => {
  const problems = [];
  for (const svg of document.querySelectorAll(".drawing")) {
    const frame = svg.getBoundingClientRect();
    if (!frame.width) continue;
    const texts = [...svg.querySelectorAll("text")], boxes = texts.map(text => text.getBoundingClientRect());
    const name = i => `"${texts[i].textContent}" in "${svg.getAttribute("aria-label")}"`;
    boxes.forEach((a, i) => {
      if (a.left < frame.left - 2 || a.right > frame.right + 2 || a.top < frame.top - 2 || a.bottom > frame.bottom + 4)
        problems.push(`sticks out: ${name(i)}`);
      if (texts[i].hasAttribute("transform")) return;  // a turned text's box says little
      boxes.slice(0, i).forEach((b, j) => {
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (!texts[j].hasAttribute("transform") && wide > 1 && high > 4) problems.push(`overlap: ${name(i)} and ${name(j)}`);
      });
    });
  }
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    problems.push(`wider than the window: ${root.scrollWidth} px`);
    for (const element of document.querySelectorAll("main *"))
      if (element.getBoundingClientRect().right > root.clientWidth + 1 && !element.closest(".scroll, pre"))
        problems.push(`reaches beyond the window: <${element.tagName}> ${element.textContent.slice(0, 40)}`);
  }
  for (const panels of document.querySelectorAll(".panels")) {
    const last = panels.lastElementChild.getBoundingClientRect(), all = panels.getBoundingClientRect();
    const first = panels.firstElementChild.getBoundingClientRect();
    if (all.width && first.width < Math.min(all.width, 300) - 2) problems.push("a panel is narrower than 300 px");
    if (all.width && first.top === last.top && last.right < all.right - 4) problems.push("panels leave width unused");
  }
  return problems.slice(0, 20);
}"""


class Browser:
    """Chromium with the page open; fails what the page asks the network for or writes to the console."""

    def __init__(self, chromium, page_file):
        self.chromium, self.url, self.problems = chromium, page_file.resolve().as_uri(), []

    def open(self, width=1400, height=900, scheme="light", **options):
        context = self.chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        page = context.new_page()
        page.on("request", lambda request: request.url in (self.url,) or request.url.startswith("data:")
                or self.expect(False, f"asks for {request.url}"))
        page.on("console", lambda message: self.expect(message.type not in ("error", "warning"), f"console: {message.text}"))
        page.on("pageerror", lambda error: self.expect(False, f"script: {error}"))
        page.goto(self.url)
        page.wait_for_timeout(300)
        return page

    def expect(self, truth, problem):
        if not truth:
            self.problems.append(problem)


def check_layout(browser, _folder):
    for width in WIDTHS + (320, 760):
        page = browser.open(width)
        browser.problems += [f"at {width} px: {problem}" for problem in page.evaluate(LAYOUT)]
        page.set_viewport_size({"width": 1400 if width < 900 else 400, "height": 900})
        page.wait_for_timeout(300)
        browser.problems += [f"resized from {width} px: {problem}" for problem in page.evaluate(LAYOUT)]
        page.context.close()
    page = browser.open(400, java_script_enabled=False)
    browser.expect(page.locator("figure").count() > 0 and page.locator("button.tool >> visible=true").count() == 0,
                   "without script: figures are missing, or buttons that do nothing show")
    page.context.close()


def check_accessibility(browser, _folder):
    for width in WIDTHS:
        for scheme in SCHEMES:
            page = browser.open(width, scheme=scheme)
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            found = Axe().run(page).response
            for violation in found["violations"]:
                nodes = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
                print(f"axe at {width} px, {scheme}: {violation['impact']}: {violation['id']}: {violation['help']}: {nodes}")
                browser.expect(False, f"{violation['impact']} {violation['id']} at {width} px, {scheme}")
            print(f"axe at {width} px, {scheme}: {len(found['passes'])} rules pass, {len(found['violations'])} fail")
            page.context.close()


def check_use(browser, _folder):
    page = browser.open()
    expect = browser.expect
    page.keyboard.press("Tab")
    expect(page.evaluate("document.activeElement.className") == "skip", "the first stop of the Tab key is no skip link")
    page.keyboard.press("Enter")
    expect(page.evaluate("document.activeElement.id") == "content", "the skip link does not lead to the content")

    tip = page.locator("#tip")
    drawing = page.locator(".drawing:has(.mark)").first
    drawing.scroll_into_view_if_needed()
    drawing.locator(".mark").first.hover()
    expect(tip.is_visible() and tip.inner_text().strip(), "no value on hover")
    page.mouse.move(2, 2)
    expect(not tip.is_visible(), "a value stays when the pointer is gone")
    page.keyboard.press("Shift")  # the keyboard is in use: focus shows
    drawing.focus()
    page.keyboard.press("Home")
    first = tip.inner_text()
    page.keyboard.press("ArrowRight")
    expect(tip.is_visible() and tip.inner_text() != first, "arrow keys do not go from value to value")
    expect(page.locator("#spoken").inner_text() == tip.inner_text(), "values are not spoken")
    page.keyboard.press("Escape")
    expect(not tip.is_visible(), "Escape does not hide a value")

    table = page.locator("table:has(td.n[data-value])").first
    title = table.locator("thead th:has-text('')").last
    for order in ("ascending", "descending"):
        title.locator("button").click()
        values = table.locator("tbody tr td:last-child").evaluate_all(
            "cells => cells.map(cell => cell.dataset.value).filter(value => value !== undefined).map(Number)")
        expect(title.get_attribute("aria-sort") == order, f"a table is not marked {order}")
        expect(values == sorted(values, reverse=order == "descending"), f"a table is not sorted {order}: {values}")

    page.locator("#glossary").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    box = page.locator("nav").bounding_box()
    expect(-1 <= box["y"] < 100, f"the contents leave the window: {box}")
    expect(page.locator("nav a[aria-current]").count() == 1, "the contents do not mark where one is")
    page.locator("button[data-copy=citation-text]").click()
    expect(page.locator("button[data-copy=citation-text]").inner_text() != "Copy the references", "no answer to copying")
    page.context.close()


def check_downloads(browser, _folder):
    page = browser.open()
    links = page.locator("a[download]")
    browser.expect(links.count() > 1, "nothing to download")
    for i in (0, 1):
        with page.expect_download() as download:
            links.nth(i).click()
        text = pathlib.Path(download.value.path()).read_text(encoding="utf-8")
        start = "<svg xmlns" if download.value.suggested_filename.endswith(".svg") else "panel,"
        browser.expect(text.startswith(start), f"{download.value.suggested_filename} does not begin with {start}")
    # Every SVG as a document of its own: rendered, in its own colours.
    for uri in page.locator("a[download$='.svg']").evaluate_all("links => links.map(link => link.href)"):
        drawn = page.context.new_page()
        drawn.goto(uri)
        problem = drawn.evaluate("""() => {
          if (!document.documentElement.matches("svg")) return "is no SVG: " + document.documentElement.textContent.slice(0, 200);
          const style = document.querySelector("style").textContent;
          if (/var\\(|:root/.test(style)) return "has style that programs without custom properties can't read";
          const frame = document.documentElement.getBoundingClientRect();
          for (const text of document.querySelectorAll("text"))
            if (text.getBoundingClientRect().right > frame.right + 2) return `is left by "${text.textContent}"`;
        }""")
        browser.expect(not problem, f"an SVG {problem}")
        drawn.close()
    page.context.close()


def check_print(browser, folder):
    page = browser.open()
    pdf = folder / "report.pdf"
    page.pdf(path=pdf, prefer_css_page_size=True)
    browser.expect(pdf.stat().st_size > 20_000, "the print is empty")
    page.emulate_media(media="print")
    browser.expect(not page.locator("nav").is_visible() and not page.locator(".tools").first.is_visible(),
                   "contents or buttons are printed")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(media="print", color_scheme="dark")
    browser.expect(page.evaluate("getComputedStyle(document.body).backgroundColor") == background,
                   "a dark screen makes a dark print")
    page.context.close()


def check_pictures(browser, folder):
    pictures = {}
    for width in WIDTHS:
        for scheme in SCHEMES:
            page = browser.open(width, scheme=scheme)
            name = folder / f"{width}-{scheme}.png"
            page.screenshot(path=name)
            pictures[width, scheme] = name.read_bytes()
            page.screenshot(path=folder / f"{width}-{scheme}-whole.png", full_page=True)
            # A blank picture compresses to a few kilobytes.
            browser.expect(len(pictures[width, scheme]) > 25_000, f"{name.name} is blank")
            page.context.close()
        browser.expect(pictures[width, "light"] != pictures[width, "dark"], f"at {width} px, dark looks like light")


def main():
    check, page_file = globals()[f"check_{sys.argv[1]}"], pathlib.Path(sys.argv[2])
    folder = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else page_file.parent)
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not executable:
        sys.exit("no chromium on PATH: scripts/setup.sh installs it")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        browser = Browser(chromium, page_file)
        check(browser, folder)
        chromium.close()
    for problem in browser.problems:
        print("problem:", problem)
    sys.exit(1 if browser.problems else 0)


if __name__ == "__main__":
    main()
