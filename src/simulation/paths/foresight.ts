import type { Bar } from "./pricePath.ts";

const NOTHING: readonly never[] = [];

/**
 * Bars with some of what comes after each, for agents that know the future.
 *
 * @param ahead bars known in advance
 * @returns the bar and, in order, up to `ahead` bars after it; the list is reused
 */
export function* withForesight<B extends Bar>(
  bars: Iterable<B>,
  ahead: number,
): Generator<{ bar: B; next: readonly B[] }> {
  if (ahead === 0) {
    for (const bar of bars) yield { bar, next: NOTHING };
    return;
  }
  const window: B[] = [];
  for (const bar of bars) {
    window.push(bar);
    if (window.length <= ahead) continue;
    const first = window.shift() as B;
    yield { bar: first, next: window };
  }
  for (let first = window.shift(); first !== undefined; first = window.shift())
    yield { bar: first, next: window };
}
