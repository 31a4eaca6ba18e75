// What a host learns of a Space: who came, stayed, asked and reacted, as figures, as a picture and as files.
import { get, space } from "./api.js";
import { button, h, keyed, show, write } from "./dom.js";
import { download, objectOf } from "./download.js";
import { icon } from "./icons.js";
import { nameOf } from "./people.js";
import { emojiOf } from "./reactions.js";
import { attempt } from "./say.js";
import { sheet } from "./sheet.js";
import { count } from "./time.js";

const TABLES = { summary: "Figures", audience: "Audience", retention: "Retention", talk: "Who talked", sources: "Ways here" };
const WAYS = { bubble: "bubbles", search: "search", link: "links", notification: "notifications", direct: "the list" };
const LOUDEST = 3;
const PERIOD = 5_000;

/** Show the report of a Space to its host. */
export async function openAnalytics(room) {
  const report = await attempt(() => get(space(room.id, "analytics")));
  if (!report) return;
  const table = h("dl", { class: "figures" });
  const picture = h("img", { class: "chart", alt: `Audience, retention and reactions over time. ${inWords(report)}` });
  const dialog = sheet(
    report.state === "live" ? "How it goes" : "How it went",
    table,
    picture,
    h("p", { class: "dim", text: "As files, to take with you:" }),
    h("div", { class: "row wrap" }, ...files(room)),
  );
  dialog.classList.add("wide");
  draw(table, report);
  await drawPicture(picture, room);
  const timer = report.state === "live" && setInterval(refresh, PERIOD);
  dialog.addEventListener("close", () => (clearInterval(timer), URL.revokeObjectURL(picture.src)));

  async function refresh() {
    const fresh = await get(space(room.id, "analytics")).catch(() => null);
    if (!fresh || !dialog.open) return;
    draw(table, fresh);
    await drawPicture(picture, room);
  }
}

function draw(table, report) {
  keyed(table, figures(report), ([name]) => name, ([name]) => h("div", {}, h("dt", { text: name }), h("dd", {})), (row, [, text]) =>
    write(row.lastChild, text),
  );
}

async function drawPicture(picture, room) {
  const address = await objectOf(`${space(room.id, "analytics.svg")}?theme=${shade()}`).catch(() => null);
  show(picture, Boolean(address));
  URL.revokeObjectURL(picture.src);
  if (address) picture.src = address;
}

/** Pairs of a name and a figure. */
export function figures(report) {
  const { peak, unique, retention, requests, reactions, talk_time: talk, sources } = report;
  const given = Object.values(reactions).reduce((sum, many) => sum + many, 0);
  const best = Object.keys(reactions).slice(0, LOUDEST).map(emojiOf).join(" ");
  const anonymous = unique.anonymous_connections ? `, and ${count(unique.anonymous_connections)} times somebody without a name` : "";
  return [
    ["Most at a time", count(peak.participant_count)],
    ["Different people", `${unique.people ? "about " : ""}${count(unique.people)}${anonymous}`],
    ["Half of them stayed", retention.median_seconds === null ? "until now" : `${lasting(retention.median_seconds)} or longer`],
    ["Requests to speak", `${requests.asked}, ${requests.granted} granted`],
    ["Reactions", given ? `${count(given)} ${best}` : "none"],
    ["Who talked", talk.slice(0, LOUDEST).map((one) => `${nameOf(one.user_id)} ${Math.round(100 * one.share)} %`).join(", ") || "nobody yet"],
    ["They came by", sources.map((one) => `${WAYS[one.source] ?? one.source} ${Math.round(100 * one.share)} %`).join(", ") || "–"],
  ];
}

const inWords = (report) => figures(report).map(([name, text]) => `${name}: ${text}.`).join(" ");
const lasting = (seconds) => (seconds < 90 ? `${Math.round(seconds)} seconds` : `${Math.round(seconds / 60)} minutes`);

function files(room) {
  const name = `space-${room.id}`;
  const sheets = Object.entries(TABLES).map(([table, text]) => {
    const save = () => download(`${space(room.id, "analytics.csv")}?table=${table}`, `${name}-${table}.csv`);
    return button("", save, { class: "plain small" }, icon("down"), `${text} (CSV)`);
  });
  return [...sheets, button("", () => download(space(room.id, "analytics"), `${name}.json`), { class: "plain small" }, icon("down"), "All (JSON)")];
}

/** What the page looks like now. */
function shade() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}
