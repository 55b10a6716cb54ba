import { revert } from "../math/revert.ts";
import { type Address, type Calls, ZERO_ADDRESS } from "./calls.ts";
import { setPausedUntil } from "./marginContext.ts";
import * as parameters from "./marginParameters.ts";
import type { RolesRecord } from "./state.ts";
import type { World } from "./world.ts";

// The twin of MarginGovernance.sol and of OpenZeppelin's Ownable2Step: what owner and guardian of the margin pool may do.

type MarginPoolCalls = Calls["marginPool"];

/**
 * The roles of a new pool.
 *
 * @throws {Revert} OwnableInvalidOwner
 */
export function initialRoles(world: World, owner: Address, guardian: Address): RolesRecord {
  if (owner === ZERO_ADDRESS) revert("OwnableInvalidOwner", ZERO_ADDRESS);
  world.emit("marginPool", "OwnershipTransferred", {
    previousOwner: ZERO_ADDRESS,
    newOwner: owner,
  });
  world.emit("marginPool", "GuardianChanged", { before: ZERO_ADDRESS, next: guardian });
  return { owner, pendingOwner: ZERO_ADDRESS, guardian };
}

/** Stops new risk for 72 hours. @throws {Revert} MarginPool_OnlyGuardian, MarginPool_PauseTooSoon */
export function pauseNewRisk(world: World, caller: Address): void {
  requireGuardian(world, caller);
  const { cold, now } = world;
  world.cold = { ...cold, parameters: parameters.pause(cold.parameters, now) };
  const until = now + parameters.PAUSE;
  setPausedUntil(world, until);
  world.emit("marginPool", "NewRiskPaused", { caller, until });
}

/** Ends a pause. @throws {Revert} MarginPool_OnlyGuardian, MarginPool_NotPaused */
export function unpauseNewRisk(world: World, caller: Address): void {
  requireGuardian(world, caller);
  const until = world.hot.pausedUntil;
  if (world.now >= until) revert("MarginPool_NotPaused", until);
  setPausedUntil(world, 0n);
  world.emit("marginPool", "NewRiskUnpaused", { caller });
}

/** @throws {Revert} OwnableUnauthorizedAccount */
export function setGuardian(
  world: World,
  caller: Address,
  { next }: MarginPoolCalls["setGuardian"],
): void {
  requireOwner(world, caller);
  world.emit("marginPool", "GuardianChanged", { before: world.roles.guardian, next });
  world.roles = { ...world.roles, guardian: next };
}

/**
 * Starts the way to new parameters.
 *
 * @throws {Revert} OwnableUnauthorizedAccount, MarginPool_ParametersTooSoon, MarginPool_ParameterOutOfBounds
 */
export function setParameters(
  world: World,
  caller: Address,
  { next }: MarginPoolCalls["setParameters"],
): void {
  requireOwner(world, caller);
  const { cold, now } = world;
  const before = parameters.show(cold.parameters, now).current;
  world.cold = { ...cold, parameters: parameters.set(cold.parameters, now, next) };
  const reachedAt = now + parameters.RAMP;
  world.emit("marginPool", "ParametersChanged", {
    before: { ...before },
    next: { ...next },
    reachedAt,
  });
}

/** Offers the ownership; ZERO_ADDRESS withdraws an offer. @throws {Revert} OwnableUnauthorizedAccount */
export function transferOwnership(
  world: World,
  caller: Address,
  { newOwner }: MarginPoolCalls["transferOwnership"],
): void {
  requireOwner(world, caller);
  world.roles = { ...world.roles, pendingOwner: newOwner };
  world.emit("marginPool", "OwnershipTransferStarted", {
    previousOwner: world.roles.owner,
    newOwner,
  });
}

/** Takes an offered ownership. @throws {Revert} OwnableUnauthorizedAccount */
export function acceptOwnership(world: World, caller: Address): void {
  if (caller !== world.roles.pendingOwner) revert("OwnableUnauthorizedAccount", caller);
  changeOwner(world, caller);
}

/** Leaves the pool without an owner. @throws {Revert} OwnableUnauthorizedAccount */
export function renounceOwnership(world: World, caller: Address): void {
  requireOwner(world, caller);
  changeOwner(world, ZERO_ADDRESS);
}

function changeOwner(world: World, newOwner: Address): void {
  const previousOwner = world.roles.owner;
  world.roles = { ...world.roles, owner: newOwner, pendingOwner: ZERO_ADDRESS };
  world.emit("marginPool", "OwnershipTransferred", { previousOwner, newOwner });
}

function requireOwner(world: World, caller: Address): void {
  if (caller !== world.roles.owner) revert("OwnableUnauthorizedAccount", caller);
}

function requireGuardian(world: World, caller: Address): void {
  const { guardian, owner } = world.roles;
  if (caller !== guardian && caller !== owner) {
    revert("MarginPool_OnlyGuardian", caller, guardian);
  }
}
