// What is known of a Space, from the events of its stream: a function of what was known and what came.

export const ON_STAGE = new Set(["host", "cohost", "speaker"]);
const MESSAGES_KEPT = 200;
const LINES_KEPT = 100;

export const blank = () => ({
  space: null,
  preview: null, // the same of one that cannot be followed without a ticket
  stage: [],
  requests: [],
  pins: [],
  messages: [],
  captions: { available: false, user_ids: [], paused: false, lines: [], passing: {} },
  you: { standing: "outside", muted_by_self: true, muted_by_admin: false, hand_raised: false },
  participants: 0,
  listeners: 0,
  speaking: {},
  reactions: null,
  stream: "connecting",
  streamProblem: null,
  line: { phase: "idle" },
  joined: false,
  known: false,
  heard: true,
  microphone: null,
});

const REDUCE = {
  space(state, { stage, pins, ...space }) {
    const patch = { space, participants: space.participant_count };
    if (stage) patch.stage = stage;
    if (pins) patch.pins = pins;
    patch.listeners = space.listener_count ?? Math.max(0, space.participant_count - (stage ?? state.stage).length);
    return patch;
  },
  stage: (_, stage) => ({ stage: stage.data ?? stage }),
  requests: (_, requests) => ({ requests: requests.data ?? requests }),
  pulse: (_, pulse) => ({
    participants: pulse.participant_count,
    listeners: pulse.listener_count,
    speaking: pulse.speaking ?? {},
    reactions: pulse.reactions ?? null,
  }),
  you: (state, you) => ({ known: true, you: { ...state.you, retry_at: null, invited_as: null, ...you } }),
  message: (state, message) => ({ messages: withOne(state.messages, message) }),
  shared: (state, post) => ({ messages: withOne(state.messages, { ...post, id: `${post.post_id} ${post.created_at}` }) }),
  captions: (state, captions) => ({ captions: { ...state.captions, ...captions } }),
  caption: (state, line) => ({ captions: withLine(state.captions, line) }),
  pins: (_, pins) => ({ pins: pins.data ?? pins }),
  ended: (state, end) => ({ space: { ...state.space, state: end.state, ended_reason: end.reason } }),
};

function withOne(messages, one) {
  return [...messages.filter((other) => other.id !== one.id), one].slice(-MESSAGES_KEPT);
}

/** What is being said stands behind the lines that are final, one of each speaker. */
function withLine(captions, line) {
  const known = captions.lines.some((other) => other.id === line.id);
  if (known) return { ...captions, lines: captions.lines.map((other) => (other.id === line.id ? line : other)) };
  const { [line.user_id]: _, ...passing } = captions.passing;
  if (line.id) return { ...captions, passing, lines: [...captions.lines, line].slice(-LINES_KEPT) };
  return { ...captions, passing: line.text ? { ...passing, [line.user_id]: line } : passing };
}

/** What an event changes of a state; nothing, if it is of a kind that is not known here. */
export const reduce = (state, name, data) => REDUCE[name]?.(state, data) ?? {};

/** Whether one has the right to speak. */
export const onStage = (state) => ON_STAGE.has(state.you.standing);

/** Whether one may handle requests, mute and remove. */
export const isAdmin = (state) => ["host", "cohost"].includes(state.you.standing);

/** Whether one is heard when one speaks. */
export const isOpen = ({ you }) => !you.muted_by_self && !you.muted_by_admin;

/** Whether a Space goes on. */
export const isLive = (state) => state.space?.state === "live";
