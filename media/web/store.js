// State in one place and views that follow it: changes are gathered, and views drawn once for all of them.

/** Hold a state. `watch(view)` draws now and after changes, and returns what ends that. */
export function createStore(state) {
  const views = new Set();
  let due = false;

  function draw() {
    due = false;
    for (const view of [...views]) view(state);
  }

  return {
    state,
    set(patch) {
      Object.assign(state, patch);
      this.touch();
    },
    touch() {
      if (due) return;
      due = true;
      queueMicrotask(draw);
    },
    watch(view) {
      views.add(view);
      view(state);
      return () => views.delete(view);
    },
  };
}
