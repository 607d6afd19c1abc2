// Decodes a set of pictures once and keeps them for the scrubber, which finds them under globalThis.hiercodecFrames.
// It lives apart from the scrubber so that moving the scrubber never sends the pictures again.
// data: {id, type, pictures: {name: [base64, …]}}

const KEEP = 6;

/** The page-wide store: id → Map(name → [ImageBitmap]), oldest first. */
function store() {
  globalThis.hiercodecFrames ??= new Map();
  return globalThis.hiercodecFrames;
}

async function decode(base64, type) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  // No colour management and no alpha premultiplication: the canvas must show the decoder's own values.
  return createImageBitmap(new Blob([bytes], { type }), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
}

export default function ({ data }) {
  const sets = store();
  if (!data?.id || sets.has(data.id)) return;
  const pictures = new Map();
  sets.set(data.id, pictures);
  for (const id of [...sets.keys()].slice(0, Math.max(0, sets.size - KEEP))) {
    for (const list of sets.get(id).values()) list.forEach((bitmap) => bitmap?.close());
    sets.delete(id);
  }
  for (const [name, list] of Object.entries(data.pictures)) {
    const bitmaps = new Array(list.length).fill(null);
    pictures.set(name, bitmaps);
    list.forEach(async (base64, index) => {
      try {
        bitmaps[index] = await decode(base64, data.type);
      } catch (error) {
        console.warn(`picture ${name}/${index} cannot be shown`, error);
      }
      globalThis.dispatchEvent(new CustomEvent("hiercodec-frame", { detail: { id: data.id, name, index } }));
    });
  }
}
