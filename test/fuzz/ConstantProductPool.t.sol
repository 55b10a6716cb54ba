// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {MockERC20} from "../../contracts/mocks/MockERC20.sol";
import {ConstantProductPool} from "../../contracts/pool/ConstantProductPool.sol";
import {PoolFactory} from "../../contracts/pool/PoolFactory.sol";

/// @notice Drives one pool with random operations and remembers whether any of them broke a promise. Sizes follow the reserves, so that
/// most calls succeed; the ghost values are read by the tests below.
contract PoolHandler {
    ConstantProductPool public immutable pool;
    MockERC20 public immutable token0;
    MockERC20 public immutable token1;

    uint256 public swaps;
    uint256 public deposits;
    uint256 public withdrawals;
    /// @notice First broken promise; empty while all hold.
    string public broken;

    constructor(uint24 swapFee, uint256 reserve0, uint256 reserve1) {
        MockERC20 tokenA = new MockERC20("Base", "BASE", 18);
        MockERC20 tokenB = new MockERC20("Quote", "QUOTE", 6);
        PoolFactory factory = new PoolFactory(address(this), swapFee, swapFee, 0);
        pool = ConstantProductPool(factory.createPair(address(tokenA), address(tokenB)));
        (token0, token1) = address(tokenA) < address(tokenB) ? (tokenA, tokenB) : (tokenB, tokenA);
        token0.mint(address(this), 1 << 128);
        token1.mint(address(this), 1 << 128);
        token0.approve(address(pool), type(uint256).max);
        token1.approve(address(pool), type(uint256).max);
        pool.addLiquidity(reserve0, reserve1, 0, 0, address(this), block.timestamp);
    }

    function sell(bool zeroForOne, uint256 seed) external {
        (uint256 x, uint256 y, uint256 supply) = _state();
        (uint256 reserveIn, uint256 reserveOut) = zeroForOne ? (x, y) : (y, x);
        if (reserveIn == type(uint112).max) return;
        uint256 amountIn = _between(seed, 1, _least(reserveIn * 2, type(uint112).max - reserveIn));
        MockERC20 tokenIn = zeroForOne ? token0 : token1;
        uint256 quoted = pool.getAmountOut(address(tokenIn), amountIn);
        if (quoted == 0) return;
        // The whole against two slices of it, then the way back.
        uint256 first = amountIn / 3 + 1;
        uint256 sliced = first < amountIn ? _sliced(amountIn, first, reserveIn, reserveOut) : quoted;
        uint256 out = pool.swapExactInput(address(tokenIn), amountIn, quoted, address(this), block.timestamp);
        if (out != quoted) broken = "a sale pays what the quote said";
        if (sliced > out) broken = "I5: slices never beat the whole";
        uint256 back = pool.getAmountOut(address(zeroForOne ? token1 : token0), out);
        if (back > amountIn) broken = "a round trip never gains";
        _check(x, y, supply);
        swaps++;
    }

    function buy(bool zeroForOne, uint256 seed) external {
        (uint256 x, uint256 y, uint256 supply) = _state();
        (uint256 reserveIn, uint256 reserveOut) = zeroForOne ? (x, y) : (y, x);
        // Half of the reserve costs at most 1.011 times the other one, an eighth of it at most 0.145 times: that must fit 112 bits.
        if (reserveOut < 8 || reserveIn > (uint256(type(uint112).max) / 6) * 5) return;
        uint256 amountOut = _between(seed, 1, reserveOut / (reserveIn > type(uint112).max / 3 ? 8 : 2));
        MockERC20 tokenIn = zeroForOne ? token0 : token1;
        uint256 quoted = pool.getAmountIn(address(tokenIn), amountOut);
        uint256 paid = pool.swapExactOutput(
            address(tokenIn),
            amountOut,
            quoted,
            address(this),
            block.timestamp
        );
        if (paid != quoted) broken = "a purchase costs what the quote said";
        _check(x, y, supply);
        swaps++;
    }

    /// @notice Uniswap V2's way: tokens first, then the largest output that a caller could compute.
    function swapLikeV2(bool zeroForOne, uint256 seed, bool greedy) external {
        (uint256 x, uint256 y, uint256 supply) = _state();
        (uint256 reserveIn, ) = zeroForOne ? (x, y) : (y, x);
        if (reserveIn == type(uint112).max) return;
        uint256 amountIn = _between(seed, 1, _least(reserveIn, type(uint112).max - reserveIn));
        MockERC20 tokenIn = zeroForOne ? token0 : token1;
        uint256 out = pool.getAmountOut(address(tokenIn), amountIn);
        if (out == 0) return;
        tokenIn.transfer(address(pool), amountIn);
        if (greedy) {
            try pool.swap(zeroForOne ? 0 : out + 1, zeroForOne ? out + 1 : 0, address(this), "") {
                broken = "I7: one unit more than the quote breaks k";
            } catch {}
        }
        pool.swap(zeroForOne ? 0 : out, zeroForOne ? out : 0, address(this), "");
        _check(x, y, supply);
        swaps++;
    }

    function deposit(uint256 seed0, uint256 seed1, bool likeV2) external {
        (uint256 x, uint256 y, uint256 supply) = _state();
        uint256 amount0 = _between(seed0, 1, _least(x * 2, (type(uint112).max - x) / 2 + 1));
        uint256 amount1 = _between(seed1, 1, _least(y * 2, (type(uint112).max - y) / 2 + 1));
        if (amount0 > type(uint112).max - x || amount1 > type(uint112).max - y) return;
        if (Math.min((amount0 * supply) / x, (amount1 * supply) / y) == 0) return;
        if (likeV2) {
            token0.transfer(address(pool), amount0);
            token1.transfer(address(pool), amount1);
            pool.mint(address(this));
        } else {
            try pool.addLiquidity(amount0, amount1, 0, 0, address(this), block.timestamp) returns (
                uint256 taken0,
                uint256 taken1,
                uint256
            ) {
                if (taken0 > amount0 || taken1 > amount1) broken = "a deposit takes no more than offered";
            } catch {
                return; // Rounded to no liquidity.
            }
        }
        _check(x, y, supply);
        deposits++;
    }

    function withdraw(uint256 seed, bool likeV2) external {
        (uint256 x, uint256 y, uint256 supply) = _state();
        uint256 owned = pool.balanceOf(address(this));
        if (owned == 0) return;
        uint256 liquidity = _between(seed, 1, owned);
        if ((liquidity * x) / supply == 0 || (liquidity * y) / supply == 0) return;
        if (likeV2) {
            pool.transfer(address(pool), liquidity);
            pool.burn(address(this));
        } else {
            pool.removeLiquidity(liquidity, 0, 0, address(this), block.timestamp);
        }
        _check(x, y, supply);
        withdrawals++;
    }

    function donate(uint256 seed, bool sync) external {
        (uint256 x, uint256 y, uint256 supply) = _state();
        token0.transfer(address(pool), _between(seed, 0, _least(x / 10, (type(uint112).max - x) / 10)));
        if (sync) pool.sync();
        else pool.skim(address(this));
        _check(x, y, supply);
    }

    function _state() private view returns (uint256 x, uint256 y, uint256 supply) {
        (x, y, ) = pool.getReserves();
        supply = pool.totalSupply();
    }

    /// @dev x y S'^2 <= x' y' S^2, exactly: products of reserves fit 224 bits, supplies 128, both sides 512.
    function _check(uint256 x, uint256 y, uint256 supply) private {
        (uint256 newX, uint256 newY, uint256 newSupply) = _state();
        (uint256 oldHigh, uint256 oldLow) = Math.mul512(x * y, newSupply * newSupply);
        (uint256 newHigh, uint256 newLow) = Math.mul512(newX * newY, supply * supply);
        if (oldHigh > newHigh || (oldHigh == newHigh && oldLow > newLow)) {
            broken = newSupply == supply ? "I7: k never falls" : "I7: k / supply^2 never falls";
        }
        if (token0.balanceOf(address(pool)) < newX || token1.balanceOf(address(pool)) < newY) {
            broken = "I1: balances cover the reserves";
        }
    }

    function _sliced(
        uint256 amountIn,
        uint256 first,
        uint256 reserveIn,
        uint256 reserveOut
    ) private view returns (uint256) {
        uint256 kept = 1e6 - pool.swapFee();
        uint256 out = (first * kept * reserveOut) / (reserveIn * 1e6 + first * kept);
        uint256 rest = (amountIn - first) * kept;
        return out + (rest * (reserveOut - out)) / ((reserveIn + first) * 1e6 + rest);
    }

    function _between(uint256 seed, uint256 low, uint256 high) private pure returns (uint256) {
        return high <= low ? low : low + (seed % (high - low + 1));
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}

/// @notice Random walks over all entry points, from reserves of ordinary size, of about a thousand units, and of nearly 112 bits.
contract ConstantProductPoolTest {
    PoolHandler private _handler;
    address[] private _targets;

    function setUp() public {
        _handler = new PoolHandler(3000, 1_234_567_890_123_456_789_012, 2_345_678_901_234);
        _targets.push(address(_handler));
        _targets.push(address(new PoolHandler(0, 1009, 1013)));
        _targets.push(address(new PoolHandler(10_000, type(uint112).max - 1e30, type(uint112).max / 7)));
    }

    function targetContracts() public view returns (address[] memory) {
        return _targets;
    }

    function invariant_everyOperationKeepsItsPromises() public view {
        for (uint256 i = 0; i < _targets.length; i++) {
            string memory broken = PoolHandler(_targets[i]).broken();
            require(bytes(broken).length == 0, broken);
        }
    }

    /// @notice Fuzzes reserves as well: a new pool of any size, a few operations each, none of which may break a promise.
    function testFuzz_anyReserves(
        uint112 seed0,
        uint112 seed1,
        uint8 width,
        uint24 feeSeed,
        uint256[6] memory seeds
    ) public {
        // Reserves of 1 to 112 bits with equal weight; the product must be worth more than the lock.
        uint256 reserve0 = uint256(seed0) >> (width % 112);
        uint256 reserve1 = uint256(seed1) >> ((width / 2) % 112);
        if (reserve0 == 0 || reserve1 == 0 || reserve0 * reserve1 <= 1001 ** 2) {
            (reserve0, reserve1) = (1 + (uint256(seed0) % 1000), 1_100_000 + (uint256(seed1) % 1000));
        }
        PoolHandler handler = new PoolHandler(feeSeed % 10_001, reserve0, reserve1);
        _try(handler, abi.encodeCall(PoolHandler.sell, (seeds[0] % 2 == 0, seeds[0] / 2)));
        _try(handler, abi.encodeCall(PoolHandler.buy, (seeds[1] % 2 == 0, seeds[1] / 2)));
        _try(handler, abi.encodeCall(PoolHandler.deposit, (seeds[2], seeds[3], seeds[4] % 2 == 0)));
        _try(handler, abi.encodeCall(PoolHandler.swapLikeV2, (seeds[4] % 2 == 0, seeds[4] / 2, true)));
        _try(handler, abi.encodeCall(PoolHandler.withdraw, (seeds[5] / 2, seeds[5] % 2 == 0)));
        _try(handler, abi.encodeCall(PoolHandler.donate, (seeds[5], seeds[5] % 2 == 0)));
        require(bytes(handler.broken()).length == 0, handler.broken());
    }

    /// @notice The walk must really have happened: each kind of operation succeeds on each pool with ordinary arguments.
    function test_everyKindOfOperationSucceeds() public {
        for (uint256 i = 0; i < _targets.length; i++) {
            PoolHandler handler = PoolHandler(_targets[i]);
            (uint256 x, uint256 y, ) = handler.pool().getReserves();
            handler.sell(false, y / 3);
            handler.buy(true, y / 50);
            handler.swapLikeV2(true, x / 50, true);
            (x, y, ) = handler.pool().getReserves();
            handler.deposit(x / 50, y / 50, false);
            handler.deposit(x / 50, y / 50, true);
            handler.withdraw(handler.pool().balanceOf(address(handler)) / 3, false);
            handler.withdraw(handler.pool().balanceOf(address(handler)) / 3, true);
            handler.donate(7, true);
            require(handler.swaps() == 3, "no swaps happened");
            require(handler.deposits() == 2, "no deposits happened");
            require(handler.withdrawals() == 2, "no withdrawals happened");
            require(bytes(handler.broken()).length == 0, handler.broken());
        }
    }

    /// @dev An operation must not revert: what the handler cannot do it returns from.
    function _try(PoolHandler handler, bytes memory data) private {
        (bool success, bytes memory reason) = address(handler).call(data);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }
}
