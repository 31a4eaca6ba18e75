// Sound of a clip: quiet at first, never by itself, faster or slower without another pitch.
const QUIET = -20;
const [LEAST, MOST, STEP] = [-40, 0, 5];
const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/** Plays one clip that `load` fetches when it is first wanted; `changed` is called whenever something is to be drawn. */
export class Player {
  audio = new Audio();
  decibels = QUIET;
  #load;
  #changed;
  #address = null;
  #frame = 0;

  constructor(load, changed) {
    this.#load = load;
    this.#changed = changed;
    this.#setLevel();
    for (const event of ["play", "pause", "ended", "seeked", "ratechange", "volumechange"]) this.audio.addEventListener(event, () => this.#follow());
  }

  get playing() {
    return !this.audio.paused && !this.audio.ended;
  }

  get loaded() {
    return this.#address !== null;
  }

  /** Milliseconds since the beginning of the clip. */
  get at() {
    return 1000 * this.audio.currentTime;
  }

  async toggle() {
    if (this.playing) return this.audio.pause();
    await this.#fetch();
    await this.audio.play();
  }

  /** Go to a place, in milliseconds since the beginning of the clip. */
  async seek(ms) {
    await this.#fetch();
    const end = Number.isFinite(this.audio.duration) ? this.audio.duration : Infinity;
    this.audio.currentTime = Math.min(end, Math.max(0, ms / 1000));
  }

  /** Be faster (1) or slower (-1). */
  turn(by) {
    const place = SPEEDS.indexOf(this.audio.playbackRate) + by;
    if (SPEEDS[place]) this.audio.playbackRate = SPEEDS[place];
  }

  /** Be louder (1) or quieter (-1). */
  raise(by) {
    this.decibels = Math.min(MOST, Math.max(LEAST, this.decibels + by * STEP));
    this.#setLevel();
  }

  close() {
    cancelAnimationFrame(this.#frame);
    this.audio.pause();
    this.audio.removeAttribute("src");
    if (this.#address) URL.revokeObjectURL(this.#address);
  }

  #setLevel() {
    this.audio.volume = 10 ** (this.decibels / 20);
  }

  async #fetch() {
    if (this.#address) return;
    this.#address = URL.createObjectURL(await this.#load());
    this.audio.src = this.#address;
    await new Promise((resolve, reject) => {
      this.audio.addEventListener("loadedmetadata", resolve, { once: true });
      this.audio.addEventListener("error", () => reject(new Error("This browser cannot play the clip; another one can.")), { once: true });
    });
  }

  #follow() {
    cancelAnimationFrame(this.#frame);
    this.#changed();
    if (this.playing) this.#frame = requestAnimationFrame(() => this.#follow());
  }
}
