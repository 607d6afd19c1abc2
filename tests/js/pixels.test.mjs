import assert from "node:assert/strict";
import { test } from "node:test";

import * as logic from "../../hiercodec/report/web/pixels.mjs";

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
