// Playing through the file, step by step or as its bytes would arrive over a link.

import { stepWithin } from "./steps.mjs";

export function createPlayer(hub) {
  const { $ } = hub;
  const button = $("[data-do=play]");
  const calm = globalThis.matchMedia("(prefers-reduced-motion: reduce)");
  let timer = null;

  function pause(clock = "") {
    clearTimeout(timer);
    timer = null;
    $(".clock").textContent = clock;
    button.classList.remove("playing");
    button.setAttribute("aria-label", "Play");
  }

  /** Play by steps ("s3": three a second) or as the bytes would arrive over a link ("b2400": 2400 bit/s). */
  function play() {
    const { steps, file_bytes: all } = hub.trace;
    const last = steps.length - 1;
    const pace = $("[data-pace]").value;
    const bits = pace === "typed" ? Math.max(1, Number($(".typed input").value)) : pace[0] === "b" ? Number(pace.slice(1)) : 0;
    // Those who asked for less motion get at most one change a second.
    const wait = bits ? 50 : Math.max(calm.matches ? 1000 : 0, 1000 / Number(pace.slice(1)));
    if (hub.state.k >= last) hub.move(0);
    const began = performance.now() - (bits && (8000 * steps[hub.state.k].bytes) / bits);
    const tick = () => {
      const seconds = (performance.now() - began) / 1000;
      const clock = bits ? `${seconds.toFixed(1)} s of ${((8 * all) / bits).toFixed(1)} s` : "";
      hub.move(bits ? Math.max(hub.state.k, stepWithin(steps, (seconds * bits) / 8)) : hub.state.k + 1);
      $(".clock").textContent = clock;
      if (hub.state.k < last) timer = setTimeout(tick, wait);
      else {
        pause(clock);
        hub.commit();
      }
    };
    button.classList.add("playing");
    button.setAttribute("aria-label", "Pause");
    timer = setTimeout(tick, wait);
  }

  $("[data-pace]").onchange = (event) => {
    $(".typed").hidden = event.target.value !== "typed";
    pause();
  };

  return { pause, play, get playing() { return timer !== null; } };
}
