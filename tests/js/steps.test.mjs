import assert from "node:assert/strict";
import { test } from "node:test";

import * as logic from "../../hiercodec/report/web/steps.mjs";

const steps = [100, 150, 200, 300, 400].map((bytes, i) => ({ bytes, at: [0, 0.3, 0.5, 0.8, 1][i] }));
const cuts = { coarse: 200, fine: 400 };

test("thousandths as per cents, never rounded up to certainty or down to none", () => {
  assert.deepEqual([4, 999, 126, 0, 1000].map(logic.formatThousandths), ["<1 %", ">99 %", "13 %", "0 %", "100 %"]);
});

test("the nearest step and the step within a budget", () => {
  assert.deepEqual([0, 0.2, 0.6, 1].map((place) => logic.nearestStep(steps, place)), [0, 1, 2, 4]);
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
  assert.equal(press("PageDown", 0), 2);
  assert.equal(press("PageDown", 2), 4);
  assert.equal(press("PageDown", 4), 4);
  assert.equal(press("PageUp", 4), 2);
  assert.equal(press("PageUp", 3), 2);
  assert.equal(press("PageUp", 1), 0);
  for (const key of ["r", "c", "Tab", "Escape", "a"]) assert.equal(press(key, 2), null);
});

test("a clicker, arrows, Page keys and Space lead one step on or back, and stop at the ends", () => {
  for (const key of ["ArrowRight", "ArrowDown", "PageDown", " "]) {
    assert.equal(logic.clickerTarget(key, 1, 5), 2, key);
    assert.equal(logic.clickerTarget(key, 4, 5), 4, key);
  }
  for (const key of ["ArrowLeft", "ArrowUp", "PageUp"]) {
    assert.equal(logic.clickerTarget(key, 1, 5), 0, key);
    assert.equal(logic.clickerTarget(key, 0, 5), 0, key);
  }
  assert.deepEqual(["Home", "End"].map((key) => logic.clickerTarget(key, 2, 5)), [0, 4]);
  for (const key of ["Escape", "Tab", "a"]) assert.equal(logic.clickerTarget(key, 2, 5), null);
});

test("a curve runs from left to right and is higher where there are more bits", () => {
  assert.equal(logic.curvePath([[0, 0], [0.5, 5], [1, 10]], 10, 1000, 100), "M0.0 100.0L500.0 50.0L1000.0 0.0");
});
