// One cell of a store, read once: everything that its summary says.
#pragma once
#include <cstdint>
#include <vector>

#include "analysis/known_optima.hpp"
#include "analysis/summary.hpp"
#include "analysis/theory_scan.hpp"

namespace limrisk {

/// What the summaries of all cells share.
struct ScanContext {
    KnownOptima& optima;  ///< improved by trials that beat them
    double tolerance;     ///< relative excess over the optimum that counts as missing it
    /// Of a cell with more trials than this none is kept in memory: those that count are read again, once to four times. Half of it where
    /// the cell has an average or points that are held out.
    std::int64_t kept_trials = std::int64_t{1} << 22;
    Pool pool = {};  ///< of a pooled store
};

/// Of the trials 0, 1, 2 ... as far as they are stored (and count, where a stopping rule ended the cell). `cell` as described in the store.
CellSummary scan_trials(const Store& store, const CellConfig& cell, ScanContext& context);

/// The same from the aggregate of a store of summaries, as far as it goes.
CellSummary scan_aggregate(const Aggregate& aggregate, const CellConfig& cell, ScanContext& context);

}  // namespace limrisk
