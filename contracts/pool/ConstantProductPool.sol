// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IConstantProductPool} from "../interfaces/IConstantProductPool.sol";
import {IFlashSwapCallee} from "../interfaces/IFlashSwapCallee.sol";
import {IPoolFactory} from "../interfaces/IPoolFactory.sol";
import {ConstantProductMath} from "../libraries/ConstantProductMath.sol";

/// @title ConstantProductPool
/// @notice See `IConstantProductPool`.
/// @dev After every operation each reserve is at most the balance behind it, so claims of LPs and swaps are covered.
/// Reserves are written after the transfers; the transient lock keeps everyone from acting on, or reading, the values in between.
contract ConstantProductPool is IConstantProductPool, ERC20Permit, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev Owner of the locked liquidity; the LP token cannot be minted to the zero address.
    address private constant LOCKED_LIQUIDITY_OWNER = 0x000000000000000000000000000000000000dEaD;
    uint256 private constant MAX_RESERVE = type(uint112).max;

    /// @inheritdoc IConstantProductPool
    address public immutable override factory;
    /// @inheritdoc IConstantProductPool
    address public immutable override token0;
    /// @inheritdoc IConstantProductPool
    address public immutable override token1;
    uint24 private immutable _swapFee;

    /// @dev One slot, 14 + 14 + 4 bytes: token units, token units, unix seconds modulo 2^32.
    uint112 private _reserve0;
    uint112 private _reserve1;
    uint32 private _blockTimestampLast;

    /// @inheritdoc IConstantProductPool
    uint256 public override kLast;

    /// @dev No arguments: the factory provides them, and all pools share one init code hash.
    constructor() ERC20("Ballast LP", "BLP-LP") ERC20Permit("Ballast LP") {
        IPoolFactory.PoolParameters memory parameters = IPoolFactory(msg.sender).poolParameters();
        factory = msg.sender;
        token0 = parameters.token0;
        token1 = parameters.token1;
        _swapFee = parameters.minSwapFee;
    }

    // ---------------------------------------------------------------------------------------------------------- native functions

    /// @inheritdoc IConstantProductPool
    function swapExactInput(
        address tokenIn,
        uint256 amountIn,
        uint256 minAmountOut,
        address to,
        uint256 deadline
    ) external override nonReentrant returns (uint256 amountOut) {
        _requireNotExpired(deadline);
        _requireRecipient(to);
        bool zeroForOne = _isToken0(tokenIn);
        (uint256 reserveIn, uint256 reserveOut) = _reservesInOut(zeroForOne);
        amountOut = _amountOutDown(amountIn, reserveIn, reserveOut);
        if (amountOut == 0) revert ConstantProductPool_ZeroOutput(0, 0);
        if (amountOut < minAmountOut) revert ConstantProductPool_OutputBelowMinimum(amountOut, minAmountOut);
        _exchange(zeroForOne, amountIn, amountOut, reserveIn, reserveOut, to);
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
        (uint256 reserveIn, uint256 reserveOut) = _reservesInOut(zeroForOne);
        amountIn = _amountInUp(amountOut, reserveIn, reserveOut);
        if (amountIn > maxAmountIn) revert ConstantProductPool_InputAboveMaximum(amountIn, maxAmountIn);
        _exchange(zeroForOne, amountIn, amountOut, reserveIn, reserveOut, to);
    }

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
        (uint256 reserve0, uint256 reserve1) = (_reserve0, _reserve1);
        // The first depositor sets the price, whatever strangers have sent and synced before.
        (amount0, amount1) = totalSupply() == 0
            ? (amount0Desired, amount1Desired)
            : ConstantProductMath.optimalAmounts(amount0Desired, amount1Desired, reserve0, reserve1);
        _requireAtLeast(token0, amount0, amount0Min);
        _requireAtLeast(token1, amount1, amount1Min);
        _requireFits(amount0, MAX_RESERVE - reserve0);
        _requireFits(amount1, MAX_RESERVE - reserve1);

        IERC20(token0).safeTransferFrom(msg.sender, address(this), amount0);
        IERC20(token1).safeTransferFrom(msg.sender, address(this), amount1);
        bool feeOn;
        (liquidity, feeOn) = _mintLiquidity(to, amount0, amount1, reserve0, reserve1);
        _storeCovered(reserve0 + amount0, reserve1 + amount1);
        if (feeOn) kLast = (reserve0 + amount0) * (reserve1 + amount1);
        emit Mint(msg.sender, amount0, amount1);
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
        (uint256 reserve0, uint256 reserve1) = (_reserve0, _reserve1);
        bool feeOn;
        (amount0, amount1, feeOn) = _burnLiquidity(
            msg.sender,
            liquidity,
            reserve0,
            reserve1,
            reserve0,
            reserve1
        );
        _requireAtLeast(token0, amount0, amount0Min);
        _requireAtLeast(token1, amount1, amount1Min);

        IERC20(token0).safeTransfer(to, amount0);
        IERC20(token1).safeTransfer(to, amount1);
        _storeCovered(reserve0 - amount0, reserve1 - amount1);
        if (feeOn) kLast = (reserve0 - amount0) * (reserve1 - amount1);
        emit Burn(msg.sender, amount0, amount1, to);
    }

    /// @inheritdoc IConstantProductPool
    function getAmountOut(
        address tokenIn,
        uint256 amountIn
    ) external view override nonReentrantView returns (uint256 amountOut) {
        (uint256 reserveIn, uint256 reserveOut) = _reservesInOut(_isToken0(tokenIn));
        return _amountOutDown(amountIn, reserveIn, reserveOut);
    }

    /// @inheritdoc IConstantProductPool
    function getAmountIn(
        address tokenIn,
        uint256 amountOut
    ) external view override nonReentrantView returns (uint256 amountIn) {
        (uint256 reserveIn, uint256 reserveOut) = _reservesInOut(_isToken0(tokenIn));
        return _amountInUp(amountOut, reserveIn, reserveOut);
    }

    /// @inheritdoc IConstantProductPool
    function swapFee() external view override returns (uint24) {
        return _swapFee;
    }

    // ------------------------------------------------------------------------------------------------------- Uniswap V2 functions

    /// @inheritdoc IConstantProductPool
    function mint(address to) external override nonReentrant returns (uint256 liquidity) {
        _requireRecipient(to);
        (uint256 reserve0, uint256 reserve1) = (_reserve0, _reserve1);
        (uint256 balance0, uint256 balance1) = _coveringBalances(reserve0, reserve1);
        (uint256 amount0, uint256 amount1) = (balance0 - reserve0, balance1 - reserve1);
        // Before any arithmetic on the balances, which a token may report as it likes.
        _requireFits(balance0, MAX_RESERVE);
        _requireFits(balance1, MAX_RESERVE);
        bool feeOn;
        (liquidity, feeOn) = _mintLiquidity(to, amount0, amount1, reserve0, reserve1);
        _store(balance0, balance1);
        if (feeOn) kLast = balance0 * balance1;
        emit Mint(msg.sender, amount0, amount1);
    }

    /// @inheritdoc IConstantProductPool
    function burn(address to) external override nonReentrant returns (uint256 amount0, uint256 amount1) {
        _requireRecipient(to);
        (uint256 balance0, uint256 balance1) = _balances();
        bool feeOn;
        (amount0, amount1, feeOn) = _burnLiquidity(
            address(this),
            balanceOf(address(this)),
            balance0,
            balance1,
            _reserve0,
            _reserve1
        );
        IERC20(token0).safeTransfer(to, amount0);
        IERC20(token1).safeTransfer(to, amount1);
        (balance0, balance1) = _balances();
        _store(balance0, balance1);
        if (feeOn) kLast = balance0 * balance1;
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
        (uint256 reserve0, uint256 reserve1) = (_reserve0, _reserve1);
        if (amount0Out >= reserve0) revert ConstantProductPool_InsufficientReserve(amount0Out, reserve0);
        if (amount1Out >= reserve1) revert ConstantProductPool_InsufficientReserve(amount1Out, reserve1);

        if (amount0Out != 0) IERC20(token0).safeTransfer(to, amount0Out);
        if (amount1Out != 0) IERC20(token1).safeTransfer(to, amount1Out);
        if (data.length != 0) IFlashSwapCallee(to).uniswapV2Call(msg.sender, amount0Out, amount1Out, data);

        (uint256 balance0, uint256 balance1) = _balances();
        _store(balance0, balance1);
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
                _swapFee
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
        (uint256 reserve0, uint256 reserve1) = (_reserve0, _reserve1);
        (uint256 balance0, uint256 balance1) = _coveringBalances(reserve0, reserve1);
        IERC20(token0).safeTransfer(to, balance0 - reserve0);
        IERC20(token1).safeTransfer(to, balance1 - reserve1);
    }

    /// @inheritdoc IConstantProductPool
    function sync() external override nonReentrant {
        (uint256 balance0, uint256 balance1) = _balances();
        _store(balance0, balance1);
    }

    /// @inheritdoc IConstantProductPool
    function getReserves()
        external
        view
        override
        nonReentrantView
        returns (uint112 reserve0, uint112 reserve1, uint32 blockTimestampLast)
    {
        return (_reserve0, _reserve1, _blockTimestampLast);
    }

    /// @inheritdoc ERC20Permit
    function nonces(address owner) public view override(IERC20Permit, ERC20Permit) returns (uint256) {
        return super.nonces(owner);
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

    /// @dev Moves both tokens of a native swap and books exactly the amounts quoted; what strangers sent stays out of the reserves.
    /// k cannot fall: the quotes round in favor of the pool, and the balances must cover the new reserves.
    function _exchange(
        bool zeroForOne,
        uint256 amountIn,
        uint256 amountOut,
        uint256 reserveIn,
        uint256 reserveOut,
        address to
    ) private {
        (address tokenIn, address tokenOut) = zeroForOne ? (token0, token1) : (token1, token0);
        IERC20(tokenIn).safeTransferFrom(msg.sender, address(this), amountIn);
        IERC20(tokenOut).safeTransfer(to, amountOut);
        if (zeroForOne) {
            _storeCovered(reserveIn + amountIn, reserveOut - amountOut);
            emit Swap(msg.sender, amountIn, 0, 0, amountOut, to);
        } else {
            _storeCovered(reserveOut - amountOut, reserveIn + amountIn);
            emit Swap(msg.sender, 0, amountIn, amountOut, 0, to);
        }
    }

    /// @dev The protocol's share is minted first, so that it dilutes those who earned the fees, not the newcomer.
    function _mintLiquidity(
        address to,
        uint256 amount0,
        uint256 amount1,
        uint256 reserve0,
        uint256 reserve1
    ) private returns (uint256 liquidity, bool feeOn) {
        feeOn = _mintProtocolFee(reserve0, reserve1);
        uint256 supply = totalSupply();
        if (supply == 0) {
            liquidity = ConstantProductMath.initialLiquidityDown(amount0, amount1);
            _mint(to, liquidity);
            _mint(LOCKED_LIQUIDITY_OWNER, ConstantProductMath.MINIMUM_LIQUIDITY);
        } else {
            liquidity = ConstantProductMath.liquidityDown(amount0, amount1, reserve0, reserve1, supply);
            if (liquidity == 0) revert ConstantProductPool_ZeroLiquidity(amount0, amount1);
            _mint(to, liquidity);
        }
    }

    /// @dev `holdings` is what the LP tokens are a share of: the reserves for native calls, the balances for V2 calls.
    function _burnLiquidity(
        address from,
        uint256 liquidity,
        uint256 holdings0,
        uint256 holdings1,
        uint256 reserve0,
        uint256 reserve1
    ) private returns (uint256 amount0, uint256 amount1, bool feeOn) {
        if (liquidity == 0) revert ConstantProductPool_ZeroAmount();
        feeOn = _mintProtocolFee(reserve0, reserve1);
        uint256 supply = totalSupply();
        amount0 = ConstantProductMath.withdrawalDown(liquidity, holdings0, supply);
        amount1 = ConstantProductMath.withdrawalDown(liquidity, holdings1, supply);
        if (amount0 == 0 || amount1 == 0) revert ConstantProductPool_ZeroOutput(amount0, amount1);
        _burn(from, liquidity);
    }

    /// @dev Mints the protocol's sixth of the growth of sqrt(k) since the last change of liquidity.
    function _mintProtocolFee(uint256 reserve0, uint256 reserve1) private returns (bool feeOn) {
        address feeTo = IPoolFactory(factory).feeTo();
        uint256 kLastBefore = kLast;
        feeOn = feeTo != address(0);
        if (feeOn) {
            uint256 liquidity = ConstantProductMath.protocolFeeLiquidityDown(
                reserve0,
                reserve1,
                kLastBefore,
                totalSupply()
            );
            if (liquidity != 0) _mint(feeTo, liquidity);
        } else if (kLastBefore != 0) {
            // Growth while the switch is off must never be charged later.
            kLast = 0;
        }
    }

    function _store(uint256 reserve0, uint256 reserve1) private {
        _requireFits(reserve0, MAX_RESERVE);
        _requireFits(reserve1, MAX_RESERVE);
        // Both casts were checked just above; the time wraps in 2106, as V2 clients expect.
        _reserve0 = uint112(reserve0);
        _reserve1 = uint112(reserve1);
        _blockTimestampLast = uint32(block.timestamp);
        emit Sync(uint112(reserve0), uint112(reserve1));
    }

    /// @dev For native calls, which book amounts instead of balances.
    function _storeCovered(uint256 reserve0, uint256 reserve1) private {
        _coveringBalances(reserve0, reserve1);
        _store(reserve0, reserve1);
    }

    function _coveringBalances(
        uint256 reserve0,
        uint256 reserve1
    ) private view returns (uint256 balance0, uint256 balance1) {
        (balance0, balance1) = _balances();
        if (balance0 < reserve0) revert ConstantProductPool_BalanceBelowReserve(token0, balance0, reserve0);
        if (balance1 < reserve1) revert ConstantProductPool_BalanceBelowReserve(token1, balance1, reserve1);
    }

    function _balances() private view returns (uint256 balance0, uint256 balance1) {
        return (IERC20(token0).balanceOf(address(this)), IERC20(token1).balanceOf(address(this)));
    }

    function _reservesInOut(bool zeroForOne) private view returns (uint256 reserveIn, uint256 reserveOut) {
        return zeroForOne ? (_reserve0, _reserve1) : (_reserve1, _reserve0);
    }

    function _isToken0(address token) private view returns (bool) {
        if (token == token0) return true;
        if (token == token1) return false;
        revert ConstantProductPool_UnknownToken(token);
    }

    function _amountOutDown(
        uint256 amountIn,
        uint256 reserveIn,
        uint256 reserveOut
    ) private view returns (uint256) {
        if (amountIn == 0) revert ConstantProductPool_ZeroAmount();
        _requireFits(amountIn, MAX_RESERVE - reserveIn);
        return ConstantProductMath.amountOutDown(amountIn, reserveIn, reserveOut, _swapFee);
    }

    function _amountInUp(
        uint256 amountOut,
        uint256 reserveIn,
        uint256 reserveOut
    ) private view returns (uint256 amountIn) {
        if (amountOut == 0) revert ConstantProductPool_ZeroAmount();
        if (amountOut >= reserveOut) revert ConstantProductPool_InsufficientReserve(amountOut, reserveOut);
        amountIn = ConstantProductMath.amountInUp(amountOut, reserveIn, reserveOut, _swapFee);
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
}
