// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeTransferLib} from "solady/src/utils/SafeTransferLib.sol";

import {IConstantProductPool} from "../interfaces/IConstantProductPool.sol";
import {IRouter} from "../interfaces/IRouter.sol";
import {ConstantProductMath} from "../libraries/ConstantProductMath.sol";
import {RouterBase} from "./RouterBase.sol";
import {RouterLiquidity} from "./RouterLiquidity.sol";
import {SwapPath} from "./SwapPath.sol";

/// @title Router
/// @notice See `IRouter`.
contract Router is RouterLiquidity {
    using SafeTransferLib for address;
    using Math for uint256;
    using SwapPath for address[];
    using SwapPath for uint256[];

    /// @param factory_ Factory of the pools, a `PoolFactory`.
    /// @param weth Wrapped ether, with the functions of WETH9; it is trusted.
    constructor(address factory_, address weth) RouterBase(factory_, weth) {}

    // ------------------------------------------------------------------------------------------------------------------- swaps

    /// @inheritdoc IRouter
    function swapExactTokensForTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external override notExpired(deadline) notToRouter(to) returns (uint256[] memory amounts) {
        amounts = _sellAlong(path, false, amountIn, amountOutMin, to);
        amounts.returnToCaller();
    }

    /// @inheritdoc IRouter
    function swapTokensForExactTokens(
        uint256 amountOut,
        uint256 amountInMax,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external override notExpired(deadline) notToRouter(to) returns (uint256[] memory amounts) {
        return _buyWithTokens(path, amountOut, amountInMax, to);
    }

    /// @inheritdoc IRouter
    function swapExactETHForTokens(
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external payable override notExpired(deadline) notToRouter(to) returns (uint256[] memory amounts) {
        amounts = _sellAlong(path, true, msg.value, amountOutMin, to);
        amounts.returnToCaller();
    }

    /// @inheritdoc IRouter
    function swapTokensForExactETH(
        uint256 amountOut,
        uint256 amountInMax,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external override notExpired(deadline) returns (uint256[] memory amounts) {
        _requireEndsWithWeth(path);
        amounts = _buyWithTokens(path, amountOut, amountInMax, address(this));
        _unwrapTo(to, amountOut);
    }

    /// @inheritdoc IRouter
    function swapExactTokensForETH(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) public override notExpired(deadline) returns (uint256[] memory amounts) {
        _requireEndsWithWeth(path);
        amounts = _sellAlong(path, false, amountIn, amountOutMin, address(this));
        _unwrapTo(to, amounts[amounts.length - 1]);
    }

    /// @inheritdoc IRouter
    function swapETHForExactTokens(
        uint256 amountOut,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external payable override notExpired(deadline) notToRouter(to) returns (uint256[] memory amounts) {
        _requirePath(path);
        _requireWeth(path[0]);
        address[] memory pools;
        (amounts, pools) = _amountsIn(path, amountOut);
        uint256 amountIn = amounts[0];
        if (amountIn > msg.value) revert Router_InputAboveMaximum(amountIn, msg.value);
        _wrapTo(pools[0], amountIn);
        _buyAlong(path, amounts, pools, to);
        _refund(amountIn);
    }

    /// @inheritdoc IRouter
    function swapExactTokensForTokensSupportingFeeOnTransferTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external override notExpired(deadline) notToRouter(to) {
        _sellAlongMeasuring(path, false, amountIn, amountOutMin, to);
    }

    /// @inheritdoc IRouter
    function swapExactETHForTokensSupportingFeeOnTransferTokens(
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external payable override notExpired(deadline) notToRouter(to) {
        _sellAlongMeasuring(path, true, msg.value, amountOutMin, to);
    }

    /// @inheritdoc IRouter
    function swapExactTokensForETHSupportingFeeOnTransferTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external override {
        swapExactTokensForETH(amountIn, amountOutMin, path, to, deadline);
    }

    // ------------------------------------------------------------------------------------------------------------------- views

    /// @inheritdoc IRouter
    function quote(
        uint256 amountA,
        uint256 reserveA,
        uint256 reserveB
    ) external pure override returns (uint256 amountB) {
        return ConstantProductMath.quoteDown(amountA, reserveA, reserveB);
    }

    /// @inheritdoc IRouter
    function getAmountsOut(
        uint256 amountIn,
        address[] calldata path
    ) external view override returns (uint256[] memory amounts) {
        _requirePath(path);
        amounts = new uint256[](path.length);
        amounts[0] = amountIn;
        for (uint256 i = 0; i + 1 < path.length; ++i) {
            address pool = _existingPoolOf(path[i], path[i + 1]);
            amounts[i + 1] = IConstantProductPool(pool).getAmountOut(path[i], amounts[i]);
        }
    }

    /// @inheritdoc IRouter
    function getAmountsIn(
        uint256 amountOut,
        address[] calldata path
    ) external view override returns (uint256[] memory amounts) {
        _requirePath(path);
        (amounts, ) = _amountsIn(path, amountOut);
    }

    // ------------------------------------------------------------------------------------------------------------------- parts

    /// @dev Pays the first pool, then has every pool sell what has arrived there and send the output to the next one, the last to `to`.
    /// @param inEther Whether the input is the ether that came along, else it is the caller's tokens.
    function _sellAlong(
        address[] calldata path,
        bool inEther,
        uint256 amountIn,
        uint256 minAmountOut,
        address to
    ) private returns (uint256[] memory amounts) {
        if (path.length < 2) revert Router_PathTooShort(path.length);
        (address tokenIn, address tokenOut) = (path.tokenAt(0), path.tokenAt(1));
        address pool = _poolOf(tokenIn, tokenOut);
        if (inEther) {
            _requireWeth(tokenIn);
            _wrapTo(pool, amountIn);
        } else {
            tokenIn.safeTransferFrom(msg.sender, pool, amountIn);
        }
        amounts = SwapPath.newAmounts(path.length);
        amounts.set(0, amountIn);
        // Indices stay below the length of the path.
        unchecked {
            uint256 last = path.length - 1;
            for (uint256 i = 1; i != last; ++i) {
                address tokenAfter = path.tokenAt(i + 1);
                address poolAfter = _poolOf(tokenOut, tokenAfter);
                amounts.set(i, _sell(pool, tokenIn, tokenOut, 0, poolAfter));
                (pool, tokenIn, tokenOut) = (poolAfter, tokenOut, tokenAfter);
            }
            amounts.set(last, _sell(pool, tokenIn, tokenOut, minAmountOut, to));
        }
    }

    /// @dev Has a pool sell what has arrived there. The same in plain Solidity, for 300 gas more:
    ///     if (pool.code.length == 0) revert Router_PoolMissing(tokenIn, tokenOut);
    ///     return IConstantProductPool(pool).swapPrefunded(tokenIn, minAmountOut, to);
    /// Yul evaluates arguments from right to left, so the size of what was returned is read after the call.
    function _sell(
        address pool,
        address tokenIn,
        address tokenOut,
        uint256 minAmountOut,
        address to
    ) private returns (uint256 amountOut) {
        bytes4 selector = IConstantProductPool.swapPrefunded.selector;
        bool sold;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, selector)
            mstore(add(data, 0x04), tokenIn)
            mstore(add(data, 0x24), minAmountOut)
            mstore(add(data, 0x44), to)
            sold := and(gt(returndatasize(), 0x1f), call(gas(), pool, 0, data, 0x64, 0x00, 0x20))
            amountOut := mload(0x00)
        }
        if (!sold) _revertSale(pool, tokenIn, tokenOut);
    }

    /// @dev Reverts as the pool did, if there is one: a call to an account without code succeeds and returns nothing.
    function _revertSale(address pool, address tokenIn, address tokenOut) private view {
        if (pool.code.length == 0) revert Router_PoolMissing(tokenIn, tokenOut);
        assembly ("memory-safe") {
            let data := mload(0x40)
            returndatacopy(data, 0, returndatasize())
            revert(data, returndatasize())
        }
    }

    /// @dev As `_sellAlong`, with the bound on what `to` receives instead of on what the last pool sends.
    function _sellAlongMeasuring(
        address[] calldata path,
        bool inEther,
        uint256 amountIn,
        uint256 minAmountOut,
        address to
    ) private {
        _requirePath(path);
        address tokenOut = path[path.length - 1];
        uint256 before = tokenOut.balanceOf(to);
        // A path that ends with the token it began with takes the input from the same balance first.
        if (!inEther && to == msg.sender && tokenOut == path[0]) before = before.saturatingSub(amountIn);
        _sellAlong(path, inEther, amountIn, 0, to);
        uint256 received = tokenOut.balanceOf(to).saturatingSub(before);
        if (received < minAmountOut) revert Router_OutputBelowMinimum(received, minAmountOut);
    }

    function _buyWithTokens(
        address[] calldata path,
        uint256 amountOut,
        uint256 maxAmountIn,
        address to
    ) private returns (uint256[] memory amounts) {
        _requirePath(path);
        address[] memory pools;
        (amounts, pools) = _amountsIn(path, amountOut);
        uint256 amountIn = amounts[0];
        if (amountIn > maxAmountIn) revert Router_InputAboveMaximum(amountIn, maxAmountIn);
        path[0].safeTransferFrom(msg.sender, pools[0], amountIn);
        _buyAlong(path, amounts, pools, to);
    }

    /// @dev What every pool of the path must receive so that the last one sends `amountOut`.
    function _amountsIn(
        address[] calldata path,
        uint256 amountOut
    ) private view returns (uint256[] memory amounts, address[] memory pools) {
        uint256 last = path.length - 1;
        amounts = new uint256[](path.length);
        pools = new address[](last);
        amounts[last] = amountOut;
        for (uint256 i = last; i > 0; --i) {
            address pool = _existingPoolOf(path[i - 1], path[i]);
            pools[i - 1] = pool;
            amounts[i - 1] = IConstantProductPool(pool).getAmountIn(path[i - 1], amounts[i]);
        }
    }

    /// @dev Has every pool of the path, the first of which has been paid, send its amount to the next one.
    function _buyAlong(
        address[] calldata path,
        uint256[] memory amounts,
        address[] memory pools,
        address to
    ) private {
        for (uint256 i = 0; i < pools.length; ++i) {
            uint256 amountOut = amounts[i + 1];
            (uint256 amount0Out, uint256 amount1Out) = path[i] < path[i + 1]
                ? (uint256(0), amountOut)
                : (amountOut, uint256(0));
            address next = i + 1 == pools.length ? to : pools[i + 1];
            IConstantProductPool(pools[i]).swap(amount0Out, amount1Out, next, "");
        }
    }

    function _requirePath(address[] calldata path) private pure {
        if (path.length < 2) revert Router_PathTooShort(path.length);
    }

    function _requireEndsWithWeth(address[] calldata path) private view {
        _requirePath(path);
        _requireWeth(path[path.length - 1]);
    }

    function _requireWeth(address token) private view {
        if (token != WETH) revert Router_NotWeth(token, WETH);
    }
}
