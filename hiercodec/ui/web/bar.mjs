// The file bar: the blocks of the file, a tick a step, notches where blocks end, and the mark that is dragged.

import { colourOf, draggable, helpOn, make, nameOf, onKeys, percent, placeIn } from "./dom.mjs";
import { keyTarget, nearestStep } from "./steps.mjs";

export function createBar(hub) {
  const { $, box } = hub;
  const track = $(".track");
  const count = () => hub.trace.steps.length;
  const target = (key) => keyTarget(key, hub.state.k, count(), hub.trace.stops.map(([, index]) => index));

  draggable(track, (event) => {
    hub.pause();
    hub.move(nearestStep(hub.trace.steps, placeIn(track, event), hub.trace.file_bytes));
  }, hub.commit);
  onKeys(track, (key) => (key === " " ? hub.toggle : target(key) !== null && (() => (hub.pause(), hub.move(target(key))))));
  track.onkeyup = (event) => target(event.key) !== null && hub.commit(); // a held key commits once

  function build() {
    const { file_bytes, steps, parts, stops, size } = hub.trace;
    const share = (bytes) => percent(bytes / file_bytes);
    track.setAttribute("aria-valuemax", steps.length - 1);
    $(".parts").replaceChildren(...parts.map(([name, start, end]) =>
      make("div", "part", "", { left: share(start), width: share(end - start), "--colour": colourOf(hub.trace, name) })));
    $(".ticks").replaceChildren(...steps.map((step) => make("i", "", "", { left: share(step.bytes) })));
    $(".notches .cell").replaceChildren(...stops.map(([name, index, title]) => {
      const style = { left: share(steps[index].bytes), "--colour": colourOf(hub.trace, name) };
      const notch = make("button", "notch", name === "z" ? "z" : "", style);
      Object.assign(notch, { type: "button", title, onclick: () => hub.jump(index) });
      if (name !== "z") notch.append(nameOf(hub.trace, name));
      return notch;
    }), Object.assign(helpOn("z"), { style: `left: calc(${share(steps[stops[0]?.[1] ?? 0].bytes)} + 1.5em)` }));
    $("[data-note=file]").textContent = size;
  }

  function render(step) {
    box.style.setProperty("--at", step.bytes / hub.trace.file_bytes);
    track.setAttribute("aria-valuenow", hub.state.k);
    track.setAttribute("aria-valuetext", step.said);
  }

  return { build, render };
}
