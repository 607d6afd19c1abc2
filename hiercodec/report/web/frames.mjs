// Decodes a set of pictures once and keeps them for the scrubber, which finds them under globalThis.hiercodecFrames.
// It lives apart from the scrubber so that moving the scrubber never sends the pictures again.
// data: {id, pictures: {name: [base64 of WebP or PNG, …]}, changes: [names]}; of a row named in `changes` only the first is a
// picture, each other one holds (new − old + 128) mod 256, as in hiercodec/evaluation/bundle.py.

const KEEP = 6;
// No colour management and no alpha premultiplication: the canvas must show the decoder's own values.
const EXACT = { colorSpaceConversion: "none", premultiplyAlpha: "none" };

async function decode(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return createImageBitmap(new Blob([bytes]), EXACT);
}

function pixels(bitmap) {
  const pen = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
  pen.drawImage(bitmap, 0, 0);
  return pen.getImageData(0, 0, bitmap.width, bitmap.height);
}

/** Every picture of a row, in order; `show(index, bitmap)` is called as each is ready. */
async function decodeRow(row, areChanges, show) {
  const files = row.map(decode); // decoding runs beside the adding up
  let current = null;
  for (const [index, file] of files.entries()) {
    const bitmap = await file;
    if (!areChanges) show(index, bitmap);
    else {
      const change = pixels(bitmap);
      bitmap.close();
      if (current) for (let i = 0; i < current.data.length; i += 1) change.data[i] = i % 4 === 3 ? 255 : (current.data[i] + change.data[i] + 128) & 255;
      current = change;
      show(index, await createImageBitmap(current, EXACT));
    }
  }
}

/** Decode and keep a set of pictures, unless it is here already. */
export function keepFrames(data) {
  const sets = (globalThis.hiercodecFrames ??= new Map());
  if (!data?.id || sets.has(data.id)) return;
  const set = new Map(Object.entries(data.pictures).map(([name, row]) => [name, new Array(row.length).fill(null)]));
  sets.set(data.id, set);
  for (const old of [...sets.keys()].slice(0, Math.max(0, sets.size - KEEP))) {
    for (const row of sets.get(old).values()) row.forEach((bitmap) => bitmap?.close());
    sets.delete(old);
  }
  for (const [name, row] of Object.entries(data.pictures)) {
    decodeRow(row, data.changes.includes(name), (index, bitmap) => {
      set.get(name)[index] = bitmap;
      globalThis.dispatchEvent(new CustomEvent("hiercodec-frame", { detail: { id: data.id } }));
    }).catch((error) => console.warn(`pictures ${name} cannot be shown`, error));
  }
}
