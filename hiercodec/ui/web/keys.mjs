// A component without a face that tells the server of keys, as a clicker sends them. Every press is counted, so that none
// is lost where two come before the server has answered the first.
// data: {keys: {key: action}}; goes out as state "presses": {since, count, last: [actions]}.

const KEEP = 40;
const TYPING = "input, textarea, select, [contenteditable=true]";

export default function ({ data, setStateValue }) {
  const presses = { since: Date.now(), count: 0, last: [] };
  const pressed = (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    const action = data.keys[key];
    if (!action || ctrlKey || metaKey || altKey || target.closest(key === " " ? `${TYPING}, button, a` : TYPING)) return;
    event.preventDefault();
    event.stopPropagation(); // Streamlit has shortcuts of its own
    presses.count += 1;
    presses.last = [...presses.last, action].slice(-KEEP);
    setStateValue("presses", { ...presses });
  };
  document.addEventListener("keydown", pressed, true);
  return () => document.removeEventListener("keydown", pressed, true);
}
