// What was decided from which byte on: a lane a level, the curve of meaning, and all of the probability at this point.

import { colourOf, helpOn, make, nameOf, percent, svg } from "./dom.mjs";
import { curvePath, formatThousandths } from "./steps.mjs";

const [WIDE, HIGH] = [1000, 100]; // the curve's own units; the page stretches them

export function createLanes(hub) {
  const { $, $$ } = hub;
  let cells = [];

  /** A level's lane: for every step a bar as high as its winner is likely, solid where it holds. */
  function laneOf({ level, bars, runs, first }, index) {
    const [verdict, words, ever, sentence] = first ?? ["", "", true, ""];
    const lane = make("div", "row lane", "", { "--colour": colourOf(hub.trace, level) });
    const cell = make("div", "cell");
    cell.append(...bars.map(([left, width, height, solid]) =>
      make("i", solid ? "solid" : "other", "", { left: percent(left), width: percent(width), height: percent(height) })));
    cell.append(...runs.map(([left, width, label, title]) => {
      const run = make("div", "run", "", { left: percent(left), width: percent(width) });
      run.title = title;
      run.append(make("span", "", label));
      return run;
    }));
    const note = make("span", ever ? "note" : "note wrong");
    note.title = sentence;
    note.append(make("span", "short", `${verdict} ${words}`), make("span", "long", sentence));
    if (index === 0) note.append(" ", helpOn("a lane"));
    lane.append(nameOf(hub.trace, level), cell, note);
    return lane;
  }

  /** Bits of meaning against bytes: a line a level, each under the dotted line of the most it can reach. */
  function curveOf({ called, most, lines }) {
    const [row, cell, name] = [make("div", "row lane curve"), make("div", "cell"), make("span", "name", `${called} `)];
    const drawing = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    for (const { level, most: top, points } of lines) {
      const stroke = colourOf(hub.trace, level);
      drawing.append(svg("path", { class: "top", d: curvePath([[0, top], [1, top]], most, WIDE, HIGH) }, stroke));
      drawing.append(svg("path", { d: curvePath(points, most, WIDE, HIGH) }, stroke));
    }
    cell.append(drawing);
    name.append(helpOn("bits of meaning"));
    row.append(name, cell, make("span", "note told"));
    return row;
  }

  function build() {
    const { lanes, curve, icicle } = hub.trace;
    $(".lanes").replaceChildren(...lanes.map(laneOf), ...(curve ? [curveOf(curve)] : []));
    cells = icicle.map(({ labels, groups }) => labels.map((label, i) => {
      const cell = make("i", i % 2 ? "odd" : "", "", { "--colour": `var(--group-${groups[i] % 10})` });
      cell.append(make("span", "", label));
      cell.title = label;
      return cell;
    }));
    $(".icicle .rows").replaceChildren(...icicle.map(({ level }, i) => {
      const row = make("div", "row", "", { "--colour": colourOf(hub.trace, level) });
      const note = make("span", "note", `${cells[i].length} groups `);
      if (i === 0) note.append(helpOn("these rows"));
      row.append(nameOf(hub.trace, level), make("div", "cell"), note);
      row.children[1].append(...cells[i]);
      return row;
    }));
    $(".icicle").hidden = !icicle.length;
  }

  /** A label that does not fit its stretch is left out: half a word says nothing. */
  function layout() {
    const spans = $$(".run span");
    const fits = spans.map((span) => span.scrollWidth <= span.clientWidth);
    for (const [i, span] of spans.entries()) span.classList.toggle("cut", !fits[i]);
  }

  function render(step) {
    for (const [i, { masses }] of hub.trace.icicle.entries()) {
      for (const [j, cell] of cells[i].entries()) {
        cell.style.flexGrow = masses[hub.state.k][j];
        cell.dataset.p = formatThousandths(masses[hub.state.k][j]);
      }
    }
    for (const note of $$(".note.told")) note.textContent = step.told;
  }

  return { build, layout, render };
}
