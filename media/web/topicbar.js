// What is talked about now: topics of live Spaces, one of which may be chosen to see only Spaces that have it.
import { get } from "./api.js";
import { button, h, keyed, set, show } from "./dom.js";
import { bearer } from "./token.js";

const MOST = 8;

/** Topics to choose from; `onChoice` when another is chosen. {view, read, chosen}, which is {id, name} or null. */
export function topicBar(onChoice) {
  const list = h("ul", { class: "topic-bar" });
  const view = h("nav", { "aria-label": "Talked about now", hidden: true }, list);
  let topics = [];
  let chosen = null;

  async function read() {
    if (!bearer()) return;
    const { data } = await get("/topics").catch(() => ({ data: topics }));
    topics = data.filter((one) => one.live_count > 0 || one.id === chosen?.id);
    topics.sort((a, b) => b.live_count - a.live_count);
    topics = [...topics.slice(0, MOST), ...topics.slice(MOST).filter((one) => one.id === chosen?.id)];
    draw();
  }
  function draw() {
    show(view, topics.length > 0);
    keyed(list, topics, ({ id }) => id, make, (item, { id }) => set(item.firstChild, { "aria-pressed": String(id === chosen?.id) }));
  }
  function make(topic) {
    const choose = () => {
      chosen = chosen?.id === topic.id ? null : topic;
      draw();
      onChoice();
    };
    return h("li", {}, button(topic.name, choose, { class: "topic" }));
  }
  return { view, read, chosen: () => chosen };
}
