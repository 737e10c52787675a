"use strict";
// One map: pictures laid over each other, outlines, scale bar, pan and zoom. No library, no network.
const maps = (() => {
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
    constructor(root, { live, shown, at = null }) {
      this.at = at; // [column, row, span] of the part that is shown at first; null: all
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
      if (this.at) return this.moveTo(this.at, Math.min(this.width, this.height) / this.at[2]);
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

  return { MapView, data, el, layers, legend, niceLength, number, pictures };
})();
