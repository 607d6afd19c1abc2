// Arithmetic over pixels, free of the page so that `node --test` can check it.

/** Absolute difference of two RGBA pictures, worst channel times `gain`, coloured by `lut` (256 × [r, g, b]). */
export function difference(a, b, gain, lut) {
  const out = new Uint8ClampedArray(a.length);
  for (let i = 0; i < a.length; i += 4) {
    const worst = Math.max(Math.abs(a[i] - b[i]), Math.abs(a[i + 1] - b[i + 1]), Math.abs(a[i + 2] - b[i + 2]));
    out.set([...lut[Math.min(255, worst * gain)], 255], i);
  }
  return out;
}

/** Latent positions (RGBA, eighths of a bit as 256·red + green) as squares of the picture: {x, y, side, shade, bits}.
    Side (of `cell` pixels) and shade (0…255) grow with the square root of the bits and are full at `most` bits. */
export function bitSquares(positions, columns, cell, most) {
  return Array.from({ length: positions.length / 4 }, (_, i) => {
    const bits = (256 * positions[4 * i] + positions[4 * i + 1]) / 8;
    const share = Math.min(1, Math.sqrt(bits / most));
    const side = Math.ceil(share * (cell - 1));
    const [x, y] = [i % columns, Math.floor(i / columns)].map((at) => at * cell + Math.floor((cell - side) / 2));
    return { x, y, side, shade: Math.round(255 * share), bits };
  });
}
