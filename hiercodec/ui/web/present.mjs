// Present: full screen and large type for a hall; every key drives the file, as a clicker sends them. On a page that holds
// nothing else (`data.alone`) they drive it always, but for those that a control in focus needs itself.

import { clickerTarget } from "./steps.mjs";

const OWN_KEYS = "input, select, .stage, .handle";

export function createPresent(hub) {
  const { $, box } = hub;
  const button = $("[data-do=present]");
  const on = () => box.classList.contains("present");
  const drives = ({ key, target }) => on() || (hub.data?.alone && !target.closest(key === " " ? `${OWN_KEYS}, button, a` : OWN_KEYS));

  function enter() {
    box.classList.add("present");
    button.setAttribute("aria-pressed", true);
    box.requestFullscreen?.().catch(() => {}); // where it is refused, the page itself is covered
    $(".track").focus({ preventScroll: true });
    hub.layout();
  }

  function leave() {
    if (!on()) return;
    box.classList.remove("present");
    button.setAttribute("aria-pressed", false);
    if (document.fullscreenElement) document.exitFullscreen();
    button.focus({ preventScroll: true });
    hub.layout();
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !drives(event)) return;
    const target = clickerTarget(event.key, hub.state.k, hub.trace.steps.length);
    const leaves = event.key === "Escape" && on();
    if (target === null && !leaves) return;
    event.preventDefault();
    event.stopPropagation();
    if (leaves) leave();
    else {
      hub.pause();
      hub.move(target);
    }
  }

  /** A held key commits once, when it is let go. */
  function released(event) {
    if (drives(event) && clickerTarget(event.key, 0, 2) !== null) hub.commit();
  }

  const changed = () => !document.fullscreenElement && leave();
  document.addEventListener("keydown", pressed, true);
  document.addEventListener("keyup", released, true);
  document.addEventListener("fullscreenchange", changed);

  function destroy() {
    document.removeEventListener("keydown", pressed, true);
    document.removeEventListener("keyup", released, true);
    document.removeEventListener("fullscreenchange", changed);
  }

  return { destroy, toggle: () => (on() ? leave() : enter()) };
}
