// Trains trials of a cell again and asks something of their last networks, in ranges: the answer to each is a document of the store.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "driver/coverage.hpp"

namespace limrisk {

/// What is asked.
struct TrialStudy {
    const char* noun;                                  ///< "limits"
    const char* document;                              ///< kind of the documents: id of the cell; the first of their trials
    std::string (*not_asked)(const CellConfig& cell);  ///< why not of this cell, and what would be right; empty: it can be
    /// How many trials a document is about. Throws StoreError(Data) if it is none of trials from `first_trial` on.
    std::int64_t (*trials_of)(const std::string& text, std::int64_t first_trial);

    /// Where a trial ended: its parameters and the first state of its optimizer, if it has one, in canonical order.
    struct End {
        std::vector<double> parameters, first_state;
        std::int64_t step = 0;
    };
    using LastNetwork = std::optional<End>;  ///< nullopt: it has diverged
    /// The document of trials first_trial, first_trial + 1, ...; anything once `stopped`. Thread-safe.
    using Answer = std::function<std::string(std::int64_t first_trial, const std::vector<LastNetwork>& networks,
                                             const std::function<bool()>& stopped)>;
    /// Of a cell; what it needs of the cell is prepared once.
    Answer (*answer)(const CellPlan& plan);
};

struct StudyRequest {
    std::vector<TrialRange> ranges;                            ///< each a piece of work
    const std::vector<std::uint64_t>* fingerprints = nullptr;  ///< [trials of the cell] of the records in the store
    const std::atomic<int>* stop_requests = nullptr;           ///< requests to stop so far, or null
    /// Called from the calling thread with each range that is done, in any order, and a few times a second with the replica-steps done.
    std::function<void(const TrialRange& range, std::string document)> on_done;
    std::function<void(double replica_steps)> on_progress;
};

/// On all workers of the backend; every range has the same document for every number of them. False if it was stopped. Throws Defect,
/// naming cell and trial, if a trial trained again has another fingerprint than the store's. Of a cell of which it can be asked.
bool study_trials(const CellPlan& plan, const TrialStudy& study, const StudyRequest& request, Backend& backend);

}  // namespace limrisk
