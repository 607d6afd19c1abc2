// What the server says of a vote, as a component of the app without a face: it reaches the scrubber by an event (hall.mjs),
// and every press goes back counted, so that none is lost where two come before the server has answered the first, and so
// that what it said before it heard of the last one counts as nothing.
// data: {id, round, current, done: [since, count], …} (ui/vote/hall.py); goes out as state "presses": {since, count, last: [actions]}.

const KEEP = 40;

export default function ({ data, setStateValue }) {
  const presses = (globalThis.hiercodecPresses ??= { since: Date.now(), count: 0, last: [] });
  const press = (action) => {
    presses.count += 1;
    presses.last = [...presses.last, action].slice(-KEEP);
    setStateValue("presses", { ...presses });
  };
  const tell = (said) => {
    globalThis.hiercodecHall = said;
    globalThis.dispatchEvent(new Event("hiercodec-hall"));
  };
  const [since, count] = data.done ?? [];
  if (since !== presses.since || count >= presses.count) tell({ ...data, press });
  return () => tell(null);
}
