// Who comes in: what host and co-hosts choose while the Space is live, and what the host wants of all of their Spaces.
import { get, patch, space } from "./api.js";
import { h, show } from "./dom.js";
import { attempt, sayNow } from "./say.js";
import { field } from "./sheet.js";
import { me } from "./token.js";

const WHO = { everyone: "Everyone", following: "People the host follows" };
const RATES = { 0: "As many as come", 6: "6 a minute", 30: "30 a minute", 120: "120 a minute", 600: "600 a minute" };
const SETTINGS = "/users/me/host-settings";

/** The rules of entry, as controls of the panel of host and co-hosts. */
export function entryView(room) {
  let changing = 0;

  /** Change a rule; until the answer is there, the controls show what was chosen. */
  async function change(body, said = null) {
    changing += 1;
    const of = await attempt(() => patch(space(room.id), body));
    changing -= 1;
    if (of && said) sayNow(said);
    draw(of ?? room.store.state.space);
  }

  const locked = check("Nobody new comes in", (on) => change({ locked: on }, on ? "The Space is locked." : "The Space is open."));
  const mute = check("New speakers are muted until you let them", (on) => change({ mute_on_entry: on }));
  const who = choice(WHO, (value) => change({ entry_policy: value }));
  const rate = choice(RATES, (value) => change({ entry_rate: Number(value) }));
  const carry = check("Who is removed stays out of my next Spaces", (on) => attempt(() => patch(SETTINGS, { carry_removals: on })));
  const view = h(
    "fieldset",
    { class: "entry stack" },
    h("legend", { text: "Who comes in" }),
    locked.element,
    field("Who can come in and ask to speak", who),
    field("Listeners come in", rate, "Whoever has to wait is told when it is their turn."),
    mute.element,
    carry.element,
  );
  let asked = false;
  room.store.watch(({ space: of }) => {
    if (!of) return;
    const mine = of.creator_id === me();
    show(carry.element, mine);
    if (mine && !asked) {
      asked = true;
      get(SETTINGS).then((settings) => (carry.box.checked = settings.carry_removals)).catch(() => {});
    }
    if (!changing) draw(of);
  });
  return view;

  function draw(of) {
    locked.box.checked = of.locked;
    mute.box.checked = of.mute_on_entry;
    who.value = of.entry_policy;
    showRate(rate, of.entry_rate);
  }
}

function check(text, choose) {
  const box = h("input", { type: "checkbox", on: { change: () => choose(box.checked) } });
  return { box, element: h("label", { class: "check" }, box, ` ${text}`) };
}

function choice(options, choose) {
  const all = Object.entries(options).map(([value, text]) => h("option", { value, text }));
  return h("select", { on: { change: (event) => choose(event.target.value) } }, ...all);
}

/** Show a rate that was chosen elsewhere, too. */
function showRate(select, rate) {
  if (![...select.options].some(({ value }) => value === String(rate))) {
    select.append(h("option", { value: rate, text: `${rate} a minute` }));
  }
  select.value = rate;
}
