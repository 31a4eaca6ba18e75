// The replay of a Space that is over: one button, and then the browser's own player.
import { objectOf } from "./download.js";
import { button, h, show } from "./dom.js";
import { attempt } from "./say.js";

/** What plays a Space again, shown once it is over and its host wished so; `close` stops it. */
export function replayView(room) {
  const id = room.id;
  let address = null;
  const player = h("audio", { controls: true, hidden: true, "aria-label": "Replay" });
  const play = button("Listen to it again", () => load(), { class: "primary" });
  const view = h("section", { class: "replay", hidden: true, "aria-label": "Replay" }, play, player);
  const load = async () => {
    play.disabled = true;
    const found = await attempt(() => objectOf(`/2/spaces/${id}/replay.ogg`));
    play.disabled = false;
    if (!found) return;
    address = found;
    player.src = found;
    show(player, true);
    show(play, false);
    await attempt(() => player.play());
  };
  room.store.watch((state) => show(view, state.space?.state === "ended" && state.space.is_available_for_replay));
  return {
    view,
    close() {
      player.pause();
      if (address) URL.revokeObjectURL(address);
    },
  };
}
