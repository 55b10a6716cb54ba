import type { ContractError } from "../../../src/math/revert.ts";
import type { Action } from "../../../src/model/calls.ts";
import type { Outcome } from "./chain.ts";

/** Successes and failures of every call, errors, events and reasons of failed orders by name. */
export class Counts {
  readonly succeeded = new Map<string, number>();
  readonly failed = new Map<string, number>();
  readonly errors = new Map<string, number>();
  readonly events = new Map<string, number>();
  readonly reasons = new Map<string, number>();
  total = 0;

  add({ to, method }: Action, outcome: Outcome): void {
    this.total += 1;
    tally(outcome.ok ? this.succeeded : this.failed, `${to}.${method}`);
    if (!outcome.ok) tally(this.errors, titleOf(outcome.error));
    for (const { from, name, args } of outcome.events) {
      tally(this.events, `${from}.${name}`);
      if (name === "OrderFailed") tally(this.reasons, (args.reason as { name: string }).name);
    }
  }

  /** Several lines for people. */
  report(calls: readonly string[]): string {
    const line = (map: ReadonlyMap<string, number>) =>
      [...map]
        .toSorted(([, a], [, b]) => b - a)
        .map(([name, count]) => `${name} ${count}`)
        .join(", ");
    const table = calls.map(
      (call) => `${call} ${this.succeeded.get(call) ?? 0}/${this.failed.get(call) ?? 0}`,
    );
    return [
      `${this.total} actions`,
      `calls (succeeded/failed): ${table.join(", ")}`,
      `errors: ${line(this.errors)}`,
      `reasons of failed orders: ${line(this.reasons)}`,
      `events: ${line(this.events)}`,
    ].join("\n");
  }
}

/** The error's name; for a refused rebalance or a panic with what it says first. */
function titleOf({ name, args }: ContractError): string {
  return ["Rebalancer_NotDue", "Panic"].includes(name) ? `${name}(${String(args[0])})` : name;
}

function tally(map: Map<string, number>, name: string): void {
  map.set(name, (map.get(name) ?? 0) + 1);
}
