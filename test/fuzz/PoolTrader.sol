// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IFlashSwapCallee} from "../../contracts/interfaces/IFlashSwapCallee.sol";
import {MockFeeOnTransferERC20} from "../../contracts/mocks/MockFeeOnTransferERC20.sol";
import {ConstantProductPool} from "../../contracts/pool/ConstantProductPool.sol";
import {PoolFactory} from "../../contracts/pool/PoolFactory.sol";

/// @notice Fee bounds and the first deposit of a pool under test.
struct PoolSetup {
    uint24 minSwapFee;
    uint24 maxSwapFee;
    uint256 volatilityFeeMultiplierWad;
    uint256 reserve0;
    uint256 reserve1;
    bool protocolFeeOn;
}

/// @notice A pool with plenty of its tokens in one hand, and every way to use it. Tokens can shrink at command; they take no fee.
contract PoolTrader is IFlashSwapCallee {
    enum Way {
        Native,
        Prefunded,
        LikeV2
    }

    address public constant FEE_RECEIVER = address(0xFEE);

    PoolFactory public immutable factory;
    ConstantProductPool public immutable pool;
    MockFeeOnTransferERC20 public immutable token0;
    MockFeeOnTransferERC20 public immutable token1;

    uint256 private _repay0;
    uint256 private _repay1;

    constructor(PoolSetup memory setup) {
        MockFeeOnTransferERC20 tokenA = new MockFeeOnTransferERC20("Base", "BASE", 18, 0);
        MockFeeOnTransferERC20 tokenB = new MockFeeOnTransferERC20("Quote", "QUOTE", 6, 0);
        factory = new PoolFactory(
            address(this),
            setup.minSwapFee,
            setup.maxSwapFee,
            setup.volatilityFeeMultiplierWad
        );
        if (setup.protocolFeeOn) factory.setFeeTo(FEE_RECEIVER);
        pool = ConstantProductPool(factory.createPair(address(tokenA), address(tokenB)));
        (token0, token1) = address(tokenA) < address(tokenB) ? (tokenA, tokenB) : (tokenB, tokenA);
        token0.mint(address(this), 1 << 160);
        token1.mint(address(this), 1 << 160);
        token0.approve(address(pool), type(uint256).max);
        token1.approve(address(pool), type(uint256).max);
        pool.addLiquidity(setup.reserve0, setup.reserve1, 0, 0, address(this), block.timestamp);
    }

    function tokens(bool zeroForOne) public view returns (MockFeeOnTransferERC20, MockFeeOnTransferERC20) {
        return zeroForOne ? (token0, token1) : (token1, token0);
    }

    function reserves(bool zeroForOne) public view returns (uint256 reserveIn, uint256 reserveOut) {
        (reserveIn, reserveOut, ) = pool.getReserves();
        if (!zeroForOne) (reserveIn, reserveOut) = (reserveOut, reserveIn);
    }

    /// @notice Sells by one of the three ways; what lay in the pool unbooked is sold with it, except natively.
    function sell(bool zeroForOne, uint256 amountIn, Way way) public returns (uint256) {
        (MockFeeOnTransferERC20 tokenIn, ) = tokens(zeroForOne);
        if (way == Way.Native) {
            return pool.swapExactInput(address(tokenIn), amountIn, 0, address(this), block.timestamp);
        }
        tokenIn.transfer(address(pool), amountIn);
        if (way == Way.Prefunded) return pool.swapPrefunded(address(tokenIn), 0, address(this));
        (uint256 reserveIn, ) = reserves(zeroForOne);
        return
            take(
                zeroForOne,
                pool.getAmountOut(address(tokenIn), tokenIn.balanceOf(address(pool)) - reserveIn)
            );
    }

    /// @notice Uniswap V2's `swap` for what was sent before.
    function take(bool zeroForOne, uint256 amountOut) public returns (uint256) {
        pool.swap(zeroForOne ? 0 : amountOut, zeroForOne ? amountOut : 0, address(this), "");
        return amountOut;
    }

    /// @notice Sells in slices, each by another way. Slices too small to buy anything are given away.
    function sellSlices(
        bool zeroForOne,
        uint256[] calldata slices,
        uint256 ways
    ) external returns (uint256 amountOut) {
        (MockFeeOnTransferERC20 tokenIn, ) = tokens(zeroForOne);
        for (uint256 i = 0; i < slices.length; i++) {
            if (slices[i] == 0 || pool.getAmountOut(address(tokenIn), slices[i]) == 0) continue;
            amountOut += sell(zeroForOne, slices[i], Way((ways >> (2 * i)) % 3));
        }
    }

    /// @notice Sells and sells what was bought back, the way back in two slices. Returns what is back in the end.
    function roundTrip(bool zeroForOne, uint256 amountIn, uint256 ways) external returns (uint256 back) {
        uint256 bought = sell(zeroForOne, amountIn, Way(ways % 3));
        (, MockFeeOnTransferERC20 tokenOut) = tokens(zeroForOne);
        uint256 first = bought / 3;
        if (pool.getAmountOut(address(tokenOut), first) != 0) {
            back = sell(!zeroForOne, first, Way((ways >> 2) % 3));
            bought -= first;
        }
        if (pool.getAmountOut(address(tokenOut), bought) != 0)
            back += sell(!zeroForOne, bought, Way((ways >> 4) % 3));
    }

    function buy(bool zeroForOne, uint256 amountOut) public returns (uint256 paid) {
        (MockFeeOnTransferERC20 tokenIn, ) = tokens(zeroForOne);
        return
            pool.swapExactOutput(
                address(tokenIn),
                amountOut,
                type(uint256).max,
                address(this),
                block.timestamp
            );
    }

    function buySlices(bool zeroForOne, uint256[] calldata slices) external returns (uint256 paid) {
        for (uint256 i = 0; i < slices.length; i++) if (slices[i] != 0) paid += buy(zeroForOne, slices[i]);
    }

    /// @notice Borrows by Uniswap V2's `swap` and pays the amounts in the callback.
    function flash(uint256 out0, uint256 out1, uint256 repay0, uint256 repay1) external {
        (_repay0, _repay1) = (repay0, repay1);
        pool.swap(out0, out1, address(this), "flash");
    }

    /// @inheritdoc IFlashSwapCallee
    function uniswapV2Call(address, uint256, uint256, bytes calldata) external override {
        if (_repay0 != 0) token0.transfer(address(pool), _repay0);
        if (_repay1 != 0) token1.transfer(address(pool), _repay1);
    }

    function deposit(uint256 amount0, uint256 amount1, bool likeV2) public returns (uint256 liquidity) {
        if (!likeV2) {
            (, , liquidity) = pool.addLiquidity(amount0, amount1, 0, 0, address(this), block.timestamp);
            return liquidity;
        }
        give(amount0, amount1);
        return pool.mint(address(this));
    }

    function withdraw(uint256 liquidity, bool likeV2) public returns (uint256 amount0, uint256 amount1) {
        if (!likeV2) return pool.removeLiquidity(liquidity, 0, 0, address(this), block.timestamp);
        pool.transfer(address(pool), liquidity);
        return pool.burn(address(this));
    }

    /// @notice Deposits and withdraws the same liquidity at once. Returns what it cost of each token, negative for a gain.
    function passThrough(
        uint256 amount0,
        uint256 amount1,
        bool likeV2
    ) external returns (int256 cost0, int256 cost1) {
        (uint256 held0, uint256 held1) = holdings();
        withdraw(deposit(amount0, amount1, likeV2), !likeV2);
        (uint256 left0, uint256 left1) = holdings();
        return (int256(held0) - int256(left0), int256(held1) - int256(left1));
    }

    function give(uint256 amount0, uint256 amount1) public {
        token0.transfer(address(pool), amount0);
        token1.transfer(address(pool), amount1);
    }

    function shrinkAndSync(uint256 amount0, uint256 amount1) external {
        token0.shrink(address(pool), amount0);
        token1.shrink(address(pool), amount1);
        pool.sync();
    }

    function turnProtocolFee() external {
        factory.setFeeTo(factory.feeTo() == address(0) ? FEE_RECEIVER : address(0));
    }

    function holdings() public view returns (uint256, uint256) {
        return (token0.balanceOf(address(this)), token1.balanceOf(address(this)));
    }

    /// @notice What a call of this contract would do and return, without doing it.
    function simulate(bytes calldata data) external returns (bool success, bytes memory result) {
        try this.doAndRevert(data) {
            // Never: it always reverts.
        } catch (bytes memory outcome) {
            return abi.decode(outcome, (bool, bytes));
        }
    }

    function doAndRevert(bytes calldata data) external {
        (bool success, bytes memory result) = address(this).call(data);
        bytes memory outcome = abi.encode(success, result);
        assembly ("memory-safe") {
            revert(add(outcome, 0x20), mload(outcome))
        }
    }
}
