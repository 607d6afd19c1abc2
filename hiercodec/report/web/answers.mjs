// Size, quality and what the picture is taken for: one answer a level, or one a side where two pictures are compared.

import { colourOf, helpOn, make, nameOf, percent } from "./dom.mjs";

export function createAnswers(hub) {
  const { $, box } = hub;
  let rows = [];

  /** The parts of one answer: which side, label, right or wrong, how likely. */
  function line(className) {
    const element = make("p", className);
    const [side, mark, chance, first] = ["side", "mark", "chance", "first"].map((name) => make("span", name));
    const label = make("a", "label"); // leads to the answer's group on the map, where there is one
    element.append(side, label, mark, chance, first);
    return { element, side, label, mark, chance, first };
  }

  /** What the file's own label says, whether the pixels agree, and both together. */
  function labelLine(index) {
    const element = make("p", "file-label");
    const [label, badge, together] = ["says", "badge", "together"].map((name) => make("span", name));
    element.append(make("b", "", "label"), label, badge, together, ...(index === 0 ? [helpOn("label")] : []));
    return { element, label, badge, together };
  }

  function fillLabel({ element, label, badge, together }, said) {
    element.classList.toggle("absent", !said);
    label.textContent = label.title = said ? `${said.label} ${said.chance}` : "not yet here";
    Object.assign(badge, { textContent: said?.words ? `${said.agrees ? "✓" : "≠"} ${said.words}` : "", title: said?.sentence ?? "" });
    badge.className = said?.words ? `badge ${said.agrees ? "right" : "wrong"}` : "badge";
    together.textContent = together.title = said?.together ? `together ${said.together}` : "";
  }

  function buildRow(level, index) {
    const { levels } = hub.trace;
    const element = make("div", "level", "", { "--colour": colourOf(hub.trace, level) });
    const [one, a, b] = [line("answer alone"), line("answer compared"), line("answer compared")];
    const [bar, foot] = [make("div", "bar"), make("p", "foot")];
    const [rest, wup, arrived] = ["rest", "wup", "arrived"].map((name) => make("span", name));
    const slices = [0, 1, 2].map(() => bar.appendChild(make("i", "")));
    foot.append(rest, wup, ...(index === levels.length - 1 ? [helpOn("WUP")] : []), arrived);
    const fileLabel = labelLine(index);
    element.append(nameOf(hub.trace, level), one.element, bar, foot, fileLabel.element, a.element, b.element);
    return { level, element, one, a, b, slices, rest, wup, arrived, fileLabel };
  }

  function build() {
    const { levels, truth, quality, curve } = hub.trace;
    rows = levels.map(buildRow);
    $(".path").replaceChildren(...rows.map((row) => row.element));
    $(".truth span:last-child").textContent = $(".truth span:last-child").title = truth;
    $("[data-name=psnr]").textContent = quality;
    $("[data-name=told]").textContent = curve?.called ?? "";
    $(".numbers .told").hidden = !curve;
    box.classList.toggle("labelled", Boolean(hub.trace.labelled));
  }

  function fill(target, answer, side = "", [, words, ever, sentence] = ["", "", true, ""]) {
    target.side.textContent = side;
    target.label.textContent = target.label.title = answer?.label ?? "not classified";
    target.label.classList.toggle("long", target.label.title.length > 20);
    if (answer?.link) target.label.href = answer.link;
    else target.label.removeAttribute("href");
    target.mark.replaceChildren(...(answer?.sign ? [answer.sign, make("span", "", ` ${answer.verdict}`)] : []));
    target.mark.className = `mark ${answer?.mark ?? ""}`;
    target.chance.textContent = answer?.chance ?? "";
    Object.assign(target.first, { textContent: words, title: sentence, className: ever ? "first" : "first wrong" });
  }

  function renderRow({ level, element, one, a, b, slices, rest, wup, arrived, fileLabel }, step) {
    const answer = step.answers[level];
    if (hub.trace.labelled) fillLabel(fileLabel, step.label[level]);
    element.classList.toggle("pending", step.arrived[level] !== "block complete");
    element.classList.toggle("landed", ["right", "same"].includes(answer?.mark)); // in a hall it falls into its place
    arrived.textContent = step.arrived[level];
    fill(one, answer);
    for (const [i, slice] of slices.entries()) slice.style.width = percent(answer?.chances[i] ?? 0);
    rest.textContent = rest.title = answer?.rest ?? "";
    wup.textContent = answer?.wup ?? "";
    if (!hub.compares()) return;
    for (const [target, name] of [[a, "a"], [b, "b"]]) {
      const { answers, first, short } = hub.source(hub.state[name]);
      fill(target, short ? { label: short } : answers?.[level], name.toUpperCase(), first?.[level] ?? undefined);
    }
  }

  function render(step) {
    const { whole, file_bytes } = hub.trace;
    box.classList.toggle("comparing", hub.compares());
    $(".bytes b").textContent = step.size;
    $(".bytes span").textContent = ` of ${whole} · ${Math.round((100 * step.bytes) / file_bytes)} %`;
    $("[data-number=bpp]").textContent = step.rate;
    $("[data-number=psnr]").textContent = step.quality;
    $("[data-number=told]").textContent = step.told;
    for (const row of rows) renderRow(row, step);
    $(".apart").hidden = step.consistent || hub.compares(); // of two sides it would be said of neither
  }

  return { build, render };
}
