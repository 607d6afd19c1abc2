// The scrubber: picture, meaning and bytes of one trace, moved in the page without asking the server.
// Joined after scrubber_logic.mjs (see hiercodec/ui/scrubber.py), whose functions it uses.
// data: {id, trace, levels, answers, k, seek, palettes, sources, classical}
//   `k` is obeyed when `seek` or `id` changes; our own moves go out once, on release, as state "k".

const instances = new WeakMap();
const GLYPHS = ["●", "◆", "▲", "■", "✚", "★"];
const GAIN = 4;

export default function (component) {
  const { parentElement: root } = component;
  let instance = instances.get(root);
  if (!instance) {
    instance = createScrubber(root);
    instances.set(root, instance);
  }
  instance.update(component);
  return () => {
    instance.destroy();
    instances.delete(root);
  };
}

function createScrubber(root) {
  const $ = (selector) => root.querySelector(selector);
  const $$ = (selector) => [...root.querySelectorAll(selector)];
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text; // never innerHTML: labels come from files
    return element;
  };
  const box = $(".hx");
  const track = $(".track");
  const stage = $(".stage");
  const handle = $(".handle");
  const canvas = { a: $("canvas.a"), b: $("canvas.b") };
  const calm = globalThis.matchMedia("(prefers-reduced-motion: reduce)");
  const s = { k: 0, committed: null, id: null, seek: null, view: "picture", a: "prefix", b: "original", pin: null,
    split: 0.5, zoom: 0, x: 0, y: 0, smooth: true, timer: null, dark: false };
  let data = null;
  let send = () => {};
  let stops = [];
  let rows = [];

  // ---- what the server sends -------------------------------------------------------------------------------------
  function update(component) {
    data = component.data;
    send = component.setStateValue;
    s.dark = isDark(getComputedStyle(root.host ?? root).getPropertyValue("--st-background-color") || "#fff");
    const colours = data.palettes[s.dark ? "dark" : "light"];
    data.levels.forEach((_, i) => box.style.setProperty(`--level-${i}`, colours.levels[i % colours.levels.length]));
    for (const name of ["container", "right", "wrong", "muted", "on_primary"]) box.style.setProperty(`--${name}`, colours[name]);
    stops = levelStops(data.trace.steps, data.trace.cuts);
    if (data.id !== s.id) {
      pause();
      Object.assign(s, { id: data.id, pin: null, x: 0, y: 0, zoom: 0 });
      $("[data-zoom]").value = "0";
      if (s.a === "pin") s.a = "prefix";
      if (s.b === "pin") s.b = "original";
      s.seek = null;
    }
    if (data.seek !== s.seek) {
      s.seek = data.seek;
      s.k = s.committed = Math.max(0, Math.min(data.trace.steps.length - 1, data.k));
      pause();
    }
    build();
    render();
  }

  // ---- parts that depend on the trace but not on the position -------------------------------------------------------
  const levelOf = (name) => data.levels.indexOf(name);
  const share = (bytes) => `${(100 * bytes) / data.trace.file_bytes}%`;

  function build() {
    const { trace, levels, answers } = data;
    canvas.a.width = canvas.b.width = trace.width;
    canvas.a.height = canvas.b.height = trace.height;
    track.setAttribute("aria-valuemax", trace.steps.length - 1);
    $(".parts").replaceChildren(...segments(trace.parts).map(({ name, start, end }) => {
      const part = make("div", "part");
      part.style.cssText = `left:${share(start)};width:${share(end - start)}`;
      part.style.setProperty("--colour", levelOf(name) < 0 ? "var(--container)" : `var(--level-${levelOf(name)})`);
      part.title = `${name}: ${formatBytes(end - start)}`;
      return part;
    }));
    $(".ticks").replaceChildren(...trace.steps.map((step) => {
      const tick = make("i");
      tick.style.left = share(step.bytes);
      return tick;
    }));
    $(".notches .cell").replaceChildren(...stops.map(({ name, index }) => {
      const step = trace.steps[index];
      const notch = make("button", "notch");
      notch.type = "button";
      notch.style.left = share(step.bytes);
      const level = levelOf(name);
      notch.style.setProperty("--colour", level < 0 ? "var(--container)" : `var(--level-${level})`);
      notch.title = level < 0 ? `z, the side information, ends at ${formatBytes(step.bytes)}` : `${name} is complete at ${formatBytes(step.bytes)}`;
      notch.append(make("b", "", level < 0 ? "z" : GLYPHS[level]), make("span", "", level < 0 ? "" : ` ${name}`));
      notch.onclick = () => { pause(); move(index); commit(); };
      return notch;
    }));
    const known = levels.some((level) => answers[level]?.length);
    $(".meaning-of-solid").textContent = known ? "a right answer" : "the answer of the whole file";
    $(".lanes").replaceChildren(...levels.filter((level) => trace.steps[0].top[level]?.length).map(buildLane));
    $(".legend").hidden = !$(".lanes").childElementCount;
    rows = levels.map(buildRow);
    $(".path").replaceChildren(...rows.map((row) => row.element));
    for (const select of $$("[data-source]")) {
      const value = s[select.dataset.source];
      const options = [["prefix", "this prefix"], ["original", "the original"], ["pin", s.pin === null ? "" : `pinned, ${formatBytes(trace.steps[s.pin].bytes)}`], ...data.sources];
      select.replaceChildren(...options.filter(([, label]) => label).map(([name, label]) => Object.assign(make("option", "", label), { value: name })));
      select.value = value;
    }
  }

  function buildLane(level) {
    const { trace, answers } = data;
    const index = levelOf(level);
    const { steps } = trace;
    const known = answers[level] ?? [];
    const last = steps[steps.length - 1].top[level][0][0];
    const solid = (group) => (known.length ? known.includes(group) : group === last);
    const row = make("div", "row lane");
    row.style.setProperty("--colour", `var(--level-${index})`);
    const name = make("span", "name");
    name.append(make("b", "", GLYPHS[index]), ` ${level}`);
    const cell = make("div", "cell");
    for (const run of runs(steps, level)) {
      const start = steps[run.from].bytes;
      const end = run.to + 1 < steps.length ? steps[run.to + 1].bytes : trace.file_bytes;
      const block = make("div", solid(run.group) ? "run solid" : "run");
      block.style.left = share(start);
      block.style.width = share(Math.max(end - start, trace.file_bytes * 0.004));
      const points = [];
      for (let i = run.from; i <= run.to; i += 1) {
        const stop = i + 1 < steps.length ? steps[i + 1].bytes : trace.file_bytes;
        const at = (bytes) => (100 * (bytes - start)) / Math.max(1, end - start);
        const y = 100 * (1 - steps[i].top[level][0][2]);
        points.push(`${at(steps[i].bytes)}% ${y}%`, `${at(stop)}% ${y}%`);
      }
      const shape = make("div", "shape");
      if (end > start) shape.style.clipPath = `polygon(0% 100%, ${points.join(", ")}, 100% 100%)`;
      block.append(shape, make("span", "", run.label));
      block.title = `${run.label}, from ${formatBytes(start)}`;
      cell.append(block);
    }
    const note = make("span", "note");
    const from = settledFrom(steps, level, known);
    if (from < 0) note.append(make("b", "wrong", "✗"), " never right");
    else note.append(make("b", "", known.length ? "✓" : "▸"), ` ${known.length ? "right" : "settled"} from ${formatBytes(steps[from].bytes)}`);
    row.append(name, cell, note);
    return row;
  }

  function buildRow(level) {
    const index = levelOf(level);
    const element = make("div", "level");
    element.style.setProperty("--colour", `var(--level-${index})`);
    const head = make("p", "head");
    const name = make("span", "name");
    name.append(make("b", "", GLYPHS[index]), ` ${level}`);
    const arrived = make("span", "arrived");
    head.append(name, arrived);
    const answer = make("p", "answer");
    const label = make("span", "label");
    const mark = make("b", "mark");
    const chance = make("span", "chance");
    answer.append(label, mark, chance);
    const bar = make("div", "bar");
    const slices = [0, 1, 2].map(() => bar.appendChild(make("i")));
    const rest = make("p", "rest");
    element.append(head, answer, bar, rest);
    return { level, element, arrived, label, mark, chance, slices, rest };
  }

  // ---- what moves with the position ---------------------------------------------------------------------------------
  function render() {
    if (!data) return;
    const begin = performance.now();
    const { trace, levels, answers } = data;
    const step = trace.steps[s.k];
    drawPicture();
    $(".bytes b").textContent = formatBytes(step.bytes);
    $(".bytes span").textContent = ` of ${formatBytes(trace.file_bytes)} · ${Math.round((100 * step.bytes) / trace.file_bytes)} %`;
    $("[data-number=bpp]").textContent = `${step.bpp.toFixed(3)} bit/pixel`;
    $("[data-number=psnr]").textContent = step.psnr === null ? "identical" : `${step.psnr.toFixed(1)} dB`;
    for (const row of rows) {
      const top = step.top[row.level] ?? [];
      const arrived = blockShare(step, row.level, levels);
      row.element.classList.toggle("pending", arrived < 1);
      row.arrived.textContent = arrived >= 1 ? "block complete" : arrived > 0 ? `${Math.round(100 * arrived)} % of its block` : "block not yet here";
      row.label.textContent = row.label.title = top.length ? top[0][1] : "not classified";
      row.chance.textContent = top.length ? formatPercent(top[0][2]) : "";
      const said = verdict(step, row.level, answers[row.level]);
      row.mark.textContent = { right: "✓ right", wrong: "✗ wrong", unknown: "" }[said];
      row.mark.className = `mark ${said}`;
      row.slices.forEach((slice, i) => { slice.style.width = `${100 * (top[i]?.[2] ?? 0)}%`; });
      row.rest.textContent = row.rest.title = top.length > 1 ? `then ${top.slice(1).map(([, label, p]) => `${label} ${formatPercent(p)}`).join(", ")}` : "";
    }
    const classified = rows.some((row) => step.top[row.level]?.length);
    $(".agreement").textContent = !classified ? "" : step.consistent ? "⎇ The three answers lie on one path." : "⚠ The answers contradict each other: one is not part of the one above it.";
    $(".agreement").classList.toggle("bad", classified && !step.consistent);
    const left = share(step.bytes);
    $(".thumb").style.left = left;
    $(".fill").style.left = left;
    $(".timeline").style.setProperty("--at", step.bytes / trace.file_bytes);
    const got = received(trace.parts, step.bytes).filter((part) => part.got > 0);
    $("[data-note=file]").textContent = formatBytes(trace.file_bytes);
    $(".where").textContent = got.map(({ name, size, got: n }) => (n === size ? `${name} ${n}` : `${name} ${n}/${size}`)).join(" + ") + ` = ${step.bytes} bytes`;
    track.setAttribute("aria-valuenow", s.k);
    track.setAttribute("aria-valuetext", sentence(trace, s.k));
    box.dataset.k = s.k;
    box.dataset.renderMs = (performance.now() - begin).toFixed(2);
  }

  function source(name) {
    const { trace, classical } = data;
    const step = trace.steps[s.k];
    const own = globalThis.hiercodecFrames?.get(data.id);
    const decibels = (p) => (p === null ? "" : ` · ${p.toFixed(1)} dB`);
    if (name === "original") return { bitmap: own?.get("original")?.[0], text: "original" };
    if (name === "prefix") return { bitmap: own?.get("frames")?.[s.k], text: `${formatBytes(step.bytes)}${decibels(step.psnr)}` };
    if (name === "pin" && s.pin !== null) {
      const pinned = trace.steps[s.pin];
      return { bitmap: own?.get("frames")?.[s.pin], text: `pinned ${formatBytes(pinned.bytes)}${decibels(pinned.psnr)}` };
    }
    const label = data.sources.find(([key]) => key === name)?.[1] ?? name;
    if (classical?.codec !== name) return { text: label, waiting: `${label}: being computed …` };
    const point = classical.points[s.k];
    if (!point) return { text: label, waiting: `${classical.label} cannot make a file this small; its smallest is ${formatBytes(classical.smallest)}.` };
    const bitmap = globalThis.hiercodecFrames?.get(classical.id)?.get("frames")?.[point.frame];
    return { bitmap, text: `${classical.label} ${formatBytes(point.bytes)}${decibels(point.psnr)}` };
  }

  function paint(target, bitmap) {
    const pen = target.getContext("2d", { willReadFrequently: true });
    if (bitmap) pen.drawImage(bitmap, 0, 0, target.width, target.height);
    else pen.clearRect(0, 0, target.width, target.height);
    return pen;
  }

  function drawPicture() {
    const paired = s.view !== "picture";
    const a = source(paired ? s.a : "prefix");
    const b = paired ? source(s.b) : null;
    const pen = paint(canvas.a, a.bitmap);
    if (b) {
      const other = paint(canvas.b, b.bitmap);
      if (s.view === "difference" && a.bitmap && b.bitmap) {
        const size = [0, 0, canvas.a.width, canvas.a.height];
        const lut = ramp(data.palettes.ramp);
        $(".scale i").style.background = `linear-gradient(90deg, ${data.palettes.ramp.join(", ")})`;
        $(".scale .most").textContent = `${Math.round(255 / GAIN)} or more of 255`;
        pen.putImageData(new ImageData(difference(pen.getImageData(...size).data, other.getImageData(...size).data, GAIN, lut), size[2], size[3]), 0, 0);
      }
    }
    canvas.b.hidden = s.view !== "split";
    handle.hidden = s.view !== "split";
    $(".pair").hidden = !paired;
    $(".scale").hidden = s.view !== "difference";
    $(".tag.left").textContent = s.view === "difference" ? `difference of ${a.text} and ${b.text}` : paired ? `A · ${a.text}` : a.text;
    $(".tag.right").textContent = s.view === "split" ? `B · ${b.text}` : "";
    const waiting = a.waiting ?? b?.waiting ?? "";
    $(".waiting").textContent = waiting;
    $(".waiting").hidden = !waiting;
    for (const button of $$("[data-view]")) {
      button.setAttribute("aria-checked", button.dataset.view === s.view);
      button.tabIndex = button.dataset.view === s.view ? 0 : -1;
    }
    canvas.a.setAttribute("aria-label", `${data.alt}. ${sentence(data.trace, s.k)}`);
    layout();
  }

  function layout() {
    const { clientWidth: w, clientHeight: h } = stage;
    if (!w) return;
    const { width, height } = data.trace;
    const fit = Math.min(w / width, h / height);
    const scale = s.zoom || fit;
    const reach = (space, size) => Math.max(0, (size * scale - space) / 2);
    s.x = Math.max(-reach(w, width), Math.min(reach(w, width), s.x));
    s.y = Math.max(-reach(h, height), Math.min(reach(h, height), s.y));
    const left = (w - width * scale) / 2 + s.x;
    const top = (h - height * scale) / 2 + s.y;
    $(".pan").style.cssText = `width:${width * scale}px;height:${height * scale}px;transform:translate(${left}px,${top}px)`;
    const cut = Math.max(0, Math.min(1, (s.split * w - left) / (width * scale)));
    canvas.b.style.clipPath = `inset(0 0 0 ${100 * cut}%)`;
    handle.style.left = `${100 * s.split}%`;
    handle.setAttribute("aria-valuenow", Math.round(100 * s.split));
    stage.classList.toggle("smooth", s.smooth);
    stage.classList.toggle("movable", scale > fit * 1.001);
  }

  // ---- moving -------------------------------------------------------------------------------------------------------
  function move(k) {
    if (k === s.k) return;
    s.k = k;
    render();
  }

  function commit() {
    $(".live").textContent = sentence(data.trace, s.k);
    if (s.k === s.committed) return;
    s.committed = s.k;
    send("k", s.k);
  }

  function pause() {
    clearTimeout(s.timer);
    s.timer = null;
    $(".clock").textContent = "";
    const button = $("[data-do=play]");
    button.classList.remove("playing");
    button.setAttribute("aria-label", "Play");
  }

  function play() {
    const last = data.trace.steps.length - 1;
    if (s.k >= last) move(0);
    const pace = $("[data-pace]").value;
    const bits = pace === "typed" ? Number($(".typed input").value) : pace[0] === "b" ? Number(pace.slice(1)) : 0;
    const began = performance.now() - (bits ? (8000 * data.trace.steps[s.k].bytes) / bits : 0);
    const button = $("[data-do=play]");
    button.classList.add("playing");
    button.setAttribute("aria-label", "Pause");
    const tick = () => {
      if (bits) {
        const seconds = (performance.now() - began) / 1000;
        move(Math.max(s.k, stepWithin(data.trace.steps, (seconds * bits) / 8)));
        $(".clock").textContent = `${seconds.toFixed(1)} s of ${((8 * data.trace.file_bytes) / bits).toFixed(1)} s`;
      } else move(Math.min(last, s.k + 1));
      if (s.k >= last) {
        const clock = $(".clock").textContent;
        pause();
        $(".clock").textContent = clock;
        commit();
      } else s.timer = setTimeout(tick, bits ? 50 : wait);
    };
    // Those who asked for less motion get at most one change a second.
    const wait = Math.max(calm.matches ? 1000 : 0, 1000 / Number(pace.slice(1) || 3));
    s.timer = setTimeout(tick, bits ? 50 : wait);
  }

  function choose(view) {
    s.view = view;
    render();
  }

  const actions = {
    first: () => move(0),
    last: () => move(data.trace.steps.length - 1),
    back: () => move(Math.max(0, s.k - 1)),
    forward: () => move(Math.min(data.trace.steps.length - 1, s.k + 1)),
    pin: () => {
      s.pin = s.k;
      s.b = "pin";
      if (s.view === "picture") s.view = "split";
      build();
      render();
    },
    smooth: (button) => {
      s.smooth = !s.smooth;
      button.setAttribute("aria-pressed", !s.smooth);
      layout();
    },
    present: async (button) => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", on);
      box.classList.toggle("present", on);
      if (on) await box.requestFullscreen?.().catch(() => {});
      else if (document.fullscreenElement) await document.exitFullscreen();
      layout();
    },
  };

  for (const button of $$("[data-do]")) {
    const name = button.dataset.do;
    button.onclick = () => {
      if (name === "play") {
        if (s.timer === null) return play();
        pause();
        return commit();
      }
      if (["first", "last", "back", "forward"].includes(name)) pause();
      actions[name](button);
      if (name !== "smooth" && name !== "present" && name !== "pin") commit();
      return undefined;
    };
  }
  for (const button of $$("[data-view]")) {
    button.onclick = () => choose(button.dataset.view);
    button.onkeydown = (event) => {
      const views = $$("[data-view]");
      const turn = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!turn) return;
      event.preventDefault();
      const next = views[(views.indexOf(button) + turn + views.length) % views.length];
      choose(next.dataset.view);
      next.focus();
    };
  }
  for (const select of $$("[data-source]")) {
    select.onchange = () => {
      s[select.dataset.source] = select.value;
      if (data.sources.some(([key]) => key === select.value) && data.classical?.codec !== select.value) send("codec", select.value);
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

  /** Pointer capture over one element: `onMove` gets the pointer's place in it, `onEnd` the release. */
  function draggable(element, onMove, onEnd = () => {}) {
    element.onpointerdown = (event) => {
      if (event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      element.onpointermove = (moved) => onMove(moved, event);
      element.onpointerup = element.onpointercancel = () => {
        element.onpointermove = element.onpointerup = element.onpointercancel = null;
        onEnd();
      };
      onMove(event, event);
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
  draggable(handle, (event) => {
    s.split = placeIn(stage, event);
    layout();
  });
  let from = null;
  draggable(stage, (event, start) => {
    if (event === start) from = { x: s.x, y: s.y };
    s.x = from.x + event.clientX - start.clientX;
    s.y = from.y + event.clientY - start.clientY;
    layout();
  });

  // Streamlit has shortcuts of its own on the document: the keys we use stop here.
  const own = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  track.onkeydown = (event) => {
    if (event.key === " ") {
      own(event);
      $("[data-do=play]").click();
      return;
    }
    const target = keyTarget(event.key, s.k, data.trace.steps.length, stops);
    if (target === null) return;
    own(event);
    if (s.timer !== null) pause();
    move(target);
  };
  track.onkeyup = (event) => {
    if (keyTarget(event.key, s.k, data.trace.steps.length, stops) !== null) commit();
  };
  handle.onkeydown = (event) => {
    const to = { ArrowLeft: s.split - 0.05, ArrowRight: s.split + 0.05, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    own(event);
    s.split = Math.max(0, Math.min(1, to));
    layout();
  };
  stage.onkeydown = (event) => {
    const pan = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[event.key];
    const split = { 1: 0, 2: 0.5, 3: 1 }[event.key];
    if (event.target !== stage || (!pan && split === undefined)) return;
    own(event);
    if (pan) {
      s.x += pan[0];
      s.y += pan[1];
    } else s.split = split;
    layout();
  };

  const arrived = (event) => {
    if (data && (event.detail.id === data.id || event.detail.id === data.classical?.id)) drawPicture();
  };
  globalThis.addEventListener("hiercodec-frame", arrived);
  const left = () => {
    if (document.fullscreenElement) return;
    box.classList.remove("present");
    $("[data-do=present]").setAttribute("aria-pressed", "false");
    if (data) layout();
  };
  document.addEventListener("fullscreenchange", left);
  const resized = new ResizeObserver(() => data && layout());
  resized.observe(stage);

  return {
    update,
    destroy() {
      pause();
      resized.disconnect();
      globalThis.removeEventListener("hiercodec-frame", arrived);
      document.removeEventListener("fullscreenchange", left);
    },
  };
}
