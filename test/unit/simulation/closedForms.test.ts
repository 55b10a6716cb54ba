import { readFileSync } from "node:fs";
import { expect } from "chai";
import * as forms from "../../../src/simulation/closedForms.ts";
import * as statistics from "../../../src/simulation/priceStatistics.ts";
import { expectNear } from "../../support/expectNear.ts";

/** A vector's fields, numbers as decimal strings. */
type Vector = Readonly<Record<string, string | number>>;
type Entry = {
  readonly [list: string]: readonly Vector[];
} & { readonly notes: unknown };

const { entries } = JSON.parse(
  readFileSync(new URL("../../vectors/closed_form.json", import.meta.url), "utf8"),
) as { entries: Readonly<Record<string, Entry>> };

const DAY = 1 / 365;
const SECONDS_PER_DAY = 86_400;

/** Calls `check` with each vector of a list; every list must have some. */
function each(name: string, check: (get: (field: string) => number) => void, list = "vectors") {
  const vectors = entries[name]?.[list] ?? [];
  expect(vectors.length, `vectors of ${name}`).to.be.greaterThan(0);
  for (const vector of vectors) {
    check((field) => {
      const value = Number(vector[field]);
      expect(Number.isFinite(value), `${name}: ${field} of ${JSON.stringify(vector)}`).to.equal(
        true,
      );
      return value;
    });
  }
}

/** Asserts equality to a relative 1e-12, or as given. */
function same(actual: number, expected: number, tolerance = 1e-12): void {
  expectNear(actual, expected, tolerance * Math.max(Math.abs(expected), 1e-300));
}

