// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeTransferLib} from "solady/src/utils/SafeTransferLib.sol";

import {IPoolFactory} from "../interfaces/IPoolFactory.sol";
import {IRouter} from "../interfaces/IRouter.sol";
import {IWETH9} from "../interfaces/IWETH9.sol";
import {PoolAddress} from "../libraries/PoolAddress.sol";

/// @title RouterBase
/// @notice What swaps and liquidity have in common: pools by their addresses, ether, and what every call must satisfy.
abstract contract RouterBase is IRouter {
    using SafeTransferLib for address;

    /// @inheritdoc IRouter
    address public immutable override factory;
    /// @inheritdoc IRouter
    address public immutable override WETH;
    bytes32 private immutable _poolInitCodeHash;

    modifier notExpired(uint256 deadline) {
        if (block.timestamp > deadline) revert Router_Expired(deadline, block.timestamp);
        _;
    }

    /// @dev What is sent to the router would stay there.
    modifier notToRouter(address to) {
        // `to == address(this)`; arguments have no dirty bits to clear.
        bool isRouter;
        assembly ("memory-safe") {
            isRouter := eq(to, address())
        }
        if (isRouter) revert Router_InvalidRecipient(to);
        _;
    }

    /// @param factory_ Factory of the pools, a `PoolFactory`.
    /// @param weth Wrapped ether, with the functions of WETH9; it is trusted.
    constructor(address factory_, address weth) {
        factory = factory_;
        WETH = weth;
        _poolInitCodeHash = IPoolFactory(factory_).poolInitCodeHash();
    }

    /// @dev What WETH unwraps.
    receive() external payable {
        if (msg.sender != WETH) revert Router_EtherNotFromWeth(msg.sender);
    }

    function _poolOf(address tokenA, address tokenB) internal view returns (address) {
        return PoolAddress.poolOf(factory, _poolInitCodeHash, tokenA, tokenB);
    }

    function _existingPoolOf(address tokenA, address tokenB) internal view returns (address pool) {
        pool = _poolOf(tokenA, tokenB);
        if (pool.code.length == 0) revert Router_PoolMissing(tokenA, tokenB);
    }

    /// @dev Pays a pool from the ether sent along.
    function _wrapTo(address pool, uint256 amount) internal {
        IWETH9(WETH).deposit{value: amount}();
        WETH.safeTransfer(pool, amount);
    }

    /// @dev Pays out WETH that a pool has sent to the router. WETH itself would take the ether for a deposit of the router's.
    function _unwrapTo(address to, uint256 amount) internal {
        if (to == WETH) revert Router_InvalidRecipient(to);
        IWETH9(WETH).withdraw(amount);
        _sendEther(to, amount);
    }

    /// @dev Returns the ether sent along that was not used.
    function _refund(uint256 used) internal {
        if (msg.value > used) _sendEther(msg.sender, msg.value - used);
    }

    function _sendEther(address to, uint256 amount) private {
        (bool success, ) = to.call{value: amount}("");
        if (!success) revert Router_EtherRefused(to, amount);
    }
}
