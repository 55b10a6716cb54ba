import type { Action } from "../../../src/model/calls.ts";

/** Whether actions, from the beginning, still show what is being looked for. */
export type Shows = (actions: readonly Action[]) => Promise<boolean>;

/** Runs that a search may take. */
const PATIENCE = 1_500;

/**
 * Makes a list of actions as small as possible while it still shows something: drops chunks, then single actions, then makes amounts
 * simple.
 *
 * @returns the smallest list found; no single action can be dropped from it unless patience ran out
 */
export async function shrink(actions: readonly Action[], shows: Shows): Promise<Action[]> {
  let left = PATIENCE;
  const tried: Shows = async (candidate) => {
    left -= 1;
    return left > 0 && (await shows(candidate));
  };
  const fewer = await dropChunks([...actions], tried);
  return simplify(fewer, tried);
}

/** Chunks from the end, halves first. Starts over at single actions until none can go. */
async function dropChunks(actions: Action[], shows: Shows): Promise<Action[]> {
  let kept = actions;
  for (let size = Math.ceil(kept.length / 2); size >= 1; ) {
    const before = kept.length;
    for (let end = kept.length; end > 0; end -= size) {
      const candidate = [...kept.slice(0, Math.max(0, end - size)), ...kept.slice(end)];
      if (candidate.length < kept.length && (await shows(candidate))) kept = candidate;
    }
    if (size > 1) size = Math.floor(size / 2);
    else if (kept.length === before) break;
  }
  return kept;
}

/** Each number becomes zero, one, or as few digits as will do. */
async function simplify(actions: Action[], shows: Shows): Promise<Action[]> {
  let kept = actions;
  for (let i = 0; i < kept.length; i += 1) {
    for (const [name, value] of Object.entries(kept[i]!.args)) {
      if (typeof value !== "bigint") continue;
      for (const simpler of simplerThan(value)) {
        const candidate = kept.with(i, withArgument(kept[i]!, name, simpler));
        if (!(await shows(candidate))) continue;
        kept = candidate;
        break;
      }
    }
  }
  return kept;
}

function withArgument(action: Action, name: string, value: bigint): Action {
  return { ...action, args: { ...action.args, [name]: value } } as unknown as Action;
}

/** Simpler numbers, the simplest first. */
function simplerThan(value: bigint): bigint[] {
  const digits = (value < 0n ? -value : value).toString().length;
  const rounded = [1, 2, 3, 5]
    .filter((kept) => kept < digits)
    .map((kept) => {
      const unit = 10n ** BigInt(digits - kept);
      return (value / unit) * unit;
    });
  return [0n, 1n, ...rounded].filter((candidate) => candidate !== value);
}
