// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeTransferLib} from "solady/src/utils/SafeTransferLib.sol";

import {IConstantProductPool} from "../interfaces/IConstantProductPool.sol";
import {IPoolFactory} from "../interfaces/IPoolFactory.sol";
import {IRouter} from "../interfaces/IRouter.sol";
import {ConstantProductMath} from "../libraries/ConstantProductMath.sol";
import {RouterBase} from "./RouterBase.sol";

/// @title RouterLiquidity
/// @notice The liquidity functions of `IRouter`.
abstract contract RouterLiquidity is RouterBase {
    using SafeTransferLib for address;

    /// @inheritdoc IRouter
    function addLiquidity(
        address tokenA,
        address tokenB,
        uint256 amountADesired,
        uint256 amountBDesired,
        uint256 amountAMin,
        uint256 amountBMin,
        address to,
        uint256 deadline
    )
        external
        override
        notExpired(deadline)
        notToRouter(to)
        returns (uint256 amountA, uint256 amountB, uint256 liquidity)
    {
        address pool = _createdPoolOf(tokenA, tokenB);
        (amountA, amountB) = _depositAmounts(pool, tokenA, tokenB, amountADesired, amountBDesired);
        _requireAtLeast(tokenA, amountA, amountAMin);
        _requireAtLeast(tokenB, amountB, amountBMin);
        tokenA.safeTransferFrom(msg.sender, pool, amountA);
        tokenB.safeTransferFrom(msg.sender, pool, amountB);
        liquidity = IConstantProductPool(pool).mint(to);
    }

    /// @inheritdoc IRouter
    function addLiquidityETH(
        address token,
        uint256 amountTokenDesired,
        uint256 amountTokenMin,
        uint256 amountETHMin,
        address to,
        uint256 deadline
    )
        external
        payable
        override
        notExpired(deadline)
        notToRouter(to)
        returns (uint256 amountToken, uint256 amountETH, uint256 liquidity)
    {
        address pool = _createdPoolOf(token, WETH);
        (amountToken, amountETH) = _depositAmounts(pool, token, WETH, amountTokenDesired, msg.value);
        _requireAtLeast(token, amountToken, amountTokenMin);
        _requireAtLeast(WETH, amountETH, amountETHMin);
        token.safeTransferFrom(msg.sender, pool, amountToken);
        _wrapTo(pool, amountETH);
        liquidity = IConstantProductPool(pool).mint(to);
        _refund(amountETH);
    }

    /// @inheritdoc IRouter
    function removeLiquidity(
        address tokenA,
        address tokenB,
        uint256 liquidity,
        uint256 amountAMin,
        uint256 amountBMin,
        address to,
        uint256 deadline
    ) public override notExpired(deadline) notToRouter(to) returns (uint256 amountA, uint256 amountB) {
        return _burn(tokenA, tokenB, liquidity, amountAMin, amountBMin, to);
    }

    /// @inheritdoc IRouter
    function removeLiquidityETH(
        address token,
        uint256 liquidity,
        uint256 amountTokenMin,
        uint256 amountETHMin,
        address to,
        uint256 deadline
    ) public override notExpired(deadline) returns (uint256 amountToken, uint256 amountETH) {
        (amountToken, amountETH) = _burn(token, WETH, liquidity, amountTokenMin, amountETHMin, address(this));
        token.safeTransfer(to, amountToken);
        _unwrapTo(to, amountETH);
    }

    /// @inheritdoc IRouter
    function removeLiquidityWithPermit(
        address tokenA,
        address tokenB,
        uint256 liquidity,
        uint256 amountAMin,
        uint256 amountBMin,
        address to,
        uint256 deadline,
        bool approveMax,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external override returns (uint256 amountA, uint256 amountB) {
        _permit(tokenA, tokenB, liquidity, approveMax, deadline, v, r, s);
        return removeLiquidity(tokenA, tokenB, liquidity, amountAMin, amountBMin, to, deadline);
    }

    /// @inheritdoc IRouter
    function removeLiquidityETHWithPermit(
        address token,
        uint256 liquidity,
        uint256 amountTokenMin,
        uint256 amountETHMin,
        address to,
        uint256 deadline,
        bool approveMax,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external override returns (uint256 amountToken, uint256 amountETH) {
        _permit(token, WETH, liquidity, approveMax, deadline, v, r, s);
        return removeLiquidityETH(token, liquidity, amountTokenMin, amountETHMin, to, deadline);
    }

    /// @inheritdoc IRouter
    function removeLiquidityETHSupportingFeeOnTransferTokens(
        address token,
        uint256 liquidity,
        uint256 amountTokenMin,
        uint256 amountETHMin,
        address to,
        uint256 deadline
    ) public override notExpired(deadline) returns (uint256 amountETH) {
        (, amountETH) = _burn(token, WETH, liquidity, amountTokenMin, amountETHMin, address(this));
        token.safeTransferAll(to);
        _unwrapTo(to, amountETH);
    }

    /// @inheritdoc IRouter
    function removeLiquidityETHWithPermitSupportingFeeOnTransferTokens(
        address token,
        uint256 liquidity,
        uint256 amountTokenMin,
        uint256 amountETHMin,
        address to,
        uint256 deadline,
        bool approveMax,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external override returns (uint256 amountETH) {
        _permit(token, WETH, liquidity, approveMax, deadline, v, r, s);
        return
            removeLiquidityETHSupportingFeeOnTransferTokens(
                token,
                liquidity,
                amountTokenMin,
                amountETHMin,
                to,
                deadline
            );
    }

    // ------------------------------------------------------------------------------------------------------------------- parts

    /// @dev The pool of two tokens, created if it does not exist.
    function _createdPoolOf(address tokenA, address tokenB) private returns (address pool) {
        pool = _poolOf(tokenA, tokenB);
        if (pool.code.length == 0) IPoolFactory(factory).createPair(tokenA, tokenB);
    }

    /// @dev Amounts in the ratio of the reserves. The first depositor sets the ratio, whatever strangers have sent and synced before.
    function _depositAmounts(
        address pool,
        address tokenA,
        address tokenB,
        uint256 amountADesired,
        uint256 amountBDesired
    ) private view returns (uint256 amountA, uint256 amountB) {
        // More than a reserve holds means as much as it holds, as in the pool's own `addLiquidity`.
        amountADesired = FixedPointMathLib.min(amountADesired, type(uint112).max);
        amountBDesired = FixedPointMathLib.min(amountBDesired, type(uint112).max);
        if (IERC20(pool).totalSupply() == 0) return (amountADesired, amountBDesired);
        (uint256 reserveA, uint256 reserveB, ) = IConstantProductPool(pool).getReserves();
        if (tokenA > tokenB) (reserveA, reserveB) = (reserveB, reserveA);
        return ConstantProductMath.optimalAmounts(amountADesired, amountBDesired, reserveA, reserveB);
    }

    /// @dev Sends the caller's LP tokens to their pool, which pays `to`.
    function _burn(
        address tokenA,
        address tokenB,
        uint256 liquidity,
        uint256 amountAMin,
        uint256 amountBMin,
        address to
    ) private returns (uint256 amountA, uint256 amountB) {
        address pool = _existingPoolOf(tokenA, tokenB);
        IERC20(pool).transferFrom(msg.sender, pool, liquidity); // A pool's own token: true or an error.
        (amountA, amountB) = IConstantProductPool(pool).burn(to);
        if (tokenA > tokenB) (amountA, amountB) = (amountB, amountA);
        _requireAtLeast(tokenA, amountA, amountAMin);
        _requireAtLeast(tokenB, amountB, amountBMin);
    }

    /// @dev Whoever sees a signature can submit it first. What matters is the allowance, so a refusal is no error if that suffices.
    function _permit(
        address tokenA,
        address tokenB,
        uint256 liquidity,
        bool approveMax,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) private notExpired(deadline) {
        address pool = _existingPoolOf(tokenA, tokenB);
        uint256 value = approveMax ? type(uint256).max : liquidity;
        try IERC20Permit(pool).permit(msg.sender, address(this), value, deadline, v, r, s) {} catch {
            uint256 allowance = IERC20(pool).allowance(msg.sender, address(this));
            if (allowance < liquidity) revert Router_PermitRefused(allowance, liquidity);
        }
    }

    function _requireAtLeast(address token, uint256 amount, uint256 minAmount) private pure {
        if (amount < minAmount) revert Router_AmountBelowMinimum(token, amount, minAmount);
    }
}
