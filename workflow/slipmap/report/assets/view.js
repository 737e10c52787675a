"use strict";
// `slipmap view`: Explore over tiles and pixels of the full results; reference, comparison and profile.
(() => {
  const { css, el, quantity, chart, seriesChart, save } = kit, told = document.getElementById("told");
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const ask = async (what, values) => (await fetch(`${what}?${new URLSearchParams(values)}`)).json();
  let reference = null, before = null, start = null;
  const MOVED = new Set(["velocity"]);
  const minus = (a, b) => (a === null || b === null ? null : a - b);
  const both = (a, b) => (a === null || b === null ? null : Math.hypot(a, b));
  // A place against the reference that was chosen: series, rate and their standard deviations.
  async function series(column, row, absolute = false) {
    const found = await ask("series", { column, row });
    if (!found || absolute || !reference) return found;
    const values = found.series && reference.series && found.series.map((v, i) => minus(v, reference.series[i]));
    const std = found.std && reference.std && found.std.map((v, i) => both(v, reference.std[i]));
    const velocity = minus(found.velocity, reference.velocity);
    const spread = both(found.velocity_std, reference.velocity_std);
    const facts = velocity === null ? found.facts : [["Velocity against the reference",
      quantity(velocity, "mm/yr", 1, spread)], ...found.facts.slice(1)];
    return { ...found, series: values, std, velocity, velocity_std: spread, facts };
  }
  const source = {
    zoomSnap: 1, // tiles between whole steps of zoom leave seams
    picture: (layer, { pane, bounds, opacity }) => (layer.uri ? L.imageOverlay(layer.uri, bounds, { pane, opacity }) :
      L.tileLayer(`tile/${encodeURIComponent(layer.id)}/{z}/{x}/{y}.png${reference && MOVED.has(layer.id)
        ? `?minus=${reference.velocity || 0}` : ""}`,
      { pane, bounds, opacity, minZoom: -8, maxZoom: 5, maxNativeZoom: 3, minNativeZoom: -6 })),
    values: (ids, column, row) => ask("values", { column, row, layers: ids.join(",") }),
    series,
  };
  const view = explore(data, source);
  view.fit();
  const where = view.place, actions = {
    async reference(latlng) {
      reference = await series(...where(latlng), true);
      const [column, row] = where(latlng).map(Math.floor);
      if (!reference || reference.velocity === null) reference = null;
      told.textContent = reference ? `Velocities are against column ${column}, row ${row}.` :
        "No velocity there: velocities are against the reference of the results.";
      view.show();
      mode("");
    },
    async compare(latlng) {
      const [one, other] = await Promise.all([before || latlng, latlng].map((p) => series(...where(p))));
      const places = [["first", one, css("--series")], ["second", other, "#d55e00"]].filter((p) => p[1] && p[1].series)
        .map(([name, found, colour]) => ({ name, values: found.series, std: found.std, colour }));
      view.mark((style) => L.featureGroup([before || latlng, latlng].map((p) => L.circleMarker(p, style))));
      if (!places.length) { told.textContent = "Neither place has a series."; return; }
      const dates = (one.series ? one : other).dates;
      const each = (of) => places.flatMap((p) => [of(p.name, p.values), ...p.std ? [of(`${p.name}_std`, p.std)] : []]);
      const rows = [["date", ...each((name) => `${name}_mm`)], ...dates.map((d, i) => [d, ...each((_, v) => v[i])])];
      const facts = [one, other].flatMap((found, i) => (found ? found.facts : [])
        .map(([what, text]) => [`${what}, ${["first", "second"][i]}`, text]));
      show("Two places", seriesChart(dates, places, "Displacement of both"), facts, () => save("comparison.csv", rows));
    },
    async profile(latlng) {
      if (!start) { start = latlng; told.textContent = "Click where the profile ends."; return; }
      const [a, b] = [start, latlng], layer = view.layers.get(view.state.left);
      start = null; told.textContent = "Click where the next profile begins.";
      view.mark((style) => L.featureGroup([L.polyline([a, b], style), L.circleMarker(a, { radius: 6, ...style })]));
      const found = await ask("profile", { layer: layer.id, line: [...where(a), ...where(b)].join(",") });
      const moved = reference && MOVED.has(layer.id), x = found.distance, length = quantity(x.at(-1), "m", 0);
      const values = moved ? found.values.map((v) => minus(v, reference.velocity)) : found.values;
      const band = moved && found.std ? found.std.map((v) => both(v, reference.velocity_std)) : found.std;
      const said = `Profile of ${layer.title} over ${length}`, yLabel = `value (${found.units || "no unit"})`;
      show(`Profile: ${layer.title}`, chart({ x, isTime: false, xLabel: "distance (m)", yLabel, said,
        curves: [{ name: layer.title, values, colour: css("--series"), band }] }), [["Length, from the ring", length]],
      () => save("profile.csv", [["distance_m", "value", "std"], ...x.map((d, i) => [d, values[i], band && band[i]])]));
    },
  };
  function show(title, picture, facts, csv) {
    document.getElementById("panel").replaceChildren(el("h2", {}, title), el("div", { class: "buttons" },
      el("button", { type: "button", id: "saved", onclick: csv }, "Save as CSV")), picture, el("table", {},
      ...facts.map((f) => el("tr", {}, el("th", { scope: "row" }, f[0]), el("td", {}, f[1])))));
  }
  const buttons = document.querySelectorAll("#modes button");
  function mode(name) {
    view.tools.click = actions[name] || null; start = null;
    told.textContent = { compare: "Click the second place.", reference: "Click the place that is to stand still.",
      profile: "Click where the profile begins." }[name] || told.textContent;
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.mode === name)));
  }
  view.map.on("click", (event) => { before = view.tools.click ? before : event.latlng; });
  buttons.forEach((button) => button.addEventListener("click", () => mode(button.dataset.mode)));
  view.follow();
  window.slipmap = Object.assign(view, { data, mode, reference: () => reference });
  document.documentElement.dataset.ready = "yes";
})();
