// What a store knows of the valleys of its trials (docs/optimum.md, section "Valleys"): their bottoms, and how many trials lie in each.
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
#include "trajectory/trial_valleys.hpp"

namespace limrisk {

/// Trials whose valleys have bottoms of one risk.
struct ValleyBottom {
    double risk = 0;                         ///< the least of theirs
    std::string name;                        ///< of the level of the catalogue, if there is one at this risk
    std::optional<std::int64_t> optimum_of;  ///< the width whose best known risk this is
    std::int64_t trials = 0;
    Interval share{0, 1};     ///< 95 %, of all trials
    bool at_optimum = false;  ///< at the best known risk of the cell's width, or below it
};

/// Of the first `trials` trials of a cell, of a pooled one of the first of each seed.
struct ValleyStatement {
    std::int64_t trials = 0;
    std::array<std::int64_t, optimum::valley_outcome_count> outcomes{};  ///< indexed by ValleyOutcome
    std::vector<ValleyBottom> bottoms;                                   ///< ascending by risk; the most populated, and the least
    std::int64_t left_out = 0, left_out_trials = 0;                      ///< other bottoms
    std::optional<double> optimum;   ///< best known risk of the width, if the risk is an exact integral: else the two are not comparable
    std::int64_t reached = 0;        ///< trials in valleys whose bottom is at the optimum, or below it
    Interval reached_share{0, 1};    ///< 95 %, of all trials; its upper end counts undecided trials as such
    bool optimum_is_beaten = false;  ///< a bottom lies clearly below the optimum, which a longer search would find

    std::int64_t with_bottom() const { return outcomes[static_cast<std::size_t>(optimum::ValleyOutcome::Bottom)]; }
    std::int64_t diverged() const { return outcomes[static_cast<std::size_t>(optimum::ValleyOutcome::Diverged)]; }
    std::int64_t undecided() const { return trials - with_bottom() - diverged(); }
};

class ValleyScan {
public:
    /// Reads the documents; `pool`: of a pooled store. Throws StoreError(Data) if one is damaged.
    explicit ValleyScan(const Store& store, const Pool& pool = {});
    /// As LimitScan::limits.
    const std::vector<optimum::Valley>& valleys(const CellConfig& cell) const;
    /// Of those among the first `counted` trials; nullopt if nothing is known of any. `under_rule`: a stopping rule chose their number.
    std::optional<ValleyStatement> statement(const CellConfig& cell, const KnownOptima& optima, std::int64_t counted,
                                             bool under_rule) const;

private:
    std::map<std::string, std::vector<optimum::Valley>> valleys_;  ///< by id of the cell
};

}  // namespace limrisk
