// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {MockFeeOnTransferERC20} from "../../contracts/mocks/MockFeeOnTransferERC20.sol";
import {ConstantProductPool} from "../../contracts/pool/ConstantProductPool.sol";
import {PoolSetup, PoolTrader} from "./PoolTrader.sol";

/// @notice The test runner's clock.
interface Clock {
    function warp(uint256 timestamp) external;
}

/// @notice Drives one pool with random operations and remembers whether any of them broke a promise or was refused. Sizes follow the
/// reserves, on all scales; what an operation cannot do it does not attempt.
contract PoolHandler {
    enum Operation {
        Sell,
        Buy,
        Flash,
        Deposit,
        Withdraw,
        Donate,
        Shrink,
        Wait,
        TurnProtocolFee
    }

    /// @dev The pool's books, and what the protocol has collected.
    struct Books {
        uint256 x;
        uint256 y;
        uint256 supply;
        uint256 collected;
        uint256 kLast;
    }

    uint256 public constant OPERATIONS = 9;

    Clock private constant CLOCK = Clock(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant MAX_RESERVE = type(uint112).max;

    PoolTrader public immutable trader;
    ConstantProductPool public immutable pool;

    /// @notice How often each operation was done.
    uint256[OPERATIONS] public done;
    /// @notice First broken promise; empty while all hold.
    string public broken;
    /// @notice What an operation was last refused with that should have been possible.
    bytes public refusal;

    constructor(PoolSetup memory setup) {
        trader = new PoolTrader(setup);
        pool = trader.pool();
    }

    /// @notice One operation; the seeds say how large, in which direction and by which functions. Never reverts.
    function act(uint256 operation, uint256 a, uint256 b, uint256 ways) external {
        try this.perform(operation % OPERATIONS, a, b, ways) {} catch (bytes memory reason) {
            refusal = reason;
            _fail("what should be possible is not refused");
        }
    }

    function perform(uint256 operation, uint256 a, uint256 b, uint256 ways) external {
        Books memory before = _books();
        bool happened = _do(Operation(operation), a, b, ways);
        if (!happened) return;
        done[operation]++;
        if (Operation(operation) != Operation.Shrink) _check(before);
        (uint256 x, uint256 y) = trader.reserves(true);
        if (trader.token0().balanceOf(address(pool)) < x || trader.token1().balanceOf(address(pool)) < y)
            _fail("I1: balances cover the reserves");
    }

    function doneInAll() external view returns (uint256 sum) {
        for (uint256 i = 0; i < OPERATIONS; i++) sum += done[i];
    }

    function _do(Operation operation, uint256 a, uint256 b, uint256 ways) private returns (bool) {
        bool flag = ways % 2 == 0;
        ways /= 2;
        if (operation == Operation.Sell) return _sell(flag, a, b, ways);
        if (operation == Operation.Buy) return _buy(flag, a, b);
        if (operation == Operation.Flash) return _flash(flag, a, b, ways);
        if (operation == Operation.Deposit) return _deposit(a, b, flag);
        if (operation == Operation.Withdraw) return _withdraw(a, flag);
        if (operation == Operation.Donate) return _donate(a, b, ways % 3);
        if (operation == Operation.Shrink) return _shrink(a, b);
        if (operation == Operation.Wait) CLOCK.warp(block.timestamp + _size(a, 1 days));
        else trader.turnProtocolFee();
        return true;
    }

    /// @dev A sale, after asking what slices of it, the way back, and another way would give.
    function _sell(bool zeroForOne, uint256 a, uint256 b, uint256 ways) private returns (bool) {
        (MockFeeOnTransferERC20 tokenIn, ) = trader.tokens(zeroForOne);
        (uint256 reserveIn, uint256 reserveOut) = trader.reserves(zeroForOne);
        pool.skim(address(trader));
        uint256 room = MAX_RESERVE - reserveIn;
        if (reserveOut == 0 || reserveIn == 0 || room == 0) return false;
        uint256 amountIn = _size(a, Math.min(reserveIn * 3, room));
        uint256 quoted = pool.getAmountOut(address(tokenIn), amountIn);
        if (quoted == 0) return false;

        uint256[] memory slices = new uint256[](4);
        slices[0] = amountIn / 3;
        slices[1] = _size(b, amountIn - slices[0]) - 1;
        slices[2] = (amountIn - slices[0] - slices[1]) / 2;
        slices[3] = amountIn - slices[0] - slices[1] - slices[2];
        uint256 sliced = _ask(abi.encodeCall(PoolTrader.sellSlices, (zeroForOne, slices, ways)));
        if (sliced > quoted) _fail("I5: slices never beat the whole");

        uint256 back = _ask(abi.encodeCall(PoolTrader.roundTrip, (zeroForOne, amountIn, ways)));
        if (back > amountIn) _fail("I5: a round trip never gains");

        if (amountIn < room) {
            uint256 cost = pool.getAmountIn(address(tokenIn), quoted);
            if (cost > amountIn + 1) _fail("I6: an exact output costs at most one unit more");
            if (pool.getAmountOut(address(tokenIn), cost) < quoted) _fail("I6: an exact output is paid for");
        }

        PoolTrader.Way way = PoolTrader.Way(ways % 3);
        if (way == PoolTrader.Way.LikeV2) {
            tokenIn.mint(address(pool), amountIn);
            if (_succeeds(abi.encodeCall(PoolTrader.take, (zeroForOne, quoted + 1))))
                _fail("I7: one unit more than the quote breaks k");
            trader.take(zeroForOne, quoted);
        } else if (trader.sell(zeroForOne, amountIn, way) != quoted) {
            _fail("a sale pays what the quote said");
        }
        (uint256 newIn, uint256 newOut) = trader.reserves(zeroForOne);
        if (newIn != reserveIn + amountIn || newOut != reserveOut - quoted)
            _fail("a sale books what moved, by every way");
        return true;
    }

    function _buy(bool zeroForOne, uint256 a, uint256 b) private returns (bool) {
        (MockFeeOnTransferERC20 tokenIn, ) = trader.tokens(zeroForOne);
        (uint256 reserveIn, uint256 reserveOut) = trader.reserves(zeroForOne);
        if (reserveOut < 2 || reserveIn == 0) return false;
        uint256 amountOut = _size(a, reserveOut - 1);
        // At most 5 % of the cost is a fee: a purchase of this size may not fit 112 bits.
        (bool quotable, bytes memory quote) = address(pool).staticcall(
            abi.encodeCall(pool.getAmountIn, (address(tokenIn), amountOut))
        );
        if (!quotable) {
            if ((reserveIn * amountOut) / (reserveOut - amountOut) < ((MAX_RESERVE - reserveIn) / 100) * 94)
                _fail("a purchase that fits is quoted");
            return false;
        }
        uint256 cost = abi.decode(quote, (uint256));
        if (pool.getAmountOut(address(tokenIn), cost) < amountOut) _fail("I6: a purchase is paid for");
        if (cost > 2 && pool.getAmountOut(address(tokenIn), cost - 2) >= amountOut)
            _fail("I6: two units less do not pay for a purchase");

        uint256[] memory slices = new uint256[](3);
        slices[0] = amountOut / 2;
        slices[1] = _size(b, amountOut - slices[0]) - 1;
        slices[2] = amountOut - slices[0] - slices[1];
        bytes memory inSlices = abi.encodeCall(PoolTrader.buySlices, (zeroForOne, slices));
        // The fees of the first slices make the others dearer.
        if (cost < (MAX_RESERVE - reserveIn) / 2 && _ask(inSlices) < cost)
            _fail("I5: slices never cost less");

        if (trader.buy(zeroForOne, amountOut) != cost) _fail("a purchase costs what the quote said");
        return true;
    }

    /// @dev Borrows one or both tokens and pays in the same, or in the other; first one unit too little.
    function _flash(bool zeroForOne, uint256 a, uint256 b, uint256 ways) private returns (bool) {
        (uint256 x, uint256 y) = trader.reserves(true);
        if (x < 2 || y < 2) return false;
        pool.skim(address(trader));
        uint256 kept = 1e6 - pool.swapFee();
        uint256[4] memory amounts;
        if (ways % 3 == 0) {
            (amounts[0], amounts[1]) = (_size(a, x - 1), _size(b, y - 1));
            amounts[2] = Math.ceilDiv(amounts[0] * 1e6, kept);
            amounts[3] = Math.ceilDiv(amounts[1] * 1e6, kept);
        } else if (ways % 3 == 1) {
            (uint256 out, uint256 due) = zeroForOne ? (0, 2) : (1, 3);
            amounts[out] = _size(a, (zeroForOne ? x : y) - 1);
            amounts[due] = Math.ceilDiv(amounts[out] * 1e6, kept);
        } else {
            (MockFeeOnTransferERC20 tokenIn, ) = trader.tokens(zeroForOne);
            (, uint256 reserveOut) = trader.reserves(zeroForOne);
            (uint256 out, uint256 due) = zeroForOne ? (1, 2) : (0, 3);
            amounts[out] = _size(a, Math.max(reserveOut / 2, 1));
            try pool.getAmountIn(address(tokenIn), amounts[out]) returns (uint256 cost) {
                amounts[due] = cost;
            } catch {
                return false;
            }
        }
        if (x - amounts[0] + amounts[2] > MAX_RESERVE || y - amounts[1] + amounts[3] > MAX_RESERVE)
            return false;
        if (ways % 3 == 1) {
            uint256 due = zeroForOne ? 2 : 3;
            amounts[due]--;
            if (_succeeds(_flashCall(amounts))) _fail("I7: a flash swap pays its fee");
            amounts[due]++;
        }
        trader.flash(amounts[0], amounts[1], amounts[2], amounts[3]);
        return true;
    }

    function _deposit(uint256 a, uint256 b, bool likeV2) private returns (bool) {
        (uint256 x, uint256 y) = trader.reserves(true);
        if (x == 0 || y == 0 || x == MAX_RESERVE || y == MAX_RESERVE) return false;
        pool.skim(address(trader));
        uint256 amount0 = _size(a, Math.min(x * 2, MAX_RESERVE - x));
        uint256 amount1 = b % 3 == 0 ? (amount0 * y) / x : _size(b, Math.min(y * 2, MAX_RESERVE - y));
        // One unit less than the ratio asks for, where no division leaves a rest.
        if (b % 5 == 0 && x <= MAX_RESERVE / 2 && y > 1) (amount0, amount1) = (x, y - 1);
        if (amount1 > MAX_RESERVE - y) return false;
        bytes memory passing = abi.encodeCall(PoolTrader.passThrough, (amount0, amount1, likeV2));
        (bool possible, bytes memory result) = trader.simulate(passing);
        if (possible) {
            (int256 cost0, int256 cost1) = abi.decode(result, (int256, int256));
            if (cost0 < 0 || cost1 < 0) _fail("a deposit and its withdrawal gain nothing");
        }
        if (!_succeeds(abi.encodeCall(PoolTrader.deposit, (amount0, amount1, likeV2)))) {
            uint256 supply = pool.totalSupply();
            // Refused only where it rounds to no liquidity: one LP unit is at most worth what a unit of one token shifts.
            if (
                Math.min(Math.mulDiv(amount0, supply, x), Math.mulDiv(amount1, supply, y)) >
                supply / Math.min(x, y) + 1
            ) _fail("a deposit worth a unit is accepted");
            return false;
        }
        (uint256 held0, uint256 held1) = trader.holdings();
        trader.deposit(amount0, amount1, likeV2);
        (uint256 left0, uint256 left1) = trader.holdings();
        if (held0 - left0 > amount0 || held1 - left1 > amount1) _fail("a deposit takes no more than offered");
        return true;
    }

    function _withdraw(uint256 a, bool likeV2) private returns (bool) {
        uint256 owned = pool.balanceOf(address(trader));
        if (owned == 0) return false;
        uint256 liquidity = _size(a, owned);
        (uint256 x, uint256 y) = trader.reserves(true);
        // The protocol's mint may dilute by a sixth; a share above two units of each token is paid out all the same.
        uint256 supply = pool.totalSupply();
        if (Math.mulDiv(liquidity, Math.min(x, y), supply) < 2) return false;
        trader.withdraw(liquidity, likeV2);
        return true;
    }

    function _donate(uint256 a, uint256 b, uint256 then) private returns (bool) {
        (uint256 x, uint256 y) = trader.reserves(true);
        pool.skim(address(trader));
        trader.give(
            _size(a, Math.min(x / 10, MAX_RESERVE - x) + 1) - 1,
            _size(b, Math.min(y / 10, MAX_RESERVE - y) + 1) - 1
        );
        if (then == 0) pool.sync();
        else if (then == 1) pool.skim(address(trader));
        return true;
    }

    /// @dev The one thing that may lower k: the tokens themselves take from the pool, and somebody calls `sync`.
    function _shrink(uint256 a, uint256 b) private returns (bool) {
        (uint256 x, uint256 y) = trader.reserves(true);
        pool.skim(address(trader));
        (uint256 loss0, uint256 loss1) = (_size(a, x / 4 + 1) - 1, _size(b, y / 4 + 1) - 1);
        trader.shrinkAndSync(loss0, loss1);
        (uint256 newX, uint256 newY) = trader.reserves(true);
        if (newX != x - loss0 || newY != y - loss1) _fail("sync books what is left");
        return true;
    }

    function _books() private view returns (Books memory) {
        (uint256 x, uint256 y) = trader.reserves(true);
        return Books(x, y, pool.totalSupply(), pool.balanceOf(trader.FEE_RECEIVER()), pool.kLast());
    }

    /// @dev x y (S + m)'^2 <= x' y' S^2 and so on, exactly: products of reserves fit 224 bits, of supplies 256, both sides 512. `m` is
    /// what the protocol was minted: at most a sixth of the growth of sqrt(k).
    function _check(Books memory before) private {
        Books memory current = _books();
        uint256 minted = current.collected - before.collected;
        if (minted != 0) {
            (uint256 root, uint256 rootLast) = (Math.sqrt(before.x * before.y), Math.sqrt(before.kLast));
            if (before.kLast == 0 || minted * 6 * root > (root - rootLast) * (before.supply + minted))
                _fail("the protocol is minted at most a sixth of the growth");
        }
        uint256 supply = before.supply + minted;
        (uint256 oldHigh, uint256 oldLow) = Math.mul512(before.x * before.y, current.supply * current.supply);
        (uint256 newHigh, uint256 newLow) = Math.mul512(current.x * current.y, supply * supply);
        if (oldHigh > newHigh || (oldHigh == newHigh && oldLow > newLow))
            _fail(current.supply == before.supply ? "I7: k never falls" : "I7: k / supply^2 never falls");
    }

    function _flashCall(uint256[4] memory amounts) private pure returns (bytes memory) {
        return abi.encodeCall(PoolTrader.flash, (amounts[0], amounts[1], amounts[2], amounts[3]));
    }

    /// @dev The number that the trader would get; the operation must be possible.
    function _ask(bytes memory data) private returns (uint256 number) {
        (bool success, bytes memory result) = trader.simulate(data);
        if (!success) _fail("an operation that was quoted is possible");
        else number = abi.decode(result, (uint256));
    }

    function _succeeds(bytes memory data) private returns (bool success) {
        (success, ) = trader.simulate(data);
    }

    function _fail(string memory what) private {
        if (bytes(broken).length == 0) broken = what;
    }

    /// @dev 1 to `high`, all orders of magnitude alike.
    function _size(uint256 seed, uint256 high) private pure returns (uint256) {
        uint256 bound = high >> (seed % (Math.log2(high) + 1));
        return 1 + ((seed >> 8) % bound);
    }
}
