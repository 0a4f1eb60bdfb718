/** Sounds made on the spot: no files. Silent until the first key or click, as browsers demand; M mutes. */

export class Sound {
  #context: AudioContext | undefined;
  #out: GainNode | undefined;
  #noise: AudioBuffer | undefined;
  #muted = false;

  /** Call from a user's gesture. */
  wake(): void {
    if (this.#context !== undefined || typeof AudioContext === "undefined") return;
    const context = new AudioContext();
    this.#context = context;
    this.#out = context.createGain();
    this.#out.gain.value = 0.22;
    const limiter = context.createDynamicsCompressor();
    this.#out.connect(limiter).connect(context.destination);
    this.#noise = context.createBuffer(1, context.sampleRate, context.sampleRate);
    const samples = this.#noise.getChannelData(0);
    for (let i = 0; i < samples.length; i++) samples[i] = Math.random() * 2 - 1;
  }

  mute(): boolean {
    this.#muted = !this.#muted;
    return this.#muted;
  }

  /** `near` is 1 at the ear and 0 out of earshot, for all of these. */
  shot(near: number): void {
    this.#hiss(1900, 0.07, 0.5 * near);
    this.#tone("square", 420, 90, 0.08, 0.22 * near);
  }

  orb(near: number): void {
    this.#tone("sine", 180, 520, 0.22, 0.5 * near);
  }

  blast(near: number): void {
    this.#hiss(420, 0.4, 1.1 * near);
    this.#tone("sine", 130, 36, 0.4, 0.9 * near);
  }

  dash(near: number): void {
    this.#hiss(3200, 0.16, 0.35 * near);
  }

  cast(): void {
    this.#tone("sine", 260, 520, 0.45, 0.3);
  }

  mend(): void {
    this.#tone("sine", 660, 880, 0.12, 0.22);
  }

  hit(): void {
    this.#tone("triangle", 1250, 980, 0.06, 0.55);
  }

  hurt(): void {
    this.#tone("sawtooth", 190, 70, 0.12, 0.35);
  }

  kill(): void {
    this.#tone("triangle", 660, 660, 0.09, 0.6);
    this.#tone("triangle", 990, 990, 0.16, 0.6, 0.09);
  }

  death(near: number): void {
    this.#hiss(700, 0.5, 0.7 * near);
    this.#tone("sawtooth", 260, 40, 0.5, 0.3 * near);
  }

  #tone(type: OscillatorType, from: number, to: number, seconds: number, gain: number, wait = 0): void {
    const context = this.#context;
    if (context === undefined || this.#out === undefined || this.#muted || gain < 0.02) return;
    const at = context.currentTime + wait;
    const tone = context.createOscillator();
    tone.type = type;
    tone.frequency.setValueAtTime(from, at);
    tone.frequency.exponentialRampToValueAtTime(to, at + seconds);
    const volume = context.createGain();
    volume.gain.setValueAtTime(gain, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + seconds);
    tone.connect(volume).connect(this.#out);
    tone.start(at);
    tone.stop(at + seconds);
  }

  #hiss(frequency: number, seconds: number, gain: number): void {
    const context = this.#context;
    if (context === undefined || this.#out === undefined || this.#muted || gain < 0.02) return;
    const source = context.createBufferSource();
    source.buffer = this.#noise ?? null;
    const filter = context.createBiquadFilter();
    filter.type = "bandpass";
    filter.frequency.value = frequency;
    const volume = context.createGain();
    volume.gain.setValueAtTime(gain, context.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + seconds);
    source.connect(filter).connect(volume).connect(this.#out);
    source.start(0, Math.random() * 0.5, seconds);
  }
}
