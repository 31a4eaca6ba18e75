// What is said when somebody's place in the room changes: one's own at once, that of others when there is a pause.
import { nameOf } from "./people.js";
import { say, sayNow } from "./say.js";
import { isOpen, onStage } from "./state.js";
import { me } from "./token.js";

const CROWD = new Set(["outside", "listener"]);
const OWN = {
  speaker: "You are a speaker now, and muted.",
  cohost: "You are a co-host now.",
  invited: "You are invited to speak.",
  requested: "You wait to speak.",
  listener: "You are a listener again.",
  removed: "You were removed from this Space.",
};

/** What a change of one's own standing or mutes means; empty if nothing worth saying. */
export function ownNews(before, now) {
  if (now.standing === "removed" && before.standing !== "removed") return OWN.removed;
  if (now.muted_by_admin && !before.muted_by_admin) return "You are muted by an admin.";
  if (before.muted_by_admin && !now.muted_by_admin) return "You may unmute again.";
  if (now.standing !== before.standing) {
    // Being connected or not is the sound's to say.
    return CROWD.has(now.standing) && CROWD.has(before.standing) ? "" : (OWN[now.standing] ?? "");
  }
  const [open, was] = [isOpen({ you: now }), isOpen({ you: before })];
  if (!onStage({ you: now }) || open === was) return "";
  return open ? "Your microphone is on." : "You are muted.";
}

export function tellOwn(before, now) {
  const news = ownNews(before, now);
  if (news) sayNow(news);
}

export function tellStage(before, now) {
  const names = (people, others) => {
    const ids = new Set(others.map((one) => one.user_id));
    return people.filter((one) => !ids.has(one.user_id) && one.user_id !== me()).map((one) => nameOf(one.user_id));
  };
  const came = before.length ? names(now, before) : [];
  const went = names(before, now);
  if (came.length) say(`${came.join(", ")} may speak now.`);
  if (went.length) say(`${went.join(", ")} left the stage.`);
}
