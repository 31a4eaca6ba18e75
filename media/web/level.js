// How loud a stream is right now, measured by Web Audio in the page.

let context = null;

/** The one audio context of the page; made when it is first needed, which should be in a gesture. */
export function audioContext() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume().catch(() => {});
  return context;
}

/** Measures a stream: `read()` gives dBFS, -127 for silence. */
export class Meter {
  #source;
  #analyser;
  #samples;

  constructor(stream) {
    const audio = audioContext();
    this.#analyser = new AnalyserNode(audio, { fftSize: 1024 });
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source = new MediaStreamAudioSourceNode(audio, { mediaStream: stream });
    this.#source.connect(this.#analyser);
  }

  read() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    return power > 0 ? Math.max(-127, 10 * Math.log10(power)) : -127;
  }

  close() {
    this.#source.disconnect();
  }
}

/** Loudness between 0 (quiet, -55 dB) and 1 (loud, -12 dB), for drawing. */
export const loudness = (decibels) => Math.min(1, Math.max(0, (decibels + 55) / 43));

/** Two short notes: going up when the sound is back, down when it was lost. Heard, not only seen. */
export function chime(up) {
  const audio = audioContext();
  if (audio.state !== "running") return;
  const gain = new GainNode(audio, { gain: 0 });
  const tone = new OscillatorNode(audio, { type: "sine", frequency: up ? 440 : 587 });
  const now = audio.currentTime;
  tone.frequency.setValueAtTime(up ? 587 : 440, now + 0.12);
  gain.gain.linearRampToValueAtTime(0.06, now + 0.02);
  gain.gain.setValueAtTime(0.06, now + 0.2);
  gain.gain.linearRampToValueAtTime(0, now + 0.26);
  tone.connect(gain).connect(audio.destination);
  tone.start(now);
  tone.stop(now + 0.3);
}
