// How loud the clip is, who speaks when, and which moments were reported: drawn, and pressed to go there.
import { hueOf } from "../avatar.js";
import { h, set, write } from "../dom.js";
import { nameOf } from "../people.js";
import { placeWords } from "./times.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LANE] = [600, 64, 12];
const FLOOR = -60;

/** Draw a clip: `{ element, draw(ms) }`. Times are milliseconds since the Space started; `go` takes such a time. */
export function waveformView({ startMs, endMs, stepMs, levels, spurts, moments }, go) {
  const xOf = (ms) => (WIDTH * (ms - startMs)) / (endMs - startMs);
  const speakers = [...new Set(spurts.map(({ user_id: id }) => id))];
  const head = line("playhead");
  const high = HEIGHT + speakers.length * LANE;
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${high}`, preserveAspectRatio: "none", class: "wave", role: "img", "aria-label": wordsOf(speakers, spurts) });
  svg.append(shape("path", { class: "wave-level", d: pathOf(levels, (WIDTH * stepMs) / (endMs - startMs)) }));
  for (const { user_id: id, start_ms: from, end_ms: to } of spurts) {
    const bar = shape("rect", { class: "wave-spurt", x: xOf(Math.max(from, startMs)), width: Math.max(1, xOf(Math.min(to, endMs)) - xOf(Math.max(from, startMs))), y: HEIGHT + speakers.indexOf(id) * LANE + 2, height: LANE - 4, rx: 2 });
    bar.style.setProperty("--hue", hueOf(id));
    svg.append(bar);
  }
  for (const moment of moments) svg.append(place(line("wave-moment"), xOf(moment)));
  svg.append(head);
  svg.addEventListener("click", (event) => {
    const { left, width } = svg.getBoundingClientRect();
    go(startMs + ((event.clientX - left) / width) * (endMs - startMs));
  });
  const names = speakers.map((id) => h("li", { css: { "--hue": hueOf(id) } }, nameOf(id)));
  const where = h("small", { class: "dim" });
  function line(name) {
    return shape("line", { class: name, y1: 0, y2: "100%", "vector-effect": "non-scaling-stroke" });
  }
  return {
    element: h("div", { class: "waveform" }, svg, h("div", { class: "row wrap" }, h("ul", { class: "speakers row wrap", "aria-label": "Who spoke" }, ...names), h("span", { class: "grow" }), where)),
    draw(ms) {
      place(head, xOf(ms));
      write(where, `${placeWords(ms)} of ${placeWords(startMs)} to ${placeWords(endMs)}`);
    },
  };
}

function place(line, x) {
  set(line, { x1: x, x2: x });
  return line;
}

function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  return element;
}

/** The outline of the loudness: columns, each of the loudest that falls into it; levels are -dBov. */
function pathOf(levels, width) {
  const each = Math.max(1, Math.ceil(1 / width));
  const columns = [];
  for (let at = 0; at < levels.length; at += each) {
    const level = Math.min(...levels.slice(at, at + each));
    const half = Math.max(0.5, (HEIGHT / 2) * Math.min(1, Math.max(0, 1 + level / FLOOR)));
    const right = 0.7 * each * width;
    columns.push(`M${(at * width).toFixed(2)} ${(HEIGHT / 2 - half).toFixed(1)}v${(2 * half).toFixed(1)}h${right.toFixed(2)}v${(-2 * half).toFixed(1)}z`);
  }
  return columns.join("");
}

function wordsOf(speakers, spurts) {
  if (speakers.length === 0) return "Loudness of the clip; nobody spoke.";
  const seconds = (id) => Math.round(spurts.filter(({ user_id: one }) => one === id).reduce((sum, { start_ms: a, end_ms: b }) => sum + b - a, 0) / 1000);
  return `Loudness of the clip; who spoke: ${speakers.map((id) => `${nameOf(id)} ${seconds(id)} s`).join(", ")}.`;
}
