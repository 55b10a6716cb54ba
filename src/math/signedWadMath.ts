/**
 * Signed products of 18-decimal numbers with the rounding in the name: the exact twin of `contracts/libraries/SignedWadMath.sol`.
 *
 * The domain is Solidity's: of two operands one is an amount below 2^127, the other one below 2^128, and divisors are above 0. Beyond it
 * Solidity wraps around at 256 bits where a bigint does not.
 */
import { abs, WAD } from "./fixedPoint.ts";

export { max, min, WAD } from "./fixedPoint.ts";

/**
 * x y / 1e18, toward minus infinity.
 *
 * @example
 * mulWadFloor(-1n, 1n); // -1n
 */
export function mulWadFloor(x: bigint, y: bigint): bigint {
  return divFloor(x * y, WAD);
}

/**
 * x y / 1e18, toward plus infinity.
 *
 * @example
 * mulWadCeil(-1n, 1n); // 0n
 */
export function mulWadCeil(x: bigint, y: bigint): bigint {
  return divCeil(x * y, WAD);
}

/**
 * x / d toward minus infinity; d > 0.
 *
 * @example
 * divFloor(-7n, 2n); // -4n
 */
export function divFloor(x: bigint, d: bigint): bigint {
  return x < 0n ? (x - (d - 1n)) / d : x / d;
}

/**
 * x / d toward plus infinity; d > 0.
 *
 * @example
 * divCeil(7n, 2n); // 4n
 */
export function divCeil(x: bigint, d: bigint): bigint {
  return x > 0n ? (x + (d - 1n)) / d : x / d;
}

/**
 * |x|.
 *
 * @example
 * magnitude(-3n); // 3n
 */
export const magnitude: (x: bigint) => bigint = abs;

/**
 * Whether x and y lie on different sides of zero; zero is on no side.
 *
 * @example
 * oppositeSigns(-1n, 2n); // true
 * oppositeSigns(-1n, 0n); // false
 */
export function oppositeSigns(x: bigint, y: bigint): boolean {
  return x < 0n ? y > 0n : x > 0n && y < 0n;
}
