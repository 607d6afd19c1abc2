// The scrubber's arithmetic, free of the page so that `node --test` can check it.
// A step is {bytes, bpp, psnr, level, fraction, top: {level: [[index, label, p], …]}, consistent}, as in Trace.to_json.

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

/** Where PageUp and PageDown stop: the first step (z) and the step at which each level is complete. */
export function levelStops(steps, cuts) {
  const ends = Object.entries(cuts).map(([name, cut]) => ({ name, index: steps.findIndex((step) => step.bytes >= cut) }));
  return [{ name: "z", index: 0 }, ...ends.filter(({ index }) => index >= 0)];
}

/** The position a key leads to, or null if the key is not ours. */
export function keyTarget(key, position, count, stops) {
  const indexes = stops.map((stop) => stop.index);
  const targets = {
    ArrowRight: position + 1,
    ArrowUp: position + 1,
    ArrowLeft: position - 1,
    ArrowDown: position - 1,
    Home: 0,
    End: count - 1,
    PageUp: indexes.find((index) => index > position) ?? count - 1,
    PageDown: indexes.findLast((index) => index < position) ?? 0,
  };
  return Object.hasOwn(targets, key) ? Math.max(0, Math.min(count - 1, targets[key])) : null;
}

/** The file's parts as [{name, start, end}], in file order. */
export function segments(parts) {
  let start = 0;
  return Object.entries(parts).map(([name, size]) => {
    const segment = { name, start, end: start + size };
    start += size;
    return segment;
  });
}

/** How many bytes of each part are within the first `bytes` of the file; they add up to `bytes`. */
export function received(parts, bytes) {
  const within = ({ start, end }) => Math.max(0, Math.min(bytes, end) - start);
  return segments(parts).map((part) => ({ name: part.name, size: part.end - part.start, got: within(part) }));
}

/** Stretches of steps in which one level keeps its winner: [{from, to (inclusive), group, label}]. */
export function runs(steps, level) {
  const found = [];
  steps.forEach((step, i) => {
    const first = step.top[level]?.[0];
    if (!first) return;
    const open = found[found.length - 1];
    if (open && open.group === first[0] && open.to === i - 1) open.to = i;
    else found.push({ from: i, to: i, group: first[0], label: first[1] });
  });
  return found;
}

/** First step from which the level's winner is in `answers` (or is the last step's winner) for good; -1 if never. */
export function settledFrom(steps, level, answers) {
  const stretches = runs(steps, level);
  if (!stretches.length) return -1;
  const right = answers?.length ? answers : [stretches[stretches.length - 1].group];
  const wrong = stretches.findLastIndex(({ group }) => !right.includes(group));
  return stretches[wrong + 1]?.from ?? -1;
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

/** One sentence on a step, for the slider's value text and the live region. */
export function sentence(trace, position) {
  const step = trace.steps[position];
  const answers = Object.entries(step.top)
    .filter(([, top]) => top.length)
    .map(([level, top]) => `${level} ${top[0][1]} ${formatPercent(top[0][2])}`);
  const quality = step.psnr === null ? "identical to the original" : `${step.psnr.toFixed(1)} decibels`;
  return [`Step ${position + 1} of ${trace.steps.length}`, formatBytes(step.bytes).replace("kB", "kilobytes"), quality, ...answers].join(", ");
}

/** Absolute difference of two RGBA pictures, worst channel times `gain`, coloured by `lut` (256 × [r, g, b]). */
export function difference(a, b, gain, lut) {
  const out = new Uint8ClampedArray(a.length);
  for (let i = 0; i < a.length; i += 4) {
    const worst = Math.max(Math.abs(a[i] - b[i]), Math.abs(a[i + 1] - b[i + 1]), Math.abs(a[i + 2] - b[i + 2]));
    const [red, green, blue] = lut[Math.min(255, worst * gain)];
    out[i] = red;
    out[i + 1] = green;
    out[i + 2] = blue;
    out[i + 3] = 255;
  }
  return out;
}

/** 256 colours between the given hex stops. */
export function ramp(stops) {
  const channels = stops.map((hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));
  return Array.from({ length: 256 }, (_, i) => {
    const at = (i / 255) * (channels.length - 1);
    const low = Math.min(channels.length - 2, Math.floor(at));
    return channels[low].map((value, c) => Math.round(value + (channels[low + 1][c] - value) * (at - low)));
  });
}
