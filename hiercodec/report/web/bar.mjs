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
    hub.move(nearestStep(hub.trace.steps, placeIn(track, event)));
  }, hub.commit);
  onKeys(track, (key) => (key === " " ? hub.toggle : target(key) !== null && (() => (hub.pause(), hub.move(target(key))))));
  track.onkeyup = (event) => target(event.key) !== null && hub.commit(); // a held key commits once

  function build() {
    const { steps, parts, stops, size, ruler } = hub.trace;
    track.setAttribute("aria-valuemax", steps.length - 1);
    $(".parts").replaceChildren(...parts.map(([name, left, width]) =>
      make("div", "part", "", { left: percent(left), width: percent(width), "--colour": colourOf(hub.trace, name) })));
    $(".ticks").replaceChildren(...steps.map((step) => make("i", "", "", { left: percent(step.at) })));
    $(".ruler .cell").replaceChildren(...ruler.map(([at, text]) => make("span", "", text, { left: percent(at) })));
    $(".notches .cell").replaceChildren(...stops.map(([name, index, title]) => {
      const style = { left: percent(steps[index].at), "--colour": colourOf(hub.trace, name) };
      const notch = make("button", name === "z" ? "notch z" : "notch", name === "z" ? "z" : "", style);
      Object.assign(notch, { type: "button", title, onclick: () => hub.jump(index) });
      if (name !== "z") notch.append(nameOf(hub.trace, name));
      return notch;
    }), ...stops.filter(([name]) => name === "z").map(([, index]) =>
      Object.assign(helpOn("z"), { style: `left: calc(${percent(steps[index].at)} + 1.5em)` })));
    $("[data-note=file]").textContent = size;
  }

  function render(step) {
    box.style.setProperty("--at", step.at);
    track.setAttribute("aria-valuenow", hub.state.k);
    track.setAttribute("aria-valuetext", step.said);
  }

  return { build, render };
}
