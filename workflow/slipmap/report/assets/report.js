"use strict";
// The report: three levels of one page, still maps, and Explore over the pictures that are in this file.
(() => {
  const { el, ranged, quantity, niceLength, legend } = kit;
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const layers = new Map(data.layers.map((layer) => [layer.id, layer])), images = new Map();
  const LEVELS = ["summary", "explore", "methods"];

  const image = (i) => images.get(i) || images.set(i, Object.assign(new Image(), { src: layers.get(i).uri })).get(i);
  // What a layer's picture says at a place, read back from its colour.
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  probe.canvas.width = probe.canvas.height = 1;
  async function valueAt(id, col, row) {
    const picture = image(id), shown = layers.get(id).legend || {};
    await picture.decode();
    probe.clearRect(0, 0, 1, 1);
    const [x, y] = [col * picture.naturalWidth / data.width, row * picture.naturalHeight / data.height];
    probe.drawImage(picture, Math.floor(x), Math.floor(y), 1, 1, 0, 0, 1, 1);
    const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data;
    const colour = "#" + [r, g, b].map((v) => v.toString(16).padStart(2, "0")).join("");
    if (shown.kind === "classes") return ((a && shown.items.find((i) => i.colour === colour)) || { name: null }).name;
    if (shown.kind !== "ramp" || !a) return shown.kind === "ramp" ? "no data" : null;
    const { colours, min, max, units, clipped } = shown, level = colours.indexOf(colour);
    if (level < 0) return null;
    const sign = clipped && level === 0 ? "≤ " : clipped && level === colours.length - 1 ? "≥ " : "≈ ";
    return `${sign}${ranged(min + (level + 0.5) / colours.length * (max - min), max - min)} ${units}`.trim();
  }

  // The radar at a place: velocity and its quality by the pictures, and the nearest series of the lattice in this file.
  async function radarAt(col, row) {
    const [rate, spread, why] = await Promise.all(["velocity", "velocity_std", "reliability"].map((id) =>
      (layers.has(id) ? valueAt(id, col, row) : null)));
    const facts = rate && rate !== "no data" ? [["Velocity in the line of sight", rate + (spread ?
      `, standard deviation ${spread}` : "")]] : [];
    if (why) facts.push(["Reliability of the velocity", why]);
    let best = null, least = data.points ? data.points.reach : 0;
    for (const point of data.points ? data.points.items : []) {
      const d = Math.hypot(point.at[0] - col, point.at[1] - row);
      if (d <= least) { least = d; best = point; }
    }
    if (!best) return { facts };
    const name = `Nearest reliable series in this file, ${quantity(least * data.metres, "m", 0)} away`;
    facts.push([name, best.fact]);
    return { dates: data.points.dates, series: best.series, std: best.std || null, facts, name };
  }

  // ---- still maps: pictures laid over each other by the style sheet, so that they print as they look
  const path = (rings) => rings.map((r) => `M${r.map((p) => p.join(" ")).join("L")}Z`).join("");
  function still(root) {
    const shown = root.dataset.show.split(" ").map((part) => part.split("@")).filter(([id]) => layers.has(id));
    const [col, row, span] = root.dataset.at ? root.dataset.at.split(" ").map(Number) : [];
    const [wide, high] = span ? [span, span] : [data.width, data.height], share = (a, b) => `${100 * a / b}%`;
    Object.assign(root.style, { aspectRatio: `${wide} / ${high}`,
      width: `min(100%, ${(wide / high).toFixed(4)} * var(--tallest, 34rem))` });
    const inner = el("div", { class: "inner" });
    Object.assign(inner.style, { width: share(data.width, wide), height: share(data.height, high) });
    if (span) Object.assign(inner.style, { left: share(span / 2 - col, span), top: share(span / 2 - row, span) });
    for (const [id, opacity] of shown) {
      const picture = el("img", { src: layers.get(id).uri, alt: "" });
      picture.style.opacity = opacity || (layers.get(id).kind === "ground" ? 0.7 : layers.get(id).opacity);
      if (layers.get(id).blend === "multiply") picture.style.mixBlendMode = "multiply";
      inner.append(picture);
    }
    const outlined = data.landslides[root.dataset.landslides];
    if (outlined) {
      const kind = outlined.fields.findIndex((f) => f[0] === "motion");
      const all = outlined.items.map((i) => [path(i.rings), data.motion[i.values[kind]] || data.outline, i.id]);
      const lines = all.map(([d, colour, id]) => `<path d="${d}" stroke="${colour}" data-id="${id}"/>`).join("");
      inner.addEventListener("click", ({ target: { dataset: { id } } }) =>
        id && location.assign(`#landslide=${id}&map=${root.dataset.landslides}`));
      inner.insertAdjacentHTML("beforeend", `<svg viewBox="0 0 ${data.width} ${data.height}">
        <path class="casing" d="${all.map(([d]) => d).join("")}"/>${lines}</svg>`);
    }
    const metres = niceLength(0.3 * wide * data.metres), bar = el("i");
    const length = metres < 1000 ? `${metres} m` : `${metres / 1000} km`;
    const scale = el("div", { class: "scale" }, el("span", {}, length), bar);
    scale.style.width = share(metres, wide * data.metres);
    Object.assign(root, { role: root.querySelector("a") ? "group" : "img", ariaLabel: root.dataset.label });
    root.prepend(inner, scale);
    root.nextElementSibling?.prepend(...shown.map(([i]) => layers.get(i)).filter((l) => l.legend?.kind).map(legend));
  }
  function stills(section) {
    const all = (selector) => section.querySelectorAll(selector);
    for (const root of all("[data-show]:not([role])")) still(root);
    for (const i of all("img[data-layer]:not([src])")) i.src = layers.get(i.dataset.layer).uri;
    for (const i of all("[data-legend]:empty")) i.append(legend(layers.get(i.dataset.legend)));
  }

  // ---- three levels
  let explorer = null;
  function level() {
    const hash = location.hash.slice(1), target = hash && !hash.includes("=") ? document.getElementById(hash) : null;
    const inside = target && target.closest(".level");
    const name = hash.includes("=") ? "explore" : inside ? inside.id : "summary";
    for (const id of LEVELS) {
      document.getElementById(id).hidden = id !== name;
      document.querySelector(`nav a[href="#${id}"]`).setAttribute("aria-current", id === name ? "page" : "false");
    }
    document.body.dataset.level = name;
    if (name === "methods") {
      for (const box of document.querySelectorAll("#methods details[open]")) stills(box);
      target?.querySelector("details")?.setAttribute("open", "");
      if (target !== inside) target.scrollIntoView();
    }
    if (name === "explore") {
      if (!explorer) {
        explorer = explore(data, {
          picture: (layer, { pane, bounds, opacity }) => L.imageOverlay(layer.uri, bounds, { pane, opacity }),
          values: (ids, col, row) => Promise.all(ids.map((id) => valueAt(id, col, row))), series: radarAt,
        });
        explorer.fit(); setTimeout(() => radarAt(0, 0), 300); // the first click finds its pictures decoded
        window.slipmap = { data, ...explorer };
      } else explorer.map.invalidateSize();
      explorer.follow();
      if (hash.startsWith("only=")) explorer.only(new URLSearchParams(hash).get("only"));
    }
    if (!target || target === inside) window.scrollTo(0, 0);
  }
  for (const box of document.querySelectorAll("#methods details")) box.addEventListener("toggle", () => stills(box));
  document.getElementById("all").addEventListener("click", () => {
    for (const box of document.querySelectorAll("#methods > section > details")) box.open = true;
  });
  window.addEventListener("beforeprint", () => {
    const printed = document.body.dataset.level === "methods" ? "methods" : "summary";
    for (const box of document.querySelectorAll(`#${printed} details`)) { box.open = true; stills(box); }
    document.getElementById("printed").textContent = `Printed ${new Date().toISOString().slice(0, 10)}.`;
  });
  window.addEventListener("hashchange", level);
  stills(document.getElementById("summary")); level();
  const first = [...document.querySelectorAll(".level:not([hidden]) img")];
  Promise.all(first.map((picture) => picture.decode().catch(() => null))).then(() => {
    performance.mark("ready");
    document.documentElement.dataset.ready = "yes";
  });
})();
