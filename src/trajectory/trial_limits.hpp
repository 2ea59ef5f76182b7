// Trains trials of a cell again and asks of each where exact gradient descent from its last network ends: docs/proofs.md.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "optimum/limit_certificate.hpp"

namespace limrisk {

/// Why no limit is proved in any trial of the cell, and what would be right; empty if one can be.
std::string no_limits_reason(const CellConfig& cell);

/// What is known of the limit of one trial.
struct TrialLimit {
    optimum::LimitOutcome outcome = optimum::LimitOutcome::Diverged;
    optimum::RiskBounds risk;  ///< if it is proved
    bool is_proved() const { return outcome == optimum::LimitOutcome::Proved; }
    /// Proved to be 0, exactly.
    bool is_zero() const { return is_proved() && risk.high == 0; }
};

/// Of trials first_trial, first_trial + 1, ... of a cell: a document of a store.
struct TrialLimits {
    std::int64_t first_trial = 0;
    std::vector<TrialLimit> limits;
};

/// A document, docs/formats.md, and back. Throws StoreError(Data) for a text that is not one of trials from `first_trial` on.
std::string limits_to_json(const TrialLimits& limits);
TrialLimits limits_from_json(const std::string& text, std::int64_t first_trial);

struct LimitRequest {
    /// Ranges of trials, each a piece of work.
    struct Range {
        std::int64_t first_trial = 0, count = 0;
    };
    std::vector<Range> ranges;
    const std::vector<std::uint64_t>* fingerprints = nullptr;  ///< [trials of the cell] of the records in the store
    const std::atomic<int>* stop_requests = nullptr;           ///< requests to stop so far, or null
    /// Called from the calling thread with each range that is done, in any order, and a few times a second with the replica-steps done.
    std::function<void(TrialLimits limits)> on_done;
    std::function<void(double replica_steps)> on_progress;
};

/// On all workers of the backend; every range has the same result for every number of them. False if it was stopped. Throws Defect, naming
/// cell and trial, if a trial trained again has another fingerprint than the store's. Of a cell without no_limits_reason.
bool find_limits(const CellPlan& plan, const LimitRequest& request, Backend& backend);

}  // namespace limrisk
