import assert from "node:assert/strict";
import { test } from "node:test";

import { createAnswers } from "../../hiercodec/ui/web/answers.mjs";
import { createLanes } from "../../hiercodec/ui/web/lanes.mjs";
import { createPresent } from "../../hiercodec/ui/web/present.mjs";
import { fakeHub } from "./page.mjs";

const answer = (label, verdict) => ({ label, mark: verdict, verdict, sign: { right: "✓", wrong: "✗" }[verdict], link: `clusters?group=${label}`, chance: "62 %", chances: [0.62, 0.2], rest: "then b 20 %", margin: "margin 42 points", wup: "" });
const step = (size) => ({
  size, bytes: 100, rate: "1 bit/pixel", quality: "20.0 dB", told: "2.1 of 3.3 bits", where: "kind 100 = 100 bytes", consistent: true,
  answers: { kind: answer("cat", "right") }, arrived: { kind: "100 of 200 bytes" },
});
const trace = {
  levels: ["kind"], names: { kind: "kind" }, file_bytes: 400, whole: "400 bytes", truth: "Truth: cat", quality: "quality",
  curve: { called: "meaning", most: 3.3, lines: [{ level: "kind", most: 3.3, points: [[0, 0], [1, 3]] }] },
  steps: [step("100 bytes"), step("150 bytes"), step("200 bytes")],
  lanes: [{ level: "kind", bars: [[0, 1, 0.5, true]], runs: [[0, 1, "<b>cat</b>", ""]], first: ["✓ right", "from 100 bytes", true, "✓ right at every step shown from 100 bytes on"] }],
  icicle: [{ level: "kind", labels: ["cat", "dog"], groups: [0, 1], masses: [[700, 300], [4, 996], [0, 1000]] }],
};

test("one prefix gives one answer a level; a comparison gives both sides, and when each is right first", () => {
  const hub = fakeHub(trace);
  const part = createAnswers(hub);
  part.build();
  part.render(trace.steps[0]);
  const row = hub.$(".path").children[0];
  assert.equal(row.find("alone").find("label").textContent, "cat");
  assert.equal(row.find("label").href, "clusters?group=cat");
  assert.equal(row.find("mark").textContent, "✓ right");
  assert.ok(row.classes.has("pending"));
  const sides = {
    prefix: { answers: trace.steps[0].answers, first: { kind: ["✓ right", "from 100 bytes", true, "✓ right at every step shown from 100 bytes on"] } },
    jpeg: { answers: { kind: answer("dog", "wrong") }, first: { kind: ["✗", "never right", false, "never right"] } },
  };
  Object.assign(hub, { compares: () => true, source: (name) => sides[name] });
  part.render(trace.steps[0]);
  const [a, b] = row.children.filter((child) => child.classes.has("compared"));
  assert.deepEqual([a, b].map((side) => side.find("label").textContent), ["cat", "dog"]);
  assert.equal(a.find("first").textContent, "from 100 bytes");
  assert.match(a.find("first").title, /at every step shown from 100 bytes on/);
  assert.equal(b.children[4].className, "first wrong");
  hub.source = () => ({ text: "JPEG", waiting: "not so small: 986 bytes at least" });
  part.render(trace.steps[0]);
  assert.equal(b.find("label").textContent, "not so small: 986 bytes at least");
  assert.equal(b.find("label").href, undefined, "what is no answer leads nowhere");
});

test("a file's own label stands under the answer: not yet here, agreeing or not, and with both together", () => {
  const told = (agrees) => ({ kind: { label: "<b>dog</b>", chance: "90 %", agrees, words: agrees ? "agrees" : "hard picture", sentence: "A hard picture.", together: "dog 95 %" } });
  const steps = [{ ...trace.steps[0], label: {} }, { ...trace.steps[1], label: told(true) }, { ...trace.steps[2], label: told(false) }];
  const hub = fakeHub({ ...trace, labelled: true, steps });
  const part = createAnswers(hub);
  part.build();
  assert.ok(hub.box.classes.has("labelled"));
  const label = hub.$(".path").children[0].find("file-label");
  part.render(steps[0]);
  assert.equal(label.find("says").textContent, "not yet here");
  part.render(steps[1]);
  assert.deepEqual(["says", "badge", "together"].map((name) => label.children.find((c) => c.classes.has(name)).textContent), ["<b>dog</b> 90 %", "✓ agrees", "together dog 95 %"]);
  part.render(steps[2]);
  assert.equal(label.find("badge").textContent, "≠ hard picture");
  assert.equal(label.find("badge").title, "A hard picture.");
  assert.ok(label.find("badge").classes.has("wrong"));
});

test("labels stay text, the curve has a line and its limit, and the probabilities follow the position", () => {
  const hub = fakeHub(trace);
  const part = createLanes(hub);
  part.build();
  hub.state.k = 1;
  part.render(trace.steps[1]);
  const [lane, curve] = hub.$(".lanes").children;
  assert.equal(lane.find("run").textContent, "<b>cat</b>");
  assert.equal(lane.find("short").textContent, "✓ right from 100 bytes");
  assert.equal(lane.find("long").textContent, lane.find("note").title);
  assert.equal(curve.find("cell").children[0].children.length, 2);
  const cells = hub.$(".icicle .rows").children[0].find("cell").children;
  assert.deepEqual(cells.map((cell) => [cell.style.flexGrow, cell.dataset.p]), [[4, "<1 %"], [996, ">99 %"]]);
});

test("presenting: the bar has the focus, every clicker key moves and commits, Escape ends it", () => {
  const hub = fakeHub(trace);
  const part = createPresent(hub);
  assert.equal(hub.press("PageDown"), false, "keys are not ours before");
  part.toggle();
  assert.equal(document.activeElement, hub.$(".track"));
  for (const key of ["PageDown", " "]) assert.ok(hub.press(key));
  assert.deepEqual([hub.state.k, hub.said.at(-1)], [2, ["commit", 2]]);
  assert.ok(hub.press("PageUp"));
  assert.equal(hub.state.k, 1);
  assert.equal(hub.press("a"), false);
  assert.ok(hub.press("Escape"));
  assert.ok(!hub.box.classes.has("present"));
  assert.equal(hub.press("PageDown"), false);
  part.destroy();
});
