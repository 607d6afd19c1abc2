// Playing through the file, step by step or as its bytes would arrive over a link.

import { stepWithin } from "./steps.mjs";

const PLAIN = "s3";

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

  /** Play by steps ("s3": three a second, the plain pace) or as the bytes would arrive over a link ("b2400": 2400 bit/s). */
  function play() {
    const { steps, file_bytes: all } = hub.trace;
    const last = steps.length - 1;
    const pace = named() || PLAIN;
    const bits = pace[0] === "b" ? Number(pace.slice(1)) : 0;
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
        hub.ended();
      }
    };
    button.classList.add("playing");
    button.setAttribute("aria-label", "Pause");
    timer = setTimeout(tick, wait);
  }

  /** The pace as an address names it; "" for the plain one. */
  function named() {
    const { value } = $("[data-pace]");
    return value === PLAIN ? "" : value === "typed" ? `b${Math.max(1, Math.round(Number($(".typed input").value)))}` : value;
  }

  /** Take on the pace that an address names. */
  function wear(pace) {
    const select = $("[data-pace]");
    const known = [...select.options].some((option) => option.value === pace);
    const typed = !known && /^b[1-9]\d{0,7}$/.test(pace);
    if (typed) $(".typed input").value = pace.slice(1);
    select.value = known ? pace : typed ? "typed" : PLAIN;
    $(".typed").hidden = !typed;
  }

  $("[data-pace]").onchange = $(".typed input").onchange = () => {
    $(".typed").hidden = $("[data-pace]").value !== "typed";
    pause();
    hub.paced();
  };

  return { pause, play, wear, get pace() { return named(); }, get playing() { return timer !== null; } };
}
