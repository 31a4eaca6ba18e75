// Queues with how much waits in them, and the cases of one, the first to be looked at first.
import { button, h, keyed, set, show, write } from "../dom.js";
import { nameOf, onNames } from "../people.js";
import { me } from "../token.js";
import { dueWords } from "./times.js";

const SEVERITIES = ["low", "moderate", "high", "grave", "gravest"];

/** The severity of a case as a mark. */
export function severityMark(severity) {
  return h("span", { class: "severity", data: { severity } }, `${severity} ${SEVERITIES[severity] ?? ""}`);
}

/** Whom or what a case is about. */
export const subjectWords = ({ user_id: user, space_id: space }) => (user ? nameOf(user) : `Space ${space}`);

/** The left side of the page. */
export function queueView(desk) {
  const queues = h("ul", { class: "queues", "aria-label": "Queues" });
  const cases = h("ol", { class: "case-list", "aria-label": "Cases" });
  const nothing = h("p", { class: "dim", text: "Nothing waits here." });
  const next = button("Take the next case", () => desk.next(), { class: "primary small" }, h("kbd", { text: "N" }), "Take the next");
  const draw = (state) => {
    keyed(queues, state.queues, ({ name }) => name, (one) => queueButton(desk, one), (element, one) => refreshQueue(element, one, state));
    keyed(cases, state.cases, ({ id }) => id, (one) => caseRow(desk, one), (element, one) => refreshRow(element, one, state));
    show(nothing, state.cases.length === 0);
  };
  desk.store.watch(draw);
  onNames(() => desk.store.touch());
  return h("nav", { class: "card queue-side", "aria-label": "Queues and cases" }, h("h2", { text: "Queues" }), queues, next, cases, nothing);
}

function queueButton(desk, { name }) {
  return h("li", {}, button("", () => desk.chooseQueue(name), { class: "queue-button" }, h("span", { class: "grow", text: name }), h("span", { class: "badge" }), h("small", { class: "late" })));
}

function refreshQueue(element, { name, waiting, overdue }, state) {
  const [one] = element.children;
  set(one, { "aria-current": name === state.queue ? "true" : null });
  write(one.children[1], waiting);
  write(one.children[2], overdue ? `${overdue} overdue` : "");
}

function caseRow(desk, one) {
  const row = button("", () => desk.look(one.id), { class: "case-row" }, h("span", { class: "case-name" }), severityMark(one.severity), h("small", { class: "case-what" }), h("small", { class: "case-due" }));
  return h("li", {}, row);
}

function refreshRow(element, one, state) {
  const [row] = element.children;
  const [name, severity, what, due] = row.children;
  const { text, late } = dueWords(one.due_at);
  const here = one.id === state.selected;
  if (here && row.getAttribute("aria-current") === null) row.scrollIntoView({ block: "nearest" });
  set(row, { "aria-current": here ? "true" : null });
  write(name, subjectWords(one.subject));
  if (severity.dataset.severity !== String(one.severity)) severity.replaceWith(severityMark(one.severity));
  write(what, [one.is_appeal ? "complaint" : one.category, `${one.report_count} ${one.report_count === 1 ? "report" : "reports"}`, whose(one)].filter(Boolean).join(" · "));
  write(due, text);
  due.classList.toggle("late", late);
}

/** Who has a case, in a word. */
function whose({ reviewer, state }) {
  if (state === "escalated") return "escalated";
  if (!reviewer) return "";
  const who = reviewer === me() ? "yours" : `with ${nameOf(reviewer)}`;
  return state === "held" ? `${who}, held` : who;
}
