// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PoolHandler} from "./PoolHandler.sol";
import {PoolSetup} from "./PoolTrader.sol";

/// @notice The test runner knows only contracts of the file that it runs.
contract PoolWalk is PoolHandler {
    constructor(PoolSetup memory setup) PoolHandler(setup) {}
}

/// @notice Random walks over all entry points: ordinary reserves with a fixed and a variable fee and with the protocol's share, reserves
/// of about a thousand units, of a few units, and of nearly 112 bits.
contract ConstantProductPoolTest {
    /// @dev What the test runner asks for: the functions that a walk is made of.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    PoolHandler[] private _handlers;

    function setUp() public {
        (uint256 base, uint256 quote) = (1_234_567_890_123_456_789_012, 2_345_678_901_234);
        uint256 full = type(uint112).max;
        _add(PoolSetup(3000, 3000, 0, base, quote, false));
        _add(PoolSetup(500, 10_000, 17.3e18, quote, base, true));
        _add(PoolSetup(0, 0, 0, 1009, 1013, true));
        _add(PoolSetup(1, 50_000, 100e18, 1, 1_100_000, false));
        _add(PoolSetup(10_000, 50_000, 100e18, full - 1e30, full / 7, true));
        // Both reserves down to a few units, under a thousand million LP tokens: only tokens that shrink bring a pool here.
        PoolHandler few = _add(PoolSetup(3000, 3000, 0, 1e9, 1e9, true));
        few.trader().shrinkAndSync(1e9 - 5, 1e9 - 9);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](_handlers.length);
        for (uint256 i = 0; i < targets.length; i++) targets[i] = address(_handlers[i]);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](_handlers.length);
        for (uint256 i = 0; i < targets.length; i++) {
            bytes4[] memory selectors = new bytes4[](1);
            selectors[0] = PoolHandler.act.selector;
            targets[i] = FuzzSelector(address(_handlers[i]), selectors);
        }
    }

    function invariant_everyOperationKeepsItsPromises() public view {
        for (uint256 i = 0; i < _handlers.length; i++) _requireKept(_handlers[i]);
    }

    /// @notice A walk in which nothing happened would prove nothing.
    function afterInvariant() public view {
        uint256 done;
        for (uint256 i = 0; i < _handlers.length; i++) done += _handlers[i].doneInAll();
        require(done > 10, "hardly anything happened");
    }

    /// @notice Fuzzes reserves and fees as well: a new pool of any size, every kind of operation, none of which may break a promise.
    function testFuzz_anyReserves(
        uint112 seed0,
        uint112 seed1,
        uint8 width,
        uint24 minFee,
        uint24 maxFee,
        uint256[9] memory seeds
    ) public {
        // Reserves of 1 to 112 bits with equal weight; the product must be worth more than the lock.
        uint256 reserve0 = uint256(seed0) >> (width % 112);
        uint256 reserve1 = uint256(seed1) >> ((width / 2) % 112);
        if (reserve0 == 0 || reserve1 == 0 || reserve0 * reserve1 <= 1001 ** 2) {
            (reserve0, reserve1) = (1 + (uint256(seed0) % 1000), 1_100_000 + (uint256(seed1) % 1000));
        }
        uint24 lowest = minFee % 10_001;
        uint24 highest = maxFee % 2 == 0 ? lowest : lowest + ((maxFee / 2) % (50_001 - lowest));
        PoolHandler handler = new PoolWalk(
            PoolSetup(lowest, highest, 100e18, reserve0, reserve1, width % 2 == 0)
        );
        for (uint256 i = 0; i < seeds.length; i++) {
            uint256 seed = uint256(keccak256(abi.encode(seeds[i], i)));
            handler.act(i + (seeds[0] % 7), seeds[i], seed, seed >> 128);
        }
        require(handler.doneInAll() != 0, "nothing happened");
        _requireKept(handler);
    }

    /// @notice The walk must really have happened: each kind of operation succeeds on each pool with ordinary arguments.
    function test_everyKindOfOperationSucceeds() public {
        for (uint256 i = 0; i < _handlers.length; i++) {
            PoolHandler handler = _handlers[i];
            uint256 operations = handler.OPERATIONS();
            for (uint256 round = 0; round < 12; round++) {
                for (uint256 operation = 0; operation < operations; operation++) {
                    uint256 seed = uint256(keccak256(abi.encode(i, round, operation)));
                    handler.act(operation, seed, seed >> 64, seed >> 128);
                }
            }
            _requireKept(handler);
            for (uint256 operation = 0; operation < operations; operation++) {
                require(handler.done(operation) != 0, "an operation never succeeds");
            }
        }
    }

    function _add(PoolSetup memory setup) private returns (PoolHandler handler) {
        handler = new PoolWalk(setup);
        _handlers.push(handler);
    }

    function _requireKept(PoolHandler handler) private view {
        string memory broken = handler.broken();
        require(bytes(broken).length == 0, broken);
    }
}
