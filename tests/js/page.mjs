// Just enough of a page for parts of the scrubber to be tested without a browser: elements with classes and children.

class Element {
  constructor(tag) {
    Object.assign(this, { tag, children: [], dataset: {}, attributes: {}, hidden: false, title: "", text: "", classes: new Set() });
    this.style = { setProperty: (name, value) => (this.style[name] = value) };
    this.classList = {
      add: (name) => this.classes.add(name),
      remove: (name) => this.classes.delete(name),
      contains: (name) => this.classes.has(name),
      toggle: (name, on = !this.classes.has(name)) => (this.classes[on ? "add" : "delete"](name), on),
    };
  }
  set className(names) { this.classes = new Set(names.split(" ").filter(Boolean)); }
  get className() { return [...this.classes].join(" "); }
  set textContent(text) { Object.assign(this, { text, children: [] }); }
  get textContent() { return this.text + this.children.map((child) => child.textContent ?? child).join(""); }
  get lastChild() { return this.children.at(-1); }
  append(...children) { this.children.push(...children); }
  appendChild(child) { this.children.push(child); return child; }
  replaceChildren(...children) { Object.assign(this, { children, text: "" }); }
  setAttribute(name, value) { this.attributes[name] = String(value); }
  removeAttribute(name) { delete this[name]; }
  focus() { globalThis.document.activeElement = this; }
  find(name) { return this.classes.has(name) ? this : this.children.map((child) => child.find?.(name)).find(Boolean); }
}

/** A hub over a page that has every selector, each an element of its own. */
export function fakeHub(trace, state = {}) {
  const listeners = new Map();
  globalThis.document = {
    createElement: (tag) => new Element(tag),
    createElementNS: (_, tag) => new Element(tag),
    addEventListener: (name, act) => listeners.set(name, act),
    removeEventListener: (name) => listeners.delete(name),
  };
  const elements = new Map();
  const $ = (selector) => elements.get(selector) ?? elements.set(selector, new Element("div")).get(selector);
  const said = [];
  const hub = {
    $, $$: () => [], box: new Element("section"), trace, data: { trace }, said,
    state: { k: 0, a: "prefix", b: "jpeg", view: "picture", ...state },
    compares: () => hub.state.view === "split",
    commit: () => said.push(["commit", hub.state.k]),
    move: (k) => (hub.state.k = k),
    pause: () => said.push(["pause"]),
    layout: () => {},
    render: () => {},
    play: () => said.push(["play"]),
    ask: (...told) => said.push(["ask", ...told]),
    act: (name) => said.push(["act", name]),
    press: (key) => {
      const event = { key, preventDefault: () => (event.stopped = true), stopPropagation: () => {} };
      listeners.get("keydown")?.(event);
      listeners.get("keyup")?.(event);
      return Boolean(event.stopped);
    },
  };
  return hub;
}
