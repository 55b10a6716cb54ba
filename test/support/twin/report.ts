import type { Action } from "../../../src/model/calls.ts";
import type { ChainTwin } from "./chain.ts";
import { told } from "./compare.ts";
import { type Finding, type ModelFactory, replay, theModel } from "./pair.ts";
import { saveReplay } from "./replayFiles.ts";
import { shrink } from "./shrink.ts";

/** Name under which the next difference is stored as a replay. */
const SAVE_AS = process.env.BALLAST_REPLAY;

/** The fewest actions that still tell contracts and model apart, and where they part. */
export async function shrunk(
  chain: ChainTwin,
  actions: readonly Action[],
  model: ModelFactory = theModel,
): Promise<{ readonly actions: readonly Action[]; readonly finding: Finding | undefined }> {
  const fewer = await shrink(
    actions,
    async (candidate) => (await replay(chain, candidate, model)) !== undefined,
  );
  return { actions: fewer, finding: await replay(chain, fewer, model) };
}

/**
 * An error that says where contracts and model parted, with the fewest actions that show it. Stored under the name in `BALLAST_REPLAY`
 * if there is one.
 */
export async function disagreement(
  chain: ChainTwin,
  seed: string,
  finding: Finding,
  actions: readonly Action[],
): Promise<Error> {
  const { deployment } = chain;
  const names = new Map([...deployment.names].map(([name, address]) => [address, name]));
  const small = await shrunk(chain, actions);
  const at = small.finding ?? finding;
  const symptom = `${at.path} after ${at.action.to}.${at.action.method}`;
  const stored =
    SAVE_AS === undefined
      ? small.actions.map((action) => told(action, names)).join("\n")
      : saveReplay(
          SAVE_AS,
          { symptom, world: deployment.settings.name, actions: small.actions },
          deployment,
        ).pathname;
  return new Error(
    [
      `${deployment.settings.name}, seed ${seed}: contracts and model differ at action ${finding.index}, ${told(finding.action, names)}`,
      `first at ${finding.path}:`,
      `  contracts ${finding.chain}`,
      `  model     ${finding.model}`,
      `${small.actions.length} actions show it, ${symptom}:`,
      `  contracts ${at.chain}`,
      `  model     ${at.model}`,
      stored,
    ].join("\n"),
  );
}
