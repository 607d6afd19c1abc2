"""What tests of the Explore page ask of the browser."""

from __future__ import annotations

import base64

import numpy as np

ROOT_OF = "[...document.querySelectorAll('*')].map((e) => e.shadowRoot).find((r) => r?.querySelector('.hx'))"

PIXELS = f"""() => {{
  const canvas = {ROOT_OF}.querySelector('canvas.a');
  const {{ data, width, height }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let text = '';
  for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
  return {{ width, height, data: btoa(text) }};
}}"""

BOXES = f"""(names) => names.map((name) =>
  Object.values({ROOT_OF}.querySelector(name).getBoundingClientRect().toJSON()).map(Math.round))"""

ICICLE = f"""() => [...{ROOT_OF}.querySelectorAll('.icicle .cell')].map((row) =>
  [...row.children].map((cell) => Number(cell.style.flexGrow)))"""

GREYED = """() => [...document.querySelectorAll('[data-testid=stApp] *')]
  .filter((e) => e.dataset?.stale === 'true' && getComputedStyle(e).opacity !== '1').length"""


def canvas(page) -> np.ndarray:
    """The pixels on the canvas, uint8[H, W, 3]."""
    got = page.evaluate(PIXELS)
    rgba = np.frombuffer(base64.b64decode(got["data"]), np.uint8).reshape(got["height"], got["width"], 4)
    assert (rgba[..., 3] == 255).all()
    return rgba[..., :3]


def position(page) -> int:
    """The step the scrubber shows."""
    return int(page.locator(".hx").get_attribute("data-k"))


def point(page, share: float) -> tuple[float, float]:
    """Where on the screen a share of the file's bytes is on the track."""
    box = page.locator(".track").bounding_box()
    return box["x"] + share * box["width"], box["y"] + box["height"] / 2


def upload(page, file) -> None:
    """Give the page a file of one's own: a path, or {name, mimeType, buffer}."""
    if not page.locator('[data-testid="stFileUploader"]').count():
        page.get_by_role("radio", name="Your own").or_(page.get_by_role("button", name="Your own")).first.click()
    page.locator('[data-testid="stFileUploader"] input[type=file]').set_input_files(file)
