// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ERC20} from "solady/src/tokens/ERC20.sol";
import {SafeTransferLib} from "solady/src/utils/SafeTransferLib.sol";

import {IConstantProductPool} from "../interfaces/IConstantProductPool.sol";
import {IFlashSwapCallee} from "../interfaces/IFlashSwapCallee.sol";
import {IPoolFactory} from "../interfaces/IPoolFactory.sol";
import {ConstantProductMath} from "../libraries/ConstantProductMath.sol";
import {PoolAddress} from "../libraries/PoolAddress.sol";
import {PoolHistory, PoolHistoryLibrary} from "../libraries/PoolHistory.sol";
import {PoolOracleMath} from "../libraries/PoolOracleMath.sol";
import {PoolReserves} from "../libraries/PoolReserves.sol";

/// @title ConstantProductPool
/// @notice See `IConstantProductPool`.
/// @dev Reserves are written after the transfers; the transient lock keeps everyone from acting on, or reading, the values in between.
contract ConstantProductPool is IConstantProductPool, ERC20, ReentrancyGuardTransient {
    using SafeTransferLib for address;

    uint256 private constant MAX_RESERVE = type(uint112).max;

    /// @inheritdoc IConstantProductPool
    address public immutable override factory;
    /// @inheritdoc IConstantProductPool
    address public immutable override token0;
    /// @inheritdoc IConstantProductPool
    address public immutable override token1;
    uint256 private immutable _minSwapFee;
    uint256 private immutable _maxSwapFee;
    uint256 private immutable _volatilityFeeMultiplierWad;
    bytes32 private immutable _initCodeHash;

    /// @dev One slot: both reserves and the time of the last touch.
    PoolReserves private _reserves;

    /// @dev One slot, written at most once per block: log prices, variance rate and fee.
    PoolHistory private _history;

    /// @inheritdoc IConstantProductPool
    uint256 public override kLast;

    /// @dev No arguments: the factory provides them, and all pools share one init code hash.
    constructor() {
        IPoolFactory.PoolParameters memory parameters = IPoolFactory(msg.sender).poolParameters();
        factory = msg.sender;
        token0 = parameters.token0;
        token1 = parameters.token1;
        _minSwapFee = parameters.minSwapFee;
        _maxSwapFee = parameters.maxSwapFee;
        _volatilityFeeMultiplierWad = parameters.volatilityFeeMultiplierWad;
        _initCodeHash = parameters.initCodeHash;
    }

    // ---------------------------------------------------------------------------------------------------------------- native swaps

    /// @inheritdoc IConstantProductPool
    function swapExactInput(
        address tokenIn,
        uint256 amountIn,
        uint256 minAmountOut,
        address to,
        uint256 deadline
    ) external override returns (uint256 amountOut) {
        _requireNotExpired(deadline);
        return _sell(tokenIn, msg.sender, amountIn, minAmountOut, to);
    }

    /// @inheritdoc IConstantProductPool
    function swapExactOutput(
        address tokenIn,
        uint256 amountOut,
        uint256 maxAmountIn,
        address to,
        uint256 deadline
    ) external override nonReentrant returns (uint256 amountIn) {
        _requireNotExpired(deadline);
        _requireRecipient(to);
        bool zeroForOne = _isToken0(tokenIn);
        PoolReserves reserves = _reserves;
        (uint256 reserveIn, uint256 reserveOut) = _inOut(reserves, zeroForOne);
        amountIn = _amountInUp(amountOut, reserveIn, reserveOut, _touch(reserves));
        if (amountIn > maxAmountIn) revert ConstantProductPool_InputAboveMaximum(amountIn, maxAmountIn);
        unchecked {
            (reserveIn, reserveOut) = (reserveIn + amountIn, reserveOut - amountOut);
        }
        _pull(tokenIn, amountIn, reserveIn);
        _pay(zeroForOne, amountIn, amountOut, reserveIn, reserveOut, reserves, to);
    }

    /// @inheritdoc IConstantProductPool
    function swapExactInputPath(
        address[] calldata path,
        uint256 amountIn,
        uint256 minAmountOut,
        address to,
        uint256 deadline
    ) external override returns (uint256 amountOut) {
        _requireNotExpired(deadline);
        uint256 last = path.length - 1;
        if (_isToken0(path[0]) == _isToken0(path[1])) revert ConstantProductPool_UnknownToken(path[1]);
        address pool = address(this);
        for (uint256 i = 0; i < last; ++i) {
            bool isLast = i + 1 == last;
            address next = isLast ? to : _poolOf(path[i + 1], path[i + 2]);
            uint256 minimum = isLast ? minAmountOut : 0;
            amountOut =
                i == 0
                    ? _sell(path[0], msg.sender, amountIn, minimum, next)
                    : IConstantProductPool(pool).swapPrefunded(path[i], minimum, next);
            pool = next;
        }
    }

    /// @inheritdoc IConstantProductPool
    function swapPrefunded(
        address tokenIn,
        uint256 minAmountOut,
        address to
    ) external override returns (uint256 amountOut) {
        return _sell(tokenIn, address(this), 0, minAmountOut, to);
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
    ) external override nonReentrant returns (uint256 amount0, uint256 amount1, uint256 liquidity) {
        _requireNotExpired(deadline);
        _requireRecipient(to);
        if (amount0Desired == 0 || amount1Desired == 0) revert ConstantProductPool_ZeroAmount();
        PoolReserves reserves = _reserves;
        (uint256 reserve0, uint256 reserve1) = (reserves.reserve0(), reserves.reserve1());
        // The first depositor sets the price, whatever strangers have sent and synced before.
        (amount0, amount1) = totalSupply() == 0
            ? (amount0Desired, amount1Desired)
            : ConstantProductMath.optimalAmounts(amount0Desired, amount1Desired, reserve0, reserve1);
        _requireAtLeast(token0, amount0, amount0Min);
        _requireAtLeast(token1, amount1, amount1Min);
        _requireFits(amount0, MAX_RESERVE - reserve0);
        _requireFits(amount1, MAX_RESERVE - reserve1);
        unchecked {
            _pull(token0, amount0, reserve0 + amount0);
            _pull(token1, amount1, reserve1 + amount1);
        }
        liquidity = _mintLiquidity(to, amount0, amount1, reserves);
    }

    /// @inheritdoc IConstantProductPool
    function removeLiquidity(
        uint256 liquidity,
        uint256 amount0Min,
        uint256 amount1Min,
        address to,
        uint256 deadline
    ) external override nonReentrant returns (uint256 amount0, uint256 amount1) {
        _requireNotExpired(deadline);
        _requireRecipient(to);
        PoolReserves reserves = _reserves;
        (uint256 reserve0, uint256 reserve1) = (reserves.reserve0(), reserves.reserve1());
        bool feeOn;
        (amount0, amount1, feeOn) = _burnLiquidity(msg.sender, liquidity, reserve0, reserve1, reserves, to);
        _requireAtLeast(token0, amount0, amount0Min);
        _requireAtLeast(token1, amount1, amount1Min);
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
        (uint256 reserveIn, uint256 reserveOut) = _inOut(_reserves, _isToken0(tokenIn));
        return _amountOutDown(amountIn, reserveIn, reserveOut, _historyNow().swapFee());
    }

    /// @inheritdoc IConstantProductPool
    function getAmountIn(
        address tokenIn,
        uint256 amountOut
    ) external view override nonReentrantView returns (uint256 amountIn) {
        (uint256 reserveIn, uint256 reserveOut) = _inOut(_reserves, _isToken0(tokenIn));
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
        _requireRecipient(to);
        PoolReserves reserves = _reserves;
        (uint256 reserve0, uint256 reserve1) = (reserves.reserve0(), reserves.reserve1());
        (uint256 amount0, uint256 amount1) = (_surplus(token0, reserve0), _surplus(token1, reserve1));
        _requireFits(amount0, MAX_RESERVE - reserve0);
        _requireFits(amount1, MAX_RESERVE - reserve1);
        liquidity = _mintLiquidity(to, amount0, amount1, reserves);
    }

    /// @inheritdoc IConstantProductPool
    function burn(address to) external override nonReentrant returns (uint256 amount0, uint256 amount1) {
        _requireRecipient(to);
        PoolReserves reserves = _reserves;
        (uint256 balance0, uint256 balance1) = _balances();
        bool feeOn;
        (amount0, amount1, feeOn) = _burnLiquidity(
            address(this),
            balanceOf(address(this)),
            balance0,
            balance1,
            reserves,
            to
        );
        (balance0, balance1) = _balances();
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
        _requireRecipient(to);
        PoolReserves reserves = _reserves;
        (uint256 reserve0, uint256 reserve1) = (reserves.reserve0(), reserves.reserve1());
        if (amount0Out >= reserve0) revert ConstantProductPool_InsufficientReserve(amount0Out, reserve0);
        if (amount1Out >= reserve1) revert ConstantProductPool_InsufficientReserve(amount1Out, reserve1);
        uint256 swapFee_ = _touch(reserves);

        if (amount0Out != 0) token0.safeTransfer(to, amount0Out);
        if (amount1Out != 0) token1.safeTransfer(to, amount1Out);
        if (data.length != 0) IFlashSwapCallee(to).uniswapV2Call(msg.sender, amount0Out, amount1Out, data);

        (uint256 balance0, uint256 balance1) = _balances();
        _store(balance0, balance1, reserves);
        uint256 amount0In = _excess(balance0, reserve0 - amount0Out);
        uint256 amount1In = _excess(balance1, reserve1 - amount1Out);
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
        _requireRecipient(to);
        PoolReserves reserves = _reserves;
        token0.safeTransfer(to, _surplus(token0, reserves.reserve0()));
        token1.safeTransfer(to, _surplus(token1, reserves.reserve1()));
    }

    /// @inheritdoc IConstantProductPool
    function sync() external override nonReentrant {
        (uint256 balance0, uint256 balance1) = _balances();
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

    /// @inheritdoc ERC20
    function name() public pure override returns (string memory) {
        return "Ballast LP";
    }

    /// @inheritdoc ERC20
    function symbol() public pure override returns (string memory) {
        return "BLP-LP";
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

    /// @param payer The caller, or this pool if the input has been sent ahead: then it is what the balance exceeds the reserve by.
    function _sell(
        address tokenIn,
        address payer,
        uint256 amountIn,
        uint256 minAmountOut,
        address to
    ) private nonReentrant returns (uint256 amountOut) {
        _requireRecipient(to);
        bool zeroForOne = _isToken0(tokenIn);
        PoolReserves reserves = _reserves;
        (uint256 reserveIn, uint256 reserveOut) = _inOut(reserves, zeroForOne);
        if (payer == address(this)) amountIn = _surplus(tokenIn, reserveIn);
        amountOut = _amountOutDown(amountIn, reserveIn, reserveOut, _touch(reserves));
        if (amountOut == 0) revert ConstantProductPool_ZeroOutput(0, 0);
        if (amountOut < minAmountOut) revert ConstantProductPool_OutputBelowMinimum(amountOut, minAmountOut);
        unchecked {
            // Both fit 112 bits: `_amountOutDown` and the formula made sure.
            (reserveIn, reserveOut) = (reserveIn + amountIn, reserveOut - amountOut);
        }
        if (payer != address(this)) _pull(tokenIn, amountIn, reserveIn);
        _pay(zeroForOne, amountIn, amountOut, reserveIn, reserveOut, reserves, to);
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
        uint256 reserveIn,
        uint256 reserveOut,
        PoolReserves before,
        address to
    ) private {
        if (zeroForOne) {
            token1.safeTransfer(to, amountOut);
            _write(reserveIn, reserveOut, before);
            emit Swap(msg.sender, amountIn, 0, 0, amountOut, to);
        } else {
            token0.safeTransfer(to, amountOut);
            _write(reserveOut, reserveIn, before);
            emit Swap(msg.sender, 0, amountIn, amountOut, 0, to);
        }
    }

    /// @dev The protocol's share is minted first, so that it dilutes those who earned the fees, not the newcomer.
    function _mintLiquidity(
        address to,
        uint256 amount0,
        uint256 amount1,
        PoolReserves reserves
    ) private returns (uint256 liquidity) {
        (uint256 reserve0, uint256 reserve1) = (reserves.reserve0(), reserves.reserve1());
        bool feeOn = _mintProtocolFee(reserves);
        uint256 supply = totalSupply();
        if (supply == 0) {
            liquidity = ConstantProductMath.initialLiquidityDown(amount0, amount1);
            _mint(address(0), ConstantProductMath.MINIMUM_LIQUIDITY);
        } else {
            liquidity = ConstantProductMath.liquidityDown(amount0, amount1, reserve0, reserve1, supply);
            if (liquidity == 0) revert ConstantProductPool_ZeroLiquidity(amount0, amount1);
        }
        _mint(to, liquidity);
        // Both sums were found to fit 112 bits before.
        unchecked {
            _storeLiquidity(reserve0 + amount0, reserve1 + amount1, reserves, feeOn);
        }
        // Prices before the first deposit were nobody's: the history begins now.
        if (supply == 0) _history = PoolHistoryLibrary.begun(_minSwapFee);
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
        if (liquidity == 0) revert ConstantProductPool_ZeroAmount();
        feeOn = _mintProtocolFee(reserves);
        uint256 supply = totalSupply();
        amount0 = ConstantProductMath.withdrawalDown(liquidity, holdings0, supply);
        amount1 = ConstantProductMath.withdrawalDown(liquidity, holdings1, supply);
        if (amount0 == 0 || amount1 == 0) revert ConstantProductPool_ZeroOutput(amount0, amount1);
        _burn(from, liquidity);
        token0.safeTransfer(to, amount0);
        token1.safeTransfer(to, amount1);
    }

    /// @dev Mints the protocol's sixth of the growth of sqrt(k) since the last change of liquidity.
    function _mintProtocolFee(PoolReserves reserves) private returns (bool feeOn) {
        address feeTo = IPoolFactory(factory).feeTo();
        feeOn = feeTo != address(0);
        if (feeOn && reserves.isKLastInUse()) {
            uint256 liquidity = ConstantProductMath.protocolFeeLiquidityDown(
                reserves.reserve0(),
                reserves.reserve1(),
                kLast,
                totalSupply()
            );
            if (liquidity != 0) _mint(feeTo, liquidity);
        }
    }

    /// @dev Ends a change of liquidity. One that leaves the price where it is need not trouble the oracle.
    function _storeLiquidity(uint256 reserve0, uint256 reserve1, PoolReserves before, bool feeOn) private {
        _requireFits(reserve0, MAX_RESERVE);
        _requireFits(reserve1, MAX_RESERVE);
        if (feeOn) kLast = reserve0 * reserve1;
        else if (before.isKLastInUse()) kLast = 0; // Growth while the switch is off must never be charged later.
        PoolReserves reserves;
        if (ConstantProductMath.isSamePrice(reserve0, reserve1, before.reserve0(), before.reserve1())) {
            reserves = before.replacedWith(reserve0, reserve1);
        } else {
            _touch(before);
            reserves = before.touchedWith(reserve0, reserve1);
        }
        _reserves = reserves.withKLastInUse(feeOn);
        emit Sync(uint112(reserve0), uint112(reserve1));
    }

    /// @dev The first call in a block records the price that stood until then; every operation that may move the price makes it before
    /// the reserves change. Returns the fee of this block.
    function _touch(PoolReserves reserves) private returns (uint256) {
        uint256 elapsed = reserves.elapsed();
        if (elapsed == 0) return _minSwapFee == _maxSwapFee ? _minSwapFee : _history.swapFee();
        PoolHistory history = _touched(reserves, elapsed);
        _history = history;
        return history.swapFee();
    }

    function _historyNow() private view returns (PoolHistory) {
        PoolReserves reserves = _reserves;
        uint256 elapsed = reserves.elapsed();
        return elapsed == 0 ? _history : _touched(reserves, elapsed);
    }

    function _touched(PoolReserves reserves, uint256 elapsed) private view returns (PoolHistory history) {
        history = PoolOracleMath.touched(_history, reserves.reserve0(), reserves.reserve1(), elapsed);
        uint256 swapFee_ =
            _minSwapFee == _maxSwapFee
                ? _minSwapFee
                : PoolOracleMath.swapFeeDown(
                    history.varianceRateWad(),
                    _minSwapFee,
                    _maxSwapFee,
                    _volatilityFeeMultiplierWad
                );
        return history.withSwapFee(swapFee_);
    }

    function _store(uint256 reserve0, uint256 reserve1, PoolReserves before) private {
        _requireFits(reserve0, MAX_RESERVE);
        _requireFits(reserve1, MAX_RESERVE);
        _write(reserve0, reserve1, before);
    }

    function _write(uint256 reserve0, uint256 reserve1, PoolReserves before) private {
        _reserves = before.touchedWith(reserve0, reserve1);
        emit Sync(uint112(reserve0), uint112(reserve1));
    }

    /// @dev Units of the token above what the reserves claim.
    function _surplus(address token, uint256 claimed) private view returns (uint256) {
        // 0 if the token does not answer.
        uint256 balance = SafeTransferLib.balanceOf(token, address(this));
        if (balance < claimed) revert ConstantProductPool_BalanceBelowReserve(token, balance, claimed);
        unchecked {
            return balance - claimed;
        }
    }

    function _balances() private view returns (uint256 balance0, uint256 balance1) {
        return (IERC20(token0).balanceOf(address(this)), IERC20(token1).balanceOf(address(this)));
    }

    function _inOut(
        PoolReserves reserves,
        bool zeroForOne
    ) private pure returns (uint256 reserveIn, uint256 reserveOut) {
        (reserveIn, reserveOut) = (reserves.reserve0(), reserves.reserve1());
        if (!zeroForOne) (reserveIn, reserveOut) = (reserveOut, reserveIn);
    }

    function _isToken0(address token) private view returns (bool) {
        if (token == token0) return true;
        if (token == token1) return false;
        revert ConstantProductPool_UnknownToken(token);
    }

    function _poolOf(address tokenA, address tokenB) private view returns (address) {
        return PoolAddress.poolOf(factory, _initCodeHash, tokenA, tokenB);
    }

    function _amountOutDown(
        uint256 amountIn,
        uint256 reserveIn,
        uint256 reserveOut,
        uint256 swapFee_
    ) private pure returns (uint256) {
        unchecked {
            if (amountIn > MAX_RESERVE - reserveIn)
                revert ConstantProductPool_ReserveOverflow(amountIn, MAX_RESERVE - reserveIn);
        }
        return ConstantProductMath.amountOutDown(amountIn, reserveIn, reserveOut, swapFee_);
    }

    function _amountInUp(
        uint256 amountOut,
        uint256 reserveIn,
        uint256 reserveOut,
        uint256 swapFee_
    ) private pure returns (uint256 amountIn) {
        amountIn = ConstantProductMath.amountInUp(amountOut, reserveIn, reserveOut, swapFee_);
        _requireFits(amountIn, MAX_RESERVE - reserveIn);
    }

    function _requireNotExpired(uint256 deadline) private view {
        if (block.timestamp > deadline) revert ConstantProductPool_Expired(deadline, block.timestamp);
    }

    function _requireRecipient(address to) private view {
        if (to == token0 || to == token1 || to == address(this))
            revert ConstantProductPool_InvalidRecipient(to);
    }

    function _requireAtLeast(address token, uint256 amount, uint256 minAmount) private pure {
        if (amount < minAmount) revert ConstantProductPool_AmountBelowMinimum(token, amount, minAmount);
    }

    function _requireFits(uint256 amount, uint256 limit) private pure {
        if (amount > limit) revert ConstantProductPool_ReserveOverflow(amount, limit);
    }

    function _excess(uint256 balance, uint256 expected) private pure returns (uint256) {
        return balance > expected ? balance - expected : 0;
    }

    function _constantNameHash() internal pure override returns (bytes32) {
        return keccak256("Ballast LP");
    }

    /// @dev Nothing else here is transient, and a small number costs less to push.
    function _reentrancyGuardStorageSlot() internal pure override returns (bytes32) {
        return 0;
    }

    function _givePermit2InfiniteAllowance() internal pure override returns (bool) {
        return false;
    }
}
