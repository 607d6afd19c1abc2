"""Files of every kind, as Chromium draws them and as `read_rgb` reads them: the same pixels."""

from __future__ import annotations

import base64

import numpy as np
from PIL import Image

from hiercodec.images import read_rgb
from hiercodec.images.colour import matrix_profile
from tests.test_pictures_as_browsers_show_them import (
    P3,
    RAMP,
    RGB_RAMP,
    bad,
    chunk,
    file_of,
    gamma,
    photo,
    png,
    primaries,
)

DRAW = """async (addresses) => {
  const drawn = [];
  for (const address of addresses) {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), {width: image.naturalWidth, height: image.naturalHeight});
    const context = canvas.getContext('2d', {colorSpace: 'srgb'});
    context.fillStyle = 'white';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0);
    drawn.push([canvas.height, canvas.width, [...context.getImageData(0, 0, canvas.width, canvas.height).data]]);
  }
  return drawn;
}"""


def cases() -> dict[str, tuple[str, bytes]]:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((255, 0, 0), (0, 255, 0))]
    whole, flat = file_of(photo(), "PNG"), photo()
    place = whole.index(b"IDAT") - 4
    return {
        "Display P3": ("png", file_of(flat, "PNG", icc_profile=matrix_profile(2.2, P3))),
        "Display P3 in a JPEG": ("jpeg", file_of(flat, "JPEG", quality=95, icc_profile=matrix_profile(2.2, P3))),
        "linear grey": ("png", png(16, 8, 0, RAMP, gamma(1.0))),
        "gamma and primaries": ("png", png(16, 8, 2, RGB_RAMP, gamma(0.45455), primaries(P3))),
        "primaries alone": ("png", png(16, 8, 2, RGB_RAMP, primaries(P3))),
        "gamma beside sRGB": ("png", png(16, 8, 2, RGB_RAMP, chunk(b"sRGB", b"\0"), gamma(1.0))),
        "a transparent grey of 4 bits": ("png", png(4, 4, 0, b"\x01\x23", chunk(b"tRNS", b"\0\x01"))),
        "a transparent colour of 16 bits": (
            "png", png(2, 16, 2, bytes.fromhex("123456789abc 123456789abd"), chunk(b"tRNS", bytes.fromhex("123456789abc"))),
        ),
        "the picture for those that show no animation": (
            "png", file_of(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=True),
        ),
        "a damaged side chunk": ("png", whole[:place] + bad(gamma(1.0)) + whole[place:]),
        "a progressive JPEG without its end": ("jpeg", file_of(flat, "JPEG", quality=90, progressive=True)[:-2]),
        "GIF": ("gif", file_of(flat.quantize(64), "GIF")),
    }  # fmt: skip


def test_what_chromium_draws_is_what_is_read(browser):
    page = browser.new_page()
    files = cases()
    addresses = [f"data:image/{kind};base64,{base64.b64encode(data).decode()}" for kind, data in files.values()]
    drawn = page.evaluate(DRAW, addresses)
    page.close()
    apart = {}
    for (name, (_, data)), (height, width, samples) in zip(files.items(), drawn, strict=True):
        shown = np.array(samples, np.uint8).reshape(height, width, 4)[..., :3]
        apart[name] = int(np.abs(shown.astype(int) - read_rgb(data).astype(int)).max())
    assert max(apart.values()) <= 2, apart
