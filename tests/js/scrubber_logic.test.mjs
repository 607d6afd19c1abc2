import assert from "node:assert/strict";
import { test } from "node:test";

import * as logic from "../../hiercodec/ui/web/scrubber_logic.mjs";

const top = (c, f) => ({ coarse: [[c, `kind ${c}`, 0.6]], fine: [[f, `class ${f}`, 0.3]] });
const steps = [
  { bytes: 100, psnr: 20.04, level: null, fraction: 0, top: top(1, 5), consistent: true },
  { bytes: 150, psnr: 22, level: null, fraction: 0.5, top: top(2, 5), consistent: true },
  { bytes: 200, psnr: 24, level: "coarse", fraction: 0, top: top(2, 6), consistent: false },
  { bytes: 300, psnr: 26, level: "coarse", fraction: 0.5, top: top(2, 5), consistent: true },
  { bytes: 400, psnr: null, level: "fine", fraction: 0, top: top(2, 7), consistent: true },
];
const cuts = { coarse: 200, fine: 400 };

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

test("the block under a number of bytes", () => {
  assert.equal(logic.blockAt(cuts, 100), "coarse");
  assert.equal(logic.blockAt(cuts, 200), "coarse"); // at its very end
  assert.equal(logic.blockAt(cuts, 201), "fine");
  assert.equal(logic.blockAt(cuts, 9999), "fine");
});

test("every key of the slider pattern, and no other", () => {
  const stops = [0, 2, 4];
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

test("verdicts and margins", () => {
  assert.equal(logic.verdict(steps[0], "fine", [5]), "right");
  assert.equal(logic.verdict(steps[0], "fine", [6]), "wrong");
  assert.equal(logic.verdict(steps[0], "fine", []), "unknown");
  assert.equal(logic.verdict({ top: {} }, "fine", [6]), "unknown");
  assert.equal(logic.margin([[1, "a", 0.62], [2, "b", 0.245]]), 38);
  assert.equal(logic.margin([[1, "a", 0.62]]), 62);
});

test("how much of a block has arrived", () => {
  const levels = ["coarse", "fine"];
  assert.equal(logic.blockShare(steps[1], "coarse", levels), 0.5);
  assert.equal(logic.blockShare(steps[1], "fine", levels), 0);
  assert.equal(logic.blockShare(steps[3], "coarse", levels), 1);
  assert.equal(logic.blockShare(steps[3], "fine", levels), 0.5);
  assert.equal(logic.blockShare(steps[4], "fine", levels), 1);
});

test("difference: equal pictures give the scale's zero, and the worst channel counts", () => {
  const lut = Array.from({ length: 256 }, (_, i) => [i, i, i]);
  const a = new Uint8ClampedArray([10, 20, 30, 255, 1, 2, 3, 255]);
  const b = new Uint8ClampedArray([10, 20, 30, 255, 1, 12, 3, 255]);
  assert.deepEqual([...logic.difference(a, b, 4, lut)], [0, 0, 0, 255, 40, 40, 40, 255]);
  const far = new Uint8ClampedArray([255, 0, 0, 255, 0, 0, 0, 255]);
  assert.deepEqual([...logic.difference(a, far, 4, lut).slice(0, 3)], [255, 255, 255]);
});

test("bits become squares that grow with the root of the bits and stay inside their cells", () => {
  const position = (bits) => [Math.floor((8 * bits) / 256), (8 * bits) % 256, 0, 255];
  const squares = logic.bitSquares([0, 25, 100.125, 400, 900, 6].flatMap(position), 3, 16, 400);
  assert.deepEqual(squares.map((square) => square.bits), [0, 25, 100.125, 400, 900, 6]);
  assert.deepEqual(squares.map((square) => square.side), [0, 4, 8, 15, 15, 2]);
  assert.deepEqual(squares.map((square) => square.shade), [0, 64, 128, 255, 255, 31]);
  assert.deepEqual([squares[3].x, squares[3].y], [0, 16]); // the second row begins
  for (const [i, { x, y, side }] of squares.entries()) {
    assert.ok(x >= 16 * (i % 3) && x + side < 16 * (i % 3) + 16);
    assert.ok(y >= 16 * Math.floor(i / 3) && y + side < 16 * Math.floor(i / 3) + 16);
  }
});
