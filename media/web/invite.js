// Invite people: anyone may ask somebody to come and listen, host and co-hosts offer places on the stage.
import { post, space } from "./api.js";
import { button, h, show } from "./dom.js";
import { icon } from "./icons.js";
import { nameOf } from "./people.js";
import { personField } from "./pick.js";
import { attempt, copy, toast } from "./say.js";
import { field, sheet } from "./sheet.js";
import { isAdmin } from "./state.js";

const ROLES = { speaker: "To speak", cohost: "To be a co-host", listener: "To listen" };
const WAY = { speaker: "room", cohost: "room", listener: "message" };

/** What one may invite to. */
function rolesOf(state) {
  if (state.you.standing === "host") return ["speaker", "cohost", "listener"];
  return isAdmin(state) ? ["speaker", "listener"] : ["listener"];
}

/** Ask whom to invite, and to what; or make a link. */
export function openInvite(room) {
  const roles = rolesOf(room.store.state);
  const who = personField("Who? A name, or a handle");
  const role = h("select", {}, ...roles.map((value) => h("option", { value, text: ROLES[value] })));
  const roleField = field("What for", role);
  const problem = h("p", { class: "problem", role: "alert" });
  const form = h(
    "form",
    { class: "stack", on: { submit: send } },
    problem, // above, where the list does not cover it
    who.element,
    h("p", { class: "dim", text: "They are told at once if they have Spaces open, and find the invitation here." }),
    roleField,
    h("div", { class: "row end" }, h("button", { class: "primary", type: "submit" }, "Invite")),
  );
  show(roleField, roles.length > 1);
  const dialog = sheet(roles.length > 1 ? "Invite" : "Invite to listen", form, linksOf(room, roles));

  async function send(event) {
    event.preventDefault();
    problem.textContent = "";
    try {
      const id = await who.read();
      await post(space(room.id, "invitations"), { user_id: id, role: role.value, via: WAY[role.value] });
      dialog.close();
      toast(`${nameOf(id)} is invited.`);
    } catch (error) {
      problem.textContent = error.message;
    }
  }
}

/** Links: the Space's own, which leads here, and for host and co-hosts those that give a seat. */
function linksOf(room, roles) {
  const shown = h("output", { class: "link" });
  const give = (url, done) => {
    shown.textContent = url;
    copy(url, done);
  };
  const here = () => give(location.origin + location.pathname, "The link is copied.");
  const seat = async (role) => {
    const link = await attempt(() => post(space(room.id, "invitation-links"), { role }));
    if (!link) return;
    const { hash } = new URL(link.url);
    give(location.origin + location.pathname + hash, "The invitation link is copied."); // where this page is found, the link is
  };
  return h(
    "div",
    { class: "stack" },
    h("p", { class: "dim", text: roles.length > 1 ? "Or send a link; one to speak gives whoever opens it a seat, while one is free." : "Or send the link." }),
    h(
      "div",
      { class: "row wrap" },
      button("", here, { class: "plain small" }, icon("share"), "Link to listen"),
      roles.includes("speaker") && button("", () => seat("speaker"), { class: "plain small" }, icon("share"), "Link for speakers"),
      roles.includes("cohost") && button("", () => seat("cohost"), { class: "plain small" }, icon("star"), "Link for a co-host"),
    ),
    shown,
  );
}
