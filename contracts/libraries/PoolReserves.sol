// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Both reserves of a pool, the time of its last touch and whether `kLast` is in use, in one word. From the highest bit:
///
/// | bits | part | unit |
/// |---:|---|---|
/// | 1 | whether `kLast` holds a product | |
/// | 31 | time of the last touch | unix seconds modulo 2^31 |
/// | 112 | reserve1 | token units |
/// | 112 | reserve0 | token units |
type PoolReserves is uint256;

using PoolReservesLibrary for PoolReserves global;

/// @title Access to the parts of `PoolReserves`
library PoolReservesLibrary {
    uint256 private constant K_LAST_IN_USE = 1 << 255;
    uint256 private constant TIME_MASK = (1 << 31) - 1;

    function reserve0(PoolReserves self) internal pure returns (uint256) {
        return uint112(PoolReserves.unwrap(self));
    }

    function reserve1(PoolReserves self) internal pure returns (uint256) {
        return uint112(PoolReserves.unwrap(self) >> 112);
    }

    /// @notice Seconds since the last touch. The times wrap every 68 years; their difference does not, unless no one comes for so long.
    function elapsed(PoolReserves self) internal view returns (uint256) {
        unchecked {
            return (block.timestamp - (PoolReserves.unwrap(self) >> 224)) & TIME_MASK;
        }
    }

    function isKLastInUse(PoolReserves self) internal pure returns (bool) {
        return PoolReserves.unwrap(self) >= K_LAST_IN_USE;
    }

    /// @notice New reserves, touched now. Both must be below 2^112.
    function touchedWith(
        PoolReserves self,
        uint256 reserve0_,
        uint256 reserve1_
    ) internal view returns (PoolReserves) {
        return
            PoolReserves.wrap(
                (PoolReserves.unwrap(self) & K_LAST_IN_USE) |
                    ((block.timestamp & TIME_MASK) << 224) |
                    (reserve1_ << 112) |
                    reserve0_
            );
    }

    /// @notice New reserves, touched when the old ones were. Both must be below 2^112.
    function replacedWith(
        PoolReserves self,
        uint256 reserve0_,
        uint256 reserve1_
    ) internal pure returns (PoolReserves) {
        return
            PoolReserves.wrap(((PoolReserves.unwrap(self) >> 224) << 224) | (reserve1_ << 112) | reserve0_);
    }

    function withKLastInUse(PoolReserves self, bool inUse) internal pure returns (PoolReserves) {
        uint256 rest = PoolReserves.unwrap(self) & ~K_LAST_IN_USE;
        return PoolReserves.wrap(inUse ? rest | K_LAST_IN_USE : rest);
    }
}