describe("closed forms give the reference figures", () => {
  it("of impermanent loss, as a ratio and in quote", () => {
    each("impermanent_loss", (get) => {
      same(forms.impermanentLoss(get("r")), get("il"));
      same(forms.impermanentLoss(1 / get("r")), get("il"));
    });
    each("impermanent_loss_currency", (get) => {
      const { value, held, loss } = forms.divergence(get("L"), get("S0"), get("S"));
      same(value, get("lp_value"));
      same(held, get("hold_value"));
      same(loss, get("loss"));
    });
  });

  it("of loss-versus-rebalancing, as a rate and as an expectation", () => {
    const vectors = entries.lvr_constant_product?.vectors ?? [];
    for (const vector of vectors) {
      const rate = forms.lossVersusRebalancingRate(Number(vector.sigma));
      const perDay = vector.sigma_unit === "per sqrt(day)" ? rate : rate * DAY;
      same(rate, Number(vector.rate_per_day ?? vector.rate_per_year));
      same(perDay * Number(vector.V), Number(vector.usd_per_day_at_V));
    }
    expect(vectors).to.have.lengthOf(3);
    each("lvr_expected_cumulative", (get) => {
      const loss = forms.expectedLossVersusRebalancing(get("sigma"), get("T_years"));
      same(loss, get("expected_cum_lvr_fraction"));
      same(1 - loss, get("expected_V_ratio"));
    });
  });

  it("of arbitrage with fees, at Poisson blocks and at constant ones", () => {
    each("arb_with_fees_poisson", (get) => {
      const [sigma, gamma] = [get("sigma_per_sqrt_day"), get("gamma_bp") / 1e4];
      const blockRate = SECONDS_PER_DAY / get("mean_block_s");
      const probability = forms.poissonTradeProbability(sigma, blockRate, gamma);
      const rate = forms.lossVersusRebalancingRate(sigma);
      same(probability, get("P_trade"));
      same(rate * probability, get("arb_over_V_per_day_asymptotic"));
      same(forms.poissonArbitrageRate(sigma, blockRate, gamma), get("arb_over_V_per_day_exact"));
    });
    each(
      "arb_with_fees_poisson",
      (get) => {
        const [sigma, blockRate, gamma] = [get("sigma"), get("lam"), get("gamma")];
        const probability = forms.poissonTradeProbability(sigma, blockRate, gamma);
        const exact = forms.poissonArbitrageRate(sigma, blockRate, gamma);
        same(probability, get("formula_P"));
        same(forms.lossVersusRebalancingRate(sigma) * probability, get("asymptotic"));
        same(exact, get("exact"));
        expectNear(get("mc_P"), probability, 1e-3);
        same(get("mc_arb"), exact, 1e-3);
      },
      "monte_carlo_check",
    );
    expect(() => forms.poissonArbitrageRate(3, 1, 0.01)).to.throw(RangeError, "not below 1");
    each("arb_with_fees_deterministic_blocks", (get) => {
      const sigma = get("sigma_per_sqrt_day") * Math.sqrt(get("block_s") / SECONDS_PER_DAY);
      same(sigma, get("sigma_b"));
      const profit = forms.deterministicArbitrage(sigma, get("one_sided_fee_bp") / 1e4);
      same(profit, get("arb_per_block_per_unit_liquidity"));
      same(profit / (sigma ** 2 / 2), get("ratio_to_LVR"));
    });
  });

  it("of the Greeks of a position", () => {
    each("lp_greeks", (get) => {
      const price = get("S");
      const { value, delta, gamma, speed } = forms.lpGreeks(get("L"), price);
      same(value, get("V"));
      same(delta, get("delta_eth"));
      same(gamma, get("gamma_eth_per_usd"));
      same(delta * price, get("dollar_delta"));
      same(gamma * price ** 2, get("dollar_gamma_S2"));
      same(speed, get("speed"));
    });
  });

  it("of impermanent loss as a strip of options, its value and its payoff", () => {
    each("il_static_replication", (get) => {
      const first = 2 * get("L") * Math.sqrt(get("S0"));
      const value = first * forms.expectedLossVersusRebalancing(get("sigma"), get("T_years"));
      same(value, get("closed_form_2L_sqrtS0_1_minus_exp"));
      same(value, get("option_strip_value"));
    });
    each(
      "il_static_replication",
      (get) => {
        const { loss } = forms.divergence(get("L"), get("S0"), get("S"));
        same(loss, get("il_payoff"));
        same(loss, get("strip_payoff"));
      },
      "payoff_vectors",
    );
  });

  it("of a strip of a few options, which misses the loss by as much as the reference says", () => {
    // Midpoints of equal bins on either side of 2,000, each with the weight |1/sqrt(a) - 1/sqrt(b)| of its bin.
    const strip = (count: number, price: number) => {
      let payoff = 0;
      for (const [from, to] of [
        [500, 2_000],
        [2_000, 8_000],
      ] as const) {
        const width = (to - from) / count;
        for (let bin = 0; bin < count; bin++) {
          const [low, high] = [from + bin * width, from + (bin + 1) * width];
          const intrinsic = to === 2_000 ? (low + high) / 2 - price : price - (low + high) / 2;
          payoff += Math.max(0, intrinsic) * (1 / Math.sqrt(low) - 1 / Math.sqrt(high));
        }
      }
      return payoff;
    };
    each(
      "il_static_replication",
      (get) => {
        const price = get("at_S");
        const error = strip(get("n_puts_and_n_calls"), price);
        same(Math.abs(error - forms.divergence(1, 2_000, price).loss), get("max_abs_error"), 1e-10);
      },
      "discrete_strip_error",
    );
  });

  it("of the exponentially weighted variance, period by period and over any time", () => {
    // The list has every second update. The returns between them follow from it: 2 %, 3 %, 4 % and 0.2 %.
    const between = [0.02, 0.03, 0.04, 0.002, 0];
    let variance = 0.0004;
    each("ewma_variance", (get) => {
      variance = statistics.ewmaVariance(variance, get("r"), 0.94);
      same(variance, get("var"));
      same(Math.sqrt(variance), get("vol"));
      same(Math.sqrt(variance * 365), get("ann_vol_365"));
      variance = statistics.ewmaVariance(variance, between.shift() as number, 0.94);
    });
    each(
      "ewma_variance",
      (get) => same(statistics.ewmaDecay(get("dt_over_tau"), 1), get("decay")),
      "irregular_time_vectors",
    );
    const notes = entries.ewma_variance?.notes as Vector;
    same(Math.log(0.5) / Math.log(0.94), Number(notes.half_life_periods));
    same(1 / (1 - 0.94), Number(notes.effective_observations_mean_lag));
    same(1.94 / 0.06, Number(notes.kish_effective_n));
    same(Math.log(0.01) / Math.log(0.94), Number(notes.periods_for_99pct_weight));
    const tau = -1 / Math.log(0.94);
    same(
      statistics.ewmaDecay(1 / 1_440, tau),
      Number(notes.lambda_for_1min_sampling_same_half_life),
    );
    same(statistics.ewmaVariance(0, 1, 0.94), Number(notes.weight_of_last_return));
  });

  it("of hedging costs and of the band in which nobody should hedge", () => {
    each("leland_volatility", (get) => {
      const sigma = get("sigma");
      const number = forms.lelandNumber(sigma, get("one_way_cost"), 1 / get("rebalances_per_year"));
      same(number, get("leland_number"));
      same(sigma * Math.sqrt(1 + number), get("sigma_hat_short_gamma"));
      same(1 - number, get("variance_factor_long_gamma"));
    });
    each("whalley_wilmott_band", (get) => {
      const { delta, gamma } = forms.lpGreeks(get("L"), get("S"));
      same(-gamma, get("gamma_abs"));
      same(delta, get("delta_eth"));
      const half = forms.noTradeHalfBand(
        get("S"),
        gamma,
        get("cost_one_way"),
        get("risk_aversion_per_usd"),
      );
      same(half, get("half_band_eth"));
      same(half / delta, get("half_band_as_fraction_of_delta"));
    });
  });

  it("of two opposite streams", () => {
    each("twamm", (get) => {
      const result = forms.oppositeStreams(get("x0"), get("y0"), get("x_in"), get("y_in"));
      same(result.endBase, get("x_end"));
      same(result.endQuote, get("y_end"));
      // What came out is a small difference of large reserves.
      expectNear(result.outBase, get("x_out"), 1e-14 * get("x0"));
      expectNear(result.outQuote, get("y_out"), 1e-14 * get("y0"));
    });
  });

  it("of constant leverage, in continuous time and return by return", () => {
    each("constant_leverage", (get) => {
      const variance = get("sigma") ** 2 * get("T_years");
      same(forms.constantLeverageDecay(get("b"), variance), get("decay_factor"));
      same(forms.constantLeverageRatio(get("b"), get("S_ratio"), variance), get("L_ratio"));
    });
    for (const vector of entries.constant_leverage?.discrete_vectors ?? []) {
      const returns = (vector.returns as unknown as string[]).map(Number);
      const product = (leverage: number) =>
        returns.reduce((value, change) => value * (1 + leverage * change), 1);
      same(product(1), Number(vector.S_ratio));
      same(product(Number(vector.b)), Number(vector.L_ratio_discrete));
    }
    expect(entries.constant_leverage?.discrete_vectors).to.have.lengthOf(2);
  });

  it("of the growth-optimal share", () => {
    each("kelly", (get) => {
      const [mu, interest, sigma] = [get("mu"), get("r"), get("sigma")];
      const best = forms.kellyFraction(mu, interest, sigma);
      const growth = (part: number) => forms.kellyGrowth(part * best, mu, interest, sigma);
      same(best, get("f_star"));
      same(growth(1), get("growth_at_f_star"));
      same(growth(1 / 2), get("growth_at_half"));
      expectNear(growth(2), get("growth_at_double"), 1e-15);
    });
    each(
      "kelly",
      (get) => expectNear(forms.kellyBet(get("p"), get("b")), get("f_star"), 1e-15),
      "binary_vectors",
    );
  });

  it("of tails, normal and lognormal", () => {
    each("expected_shortfall_normal", (get) => {
      const tail = statistics.normalTail(get("alpha"));
      same(tail.valueAtRisk, get("z"));
      same(tail.valueAtRisk, get("VaR_unit"));
      same(tail.expectedShortfall, get("ES_unit"));
    });
    each(
      "expected_shortfall_normal",
      (get) => {
        const deviation = get("sigma") * Math.sqrt(get("T_years"));
        const tail = statistics.lognormalTail(get("alpha"), deviation);
        same(tail.valueAtRisk, get("VaR_fraction_long"));
        same(tail.expectedShortfall, get("ES_fraction_long"), 1e-11);
      },
      "lognormal_vectors",
    );
  });

  it("of the chance to touch a barrier", () => {
    each("first_passage", (get) => {
      const settings = {
        price: get("S0"),
        barrier: get("barrier"),
        sigma: get("sigma"),
        drift: get("mu"),
        years: get("T_years"),
      };
      same(statistics.touchProbability(settings), get("prob_hit"), 1e-11);
    });
  });

  it("of a bar's variance from its prices", () => {
    each("ohlc_variance_estimators", (get) => {
      const bar = { open: get("open"), high: get("high"), low: get("low"), close: get("close") };
      same(statistics.parkinsonVariance(bar), get("parkinson_var"));
      same(statistics.garmanKlassVariance(bar), get("garman_klass_var"));
      same(statistics.rogersSatchellVariance(bar), get("rogers_satchell_var"));
      expectNear(Math.log(bar.close / bar.open) ** 2, get("close_to_close_var"), 1e-17);
    });
  });

  it("and none is left out", () => {
    expect(Object.keys(entries).sort()).to.deep.equal([
      "arb_with_fees_deterministic_blocks",
      "arb_with_fees_poisson",
      "constant_leverage",
      "ewma_variance",
      "expected_shortfall_normal",
      "first_passage",
      "il_static_replication",
      "impermanent_loss",
      "impermanent_loss_currency",
      "kelly",
      "leland_volatility",
      "lp_greeks",
      "lvr_constant_product",
      "lvr_expected_cumulative",
      "ohlc_variance_estimators",
      "twamm",
      "whalley_wilmott_band",
    ]);
  });
});
