// The pictures as a component of the app, apart from the scrubber: see frames.mjs.

import { keepFrames } from "./frames.mjs";

export default function ({ data }) {
  keepFrames(data);
}
