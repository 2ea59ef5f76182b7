// What a cell says about non-convergence: predicted by the theory, certified trial by trial, measured against the optimum.
#pragma once
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "statistics/clopper_pearson.hpp"
#include "statistics/exponential_rate.hpp"
#include "statistics/inactive_law.hpp"
#include "statistics/inactive_probability.hpp"

namespace limrisk {

/// The best known infimum of the risk at one width of a problem: docs/optimum.md.
struct KnownOptimum {
    double risk = 0;
    std::optional<double> lower_bound;  ///< no network of this width has less
    bool attained = true;
    std::string created;             ///< when it was stored
    std::string beaten_by;           ///< "cell 3, trial 17": `risk` is that trial's, below the stored one; empty if none is
    double stored_risk = 0;          ///< as it is in the store
    bool cut_short = false;          ///< the search ended because its time was over
    std::vector<double> parameters;  ///< of a network with the stored risk; empty where none attains it
    bool global = false;             ///< no network of this width has less than `risk`, up to rounding
};

/// How many frozen neurons exclude the optimum: J do if the infimum at width h - J is positive (docs/theory.md section 5).
struct Exclusion {
    std::optional<std::int64_t> least;  ///< h - the largest smaller width for which that is proved
    std::string reason;                 ///< the proof, or what is missing
};

/// By the law of the initialization alone.
struct Prediction {
    /// p that one neuron is frozen; none on a condition, where neurons differ, for given starts, and for data points that every trial draws
    /// for itself. From drawn neurons (is_certain() is false) where there is no formula: docs/statistics.md section 1.
    std::optional<InactiveProbability> probability;
    std::optional<double> bound;  ///< P(at least Exclusion::least frozen neurons), if that is known; with one, 1 - (1 - p)^h. On the
                                  ///< condition, if there is one. From drawn neurons: with the lower end of p's interval in its place
    std::optional<CountTest>
        test;  ///< the numbers of frozen neurons seen, against Binomial(h, p); none without trials, and without a certain p

    bool dependent = false;  ///< neurons are not independent of each other: p is that of one, and says nothing of their number

    /// p where it is certain, and neurons are independent: then their number is Binomial(h, p).
    const InactiveProbability* certain_probability() const {
        return probability && probability->is_certain() && !dependent ? &*probability : nullptr;
    }
    /// Whether `bound` holds with the confidence of drawn neurons only.
    bool is_drawn() const { return bound && probability && !probability->is_certain(); }
    bool rejected = false;  ///< by that test, over all cells of the store together
};

/// Against the optimum of the cell's width: a trial misses it if its limiting risk is above `threshold`.
struct Measured {
    double optimum = 0, threshold = 0;
    std::int64_t above_least = 0, above_most = 0;  ///< trials above: bounds where the store keeps summaries, equal where it keeps trials
    std::int64_t pilot_above = 0;                  ///< of these in the pilot, where a rule shares trials out over strata
    Interval share{0, 1};                          ///< 95 %; of the lower count's lower end and the higher count's higher end
    double best_ratio = 0;                         ///< best risk of all trials over the optimum; infinite for an optimum of 0
    std::optional<double> seen_at_checks;          ///< risk that the rule of the checks gives a network with the stored optimum
    std::int64_t undecided = 0;                    ///< trials no further from the threshold than that rule errs there

    /// Whether the number of trials above is known; else it is between above_least and above_most.
    bool is_counted() const { return above_least == above_most; }
    /// How much the rule of the checks errs at the stored optimum; 0 where that is not known.
    double error_at_checks() const { return std::fabs(seen_at_checks.value_or(optimum) - optimum); }
    /// Whether that is more than the threshold allows, so that the trials above it say little.
    bool has_coarse_checks() const { return error_at_checks() > threshold - optimum; }
};

/// Part of the scale of risks (risk_scale) that is added to the threshold of every optimum and to the width of every level: float32 reaches
/// no less above an optimum of 0. The verdict's part, too (kernels/replica.hpp).
inline constexpr double absolute_tolerance = 1e-10;

/// A trial misses the optimum if its limiting risk is above this. `scale`: risk_scale of the target.
inline double missed_above(double optimum, double scale, double tolerance) {
    return optimum * (1 + tolerance) + absolute_tolerance * scale;
}

/// Whether the optimum is 0 as far as the threshold tells: less than what is added to it whatever the tolerance. Multiples of it mean
/// nothing then.
inline bool optimum_is_zero(const Measured& measured, double tolerance) {
    return measured.threshold - measured.optimum * (1 + tolerance) >= measured.optimum;
}

/// Trials with this many neurons certified frozen at initialization: no iterate of any of them has a risk below the infimum at width
/// h - frozen.
struct Floor {
    std::int64_t frozen = 0, trials = 0;
    std::optional<double> risk;         ///< best known infimum at that width
    std::optional<double> lower_bound;  ///< of that infimum
};

/// A level of Corollary 3.14: the optimum of a smaller width, or of the cell's own, embedded by inactive neurons.
struct EmbeddedLevel {
    std::int64_t optimum_of = 0;  ///< width
    double risk = 0;
};

/// Trials whose risk lies on one level.
struct LevelShare {
    std::string name;  ///< "RL", "linear", "optimum of width 2"; empty for a cluster
    double risk = 0;
    std::optional<std::int64_t> optimum_of;  ///< the width whose best known risk this is
    std::int64_t trials = 0;                 ///< on it
    std::int64_t trials_most = 0;            ///< the same, but of a histogram: then `trials` are the least, these the most
    Interval share{0, 1};                    ///< 95 %, of all trials of the cell; as Measured::share
    double mean_inactive = 0, mean_linear = 0, mean_kinked = 0;  ///< states of the neurons at the end, mean over its trials
};

struct LevelStatement {
    bool catalogue = false;          ///< levels of local minima from the store; else clusters of the limiting risks of converged trials
    double tolerance = 0;            ///< distance that counts as on a level: this part of the level, plus `absolute`
    double absolute = 0;             ///< the risk that counts as 0: of squares absolute_tolerance times the scale of the risk
    std::vector<LevelShare> levels;  ///< ascending by risk
    bool binned = false;             ///< from a histogram of the final risks: counts are bounds, and states of neurons are not known
    std::int64_t on_none = 0;        ///< trials on no level; of clusters: trials that did not converge
    std::int64_t on_none_most = 0;   ///< the same, but of a histogram: then on_none are the least, these the most
    std::int64_t left_out = 0;       ///< clusters beyond the most populated ones, which are those that are kept
    std::int64_t left_out_trials = 0;
};

/// A theorem held against the trials of a cell.
struct TheoryCheck {
    std::string name;           ///< "risk floor", "frozen neurons", "Proposition 3.18", "Proposition 2.10"
    std::int64_t checked = 0;   ///< trials it was held against
    std::int64_t violated = 0;  ///< 0, or limrisk or the mathematics is wrong
    std::int64_t first_trial = -1;
    std::string detail;  ///< of the first violation
};

/// The exponential rate of Corollary 4.3 over the widths of cells that differ in nothing else.
struct RateStatement {
    std::vector<std::int64_t> cells;
    std::string label;                ///< what the cells have in common and others have not
    RateFit fit{};                    ///< of the certified trials
    std::optional<double> predicted;  ///< -log(1 - p), if p does not depend on the width
};

/// Cells that differ in nothing but their widths and yet have no rate.
struct RateOmission {
    std::vector<std::int64_t> cells;
    std::string label, reason;
};

}  // namespace limrisk
