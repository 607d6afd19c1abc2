// The scrubber: picture, meaning and bytes of one trace, moved in the page without asking the server.
// The app shows it as a component (app_scrubber.mjs), the page to take away shows it alone (takeaway.mjs).
// Its parts share one hub: what the server sent (`data`, `trace`), where we stand (`state`), and how to move.
// data: {id, alt, trace, k, seek, look, look_at, lut, most, sources, rival, finer, help}; `trace` is made by
//   hiercodec/report/numbers.py, `rival` by hiercodec/ui/explore/rivals.py.
//   `k` is obeyed when `seek` or `id` changes; our own moves go out once, on release, as state "k".
//   `look` is obeyed when the page opens and when a lesson changes it; it goes out as state "look" when the view changes.
//   `look_at` names the part that a lesson is about.

import { createAnswers } from "./answers.mjs";
import { createBar } from "./bar.mjs";
import { createHall } from "./hall.mjs";
import { createLanes } from "./lanes.mjs";
import { createMap } from "./map.mjs";
import { createPicture } from "./picture.mjs";
import { createPlayer } from "./player.mjs";
import { createPresent } from "./present.mjs";
import { blockAt } from "./steps.mjs";

/** A scrubber in `root`: `update({data, setStateValue, setTriggerValue})` draws it, `destroy()` ends it. */
export function createScrubber(root) {
  const $ = (selector) => root.querySelector(selector);
  const $$ = (selector) => [...root.querySelectorAll(selector)];
  const [box, stage] = [".hx", ".stage"].map($);
  const state = { k: 0, committed: 0, view: "picture", a: "prefix", b: "original", pin: null, split: 0.5, zoom: 0, pace: "", x: 0, y: 0 };
  let [send, ask] = [() => {}, () => {}];
  const ours = new Set(); // looks that went out from here: one that comes back late is no wish, for we may have moved on
  const hub = {
    $, $$, box, state, data: null, trace: null, move, commit, jump, render, step,
    act: (name) => actions[name]($(`[data-do=${name}]`)),
    ask: (...told) => ask(...told),
    ended: () => hub.hall.ended(),
    paced: () => dress({ pace: player.pace }),
    play: () => player.play(),
    compares: () => state.view === "split" || state.view === "difference",
    layout: () => (picture.layout(), lanes.layout()),
    pause: () => player.pause(),
    source: (name) => picture.source(name),
    toggle: () => (player.playing ? jump(state.k) : player.play()),
  };
  const [player, picture, answers, bar, lanes, map, present] =
    [createPlayer, createPicture, createAnswers, createBar, createLanes, createMap, createPresent].map((create) => create(hub));
  hub.hall = createHall(hub);
  const last = () => hub.trace.steps.length - 1;
  const block = () => blockAt(hub.trace.cuts, hub.trace.steps[state.k].bytes);

  // ---- what the server sends ---------------------------------------------------------------------------------------
  function update(component) {
    const [first, fresh] = [hub.data === null, component.data.id !== hub.data?.id];
    const told = fresh || component.data.seek !== hub.data.seek;
    const taught = component.data.strip !== hub.data?.strip;
    const dressed = first || (told && component.data.look !== hub.data.look && (taught || !ours.has(component.data.look)));
    [send, ask] = [component.setStateValue, component.setTriggerValue];
    Object.assign(hub, { data: component.data, trace: component.data.trace });
    if (fresh) for (const side of ["a", "b"]) if (state[side] === "pin") state[side] = "original";
    if (fresh) state.pin = null;
    if (told) {
      player.pause();
      state.k = state.committed = Math.max(0, Math.min(last(), hub.data.k));
    }
    if (fresh) for (const part of [picture, bar, answers, lanes, map]) part.build();
    if (dressed) wear(hub.data.look);
    box.dataset.lookAt = hub.data.look_at ?? "";
    box.classList.toggle("taught", Boolean(hub.data.strip));
    $(".strip").textContent = hub.data.strip ?? "";
    $("[data-do=vote]").hidden = !hub.data.votable;
    $("[data-do=rival]").hidden = !rival();
    $("[data-do=rival]").lastChild.textContent = rival()?.[1].replace(/,.*/, "") ?? "";
    picture.options();
    render();
    if (fresh) lanes.layout();
    hub.hall.follow();
  }

  /** Take on the look an address asks for: view, sides A and B, zoom; what does not exist counts as nothing. */
  function wear(look) {
    const [view, a, b, zoom, pace = ""] = look.split(",");
    const known = ["prefix", "original", ...hub.data.sources.map(([key]) => key)];
    if ($$("[data-view]").some((label) => label.dataset.view === view)) state.view = view;
    for (const [side, name] of [["a", a], ["b", b]]) if (known.includes(name)) state[side] = name;
    if (["1", "2", "4"].includes(zoom)) state.zoom = Number(($("[data-zoom]").value = zoom));
    player.wear((state.pace = pace));
    $(`[data-view=${state.view}] input`).checked = true;
    if (hub.compares()) need(state.b);
  }

  /** The format that stands beside the codec at a key: the one looked at last, else AVIF, else any. */
  function rival() {
    const { sources } = hub.data;
    return sources.find(([key]) => key === state.b) ?? sources.find(([key]) => key === "avif") ?? sources[0];
  }

  function need(name) {
    if (hub.data.sources.some(([key]) => key === name) && hub.data.rival?.codec !== name) send("codec", name);
  }

  /** Where it stands, without its answers in words while the hall is asked for them. */
  function step() {
    const here = hub.trace.steps[state.k];
    return hub.hall.asking ? { ...here, said: here.size } : here;
  }

  function render() {
    const begin = performance.now();
    for (const part of [picture, answers, bar, lanes, map]) part.render(step());
    const beside = hub.compares() && hub.data.sources.some(([key]) => key === state.b);
    $("[data-do=rival]").setAttribute("aria-pressed", beside);
    $("[data-do=finer]").setAttribute("aria-pressed", hub.data.finer === block());
    Object.assign(box.dataset, { k: state.k, id: hub.data.id });
    box.dataset.renderMs = (performance.now() - begin).toFixed(2);
  }

  // ---- moving --------------------------------------------------------------------------------------------------------
  function move(k) {
    if (k === state.k) return;
    state.k = k;
    render();
  }

  function commit() {
    $(".live").textContent = step().said;
    if (state.k !== state.committed) send("k", (state.committed = state.k));
  }

  function jump(k) {
    player.pause();
    move(Math.max(0, Math.min(last(), k)));
    commit();
  }

  /** The look has changed: draw it, and tell the address. */
  function dress(change) {
    Object.assign(state, change);
    $(`[data-view=${state.view}] input`).checked = true;
    if (hub.compares()) need(state.b);
    render();
    const look = [state.view, state.a, state.b, state.zoom, ...(state.pace ? [state.pace] : [])].join();
    ours.add(look);
    send("look", look);
  }

  const actions = {
    first: () => jump(0),
    back: () => jump(state.k - 1),
    forward: () => jump(state.k + 1),
    last: () => jump(Infinity),
    play: () => hub.toggle(),
    finer: (button) => ask("finer", button.getAttribute("aria-pressed") === "true" ? "" : block()),
    pin: () => {
      Object.assign(state, { pin: state.k, b: "pin" });
      picture.options();
      dress({ view: state.view === "difference" ? state.view : "split" });
    },
    pixels: (button) => button.setAttribute("aria-pressed", stage.classList.toggle("pixels")),
    next: () => ask("next", true),
    rival: (button) => dress(button.getAttribute("aria-pressed") === "true" ? { view: "picture" } : { view: "split", a: "prefix", b: rival()[0] }),
    vote: () => (hub.hall.on ? hub.hall.leave() : (present.enter(), hub.hall.begin())),
    blank: () => box.classList.add("blank"),
    present: () => present.toggle(),
  };
  for (const button of $$("[data-do]")) button.onclick = () => actions[button.dataset.do](button);
  for (const radio of $$("[data-view] input")) radio.onchange = () => dress({ view: radio.value });
  for (const select of $$("[data-source]")) {
    select.onchange = () => {
      need(select.value);
      dress({ [select.dataset.source]: select.value });
    };
  }
  $("[data-zoom]").onchange = (event) => dress({ zoom: Number(event.target.value) });

  /** What a "?" stands for, in a small window beside it. */
  box.addEventListener("click", ({ target }) => {
    const term = target.dataset?.help;
    if (!term) return;
    const tip = $(".tip");
    tip.textContent = hub.data.help[term];
    const { left, bottom } = target.getBoundingClientRect();
    tip.style.cssText = `left: ${Math.max(8, Math.min(left, innerWidth - 340))}px; top: ${Math.min(bottom + 6, innerHeight - 140)}px`;
    tip.showPopover();
  });

  const arrived = ({ detail }) => hub.data && [hub.data.id, hub.data.rival?.id].includes(detail.id) && picture.render();
  const resized = new ResizeObserver(() => hub.data && hub.layout());
  globalThis.addEventListener("hiercodec-frame", arrived);
  resized.observe(stage);

  return {
    update,
    destroy() {
      player.pause();
      present.destroy();
      hub.hall.destroy();
      resized.disconnect();
      globalThis.removeEventListener("hiercodec-frame", arrived);
    },
  };
}
