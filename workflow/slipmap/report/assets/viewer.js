"use strict";
// The report's maps: pan, zoom, layers, opacity, landslides to click. No library, no network.
(() => {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const PLAIN = "#7a1f5c"; // outlines of landslides of whose motion nothing is known
  const layers = new Map(data.layers.map((layer) => [layer.id, layer]));
  const pictures = new Map();
  const el = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  function picture(id, ready) {
    let image = pictures.get(id);
    if (!image) {
      image = new Image();
      image.src = layers.get(id).uri;
      pictures.set(id, image);
    }
    if (!image.complete) image.addEventListener("load", ready, { once: true });
    return image;
  }

  function niceLength(metres) {
    const power = 10 ** Math.floor(Math.log10(metres));
    const step = [5, 2, 1].find((s) => s * power <= metres) || 1;
    return step * power;
  }

  function legend(layer) {
    const box = el("div");
    const shown = layer.legend || {};
    if (shown.kind === "ramp") {
      const ramp = el("div", { class: "ramp" });
      ramp.style.background = `linear-gradient(to right, ${shown.colours.join(",")})`;
      const unit = shown.units ? ` ${shown.units}` : "";
      const ends = el("div", { class: "ends" },
        el("span", {}, (shown.clipped ? "≤ " : "") + number(shown.min, shown.max - shown.min)),
        el("span", {}, (shown.clipped ? "≥ " : "") + number(shown.max, shown.max - shown.min) + unit));
      box.append(ramp, ends);
    } else if (shown.kind === "classes") {
      box.className = "swatches";
      for (const item of shown.items) {
        const swatch = el("i");
        swatch.style.background = item.colour;
        box.append(el("span", {}, swatch, item.name));
      }
    }
    return box;
  }

  function number(value, range) {
    const digits = Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(Math.abs(range) || 1))));
    return value.toFixed(Math.min(digits, 6)).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "").replace("-", "−");
  }

  class MapView {
    constructor(root, { live, shown }) {
      this.root = root;
      this.live = live;
      this.state = shown; // [{id, opacity}] bottom first
      this.landslides = [];
      this.selected = null;
      this.canvas = el("canvas", live ? { tabindex: "0", role: "application", "aria-label": "Interactive map: drag to move, wheel or plus and minus to zoom, click a landslide" } : { role: "img", "aria-label": root.dataset.label || "Map" });
      root.append(this.canvas);
      const arrow = el("div", { class: "north", title: "Grid north" });
      arrow.innerHTML = '<svg width="14" height="20" viewBox="0 0 14 20" aria-hidden="true"><path d="M7 0 13 19 7 15 1 19Z" fill="#222"/></svg>N';
      this.scaleLine = el("i");
      this.scaleText = el("span");
      root.append(arrow, el("div", { class: "scale" }, this.scaleText, this.scaleLine));
      this.view = null;
      new ResizeObserver(() => this.resize()).observe(root);
      if (live) this.listen();
      this.resize();
    }

    resize() {
      const ratio = window.devicePixelRatio || 1;
      const width = this.root.clientWidth;
      if (!width) return;
      if (!this.live) this.canvas.style.height = `${Math.min(Math.round(width * data.height / data.width), 620)}px`;
      const height = this.canvas.clientHeight;
      if (this.width === width && this.height === height) return;
      const before = this.view && this.width ? this.centre() : null;
      this.width = width; this.height = height; this.ratio = ratio;
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      if (before) this.moveTo(before, this.view.scale); else this.fit();
    }

    fit() {
      const scale = Math.min(this.width / data.width, this.height / data.height);
      this.smallest = scale * 0.7;
      this.view = { scale, x: (this.width - data.width * scale) / 2, y: (this.height - data.height * scale) / 2 };
      this.draw();
    }

    centre() { return [(this.width / 2 - this.view.x) / this.view.scale, (this.height / 2 - this.view.y) / this.view.scale]; }

    moveTo([col, row], scale) {
      this.view = { scale, x: this.width / 2 - col * scale, y: this.height / 2 - row * scale };
      this.draw();
    }

    zoom(factor, x = this.width / 2, y = this.height / 2) {
      const scale = Math.max(this.smallest, Math.min(this.view.scale * factor, 40));
      const done = scale / this.view.scale;
      this.view = { scale, x: x - (x - this.view.x) * done, y: y - (y - this.view.y) * done };
      this.draw();
    }

    toMap(x, y) { return [(x - this.view.x) / this.view.scale, (y - this.view.y) / this.view.scale]; }
    toScreen(col, row) { return [col * this.view.scale + this.view.x, row * this.view.scale + this.view.y]; }

    draw() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => { this.waiting = false; this.paint(); });
    }

    paint() {
      const context = this.canvas.getContext("2d");
      const { scale, x, y } = this.view;
      context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      context.clearRect(0, 0, this.width, this.height);
      context.imageSmoothingEnabled = scale < 1.5;
      context.imageSmoothingQuality = "high";
      for (const { id, opacity } of this.state) {
        const image = picture(id, () => this.draw());
        if (!image.complete || !image.naturalWidth) continue;
        context.globalAlpha = opacity;
        context.globalCompositeOperation = layers.get(id).blend; // multiply: the relief shows through the colour
        context.drawImage(image, x, y, data.width * scale, data.height * scale);
      }
      context.globalAlpha = 1;
      context.globalCompositeOperation = "source-over";
      for (const landslide of this.landslides) this.outline(context, landslide, false);
      if (this.selected) this.outline(context, this.selected, true);
      const metres = niceLength(Math.min(160, this.width * 0.3) / scale * data.metres);
      this.scaleLine.style.width = `${metres / data.metres * scale}px`;
      this.scaleText.textContent = metres >= 1000 ? `${metres / 1000} km` : `${metres} m`;
    }

    outline(context, landslide, strong) {
      context.beginPath();
      for (const ring of landslide.rings) {
        ring.forEach(([col, row], i) => {
          const [px, py] = this.toScreen(col, row);
          if (i) context.lineTo(px, py); else context.moveTo(px, py);
        });
        context.closePath();
      }
      context.lineJoin = "round";
      context.lineWidth = strong ? 4.5 : 2.4;
      context.strokeStyle = strong ? "#000" : "rgba(255,255,255,.85)";
      context.stroke();
      context.lineWidth = strong ? 2.5 : 1.2;
      context.strokeStyle = strong ? "#f0e442" : data.motion[landslide.motion] || PLAIN;
      context.stroke();
    }

    find(col, row) {
      let best = null;
      for (const landslide of this.landslides) {
        let inside = false;
        for (const ring of landslide.rings) {
          for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
            const [xi, yi] = ring[i], [xj, yj] = ring[j];
            if ((yi > row) !== (yj > row) && col < ((xj - xi) * (row - yi)) / (yj - yi) + xi) inside = !inside;
          }
        }
        if (inside) best = landslide; // the smallest comes last
      }
      return best;
    }

    listen() {
      const pointers = new Map();
      let moved = 0;
      const place = (event) => {
        const box = this.canvas.getBoundingClientRect();
        return [event.clientX - box.left, event.clientY - box.top];
      };
      this.canvas.addEventListener("pointerdown", (event) => {
        this.canvas.setPointerCapture(event.pointerId);
        pointers.set(event.pointerId, place(event));
        if (pointers.size === 1) moved = 0;
      });
      this.canvas.addEventListener("pointermove", (event) => {
        const last = pointers.get(event.pointerId);
        if (!last) return;
        const now = place(event);
        if (pointers.size === 1) {
          this.view.x += now[0] - last[0];
          this.view.y += now[1] - last[1];
          moved += Math.hypot(now[0] - last[0], now[1] - last[1]);
          this.draw();
        } else {
          const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
          const before = Math.hypot(last[0] - other[0], last[1] - other[1]);
          const after = Math.hypot(now[0] - other[0], now[1] - other[1]);
          moved = 99;
          if (before > 0) this.zoom(after / before, (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
        }
        pointers.set(event.pointerId, now);
      });
      const up = (event) => {
        const was = pointers.delete(event.pointerId);
        if (was && event.type === "pointerup" && moved < 5 && !pointers.size) this.click(...place(event));
      };
      this.canvas.addEventListener("pointerup", up);
      this.canvas.addEventListener("pointercancel", up);
      this.canvas.addEventListener("wheel", (event) => {
        event.preventDefault();
        this.zoom(Math.exp(-Math.max(-200, Math.min(200, event.deltaY)) * 0.0022), ...place(event));
      }, { passive: false });
      this.canvas.addEventListener("keydown", (event) => {
        const step = 60;
        const act = {
          "+": () => this.zoom(1.4), "=": () => this.zoom(1.4), "-": () => this.zoom(1 / 1.4), "0": () => this.fit(),
          ArrowLeft: () => { this.view.x += step; this.draw(); }, ArrowRight: () => { this.view.x -= step; this.draw(); },
          ArrowUp: () => { this.view.y += step; this.draw(); }, ArrowDown: () => { this.view.y -= step; this.draw(); },
        }[event.key];
        if (act) { event.preventDefault(); act(); }
      });
      const buttons = el("div", { class: "zoom" });
      for (const [text, label, act] of [["+", "Zoom in", () => this.zoom(1.6)], ["−", "Zoom out", () => this.zoom(1 / 1.6)], ["⤢", "Show the whole area", () => this.fit()]]) {
        const button = el("button", { type: "button", "aria-label": label, title: label }, text);
        button.addEventListener("click", act);
        buttons.append(button);
      }
      this.root.append(buttons);
    }

    click(x, y) {
      const [col, row] = this.toMap(x, y);
      this.selected = this.find(col, row);
      this.draw();
      if (this.onpick) this.onpick(this.selected, col, row);
    }

    show(landslide) {
      const points = landslide.rings.flat();
      const cols = points.map((p) => p[0]), rows = points.map((p) => p[1]);
      const span = Math.max(Math.max(...cols) - Math.min(...cols), Math.max(...rows) - Math.min(...rows), 4);
      this.selected = landslide;
      this.moveTo([(Math.min(...cols) + Math.max(...cols)) / 2, (Math.min(...rows) + Math.max(...rows)) / 2],
        Math.min(12, Math.min(this.width, this.height) / (span * 3)));
      if (this.onpick) this.onpick(landslide);
    }
  }

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
      const view = new MapView(root, { live: false, shown: shown.map(([id, opacity]) => ({ id, opacity: Number(opacity || 1) })) });
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
