// One case: what it is about, its evidence, its reports and its history, and the decision beside them.
import { h, set, show, write } from "../dom.js";
import { onNames } from "../people.js";
import { actionsView } from "./actions.js";
import { isMine } from "./desk.js";
import { evidenceView } from "./evidence.js";
import { showPreview } from "./preview.js";
import { severityMark, subjectWords } from "./queue.js";
import { complaintView, earlierView, reportsView, timelineView } from "./record.js";
import { dueWords, leaseWords } from "./times.js";

const PLACEHOLDER = "Take the next case with N, or look at the list with J and K. ? shows all keys.";

/** The right side of the page: its element, and what keys do to the case that is shown. */
export function caseView(desk) {
  const nothing = h("p", { class: "empty", text: PLACEHOLDER });
  const place = h("div", {});
  const element = h("section", { class: "case-side", "aria-label": "Case" }, nothing, place);
  let open = null;
  const draw = (state) => {
    show(nothing, state.shown === null);
    if (state.shown?.id !== open?.id || state.shown?.is_appeal !== open?.isAppeal) {
      open?.evidence.close();
      open = state.shown && openCase(desk, state.shown);
      place.replaceChildren(...(open ? [open.element] : []));
    }
    open?.draw(state);
  };
  desk.store.watch(draw);
  onNames(() => open?.redraw());
  return {
    element,
    writeNote: () => open?.actions.write(),
    preview: () => showPreview(desk),
    evidence: () => open?.evidence,
    togglePolicy: () => open?.policy.toggleAttribute("open"),
  };
}

function openCase(desk, one) {
  const name = h("h2", {});
  const due = h("span", { class: "pill", role: "timer" });
  const lease = h("span", { class: "pill lease", role: "timer" });
  const severity = h("span", {});
  const facts = h("p", { class: "dim" });
  const record = h("div", { class: "stack" });
  const earlier = h("div", {});
  const actions = actionsView(desk, one, () => showPreview(desk));
  const evidence = evidenceView(desk, one);
  const policy = h("details", { class: "card policy", open: true }, h("summary", { text: `Policy: ${one.category}` }), h("p", { text: one.rule }));
  const element = h(
    "article",
    { class: "case" },
    h("header", { class: "case-head" }, h("div", { class: "row wrap" }, name, severity, due, lease), facts),
    h("div", { class: "case-main stack" }, evidence.element, record),
    h("aside", { class: "case-aside stack", "aria-label": "Decision, policy and earlier cases" }, actions.element, policy, earlier),
  );
  let drawn = null;
  function drawRecord(shown) {
    drawn = shown;
    write(name, subjectWords(shown.subject));
    write(facts, factsOf(shown));
    severity.replaceChildren(severityMark(shown.severity));
    record.replaceChildren(...[complaintView(shown), reportsView(shown), timelineView(shown)].filter(Boolean));
    earlier.replaceChildren(...[earlierView(shown)].filter(Boolean));
  }
  return {
    id: one.id,
    isAppeal: one.is_appeal,
    element,
    actions,
    evidence,
    policy,
    redraw: () => drawRecord(drawn),
    draw(state) {
      const { shown } = state;
      if (shown !== drawn) drawRecord(shown);
      const { text, late } = dueWords(shown.due_at);
      write(due, text);
      due.classList.toggle("late", late);
      show(lease, isMine(shown));
      if (isMine(shown)) write(lease, leaseWords(shown.lease_until));
      set(element, { data: { state: shown.state } });
      actions.draw(state);
    },
  };
}

function factsOf(one) {
  const about = one.subject.user_id ? `in Space ${one.subject.space_id}` : "the Space itself";
  return [`Case ${one.id}`, one.is_appeal ? `complaint about a decision: ${one.category}` : one.category, about, one.language && `language ${one.language}`].filter(Boolean).join(" · ");
}
