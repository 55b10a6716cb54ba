import { getAddress, toBeHex } from "ethers";
import { ACTOR_ROLES, type ActorRole } from "./actions.ts";

/** Keeps actors clear of precompiles and of the node's funded accounts. */
const PREFIX = 0xba11a57n << 128n;
/** Each role has room for so many actors. */
const ROLE_ROOM = 0x10000n;

/** How many actors of each role there are. */
export type ActorCounts = Readonly<Record<ActorRole, number>>;

/** Addresses of a simulation's actors, by role and number. */
export class EvmActors {
  /** Writes the feed's rounds. */
  readonly feedOperator = addressOf(1n);
  readonly #byRole: Readonly<Record<ActorRole, readonly string[]>>;
  readonly #found = new Map<string, { role: ActorRole; actor: number }>();

  /**
   * @param deployer who owns all first liquidity: liquidity provider 0 of both pools
   */
  constructor(counts: ActorCounts, deployer: string) {
    const entries = ACTOR_ROLES.map((role, index): [ActorRole, string[]] => [
      role,
      Array.from({ length: counts[role] }, (_, actor) =>
        actor === 0 && (role === "lp" || role === "provider")
          ? getAddress(deployer)
          : addressOf(BigInt(index + 1) * ROLE_ROOM + BigInt(actor)),
      ),
    ]);
    this.#byRole = Object.fromEntries(entries) as Record<ActorRole, string[]>;
    for (const [role, addresses] of entries)
      for (const [actor, address] of addresses.entries()) this.#found.set(address, { role, actor });
  }

  /** Addresses of a role by number. */
  of(role: ActorRole): readonly string[] {
    return this.#byRole[role];
  }

  /** @throws RangeError for a number that the role does not have */
  address(role: ActorRole, actor: number): string {
    const address = this.#byRole[role][actor];
    if (address === undefined) throw new RangeError(`there is no ${role} ${actor}`);
    return address;
  }

  /** The actor's number within the role, -1 for any other address. */
  numberOf(role: ActorRole, address: unknown): number {
    return this.#byRole[role].indexOf(String(address));
  }

  /** Whose address this is, if any actor's. Of the deployer: the margin pool's, as which it is credited. */
  find(address: unknown): { readonly role: ActorRole | undefined; readonly actor: number } {
    const text = String(address);
    const deployer = this.#byRole.lp[0] === text;
    return deployer
      ? { role: "lp", actor: 0 }
      : (this.#found.get(text) ?? { role: undefined, actor: -1 });
  }
}

function addressOf(number: bigint): string {
  return getAddress(toBeHex(PREFIX | number, 20));
}
