/**
 * Memory of pure functions whose arguments recur, as the seconds between two blocks do. It is bounded: a new argument takes the place of
 * an old one.
 */

/** Places per function; a power of two. */
const PLACES = 1024;
const PLACE_MASK = PLACES - 1;

/**
 * The same function, faster for the argument that it had last.
 *
 * @param compute a pure function
 */
export function rememberLast(compute: (x: bigint) => bigint): (x: bigint) => bigint {
  let last: bigint | undefined;
  let result = 0n;
  return (x) => {
    if (x !== last) {
      result = compute(x);
      last = x;
    }
    return result;
  };
}

/**
 * The same function of two arguments, faster for those that it had last.
 *
 * @param compute a pure function
 */
export function rememberLastPair<T>(
  compute: (x: bigint, y: bigint) => T,
): (x: bigint, y: bigint) => T {
  let lastX: bigint | undefined;
  let lastY: bigint | undefined;
  let result: T;
  return (x, y) => {
    if (x !== lastX || y !== lastY) {
      result = compute(x, y);
      lastX = x;
      lastY = y;
    }
    return result;
  };
}

/**
 * The same function, faster for arguments that it had lately. Best for small ones: their lowest ten bits tell them apart.
 *
 * @param compute a pure function
 */
export function remember(
  compute: (x: bigint, y: bigint) => bigint,
): (x: bigint, y: bigint) => bigint {
  const knownX = new Array<bigint | undefined>(PLACES).fill(undefined);
  const knownY = new Array<bigint>(PLACES).fill(0n);
  const results = new Array<bigint>(PLACES).fill(0n);
  return (x, y) => {
    const place = (Number(x) ^ Number(y)) & PLACE_MASK;
    if (knownX[place] !== x || knownY[place] !== y) {
      results[place] = compute(x, y);
      knownX[place] = x;
      knownY[place] = y;
    }
    return results[place] as bigint;
  };
}
