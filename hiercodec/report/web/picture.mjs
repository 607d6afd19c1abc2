// The picture: one prefix, two sides with a divider, their difference, or where the bits went; zoomed and panned.

import { draggable, make, onKeys, percent, placeIn } from "./dom.mjs";
import { bitSquares, difference } from "./pixels.mjs";

const GAIN = 4; // how much the difference view exaggerates
const CELL = 16; // pixels a side of a latent position

export function createPicture(hub) {
  const { $, $$, state } = hub;
  const [stage, handle] = [$(".stage"), $(".handle")];
  const canvas = { a: $("canvas.a"), b: $("canvas.b") };
  const frame = (id, row, index) => globalThis.hiercodecFrames?.get(id)?.get(row)?.[index];
  const words = (point) => `${point.size} · ${point.blank ? "blank" : point.quality}`;

  /** One side: {bitmap, text, answers, first}, or {text, waiting, short} where there is nothing to show. */
  function source(name) {
    const { trace, data: { rival, id }, state: { k, pin } } = hub;
    const { steps, lanes, original } = trace;
    if (name === "original") return { bitmap: frame(id, "original", 0), text: "original", answers: original };
    if (name === "prefix") {
      const first = Object.fromEntries(lanes.map((lane) => [lane.level, lane.first]));
      return { bitmap: frame(id, "frames", k), text: words(steps[k]), answers: steps[k].answers, first };
    }
    if (name === "pin") return { bitmap: frame(id, "frames", pin), text: `pinned ${words(steps[pin])}`, answers: steps[pin].answers };
    const called = hub.data.sources.find(([key]) => key === name)?.[1].replace(/,.*/, "") ?? name;
    if (rival?.codec !== name) return { text: called, waiting: "being computed …", short: "…" };
    const point = rival.points[k];
    const waiting = `not so small: ${rival.smallest} at least`;
    if (!point) return { text: rival.label, waiting, short: "no file so small", first: rival.first };
    return { bitmap: frame(rival.id, "frames", point.frame), text: `${rival.label} ${words(point)}`, answers: point.answers, first: rival.first };
  }

  function paint(target, { bitmap }) {
    const pen = target.getContext("2d", { willReadFrequently: true });
    if (bitmap) pen.drawImage(bitmap, 0, 0, target.width, target.height);
    else pen.clearRect(0, 0, target.width, target.height);
    return pen;
  }

  /** Where the bits went: over the veiled picture a square for every latent position. */
  function drawBits(pen) {
    const map = frame(hub.data.id, "bits", 0); // the grids of all steps, one under the other
    if (!map) return;
    const high = map.height / hub.trace.steps.length;
    const reader = new OffscreenCanvas(map.width, high).getContext("2d", { willReadFrequently: true });
    reader.drawImage(map, 0, -state.k * high);
    pen.fillStyle = "rgb(10 14 20 / 55%)";
    pen.fillRect(0, 0, canvas.a.width, canvas.a.height);
    const positions = reader.getImageData(0, 0, map.width, high).data;
    for (const { x, y, side, shade } of bitSquares(positions, map.width, CELL, hub.data.most)) {
      pen.fillStyle = `rgb(${hub.data.lut[shade]})`;
      pen.fillRect(x, y, side, side);
    }
  }

  function drawDifference(left, right) {
    const { width, height } = canvas.a;
    const [one, other] = [left, right].map((pen) => pen.getImageData(0, 0, width, height).data);
    left.putImageData(new ImageData(difference(one, other, GAIN, hub.data.lut), width, height), 0, 0);
  }

  function scaleOf(view) {
    const { most } = hub.data;
    if (view === "bits") return [0, Math.round(most / 4), `${most} bits a position`];
    return [0, Math.round(127 / GAIN), `${Math.round(255 / GAIN)}+ of 255`];
  }

  function render() {
    const { view } = state;
    const alone = !hub.compares();
    const a = source(alone ? "prefix" : state.a);
    const b = alone ? { text: "" } : source(state.b);
    const [left, right] = [paint(canvas.a, a), paint(canvas.b, b)];
    if (view === "difference" && a.bitmap && b.bitmap) drawDifference(left, right);
    if (view === "bits") drawBits(left);
    $(".scale p").replaceChildren(...scaleOf(view).map((text) => make("span", "", text)));
    $(".scale").hidden = view !== "bits" && view !== "difference";
    canvas.b.hidden = handle.hidden = view !== "split";
    $(".pair").hidden = alone;
    const tags = { picture: a.text, bits: `bits so far · ${a.text}`, split: `A · ${a.text}`, difference: `${a.text} against ${b.text}` };
    $(".tag.left").textContent = tags[view];
    $(".tag.right").textContent = view === "split" ? `B · ${b.text}` : "";
    const waiting = [a, b].find((side) => side.waiting);
    $(".waiting").textContent = waiting ? `${waiting.text}: ${waiting.waiting}` : "";
    $(".waiting").hidden = !waiting;
    canvas.a.setAttribute("aria-label", `${hub.hall?.asking ? "What is it?" : hub.data.alt}. ${hub.step().said}`);
    layout();
  }

  function layout() {
    const { clientWidth: w, clientHeight: h } = stage;
    if (!w || !hub.data) return;
    const { width, height } = hub.trace;
    const fit = Math.min(w / width, h / height);
    const scale = state.zoom || fit;
    const clamp = (value, space, size) => {
      const reach = Math.max(0, (size * scale - space) / 2);
      return Math.max(-reach, Math.min(reach, value));
    };
    [state.x, state.y] = [clamp(state.x, w, width), clamp(state.y, h, height)];
    const [left, top] = [(w - width * scale) / 2 + state.x, (h - height * scale) / 2 + state.y];
    $(".pan").style.cssText = `width:${width * scale}px;height:${height * scale}px;transform:translate(${left}px,${top}px)`;
    const cut = Math.max(0, Math.min(1, (state.split * w - left) / (width * scale)));
    canvas.b.style.clipPath = `inset(0 0 0 ${percent(cut)})`;
    handle.style.left = percent(state.split);
    handle.setAttribute("aria-valuenow", Math.round(100 * state.split));
    stage.classList.toggle("movable", scale > fit * 1.001);
  }

  function build() {
    const { width, height } = hub.trace;
    for (const one of [canvas.a, canvas.b]) Object.assign(one, { width, height });
  }

  /** The choices for sides A and B. */
  function options() {
    const pinned = state.pin === null ? [] : [["pin", `pinned, ${hub.trace.steps[state.pin].size}`]];
    const all = [["prefix", "this prefix"], ["original", "the original"], ...pinned, ...hub.data.sources];
    for (const select of $$("[data-source]")) {
      select.replaceChildren(...all.map(([value, text]) => Object.assign(make("option", "", text), { value })));
      select.value = state[select.dataset.source];
    }
  }

  function divide(at) {
    state.split = Math.max(0, Math.min(1, at));
    layout();
  }

  function pan(x, y) {
    Object.assign(state, { x, y });
    layout();
  }

  draggable(handle, (event) => divide(placeIn(stage, event)));
  let held = null;
  draggable(stage, (event, start) => {
    if (event === start) held = { x: state.x, y: state.y };
    pan(held.x + event.clientX - start.clientX, held.y + event.clientY - start.clientY);
  });
  onKeys(handle, (key) => ({
    ArrowLeft: () => divide(state.split - 0.05), ArrowRight: () => divide(state.split + 0.05), Home: () => divide(0), End: () => divide(1),
  })[key]);
  onKeys(stage, (key) => ({
    ArrowLeft: () => pan(state.x + 40, state.y), ArrowRight: () => pan(state.x - 40, state.y), ArrowUp: () => pan(state.x, state.y + 40),
    ArrowDown: () => pan(state.x, state.y - 40), 1: () => divide(0), 2: () => divide(0.5), 3: () => divide(1),
  })[key]);

  return { build, layout, options, render, source };
}
