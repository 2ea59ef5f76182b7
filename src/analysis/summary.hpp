// What a store says about each cell: how many trials, how many certified, where their risks ended.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/limit_scan.hpp"
#include "analysis/quantiles.hpp"
#include "analysis/restart_scan.hpp"
#include "analysis/statement.hpp"
#include "analysis/strata_statement.hpp"
#include "analysis/valley_scan.hpp"
#include "campaign/cell.hpp"
#include "statistics/clopper_pearson.hpp"
#include "store/counted_trials.hpp"
#include "store/pool.hpp"
#include "store/store.hpp"

namespace limrisk {

/// Trials that one rule of `stop` ended early.
struct EarlyEnds {
    std::int64_t trials = 0;
    std::int64_t median_step = 0;  ///< of their last steps: statistics/quantile.hpp; 0 if there are none
};

/// How the trials of a cell with `stop` ended early. A trial for which several rules held counts for the first of risk, gradient,
/// inactive neurons, kinks and proof.
struct EarlyEndStatement {
    EarlyEnds by_risk, by_gradient, by_verdict;
    std::int64_t above_threshold = 0;  ///< of all but by_verdict, those with a limiting risk above the threshold of the optimum
    EarlyEnds by_inactive = {};
    Interval inactive_share{0, 1};  ///< 95 %: of by_inactive in all trials
    EarlyEnds by_proof = {};
    EarlyEnds by_kinks = {};
    Interval kinks_share{0, 1};  ///< 95 %: of by_kinks in all trials
    std::int64_t trials() const {
        return by_risk.trials + by_gradient.trials + by_verdict.trials + by_inactive.trials + by_proof.trials + by_kinks.trials;
    }
};

/// So many trials, and the 95 % interval of their share.
struct CountedShare {
    std::int64_t trials = 0;
    Interval share{0, 1};
};

/// Averages of the iterates, and the last iterates beside them: by their risks at the end of the trials.
struct AverageStatement {
    Quantiles risk;                                         ///< of the averages; CellSummary::final_risk are those of the iterates
    CountedShare lower;                                     ///< trials whose average has a smaller risk than the last iterate
    std::optional<CountedShare> missed, missed_by_iterate;  ///< risks above the threshold of the optimum, if it is known
    double mean_inactive = 0, mean_constant = 0, mean_inactive_on_data = 0;  ///< neurons of the averages
    /// On the points that are held out; none without such points, and of trials of before these risks were stored.
    std::optional<Quantiles> validation;
    std::optional<CountedShare> validation_lower;  ///< trials whose average has a smaller validation risk than the last iterate
};

/// Risks on the points that are held out. CellSummary::final_risk are those on the training points.
struct ValidationStatement {
    Quantiles risk;      ///< of the last networks
    Quantiles best;      ///< of those at the check with the smallest training risk
    CountedShare above;  ///< trials whose last network has a larger validation risk than training risk
};

/// Kinks of neurons that are compared with those at the start: docs/numerics.md section 10.
struct KinkStatement {
    CountedShare crossed;           ///< trials in which a kink has crossed a training point
    CountedShare through_infinity;  ///< trials with an infinite displacement
    double mean_crossed = 0;        ///< neurons whose kink has crossed, per trial
    Quantiles displacement;         ///< the largest one of each trial
};

/// One cell, over the trials 0..done-1 that are stored without a gap.
struct CellSummary {
    CellConfig cell;
    std::int64_t done = 0;  ///< trials summarised
    /// Of a cell that is no stratum, beside a rule that shares trials out by a limiting risk of its own: trials above it.
    std::optional<std::int64_t> above_own_risk;
    bool shared_before = false;          ///< a rule that holds no more shared its trials out, and their number is not the campaign's
    std::optional<std::int64_t> wanted;  ///< trials that the campaign of its own store wants, of several stores that are read as one
    std::int64_t stored = 0;             ///< trials in the store, those behind a gap included; not those behind the end that a rule found
    Exclusion exclusion;                 ///< frozen neurons that exclude the optimum
    std::int64_t certified = 0;      ///< trials with at least that many neurons certified frozen at initialization; 0 where it is not known
    Interval certified_share{0, 1};  ///< 95 %; Clopper-Pearson, unless there is a stopping rule; [0, 1] where it is not known
    double mean_inactive_initial = 0, mean_inactive_final = 0;
    std::int64_t died = 0, revived = 0;
    std::array<std::int64_t, 5> verdicts{};  ///< indexed by Verdict
    Quantiles final_risk, limiting_risk;
    double best_risk = 0;          ///< over all trials, at any check
    std::int64_t best_trial = -1;  ///< the first that has it
    Aggregate aggregate;           ///< histograms of all of it

