// Tells the server what it cannot see by itself: that the theme changed while the page is open, and which tile of a
// Plotly tree was clicked (Streamlit reports points and lassos only).

const TREES = ["plotly_treemapclick", "plotly_icicleclick", "plotly_sunburstclick"];

export default function listen({ data, parentElement, setTriggerValue }) {
  const app = (parentElement.host ?? parentElement).closest('[data-testid="stApp"]') ?? document.body;
  const seen = () => getComputedStyle(app).colorScheme;

  let told = data.mode; // in which theme the server drew this page, where anybody wants to know
  const theme = () => {
    const now = seen();
    if (told && now !== told && ["light", "dark"].includes(now)) setTriggerValue("theme", (told = now));
  };
  theme();
  const themes = new MutationObserver(theme);
  themes.observe(app, { attributes: true, attributeFilter: ["class", "style"] });

  const attach = () => {
    const plot = data.tree && document.querySelector(`.st-key-${data.tree} .js-plotly-plot`);
    if (!plot?.on || plot.hiercodecListens) return;
    plot.hiercodecListens = true;
    for (const name of TREES) {
      plot.on(name, (event) => {
        // a click on the open group itself leads up: `nextLevel` says where; a leaf has no next level but its own id
        setTriggerValue("node", String(event.nextLevel ?? event.points[0].id));
        return false; // the server draws the group that opens
      });
    }
  };
  attach();
  const plots = new MutationObserver(attach);
  if (data.tree) plots.observe(app, { childList: true, subtree: true });

  return () => {
    themes.disconnect();
    plots.disconnect();
  };
}
