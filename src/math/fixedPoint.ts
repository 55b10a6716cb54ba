/**
 * Fixed-point arithmetic of the contracts: exact twins of what they use of Solady's `FixedPointMathLib` and `SafeCastLib`, of
 * OpenZeppelin's `Math.sqrt`, and of Solidity's checked operators.
 *
 * Numbers are `uint256` unless a function says otherwise: from 0 to 2^256 - 1. Arguments outside their type are not checked, results
 * are: a function throws the `Revert` of its namesake where that reverts. A wad is a number scaled by 1e18.
 */
import { ARITHMETIC_PANIC, DIVISION_PANIC, panic, revert } from "./revert.ts";

/** 1.0, scaled by 1e18. */
export const WAD = 10n ** 18n;

/** The largest `uint256`. */
export const MAX_UINT256 = (1n << 256n) - 1n;

const CUBE_WAD = WAD * WAD;
const ALMOST_WAD = WAD - 1n;

/**
 * x y / d, rounded down; the product may have 512 bits.
 *
 * @throws {Revert} FullMulDivFailed when `d` is 0 or the result has more than 256 bits
 * @example
 * fullMulDiv(7n, 3n, 2n); // 10n
 * fullMulDiv(7n, 3n, 0n); // throws FullMulDivFailed()
 */
export function fullMulDiv(x: bigint, y: bigint, d: bigint): bigint {
  if (d === 0n) revert("FullMulDivFailed");
  const result = (x * y) / d;
  if (result > MAX_UINT256) revert("FullMulDivFailed");
  return result;
}

/**
 * x y / d, rounded up; the product may have 512 bits.
 *
 * @throws {Revert} FullMulDivFailed when `d` is 0 or the result has more than 256 bits
 * @example
 * fullMulDivUp(7n, 3n, 2n); // 11n
 */
export function fullMulDivUp(x: bigint, y: bigint, d: bigint): bigint {
  if (d === 0n) revert("FullMulDivFailed");
  const result = (x * y + (d - 1n)) / d;
  if (result > MAX_UINT256) revert("FullMulDivFailed");
  return result;
}

/**
 * x y / d, rounded down.
 *
 * @throws {Revert} MulDivFailed when `d` is 0 or the product has more than 256 bits
 * @example
 * mulDiv(7n, 3n, 2n); // 10n
 */
export function mulDiv(x: bigint, y: bigint, d: bigint): bigint {
  const product = x * y;
  if (d === 0n || product > MAX_UINT256) revert("MulDivFailed");
  return product / d;
}

/**
 * x y / 1e18, rounded down.
 *
 * @throws {Revert} MulWadFailed when the product has more than 256 bits
 * @example
 * mulWad(3n * WAD, WAD / 2n); // 1500000000000000000n
 */
export function mulWad(x: bigint, y: bigint): bigint {
  const product = x * y;
  if (product > MAX_UINT256) revert("MulWadFailed");
  return product / WAD;
}

/**
 * x y / 1e18, rounded up.
 *
 * @throws {Revert} MulWadFailed when the product has more than 256 bits
 * @example
 * mulWadUp(1n, 1n); // 1n
 */
export function mulWadUp(x: bigint, y: bigint): bigint {
  const product = x * y;
  if (product > MAX_UINT256) revert("MulWadFailed");
  return (product + ALMOST_WAD) / WAD;
}

/**
 * x 1e18 / y, rounded down.
 *
 * @throws {Revert} DivWadFailed when `y` is 0 or x 1e18 has more than 256 bits
 * @example
 * divWad(1n, 3n); // 333333333333333333n
 */
export function divWad(x: bigint, y: bigint): bigint {
  const scaled = x * WAD;
  if (y === 0n || scaled > MAX_UINT256) revert("DivWadFailed");
  return scaled / y;
}

/**
 * x 1e18 / y, rounded up.
 *
 * @throws {Revert} DivWadFailed when `y` is 0 or x 1e18 has more than 256 bits
 * @example
 * divWadUp(1n, 3n); // 333333333333333334n
 */
export function divWadUp(x: bigint, y: bigint): bigint {
  const scaled = x * WAD;
  if (y === 0n || scaled > MAX_UINT256) revert("DivWadFailed");
  return (scaled + (y - 1n)) / y;
}

/**
 * x / d, rounded up.
 *
 * @throws {Revert} DivFailed when `d` is 0
 * @example
 * divUp(7n, 2n); // 4n
 */
