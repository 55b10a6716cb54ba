// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeTransferLib} from "solady/src/utils/SafeTransferLib.sol";

import {IConstantProductPool} from "../interfaces/IConstantProductPool.sol";
import {IFlashSwapCallee} from "../interfaces/IFlashSwapCallee.sol";
import {IPoolFactory} from "../interfaces/IPoolFactory.sol";
import {ConstantProductMath} from "../libraries/ConstantProductMath.sol";
import {PoolAddress} from "../libraries/PoolAddress.sol";
import {PoolHistory, PoolHistoryLibrary} from "../libraries/PoolHistory.sol";
import {PoolOracleMath} from "../libraries/PoolOracleMath.sol";
import {PoolReserves} from "../libraries/PoolReserves.sol";
import {LiquidityToken} from "./LiquidityToken.sol";
import {PoolState} from "./PoolState.sol";

/// @title ConstantProductPool
/// @notice See `IConstantProductPool`.
/// @dev Reserves are written after the transfers; the transient lock keeps everyone from acting on, or reading, the values in between.
contract ConstantProductPool is PoolState, LiquidityToken, ReentrancyGuardTransient {
    using SafeTransferLib for address;

    /// @dev `(a | b) >> RESERVE_BITS != 0` tells whether one of two is above `MAX_RESERVE`.
    uint256 private constant RESERVE_BITS = 112;
    uint256 private constant MAX_RESERVE = type(uint112).max;

    modifier notExpired(uint256 deadline) {
        if (block.timestamp > deadline) revert ConstantProductPool_Expired(deadline, block.timestamp);
        _;
    }

    // ---------------------------------------------------------------------------------------------------------------- native swaps

    /// @inheritdoc IConstantProductPool
    function swapExactInput(
        address tokenIn,
        uint256 amountIn,
        uint256 minAmountOut,
        address to,
        uint256 deadline
    ) external override notExpired(deadline) returns (uint256 amountOut) {
        return _sell(tokenIn, amountIn, minAmountOut, to);
    }

    /// @inheritdoc IConstantProductPool
    function swapExactOutput(
        address tokenIn,
        uint256 amountOut,
        uint256 maxAmountIn,
        address to,
        uint256 deadline
    ) external override notExpired(deadline) nonReentrant returns (uint256 amountIn) {
        (bool zeroForOne, uint256 reserveIn, uint256 reserveOut, PoolReserves reserves) = _trade(tokenIn);
        amountIn = _amountInUp(amountOut, reserveIn, reserveOut, _touch(reserves));
        if (amountIn > maxAmountIn) revert ConstantProductPool_InputAboveMaximum(amountIn, maxAmountIn);
        // The quote made sure that the sum fits 112 bits.
        unchecked {
            _pull(tokenIn, amountIn, reserveIn + amountIn);
        }
        _pay(zeroForOne, amountIn, amountOut, reserves, to);
    }

    /// @inheritdoc IConstantProductPool
    function swapExactInputAcrossTwoPools(
        address tokenIn,
        address tokenOut,
        uint256 amountIn,
        uint256 minAmountOut,
        address to,
        uint256 deadline
    ) external override notExpired(deadline) returns (uint256 amountOut) {
        address middle = tokenIn == token0 ? token1 : token0;
        address pool = PoolAddress.poolOf(factory, _initCodeHash, middle, tokenOut);
        if (pool.code.length == 0) revert ConstantProductPool_PoolMissing(middle, tokenOut);
        _sell(tokenIn, amountIn, 0, pool);
        return IConstantProductPool(pool).swapPrefunded(middle, minAmountOut, to);
    }

    /// @inheritdoc IConstantProductPool
    function swapPrefunded(
        address tokenIn,
        uint256 minAmountOut,
        address to
    ) external override nonReentrant returns (uint256 amountOut) {
        (bool zeroForOne, uint256 reserveIn, uint256 reserveOut, PoolReserves reserves) = _trade(tokenIn);
        uint256 amountIn = _surplus(tokenIn, reserveIn);
        amountOut = _amountOutDown(amountIn, reserveIn, reserveOut, _touch(reserves));
        if (amountOut == 0) revert ConstantProductPool_ZeroOutput(0, 0);
        if (amountOut < minAmountOut) revert ConstantProductPool_OutputBelowMinimum(amountOut, minAmountOut);
        _pay(zeroForOne, amountIn, amountOut, reserves, to);
    }

    // ------------------------------------------------------------------------------------------------------------ native liquidity

    /// @inheritdoc IConstantProductPool
    function addLiquidity(
        uint256 amount0Desired,
        uint256 amount1Desired,
        uint256 amount0Min,
        uint256 amount1Min,
        address to,
        uint256 deadline
    )
        external
        override
        notExpired(deadline)
        nonReentrant
        returns (uint256 amount0, uint256 amount1, uint256 liquidity)
    {
        PoolReserves reserves = _reserves;
        (uint256 reserve0, uint256 reserve1) = (reserves.reserve0(), reserves.reserve1());
        // The first depositor sets the price, whatever strangers have sent and synced before.
        uint256 supply = totalSupply();
        (amount0, amount1) = (amount0Desired, amount1Desired);
        if ((amount0 | amount1) >> RESERVE_BITS != 0) {
            amount0 = FixedPointMathLib.min(amount0, MAX_RESERVE);
            amount1 = FixedPointMathLib.min(amount1, MAX_RESERVE);
        }
        if (supply != 0) {
            (amount0, amount1) = ConstantProductMath.optimalAmounts(amount0, amount1, reserve0, reserve1);
        }
        if (amount0 < amount0Min) revert ConstantProductPool_AmountBelowMinimum(token0, amount0, amount0Min);
        if (amount1 < amount1Min) revert ConstantProductPool_AmountBelowMinimum(token1, amount1, amount1Min);
        // Each term fits 112 bits.
        unchecked {
            (reserve0, reserve1) = (reserve0 + amount0, reserve1 + amount1);
        }
        if ((reserve0 | reserve1) >> RESERVE_BITS != 0) _revertOverflow(reserve0, reserve1);
        _pull(token0, amount0, reserve0);
        _pull(token1, amount1, reserve1);
        liquidity = _mintLiquidity(to, amount0, amount1, reserve0, reserve1, reserves, supply);
    }

    /// @inheritdoc IConstantProductPool
    function removeLiquidity(
        uint256 liquidity,
        uint256 amount0Min,
        uint256 amount1Min,
        address to,
        uint256 deadline
    ) external override notExpired(deadline) nonReentrant returns (uint256 amount0, uint256 amount1) {
        PoolReserves reserves = _reserves;
        (uint256 reserve0, uint256 reserve1) = (reserves.reserve0(), reserves.reserve1());
        bool feeOn;
        (amount0, amount1, feeOn) = _burnLiquidity(msg.sender, liquidity, reserve0, reserve1, reserves, to);
        if (amount0 < amount0Min) revert ConstantProductPool_AmountBelowMinimum(token0, amount0, amount0Min);
        if (amount1 < amount1Min) revert ConstantProductPool_AmountBelowMinimum(token1, amount1, amount1Min);
        unchecked {
            _storeLiquidity(reserve0 - amount0, reserve1 - amount1, reserves, feeOn);
        }
        emit Burn(msg.sender, amount0, amount1, to);
    }

    // --------------------------------------------------------------------------------------------------------------- native views

    /// @inheritdoc IConstantProductPool
    function getAmountOut(
        address tokenIn,
        uint256 amountIn
    ) external view override nonReentrantView returns (uint256 amountOut) {
        (, uint256 reserveIn, uint256 reserveOut, ) = _trade(tokenIn);
        return _amountOutDown(amountIn, reserveIn, reserveOut, _historyNow().swapFee());
    }

    /// @inheritdoc IConstantProductPool
    function getAmountIn(
        address tokenIn,
        uint256 amountOut
    ) external view override nonReentrantView returns (uint256 amountIn) {
        (, uint256 reserveIn, uint256 reserveOut, ) = _trade(tokenIn);
        return _amountInUp(amountOut, reserveIn, reserveOut, _historyNow().swapFee());
    }

    /// @inheritdoc IConstantProductPool
    function swapFee() external view override nonReentrantView returns (uint24) {
        return uint24(_historyNow().swapFee());
    }

    /// @inheritdoc IConstantProductPool
    function observe()
        external
        view
        override
        nonReentrantView
        returns (int256 cumulativeLogPriceWad, int256 logPriceWad, uint256 varianceRateWad, uint256 timestamp)
    {
        PoolHistory history = _historyNow();
        return (
            history.cumulativeLogPrice() * PoolOracleMath.LOG_PRICE_SCALE,
            history.logPrice() * PoolOracleMath.LOG_PRICE_SCALE,
            history.varianceRateWad(),
            block.timestamp
        );
    }

    // ------------------------------------------------------------------------------------------------------- Uniswap V2 functions

    /// @inheritdoc IConstantProductPool
    function mint(address to) external override nonReentrant returns (uint256 liquidity) {
        PoolReserves reserves = _reserves;
        (uint256 reserve0, uint256 reserve1) = (reserves.reserve0(), reserves.reserve1());
        (uint256 amount0, uint256 amount1) = (_surplus(token0, reserve0), _surplus(token1, reserve1));
        if ((amount0 | amount1) >> RESERVE_BITS != 0) _revertOverflow(amount0, amount1);
        unchecked {
            (reserve0, reserve1) = (reserve0 + amount0, reserve1 + amount1);
        }
        if ((reserve0 | reserve1) >> RESERVE_BITS != 0) _revertOverflow(reserve0, reserve1);
        liquidity = _mintLiquidity(to, amount0, amount1, reserve0, reserve1, reserves, totalSupply());
    }

    /// @inheritdoc IConstantProductPool
    function burn(address to) external override nonReentrant returns (uint256 amount0, uint256 amount1) {
        PoolReserves reserves = _reserves;
        (uint256 balance0, uint256 balance1) = (_balanceOf(token0), _balanceOf(token1));
        bool feeOn;
        (amount0, amount1, feeOn) = _burnLiquidity(
            address(this),
            balanceOf(address(this)),
            balance0,
            balance1,
            reserves,
            to
        );
        (balance0, balance1) = (_balanceOf(token0), _balanceOf(token1));
        if ((balance0 | balance1) >> RESERVE_BITS != 0) _revertOverflow(balance0, balance1);
        _storeLiquidity(balance0, balance1, reserves, feeOn);
        emit Burn(msg.sender, amount0, amount1, to);
    }

    /// @inheritdoc IConstantProductPool
    function swap(
        uint256 amount0Out,
        uint256 amount1Out,
        address to,
        bytes calldata data
    ) external override nonReentrant {
        if (amount0Out == 0 && amount1Out == 0) revert ConstantProductPool_ZeroOutput(0, 0);
        if (to == token0 || to == token1) revert ConstantProductPool_InvalidRecipient(to);
        PoolReserves reserves = _reserves;
        (uint256 reserve0, uint256 reserve1) = (reserves.reserve0(), reserves.reserve1());
        if (amount0Out >= reserve0) revert ConstantProductPool_InsufficientReserve(amount0Out, reserve0);
        if (amount1Out >= reserve1) revert ConstantProductPool_InsufficientReserve(amount1Out, reserve1);
        uint256 swapFee_ = _touch(reserves);

        if (amount0Out != 0) token0.safeTransfer(to, amount0Out);
        if (amount1Out != 0) token1.safeTransfer(to, amount1Out);
        if (data.length != 0) IFlashSwapCallee(to).uniswapV2Call(msg.sender, amount0Out, amount1Out, data);

        (uint256 balance0, uint256 balance1) = (_balanceOf(token0), _balanceOf(token1));
        _store(balance0, balance1, reserves);
        uint256 amount0In = FixedPointMathLib.zeroFloorSub(balance0 + amount0Out, reserve0);
        uint256 amount1In = FixedPointMathLib.zeroFloorSub(balance1 + amount1Out, reserve1);
        if (amount0In == 0 && amount1In == 0) revert ConstantProductPool_ZeroAmount();
        if (
            !ConstantProductMath.invariantHolds(
                balance0,
                balance1,
                amount0In,
                amount1In,
                reserve0,
                reserve1,
                swapFee_
            )
        ) {
            revert ConstantProductPool_InvariantBroken(
                balance0,
                balance1,
                amount0In,
                amount1In,
                reserve0,
                reserve1
            );
        }
        emit Swap(msg.sender, amount0In, amount1In, amount0Out, amount1Out, to);
    }

    /// @inheritdoc IConstantProductPool
    function skim(address to) external override nonReentrant {
        PoolReserves reserves = _reserves;
        token0.safeTransfer(to, _surplus(token0, reserves.reserve0()));
        token1.safeTransfer(to, _surplus(token1, reserves.reserve1()));
    }

    /// @inheritdoc IConstantProductPool
    function sync() external override nonReentrant {
        (uint256 balance0, uint256 balance1) = (_balanceOf(token0), _balanceOf(token1));
        PoolReserves reserves = _reserves;
        _touch(reserves);
        _store(balance0, balance1, reserves);
    }

    /// @inheritdoc IConstantProductPool
    function getReserves()
        external
        view
        override
        nonReentrantView
        returns (uint112 reserve0, uint112 reserve1, uint32 blockTimestampLast)
    {
        PoolReserves reserves = _reserves;
        return (
            uint112(reserves.reserve0()),
            uint112(reserves.reserve1()),
            uint32(block.timestamp - reserves.elapsed())
        );
    }

    /// @inheritdoc IConstantProductPool
    function MINIMUM_LIQUIDITY() external pure override returns (uint256) {
        return ConstantProductMath.MINIMUM_LIQUIDITY;
    }

    /// @inheritdoc IConstantProductPool
    function PERMIT_TYPEHASH() external pure override returns (bytes32) {
        return
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    }

    // ------------------------------------------------------------------------------------------------------------------- the parts

    function _sell(
        address tokenIn,
        uint256 amountIn,
        uint256 minAmountOut,
        address to
    ) private nonReentrant returns (uint256 amountOut) {
        (bool zeroForOne, uint256 reserveIn, uint256 reserveOut, PoolReserves reserves) = _trade(tokenIn);
        amountOut = _amountOutDown(amountIn, reserveIn, reserveOut, _touch(reserves));
        if (amountOut == 0) revert ConstantProductPool_ZeroOutput(0, 0);
        if (amountOut < minAmountOut) revert ConstantProductPool_OutputBelowMinimum(amountOut, minAmountOut);
        // The quote made sure that the sum fits 112 bits.
        unchecked {
            _pull(tokenIn, amountIn, reserveIn + amountIn);
        }
        _pay(zeroForOne, amountIn, amountOut, reserves, to);
    }

    /// @dev A token that delivers less than asked, or has shrunk the balance, is refused.
    function _pull(address token, uint256 amount, uint256 reserveAfter) private {
        token.safeTransferFrom(msg.sender, address(this), amount);
        _surplus(token, reserveAfter);
    }

    /// @dev Sends the output of a swap and books exactly the amounts quoted; what strangers sent stays out of the reserves.
    /// k cannot fall: the quotes round in favor of the pool.
    function _pay(
        bool zeroForOne,
        uint256 amountIn,
        uint256 amountOut,
        PoolReserves reserves,
        address to
    ) private {
        if (zeroForOne) {
            token1.safeTransfer(to, amountOut);
            reserves = reserves.swapped0For1(amountIn, amountOut);
        } else {
            token0.safeTransfer(to, amountOut);
            reserves = reserves.swapped1For0(amountIn, amountOut);
        }
        _write(reserves, reserves.reserve0(), reserves.reserve1());
        if (zeroForOne) emit Swap(msg.sender, amountIn, 0, 0, amountOut, to);
        else emit Swap(msg.sender, 0, amountIn, amountOut, 0, to);
    }

    /// @dev The protocol's share is minted first, so that it dilutes those who earned the fees, not the newcomer.
    function _mintLiquidity(
        address to,
        uint256 amount0,
        uint256 amount1,
        uint256 reserve0,
        uint256 reserve1,
        PoolReserves before,
        uint256 supply
    ) private returns (uint256 liquidity) {
        (address feeTo, bool feeOn) = _feeTo();
        if (feeOn) supply = _mintProtocolFee(feeTo, before, supply);
        if (supply == 0) {
            liquidity = ConstantProductMath.initialLiquidityDown(amount0, amount1);
            _mint(address(0), ConstantProductMath.MINIMUM_LIQUIDITY);
            // Prices before the first deposit were nobody's: the history begins now.
            before = before.touched();
            _history = PoolHistoryLibrary.begun(_minSwapFee);
        } else {
            liquidity = ConstantProductMath.liquidityDown(
                amount0,
                amount1,
                before.reserve0(),
                before.reserve1(),
                supply
            );
            if (liquidity == 0) revert ConstantProductPool_ZeroLiquidity(amount0, amount1);
        }
        _mint(to, liquidity);
        _storeLiquidity(reserve0, reserve1, before, feeOn);
        emit Mint(msg.sender, amount0, amount1);
    }

    /// @dev `holdings` is what the LP tokens are a share of: the reserves for native calls, the balances for V2 calls.
    function _burnLiquidity(
        address from,
        uint256 liquidity,
        uint256 holdings0,
        uint256 holdings1,
        PoolReserves reserves,
        address to
    ) private returns (uint256 amount0, uint256 amount1, bool feeOn) {
        uint256 supply = totalSupply();
        address feeTo;
        (feeTo, feeOn) = _feeTo();
        if (feeOn) supply = _mintProtocolFee(feeTo, reserves, supply);
        amount0 = ConstantProductMath.withdrawalDown(liquidity, holdings0, supply);
        amount1 = ConstantProductMath.withdrawalDown(liquidity, holdings1, supply);
        if (amount0 == 0 || amount1 == 0) revert ConstantProductPool_ZeroOutput(amount0, amount1);
        _burn(from, liquidity);
        token0.safeTransfer(to, amount0);
        token1.safeTransfer(to, amount1);
    }

    /// @dev Mints the protocol's sixth of the growth of sqrt(k) since the last change of liquidity, if the switch was on then.
    /// Returns the supply after it.
    function _mintProtocolFee(
        address feeTo,
        PoolReserves reserves,
        uint256 supply
    ) private returns (uint256) {
        if (!reserves.isKLastInUse()) return supply;
        uint256 liquidity = ConstantProductMath.protocolFeeLiquidityDown(
            reserves.reserve0(),
            reserves.reserve1(),
            kLast,
            supply
        );
        if (liquidity != 0) _mint(feeTo, liquidity);
        return supply + liquidity;
    }

    /// @dev `IPoolFactory(factory).feeTo()` without the checks that a strange contract would need: 200 gas less.
    function _feeTo() private view returns (address feeTo, bool feeOn) {
        address target = factory;
        bytes4 selector = IPoolFactory.feeTo.selector;
        assembly ("memory-safe") {
            mstore(0x00, selector)
            if iszero(staticcall(gas(), target, 0x00, 0x04, 0x00, 0x20)) {
                revert(0x00, 0x00)
            }
            feeTo := mload(0x00)
            feeOn := iszero(iszero(feeTo))
        }
    }

    /// @dev Ends a change of liquidity; both reserves fit 112 bits. One that leaves the price where it is need not trouble the oracle.
    function _storeLiquidity(uint256 reserve0, uint256 reserve1, PoolReserves before, bool feeOn) private {
        PoolReserves reserves = before.replaced(reserve0, reserve1);
        if (feeOn) {
            kLast = reserve0 * reserve1;
            reserves = reserves.withKLastInUse();
        } else if (before.isKLastInUse()) {
            // What grows from here on, with the switch off, is never charged.
            kLast = 0;
            reserves = reserves.withoutKLastInUse();
        }
        if (!ConstantProductMath.isSamePrice(reserve0, reserve1, before.reserve0(), before.reserve1())) {
            _touch(before);
            reserves = reserves.touched();
        }
        _write(reserves, reserve0, reserve1);
    }

    function _store(uint256 reserve0, uint256 reserve1, PoolReserves before) private {
        if ((reserve0 | reserve1) >> RESERVE_BITS != 0) _revertOverflow(reserve0, reserve1);
        _write(before.replaced(reserve0, reserve1).touched(), reserve0, reserve1);
    }

    /// @dev `emit Sync` from scratch memory: 90 gas less.
    function _write(PoolReserves reserves, uint256 reserve0, uint256 reserve1) private {
        _reserves = reserves;
        bytes32 topic = Sync.selector;
        assembly ("memory-safe") {
            mstore(0x00, reserve0)
            mstore(0x20, reserve1)
            log1(0x00, 0x40, topic)
        }
    }

    /// @dev Units of the token above what the reserves claim.
    function _surplus(address token, uint256 claimed) private view returns (uint256) {
        // A token that does not answer counts as 0 here.
        uint256 balance = SafeTransferLib.balanceOf(token, address(this));
        if (balance < claimed) revert ConstantProductPool_BalanceBelowReserve(token, balance, claimed);
        unchecked {
            return balance - claimed;
        }
    }

    function _balanceOf(address token) private view returns (uint256) {
        (bool answered, uint256 balance) = SafeTransferLib.checkBalanceOf(token, address(this));
        if (!answered) revert ConstantProductPool_BalanceUnknown(token);
        return balance;
    }

    /// @dev What a swap of `tokenIn` starts from.
    function _trade(
        address tokenIn
    ) private view returns (bool zeroForOne, uint256 reserveIn, uint256 reserveOut, PoolReserves reserves) {
        reserves = _reserves;
        (reserveIn, reserveOut) = (reserves.reserve0(), reserves.reserve1());
        zeroForOne = _isSame(tokenIn, token0);
        if (!zeroForOne) {
            if (!_isSame(tokenIn, token1)) revert ConstantProductPool_UnknownToken(tokenIn);
            (reserveIn, reserveOut) = (reserveOut, reserveIn);
        }
    }

    /// @dev `a == b` for addresses without dirty bits, as arguments and immutables are: 20 gas less.
    function _isSame(address a, address b) private pure returns (bool same) {
        assembly ("memory-safe") {
            same := eq(a, b)
        }
    }

    function _amountOutDown(
        uint256 amountIn,
        uint256 reserveIn,
        uint256 reserveOut,
        uint256 swapFee_
    ) private pure returns (uint256 amountOut) {
        // The sum cannot overflow unless the amount alone is too large.
        unchecked {
            if ((amountIn | (reserveIn + amountIn)) >> RESERVE_BITS != 0)
                _revertOverflow(amountIn, reserveIn + amountIn);
        }
        amountOut = ConstantProductMath.amountOutDown(amountIn, reserveIn, reserveOut, swapFee_);
    }

    function _amountInUp(
        uint256 amountOut,
        uint256 reserveIn,
        uint256 reserveOut,
        uint256 swapFee_
    ) private pure returns (uint256 amountIn) {
        amountIn = ConstantProductMath.amountInUp(amountOut, reserveIn, reserveOut, swapFee_);
        unchecked {
            if ((amountIn | (reserveIn + amountIn)) >> RESERVE_BITS != 0)
                _revertOverflow(amountIn, reserveIn + amountIn);
        }
    }

    function _revertOverflow(uint256 amount0, uint256 amount1) private pure {
        revert ConstantProductPool_ReserveOverflow(FixedPointMathLib.max(amount0, amount1), MAX_RESERVE);
    }

    /// @dev Nothing else here is transient, and a small number costs less to push.
    function _reentrancyGuardStorageSlot() internal pure override returns (bytes32) {
        return 0;
    }
}
