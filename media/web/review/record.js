// What is known of a case: its reports, the person's earlier cases, and what has happened to it.
import { h } from "../dom.js";
import { nameOf } from "../people.js";
import { when } from "../time.js";
import { placeWords } from "./times.js";
import { covered } from "./words.js";

const share = (accuracy) => `${Math.round(100 * accuracy)} % right`;

/** The reports, each with how often its reporter has been right. */
export function reportsView({ reports }) {
  const items = reports.map((one) =>
    h(
      "li",
      {},
      h("p", { class: "row wrap" }, h("strong", { text: nameOf(one.reporter) }), h("small", { class: "accuracy", text: share(one.accuracy) }), one.trusted && h("small", { class: "badge", text: "trusted flagger" }), one.times > 1 && h("small", { text: `${one.times} times` }), h("small", { class: "dim", text: `heard at ${placeWords(one.moment_ms)}` })),
      h("p", {}, ...covered(one.text || "Without words.")),
    ),
  );
  return section("Reports", h("ul", { class: "reports" }, ...items));
}

/** What the person says against the decision, and the decisions that were taken. */
export function complaintView({ appeal, decisions }) {
  if (!appeal) return null;
  const items = decisions.map((one) =>
    h("li", {}, h("strong", { text: one.actions.join(", ") }), ` by ${nameOf(one.reviewer)}, ${when(new Date(one.at))}${one.undone_at ? ", taken back" : ""}`, one.note && h("p", {}, ...covered(one.note))),
  );
  return section("Complaint", h("p", {}, ...covered(appeal.text)), h("h3", { text: "Decided so far" }), h("ul", { class: "reports" }, ...items));
}

/** Earlier cases of the same person. */
export function earlierView({ earlier, strikes, subject }) {
  if (!subject.user_id) return null;
  const items = earlier.map((one) =>
    h("li", { class: "row wrap" }, h("span", { class: "grow", text: one.category }), h("small", { text: found(one) }), h("small", { class: "dim", text: when(new Date(one.opened_at)) })),
  );
  const none = items.length === 0 && h("p", { class: "dim", text: "There are no earlier cases." });
  return section("Earlier cases", h("p", {}, h("strong", { class: "strikes", text: strikes }), strikes === 1 ? " strike stands." : " strikes stand."), none, h("ul", { class: "earlier" }, ...items));
}

const found = ({ violation, state }) => (violation === null ? state : violation ? "violation" : "no violation");

/** What has happened to a case, the newest last. */
export function timelineView({ timeline }) {
  const items = timeline.map((one) =>
    h("li", {}, h("small", { class: "dim", text: when(new Date(one.at)) }), h("p", {}, h("strong", { text: nameOf(one.actor) }), ` ${one.what}`, one.text && `: ${one.text}`)),
  );
  return section("Timeline", h("ol", { class: "timeline" }, ...items));
}

function section(title, ...content) {
  return h("section", { class: "card", "aria-label": title }, h("h2", { text: title }), ...content);
}
