// Back and Forward walk photographs. Streamlit makes an entry of every address that it writes; those that name the view shown
// already, of another step, are written over the one before. And because the server cannot tell Back from an address that a
// browser sent before it heard of a newer one, every entry is marked when it is left.

/** `shown` is the photograph on the page, which an address may leave out. */
export function walkPhotographs(shown) {
  (globalThis.hiercodecWalks ??= begin()).shown = shown;
}

function begin() {
  const walks = { left: 0, began: Date.now() };
  const push = history.pushState.bind(history);
  const viewOf = ({ searchParams: says }) => [
    says.get("photo") ?? walks.shown,
    ...(says.has("course") ? [says.get("course"), says.get("lesson")] : []), // the server takes a course away before its lesson
  ].join();
  history.pushState = (state, title, address) => {
    const [here, next] = [new URL(location.href), new URL(address ?? location.href, location.href)];
    if (here.pathname !== next.pathname || !next.searchParams.has("photo")) return push(state, title, address);
    if (viewOf(here) === viewOf(next)) return history.replaceState(state, title, address);
    here.searchParams.set("walk", `${walks.began}-${(walks.left += 1)}`);
    history.replaceState(history.state, title, here);
    return push(state, title, address);
  };
  return walks;
}
