// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Both reserves of a pool, the time of its last touch and whether `kLast` is in use, in one word. From the highest bit:
///
/// | bits | part | unit |
/// |---:|---|---|
/// | 31 | time of the last touch | unix seconds modulo 2^31 |
/// | 1 | whether `kLast` holds a product | |
/// | 112 | reserve1 | token units |
/// | 112 | reserve0 | token units |
type PoolReserves is uint256;

using PoolReservesLibrary for PoolReserves global;

/// @title Access to the parts of `PoolReserves`
/// @dev Nothing here is checked: reserves must stay below 2^112, and an output below its reserve.
library PoolReservesLibrary {
    uint256 private constant TIME_MASK = (1 << 31) - 1;
    uint256 private constant TIME_SHIFT = 225;
    uint256 private constant K_LAST_IN_USE = 1 << 224;

    function reserve0(PoolReserves self) internal pure returns (uint256) {
        return uint112(PoolReserves.unwrap(self));
    }

    function reserve1(PoolReserves self) internal pure returns (uint256) {
        return uint112(PoolReserves.unwrap(self) >> 112);
    }

    /// @notice Seconds since the last touch. The times wrap every 68 years; their difference does not, unless no one comes for so long.
    function elapsed(PoolReserves self) internal view returns (uint256) {
        unchecked {
            return (block.timestamp - (PoolReserves.unwrap(self) >> TIME_SHIFT)) & TIME_MASK;
        }
    }

    function isKLastInUse(PoolReserves self) internal pure returns (bool) {
        return PoolReserves.unwrap(self) & K_LAST_IN_USE != 0;
    }

    /// @notice The same, touched now.
    function touched(PoolReserves self) internal view returns (PoolReserves) {
        uint256 rest = PoolReserves.unwrap(self) & ((1 << TIME_SHIFT) - 1);
        return PoolReserves.wrap((block.timestamp << TIME_SHIFT) | rest);
    }

    /// @notice After a swap of token0 for token1, touched now.
    function swapped0For1(
        PoolReserves self,
        uint256 amount0In,
        uint256 amount1Out
    ) internal view returns (PoolReserves) {
        unchecked {
            return PoolReserves.wrap(PoolReserves.unwrap(self) + amount0In - (amount1Out << 112)).touched();
        }
    }

    /// @notice After a swap of token1 for token0, touched now.
    function swapped1For0(
        PoolReserves self,
        uint256 amount1In,
        uint256 amount0Out
    ) internal view returns (PoolReserves) {
        unchecked {
            return PoolReserves.wrap(PoolReserves.unwrap(self) + (amount1In << 112) - amount0Out).touched();
        }
    }

    /// @notice Other reserves, the rest unchanged.
    function replaced(
        PoolReserves self,
        uint256 reserve0_,
        uint256 reserve1_
    ) internal pure returns (PoolReserves) {
        uint256 rest = (PoolReserves.unwrap(self) >> 224) << 224;
        return PoolReserves.wrap(rest | (reserve1_ << 112) | reserve0_);
    }

    function withKLastInUse(PoolReserves self) internal pure returns (PoolReserves) {
        return PoolReserves.wrap(PoolReserves.unwrap(self) | K_LAST_IN_USE);
    }

    function withoutKLastInUse(PoolReserves self) internal pure returns (PoolReserves) {
        return PoolReserves.wrap(PoolReserves.unwrap(self) & ~K_LAST_IN_USE);
    }
}
