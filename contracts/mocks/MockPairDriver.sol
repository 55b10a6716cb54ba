// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IConstantProductPool} from "../interfaces/IConstantProductPool.sol";
import {IFlashSwapCallee} from "../interfaces/IFlashSwapCallee.sol";
import {IPoolFactory} from "../interfaces/IPoolFactory.sol";

/// @title Driver of two pools of the same tokens, for tests that compare them
/// @notice Does every step on a published pair and on the candidate with the same amounts, and reports what became of each.
/// @dev Uses nothing but functions of a Uniswap V2 pair, outside of callbacks. Holds tokens, LP tokens, and `feeToSetter` of both factories.
contract MockPairDriver is IFlashSwapCallee {
    enum Action {
        Mint,
        Burn,
        Swap,
        FlashSwap,
        Donate,
        SendLiquidity,
        Skim,
        Sync,
        SetFeeTo
    }

    /// @dev What to derive from the rest of the step by Uniswap V2's formulas, so that a step can aim at the limit of what is allowed.
    enum Quote {
        None,
        Outputs,
        InputsInOtherToken,
        InputsInSameToken
    }

    struct Amounts {
        uint256 in0;
        uint256 in1;
        uint256 out0;
        uint256 out1;
    }

    struct Nudges {
        int256 in0;
        int256 in1;
        int256 out0;
        int256 out1;
    }

    /// @dev An amount is its share of the published pair's reserve (of this contract's LP tokens for `Burn` and `SendLiquidity`, in `in0`),
    /// plus what is quoted, plus its nudge; zero if that is negative. `reenter`, when not empty, is called on the pool at the end
    /// of the callback. The published pair as receiver stands for whichever of the two the step is done on.
    struct Step {
        Action action;
        Quote quote;
        address to;
        Amounts sharesWad;
        Nudges nudges;
        bytes reenter;
    }

    /// @dev The last four are what the step added to the balances of this contract and of the friend.
    struct State {
        uint256 reserve0;
        uint256 reserve1;
        uint256 blockTimestampLast;
        uint256 kLast;
        uint256 balance0;
        uint256 balance1;
        uint256 totalSupply;
        uint256 lpOfDriver;
        uint256 lpOfFriend;
        uint256 lpOfFeeTo;
        uint256 lpOfPool;
        uint256 lpLocked;
        int256 driverGain0;
        int256 driverGain1;
        int256 friendGain0;
        int256 friendGain1;
    }

    /// @notice A step ended on one of the two pools. `reentered`: the callback got into the pool a second time.
    event Ended(
        address indexed pool,
        bool succeeded,
        bytes reason,
        bool reentered,
        Amounts amounts,
        State state
    );

    error MockPairDriver_Unauthorized();

    /// @dev Far above the need of any step, and little enough for a few invalid opcodes of the published pair in one transaction.
    uint256 private constant STEP_GAS = 1_500_000;

    IConstantProductPool private immutable _published;
    IConstantProductPool private immutable _candidate;
    address private immutable _friend;
    address private immutable _feeTo;
    IERC20 private immutable _token0;
    IERC20 private immutable _token1;

    Amounts private _amounts;
    bytes private _reenter;
    bool private _reentered;

    constructor(
        IConstantProductPool published,
        IConstantProductPool candidate,
        address friend,
        address feeTo
    ) {
        (_published, _candidate, _friend, _feeTo) = (published, candidate, friend, feeTo);
        (_token0, _token1) = (IERC20(published.token0()), IERC20(published.token1()));
    }

    /// @notice Does the steps in order, each on both pools; a step that fails leaves no trace and the next one follows.
    function run(Step[] calldata steps) external {
        for (uint256 i = 0; i < steps.length; ++i) {
            _amounts = resolve(steps[i]);
            _reenter = steps[i].reenter;
            _try(_published, steps[i]);
            _try(_candidate, steps[i]);
        }
    }

    /// @notice One step on one pool, all or nothing.
    function perform(IConstantProductPool pool, Step calldata step) external {
        if (msg.sender != address(this)) revert MockPairDriver_Unauthorized();
        Amounts memory amounts = _amounts;
        if (step.action == Action.Burn || step.action == Action.SendLiquidity) {
            IERC20(address(pool)).transfer(address(pool), amounts.in0);
        } else if (step.action != Action.FlashSwap && step.action != Action.SetFeeTo) {
            _pay(address(pool), amounts);
        }
        address to = step.to == address(_published) ? address(pool) : step.to;
        if (step.action == Action.Mint) pool.mint(to);
        else if (step.action == Action.Burn) pool.burn(to);
        else if (step.action == Action.Swap) pool.swap(amounts.out0, amounts.out1, to, "");
        else if (step.action == Action.FlashSwap) pool.swap(amounts.out0, amounts.out1, to, "flash");
        else if (step.action == Action.Skim) pool.skim(to);
        else if (step.action == Action.Sync) pool.sync();
        else if (step.action == Action.SetFeeTo) IPoolFactory(pool.factory()).setFeeTo(to);
    }

    /// @inheritdoc IFlashSwapCallee
    function uniswapV2Call(address, uint256, uint256, bytes calldata) external override {
        _pay(msg.sender, _amounts);
        if (_reenter.length != 0) (_reentered, ) = msg.sender.call(_reenter);
    }

    /// @notice The amounts of a step now.
    function resolve(Step calldata step) public view returns (Amounts memory a) {
        (uint256 reserve0, uint256 reserve1, ) = _published.getReserves();
        if (step.action == Action.Burn || step.action == Action.SendLiquidity) {
            a.in0 = _nudged(_share(_lpOf(_published, address(this)), step.sharesWad.in0), step.nudges.in0);
            return a;
        }
        Nudges calldata n = step.nudges;
        (uint256 quote0, uint256 quote1) = (0, 0);
        if (step.quote != Quote.Outputs) {
            a.out0 = _nudged(_share(reserve0, step.sharesWad.out0), n.out0);
            a.out1 = _nudged(_share(reserve1, step.sharesWad.out1), n.out1);
            if (step.quote == Quote.InputsInOtherToken) {
                quote0 = _amountIn(a.out1, reserve0, reserve1);
                quote1 = _amountIn(a.out0, reserve1, reserve0);
            } else if (step.quote == Quote.InputsInSameToken) {
                quote0 = (a.out0 * 1000 + 996) / 997;
                quote1 = (a.out1 * 1000 + 996) / 997;
            }
        }
        a.in0 = _nudged(quote0 + _share(reserve0, step.sharesWad.in0), n.in0);
        a.in1 = _nudged(quote1 + _share(reserve1, step.sharesWad.in1), n.in1);
        if (step.quote == Quote.Outputs) {
            quote0 = _amountOut(a.in1, reserve1, reserve0);
            quote1 = _amountOut(a.in0, reserve0, reserve1);
            a.out0 = _nudged(quote0 + _share(reserve0, step.sharesWad.out0), n.out0);
            a.out1 = _nudged(quote1 + _share(reserve1, step.sharesWad.out1), n.out1);
        }
    }

    function _try(IConstantProductPool pool, Step calldata step) private {
        _reentered = false;
        int256[4] memory before = _holdings();
        try this.perform{gas: STEP_GAS}(pool, step) {
            emit Ended(address(pool), true, "", _reentered, _amounts, _state(pool, before));
        } catch (bytes memory reason) {
            emit Ended(address(pool), false, reason, _reentered, _amounts, _state(pool, before));
        }
    }

    function _lpOf(IConstantProductPool pool, address owner) private view returns (uint256) {
        return IERC20(address(pool)).balanceOf(owner);
    }

    function _pay(address to, Amounts memory amounts) private {
        if (amounts.in0 != 0) _token0.transfer(to, amounts.in0);
        if (amounts.in1 != 0) _token1.transfer(to, amounts.in1);
    }

    function _state(
        IConstantProductPool pool,
        int256[4] memory before
    ) private view returns (State memory state) {
        (state.reserve0, state.reserve1, state.blockTimestampLast) = pool.getReserves();
        state.kLast = pool.kLast();
        state.balance0 = _token0.balanceOf(address(pool));
        state.balance1 = _token1.balanceOf(address(pool));
        state.totalSupply = IERC20(address(pool)).totalSupply();
        state.lpOfDriver = _lpOf(pool, address(this));
        state.lpOfFriend = _lpOf(pool, _friend);
        state.lpOfFeeTo = _lpOf(pool, _feeTo);
        state.lpOfPool = _lpOf(pool, address(pool));
        state.lpLocked = _lpOf(pool, address(0));
        int256[4] memory afterwards = _holdings();
        state.driverGain0 = afterwards[0] - before[0];
        state.driverGain1 = afterwards[1] - before[1];
        state.friendGain0 = afterwards[2] - before[2];
        state.friendGain1 = afterwards[3] - before[3];
    }

    function _holdings() private view returns (int256[4] memory) {
        return
            [
                int256(_token0.balanceOf(address(this))),
                int256(_token1.balanceOf(address(this))),
                int256(_token0.balanceOf(_friend)),
                int256(_token1.balanceOf(_friend))
            ];
    }

    function _share(uint256 whole, uint256 shareWad) private pure returns (uint256) {
        return (whole * shareWad) / 1e18;
    }

    function _nudged(uint256 amount, int256 nudge) private pure returns (uint256) {
        int256 sum = int256(amount) + nudge;
        return sum > 0 ? uint256(sum) : 0;
    }

    function _amountOut(
        uint256 amountIn,
        uint256 reserveIn,
        uint256 reserveOut
    ) private pure returns (uint256) {
        if (amountIn == 0) return 0;
        return (amountIn * 997 * reserveOut) / (reserveIn * 1000 + amountIn * 997);
    }

    function _amountIn(
        uint256 amountOut,
        uint256 reserveIn,
        uint256 reserveOut
    ) private pure returns (uint256) {
        if (amountOut == 0 || amountOut >= reserveOut) return 0;
        return (reserveIn * amountOut * 1000) / ((reserveOut - amountOut) * 997) + 1;
    }
}