export function divUp(x: bigint, d: bigint): bigint {
  if (d === 0n) revert("DivFailed");
  return (x + (d - 1n)) / d;
}

/**
 * x / d, rounded down, and 0 when divided by zero, as the EVM divides.
 *
 * @example
 * rawDiv(7n, 0n); // 0n
 */
export function rawDiv(x: bigint, d: bigint): bigint {
  return d === 0n ? 0n : x / d;
}

/**
 * x + y.
 *
 * @throws {Revert} Panic 0x11 above 2^256 - 1
 * @example
 * checkedAdd(MAX_UINT256, 1n); // throws Panic(17)
 */
export function checkedAdd(x: bigint, y: bigint): bigint {
  const sum = x + y;
  if (sum > MAX_UINT256) panic(ARITHMETIC_PANIC);
  return sum;
}

/**
 * x - y.
 *
 * @throws {Revert} Panic 0x11 below 0
 * @example
 * checkedSub(1n, 2n); // throws Panic(17)
 */
export function checkedSub(x: bigint, y: bigint): bigint {
  if (y > x) panic(ARITHMETIC_PANIC);
  return x - y;
}

/**
 * x y.
 *
 * @throws {Revert} Panic 0x11 above 2^256 - 1
 * @example
 * checkedMul(MAX_UINT256, 2n); // throws Panic(17)
 */
export function checkedMul(x: bigint, y: bigint): bigint {
  const product = x * y;
  if (product > MAX_UINT256) panic(ARITHMETIC_PANIC);
  return product;
}

/**
 * x / d toward zero, signed or not.
 *
 * @throws {Revert} Panic 0x12 when `d` is 0
 * @example
 * checkedDiv(-7n, 2n); // -3n
 * checkedDiv(1n, 0n); // throws Panic(18)
 */
export function checkedDiv(x: bigint, d: bigint): bigint {
  if (d === 0n) panic(DIVISION_PANIC);
  return x / d;
}

/**
 * max(0, x - y).
 *
 * @example
 * zeroFloorSub(1n, 2n); // 0n
 */
export function zeroFloorSub(x: bigint, y: bigint): bigint {
  return x > y ? x - y : 0n;
}

/**
 * |x - y|.
 *
 * @example
 * dist(1n, 3n); // 2n
 */
export function dist(x: bigint, y: bigint): bigint {
  return x > y ? x - y : y - x;
}

/**
 * The nearest to `x` between `least` and `most`; `most` where they contradict each other.
 *
 * @example
 * clamp(7n, 1n, 5n); // 5n
 */
export function clamp(x: bigint, least: bigint, most: bigint): bigint {
  const raised = least > x ? least : x;
  return most < raised ? most : raised;
}

/**
 * The smaller one, signed or not.
 *
 * @example
 * min(-1n, 2n); // -1n
 */
export function min(x: bigint, y: bigint): bigint {
  return y < x ? y : x;
}

/**
 * The larger one, signed or not.
 *
 * @example
 * max(-1n, 2n); // 2n
 */
export function max(x: bigint, y: bigint): bigint {
  return y > x ? y : x;
}

/**
 * |x| of an `int256`.
 *
 * @example
 * abs(-3n); // 3n
 */
export function abs(x: bigint): bigint {
  return x < 0n ? -x : x;
}

/**
 * The same number, if it fits a `uint32`.
 *
 * @throws {Revert} Overflow below 0 or above 2^32 - 1
 */
export function toUint32(x: bigint): bigint {
  return fitting(x, 0n, UINT32_END);
}

/**
 * The same number, if it fits a `uint40`.
 *
 * @throws {Revert} Overflow below 0 or above 2^40 - 1
 */
export function toUint40(x: bigint): bigint {
  return fitting(x, 0n, UINT40_END);
}

/**
 * The same number, if it fits a `uint96`.
 *
 * @throws {Revert} Overflow below 0 or above 2^96 - 1
 */
export function toUint96(x: bigint): bigint {
  return fitting(x, 0n, UINT96_END);
}

/**
 * The same number, if it fits a `uint112`.
 *
 * @throws {Revert} Overflow below 0 or above 2^112 - 1
 */
export function toUint112(x: bigint): bigint {
  return fitting(x, 0n, UINT112_END);
}

/**
 * The same number, if it fits a `uint128`.
 *
 * @throws {Revert} Overflow below 0 or above 2^128 - 1
 * @example
 * toUint128(2n ** 128n - 1n); // 2n ** 128n - 1n
 * toUint128(2n ** 128n); // throws Overflow()
 */
