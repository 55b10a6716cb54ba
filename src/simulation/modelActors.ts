import type { Address } from "../model/calls.ts";
import { ACTOR_ROLES, type ActorRole } from "./actions.ts";

/** Who writes the feed's rounds. */
export const FEED_OPERATOR: Address = "feed operator";

/** Names of a simulation's actors in the model, by role and number; liquidity provider 0 of both pools is the deployer. */
export class ModelActors {
  readonly #byRole: Readonly<Record<ActorRole, readonly Address[]>>;
  readonly #numbers = new Map<Address, { readonly role: ActorRole; readonly actor: number }>();

  constructor(counts: Readonly<Record<ActorRole, number>>, deployer: Address) {
    const entries = ACTOR_ROLES.map((role): [ActorRole, Address[]] => [
      role,
      Array.from({ length: counts[role] }, (_, actor) =>
        actor === 0 && (role === "lp" || role === "provider") ? deployer : `${role} ${actor}`,
      ),
    ]);
    this.#byRole = Object.fromEntries(entries) as Record<ActorRole, Address[]>;
    for (const [role, addresses] of entries) {
      for (const [actor, address] of addresses.entries()) {
        // The deployer counts as the margin pool's LP, as which it is credited.
        if (!this.#numbers.has(address)) this.#numbers.set(address, { role, actor });
      }
    }
  }

  /** Addresses of a role by number. */
  of(role: ActorRole): readonly Address[] {
    return this.#byRole[role];
  }

  /** @throws RangeError for a number that the role does not have */
  address(role: ActorRole, actor: number): Address {
    const address = this.#byRole[role][actor];
    if (address === undefined) throw new RangeError(`there is no ${role} ${actor}`);
    return address;
  }

  /** The actor's number within the role, -1 for any other address. */
  numberOf(role: ActorRole, address: Address): number {
    const found = this.#numbers.get(address);
    if (found === undefined) return -1;
    // The deployer is number 0 of two roles.
    return found.role === role || this.#byRole[role][found.actor] === address ? found.actor : -1;
  }

  /** Whose address this is, if any actor's. */
  find(address: Address): { readonly role: ActorRole | undefined; readonly actor: number } {
    return this.#numbers.get(address) ?? { role: undefined, actor: -1 };
  }
}
