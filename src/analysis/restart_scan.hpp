// What the best of several restarts of a cell is: docs/statistics.md section 11.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "statistics/clopper_pearson.hpp"

namespace limrisk {

struct StoreSummary;
class Store;

/// That at least one of the restarts reaches the optimum: its limiting risk is not above the threshold.
struct RestartReach {
    Interval estimate{0, 0};  ///< no confidence: by the share of trials that was seen; the ends differ in a store of summaries only
    Interval interval{0, 1};  ///< 95 %
};

/// The smallest final risk of the restarts.
struct RestartRisk {
    double median = 0;               ///< of its law, estimated by an order statistic of the trials
    Interval median_interval{0, 0};  ///< 95 %; from 0, or to infinity, where there are too few trials
    std::optional<double> mean;      ///< estimate of its expectation; nullopt if there are fewer trials than restarts
    double least_mean = 0;           ///< with 95 % the expectation is not smaller
};

/// What a number of restarts of a cell gives.
struct RestartStatement {
    std::int64_t restarts = 1;
    std::optional<RestartReach> reach;  ///< if the optimum is known
    std::optional<RestartRisk> risk;    ///< where the store keeps trials whose number was fixed beforehand
    std::string reason;                 ///< why one of them is not there; empty if both are
};

/// Enters what `restarts` trials give into the summaries of all cells that have trials. Reads the trials once more; 8 bytes of memory for
/// each trial of a cell. Throws as summarize() does.
void enter_restarts(const Store& store, StoreSummary& summary, std::int64_t restarts);

}  // namespace limrisk
