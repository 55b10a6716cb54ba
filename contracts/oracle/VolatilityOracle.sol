// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IConstantProductPool} from "../interfaces/IConstantProductPool.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {PoolConsult} from "../libraries/PoolConsult.sol";
import {VolatilityMath} from "../libraries/VolatilityMath.sol";
import {GuardedFeed} from "./GuardedFeed.sol";

/// @title VolatilityOracle
/// @notice See IVolatilityOracle.
/// @dev Storage, in the order of the slots:
///
/// | slot | from the highest bit | bytes |
/// |---:|---|---|
/// | 0 | 8 bits of nothing, sigma_mm (64), sigma (64), time of the last sample (40), last round looked at (80) | 1 + 8 + 8 + 5 + 10 = 32 |
/// | 1 | 4 bits of nothing, price of the last sample (100), slow variance (76), fast variance (76) | 31.5 + 0.5 = 32 |
/// | 2 | time of the older snapshot of the pool (64), mean log price from it to the newer one (128) | 8 + 16 = 24 |
/// | 3 | newer snapshot of the pool | 16 + 8 + 8 = 32 |
///
/// A sync that takes no sample needs slot 0 alone. Largest values: a price is at most 1e30 < 2^100, a volatility 3e18 < 2^62, a
/// sample (25 %)^2 a minute, which is 32,850 a year and 3.3e22 < 2^75.
contract VolatilityOracle is IVolatilityOracle, GuardedFeed {
    /// @inheritdoc IVolatilityOracle
    uint256 public constant MAXIMUM_ROUNDS_PER_POKE = 128;
    uint256 private constant MAXIMUM_ROUNDS_PER_SYNC = 2;
    uint256 private constant MINIMUM_SPACING = 60 seconds;
    uint256 private constant PHASE_SHIFT = 64;

    uint256 private constant MINIMUM_TWAP_WINDOW = 10 minutes;
    uint256 private constant MAXIMUM_TWAP_WINDOW = 1 days;
    /// The pool's average may be off by 3 % in calm times: its own fee and lag are part of that.
    uint256 private constant MINIMUM_ALLOWED_WAD = 0.03e18;
    uint256 private constant ALLOWED_DEVIATIONS = 4;
    /// ln 10, 1e18.
    int256 private constant LN_10_WAD = 2_302585092994045684;

    uint256 private constant ROUND_BITS = 80;
    uint256 private constant VOLATILITY_SHIFT = 120;
    uint256 private constant MAINTENANCE_SHIFT = 184;
    uint256 private constant SLOW_SHIFT = 76;
    uint256 private constant PRICE_SHIFT = 152;
    uint256 private constant ROUND_MASK = (1 << 80) - 1;
    uint256 private constant VARIANCE_MASK = (1 << 76) - 1;

    /// The pool's mean log price between the last two snapshots: whole quote per whole base, natural, 1e18.
    struct Average {
        int128 logPriceWad;
        uint64 from; // time of the older snapshot, unix seconds; 0 before there are two
    }

    IPriceOracle private immutable PRICE_ORACLE;
    IConstantProductPool private immutable POOL;
    uint256 private immutable TWAP_WINDOW;
    /// (decimals of base - decimals of quote) ln 10: from token units to whole tokens.
    int256 private immutable LOG_SCALE_WAD;
    bool private immutable BASE_IS_TOKEN0;

    uint256 private _head;
    uint256 private _tail;
    Average private _average;
    PoolConsult.Snapshot private _newer;

    constructor(Settings memory settings) GuardedFeed(settings.priceOracle.guard()) {
        uint256 volatilityWad = settings.initialVolatilityWad;
        if (volatilityWad < VolatilityMath.FLOOR_WAD || volatilityWad > VolatilityMath.CEILING_WAD) {
            revert VolatilityOracle_InitialVolatilityOutOfBounds(
                volatilityWad,
                VolatilityMath.FLOOR_WAD,
                VolatilityMath.CEILING_WAD
            );
        }
        uint256 window = settings.twapWindowSeconds;
        if (window < MINIMUM_TWAP_WINDOW || window > MAXIMUM_TWAP_WINDOW) {
            revert VolatilityOracle_TwapWindowOutOfBounds(window, MINIMUM_TWAP_WINDOW, MAXIMUM_TWAP_WINDOW);
        }
        (address token0, address token1) = (settings.pool.token0(), settings.pool.token1());
        bool baseIsToken0 = settings.base == token0 && settings.quote == token1;
        if (!baseIsToken0 && (settings.base != token1 || settings.quote != token0)) {
            revert VolatilityOracle_PoolMismatch(address(settings.pool), settings.base, settings.quote);
        }
        PRICE_ORACLE = settings.priceOracle;
        POOL = settings.pool;
        TWAP_WINDOW = window;
        BASE_IS_TOKEN0 = baseIsToken0;
        LOG_SCALE_WAD =
            (int256(uint256(IERC20Metadata(settings.base).decimals())) -
                int256(uint256(IERC20Metadata(settings.quote).decimals()))) * LN_10_WAD;

        (uint256 priceWad, , , uint256 updatedAt, uint80 roundId) = settings.priceOracle.latestPrice();
        uint256 varianceWad = (volatilityWad * volatilityWad) / WAD;
        _head = _packHead(roundId, updatedAt, volatilityWad, volatilityWad);
        _tail = _packTail(priceWad, varianceWad, varianceWad);
        _takeSnapshot();
    }

    /// @inheritdoc IVolatilityOracle
    function priceOracle() external view returns (address) {
        return address(PRICE_ORACLE);
    }

    /// @inheritdoc IVolatilityOracle
    function pool() external view returns (address) {
        return address(POOL);
    }

    /// @inheritdoc IVolatilityOracle
    function twapWindowSeconds() external view returns (uint256) {
        return TWAP_WINDOW;
    }

    /// @inheritdoc IVolatilityOracle
    function sync() external returns (Market memory market) {
        (uint256 priceWad, uint256 updatedAt, uint256 roundId) = _current();
        uint256 head = _head;
        if (roundId != head & ROUND_MASK) {
            head = _advance(head, priceWad, updatedAt, roundId, MAXIMUM_ROUNDS_PER_SYNC);
        }
        _return(market, head, priceWad, updatedAt, roundId);
    }

    /// @inheritdoc IVolatilityOracle
    function preview() external view returns (Market memory market) {
        (uint256 priceWad, uint256 updatedAt, uint256 roundId) = _current();
        uint256 head = _head;
        if (roundId != head & ROUND_MASK) {
            (head, ) = _folded(head, priceWad, updatedAt, roundId, MAXIMUM_ROUNDS_PER_SYNC);
        }
        _return(market, head, priceWad, updatedAt, roundId);
    }

    /// @inheritdoc IVolatilityOracle
    function poke() external returns (uint256 folded) {
        (uint256 priceWad, uint256 updatedAt, uint256 roundId) = _current();
        uint256 head = _head;
        uint256 from = head & ROUND_MASK;
        if (roundId != from) {
            uint256 to = _advance(head, priceWad, updatedAt, roundId, MAXIMUM_ROUNDS_PER_POKE) & ROUND_MASK;
            folded = to >> PHASE_SHIFT == from >> PHASE_SHIFT ? to - from : 1;
        }
        _takeSnapshot();
    }

    /// @inheritdoc IVolatilityOracle
    function isGood() external view returns (bool) {
        (bool good, , , uint256 roundId) = _latest();
        return good && !_isRegressed(roundId, _head & ROUND_MASK);
    }

    /// @inheritdoc IVolatilityOracle
    function lastSample() public view returns (uint256 priceWad, uint256 sampledAt) {
        return (_tail >> PRICE_SHIFT, uint40(_head >> ROUND_BITS));
    }

    /// @inheritdoc IVolatilityOracle
    function lastGood() external view returns (uint256 priceWad, uint256 updatedAt) {
        bool usable;
        uint256 roundId;
        (usable, priceWad, updatedAt, roundId) = _lastRound();
        uint256 seen = _head & ROUND_MASK;
        if (usable && !_isRegressed(roundId, seen)) return (priceWad, updatedAt);
        (usable, priceWad, updatedAt) = _roundAt(seen);
        if (!usable || updatedAt > block.timestamp) return lastSample();
    }

    /// @inheritdoc IVolatilityOracle
    function distanceFromAverage(
        uint256 priceWad,
        uint256 volatilityWad
    ) external view returns (uint256 distanceWad, uint256 allowedWad) {
        Average memory average = _average;
        if (average.from == 0) return (0, type(uint256).max);
        // A mean of the pool's is below 77.8e18, the decimals add less than 42e18, a logarithm is below 136e18; the time passed.
        unchecked {
            distanceWad = FixedPointMathLib.abs(
                average.logPriceWad - FixedPointMathLib.lnWad(int256(priceWad))
            );
            allowedWad = MINIMUM_ALLOWED_WAD;
            if (distanceWad > MINIMUM_ALLOWED_WAD) {
                allowedWad = FixedPointMathLib.max(
                    MINIMUM_ALLOWED_WAD,
                    ALLOWED_DEVIATIONS *
                        VolatilityMath.deviationWad(volatilityWad, block.timestamp - average.from)
                );
            }
        }
    }

    /// @inheritdoc IVolatilityOracle
    function snapshotTimes() external view returns (uint256 olderAt, uint256 newerAt) {
        return (_average.from, _newer.timestamp);
    }

    /// @inheritdoc IVolatilityOracle
    function realizedVolatilityWad() external view returns (uint256) {
        return uint64(_head >> VOLATILITY_SHIFT);
    }

    /// @inheritdoc IVolatilityOracle
    function maintenanceVolatilityWad() external view returns (uint256) {
        return _head >> MAINTENANCE_SHIFT;
    }

    /// @inheritdoc IVolatilityOracle
    function samples()
        external
        view
        returns (
            uint256 fastVarianceWad,
            uint256 slowVarianceWad,
            uint256 lastPriceWad,
            uint256 lastSampledAt,
            uint80 lastRoundId
        )
    {
        (uint256 head, uint256 tail) = (_head, _tail);
        return (
            tail & VARIANCE_MASK,
            (tail >> SLOW_SHIFT) & VARIANCE_MASK,
            tail >> PRICE_SHIFT,
            uint40(head >> ROUND_BITS),
            uint80(head)
        );
    }

    /// @dev The guarded price, or its error.
    function _current() private view returns (uint256 priceWad, uint256 updatedAt, uint256 roundId) {
        bool good;
        (good, priceWad, updatedAt, roundId) = _latest();
        if (!good) _revertBad();
    }

    /// @dev Folds, stores and tells. The latest round is not the last one looked at.
    function _advance(
        uint256 before,
        uint256 priceWad,
        uint256 updatedAt,
        uint256 roundId,
        uint256 maximumRounds
    ) private returns (uint256 head) {
        uint256 tail;
        (head, tail) = _folded(before, priceWad, updatedAt, roundId, maximumRounds);
        _head = head;
        if (tail == 0) return head;
        _tail = tail;
        (uint256 lastPriceWad, uint256 sampledAt) = (tail >> PRICE_SHIFT, uint40(head >> ROUND_BITS));
        if (uint80(head) >> PHASE_SHIFT != uint80(before) >> PHASE_SHIFT) {
            emit SamplingRestarted(uint80(head), lastPriceWad, sampledAt);
        } else {
            emit VolatilitySampled(
                uint80(head),
                lastPriceWad,
                sampledAt,
                uint64(head >> VOLATILITY_SHIFT),
                head >> MAINTENANCE_SHIFT
            );
        }
    }

    /// @dev Looks at up to `maximumRounds` rounds after the last one, oldest first. The latest round is at hand; each one before it is
    /// fetched once, also where it is needed twice, as the successor of the one before.
    /// @return head slot 0 after that
    /// @return tail slot 1 after that; 0, which no estimate is, where it stays as it was
    function _folded(
        uint256 before,
        uint256 priceWad,
        uint256 updatedAt,
        uint256 roundId,
        uint256 maximumRounds
    ) private view returns (uint256 head, uint256 tail) {
        head = before;
        uint256 id = head & ROUND_MASK;
        if (roundId >> PHASE_SHIFT != id >> PHASE_SHIFT) {
            // A new aggregator numbers its rounds anew: the return across the change is not a price move.
            tail = (_tail & ((1 << PRICE_SHIFT) - 1)) | (priceWad << PRICE_SHIFT);
            head = ((head >> VOLATILITY_SHIFT) << VOLATILITY_SHIFT) | (updatedAt << ROUND_BITS) | roundId;
            return (head, tail);
        }
        if (roundId < id) revert VolatilityOracle_RoundRegressed(uint80(roundId), uint80(id));
        // Ids have 80 bits, times 40: an accepted time is at most the latest round's, which has passed.
        unchecked {
            uint256 last = FixedPointMathLib.min(id + maximumRounds, roundId);
            uint256 earliest = uint40(head >> ROUND_BITS) + MINIMUM_SPACING;
            (bool fetched, bool usable, uint256 price, uint256 time) = (false, false, 0, 0);
            (bool nextUsable, uint256 nextPrice, uint256 nextTime) = (false, 0, 0);
            while (id != last) {
                if (++id == roundId) {
                    (usable, price, time) = (true, priceWad, updatedAt);
                } else if (fetched) {
                    (usable, price, time) = (nextUsable, nextPrice, nextTime);
                } else {
                    (usable, price, time) = _roundAt(id);
                }
                fetched = false;
                if (!usable || time < earliest || time > updatedAt) continue;
                // A round dated after the one that followed it lay in the future. The latest one's successor is to come.
                if (id + 1 < roundId) {
                    (nextUsable, nextPrice, nextTime) = _roundAt(id + 1);
                    fetched = true;
                    if (nextTime != 0 && time > nextTime) continue;
                }
                (head, tail) = _sampled(head, tail, price, time);
                earliest = time + MINIMUM_SPACING;
            }
            head = (head & ~ROUND_MASK) | id;
        }
    }

    /// @dev The estimate after one more sample, at least `MINIMUM_SPACING` after the last one.
    function _sampled(
        uint256 head,
        uint256 tail,
        uint256 priceWad,
        uint256 time
    ) private view returns (uint256, uint256) {
        if (tail == 0) tail = _tail;
        // Nothing overflows its part of the words: see the largest values above. Variances are averages of samples.
        unchecked {
            uint256 elapsed = time - uint40(head >> ROUND_BITS);
            uint256 squaredReturn = VolatilityMath.squaredReturnWad(priceWad, tail >> PRICE_SHIFT);
            uint256 fastWad = VolatilityMath.updatedVarianceWad(
                tail & VARIANCE_MASK,
                squaredReturn,
                elapsed,
                VolatilityMath.FAST_TIME_CONSTANT
            );
            uint256 slowWad = VolatilityMath.updatedVarianceWad(
                (tail >> SLOW_SHIFT) & VARIANCE_MASK,
                squaredReturn,
                elapsed,
                VolatilityMath.SLOW_TIME_CONSTANT
            );
            uint256 sigmaWad = VolatilityMath.volatilityWad(fastWad, slowWad);
            uint256 maintenanceWad = VolatilityMath.maintenanceVolatilityWad(
                head >> MAINTENANCE_SHIFT,
                sigmaWad,
                elapsed
            );
            return (
                _packHead(head & ROUND_MASK, time, sigmaWad, maintenanceWad),
                _packTail(priceWad, fastWad, slowWad)
            );
        }
    }

    /// @dev Takes a snapshot of the pool when the last one is at least a window old. An empty pool has no price: strangers can give it
    /// one, which the first deposit throws away. A locked one is in the middle of something.
    function _takeSnapshot() private {
        uint256 newerAt = _newer.timestamp;
        unchecked {
            // A snapshot's time has passed.
            if (newerAt != 0 && block.timestamp - newerAt < TWAP_WINDOW) return;
        }
        if (IERC20(address(POOL)).totalSupply() == 0) return;
        try POOL.observe() returns (
            int256 cumulativeLogPriceWad,
            int256,
            uint256 varianceRateWad,
            uint256 timestamp
        ) {
            // Widths as in PoolConsult.
            PoolConsult.Snapshot memory next = PoolConsult.Snapshot(
                int128(cumulativeLogPriceWad),
                uint64(varianceRateWad),
                uint64(timestamp)
            );
            if (newerAt != 0) {
                int256 meanWad = PoolConsult.meanLogPriceWad(_newer, next);
                if (!BASE_IS_TOKEN0) meanWad = -meanWad;
                _average = Average(int128(meanWad + LOG_SCALE_WAD), uint64(newerAt));
            }
            _newer = next;
            emit PoolSnapshotTaken(cumulativeLogPriceWad, timestamp);
        } catch {
            // Locked: another poke will come.
        }
    }

    function _isRegressed(uint256 roundId, uint256 lastRoundId) private pure returns (bool) {
        return roundId < lastRoundId && roundId >> PHASE_SHIFT == lastRoundId >> PHASE_SHIFT;
    }

    /// @dev Fills `market` and ends the call with it: its eight words lie in memory as the ABI wants them, so nothing is copied.
    function _return(
        Market memory market,
        uint256 head,
        uint256 priceWad,
        uint256 updatedAt,
        uint256 roundId
    ) private view {
        market.priceWad = priceWad;
        (market.lowerPriceWad, market.upperPriceWad) = _band(priceWad);
        market.volatilityWad = uint64(head >> VOLATILITY_SHIFT);
        market.maintenanceVolatilityWad = head >> MAINTENANCE_SHIFT;
        market.updatedAt = updatedAt;
        market.roundId = uint80(roundId);
        market.caughtUp = head & ROUND_MASK == roundId;
        assembly ("memory-safe") {
            return(market, 0x100)
        }
    }

    function _packHead(
        uint256 roundId,
        uint256 sampledAt,
        uint256 volatilityWad,
        uint256 maintenanceWad
    ) private pure returns (uint256) {
        return
            (maintenanceWad << MAINTENANCE_SHIFT) |
            (volatilityWad << VOLATILITY_SHIFT) |
            (sampledAt << ROUND_BITS) |
            roundId;
    }

    function _packTail(uint256 priceWad, uint256 fastWad, uint256 slowWad) private pure returns (uint256) {
        return (priceWad << PRICE_SHIFT) | (slowWad << SLOW_SHIFT) | fastWad;
    }
}
