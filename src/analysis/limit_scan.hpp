// What a store knows of proved limits (docs/proofs.md): how many, which of them are proved not to be global minima, and by what.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/known_optima.hpp"
#include "campaign/cell.hpp"
#include "statistics/clopper_pearson.hpp"
#include "store/pool.hpp"
#include "store/store.hpp"
#include "trajectory/trial_limits.hpp"

namespace limrisk {

/// A number that the infimum of the risk on the points of a cell, over all networks of its width, does not exceed.
struct KnownBound {
    double risk = 0;
    std::string source;  ///< "the limit of cell 0, trial 3", "the optimum of width 2"
};

/// Part of the known bound that counts as clearly above it. On many points the risk has many local minima close to each other, which the
/// same risk on the whole domain does not have.
inline constexpr double clear_excess = 0.01;

/// Proved limits that are nearly the same: none is above the lowest by more than limit_level_width of it.
struct LimitLevel {
    double low = 0, high = 0;  ///< the limit of each of the trials lies between them
    std::int64_t trials = 0;
};
inline constexpr double limit_level_width = 1e-6;
/// Levels that a statement keeps: the most populated ones.
inline constexpr std::size_t most_limit_levels = 16;

/// Of the first `trials` trials of a cell, of a pooled one of the first of each seed.
struct LimitStatement {
    std::int64_t trials = 0;
    std::array<std::int64_t, certificate::limit_outcome_count> outcomes{};                ///< indexed by LimitOutcome
    std::int64_t not_global = 0;                                                          ///< proved limits above the known bound
    std::int64_t clearly_not_global = 0;                                                  ///< above it by more than clear_excess of it
    std::int64_t global = 0;                                                              ///< proved limits of exactly 0
    Interval proved_share{0, 1}, not_global_share{0, 1}, clearly_not_global_share{0, 1};  ///< 95 %
    std::optional<KnownBound> bound;                  ///< none if no limit is proved and no optimum known
    std::vector<LimitLevel> levels;                   ///< ascending
    std::int64_t other_levels = 0, other_trials = 0;  ///< of those that are not among them

    std::int64_t proved() const { return outcomes[static_cast<std::size_t>(certificate::LimitOutcome::Proved)]; }
    std::int64_t open() const { return trials - proved(); }
};

/// Whether a trial converges to a risk above the infimum of its width, by more than `excess` times the known bound. False proves nothing.
bool is_not_global(const TrialLimit& limit, const std::optional<KnownBound>& bound, double excess = 0);

class LimitScan {
public:
    /// Reads the documents; `pool`: of a pooled store. Throws StoreError(Data) if one is damaged.
    explicit LimitScan(const Store& store, const Pool& pool = {});
    /// Of trials 0, 1, ... of a cell, as far as they are known without a gap; of a pooled cell of those of each seed, one seed after the
    /// other.
    const std::vector<TrialLimit>& limits(const CellConfig& cell) const;
    std::optional<KnownBound> bound(const CellConfig& cell) const;
    /// Of those among the first `counted` trials; nullopt if nothing is known of any. `under_rule`: a stopping rule chose their number.
    std::optional<LimitStatement> statement(const CellConfig& cell, std::int64_t counted, bool under_rule) const;

private:
    std::map<std::string, std::vector<TrialLimit>> limits_;  ///< by id of the cell
    std::map<std::string, KnownBound> bounds_;               ///< likewise
};

/// "3 kink_too_near, 1 rate_too_large"; empty if all limits are proved.
std::string open_reasons(const LimitStatement& statement);

}  // namespace limrisk
