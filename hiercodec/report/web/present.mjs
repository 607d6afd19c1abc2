// Present: one view for a hall. The picture fills the screen, every key is a clicker's or one of LETTERS, and a vote of the
// hall runs inside it (hall.mjs). On a page that holds nothing else (`data.alone`) keys drive the file always, but for those
// that a control in focus needs itself.

import { clickerTarget } from "./steps.mjs";

const OWN_KEYS = "input, select, .stage, .handle";
const LETTERS = { n: "next", r: "rival", v: "vote", b: "blank" };

export function createPresent(hub) {
  const { $, box } = hub;
  const button = $("[data-do=present]");
  const on = () => box.classList.contains("present");

  /** Whether a key is for the file or the hall, and not for the control it was pressed on. */
  function drives(event) {
    const [key, pressed] = [event.key, event.composedPath?.()[0]]; // `target` names no more than the shadow root's host
    if (pressed?.closest?.("input[type=number]")) return false;
    if (on()) return !(key === " " && pressed?.closest?.("summary, .hall button"));
    return hub.data?.alone && !pressed?.closest?.(key === " " ? `${OWN_KEYS}, button, a` : OWN_KEYS);
  }

  function enter() {
    if (on()) return;
    box.classList.add("present");
    button.setAttribute("aria-pressed", true);
    box.requestFullscreen?.().catch(() => {}); // where it is refused, the page itself is covered
    $(".track").focus({ preventScroll: true });
    hub.layout();
  }

  function leave() {
    if (!on()) return;
    hub.hall?.leave();
    for (const name of ["present", "blank"]) box.classList.remove(name);
    button.setAttribute("aria-pressed", false);
    if (document.fullscreenElement) document.exitFullscreen();
    button.focus({ preventScroll: true });
    hub.layout();
  }

  /** What a key does here, or nothing. */
  function actionOf(key) {
    if (box.classList.contains("blank")) return () => box.classList.remove("blank"); // any key brings the picture back
    if (on() && hub.hall?.takes(key)) return () => hub.hall.press(key);
    if (on() && key === "Escape") return leave;
    if (on() && Object.hasOwn(LETTERS, key.toLowerCase())) return () => hub.act(LETTERS[key.toLowerCase()]);
    const target = clickerTarget(key, hub.state.k, hub.trace.steps.length);
    return target !== null && (() => (hub.pause(), hub.move(target)));
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !drives(event)) return;
    const action = actionOf(event.key);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  /** A held key commits once, when it is let go. */
  function released(event) {
    if (!drives(event) || clickerTarget(event.key, 0, 2) === null) return;
    event.stopPropagation(); // the bar has the focus, and commits by itself
    if (!hub.hall?.on) hub.commit();
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

  return { destroy, enter, toggle: () => (on() ? leave() : enter()) };
}
