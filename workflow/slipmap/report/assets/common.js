"use strict";
// Shared by the report and by `slipmap view`: elements, numbers, legends, charts with a straight line, files to save.
const kit = (() => {
  const el = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value !== null && value !== false) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };
  // A number with so many digits after the point: thin spaces between thousands, a true minus sign.
  const fixed = (value, digits) => value.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, "\u202f")
    .replace("-", "−");
  // A number with as many digits as its range asks for.
  const ranged = (value, range) => {
    const digits = Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(Math.abs(range) || 1))));
    return value.toFixed(digits).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "").replace("-", "−");
  };
  const known = (value) => value !== null && value !== undefined;
  const quantity = (value, unit, digits, spread = null) => {
    if (!known(value) || typeof value === "string") return value ?? "–";
    const more = known(spread) ? ` ± ${fixed(spread, digits)}` : "";
    return fixed(value, digits) + more + (unit === "°" ? unit : unit ? `\u00a0${unit}` : "");
  };

  const niceLength = (metres, power = 10 ** Math.floor(Math.log10(metres))) =>
    ([5, 2, 1].find((s) => s * power <= metres) || 1) * power;
  function legend(layer) {
    const box = el("div", { class: "legend" }), shown = layer.legend || {};
    if (shown.kind === "ramp") {
      const ramp = el("div", { class: "ramp" });
      ramp.style.background = `linear-gradient(to right, ${shown.colours.join(",")})`;
      const end = (value, sign) => (shown.clipped ? sign : "") + ranged(value, shown.max - shown.min);
      box.append(ramp, el("div", { class: "ends" }, el("span", {}, end(shown.min, "≤ ")),
        el("span", {}, `${end(shown.max, "≥ ")} ${shown.units}`.trim())));
    } else if (shown.kind === "classes") {
      box.classList.add("swatches");
      for (const item of shown.items) box.append(swatch(item.colour, item.name));
    }
    return box;
  }
  function swatch(colour, name, hollow = false) {
    const mark = el("i", hollow ? { class: "hollow" } : {});
    mark.style[hollow ? "borderColor" : "background"] = colour;
    return el("span", {}, mark, name);
  }
  // Straight line through a series by least squares: rate per year, value at a time (s), scatter about it.
  function line(times, values) {
    const year = 365.25 * 86400;
    const points = times.map((t, i) => [t / year, values[i]]).filter((p) => known(p[1]));
    if (points.length < 3) return null;
    const n = points.length, mean = (k) => points.reduce((sum, p) => sum + p[k], 0) / n;
    const t0 = mean(0), v0 = mean(1);
    const over = points.reduce((sum, p) => sum + (p[0] - t0) ** 2, 0);
    const rate = points.reduce((sum, p) => sum + (p[0] - t0) * (p[1] - v0), 0) / over;
    const left = points.reduce((sum, p) => sum + (p[1] - v0 - rate * (p[0] - t0)) ** 2, 0);
    return { rate, at: (t) => v0 + rate * (t / year - t0), scatter: Math.sqrt(left / (n - 2)) };
  }

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // Curves over time or distance: {x, xLabel, yLabel, isTime, curves: [{name, values, colour, points, band, dash}]}.
  function chart({ x, isTime, xLabel, yLabel, curves, said }) {
    const box = el("div", { class: "plot", role: "img", "aria-label": said });
    const data = [x], series = [{}], bands = [];
    const add = (values, options) => { data.push(values); series.push({ spanGaps: true, ...options }); };
    for (const { name, values, colour, points, band, dash } of curves) {
      if (band) {
        add(values.map((v, i) => (v === null ? null : v + band[i])), { label: "+", points: { show: false } });
        add(values.map((v, i) => (v === null ? null : v - band[i])), { label: "−", points: { show: false } });
        bands.push({ series: [data.length - 2, data.length - 1], fill: `${colour}33` });
      }
      add(values, { label: name, stroke: colour, width: points ? 0 : 1.6, dash,
        points: { show: Boolean(points), size: 5, fill: colour } });
    }
    const thin = { stroke: css("--line"), width: 1 }, axis = { stroke: css("--soft"), grid: thin, ticks: thin };
    const options = { width: 340, height: 220, series, bands, scales: { x: { time: isTime } },
      tzDate: (t) => uPlot.tzDate(new Date(1000 * t), "Etc/UTC"), legend: { show: false }, cursor: { y: false },
      axes: [{ ...axis, space: 52, label: isTime ? null : xLabel, labelSize: 18, values: isTime ? (_, ticks) =>
        ticks.map((t) => new Date(1000 * t).toISOString().slice(0, 7)) : undefined },
        { ...axis, label: yLabel, size: 48, labelSize: 18, labelFont: "12px sans-serif" }] };
    requestAnimationFrame(() =>
      new uPlot({ ...options, width: Math.max(220, Math.min(560, box.clientWidth || 340)) }, data, box));
    return box;
  }

  // Displacement of places over time, each with its straight line and the scatter about it or the ± σ that is known.
  function seriesChart(dates, places, where) {
    const times = dates.map((d) => Date.parse(d) / 1000);
    const curves = [], said = [];
    for (const { name, values, std, colour } of places) {
      const fit = line(times, values);
      if (!fit) continue;
      if (std) curves.push({ name: "± σ", values, colour, band: std });
      curves.push({ name: `${name}, straight line`, values: times.map(fit.at), colour, dash: [6, 4],
        band: std ? null : times.map(() => fit.scatter) });
      curves.push({ name, values, colour, points: true });
      said.push(`${name}: straight line ${quantity(fit.rate, "mm/yr", 1)}, scatter about it ± `
        + quantity(fit.scatter, "mm", 1));
    }
    if (!curves.length) return el("p", {}, "No displacement history: the radar does not see this ground coherently.");
    const band = places.some((p) => p.std) ? "± one standard deviation of each date" : "± the scatter about the line";
    const text = `${said.join("; ")}. Line of sight, positive towards the satellite, against the first date (0); `
      + `the band is ${band}.`;
    return el("figure", { class: "series" },
      chart({ x: times, isTime: true, yLabel: "displacement (mm)", curves, said: `${where}. ${text}` }),
      el("figcaption", {}, text));
  }

  function save(name, rows) {
    const cell = (v) => (/[",\n]/.test(v) ? `"${String(v).replaceAll('"', '""')}"` : v === null ? "" : String(v));
    const text = rows.map((row) => row.map((v) => cell(v ?? "")).join(",")).join("\n") + "\n";
    const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    return text;
  }

  return { el, css, fixed, ranged, quantity, niceLength, legend, swatch, line, chart, seriesChart, save };
})();
