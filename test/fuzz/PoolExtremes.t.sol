// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IConstantProductPool} from "../../contracts/interfaces/IConstantProductPool.sol";
import {MockFeeOnTransferERC20} from "../../contracts/mocks/MockFeeOnTransferERC20.sol";
import {ConstantProductPool} from "../../contracts/pool/ConstantProductPool.sol";
import {PoolSetup, PoolTrader} from "./PoolTrader.sol";

/// @notice The test runner's clock.
interface Clock {
    function warp(uint256 timestamp) external;
}

/// @notice Attacks that have emptied pools elsewhere: tiny swaps at tiny reserves, where rounding is worth most, and a check of k whose
/// scale is not that of the fee.
contract PoolExtremesTest {
    Clock private constant CLOCK = Clock(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev At least as many as an attack needs that lives from a rounding error of one unit per swap.
    uint256 private constant MICRO_SWAPS = 72;

    /// @dev The compiler takes `block.timestamp` for constant, so what passes is counted here.
    uint256 private _time = block.timestamp;

    /// @notice Buys the pool almost empty, then buys a unit or a few, over and over, and goes back.
    function testFuzz_tinyPurchasesAtTinyReservesGainNothing(
        uint24 fee,
        uint256 left,
        bool zeroForOne,
        uint256 seed
    ) public {
        PoolTrader trader = new PoolTrader(PoolSetup(fee % 10_001, fee % 10_001, 0, 1e18, 3e9, false));
        (, uint256 reserveOut) = trader.reserves(zeroForOne);
        (uint256 held0, uint256 held1) = trader.holdings();
        uint256 k = 3e27;
        left = 1 + (left % 1000);
        trader.buy(zeroForOne, reserveOut - left);
        k = _requireNotLower(trader, k);
        uint256 bought = _microSwaps(trader, zeroForOne, seed, k);
        require(bought >= 60, "hardly anything was bought");
        // The way back: all that is missing from the other side, and what that costs.
        (uint256 x, uint256 y) = trader.reserves(true);
        if (x < 1e18) trader.sell(true, 1e18 - x, PoolTrader.Way.Native);
        else if (y < 3e9) trader.sell(false, 3e9 - y, PoolTrader.Way.Native);
        (uint256 left0, uint256 left1) = trader.holdings();
        require(left0 <= held0 && left1 <= held1, "the attack pays");
    }

    /// @notice The same where both reserves are a few units, as only tokens that shrink can leave them.
    function testFuzz_tinyPurchasesInTinyPoolsNeverLowerK(
        uint24 fee,
        uint256 reserve0,
        uint256 reserve1,
        bool zeroForOne,
        uint256 seed
    ) public {
        PoolTrader trader = new PoolTrader(PoolSetup(fee % 10_001, fee % 10_001, 0, 1e9, 1e9, false));
        (reserve0, reserve1) = (1 + (reserve0 % 1000), 1 + (reserve1 % 1000));
        trader.shrinkAndSync(1e9 - reserve0, 1e9 - reserve1);
        uint256 bought = _microSwaps(trader, zeroForOne, seed, reserve0 * reserve1);
        require(bought >= 60 || reserve0 * reserve1 < 4, "hardly anything was bought");
    }

    /// @notice Whatever the fee, within its bounds or at either: one unit never buys 99 % of a reserve, nor one unit more than the quote.
    function testFuzz_theCheckOfKHasTheScaleOfTheFee(
        uint24 minFee,
        uint24 maxFee,
        uint256 wait,
        uint112 reserve0,
        uint112 reserve1,
        bool zeroForOne
    ) public {
        uint24 lowest = minFee % 10_001;
        uint24 highest = lowest + (maxFee % (50_001 - lowest));
        uint256 limit = type(uint112).max / 8;
        PoolTrader trader = new PoolTrader(
            PoolSetup(lowest, highest, 100e18, 1e6 + (reserve0 % limit), 1e6 + (reserve1 % limit), false)
        );
        // From the lowest fee before any move to the highest right after a wild one, and everything on the way back.
        _requireScale(trader, zeroForOne);
        (uint256 reserveIn, ) = trader.reserves(zeroForOne);
        _pass(12);
        trader.sell(zeroForOne, reserveIn, PoolTrader.Way.Native);
        _pass(1 + (wait % 20 hours));
        uint256 fee = trader.pool().swapFee();
        require(fee >= lowest && fee <= highest, "the fee keeps its bounds");
        _requireScale(trader, zeroForOne);
        _requireScale(trader, !zeroForOne);
    }

    /// @notice The bounds themselves, at reserves that anybody would have.
    function test_theCheckOfKHoldsAtEveryBoundOfTheFee() public {
        uint24[7] memory bounds = [uint24(0), 1, 100, 500, 3000, 9999, 10_000];
        for (uint256 i = 0; i < bounds.length; i++) {
            PoolTrader trader = new PoolTrader(PoolSetup(bounds[i], bounds[i], 0, 1e24, 2e12, false));
            require(trader.pool().swapFee() == bounds[i], "the fee is fixed");
            _requireScale(trader, true);
            _requireScale(trader, false);
        }
        uint24[3] memory upper = [uint24(10_001), 25_000, 50_000];
        for (uint256 i = 0; i < upper.length; i++) {
            PoolTrader trader = new PoolTrader(PoolSetup(10_000, upper[i], 100e18, 1e24, 2e12, false));
            _pass(12);
            trader.sell(true, 1e24, PoolTrader.Way.Native);
            _pass(12);
            require(trader.pool().swapFee() == upper[i], "a wild move brings the highest fee");
            _requireScale(trader, true);
            _requireScale(trader, false);
        }
    }

    /// @dev Purchases of one to a few units, mostly one, in runs of either direction. Returns how many there were.
    function _microSwaps(
        PoolTrader trader,
        bool zeroForOne,
        uint256 seed,
        uint256 k
    ) private returns (uint256 bought) {
        for (uint256 i = 0; i < MICRO_SWAPS; i++) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            if (random % 5 == 0) zeroForOne = !zeroForOne;
            (uint256 reserveIn, uint256 reserveOut) = trader.reserves(zeroForOne);
            // Nothing to buy here, or no room for what it costs.
            if (reserveOut < 2 || reserveIn > type(uint112).max / 16) {
                zeroForOne = !zeroForOne;
                (, reserveOut) = trader.reserves(zeroForOne);
            }
            if (reserveOut < 2) continue;
            uint256 most = reserveOut - 1 < 9 ? reserveOut - 1 : 9;
            trader.buy(zeroForOne, random % 3 == 0 ? 1 + ((random >> 8) % most) : 1);
            k = _requireNotLower(trader, k);
            bought++;
        }
    }

    function _pass(uint256 time) private {
        _time += time;
        CLOCK.warp(_time);
    }

    function _requireScale(PoolTrader trader, bool zeroForOne) private {
        (MockFeeOnTransferERC20 tokenIn, ) = trader.tokens(zeroForOne);
        ConstantProductPool pool = trader.pool();
        (uint256 reserveIn, uint256 reserveOut) = trader.reserves(zeroForOne);
        if (reserveIn == type(uint112).max || reserveOut < 100) return;
        uint256 quoted = pool.getAmountOut(address(tokenIn), 1);
        tokenIn.mint(address(pool), 1);
        _requireInvariantBroken(trader, zeroForOne, (reserveOut * 99) / 100);
        _requireInvariantBroken(trader, zeroForOne, quoted + reserveOut / 50);
        _requireInvariantBroken(trader, zeroForOne, quoted + 1);
        if (quoted != 0) trader.take(zeroForOne, quoted);
        else pool.skim(address(this));
    }

    function _requireInvariantBroken(PoolTrader trader, bool zeroForOne, uint256 amountOut) private {
        (bool success, bytes memory reason) = trader.simulate(
            abi.encodeCall(PoolTrader.take, (zeroForOne, amountOut))
        );
        require(
            !success && bytes4(reason) == IConstantProductPool.ConstantProductPool_InvariantBroken.selector,
            "I7: the check of k refuses more than was paid for"
        );
    }

    function _requireNotLower(PoolTrader trader, uint256 before) private view returns (uint256 k) {
        (uint256 x, uint256 y) = trader.reserves(true);
        k = x * y;
        require(k >= before, "I7: k never falls");
    }
}
