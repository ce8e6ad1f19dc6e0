// Draws each figure from the JSON beside it; its legend and its day buttons are the page's own.
(() => {
  "use strict";
  const narrow = matchMedia("(max-width: 640px)").matches;
  const finger = matchMedia("(pointer: coarse)").matches;

  function fitted(layout) {
    layout.dragmode = finger ? false : layout.dragmode;
    if (narrow) {
      layout.margin = { ...layout.margin, l: 48, r: 8 };
      layout.font = { ...layout.font, size: 12 };
      for (const name of Object.keys(layout)) {
        if (/^xaxis\d*$/.test(name) && !layout[name].tickvals) layout[name].nticks = 4;
      }
    }
    return layout;
  }

  function groups(traces) {
    const found = new Map();
    traces.forEach((trace, index) => {
      const key = trace.legendgroup || `trace ${index}`;
      if (!found.has(key)) found.set(key, { traces: [], shown: null });
      const group = found.get(key);
      group.traces.push(index);
      if (trace.name && trace.showlegend !== false) group.shown = trace;
    });
    const rank = (group) => group.shown.legendrank ?? 1000;
    const shown = [...found.values()].filter((group) => group.shown);
    return shown.sort((one, other) => rank(one) - rank(other));
  }

  function swatch(trace) {
    const mark = document.createElement("i");
    const line = trace.line || {};
    if (trace.fillcolor && !line.width) {
      mark.className = "area";
      mark.style.background = trace.fillcolor;
    } else {
      const style = { dash: "dashed", dot: "dotted" }[line.dash] || "solid";
      mark.style.borderTop = `3px ${style} ${line.color || (trace.marker || {}).color}`;
    }
    return mark;
  }

  function addLegend(place, plot, traces) {
    for (const group of groups(traces)) {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(group.shown.visible !== "legendonly"));
      button.append(swatch(group.shown), group.shown.name);
      button.addEventListener("click", () => {
        const on = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(on));
        Plotly.restyle(plot, { visible: on ? true : "legendonly" }, group.traces);
        // Bands and their labels go by the name of their entry.
        const also = (one) => (one.name === group.shown.name ? { ...one, visible: on } : one);
        const { shapes = [], annotations = [] } = plot.layout;
        if ([...shapes, ...annotations].some((one) => one.name === group.shown.name)) {
          Plotly.relayout(plot, { shapes: shapes.map(also), annotations: annotations.map(also) });
        }
      });
      place.append(button);
    }
  }

  function addZoom(place, plot) {
    const buttons = [...place.querySelectorAll("button")];
    const press = (pressed) => {
      for (const one of buttons) one.setAttribute("aria-pressed", String(one === pressed));
    };
    for (const button of buttons) {
      button.addEventListener("click", () => {
        const { from, to } = button.dataset;
        const range = from ? { "xaxis.range": [from, to] } : { "xaxis.autorange": true };
        Plotly.relayout(plot, range).then(() => press(button));
      });
    }
    plot.on("plotly_relayout", (change) => {
      if (Object.keys(change).some((key) => key.startsWith("xaxis"))) press(null);
    });
    plot.on("plotly_doubleclick", () => setTimeout(() => press(buttons[0])));
  }

  for (const plot of document.querySelectorAll(".figure")) {
    const frame = plot.parentElement;
    const { data, layout } = JSON.parse(frame.querySelector("script.spec").textContent);
    const config = { displayModeBar: false, responsive: true, doubleClick: "autosize" };
    Plotly.newPlot(plot, data, fitted(layout), config).then(() => {
      const legend = frame.querySelector(".legend");
      if (legend) addLegend(legend, plot, data);
      const zoom = frame.querySelector(".zoom");
      if (zoom) addZoom(zoom, plot);
      plot.dataset.drawn = "yes";
    });
  }
})();
