/**
 * A small seeded generator (sfc32). The same seed and stream give the same numbers on every machine: everything below
 * is 32-bit integer arithmetic, and `Math.log`, `Math.cos` and `Math.exp` are only applied to its results.
 */
export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  uniform(): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** Poisson count with the given mean (Knuth's method in slices, fit for means up to some thousands). */
  poisson(mean: number): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
}

/** Largest mean whose `exp(-mean)` is still far from underflow. */
const POISSON_SLICE = 32;
const WARM_UP_ROUNDS = 16;

/**
 * Makes a generator.
 *
 * @param seed any non-negative safe integer
 * @param stream a name; different names give independent sequences for one seed
 */
export function createRandom(seed: number, stream: string): Random {
  let [a, b, c] = hash(`${seed}/${stream}`);
  let counter = 1;

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  }
  for (let round = 0; round < WARM_UP_ROUNDS; round++) next();

  const uniform = () => next() / 2 ** 32;

  function poissonSmall(mean: number): number {
    const limit = Math.exp(-mean);
    let product = uniform();
    let count = 0;
    while (product > limit) {
      product *= uniform();
      count++;
    }
    return count;
  }

  return {
    uniform,
    normal: () => {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return radius * Math.cos(2 * Math.PI * uniform());
    },
    poisson: (mean) => {
      let count = 0;
      let left = mean;
      while (left > POISSON_SLICE) {
        count += poissonSmall(POISSON_SLICE);
        left -= POISSON_SLICE;
      }
      return left > 0 ? count + poissonSmall(left) : count;
    },
    integer: (bound) => Math.floor(uniform() * bound),
  };
}

/** Three 32-bit words from a string (FNV-1a with different offsets, then avalanche). */
function hash(text: string): [number, number, number] {
  const word = (offset: number): number => {
    let value = offset | 0;
    for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
    value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
    value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
    return (value ^ (value >>> 16)) | 0;
  };
  return [word(0x811c9dc5), word(0x9e3779b9), word(0x51ed270b)];
}
