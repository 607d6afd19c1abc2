// Arithmetic over the steps of a trace and over keys, free of the page so that `node --test` can check it.
// What depends on the trace alone comes ready from hiercodec/report/numbers.py.

/** Index of the step that lies nearest to `place` (0…1) on the axis of bytes. */
export function nearestStep(steps, place) {
  const far = (i) => Math.abs(steps[i].at - place);
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
    PageDown: stops.find((index) => index > position) ?? count - 1,
    PageUp: stops.findLast((index) => index < position) ?? 0,
  };
  return Object.hasOwn(targets, key) ? Math.max(0, Math.min(count - 1, targets[key])) : null;
}

/** The same while presenting: what a clicker or a hand on the keyboard sends leads one step on or back. */
export function clickerTarget(key, position, count) {
  const moves = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 };
  const ends = { Home: 0, End: count - 1 };
  if (Object.hasOwn(ends, key)) return ends[key];
  return Object.hasOwn(moves, key) ? Math.max(0, Math.min(count - 1, position + moves[key])) : null;
}

/** Thousandths of a probability as a whole per cent that never rounds up to certainty or down to none. */
export function formatThousandths(n) {
  if (n > 0 && n < 10) return "<1 %";
  if (n > 990 && n < 1000) return ">99 %";
  return `${Math.round(n / 10)} %`;
}

/** Points (place on the axis 0…1, bits) as a path in a box of `width` × `height` whose top is `most` bits. */
export function curvePath(points, most, width, height) {
  return points.map(([x, bits], i) =>
    `${i ? "L" : "M"}${(x * width).toFixed(1)} ${(height * (1 - bits / most)).toFixed(1)}`).join("");
}
