// The scrubber: picture, meaning and bytes of one trace, moved in the page without asking the server.
// Joined after scrubber_logic.mjs (see hiercodec/ui/scrubber.py), whose functions it uses.
// data: {id, alt, trace, levels, answers, k, seek, ramp, sources, classical}
//   `k` is obeyed when `seek` or `id` changes; our own moves go out once, on release, as state "k".

const instances = new WeakMap();
const GLYPHS = ["●", "◆", "▲", "■", "✚", "★"];
const GAIN = 4; // how much the difference view exaggerates

export default function (component) {
  const { parentElement: root } = component;
  if (!instances.has(root)) instances.set(root, createScrubber(root));
  instances.get(root).update(component);
  return () => {
    instances.get(root)?.destroy();
    instances.delete(root);
  };
}

function createScrubber(root) {
  const $ = (selector) => root.querySelector(selector);
  const $$ = (selector) => [...root.querySelectorAll(selector)];
  const [box, track, stage, handle, playButton] = [".hx", ".track", ".stage", ".handle", "[data-do=play]"].map($);
  const canvas = { a: $("canvas.a"), b: $("canvas.b") };
  const calm = globalThis.matchMedia("(prefers-reduced-motion: reduce)");
  const s = { k: 0, committed: 0, view: "picture", a: "prefix", b: "original", pin: null, split: 0.5, zoom: 0, x: 0, y: 0 };
  let [data, send, stops, rows, timer] = [null, () => {}, [], [], null];

  const share = (bytes) => `${(100 * bytes) / data.trace.file_bytes}%`;
  const colourOf = (level) => (data.levels.includes(level) ? `var(--level-${data.levels.indexOf(level)})` : "var(--container)");

  /** An element; text goes in as text, never as HTML: labels come from files. */
  function make(tag, className, text = "", style = {}) {
    const element = Object.assign(document.createElement(tag), { className, textContent: text });
    for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
    return element;
  }

  function named(level) {
    const name = make("span", "name");
    name.append(make("b", "", GLYPHS[data.levels.indexOf(level)]), ` ${level}`);
    return name;
  }

  // ---- what the server sends ---------------------------------------------------------------------------------------
  function update(component) {
    const fresh = component.data.id !== data?.id;
    const told = fresh || component.data.seek !== data.seek;
    data = component.data;
    send = component.setStateValue;
    stops = levelStops(data.trace.steps, data.trace.cuts);
    const kept = (name, other) => (fresh && name === "pin" ? other : name);
    Object.assign(s, { a: kept(s.a, "prefix"), b: kept(s.b, "original"), pin: fresh ? null : s.pin });
    if (told) {
      pause();
      s.k = s.committed = Math.max(0, Math.min(data.trace.steps.length - 1, data.k));
    }
    if (fresh) build();
    buildOptions();
    render();
  }

  // ---- what depends on the trace but not on the position -------------------------------------------------------------
  function build() {
    const { trace, levels, answers } = data;
    const { steps } = trace;
    canvas.a.width = canvas.b.width = trace.width;
    canvas.a.height = canvas.b.height = trace.height;
    track.setAttribute("aria-valuemax", steps.length - 1);
    $(".parts").replaceChildren(...segments(trace.parts).map(({ name, start, end }) =>
      make("div", "part", "", { left: share(start), width: share(end - start), "--colour": colourOf(name) })));
    $(".ticks").replaceChildren(...steps.map((step) => make("i", "", "", { left: share(step.bytes) })));
    $(".notches .cell").replaceChildren(...stops.map(({ name, index }) => {
      const notch = make("button", "notch", "", { left: share(steps[index].bytes), "--colour": colourOf(name) });
      notch.type = "button";
      notch.title = `${name === "z" ? "z, the side information," : name} is complete at ${formatBytes(steps[index].bytes)}`;
      if (name === "z") notch.textContent = "z";
      else notch.append(named(name));
      notch.onclick = () => jump(index);
      return notch;
    }));
    const known = levels.some((level) => answers[level]?.length);
    $(".meaning-of-solid").textContent = known ? "a right answer" : "the answer of the whole file";
    $(".lanes").replaceChildren(...levels.filter((level) => steps[0].top[level]?.length).map(buildLane));
    $(".legend").hidden = !$(".lanes").childElementCount;
    rows = levels.map(buildRow);
    $(".path").replaceChildren(...rows.map((row) => row.element));
  }

  function buildOptions() {
    const pinned = s.pin === null ? [] : [["pin", `pinned, ${formatBytes(data.trace.steps[s.pin].bytes)}`]];
    const options = [["prefix", "this prefix"], ["original", "the original"], ...pinned, ...data.sources];
    for (const select of $$("[data-source]")) {
      select.replaceChildren(...options.map(([value, text]) => Object.assign(make("option", "", text), { value })));
      select.value = s[select.dataset.source];
    }
  }

  /** A level's lane: for every step a bar as high as its winner is likely, solid where the winner is right. */
  function buildLane(level) {
    const { steps, file_bytes: all } = data.trace;
    const known = data.answers[level] ?? [];
    const right = known.length ? known : [steps[steps.length - 1].top[level][0][0]];
    const until = (i) => steps[i + 1]?.bytes ?? all;
    const lane = make("div", "row lane", "", { "--colour": colourOf(level) });
    const cell = make("div", "cell");
    for (const [i, step] of steps.entries()) {
      const [group, , p] = step.top[level][0];
      const width = Math.max(until(i) - step.bytes, all * 0.004);
      const style = { left: share(step.bytes), width: share(width), height: `${100 * p}%` };
      cell.append(make("i", right.includes(group) ? "solid" : "other", "", style));
    }
    for (const run of runs(steps, level)) {
      const [start, end] = [steps[run.from].bytes, until(run.to)];
      const block = make("div", "run", "", { left: share(start), width: share(end - start) });
      block.title = `${run.label}, from ${formatBytes(start)}`;
      block.append(make("span", "", run.label));
      cell.append(block);
    }
    const from = settledFrom(steps, level, known);
    const once = steps.some((step) => right.includes(step.top[level][0][0]));
    const failed = once ? "✗ right, then wrong" : "✗ never right";
    const held = `${known.length ? "✓ right" : "▸ settled"} from ${formatBytes(steps[Math.max(0, from)].bytes)}`;
    const note = make("span", from < 0 ? "note wrong" : "note", from < 0 ? failed : held);
    lane.append(named(level), cell, note);
    return lane;
  }

  function buildRow(level) {
    const element = make("div", "level", "", { "--colour": colourOf(level) });
    const [head, answer, bar] = [make("p", "head"), make("p", "answer"), make("div", "bar")];
    const [arrived, label, mark, chance, rest] = ["arrived", "label", "mark", "chance", "rest"].map((name) => make("span", name));
    const slices = [0, 1, 2].map(() => bar.appendChild(make("i", "")));
    head.append(named(level), arrived);
    answer.append(label, mark, chance);
    element.append(head, answer, bar, rest);
    return { level, element, arrived, label, mark, chance, slices, rest };
  }

  // ---- what moves with the position ----------------------------------------------------------------------------------
  function render() {
    const begin = performance.now();
    const { trace } = data;
    const step = trace.steps[s.k];
    drawPicture();
    $(".bytes b").textContent = formatBytes(step.bytes);
    $(".bytes span").textContent = ` of ${formatBytes(trace.file_bytes)} · ${Math.round((100 * step.bytes) / trace.file_bytes)} %`;
    $("[data-number=bpp]").textContent = `${step.bpp.toFixed(3)} bit/pixel`;
    $("[data-number=psnr]").textContent = step.psnr === null ? "identical" : `${step.psnr.toFixed(1)} dB`;
    for (const row of rows) renderRow(row, step);
    const classified = rows.some((row) => step.top[row.level]?.length);
    $(".agreement").hidden = !classified;
    $(".agreement").classList.toggle("bad", !step.consistent);
    $(".timeline").style.setProperty("--at", step.bytes / trace.file_bytes);
    $("[data-note=file]").textContent = formatBytes(trace.file_bytes);
    const got = received(trace.parts, step.bytes).filter((part) => part.got > 0);
    const sum = got.map(({ name, size, got: n }) => `${name} ${n}${n === size ? "" : `/${size}`}`).join(" + ");
    $(".where").textContent = `${sum} = ${step.bytes} bytes`;
    track.setAttribute("aria-valuenow", s.k);
    track.setAttribute("aria-valuetext", sentence(trace, s.k));
    box.dataset.k = s.k;
    box.dataset.renderMs = (performance.now() - begin).toFixed(2);
  }

  function renderRow(row, step) {
    const top = step.top[row.level] ?? [];
    const arrived = blockShare(step, row.level, data.levels);
    const said = verdict(step, row.level, data.answers[row.level]);
    row.element.classList.toggle("pending", arrived < 1);
    row.arrived.textContent = arrived >= 1 ? "block complete" : arrived > 0 ? `${Math.round(100 * arrived)} % of its block` : "block not yet here";
    row.label.textContent = row.label.title = top[0]?.[1] ?? "not classified";
    row.chance.textContent = top.length ? formatPercent(top[0][2]) : "";
    row.mark.textContent = { right: "✓ right", wrong: "✗ wrong", unknown: "" }[said];
    row.mark.className = `mark ${said}`;
    for (const [i, slice] of row.slices.entries()) slice.style.width = `${100 * (top[i]?.[2] ?? 0)}%`;
    const others = top.slice(1).map(([, label, p]) => `${label} ${formatPercent(p)}`);
    row.rest.textContent = row.rest.title = others.length ? `then ${others.join(", ")}` : "";
  }

  /** One side of the picture: {bitmap, text}, or {text, waiting} where there is nothing to show. */
  function source(name) {
    const { trace, classical } = data;
    const picture = (id, row, index) => globalThis.hiercodecFrames?.get(id)?.get(row)?.[index];
    const words = ({ bytes, psnr }) => formatBytes(bytes) + (psnr === null ? "" : ` · ${psnr.toFixed(1)} dB`);
    if (name === "original") return { bitmap: picture(data.id, "original", 0), text: "original" };
    if (name === "prefix") return { bitmap: picture(data.id, "frames", s.k), text: words(trace.steps[s.k]) };
    if (name === "pin") return { bitmap: picture(data.id, "frames", s.pin), text: `pinned ${words(trace.steps[s.pin])}` };
    if (classical?.codec !== name) return { text: name, waiting: `${name}: being computed …` };
    const point = classical.points[s.k];
    const smallest = `${classical.label} cannot make a file this small; its smallest is ${formatBytes(classical.smallest)}.`;
    if (!point) return { text: classical.label, waiting: smallest };
    return { bitmap: picture(classical.id, "frames", point.frame), text: `${classical.label} ${words(point)}` };
  }

  function paint(target, { bitmap }) {
    const pen = target.getContext("2d", { willReadFrequently: true });
    if (bitmap) pen.drawImage(bitmap, 0, 0, target.width, target.height);
    else pen.clearRect(0, 0, target.width, target.height);
    return pen;
  }

  function drawPicture() {
    const [alone, differing] = [s.view === "picture", s.view === "difference"];
    const a = source(alone ? "prefix" : s.a);
    const b = alone ? { text: "" } : source(s.b);
    const [left, right] = [paint(canvas.a, a), paint(canvas.b, b)];
    if (differing && a.bitmap && b.bitmap) {
      const { width, height } = canvas.a;
      const [one, other] = [left, right].map((pen) => pen.getImageData(0, 0, width, height).data);
      left.putImageData(new ImageData(difference(one, other, GAIN, ramp(data.ramp)), width, height), 0, 0);
      $(".scale i").style.background = `linear-gradient(90deg, ${data.ramp.join(", ")})`;
      $(".scale .most").textContent = `${Math.round(255 / GAIN)} or more of 255`;
    }
    canvas.b.hidden = handle.hidden = s.view !== "split";
    $(".pair").hidden = alone;
    $(".scale").hidden = !differing;
    $(".tag.left").textContent = alone ? a.text : differing ? `difference of ${a.text} and ${b.text}` : `A · ${a.text}`;
    $(".tag.right").textContent = s.view === "split" ? `B · ${b.text}` : "";
    $(".waiting").textContent = a.waiting ?? b.waiting ?? "";
    $(".waiting").hidden = !(a.waiting || b.waiting);
    canvas.a.setAttribute("aria-label", `${data.alt}. ${sentence(data.trace, s.k)}`);
    layout();
  }

  function layout() {
    const { clientWidth: w, clientHeight: h } = stage;
    if (!w || !data) return;
    const { width, height } = data.trace;
    const fit = Math.min(w / width, h / height);
    const scale = s.zoom || fit;
    const clamp = (value, space, size) => {
      const reach = Math.max(0, (size * scale - space) / 2);
      return Math.max(-reach, Math.min(reach, value));
    };
    [s.x, s.y] = [clamp(s.x, w, width), clamp(s.y, h, height)];
    const [left, top] = [(w - width * scale) / 2 + s.x, (h - height * scale) / 2 + s.y];
    $(".pan").style.cssText = `width:${width * scale}px;height:${height * scale}px;transform:translate(${left}px,${top}px)`;
    const cut = Math.max(0, Math.min(1, (s.split * w - left) / (width * scale)));
    canvas.b.style.clipPath = `inset(0 0 0 ${100 * cut}%)`;
    handle.style.left = `${100 * s.split}%`;
    handle.setAttribute("aria-valuenow", Math.round(100 * s.split));
    stage.classList.toggle("movable", scale > fit * 1.001);
  }

  // ---- moving --------------------------------------------------------------------------------------------------------
  function move(k) {
    if (k === s.k) return;
    s.k = k;
    render();
  }

  function commit() {
    $(".live").textContent = sentence(data.trace, s.k);
    if (s.k !== s.committed) send("k", (s.committed = s.k));
  }

  function jump(k) {
    pause();
    move(Math.max(0, Math.min(data.trace.steps.length - 1, k)));
    commit();
  }

  function pause(clock = "") {
    clearTimeout(timer);
    timer = null;
    $(".clock").textContent = clock;
    playButton.classList.remove("playing");
    playButton.setAttribute("aria-label", "Play");
  }

  /** Play by steps ("s3": three a second) or as the bytes would arrive over a link ("b2400": 2400 bit/s). */
  function play() {
    const { steps, file_bytes: all } = data.trace;
    const pace = $("[data-pace]").value;
    const bits = pace === "typed" ? Math.max(1, Number($(".typed input").value)) : pace[0] === "b" ? Number(pace.slice(1)) : 0;
    // Those who asked for less motion get at most one change a second.
    const wait = bits ? 50 : Math.max(calm.matches ? 1000 : 0, 1000 / Number(pace.slice(1)));
    if (s.k >= steps.length - 1) move(0);
    const began = performance.now() - (bits && (8000 * steps[s.k].bytes) / bits);
    const tick = () => {
      const seconds = (performance.now() - began) / 1000;
      const clock = bits ? `${seconds.toFixed(1)} s of ${((8 * all) / bits).toFixed(1)} s` : "";
      move(bits ? Math.max(s.k, stepWithin(steps, (seconds * bits) / 8)) : s.k + 1);
      $(".clock").textContent = clock;
      if (s.k < steps.length - 1) timer = setTimeout(tick, wait);
      else {
        pause(clock);
        commit();
      }
    };
    playButton.classList.add("playing");
    playButton.setAttribute("aria-label", "Pause");
    timer = setTimeout(tick, wait);
  }

  function show(view) {
    s.view = view;
    $(`[data-view=${view}] input`).checked = true;
    render();
  }

  const actions = {
    first: () => jump(0),
    back: () => jump(s.k - 1),
    forward: () => jump(s.k + 1),
    last: () => jump(Infinity),
    play: () => (timer === null ? play() : jump(s.k)),
    pin: () => {
      Object.assign(s, { pin: s.k, b: "pin" });
      buildOptions();
      show(s.view === "picture" ? "split" : s.view);
    },
    pixels: (button) => button.setAttribute("aria-pressed", stage.classList.toggle("pixels")),
    present: (button) => {
      const on = box.classList.toggle("present");
      button.setAttribute("aria-pressed", on);
      if (on) box.requestFullscreen?.().catch(() => {});
      else if (document.fullscreenElement) document.exitFullscreen();
    },
  };
  for (const button of $$("[data-do]")) button.onclick = () => actions[button.dataset.do](button);
  for (const radio of $$("[data-view] input")) radio.onchange = () => show(radio.value);
  for (const select of $$("[data-source]")) {
    select.onchange = ({ target: { value } }) => {
      s[select.dataset.source] = value;
      if (data.sources.some(([key]) => key === value) && data.classical?.codec !== value) send("codec", value);
      render();
    };
  }
  $("[data-zoom]").onchange = (event) => {
    s.zoom = Number(event.target.value);
    layout();
  };
  $("[data-pace]").onchange = (event) => {
    $(".typed").hidden = event.target.value !== "typed";
    pause();
  };

  /** Drags on one element: `onMove(event, start)` from press to release, then `onEnd()`. */
  function draggable(element, onMove, onEnd = () => {}) {
    element.onpointerdown = (start) => {
      if (start.button !== 0) return;
      element.setPointerCapture(start.pointerId);
      element.onpointermove = (event) => onMove(event, start);
      element.onpointerup = element.onpointercancel = () => {
        element.onpointermove = element.onpointerup = element.onpointercancel = null;
        onEnd();
      };
      onMove(start, start);
    };
  }
  const placeIn = (element, event) => {
    const { left, width } = element.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - left) / width));
  };
  draggable(track, (event) => {
    pause();
    move(nearestStep(data.trace.steps, placeIn(track, event), data.trace.file_bytes));
  }, commit);
  draggable(handle, (event) => divide(placeIn(stage, event)));
  let held = null;
  draggable(stage, (event, start) => {
    if (event === start) held = { x: s.x, y: s.y };
    pan(held.x + event.clientX - start.clientX, held.y + event.clientY - start.clientY);
  });

  function divide(at) {
    s.split = Math.max(0, Math.min(1, at));
    layout();
  }

  function pan(x, y) {
    Object.assign(s, { x, y });
    layout();
  }

  /** Keys of one element: name → action. Streamlit has shortcuts of its own on the document, so ours stop here. */
  function keys(element, find) {
    element.onkeydown = (event) => {
      const action = event.target === element && find(event.key);
      if (!action) return;
      event.preventDefault();
      event.stopPropagation();
      action();
    };
  }
  const target = (key) => keyTarget(key, s.k, data.trace.steps.length, stops);
  keys(track, (key) => (key === " " ? actions.play : target(key) !== null && (() => (pause(), move(target(key))))));
  track.onkeyup = (event) => target(event.key) !== null && commit(); // a held key commits once
  keys(handle, (key) => ({
    ArrowLeft: () => divide(s.split - 0.05), ArrowRight: () => divide(s.split + 0.05), Home: () => divide(0), End: () => divide(1),
  })[key]);
  keys(stage, (key) => ({
    ArrowLeft: () => pan(s.x + 40, s.y), ArrowRight: () => pan(s.x - 40, s.y), ArrowUp: () => pan(s.x, s.y + 40),
    ArrowDown: () => pan(s.x, s.y - 40), 1: () => divide(0), 2: () => divide(0.5), 3: () => divide(1),
  })[key]);

  const arrived = ({ detail }) => data && [data.id, data.classical?.id].includes(detail.id) && drawPicture();
  const left = () => !document.fullscreenElement && box.classList.contains("present") && $("[data-do=present]").click();
  const resized = new ResizeObserver(layout);
  globalThis.addEventListener("hiercodec-frame", arrived);
  document.addEventListener("fullscreenchange", left);
  resized.observe(stage);

  return {
    update,
    destroy() {
      clearTimeout(timer);
      resized.disconnect();
      globalThis.removeEventListener("hiercodec-frame", arrived);
      document.removeEventListener("fullscreenchange", left);
    },
  };
}
