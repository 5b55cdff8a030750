"""A page as a real browser shows it: how wide it is, how large and how dark its text, what it asks for.

Chromium opens the page in a frame of the wanted width, under a policy by which anything from outside is a
fault, and a script beside the frame measures. Nothing of the page itself is changed but that policy.
"""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path

import msgspec
from msgspec import Struct

_GUARD = """<meta http-equiv="Content-Security-Policy"
content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<script>
window.faults = [];
addEventListener("error", event => faults.push(String(event.message)), true);
document.addEventListener("securitypolicyviolation", event => faults.push(event.blockedURI));
</script>
"""
_HARNESS = """<!DOCTYPE html><meta charset="utf-8"><body>
<iframe id="page" width="{width}" height="800" style="border: 0" srcdoc="{page}"></iframe>
<pre id="measured"></pre>
<script>
function luminance(color) {{
  const part = value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const [red, green, blue] = color.match(/[0-9.]+/g).map(value => part(value / 255));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}}
addEventListener("load", () => {{
  const frame = document.getElementById("page");
  const inside = frame.contentDocument, root = inside.documentElement;
  const shown = [...inside.body.querySelectorAll("*")].filter(one => one.getClientRects().length);
  const told = shown.filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  const style = one => frame.contentWindow.getComputedStyle(one);
  const pixels = told.map(one => parseFloat(style(one).fontSize));
  for (const one of shown) {{
    const label = frame.contentWindow.getComputedStyle(one, "::before");
    if (label.content.length > 2) pixels.push(parseFloat(label.fontSize));
  }}
  const wide = shown.filter(one => one.getBoundingClientRect().right > root.clientWidth + 0.5);
  document.getElementById("measured").textContent = JSON.stringify({{
    width_pixels: root.clientWidth,
    scrolled_pixels: Math.max(root.scrollWidth, inside.body.scrollWidth),
    sticking_out: wide.map(one => one.tagName + " " + one.textContent.slice(0, 40)),
    smallest_text_pixels: Math.min(...pixels),
    least_contrast: Math.min(...told.map(one => 1.05 / (luminance(style(one).color) + 0.05))),
    texts: told.length,
    faults: frame.contentWindow.faults,
    requests: frame.contentWindow.performance.getEntriesByType("resource").map(one => one.name),
  }});
}});
</script>
"""
_MEASURED = re.compile(r'<pre id="measured">(.+?)</pre>', re.DOTALL)
_LONGEST_SECONDS = 120


class Shown(Struct, frozen=True, kw_only=True):
    """What was measured. `least_contrast` is of text on white, as WCAG counts it (21 is black).

    `faults` are errors of the page and everything that it would have fetched; `requests` what it did.
    """

    width_pixels: int
    scrolled_pixels: int
    sticking_out: list[str]
    smallest_text_pixels: float
    least_contrast: float
    texts: int
    faults: list[str]
    requests: list[str]


def show(page: str, width_pixels: int, folder: Path, *, letters_percent: int = 100) -> Shown:
    """The page in a window of that width. `letters_percent`: how large whoever reads has set the letters."""
    larger = f"<style>html {{ font-size: {letters_percent}% }}</style>"
    guarded = page.replace("<head>", f"<head>{_GUARD}{larger}", 1)
    harness = folder / "harness.html"
    harness.write_text(_HARNESS.format(width=width_pixels, page=html.escape(guarded, quote=True)), "utf-8")
    told = subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--disable-background-networking", "--no-first-run", "--hide-scrollbars"),
            *(f"--user-data-dir={folder / 'profile'}", f"--window-size={width_pixels + 700},1000"),
            *("--dump-dom", harness.as_uri()),
        ],
        capture_output=True,
        timeout=_LONGEST_SECONDS,
        check=True,
    ).stdout.decode()
    measured = _MEASURED.search(told)
    assert measured is not None, told[-2000:]
    return msgspec.convert(json.loads(html.unescape(measured[1])), Shown)
