// In which valley of the risk the last network of a trial lies: docs/optimum.md, section "Valleys".
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "optimum/valley.hpp"
#include "trajectory/trial_study.hpp"

namespace limrisk {

/// Why the valleys of the cell are not searched, and what would be right; empty if they can be.
std::string no_valleys_reason(const CellConfig& cell);

/// Of trials first_trial, first_trial + 1, ... of a cell: a document of a store.
struct TrialValleys {
    std::int64_t first_trial = 0;
    std::vector<optimum::Valley> valleys;
};

/// A document, docs/formats.md, and back. Throws StoreError(Data) for a text that is not one of trials from `first_trial` on.
std::string valleys_to_json(const TrialValleys& valleys);
TrialValleys valleys_from_json(const std::string& text, std::int64_t first_trial);

/// What `limrisk valleys` asks of every trial.
extern const TrialStudy valley_study;

}  // namespace limrisk
