// The page to take away: the scrubber without a server. What the app would send lies in the page as JSON.
// Its address may name a step, counted from 1: cat.html#5.

import { keepFrames } from "./frames.mjs";
import { createScrubber } from "./scrubber.mjs";

const { pictures, ...data } = JSON.parse(document.getElementById("data").textContent);
const page = document.documentElement;
const scrubber = createScrubber(document);
let seek = 0;

function told(name, value) {
  if (name === "k") history.replaceState(null, "", `#${value + 1}`);
}

/** Go where the address says, else where the page opens. */
function go() {
  const step = /^#([1-9]\d{0,3})$/.exec(location.hash);
  const k = step ? Number(step[1]) - 1 : data.k;
  scrubber.update({ data: { ...data, k, seek: (seek += 1) }, setStateValue: told, setTriggerValue: () => {} });
}

/** Light or dark as the device is set, until the button says otherwise. */
function nameTheme(button) {
  const dark = page.dataset.theme ? page.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  button.textContent = dark ? "Light" : "Dark";
  return dark;
}

const theme = document.querySelector("[data-page=theme]");
theme.onclick = () => {
  page.dataset.theme = nameTheme(theme) ? "light" : "dark";
  nameTheme(theme);
};
document.querySelector("[data-page=print]").onclick = () => print();
nameTheme(theme);
addEventListener("hashchange", go);
go();
for (const set of pictures) keepFrames(set);
