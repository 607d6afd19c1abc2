// The map of the classes beside the picture: near each other is near in meaning, lit where the probability lies now.
// A family is one path of dots, so that a step changes a hundred strokes and no more. Places are those of the page Groups.

import { make, percent, svg } from "./dom.mjs";
import { formatThousandths } from "./steps.mjs";

const FAINT = 5; // thousandths below which a family stays dark

export function createMap(hub) {
  const { $, box } = hub;
  let [lit, label, seats] = [[], null, []];

  /** Dots as a path of strokes without length, which round caps draw. */
  const dots = (points) => points.map(([x, y]) => `M${x} ${y}h0`).join("");

  /** The place of a family's name: its member in the middle of the others. */
  function seat(points) {
    const far = ([x, y]) => points.reduce((sum, [u, v]) => sum + Math.hypot(u - x, v - y), 0);
    return points.reduce((best, point) => (far(point) < far(best) ? point : best));
  }

  function build() {
    const { map, icicle } = hub.trace;
    box.classList.toggle("mapped", Boolean(map));
    $(".map").hidden = !map;
    if (!map) return;
    const { width, height, points, cells, link } = map;
    const { groups } = icicle.at(-1);
    const families = groups.map((_, family) => points.filter((_, i) => cells[i] === family));
    seats = families.map(seat).map(([x, y]) => [x / width, y / height]);
    lit = families.map((members, family) => svg("path", { d: dots(members) }, `var(--group-${groups[family] % 10})`));
    const drawing = svg("svg", { viewBox: `-20 -20 ${width + 40} ${height + 40}`, "aria-hidden": "true" });
    drawing.append(svg("path", { class: "all", d: dots(points) }), ...lit);
    label = make("span", "here");
    $(".map a").replaceChildren(drawing, label);
    if (link) $(".map a").href = link;
  }

  function render(step) {
    if (!hub.trace.map) return;
    const { labels, masses } = hub.trace.icicle.at(-1);
    const now = step.blank ? labels.map(() => 0) : masses[hub.state.k];
    for (const [i, path] of lit.entries()) {
      const strength = now[i] < FAINT ? 0 : Math.sqrt(now[i] / 1000);
      path.setAttribute("stroke-opacity", strength && 0.25 + 0.75 * strength);
      path.setAttribute("stroke-width", 12 + 22 * strength);
    }
    const first = now.indexOf(Math.max(...now));
    const [x, y] = seats[first];
    const words = step.blank ? "blank: nothing to light" : `${labels[first]} ${formatThousandths(now[first]).replace(" ", "\u00a0")}`;
    label.textContent = words;
    Object.assign(label.style, { left: percent(x), top: percent(y) });
    label.className = `here ${x > 0.5 ? "before" : "after"}`;
    $(".map a").ariaLabel = `Map of the ${hub.trace.map.points.length} classes, brightest: ${words}`;
  }

  return { build, render };
}