    std::optional<double> mean_inactive_on_data, mean_constant;  ///< at the end; only where the store keeps trials
    std::optional<KnownOptimum> optimum;                         ///< of the cell's width, if the store has it
    Prediction prediction;
    std::optional<Measured> measured;      ///< if the optimum is known
    std::vector<Floor> floors;             ///< by the number of frozen neurons, ascending; those without trials left out
    std::optional<LevelStatement> levels;  ///< where the store keeps trials, or has a catalogue
    std::vector<EmbeddedLevel> hierarchy;  ///< of the widths up to the cell's whose optima are known and differ, ascending by width
    std::vector<TheoryCheck> checks;
    std::optional<EarlyEndStatement> early_ends;    ///< of a cell with `stop`, where the store keeps trials
    std::optional<AverageStatement> average;        ///< of a cell with an average of the iterates
    std::optional<ValidationStatement> validation;  ///< of a cell with points that are held out
    std::optional<KinkStatement> kinks;             ///< of a cell that follows kinks, where the store keeps trials
    std::optional<LimitStatement> limits;           ///< of the trials that count, if the store knows some
    std::optional<ValleyStatement> valleys;         ///< the same
    std::optional<RestartStatement> restarts;       ///< of a cell with trials, where it was asked for
    std::optional<StoppedCount> stopping;           ///< where a rule says which trials count; the intervals above then hold under it
    std::vector<PooledTrials> pooled;               ///< of stores of several seeds: whose trials these are, in their order
};

/// What was asked of each cell: [cells].
std::vector<CellConfig> configs_of(const std::vector<CellSummary>& cells);

/// Share of the trials whose risk still falls at the end of their budget: where they lead is not known. 0 without trials.
double still_falling(const CellSummary& cell);

/// The same, and 0 for a tail of one check, which does not show it.
double seen_falling(const CellSummary& cell);

struct StoreSummary {
    StoredCampaign campaign;
    std::vector<StoredCampaign> parts;  ///< the campaigns of several stores that are read as one; else empty
    std::vector<std::uint64_t> seeds;   ///< of these, where their trials are pooled; else empty
    StoreContents contents = StoreContents::Trials;
    double tolerance = 0;       ///< relative, of what counts as above the optimum
    std::int64_t restarts = 0;  ///< how many are asked about; 0: none
    std::vector<CellSummary> cells;
    std::vector<std::int64_t> stored_numbers;  ///< [cells] their numbers in the store, if these are not their `index`; else empty
    std::vector<RateStatement> rates;
    std::vector<RateOmission> no_rates;
    std::vector<StrataStatement> strata;    ///< probabilities of reaching the optimum, from cells with conditions
    std::vector<StrataOmission> no_strata;  ///< cells with conditions that give none
    std::vector<std::string> backends;      ///< descriptions of those that have written trials
    std::vector<std::string> warnings;      ///< a line each: optima that a trial beats
    /// A theorem was violated: limrisk or the mathematics is wrong.
    bool violated() const;
    /// Whether trials of some cell may end early.
    bool ends_early() const;
    /// Whether trials of some cell have an average of their iterates.
    bool has_averages() const;
    /// Whether some cell has both, an average and points that are held out.
    bool has_average_validation() const;
    /// Whether some cell has points that are held out.
    bool has_validation() const;
    /// Whether some cell follows kinks.
    bool follows_kinks() const;
    /// Whether the prediction of some cell holds with the confidence of drawn neurons only.
    bool has_drawn_predictions() const;
    /// Whether the loss of every cell is the square.
    bool has_squares_only() const;
};

/// Relative excess over the optimum that counts as missing it, unless another is asked for.
inline constexpr double default_tolerance = 0.01;

/// Reads every trial once (again if one beats a stored optimum: the statistics then follow it), and those of a cell with more than 2^22
/// trials (2^21 where it has an average or points that are held out) two to five times, so that no memory grows with them; or the
/// aggregates of a store of summaries. `pool`: of a pooled store, what its trials are. Throws StoreError(Data) if a block, aggregate or
/// document does not fit its hash.
StoreSummary summarize(const Store& store, double tolerance = default_tolerance, const Pool& pool = {});

}  // namespace limrisk
