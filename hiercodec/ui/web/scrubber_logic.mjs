// The scrubber's arithmetic, free of the page so that `node --test` can check it.
// What depends on the trace alone comes ready from hiercodec/ui/numbers.py.

/** Bytes in words: 1 byte, 640 bytes, 1.9 kB, 123 kB (SI). */
export function formatBytes(n) {
  if (n < 1000) return n === 1 ? "1 byte" : `${Math.round(n)} bytes`;
  return `${(n / 1000).toFixed(n < 99950 ? 1 : 0)} kB`;
}

/** A probability as a whole per cent that never rounds up to certainty or down to none. */
export function formatPercent(p) {
  if (p > 0 && p < 0.01) return "<1 %";
  if (p < 1 && p > 0.99) return ">99 %";
  return `${Math.round(p * 100)} %`;
}

/** Index of the step whose byte position is nearest to `share` (0…1) of the file. */
export function nearestStep(steps, share, fileBytes) {
  const far = (i) => Math.abs(steps[i].bytes - share * fileBytes);
  return steps.reduce((best, _, i) => (far(i) < far(best) ? i : best), 0);
}

/** Index of the last step that needs no more than `bytes`; -1 while not even the first has arrived. */
export function stepWithin(steps, bytes) {
  return steps.findLastIndex((step) => step.bytes <= bytes);
}

/** The block a number of bytes ends in, by its level; at a block's very end that block. */
export function blockAt(cuts, bytes) {
  const levels = Object.keys(cuts);
  return levels.find((level) => bytes <= cuts[level]) ?? levels[levels.length - 1];
}

/** The position a key leads to, or null if the key is not ours. `stops` are the steps at which z and the blocks end. */
export function keyTarget(key, position, count, stops) {
  const targets = {
    ArrowRight: position + 1,
    ArrowUp: position + 1,
    ArrowLeft: position - 1,
    ArrowDown: position - 1,
    Home: 0,
    End: count - 1,
    PageUp: stops.find((index) => index > position) ?? count - 1,
    PageDown: stops.findLast((index) => index < position) ?? 0,
  };
  return Object.hasOwn(targets, key) ? Math.max(0, Math.min(count - 1, targets[key])) : null;
}

/** "right", "wrong" or "unknown": a level's winner against the known answers. */
export function verdict(step, level, answers) {
  if (!answers?.length || !step.top[level]?.length) return "unknown";
  return answers.includes(step.top[level][0][0]) ? "right" : "wrong";
}

/** How much of a level's block has arrived at a step, 0…1. */
export function blockShare(step, level, levels) {
  const ahead = levels.indexOf(level) - levels.indexOf(step.level); // a step without a level is at -1
  return ahead <= 0 ? 1 : ahead === 1 ? step.fraction : 0;
}

/** How far the first of a level's ranked answers leads the second, in percentage points. */
export function margin(top) {
  return Math.round(100 * (top[0][2] - (top[1]?.[2] ?? 0)));
}

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
