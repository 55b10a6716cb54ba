import type { BackendFactory } from "./backend.ts";

/** What can run the protocol: the contracts, the model of them, or both at once, compared to the last unit. */
export const BACKEND_NAMES = ["evm", "model", "both"] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/** Gets a backend ready: Hardhat takes a second to load, so it is loaded where it is needed. */
export async function loadBackend(name: BackendName): Promise<BackendFactory> {
  switch (name) {
    case "evm": {
      const { buildContracts, createEvmBackend } = await import("./evmBackend.ts");
      await buildContracts();
      return createEvmBackend;
    }
    case "model":
      return (await import("./modelBackend.ts")).createModelBackend;
    case "both": {
      const { compareBackends } = await import("./comparedBackend.ts");
      return compareBackends(await loadBackend("evm"), await loadBackend("model"), [
        "evm",
        "model",
      ]);
    }
  }
}
