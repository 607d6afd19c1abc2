// Tells the server what it cannot see by itself: that the theme changed while the page is open, and which tile of a
// Plotly tree or which dot was clicked (Streamlit reports no tiles, and where one can draw a lasso no clicks on dots).

const TILES = ["plotly_treemapclick", "plotly_icicleclick", "plotly_sunburstclick"];

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
    const plot = data.chart && document.querySelector(`.st-key-${data.chart} .js-plotly-plot`);
    if (!plot?.on || plot.hiercodecListens) return;
    plot.hiercodecListens = true;
    const click = (where) => where !== undefined && setTriggerValue("click", String(where));
    for (const name of TILES) {
      plot.on(name, (event) => {
        click(event.nextLevel ?? event.points[0].id); // the open tile leads up, and a class has no next level
        return false; // the server draws what opens
      });
    }
    plot.on("plotly_click", (event) => click(event.points[0]?.customdata));
  };
  attach();
  const plots = new MutationObserver(attach);
  if (data.chart) plots.observe(app, { childList: true, subtree: true });

  return () => {
    themes.disconnect();
    plots.disconnect();
  };
}
