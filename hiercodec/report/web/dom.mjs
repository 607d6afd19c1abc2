// Small things every part of the scrubber needs of the page.

const GLYPHS = ["●", "◆", "▲", "■", "✚", "★"];

export const percent = (share) => `${100 * share}%`;

/** An element; text goes in as text, never as HTML: labels come from files. */
export function make(tag, className, text = "", style = {}) {
  const element = Object.assign(document.createElement(tag), { className, textContent: text });
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
  return element;
}

/** The same of a drawing. */
export function svg(tag, attributes, stroke = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (stroke) element.style.setProperty("stroke", stroke); // a style attribute would be refused where no page may have one
  return element;
}

/** A level's colour, by its place in the trace; z and the header share one. */
export function colourOf(trace, level) {
  const index = trace.levels.indexOf(level);
  return `var(${index < 0 ? "--container" : `--level-${index}`})`;
}

/** A level's sign and what the page calls it. */
export function nameOf(trace, level) {
  const name = make("span", "name");
  name.append(make("b", "", GLYPHS[trace.levels.indexOf(level) % GLYPHS.length]), ` ${trace.names[level]}`);
  return name;
}

/** A "?" that says what a term means; a click opens it, the next or Escape closes it. */
export function helpOn(term) {
  const button = make("button", "help", "?");
  Object.assign(button, { type: "button", ariaLabel: `What is ${term}?` });
  button.dataset.help = term;
  return button;
}

/** Where in an element an event lies, from its left edge (0) to its right one (1). */
export function placeIn(element, event) {
  const { left, width } = element.getBoundingClientRect();
  return Math.max(0, Math.min(1, (event.clientX - left) / width));
}

/** Drags on one element: `onMove(event, start)` from press to release or cancel, then `onEnd()` once. */
export function draggable(element, onMove, onEnd = () => {}) {
  element.ondragstart = (event) => event.preventDefault();
  element.onpointerdown = (start) => {
    if (start.button !== 0 || !start.isPrimary) return;
    start.preventDefault(); // a press that selected text would make the browser drag that text at the next press
    element.focus({ preventScroll: true }); // which the line above keeps the browser from doing
    element.setPointerCapture(start.pointerId);
    element.onpointermove = (event) => event.pointerId === start.pointerId && onMove(event, start);
    element.onlostpointercapture = () => { // however it ends: a cancelled drag stays where it was seen last
      element.onpointermove = element.onlostpointercapture = null;
      onEnd();
    };
    onMove(start, start);
  };
}

/** Keys of one element: name → action. Streamlit has shortcuts of its own on the document, so ours stop here. */
export function onKeys(element, find) {
  element.onkeydown = (event) => {
    const action = event.target === element && find(event.key);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
}
