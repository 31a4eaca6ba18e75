// Why one cannot get in, cannot speak or cannot do a thing, and when to try again: every refusal as something to say.

const PLAIN = {
  removed: ["You were removed from this Space", "list"],
  blocked: ["The host has blocked you", "list"],
  suspended: ["This account is suspended", "list"],
  "no-token": ["Sign in to come in", "signin"],
  "bad-token": ["Your sign-in has ended", "signin"],
  "unknown-space": ["There is no such Space", "list"],
  "not-found": ["There is nothing here", "list"],
  "wrong-state": ["That cannot be done now", "retry"],
  "not-live": ["The Space has just ended", "list"],
  "relay-full": ["This Space is full right now", "wait"],
  "relay-lost": ["The sound was lost", "wait"],
  "media-lost": ["The sound was lost", "wait"],
  "no-media": ["The sound cannot reach you", "wait"],
  "unknown-session": ["The sound was lost", "wait"],
  starting: ["The server is starting", "wait"],
  offline: ["You are offline", "wait"],
  unreachable: ["The server cannot be reached", "wait"],
  "stream-ended": ["The connection was lost", "wait"],
  slow: ["The server is slow", "wait"],
  "cool-down": ["You can ask again soon", "wait"],
  "no-entry": ["The host lets nobody in right now", "retry"],
  "slow-entry": ["People come in one after another", "wait"],
  "seats-full": ["All seats are taken", "none"],
  "not-eligible": ["That is not possible for this account", "list"],
  "no-right": ["You have no right to do that", "none"],
  "muted-by-admin": ["An admin has muted you", "none"],
  "too-many-sessions": ["You are connected too often", "wait"],
  "no-ticket": ["This Space needs a ticket", "ticket"],
};

/** Say a refusal: {title, text, action, retryAt}; action is list, signin, retry, wait or none. */
export function why(problem) {
  const [title, action] = PLAIN[problem.slug] ?? ["That did not work", problem.status >= 500 ? "wait" : "none"];
  return { title, text: problem.message, action, retryAt: problem.retryAt ?? null };
}

/** Why nobody can be in a Space that is not live, or null if it is. */
export function whyClosed(space) {
  if (space.state === "ended") return { title: "This Space has ended", text: endedText(space), action: "list" };
  if (space.state === "canceled") {
    return { title: "This Space was canceled", text: "The host called it off. It will not take place.", action: "list" };
  }
  return null;
}

const REASONS = {
  empty: "Nobody was in it any more.",
  "not started": "Nobody started it in time.",
  host: "The host ended it.",
  enforcement: "It was ended by whoever runs this service.",
  "host gone": "The host was gone for too long, and no co-host was there.",
};

function endedText(space) {
  return REASONS[space.ended_reason] ?? "Thank you for coming.";
}
