// On which level the trials of a cell end: those of a catalogue, or clusters of the limiting risks where there is none.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "analysis/known_optima.hpp"
#include "analysis/rank_search.hpp"
#include "analysis/statement.hpp"
#include "campaign/cell.hpp"
#include "limrisk/trial_record.hpp"
#include "statistics/risk_levels.hpp"

namespace limrisk {

/// Most clusters that a statement keeps: the most populated ones.
inline constexpr std::size_t most_clusters = 16;

/// "RL", "linear", "optimum of width 2".
std::string level_name(const optimum::Level& level);

class LevelScan {
public:
    /// `catalog`: ascending by risk, or null: clusters. `zero`: the risk that counts as 0, zero_risk of the target.
    LevelScan(const CellConfig& cell, const std::vector<optimum::Level>* catalog, double zero);
    void add(const TrialRecord& record);
    /// After all trials, searches among the limiting risks of those that converged; statement() says what they found.
    std::vector<RankSearch>& medians();
    /// After these.
    LevelStatement statement() const;

private:
    struct Tally {
        std::int64_t trials = 0;
        double inactive = 0, linear = 0, kinked = 0;
        void add(const TrialRecord& record);
        void add(const Tally& other);
    };
    /// Trials that converged to risks between two ends.
    struct Cluster {
        double lowest, highest;
        Tally tally;
    };
    LevelResolution resolution() const;
    LevelShare share(const Tally& tally) const;
    LevelStatement clusters() const;

    const CellConfig& cell_;
    const std::vector<optimum::Level>* catalog_;
    double zero_;  ///< risks up to this are 0
    std::int64_t trials_ = 0;
    std::vector<Tally> on_level_;  ///< [catalog]
    // For clusters of the trials that converged:
    int shift_;                                        ///< risks whose bits are the same without the last so many are in one bin
    std::unordered_map<std::uint64_t, Cluster> bins_;  ///< so narrow that what is in one bin belongs together
    std::int64_t converged_ = 0;
    std::vector<Cluster> clusters_;    ///< the most populated ones, ascending by risk
    std::vector<RankSearch> medians_;  ///< [clusters_]
    std::int64_t left_out_ = 0, left_out_trials_ = 0;
};

}  // namespace limrisk
