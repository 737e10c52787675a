"use strict";
// The report's maps: layers, opacity, landslides to click, and what is known of a place. Uses map.js.
(() => {
  const { MapView, data, el, layers, legend, niceLength, number, pictures } = maps;

  // What a layer's picture says at a pixel, read back from its colour.
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  probe.canvas.width = probe.canvas.height = 1;
  function valueAt(layer, col, row) {
    const image = pictures.get(layer.id);
    if (!image || !image.naturalWidth || !layer.legend || !layer.legend.kind) return null;
    probe.clearRect(0, 0, 1, 1);
    probe.drawImage(image, Math.floor(col), Math.floor(row), 1, 1, 0, 0, 1, 1);
    const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data;
    const colour = "#" + [r, g, b].map((v) => v.toString(16).padStart(2, "0")).join("");
    if (layer.legend.kind === "classes") {
      const item = a && layer.legend.items.find((i) => i.colour === colour);
      return item ? item.name : null;
    }
    if (!a) return "no data";
    const { colours, min, max, units, clipped } = layer.legend;
    const level = colours.indexOf(colour);
    if (level < 0) return null;
    const sign = clipped && level === 0 ? "≤ " : clipped && level === colours.length - 1 ? "≥ " : "≈ ";
    return `${sign}${number(min + (level + 0.5) / colours.length * (max - min), max - min)} ${units}`.trim();
  }

  function seriesChart(dates, values, title) {
    const known = dates.map((d, i) => [Date.parse(d), values[i]]).filter((p) => p[1] !== null);
    if (known.length < 2) return el("p", {}, "No displacement history here: the radar does not see this ground coherently.");
    const W = 440, H = 230, L = 52, R = 12, T = 12, B = 40;
    const t0 = known[0][0], t1 = known[known.length - 1][0];
    let low = Math.min(0, ...known.map((p) => p[1])), high = Math.max(0, ...known.map((p) => p[1]));
    const pad = 0.08 * (high - low) || 1;
    low -= pad; high += pad;
    const X = (t) => L + (t - t0) / (t1 - t0) * (W - L - R), Y = (v) => H - B - (v - low) / (high - low) * (H - T - B);
    const parts = [];
    const step = niceLength((high - low) / 3);
    for (let v = Math.ceil(low / step) * step; v <= high; v += step)
      parts.push(`<line class="grid" x1="${L}" x2="${W - R}" y1="${Y(v)}" y2="${Y(v)}"/><text class="tick" x="${L - 6}" y="${Y(v) + 4}" text-anchor="end">${number(v, high - low)}</text>`);
    for (const f of [0, 0.5, 1]) {
      const t = t0 + f * (t1 - t0);
      parts.push(`<text class="tick" x="${X(t)}" y="${H - B + 17}" text-anchor="${["start", "middle", "end"][f * 2]}">${new Date(t).toISOString().slice(0, 10)}</text>`);
    }
    parts.push(`<polyline fill="none" stroke="#0072b2" stroke-width="1.6" points="${known.map(([t, v]) => `${X(t).toFixed(1)},${Y(v).toFixed(1)}`).join(" ")}"/>`);
    for (const [t, v] of known) parts.push(`<circle cx="${X(t).toFixed(1)}" cy="${Y(v).toFixed(1)}" r="2.6" fill="#0072b2"/>`);
    parts.push(`<text class="axis" transform="translate(12 ${(T + H - B) / 2}) rotate(-90)" text-anchor="middle">displacement (mm)</text>`);
    const figure = el("figure");
    figure.innerHTML = `<svg class="chart series" viewBox="0 0 ${W} ${H}" role="img" aria-label="${title}">${parts.join("")}</svg>`;
    figure.append(el("figcaption", {}, `${title}, in the radar's line of sight, positive towards the satellite.`));
    return figure;
  }

  function liveMap() {
    const root = document.getElementById("map");
    if (!root) return;
    const panel = document.getElementById("layers");
    const picked = document.getElementById("picked");
    const order = data.layers.map((layer) => layer.id);
    const state = data.layers.filter((layer) => layer.shown).map((layer) => ({ id: layer.id, opacity: layer.opacity }));
    const map = new MapView(root, { live: true, shown: state });
    const groups = new Map();
    const rows = new Map();
    for (const layer of [...data.layers].reverse()) {
      if (!groups.has(layer.group)) {
        const open = data.layers.some((other) => other.group === layer.group && other.shown) || layer.group.startsWith("Map");
        const group = el("details", open ? { open: "" } : {}, el("summary", {}, layer.group));
        panel.append(group);
        groups.set(layer.group, group);
      }
      const box = el("input", { type: "checkbox", "data-layer": layer.id });
      box.checked = layer.shown;
      const slider = el("input", { type: "range", min: "0", max: "1", step: "0.05", value: layer.opacity, "aria-label": `Opacity of ${layer.title}` });
      const row = el("div", { class: layer.shown ? "layer on" : "layer" }, el("label", {}, box, el("span", {}, layer.title)), el("div", { class: "more" }, legend(layer), slider));
      box.addEventListener("change", () => {
        row.classList.toggle("on", box.checked);
        const at = map.state.findIndex((s) => s.id === layer.id);
        if (at >= 0) map.state.splice(at, 1);
        if (box.checked) map.state.push({ id: layer.id, opacity: Number(slider.value) });
        map.state.sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
        map.draw();
      });
      slider.addEventListener("input", () => {
        const found = map.state.find((s) => s.id === layer.id);
        if (found) found.opacity = Number(slider.value);
        map.draw();
      });
      rows.set(layer.id, row);
      groups.get(layer.group).append(row);
    }
    const choice = document.getElementById("which");
    const chips = document.getElementById("only");
    const key = el("p", { class: "keys" });
    root.parentElement.before(key);
    const choices = [
      ["all", "All", () => true],
      ["new", "Not in the inventory", (l) => l.inventory === "new"],
      ["moving", "Moving", (l) => l.motion === "moving"],
    ];
    let only = "all";
    const use = (name) => {
      const found = name ? data.landslides[name] : null;
      const items = found ? found.items : [];
      const there = choices.filter(([id]) => id === "all" || items.some((l) => (id === "new" ? l.inventory : l.motion)));
      if (!there.some(([id]) => id === only)) only = "all";
      map.landslides = items.filter(choices.find(([id]) => id === only)[2]);
      map.dates = found ? found.dates : [];
      map.selected = null;
      map.draw();
      chips.className = "chips";
      chips.replaceChildren(...(items.length && there.length > 1 ? there : []).map(([id, label, wanted]) => {
        const button = el("button", { type: "button", "data-chip": id, "aria-pressed": String(id === only) }, `${label} (${items.filter(wanted).length})`);
        button.addEventListener("click", () => { only = id; use(name); });
        return button;
      }));
      const seen = Object.keys(data.motion).filter((motion) => items.some((l) => l.motion === motion));
      key.replaceChildren(...(seen.length ? ["Outlines:"] : []), ...seen.map((motion) => {
        const swatch = el("i");
        swatch.style.borderColor = data.motion[motion];
        return el("span", {}, swatch, motion);
      }));
    };
    for (const card of document.querySelectorAll("a[data-only]"))
      card.addEventListener("click", () => { only = card.dataset.only; if (choice && !choice.value) choice.selectedIndex = choice.options.length - 2; use(choice ? choice.value : ""); });
    if (choice) {
      choice.addEventListener("change", () => use(choice.value));
      use(choice.value);
    }
    map.onpick = (landslide, col, row) => {
      picked.replaceChildren();
      if (landslide) {
        const table = el("table");
        for (const [label, value] of landslide.attributes) table.append(el("tr", {}, el("th", {}, label), el("td", {}, value)));
        const two = el("div", { class: "two" }, table);
        if (landslide.series) two.append(seriesChart(map.dates, landslide.series, `Displacement of landslide ${landslide.id}`));
        picked.append(el("h3", {}, `Landslide ${landslide.id}`), two);
        return;
      }
      if (col < 0 || row < 0 || col >= data.width || row >= data.height) {
        picked.append(el("p", {}, "Outside the area."));
        return;
      }
      const table = el("table");
      for (const { id } of [...map.state].reverse()) {
        const text = valueAt(layers.get(id), col, row);
        if (text !== null) table.append(el("tr", {}, el("th", {}, layers.get(id).title), el("td", {}, text)));
      }
      const here = `${Math.round(data.left + col * data.metres)} E, ${Math.round(data.top - row * data.metres)} N`;
      const two = el("div", { class: "two" }, table);
      const point = nearestPoint(col, row);
      if (point) two.append(seriesChart(data.points.dates, point.series, `Displacement at this place`));
      picked.append(el("h3", {}, here), two);
    };
    for (const row of document.querySelectorAll("tr[data-landslide]"))
      for (const kind of ["click", "keydown"]) row.addEventListener(kind, (event) => {
        if (kind === "keydown" && event.key !== "Enter") return;
        only = "all";
        if (choice) { choice.value = row.dataset.experiment; use(choice.value); }
        const found = map.landslides.find((l) => String(l.id) === row.dataset.landslide);
        if (found) { document.getElementById("explore").scrollIntoView(); map.show(found); }
      });
    window.slipmap = { map, data, rows };
  }

  function nearestPoint(col, row) {
    if (!data.points) return null;
    let best = null, least = data.points.reach;
    for (const point of data.points.items) {
      const d = Math.hypot(point.at[0] - col, point.at[1] - row);
      if (d <= least) { least = d; best = point; }
    }
    return best;
  }

  function stillMaps() {
    for (const root of document.querySelectorAll("[data-show]")) {
      const shown = root.dataset.show.split(" ").map((part) => part.split("@")).filter(([id]) => layers.has(id));
      const at = root.dataset.at ? root.dataset.at.split(" ").map(Number) : null;
      const view = new MapView(root, { live: false, at, shown: shown.map(([id, opacity]) => ({ id, opacity: Number(opacity || 1) })) });
      const caption = root.nextElementSibling;
      for (const [id] of shown) if (layers.get(id).legend && layers.get(id).legend.kind && caption) caption.prepend(legend(layers.get(id)));
      if (root.dataset.landslides) { view.landslides = data.landslides[root.dataset.landslides].items; view.draw(); }
    }
    for (const image of document.querySelectorAll("img[data-layer]")) image.src = layers.get(image.dataset.layer).uri;
    for (const box of document.querySelectorAll("[data-legend]")) if (layers.has(box.dataset.legend)) box.append(legend(layers.get(box.dataset.legend)));
  }

  liveMap();
  stillMaps();
  document.documentElement.dataset.ready = "yes";
})();
