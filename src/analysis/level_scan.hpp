// On which level the trials of a cell end: those of a catalogue, or clusters of the limiting risks where there is none.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/known_optima.hpp"
#include "analysis/statement.hpp"
#include "campaign/cell.hpp"
#include "limrisk/trial_record.hpp"

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
    /// After all trials.
    LevelStatement statement() const;

private:
    /// What is needed of a trial once its level is known.
    struct End {
        double risk;
        std::int32_t inactive, linear, kinked;
    };
    struct Tally {
        std::int64_t trials = 0;
        double inactive = 0, linear = 0, kinked = 0;
        void add(const End& end);
    };
    LevelShare share(const Tally& tally) const;
    LevelStatement clusters() const;

    const CellConfig& cell_;
    const std::vector<optimum::Level>* catalog_;
    double zero_;  ///< risks up to this are 0
    std::int64_t trials_ = 0;
    std::vector<Tally> on_level_;  ///< [catalog]
    std::vector<End> ends_;        ///< of converged trials, for clusters
};

}  // namespace limrisk
