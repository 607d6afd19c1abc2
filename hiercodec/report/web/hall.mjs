// The vote of a hall, inside Present: the picture at a few sizes with the answers hidden ("ask"); then the file arrives and
// the answers fall ("fall"); then the hall's curve over the machine's ("curve"). What the server says of the room lies in
// globalThis.hiercodecHall (app_hall.mjs), with `press(action)` to answer.

import { make } from "./dom.mjs";
import { curvePath } from "./steps.mjs";

const FORTH = ["ArrowRight", "ArrowDown", "PageDown", " "];
const BACKWARD = ["ArrowLeft", "ArrowUp", "PageUp"];
const [BROAD, TALL] = [1000, 600];

export function createHall(hub) {
  const { $, box } = hub;
  const panel = $(".hall");
  let [phase, asked, left] = ["", null, false];
  const room = () => globalThis.hiercodecHall;

  function show(next) {
    phase = next;
    for (const name of ["ask", "fall", "curve"]) box.classList.toggle(`vote-${name}`, name === phase);
    panel.hidden = phase === "" || phase === "fall";
    $("[data-do=vote]").setAttribute("aria-pressed", phase !== "");
  }

  /** The server has said something: go where the room stands. */
  function follow() {
    const said = room();
    if (!said || said.id !== hub.data?.id) return phase && !said && close();
    if (left) return undefined;
    if (said.current !== null) {
      const question = `${said.round} ${said.current}`;
      if (phase !== "ask" || question !== asked) {
        hub.pause();
        show("ask");
        asked = question;
        hub.move(said.steps[said.current]);
      }
    } else if (phase === "ask" || phase === "") {
      asked = null;
      show("fall");
      hub.move(0);
      hub.play();
    }
    return draw(said);
  }

  function draw(said) {
    if (phase === "ask") panel.replaceChildren(...question(said));
    if (phase === "curve") panel.replaceChildren(...curves(said.end));
    hub.render();
    hub.layout();
  }

  /** The question, its choices with the figure that counts a raised hand, and how phones join. */
  function question({ questions, current, choices, votes, code, address, qr }) {
    const list = make("div", "choices");
    list.append(...choices.map((choice, i) => {
      const button = make("button", "");
      button.append(...(i < 10 ? [make("b", "", `${(i + 1) % 10}`), " "] : []), choice);
      return Object.assign(button, { type: "button", onclick: () => room().press(String(i)) });
    }));
    const join = make("div", "join");
    if (qr) join.append(Object.assign(make("img", ""), { src: qr, alt: `QR code of ${address}` }));
    const words = make("p", "");
    words.append(make("b", "", qr ? code : ""), make("span", "", address), make("strong", "votes", `${votes} ${votes === 1 ? "vote" : "votes"}`));
    join.append(words);
    return [make("h2", "", questions[current]), list, join];
  }

  function line(points, className) {
    const drawn = document.createElementNS("http://www.w3.org/2000/svg", "path");
    drawn.setAttribute("class", className);
    drawn.setAttribute("d", curvePath(points, 1, BROAD, TALL));
    return drawn;
  }

  /** How often hall and machine are right, against bytes; the same in words. */
  function curves({ title, hall, machine, ticks, lines, words }) {
    const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [name, value] of [["viewBox", `0 0 ${BROAD} ${TALL}`], ["preserveAspectRatio", "none"], ["aria-hidden", "true"]]) drawing.setAttribute(name, value);
    drawing.append(line([[0, 0.5], [1, 0.5]], "half"), line(machine, "machine"), line(hall, "people"));
    const plot = make("div", "plot");
    plot.append(drawing, ...hall.map(([x, y]) => make("i", "dot", "", { left: `${100 * x}%`, bottom: `${100 * y}%` })));
    plot.append(...ticks.map(([x, text]) => make("span", "tick", text, { left: `${100 * x}%` })));
    plot.append(make("span", "end high", "100 %"), make("span", "end low", "0"));
    const key = make("p", "key");
    key.append(make("b", "people", "● the hall"), " ", make("b", "machine", "― the machine"));
    const list = make("ul", "");
    list.append(...lines.map((text) => make("li", "", text)));
    const own = make("details", "");
    own.append(make("summary", "", "In people’s own words"), make("p", "", words));
    const again = Object.assign(make("button", "quiet", "Vote again"), { type: "button", onclick: () => room().press("again") });
    return [make("h2", "", title), key, plot, list, ...(words ? [own] : []), again];
  }

  function press(key) {
    if (key === "Escape") return leave();
    if (phase === "ask") return room().press(FORTH.includes(key) ? "on" : BACKWARD.includes(key) ? "back" : key === "Backspace" ? "undo" : String((Number(key) + 9) % 10));
    if (!BACKWARD.includes(key)) return ended();
    show("ask"); // at once, so that the next key is taken as one of a question
    return room().press("back");
  }

  /** All of the file has arrived, or nobody wants to wait for that. */
  function ended() {
    if (phase !== "fall") return;
    hub.pause();
    hub.move(hub.trace.steps.length - 1);
    show("curve");
    draw(room());
  }

  function close() {
    show("");
    asked = null;
    hub.render();
    hub.layout();
  }

  /** The lecturer has had enough. */
  function leave() {
    if (!phase) return;
    left = true; // until the server has heard of it, what it says is old
    hub.ask("vote", "off");
    close();
  }

  function begin() {
    left = false;
    hub.ask("vote", "on");
  }

  globalThis.addEventListener("hiercodec-hall", follow);
  return {
    begin,
    destroy: () => globalThis.removeEventListener("hiercodec-hall", follow),
    ended,
    follow,
    leave,
    press,
    get asking() { return phase === "ask"; },
    get on() { return phase !== ""; },
    takes: (key) => phase !== "" && (key === "Escape" || FORTH.includes(key) || BACKWARD.includes(key) || (phase === "ask" && (key === "Backspace" || /^\d$/.test(key)))),
  };
}
