// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {VolatilityMath} from "../libraries/VolatilityMath.sol";

/// @title VolatilityOracle
/// @notice See IVolatilityOracle.
contract VolatilityOracle is IVolatilityOracle {
    using SafeCastLib for uint256;

    /// State of the estimate; the order of the members is the order in storage.
    struct Estimate {
        // slot 0: 16 + 10 + 5 = 31 bytes
        uint128 lastPriceWad; // price of the last sample
        uint80 lastRoundId; // last round looked at, sampled or not
        uint40 lastSampledAt; // unix seconds
        // slot 1: 12 + 12 + 8 = 32 bytes. Largest sample: (25 %)^2 a minute = 32,850 per year, 3.3e22 < 2^96
        uint96 fastVarianceWad;
        uint96 slowVarianceWad;
        uint64 maintenanceVolatilityWad; // at most the ceiling, 3e18 < 2^64
    }

    /// @inheritdoc IVolatilityOracle
    uint256 public constant MAXIMUM_ROUNDS_PER_POKE = 128;
    uint256 private constant MAXIMUM_ROUNDS_PER_SYNC = 2;
    uint256 private constant MINIMUM_SPACING = 60 seconds;
    uint256 private constant PHASE_SHIFT = 64;

    IPriceOracle private immutable PRICE_ORACLE;
    Estimate private _estimate;

    /// @param priceOracle_ guarded price; it must be good at deployment
    /// @param initialVolatilityWad sigma before the first sample, within floor and ceiling
    constructor(IPriceOracle priceOracle_, uint256 initialVolatilityWad) {
        if (
            initialVolatilityWad < VolatilityMath.FLOOR_WAD ||
            initialVolatilityWad > VolatilityMath.CEILING_WAD
        ) {
            revert VolatilityOracle_InitialVolatilityOutOfBounds(
                initialVolatilityWad,
                VolatilityMath.FLOOR_WAD,
                VolatilityMath.CEILING_WAD
            );
        }
        PRICE_ORACLE = priceOracle_;
        (uint256 priceWad, , , uint256 updatedAt, uint80 roundId) = priceOracle_.latestPrice();
        uint96 varianceWad = ((initialVolatilityWad * initialVolatilityWad) / VolatilityMath.WAD).toUint96();
        _estimate = Estimate({
            lastPriceWad: priceWad.toUint128(),
            lastRoundId: roundId,
            lastSampledAt: updatedAt.toUint40(),
            fastVarianceWad: varianceWad,
            slowVarianceWad: varianceWad,
            maintenanceVolatilityWad: initialVolatilityWad.toUint64()
        });
    }

    /// @inheritdoc IVolatilityOracle
    function priceOracle() external view returns (address) {
        return address(PRICE_ORACLE);
    }

    /// @inheritdoc IVolatilityOracle
    function sync() external returns (Market memory market) {
        return _store(MAXIMUM_ROUNDS_PER_SYNC);
    }

    /// @inheritdoc IVolatilityOracle
    function poke() external returns (uint256 folded) {
        uint256 from = _estimate.lastRoundId;
        _store(MAXIMUM_ROUNDS_PER_POKE);
        uint256 to = _estimate.lastRoundId;
        return to >> PHASE_SHIFT == from >> PHASE_SHIFT ? to - from : 1;
    }

    /// @inheritdoc IVolatilityOracle
    function preview() external view returns (Market memory market) {
        Estimate memory estimate = _estimate;
        return _fold(estimate, MAXIMUM_ROUNDS_PER_SYNC);
    }

    /// @inheritdoc IVolatilityOracle
    function realizedVolatilityWad() external view returns (uint256) {
        return VolatilityMath.volatilityWad(_estimate.fastVarianceWad, _estimate.slowVarianceWad);
    }

    /// @inheritdoc IVolatilityOracle
    function maintenanceVolatilityWad() external view returns (uint256) {
        return _estimate.maintenanceVolatilityWad;
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
        Estimate memory estimate = _estimate;
        return (
            estimate.fastVarianceWad,
            estimate.slowVarianceWad,
            estimate.lastPriceWad,
            estimate.lastSampledAt,
            estimate.lastRoundId
        );
    }

    function _store(uint256 maximumRounds) private returns (Market memory market) {
        Estimate memory estimate = _estimate;
        (uint80 roundBefore, uint40 sampledBefore) = (estimate.lastRoundId, estimate.lastSampledAt);
        market = _fold(estimate, maximumRounds);
        if (estimate.lastRoundId == roundBefore) return market;
        _estimate = estimate;
        if (estimate.lastRoundId >> PHASE_SHIFT != roundBefore >> PHASE_SHIFT) {
            emit SamplingRestarted(estimate.lastRoundId, estimate.lastPriceWad, estimate.lastSampledAt);
        } else if (estimate.lastSampledAt != sampledBefore) {
            // With several samples folded at once the event carries the last one's state.
            emit VolatilitySampled(
                estimate.lastRoundId,
                estimate.lastPriceWad,
                estimate.lastSampledAt,
                estimate.fastVarianceWad,
                estimate.slowVarianceWad,
                estimate.maintenanceVolatilityWad
            );
        }
    }

    /// @dev Looks at up to `maximumRounds` rounds after the last one, oldest first, and changes `estimate` in place.
    /// The latest round was read by the price oracle; only the ones before it are fetched.
    function _fold(
        Estimate memory estimate,
        uint256 maximumRounds
    ) private view returns (Market memory market) {
        (
            market.priceWad,
            market.lowerPriceWad,
            market.upperPriceWad,
            market.updatedAt,
            market.roundId
        ) = PRICE_ORACLE.latestPrice();

        if (market.roundId >> PHASE_SHIFT != estimate.lastRoundId >> PHASE_SHIFT) {
            // A new aggregator numbers its rounds anew: the return across the change is not a price move.
            estimate.lastRoundId = market.roundId;
            estimate.lastPriceWad = market.priceWad.toUint128();
            estimate.lastSampledAt = market.updatedAt.toUint40();
        } else if (market.roundId < estimate.lastRoundId) {
            revert VolatilityOracle_RoundRegressed(market.roundId, estimate.lastRoundId);
        }
        for (uint256 folded; folded < maximumRounds && estimate.lastRoundId < market.roundId; ++folded) {
            uint80 roundId = ++estimate.lastRoundId;
            if (roundId == market.roundId) {
                _sample(estimate, market.priceWad, market.updatedAt);
            } else {
                (bool valid, IPriceOracle.Round memory round) = PRICE_ORACLE.roundAt(roundId);
                if (valid) _sample(estimate, round.priceWad, round.updatedAt);
            }
        }
        market.caughtUp = estimate.lastRoundId >= market.roundId;
        market.volatilityWad = VolatilityMath.volatilityWad(
            estimate.fastVarianceWad,
            estimate.slowVarianceWad
        );
        market.maintenanceVolatilityWad = estimate.maintenanceVolatilityWad;
    }

    /// @dev Takes the round as a sample unless it is too close to the last one.
    function _sample(Estimate memory estimate, uint256 priceWad, uint256 updatedAt) private pure {
        if (updatedAt < estimate.lastSampledAt + MINIMUM_SPACING) return;
        uint256 elapsed = updatedAt - estimate.lastSampledAt;
        uint256 squaredReturn = VolatilityMath.squaredReturnWad(priceWad, estimate.lastPriceWad);
        estimate.fastVarianceWad = VolatilityMath
            .updatedVarianceWad(
                estimate.fastVarianceWad,
                squaredReturn,
                elapsed,
                VolatilityMath.FAST_TIME_CONSTANT
            )
            .toUint96();
        estimate.slowVarianceWad = VolatilityMath
            .updatedVarianceWad(
                estimate.slowVarianceWad,
                squaredReturn,
                elapsed,
                VolatilityMath.SLOW_TIME_CONSTANT
            )
            .toUint96();
        estimate.maintenanceVolatilityWad = VolatilityMath
            .maintenanceVolatilityWad(
                estimate.maintenanceVolatilityWad,
                VolatilityMath.volatilityWad(estimate.fastVarianceWad, estimate.slowVarianceWad),
                elapsed
            )
            .toUint64();
        estimate.lastPriceWad = priceWad.toUint128();
        estimate.lastSampledAt = updatedAt.toUint40();
    }
}
