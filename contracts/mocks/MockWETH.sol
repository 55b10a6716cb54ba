// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WETH} from "solady/src/tokens/WETH.sol";

/// @title Wrapped native coin for tests and local chains
/// @notice Where a network has its own wrapped coin, that one is used.
contract MockWETH is WETH {}
