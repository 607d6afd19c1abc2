import assert from "node:assert/strict";
import { test } from "node:test";

import { createAnswers } from "../../hiercodec/report/web/answers.mjs";
import { createHall } from "../../hiercodec/report/web/hall.mjs";
import { createLanes } from "../../hiercodec/report/web/lanes.mjs";
import { createPresent } from "../../hiercodec/report/web/present.mjs";
import { fakeHub } from "./page.mjs";

const answer = (label, verdict) => ({ label, mark: verdict, verdict, sign: { right: "✓", wrong: "✗" }[verdict], link: `clusters?group=${label}`, chance: "62 %", chances: [0.62, 0.2], rest: "then b 20 %", wup: "" });
const step = (size) => ({
  size, bytes: 100, rate: "1 bit/pixel", quality: "20.0 dB", told: "2.1 of 3.3 bits", consistent: true,
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
  hub.source = () => ({ text: "JPEG", waiting: "not so small: 986 bytes at least", short: "no file so small" });
  part.render(trace.steps[0]);
  assert.equal(b.find("label").textContent, "no file so small");
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
  for (const [key, name] of [["n", "next"], ["R", "rival"], ["v", "vote"], ["b", "blank"]]) {
    assert.ok(hub.press(key));
    assert.deepEqual(hub.said.at(-1), ["act", name]);
  }
  hub.box.classes.add("blank");
  assert.ok(hub.press("PageDown"));
  assert.deepEqual([hub.state.k, hub.box.classes.has("blank")], [1, false], "a key brings the picture back and does no more");
  assert.ok(hub.press("Escape"));
  assert.ok(!hub.box.classes.has("present"));
  assert.equal(hub.press("PageDown"), false);
  part.destroy();
});

test("a vote: questions with their keys, then the file arrives, then both curves; Escape tells the server", () => {
  globalThis.addEventListener = globalThis.removeEventListener = () => {};
  const hub = fakeHub(trace);
  hub.data.id = "cat";
  const pressed = [];
  const part = (hub.hall = createHall(hub));
  const said = (more) => {
    globalThis.hiercodecHall = { id: "cat", round: 1, steps: [1, 2], questions: ["What is it?", "And now?"], choices: ["cat", "<b>dog</b>"], votes: 3, code: "ABCDE", address: "http://x", qr: "data:,", press: (action) => pressed.push(action), ...more };
    part.follow();
  };
  said({ current: 0 });
  assert.deepEqual([part.asking, hub.state.k, hub.box.classes.has("vote-ask")], [true, 1, true]);
  assert.equal(hub.$(".hall").children[1].children[1].textContent, "2 <b>dog</b>", "labels stay text");
  assert.match(hub.$(".hall").textContent, /3 votes/);
  for (const key of ["PageDown", "2", "0", "Backspace", "ArrowLeft"]) (assert.ok(part.takes(key)), part.press(key));
  assert.deepEqual(pressed.splice(0), ["on", "1", "9", "undo", "back"]);
  said({ current: null, end: { title: "Right: cat", machine: [[0, 0], [1, 1]], hall: [[0.5, 0.5]], ticks: [[0.5, "200 bytes"]], lines: ["200 bytes: cat"], words: "lynx" } });
  assert.deepEqual([part.asking, hub.state.k, hub.said.at(-1)], [false, 0, ["play"]]);
  said({ current: null, end: globalThis.hiercodecHall.end });
  assert.equal(hub.said.filter(([name]) => name === "play").length, 1, "what the server repeats begins nothing again");
  part.ended();
  assert.ok(hub.box.classes.has("vote-curve"));
  assert.match(hub.$(".hall").textContent, /Right: cat.*200 bytes: cat.*lynx/);
  part.press("Escape");
  assert.deepEqual([part.on, hub.said.at(-1)], [false, ["ask", "vote", "off"]]);
  said({ current: null, end: globalThis.hiercodecHall.end });
  assert.equal(part.on, false, "what was on its way comes too late");
  globalThis.hiercodecHall = null;
});