export function toUint128(x: bigint): bigint {
  return fitting(x, 0n, UINT128_END);
}

/**
 * The same number, if it fits an `int96`.
 *
 * @throws {Revert} Overflow below -2^95 or above 2^95 - 1
 */
export function toInt96(x: bigint): bigint {
  return fitting(x, -INT96_END, INT96_END);
}

/**
 * The same number, if it fits an `int112`.
 *
 * @throws {Revert} Overflow below -2^111 or above 2^111 - 1
 */
export function toInt112(x: bigint): bigint {
  return fitting(x, -INT112_END, INT112_END);
}

/**
 * The same number, if it fits an `int128`.
 *
 * @throws {Revert} Overflow below -2^127 or above 2^127 - 1
 * @example
 * toInt128(-(2n ** 127n)); // -(2n ** 127n)
 */
export function toInt128(x: bigint): bigint {
  return fitting(x, -INT128_END, INT128_END);
}

const UINT32_END = 1n << 32n;
const UINT40_END = 1n << 40n;
const UINT96_END = 1n << 96n;
const UINT112_END = 1n << 112n;
const UINT128_END = 1n << 128n;
const INT96_END = 1n << 95n;
const INT112_END = 1n << 111n;
const INT128_END = 1n << 127n;

function fitting(x: bigint, least: bigint, end: bigint): bigint {
  if (x < least || x >= end) revert("Overflow");
  return x;
}

/**
 * Square root, rounded down; of any size, also above 256 bits.
 *
 * @example
 * sqrt(99n); // 9n
 */
