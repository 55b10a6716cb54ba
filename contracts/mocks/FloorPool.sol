// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title The least gas a constant-product swap of two ERC-20 tokens can cost
/// @notice Reads its reserves, applies x y = k, stores them in one slot, pulls the input and pushes the output. No fee, no bounds, no
/// deadline, no lock, no events, no checks, one direction: a yardstick for gas, not a pool. Anyone can empty it.
/// @dev The call data are 16 bytes, the amount of token0 to sell; a selector and a padded word would cost 128 gas more.
contract FloorPool {
    address private immutable _token0;
    address private immutable _token1;
    /// @dev reserve0 in the upper 16 bytes, reserve1 in the lower, token units.
    uint256 private _reserves;

    /// @param token0 Token that swaps sell; the pool must be sent `reserve0` of it before the first.
    /// @param token1 Token that swaps buy; the pool must be sent `reserve1` of it before the first.
    constructor(IERC20 token0, IERC20 token1, uint128 reserve0, uint128 reserve1) {
        (_token0, _token1) = (address(token0), address(token1));
        _reserves = (uint256(reserve0) << 128) | reserve1;
    }

    /// @dev The same in plain Solidity, for 800 gas more:
    ///     uint256 amountIn = uint128(bytes16(msg.data));
    ///     (uint256 reserve0, uint256 reserve1) = (_reserves >> 128, uint128(_reserves));
    ///     uint256 amountOut = (reserve1 * amountIn) / (reserve0 + amountIn);
    ///     _reserves = ((reserve0 + amountIn) << 128) | (reserve1 - amountOut);
    ///     IERC20(_token0).transferFrom(msg.sender, address(this), amountIn);
    ///     IERC20(_token1).transfer(msg.sender, amountOut);
    /// Payable, because even refusing ether costs gas. Nothing returns to Solidity, so the free memory pointer may be overwritten.
    fallback() external payable {
        (address token0, address token1) = (_token0, _token1);
        assembly {
            let amountIn := shr(128, calldataload(0))
            let reserves := sload(_reserves.slot)
            let reserve0 := add(shr(128, reserves), amountIn)
            let reserve1 := shr(128, shl(128, reserves))
            let amountOut := div(mul(reserve1, amountIn), reserve0)
            sstore(_reserves.slot, or(shl(128, reserve0), sub(reserve1, amountOut)))

            mstore(0x00, 0x23b872dd) // transferFrom(address,address,uint256)
            mstore(0x20, caller())
            mstore(0x40, address())
            mstore(0x60, amountIn)
            if iszero(call(gas(), token0, 0, 0x1c, 0x64, 0, 0)) {
                revert(0, 0)
            }
            mstore(0x00, 0xa9059cbb) // transfer(address,uint256)
            mstore(0x40, amountOut)
            if iszero(call(gas(), token1, 0, 0x1c, 0x44, 0, 0)) {
                revert(0, 0)
            }
            stop()
        }
    }
}
