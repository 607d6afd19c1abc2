// Tells the server what Streamlit does not: which tile of a Plotly tree was clicked, and which dot of a chart in which one
// can draw a lasso.

const TILES = ["plotly_treemapclick", "plotly_icicleclick", "plotly_sunburstclick"];

export default function listen({ data, parentElement, setTriggerValue }) {
  const click = (where) => where !== undefined && setTriggerValue("click", String(where));

  const attach = () => {
    const plot = document.querySelector(`.st-key-${data.chart} .js-plotly-plot`);
    if (!plot?.on || plot.hiercodecListens) return;
    plot.hiercodecListens = true;
    for (const name of TILES) {
      plot.on(name, (event) => {
        click(event.nextLevel ?? event.points[0].id); // the open tile leads up, and a class has no next level
        return false; // the server draws what opens
      });
    }
    plot.on("plotly_click", (event) => click(event.points[0]?.customdata));
  };

  attach(); // and again whenever a chart is drawn anew
  const plots = new MutationObserver(attach);
  plots.observe((parentElement.host ?? parentElement).closest('[data-testid="stApp"]') ?? document.body, {
    childList: true,
    subtree: true,
  });
  return () => plots.disconnect();
}