export function sqrt(x: bigint): bigint {
  const estimate = Math.sqrt(Number(x));
  // Doubles are exact so far.
  if (x < EXACT_IN_DOUBLES) return BigInt(Math.floor(estimate));
  const start = estimate < Infinity ? BigInt(Math.floor(estimate)) : sqrt(x >> 512n) << 256n;
  // A step of Newton's from anywhere leads to the root, rounded down, or above it.
  let root = (start + x / start) >> 1n;
  if (x >= ONE_STEP_FOR_ROOT) root = (root + x / root) >> 1n;
  if (x < TWO_STEPS_FOR_ROOT) return root * root > x ? root - 1n : root;
  for (;;) {
    const next = (root + x / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Below it the root of a number that is no square is farther from a whole number than `Math.sqrt` can err. */
const EXACT_IN_DOUBLES = 1n << 50n;

/**
 * Below it one step is enough: the start is off by less than 2^-51 of the root or by 1, and the step before rounding is above the root
 * by half the square of that over the start, which is less than a unit. Two steps likewise.
 */
const ONE_STEP_FOR_ROOT = 1n << 200n;
const TWO_STEPS_FOR_ROOT = 1n << 384n;

/**
 * Square root of a wad, as a wad, rounded down.
 *
 * @example
 * sqrtWad(2n * WAD); // 1414213562373095048n
 */
export function sqrtWad(x: bigint): bigint {
  return sqrt(x * WAD);
}

/**
 * Square root of x y, rounded down; the product may have 512 bits.
 *
 * @example
 * mulSqrt(2n, 50n); // 10n
 */
export function mulSqrt(x: bigint, y: bigint): bigint {
  return sqrt(x * y);
}

/**
 * Cube root of a wad, as a wad, rounded down.
 *
 * @example
 * cbrtWad(2n * WAD); // 1259921049894873164n
 */
export function cbrtWad(x: bigint): bigint {
  if (x === 0n) return 0n;
  const cube = x * CUBE_WAD;
  const start = BigInt(Math.floor(Math.cbrt(Number(cube))));
  // As for the square root.
  let root = (2n * start + cube / (start * start)) / 3n;
  for (;;) {
    const next = (2n * root + cube / (root * root)) / 3n;
    if (next >= root) return root;
    root = next;
  }
}

/**
 * Logarithm to base 2, rounded down; 0 for 0.
 *
 * @example
 * log2(1023n); // 9n
 */
export function log2(x: bigint): bigint {
  return x === 0n ? 0n : BigInt(highestBit(x));
}

/** Number of the highest bit of x, from 1 to 2^256 - 1. */
function highestBit(x: bigint): number {
  const estimate = Math.floor(Math.log2(Number(x)));
  // Rounding to a double may have led to the next power of two.
  return x < (POWERS_OF_TWO[estimate] as bigint) ? estimate - 1 : estimate;
}

const POWERS_OF_TWO = Array.from({ length: 257 }, (_, exponent) => 1n << BigInt(exponent));

/**
 * Natural logarithm of a wad, as a wad: Solady's rational approximation.
 *
 * @param x an `int256`
 * @throws {Revert} LnWadUndefined when `x` is not positive
 * @example
 * lnWad(WAD); // 0n
 * lnWad(0n); // throws LnWadUndefined()
 */
export function lnWad(x: bigint): bigint {
  if (x <= 0n) revert("LnWadUndefined");
  const exponent = highestBit(x) - 96;
  // ln(2^k m) = k ln 2 + ln m, m from 1 to 2 with 96 binary digits after the point.
  const m = exponent > 0 ? x >> BigInt(exponent) : x << BigInt(-exponent);
  let p = ((m + 3273285459638523848632254066296n) * m) >> 96n;
  p = ((p + 24828157081833163892658089445524n) * m) >> 96n;
  p = ((p + 43456485725739037958740375743393n) * m) >> 96n;
  p = (((p - 11111509109440967052023855526967n) * m) >> 96n) - 45023709667254063763336534515857n;
  p = ((p * m) >> 96n) - 14706773417378608786704636184526n;
  p = p * m - LN_P_CONSTANT;
  let q = m + 5573035233440673466300451813936n;
  q = ((q * m) >> 96n) + 71694874799317883764090561454958n;
  q = ((q * m) >> 96n) + 283447036172924575727196451306956n;
  q = ((q * m) >> 96n) + 401686690394027663651624208769553n;
  q = ((q * m) >> 96n) + 204048457590392012362485061816622n;
  q = ((q * m) >> 96n) + 31853899698501571402653359427138n;
  q = ((q * m) >> 96n) + 909429971244387300277376558375n;
  const scaled = (p / q) * LN_SCALE + BigInt(exponent) * LN_2_SCALED + LN_UNIT_SCALED;
  return scaled >> 174n;
}

const LN_P_CONSTANT = 795164235651350426258249787498n << 96n;
/** Scale of the quotient, 5^18 2^96. */
const LN_SCALE = 1677202110996718588342820967067443963516166n;
/** ln 2, 5^18 2^192. */
const LN_2_SCALED = 16597577552685614221487285958193947469193820559219878177908093499208371n;
/** ln(2^96 / 1e18), 5^18 2^192. */
const LN_UNIT_SCALED = 600920179829731861736702779321621459595472258049074101567377883020018308n;

/**
 * e^x of a wad, as a wad: Solady's rational approximation; 0 below some -41.4.
 *
 * @param x an `int256`
 * @throws {Revert} ExpOverflow above some 135.3
 * @example
 * expWad(WAD); // 2718281828459045235n
 * expWad(136n * WAD); // throws ExpOverflow()
 */
export function expWad(x: bigint): bigint {
  if (x <= EXP_ZERO) return 0n;
  if (x >= EXP_END) revert("ExpOverflow");
  const binary = (x << 78n) / POWER_OF_FIVE;
  // e^x = 2^k e^y, y between -ln 2 / 2 and ln 2 / 2 with 96 binary digits after the point.
  const k = ((binary << 96n) / LN_2_BINARY + HALF_BINARY) >> 96n;
  const y = binary - k * LN_2_BINARY;
  const z =
    (((y + 1346386616545796478920950773328n) * y) >> 96n) + 57155421227552351082224309758442n;
  let p = z + y - 94201549194550492254356042504812n;
  p = ((p * z) >> 96n) + 28719021644029726153956944680412240n;
  p = p * y + EXP_P_CONSTANT;
  let q = y - 2855989394907223263936484059900n;
  q = ((q * y) >> 96n) + 50020603652535783019961831881945n;
  q = ((q * y) >> 96n) - 533845033583426703283633433725380n;
  q = ((q * y) >> 96n) + 3604857256930695427073651918091429n;
  q = ((q * y) >> 96n) - 14423608567350463180887372962807573n;
  q = ((q * y) >> 96n) + 26449188498355588339934803723976023n;
  return ((p / q) * EXP_SCALE) >> (195n - k);
}

const EXP_ZERO = -41446531673892822313n;
const EXP_END = 135305999368893231589n;
const POWER_OF_FIVE = 5n ** 18n;
/** ln 2, 2^96. */
const LN_2_BINARY = 54916777467707473351141471128n;
const HALF_BINARY = 1n << 95n;
const EXP_P_CONSTANT = 4385272521454847904659076985693276n << 96n;
/** Scale of the quotient, 1e18 2^117. */
const EXP_SCALE = 3822833074963236453042738258902158003155416615667n;
