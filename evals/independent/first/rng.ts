// A small seeded random source and the distributions that the simulation draws from. Everything random in this
// test set comes from here, so that one seed gives the same bundles on every machine. `fork` makes a stream of its
// own from a label, so that adding a draw in one part of the generator does not change what another part sees.

export class Rng {
  private a: number;
  private b: number;
  private c: number;
  private d: number;
  private label: string;
  private spare: number | null = null;

  constructor(seed: string) {
    this.label = seed;
    const h = hash4(seed);
    this.a = h[0];
    this.b = h[1];
    this.c = h[2];
    this.d = h[3];
    for (let i = 0; i < 16; i++) this.next();
  }

  fork(name: string): Rng {
    return new Rng(`${this.label}/${name}`);
  }

  /** Uniform in [0, 1): sfc32. */
  next(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return (t >>> 0) / 4294967296;
  }

  uniform(lo: number, hi: number): number {
    return lo + (hi - lo) * this.next();
  }

  /** Uniform on the log scale: for sizes that span orders of magnitude. */
  logUniform(lo: number, hi: number): number {
    return Math.exp(this.uniform(Math.log(lo), Math.log(hi)));
  }

  int(lo: number, hi: number): number {
    return lo + Math.floor(this.next() * (hi - lo + 1));
  }

  chance(p: number): boolean {
    return this.next() < p;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error("pick from nothing");
    return items[Math.floor(this.next() * items.length)] as T;
  }

  weighted<T>(items: readonly (readonly [T, number])[]): T {
    let sum = 0;
    for (const [, w] of items) sum += w;
    let x = this.next() * sum;
    for (const [item, w] of items) {
      x -= w;
      if (x < 0) return item;
    }
    return (items[items.length - 1] as readonly [T, number])[0];
  }

  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.int(0, i);
      const x = out[i] as T;
      out[i] = out[j] as T;
      out[j] = x;
    }
    return out;
  }

  normal(mean = 0, sd = 1): number {
    if (this.spare !== null) {
      const s = this.spare;
      this.spare = null;
      return mean + sd * s;
    }
    const r = Math.sqrt(-2 * Math.log(1 - this.next()));
    const th = 2 * Math.PI * this.next();
    this.spare = r * Math.sin(th);
    return mean + sd * r * Math.cos(th);
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  poisson(mean: number): number {
    if (mean <= 0) return 0;
    if (mean > 40) return Math.max(0, Math.round(this.normal(mean, Math.sqrt(mean))));
    const limit = Math.exp(-mean);
    let k = 0;
    let p = this.next();
    while (p > limit) {
      k++;
      p *= this.next();
    }
    return k;
  }

  binomial(n: number, p: number): number {
    if (n <= 0 || p <= 0) return 0;
    if (p >= 1) return n;
    if (n <= 40) {
      let k = 0;
      for (let i = 0; i < n; i++) if (this.next() < p) k++;
      return k;
    }
    const small = Math.min(p, 1 - p);
    const k =
      n * small < 15
        ? Math.min(n, this.poisson(n * small))
        : Math.round(this.normal(n * small, Math.sqrt(n * small * (1 - small))));
    const c = Math.max(0, Math.min(n, k));
    return p <= 0.5 ? c : n - c;
  }

  hex(n: number): string {
    let s = "";
    while (s.length < n) s += this.int(0, 15).toString(16);
    return s;
  }
}

/** A mean-reverting noise with a time constant, in steps of any length. */
export class Drift {
  private x: number;
  private rng: Rng;
  private sd: number;
  private tau: number;

  constructor(rng: Rng, sd: number, tauSeconds: number) {
    this.rng = rng;
    this.sd = sd;
    this.tau = tauSeconds;
    this.x = rng.normal(0, sd);
  }

  step(dt: number): number {
    const phi = Math.exp(-dt / this.tau);
    this.x = phi * this.x + this.rng.normal(0, this.sd * Math.sqrt(1 - phi * phi));
    return this.x;
  }
}

function hash4(s: string): [number, number, number, number] {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let d = 0x12345678;
  for (let i = 0; i < s.length; i++) {
    const k = s.charCodeAt(i);
    a = Math.imul(a ^ k, 597399067);
    b = Math.imul(b ^ (k + a), 2869860233);
    c = Math.imul(c ^ (k + b), 951274213);
    d = Math.imul(d ^ (k + c), 2716044179);
    d ^= a >>> 15;
  }
  return [a, b, c, d];
}
