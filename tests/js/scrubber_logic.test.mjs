import assert from "node:assert/strict";
import { test } from "node:test";

import * as logic from "../../assets/scrubber_logic.mjs";

const top = (c, f) => ({ coarse: [[c, `kind ${c}`, 0.6]], fine: [[f, `class ${f}`, 0.3]] });
const steps = [
  { bytes: 100, psnr: 20.04, level: null, fraction: 0, top: top(1, 5), consistent: true },
  { bytes: 150, psnr: 22, level: null, fraction: 0.5, top: top(2, 5), consistent: true },
  { bytes: 200, psnr: 24, level: "coarse", fraction: 0, top: top(2, 6), consistent: false },
  { bytes: 300, psnr: 26, level: "coarse", fraction: 0.5, top: top(2, 5), consistent: true },
  { bytes: 400, psnr: null, level: "fine", fraction: 0, top: top(2, 7), consistent: true },
];
const cuts = { coarse: 200, fine: 400 };
const parts = { header: 30, z: 70, coarse: 100, fine: 200 };

test("bytes and per cents in words", () => {
  assert.equal(logic.formatBytes(1), "1 byte");
  assert.equal(logic.formatBytes(999), "999 bytes");
  assert.equal(logic.formatBytes(1940), "1.9 kB");
  assert.equal(logic.formatBytes(123_456), "123 kB");
  assert.equal(logic.formatPercent(0.004), "<1 %");
  assert.equal(logic.formatPercent(0.999), ">99 %");
  assert.equal(logic.formatPercent(0.126), "13 %");
  assert.equal(logic.formatPercent(0), "0 %");
  assert.equal(logic.formatPercent(1), "100 %");
});

test("the nearest step and the step within a budget", () => {
  assert.equal(logic.nearestStep(steps, 0, 400), 0);
  assert.equal(logic.nearestStep(steps, 0.4, 400), 1);
  assert.equal(logic.nearestStep(steps, 0.7, 400), 3);
  assert.equal(logic.nearestStep(steps, 1, 400), 4);
  assert.equal(logic.stepWithin(steps, 99), -1);
  assert.equal(logic.stepWithin(steps, 100), 0);
  assert.equal(logic.stepWithin(steps, 399.9), 3);
  assert.equal(logic.stepWithin(steps, 9999), 4);
});

test("level stops are the first step and each level's end", () => {
  assert.deepEqual(logic.levelStops(steps, cuts), [
    { name: "z", index: 0 },
    { name: "coarse", index: 2 },
    { name: "fine", index: 4 },
  ]);
  assert.deepEqual(logic.levelStops(steps.slice(0, 3), cuts).map((stop) => stop.name), ["z", "coarse"]);
});

test("every key of the slider pattern, and no other", () => {
  const stops = logic.levelStops(steps, cuts);
  const press = (key, at) => logic.keyTarget(key, at, steps.length, stops);
  assert.equal(press("ArrowRight", 1), 2);
  assert.equal(press("ArrowUp", 4), 4);
  assert.equal(press("ArrowLeft", 0), 0);
  assert.equal(press("ArrowDown", 3), 2);
  assert.equal(press("Home", 3), 0);
  assert.equal(press("End", 0), 4);
  assert.equal(press("PageUp", 0), 2);
  assert.equal(press("PageUp", 2), 4);
  assert.equal(press("PageUp", 4), 4);
  assert.equal(press("PageDown", 4), 2);
  assert.equal(press("PageDown", 3), 2);
  assert.equal(press("PageDown", 1), 0);
  for (const key of ["r", "c", "Tab", "Escape", "a"]) assert.equal(press(key, 2), null);
});

test("parts add up to the bytes received", () => {
  for (const bytes of [0, 1, 30, 31, 100, 199, 200, 400]) {
    const rows = logic.received(parts, bytes);
    assert.equal(rows.reduce((sum, row) => sum + row.got, 0), bytes);
    assert.ok(rows.every((row) => row.got <= row.size));
  }
  assert.deepEqual(logic.segments(parts)[2], { name: "coarse", start: 100, end: 200 });
});

test("runs, settling and verdicts", () => {
  assert.deepEqual(logic.runs(steps, "fine").map((run) => [run.from, run.to, run.group]), [
    [0, 1, 5],
    [2, 2, 6],
    [3, 3, 5],
    [4, 4, 7],
  ]);
  assert.equal(logic.settledFrom(steps, "coarse"), 1);
  assert.equal(logic.settledFrom(steps, "fine"), 4);
  assert.equal(logic.settledFrom(steps, "fine", [5, 7]), 3);
  assert.equal(logic.settledFrom(steps, "fine", [5]), -1);
  assert.equal(logic.settledFrom(steps, "absent"), -1);
  assert.equal(logic.verdict(steps[0], "fine", [5]), "right");
  assert.equal(logic.verdict(steps[0], "fine", [6]), "wrong");
  assert.equal(logic.verdict(steps[0], "fine", []), "unknown");
});

test("how much of a block has arrived", () => {
  const levels = ["coarse", "fine"];
  assert.equal(logic.blockShare(steps[1], "coarse", levels), 0.5);
  assert.equal(logic.blockShare(steps[1], "fine", levels), 0);
  assert.equal(logic.blockShare(steps[3], "coarse", levels), 1);
  assert.equal(logic.blockShare(steps[3], "fine", levels), 0.5);
  assert.equal(logic.blockShare(steps[4], "fine", levels), 1);
});

test("the sentence says where we stand", () => {
  const said = logic.sentence({ steps }, 0);
  assert.match(said, /Step 1 of 5, 100 bytes, 20\.0 decibels, coarse kind 1 60 %, fine class 5 30 %/);
  assert.match(logic.sentence({ steps }, 4), /identical to the original/);
});

test("difference: equal pictures give the ramp's zero, and the worst channel counts", () => {
  const lut = logic.ramp(["#000000", "#ffffff"]);
  assert.deepEqual(lut[0], [0, 0, 0]);
  assert.deepEqual(lut[255], [255, 255, 255]);
  const a = new Uint8ClampedArray([10, 20, 30, 255, 1, 2, 3, 255]);
  const b = new Uint8ClampedArray([10, 20, 30, 255, 1, 12, 3, 255]);
  assert.deepEqual([...logic.difference(a, b, 4, lut)], [0, 0, 0, 255, 40, 40, 40, 255]);
  const far = new Uint8ClampedArray([255, 0, 0, 255, 0, 0, 0, 255]);
  assert.deepEqual([...logic.difference(a, far, 4, lut).slice(0, 3)], [255, 255, 255]);
});
