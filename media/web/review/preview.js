// The statement of reasons as the person would get it, before anything is decided.
import { offers, post } from "../api.js";
import { h } from "../dom.js";
import { attempt, toast } from "../say.js";
import { sheet } from "../sheet.js";
import { when } from "../time.js";
import { caseAt } from "./desk.js";

/** Show it in a dialog. */
export async function showPreview(desk) {
  const { shown, chosen } = desk.state;
  if (shown === null || chosen.size === 0 || shown.is_appeal) return toast("Choose what to do first: the keys 1 to 9.");
  if (!(await offers("POST", "/2/moderation/cases/{case_id}/decision/preview"))) return toast("This server writes no statements.");
  const found = await attempt(() => post(caseAt(shown.id, "decision", "preview"), { actions: [...chosen] }));
  if (!found) return;
  const { reasons, redress } = found.data;
  sheet(
    "What the person would be told",
    h("dl", { class: "statement" }, ...row("Rule", reasons.rule), ...row("Why", reasons.explanation), ...row("Facts", reasons.facts)),
    h("p", { text: `They can complain until ${when(new Date(redress.complain_until))}. ${redress.warning}` }),
    h("p", { class: "dim", text: redress.means }),
  );
}

const row = (name, text) => [h("dt", { text: name }), h("dd", { text })];
