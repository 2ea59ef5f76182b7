// Where exact descent from where a trial ended on leads: docs/proofs.md.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "campaign/proved_limits.hpp"
#include "certificate/limit_certificate.hpp"
#include "trajectory/trial_study.hpp"

namespace limrisk {

/// What is known of the limit of one trial.
struct TrialLimit {
    certificate::LimitOutcome outcome = certificate::LimitOutcome::Diverged;
    certificate::RiskBounds risk;  ///< if it is proved
    bool is_proved() const { return outcome == certificate::LimitOutcome::Proved; }
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

/// What `limrisk limits` asks of every trial.
extern const TrialStudy limit_study;

}  // namespace limrisk
