// The scrubber: picture, meaning and bytes of one trace, moved in the page without asking the server.
// Joined after scrubber_logic.mjs (see hiercodec/ui/scrubber.py), whose functions it uses.
// data: {id, alt, trace, k, seek, look, lut, sources, classical, finer}; `trace` is what hiercodec/ui/numbers.py makes.
//   `k` is obeyed when `seek` or `id` changes; our own moves go out once, on release, as state "k".
//   `look` is obeyed once, when the page opens; it goes out as state "look" when the view changes.

const instances = new WeakMap();
const GLYPHS = ["●", "◆", "▲", "■", "✚", "★"];
const GAIN = 4; // how much the difference view exaggerates
const CELL = 16; // pixels a side of a latent position
const MOST = 600; // bits at which the scale of the bit map ends, in every picture

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
  let [data, send, ask, rows, cells, timer] = [null, () => {}, () => {}, [], [], null];

  const percent = (share) => `${100 * share}%`;
  const share = (bytes) => percent(bytes / data.trace.file_bytes);
  const last = () => data.trace.steps.length - 1;
  const block = () => blockAt(data.trace.cuts, data.trace.steps[s.k].bytes);
  const colourOf = (level) => `var(${data.trace.levels.includes(level) ? `--level-${data.trace.levels.indexOf(level)}` : "--container"})`;

  /** An element; text goes in as text, never as HTML: labels come from files. */
  function make(tag, className, text = "", style = {}) {
    const element = Object.assign(document.createElement(tag), { className, textContent: text });
    for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
    return element;
  }

  function named(level) {
    const name = make("span", "name");
    name.append(make("b", "", GLYPHS[data.trace.levels.indexOf(level) % GLYPHS.length]), ` ${level}`);
    return name;
  }

  // ---- what the server sends ---------------------------------------------------------------------------------------
  function update(component) {
    const [first, fresh] = [data === null, component.data.id !== data?.id];
    const told = fresh || component.data.seek !== data.seek;
    [data, send, ask] = [component.data, component.setStateValue, component.setTriggerValue];
    if (fresh) for (const side of ["a", "b"]) if (s[side] === "pin") s[side] = "original";
    if (fresh) s.pin = null;
    if (told) {
      pause();
      s.k = s.committed = Math.max(0, Math.min(last(), data.k));
    }
    if (fresh) build();
    if (first) wear(data.look);
    buildOptions();
    render();
  }

  /** Take on the look an address asks for: view, sides A and B, zoom; what does not exist counts as nothing. */
  function wear(look) {
    const [view, a, b, zoom] = look.split(",");
    const known = ["prefix", "original", ...data.sources.map(([key]) => key)];
    if ($$("[data-view]").some((label) => label.dataset.view === view)) s.view = view;
    for (const [side, name] of [["a", a], ["b", b]]) if (known.includes(name)) s[side] = name;
    if (["1", "2", "4"].includes(zoom)) s.zoom = Number(($("[data-zoom]").value = zoom));
    $(`[data-view=${s.view}] input`).checked = true;
    if (s.view !== "picture") need(s.b);
  }

  function need(name) {
    if (data.sources.some(([key]) => key === name) && data.classical?.codec !== name) send("codec", name);
  }

  // ---- what depends on the trace but not on the position -------------------------------------------------------------
  function build() {
    const { width, height, file_bytes, quality, steps, parts, stops, levels, lanes, icicle, known } = data.trace;
    for (const one of [canvas.a, canvas.b]) Object.assign(one, { width, height });
    track.setAttribute("aria-valuemax", last());
    $(".parts").replaceChildren(...parts.map(([name, start, end]) =>
      make("div", "part", "", { left: share(start), width: share(end - start), "--colour": colourOf(name) })));
    $(".ticks").replaceChildren(...steps.map((step) => make("i", "", "", { left: share(step.bytes) })));
    $(".notches .cell").replaceChildren(...stops.map(([name, index]) => {
      const notch = make("button", "notch", name === "z" ? "z" : "", { left: share(steps[index].bytes), "--colour": colourOf(name) });
      notch.type = "button";
      notch.title = `${name === "z" ? "z, the side information," : name} is complete at ${formatBytes(steps[index].bytes)}`;
      if (name !== "z") notch.append(named(name));
      notch.onclick = () => jump(index);
      return notch;
    }));
    $("[data-name=psnr]").textContent = quality.label;
    $("[data-note=file]").textContent = formatBytes(file_bytes);
    $(".meaning-of-solid").textContent = known ? "a right answer" : "the answer of the whole file";
    $(".lanes").replaceChildren(...lanes.map(buildLane));
    $(".legend").hidden = !lanes.length;
    rows = levels.map(buildRow);
    $(".path").replaceChildren(...rows.map((row) => row.element));
    cells = icicle.map(({ labels, groups }) => labels.map((label, i) => {
      const cell = make("i", i % 2 ? "odd" : "", "", { "--colour": `var(--group-${groups[i] % 10})` });
      cell.append(make("span", "", label));
      cell.title = label;
      return cell;
    }));
    $(".icicle .rows").replaceChildren(...icicle.map(({ level }, i) => {
      const row = make("div", "row", "", { "--colour": colourOf(level) });
      row.append(named(level), make("div", "cell"), make("span", "note", `${cells[i].length} groups`));
      row.children[1].append(...cells[i]);
      return row;
    }));
    $(".icicle").hidden = !icicle.length;
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
  function buildLane({ level, bars, runs, note, wrong }) {
    const lane = make("div", "row lane", "", { "--colour": colourOf(level) });
    const cell = make("div", "cell");
    cell.append(...bars.map(([left, width, height, solid]) =>
      make("i", solid ? "solid" : "other", "", { left: percent(left), width: percent(width), height: percent(height) })));
    cell.append(...runs.map(([left, width, label, title]) => {
      const run = make("div", "run", "", { left: percent(left), width: percent(width) });
      run.title = title;
      run.append(make("span", "", label));
      return run;
    }));
    lane.append(named(level), cell, make("span", wrong ? "note wrong" : "note", note));
    return lane;
  }

  function buildRow(level) {
    const element = make("div", "level", "", { "--colour": colourOf(level) });
    const [head, answer, bar, foot] = [make("p", "head"), make("p", "answer"), make("div", "bar"), make("p", "foot")];
    const names = ["arrived", "label", "mark", "chance", "rest", "margin"];
    const [arrived, label, mark, chance, rest, lead] = names.map((name) => make("span", name));
    const slices = [0, 1, 2].map(() => bar.appendChild(make("i", "")));
    lead.title = "Margin: how far the first answer leads the second. WUP: similarity to the truth in WordNet, 1 is the same.";
    head.append(named(level), arrived);
    answer.append(label, mark, chance);
    foot.append(rest, lead);
    element.append(head, answer, bar, foot);
    return { level, element, arrived, label, mark, chance, slices, rest, lead };
  }

  // ---- what moves with the position ----------------------------------------------------------------------------------
  function render() {
    const begin = performance.now();
    const { steps, icicle, file_bytes: all, whole, quality } = data.trace;
    const step = steps[s.k];
    drawPicture();
    $(".bytes b").textContent = formatBytes(step.bytes);
    $(".bytes span").textContent = ` of ${whole} · ${Math.round((100 * step.bytes) / all)} %`;
    $("[data-number=bpp]").textContent = `${step.bpp.toFixed(3)} bit/pixel`;
    $("[data-number=psnr]").textContent = step.psnr === null ? quality.same : `${step.psnr.toFixed(1)} dB`;
    for (const row of rows) renderRow(row, step);
    for (const [i, { masses }] of icicle.entries()) {
      for (const [j, cell] of cells[i].entries()) {
        cell.style.flexGrow = masses[s.k][j];
        cell.dataset.p = formatPercent(masses[s.k][j] / 1000);
      }
    }
    $(".agreement").hidden = !rows.some((row) => step.top[row.level]?.length);
    $(".agreement").classList.toggle("bad", !step.consistent);
    $(".timeline").style.setProperty("--at", step.bytes / all);
    $(".where").textContent = step.where;
    $("[data-do=finer]").setAttribute("aria-pressed", data.finer === block());
    track.setAttribute("aria-valuenow", s.k);
    track.setAttribute("aria-valuetext", step.said);
    Object.assign(box.dataset, { k: s.k, id: data.id });
    box.dataset.renderMs = (performance.now() - begin).toFixed(2);
  }

  function renderRow(row, step) {
    const { levels, answers } = data.trace;
    const top = step.top[row.level] ?? [];
    const arrived = blockShare(step, row.level, levels);
    const said = verdict(step, row.level, answers[row.level]);
    row.element.classList.toggle("pending", arrived < 1);
    row.arrived.textContent = arrived >= 1 ? "block complete" : arrived > 0 ? `${Math.round(100 * arrived)} % of its symbols` : "block not yet here";
    row.label.textContent = row.label.title = top[0]?.[1] ?? "not classified";
    row.chance.textContent = top.length ? formatPercent(top[0][2]) : "";
    row.mark.textContent = { right: "✓ right", wrong: "✗ wrong", unknown: "" }[said];
    row.mark.className = `mark ${said}`;
    for (const [i, slice] of row.slices.entries()) slice.style.width = percent(top[i]?.[2] ?? 0);
    const others = top.slice(1).map(([, label, p]) => `${label} ${formatPercent(p)}`);
    row.rest.textContent = row.rest.title = others.length ? `then ${others.join(", ")}` : "";
    const alike = step.wup !== null && row.level === levels[levels.length - 1] ? ` · WUP ${step.wup.toFixed(2)}` : "";
    const lead = top.length ? margin(top) : null;
    row.lead.textContent = lead === null ? "" : `margin ${lead} ${lead === 1 ? "point" : "points"}${alike}`;
  }

  const picture = (id, row, index) => globalThis.hiercodecFrames?.get(id)?.get(row)?.[index];

  /** One side of the picture: {bitmap, text}, or {text, waiting} where there is nothing to show. */
  function source(name) {
    const { trace: { steps }, classical, id } = data;
    const words = ({ bytes, psnr }) => formatBytes(bytes) + (psnr === null ? "" : ` · ${psnr.toFixed(1)} dB`);
    if (name === "original") return { bitmap: picture(id, "original", 0), text: "original" };
    if (name === "prefix") return { bitmap: picture(id, "frames", s.k), text: words(steps[s.k]) };
    if (name === "pin") return { bitmap: picture(id, "frames", s.pin), text: `pinned ${words(steps[s.pin])}` };
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

  /** Where the bits went: over the veiled picture a square for every latent position. */
  function drawBits(pen) {
    const map = picture(data.id, "bits", 0); // the grids of all steps, one under the other
    if (!map) return;
    const high = map.height / data.trace.steps.length;
    const reader = new OffscreenCanvas(map.width, high).getContext("2d", { willReadFrequently: true });
    reader.drawImage(map, 0, -s.k * high);
    pen.fillStyle = "rgb(10 14 20 / 55%)";
    pen.fillRect(0, 0, canvas.a.width, canvas.a.height);
    for (const { x, y, side, shade } of bitSquares(reader.getImageData(0, 0, map.width, high).data, map.width, CELL, MOST)) {
      pen.fillStyle = `rgb(${data.lut[shade]})`;
      pen.fillRect(x, y, side, side);
    }
  }

  function drawPicture() {
    const { view } = s;
    const alone = view === "picture" || view === "bits";
    const a = source(alone ? "prefix" : s.a);
    const b = alone ? { text: "" } : source(s.b);
    const [left, right] = [paint(canvas.a, a), paint(canvas.b, b)];
    if (view === "difference" && a.bitmap && b.bitmap) {
      const { width, height } = canvas.a;
      const [one, other] = [left, right].map((pen) => pen.getImageData(0, 0, width, height).data);
      left.putImageData(new ImageData(difference(one, other, GAIN, data.lut), width, height), 0, 0);
    }
    if (view === "bits") drawBits(left);
    const ticks = view === "bits" ? [0, MOST / 4, `${MOST}+ bits a position`] : [0, Math.round(127 / GAIN), `${Math.round(255 / GAIN)}+ of 255`];
    $(".scale p").replaceChildren(...ticks.map((text) => make("span", "", text)));
    $(".scale").hidden = view !== "bits" && view !== "difference";
    canvas.b.hidden = handle.hidden = view !== "split";
    $(".pair").hidden = alone;
    const tags = { picture: a.text, bits: `bits so far · ${a.text}`, split: `A · ${a.text}`, difference: `${a.text} against ${b.text}` };
    $(".tag.left").textContent = tags[view];
    $(".tag.right").textContent = view === "split" ? `B · ${b.text}` : "";
    $(".waiting").textContent = a.waiting ?? b.waiting ?? "";
    $(".waiting").hidden = !(a.waiting || b.waiting);
    canvas.a.setAttribute("aria-label", `${data.alt}. ${data.trace.steps[s.k].said}`);
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
    canvas.b.style.clipPath = `inset(0 0 0 ${percent(cut)})`;
    handle.style.left = percent(s.split);
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
    $(".live").textContent = data.trace.steps[s.k].said;
    if (s.k !== s.committed) send("k", (s.committed = s.k));
  }

  function jump(k) {
    pause();
    move(Math.max(0, Math.min(last(), k)));
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
    if (s.k >= last()) move(0);
    const began = performance.now() - (bits && (8000 * steps[s.k].bytes) / bits);
    const tick = () => {
      const seconds = (performance.now() - began) / 1000;
      const clock = bits ? `${seconds.toFixed(1)} s of ${((8 * all) / bits).toFixed(1)} s` : "";
      move(bits ? Math.max(s.k, stepWithin(steps, (seconds * bits) / 8)) : s.k + 1);
      $(".clock").textContent = clock;
      if (s.k < last()) timer = setTimeout(tick, wait);
      else {
        pause(clock);
        commit();
      }
    };
    playButton.classList.add("playing");
    playButton.setAttribute("aria-label", "Pause");
    timer = setTimeout(tick, wait);
  }

  /** The look has changed: draw it, and tell the address. */
  function dress(change) {
    Object.assign(s, change);
    $(`[data-view=${s.view}] input`).checked = true;
    render();
    send("look", [s.view, s.a, s.b, s.zoom].join());
  }

  const actions = {
    first: () => jump(0),
    back: () => jump(s.k - 1),
    forward: () => jump(s.k + 1),
    last: () => jump(Infinity),
    play: () => (timer === null ? play() : jump(s.k)),
    finer: (button) => ask("finer", button.getAttribute("aria-pressed") === "true" ? "" : block()),
    pin: () => {
      Object.assign(s, { pin: s.k, b: "pin" });
      buildOptions();
      dress({ view: s.view === "difference" ? s.view : "split" });
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
  for (const radio of $$("[data-view] input")) radio.onchange = () => dress({ view: radio.value });
  for (const select of $$("[data-source]")) {
    select.onchange = () => {
      need(select.value);
      dress({ [select.dataset.source]: select.value });
    };
  }
  $("[data-zoom]").onchange = (event) => dress({ zoom: Number(event.target.value) });
  $("[data-pace]").onchange = (event) => {
    $(".typed").hidden = event.target.value !== "typed";
    pause();
  };

  /** Drags on one element: `onMove(event, start)` from press to release or cancel, then `onEnd()` once. */
  function draggable(element, onMove, onEnd = () => {}) {
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

  function place(change) {
    Object.assign(s, change);
    layout();
  }
  const divide = (at) => place({ split: Math.max(0, Math.min(1, at)) });
  const pan = (x, y) => place({ x, y });

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
  const target = (key) => keyTarget(key, s.k, last() + 1, data.trace.stops.map(([, index]) => index));
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
