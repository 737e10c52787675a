"use strict";
// Explore: one thematic layer at a time with a swipe between two, outlines to click, a docked panel and a full table.
// `source` gives pictures, values and series: from this file (report.js), or from `slipmap view` (view.js).
function explore(data, source) {
  const { el, quantity, legend, swatch, seriesChart, save } = kit;
  const BLUE = kit.css("--series");
  const Cased = L.Canvas.extend({ _fillStroke(pen, layer) { // a dark edge under each outline
    if (layer.options.cased) Object.assign(pen, { lineWidth: 4, strokeStyle: data.casing, lineJoin: "round" }).stroke();
    L.Canvas.prototype._fillStroke.call(this, pen, layer);
  } });
  const $ = (id) => document.getElementById(id);
  const m = data.metres, layers = new Map(data.layers.map((layer) => [layer.id, layer]));
  const at = (col, row) => L.latLng(-row * m, col * m), place = (latlng) => [latlng.lng / m, -latlng.lat / m];
  const bounds = L.latLngBounds(at(0, 0), at(data.width, data.height));
  const crs = L.extend({}, L.CRS.Simple, { transformation: new L.Transformation(1 / m, 0, -1 / m, 0) });
  const snap = source.zoomSnap || 0.25, map = L.map("map", { crs, zoomSnap: snap, minZoom: -8, maxZoom: 5,
    attributionControl: false, maxBounds: bounds.pad(1), scrollWheelZoom: false, zoomAnimation: false,
    renderer: new Cased({ tolerance: 4, padding: 0.3 }) });
  L.control.scale({ imperial: false }).addTo(map);
  const panes = {};
  for (const [i, name] of ["ground", "left", "right", "over"].entries())
    (panes[name] = map.createPane(name)).style.zIndex = 200 + 10 * i;
  const fit = () => { map.invalidateSize({ animate: false }); map.fitBounds(bounds, { animate: false }); };
  map.setView(bounds.getCenter(), -2, { animate: false });

  // The wheel belongs to the page; with Ctrl (or ⌘) it zooms.
  map.getContainer().addEventListener("wheel", (event) => {
    $("hint").hidden = event.ctrlKey || event.metaKey;
    if (!$("hint").hidden) { setTimeout(() => { $("hint").hidden = true; }, 1500); return; }
    event.preventDefault();
    const zoom = map.getZoom() - Math.sign(event.deltaY) * Math.max(0.5, snap);
    map.setZoomAround(map.mouseEventToContainerPoint(event), zoom);
  }, { passive: false });

  // ---- layers
  const state = { left: "", right: "", opacity: 1, split: 0.5, over: new Set() }, pictures = {};
  function put(side, layer, pane = side) {
    if (pictures[side]) pictures[side].remove();
    pictures[side] = layer ? source.picture(layer, { pane, bounds, opacity: layer.opacity * state.opacity }) : null;
    const blend = layer && layer.blend === "multiply" ? "multiply" : "normal";
    if (layer && pictures[side].addTo(map) && panes[side]) panes[side].style.mixBlendMode = blend;
  }
  function clip() {
    const { x: x0, y: y0 } = map.containerPointToLayerPoint([0, 0]), size = map.getSize();
    const x = x0 + size.x * state.split, y1 = y0 + size.y, x1 = x0 + size.x;
    const box = (a, b) => `polygon(${a}px ${y0}px, ${b}px ${y0}px, ${b}px ${y1}px, ${a}px ${y1}px)`;
    panes.left.style.clipPath = state.right ? box(x0, x) : "";
    panes.right.style.clipPath = box(x, x1);
    $("divider").style.left = `${100 * state.split}%`;
  }
  function show() {
    put("left", layers.get(state.left));
    put("right", layers.get(state.right));
    for (const item of ["swipe", "divider"]) $(item).hidden = !state.right;
    const shown = [state.left, state.right, ...state.over].map((id) => layers.get(id)).filter(Boolean);
    $("legend").replaceChildren(...shown.map((layer) => el("div", {}, el("b", {}, layer.title), legend(layer))),
      ...outlineKey());
    clip();
  }
  map.on("move zoom resize", clip);
  function layerList() {
    const groups = new Map();
    const add = (group, node) => (groups.get(group) || groups.set(group,
      el("details", {}, el("summary", {}, group))).get(group)).append(node);
    for (const layer of [...data.layers].reverse()) {
      if (layer.kind === "ground") continue;
      const over = layer.kind === "over";
      const input = el("input", { type: over ? "checkbox" : "radio", name: over ? null : "theme", value: layer.id,
        onchange: () => {
          if (over) state.over[input.checked ? "add" : "delete"](layer.id);
          else state.left = layer.id;
          if (over) put(layer.id, input.checked ? layer : null, "over");
          show();
        } });
      if (layer.id === data.first) input.checked = true;
      add(over ? "Laid over it" : layer.group, el("label", { class: "layer" }, input, layer.title));
    }
    for (const [name, box] of groups) box.open = ["Laid over it", (layers.get(data.first) || {}).group].includes(name);
    $("themes").append(...groups.values());
    const themes = Object.groupBy([...data.layers].reverse().filter((l) => l.kind === "theme"), (l) => l.group);
    $("second").append(el("option", { value: "" }, "nothing"), ...Object.entries(themes).map(([label, each]) =>
      el("optgroup", { label }, ...each.map((l) => el("option", { value: l.id }, l.title)))));
    $("second").addEventListener("change", () => { state.right = $("second").value; show(); });
    $("swipe").addEventListener("input", () => { state.split = $("swipe").value / 100; clip(); });
    $("opacity").addEventListener("input", () => { state.opacity = Number($("opacity").value); show(); });
    state.left = data.first;
    for (const layer of data.layers.filter((l) => l.kind === "ground")) source.picture(layer,
      { pane: "ground", bounds, opacity: 0.7 }).addTo(map);
  }

  // ---- outlines
  const drawn = L.layerGroup().addTo(map), names = Object.keys(data.landslides);
  let chosen = null, listed = [], sorted = { key: null, up: true }, rows = innerWidth < 820 ? 20 : 100;
  const current = () => data.landslides[$("which").value] || { items: [], fields: [], columns: [], dates: [] };
  const value = (item, key) => item.values[current().fields.findIndex((f) => f[0] === key)] ?? null;
  const ring = (rings) => rings.map((points) => points.map(([c, r]) => at(c, r)));
  const colour = (item) => data.motion[value(item, "motion")] || data.outline;
  function outlineKey() {
    const seen = Object.keys(data.motion).filter((name) => current().items.some((i) => value(i, "motion") === name));
    const marks = (seen.length ? seen : [current().noun]).map((n) => swatch(data.motion[n] || data.outline, n, true));
    return current().items.length ? [el("div", { class: "swatches" }, el("b", {}, "Outlines"), ...marks)] : [];
  }
  function outlines() {
    drawn.clearLayers();
    for (const item of listed) drawn.addLayer(L.polygon(ring(item.rings), { color: colour(item), weight: 2,
      fillOpacity: 0.02, cased: true }).on("click", (event) =>
      tools.click || (L.DomEvent.stopPropagation(event), select(item))));
  }
  const blank = [...$("panel").childNodes];
  function forget() { // what is chosen, and what the panel says of it
    mark(chosen = null); $("panel").replaceChildren(...blank);
    if (location.hash.includes("=")) history.replaceState(null, "", "#explore");
  }
  let marked = null, mark = (draw) => { if (marked) marked.remove(); marked = draw && twice(draw).addTo(map); };
  const twice = (draw) => L.featureGroup([["#ffffff", 8], ["#000000", 3]].map(([color, weight]) =>
    draw({ color, weight, fill: false, interactive: false }))); // black on white, which no kind of motion is
  function select(item, look = false) {
    chosen = item;
    mark((style) => L.polygon(ring(item.rings), style));
    const whole = map.getBoundsZoom(bounds), near = (box) => map.fitBounds(box.pad(1.5), { animate: false,
      maxZoom: Math.max(1, whole + 2) }).getZoom();
    if (look && near(marked.getBounds()) < whole) fit(); // not farther out than the whole area
    else if (look) map.panInsideBounds(bounds, { animate: false });
    const hash = `#landslide=${item.id}` + (names.length > 1 ? `&map=${$("which").value}` : "");
    if (location.hash !== hash) history.replaceState(null, "", hash);
    const found = current(), index = listed.indexOf(item), spreads = found.fields.map((f) => f[4]);
    const go = (step) => () => select(listed[(index + step + listed.length) % listed.length], true);
    const links = (key, text) => el("span", {}, ...text.split(", ").map((n) => el("a", {
      href: key === "active_area" ? `#area=${n}` : `#landslide=${n}` }, `No. ${n} `)));
    const facts = found.fields.filter(([key], i) => !spreads.includes(key) && i && item.values[i] !== null)
      .map(([key, label, unit, digits, std]) => [label, key === "active_area" || key === "landslides"
        ? links(key, value(item, key)) : quantity(value(item, key), unit, digits, value(item, std))]);
    const mean = { name: "Mean of its reliable pixels", values: item.series, colour: BLUE };
    const noun = found.noun.toLowerCase(), said = `Displacement of ${noun} ${item.id}`;
    const step = (name, by) => el("button", { type: "button", onclick: go(by) }, name);
    const [rate, spread, slow, fast] = ["velocity_downslope", "velocity_downslope_std", "detectable_velocity",
      "aliasing_velocity"].map((key) => value(item, key)), motion = value(item, "motion");
    const still = motion === "no movement detected" && slow !== null, active = value(item, "active_velocity");
    const unseen = !still ? "" : `; motion slower than ${quantity(slow, "", 0)}`
      + `${fast === null ? "" : ` or faster than ${quantity(fast, "", 0)}`}\u00a0mm/yr would not have been seen`;
    const downslope = active !== null ? `: ${quantity(active, "mm/yr", 1, value(item, "active_velocity_std"))} `
      + `downslope, the mean of active area ${value(item, "active_area").split(", ")[0]}` : rate === null ? ""
      : `: ${quantity(rate, "mm/yr", 1, spread)} downslope${unseen}`;
    panel([`${found.noun} ${item.id}`, motion ? motion + downslope : ""], facts,
      item.series && seriesChart(found.dates, [mean], said), item.at, [step("Previous", -1), step("Next", 1)],
      item.series && found.dates.map((d, i) => [d, item.series[i]]), `${noun.replace(" ", "_")}_${item.id}`);
    $("rows").querySelectorAll("tr").forEach((r) => r.classList.toggle("chosen", r.dataset.id === String(item.id)));
  }
  function panel([title, short], facts, chart, where, buttons = [], series = null, file = "place") {
    const table = el("table", {}, ...facts.map(([label, text]) =>
      el("tr", {}, el("th", { scope: "row" }, label), el("td", {}, text))));
    const [lat, lon] = where, text = `${lat.toFixed(6)}, ${lon.toFixed(6)}`;
    const copy = el("button", { type: "button", onclick: () => navigator.clipboard.writeText(text)
      .then(() => { copy.textContent = "Copied"; }, () => { copy.textContent = text; }) }, "Copy coordinates");
    const link = el("a", { target: "_blank", rel: "noopener noreferrer",
      href: `https://www.openstreetmap.org/?mlat=${lat.toFixed(6)}&mlon=${lon.toFixed(6)}#map=15/${lat}/${lon}` },
    "OpenStreetMap (leaves this file)");
    const csv = series ? [el("button", { type: "button", onclick: () =>
      save(`${file}.csv`, [["date", "displacement_mm", "displacement_std_mm"], ...series]) }, "Series as CSV")] : [];
    $("panel").replaceChildren(el("h2", {}, title), el("p", {}, el("b", {}, short)), el("div", { class: "buttons" },
      ...buttons, copy, ...csv, link), ...(chart ? [chart] : []), table);
    $("panel").scrollTop = 0;
  }
  async function inspect(latlng) {
    const [col, row] = place(latlng); chosen = null;
    mark((style) => L.circleMarker(latlng, { radius: 7, ...style }));
    if (!bounds.contains(latlng)) return void $("panel").replaceChildren(el("h2", {}, "Outside the area"));
    const trust = [$("which").value, state.left.split(".")[0]].map((name) => `${name}.applicability`);
    const ids = [...new Set([state.left, state.right, ...state.over, ...trust])].filter((id) => layers.has(id));
    const [values, found] = await Promise.all([source.values(ids, col, row), source.series(col, row)]);
    const own = found ? found.facts : [], told = own.map((fact) => fact[0]);
    const facts = [...ids.map((id, i) => [layers.get(id).title, values[i]])
      .filter(([title, text]) => text !== null && !told.includes(title)), ...own];
    panel([coordinates(col, row), ""], facts, found && found.series && seriesChart(found.dates, [{ colour: BLUE,
      name: found.name || "this place", values: found.series, std: found.std }], "Displacement"), degrees(col, row), [],
    found && found.series && found.dates.map((d, i) => [d, found.series[i], found.std ? found.std[i] : ""]));
  }

  // ---- where a place is
  const coordinates = (col, row) =>
    `${Math.round(data.left + col * m)} E, ${Math.round(data.top - row * m)} N (m${data.crs && `, ${data.crs}`})`;
  function degrees(col, row) {
    const u = col / data.width, v = row / data.height;
    const terms = [1, u, v, u * u, u * v, v * v, u ** 3, u * u * v, u * v * v, v ** 3];
    return [data.latitude, data.longitude].map((c) => terms.reduce((sum, t, i) => sum + t * c[i], 0));
  }
  map.on("mousemove", (event) => {
    const [col, row] = place(event.latlng), [lat, lon] = degrees(col, row);
    $("cursor").textContent = `${coordinates(col, row)} · ${lat.toFixed(5)}°, ${lon.toFixed(5)}°`;
  });

  // ---- table
  const sort = (key) => () => { sorted = { key, up: sorted.key === key ? !sorted.up : true }; list(); };
  function list() {
    const found = current(), wanted = $("words").value.trim().toLowerCase(), only = $("only").value;
    const shown = found.columns.map((key) => found.fields.find((f) => f[0] === key));
    const cell = (item, [key, , , digits, spread]) => quantity(value(item, key), "", digits, value(item, spread));
    listed = found.items.filter((item) => (!only || item.values.includes(only))
      && (!wanted || shown.some((field) => cell(item, field).toLowerCase().includes(wanted))));
    if (chosen && !listed.includes(chosen)) forget();
    if (sorted.key) {
      const [lost, sign] = [sorted.up ? Infinity : -Infinity, sorted.up ? 1 : -1];
      const of = (item) => value(item, sorted.key) ?? lost;
      listed.sort((a, b) => sign * (typeof of(a) === "string" ? of(a).localeCompare(of(b)) : of(a) - of(b)));
    }
    $("count").textContent = `${listed.length} of ${found.items.length}`;
    $("head").replaceChildren(el("tr", {}, ...shown.map(([key, label, unit]) => el("th", { scope: "col",
      "aria-sort": sorted.key === key ? (sorted.up ? "ascending" : "descending") : null },
    el("button", { type: "button", onclick: sort(key) }, label + (unit ? `, ${unit}` : ""))))));
    const visit = (item) => () => { select(item, true); $("map").scrollIntoView({ block: "nearest" }); };
    const link = (item) => el("a", { href: `#landslide=${item.id}&map=${$("which").value}`,
      onclick: (event) => event.preventDefault() }, String(item.id));
    $("rows").replaceChildren(...listed.slice(0, rows).map((item) => el("tr", { "data-id": item.id,
      onclick: visit(item) }, ...shown.map((field, i) => el("td", {}, i ? cell(item, field) : link(item))))));
    $("more").hidden = listed.length <= rows;
    outlines();
  }
  function everything() {
    const head = [...current().fields.map((f) => f[0]), "latitude", "longitude"];
    return save(`${$("which").value || data.area}.csv`, [head, ...listed.map((i) => [...i.values, ...i.at])]);
  }
  function choices() {
    const found = current(), kinds = ["inventory", "motion"].flatMap((key) =>
      [...new Set(found.items.map((i) => value(i, key)))].filter(Boolean).sort());
    $("only").replaceChildren(el("option", { value: "" }, "all"), ...kinds.map((k) => el("option", { value: k },
      `${k} (${found.items.filter((i) => i.values.includes(k)).length})`)));
    $("about").replaceChildren(found.about || "", found.rule ? el("details", {}, el("summary", {}, "What moving means"),
      found.rule) : "");
    sorted = { key: null, up: true };
    list(); show();
  }
  function follow() {
    const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    if (!asked.landslide && !asked.area) return;
    const name = asked.map || (asked.area ? "active areas" : names.filter((n) => n !== "active areas").at(-1));
    if ($("which").value !== name && data.landslides[name]) { $("which").value = name; choices(); }
    const item = current().items.find((i) => String(i.id) === (asked.landslide || asked.area));
    if (!item || item === chosen) return;
    if (!listed.includes(item)) { $("only").value = $("words").value = ""; list(); }
    select(item, true);
  }

  const tools = { click: null }; // what a click does instead of telling of the place
  map.on("click", (event) => (tools.click ? tools.click(event.latlng) : inspect(event.latlng)));
  $("which").append(...names.map((name) => el("option", { value: name }, `${data.landslides[name].title} `
    + `(${data.landslides[name].items.length})`)), el("option", { value: "" }, "none"));
  $("which").value = data.chosen || "";
  $("which").addEventListener("change", () => { forget(); choices(); });
  for (const [id, kind, then] of [["words", "input", list], ["only", "change", list], ["csv", "click", everything],
    ["more", "click", () => { rows += 500; list(); }]]) $(id).addEventListener(kind, () => then());
  layerList(); choices();
  window.addEventListener("hashchange", follow);
  return { map, fit, at, place, select, inspect, show, state, tools, panel, mark, degrees, follow, everything, layers,
    drawn, listed: () => listed, chosen: () => chosen, only: (kind) => { $("only").value = kind; list(); } };
}
