// How many trials each stratum of a campaign runs that shares its trials out: first the pilots, then what they decide.
// docs/statistics.md section 10.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "campaign/campaign.hpp"
#include "store/store.hpp"

namespace limrisk {

// Of a campaign whose rule shares trials (StoppingCriterion::is_shared), all [cells]. Cells without a condition are no strata: each has as
// many trials as all strata of a group together.

/// The pilots.
std::vector<std::int64_t> pilot_trials(const Campaign& campaign);

/// The same number in all strata of a group: what a prediction of time and space takes, since no pilot has run.
std::vector<std::int64_t> equal_trials(const Campaign& campaign);

/// Of all cells together, the most.
std::int64_t all_trials(const Campaign& campaign);

struct SharedTrials {
    std::vector<std::int64_t> trials;
    std::vector<std::string> lines;  ///< a group each, in words
};

/// What the pilots, which are in the store, decide. `store` is open for writing, for this campaign. What it has decided before under the
/// same rule stays; what is new is written. Throws StoreError(Data) where the rule wants the optimum of a width and the store does not have
/// it.
SharedTrials share_trials(Store& store, const Campaign& campaign);

}  // namespace limrisk
