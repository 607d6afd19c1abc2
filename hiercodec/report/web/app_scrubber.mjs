// The scrubber as a component of the app: Streamlit calls this with the data at every run.

import { walkPhotographs } from "./history.mjs";
import { createScrubber } from "./scrubber.mjs";

const instances = new WeakMap();

export default function (component) {
  const { parentElement: root } = component;
  if (!instances.has(root)) instances.set(root, createScrubber(root));
  instances.get(root).update(component);
  walkPhotographs(component.data.alt);
  return () => {
    instances.get(root)?.destroy();
    instances.delete(root);
  };
}
