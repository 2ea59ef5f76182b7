// See trial_checks.hpp.
#include "backend/trial_checks.hpp"

#include "kernels/replica.hpp"

namespace limrisk {

std::vector<CheckRecord> checks_of_trial(const kernels::Cell& cell, const TrialRecord& record, const CheckRecord* rows) {
    std::vector<CheckRecord> checks;
    for (std::int64_t k = 0; k <= cell.checks; ++k) {
        const std::int64_t step = kernels::check_step(cell, k);
        const bool diverged = record.verdict == Verdict::Diverged;
        if (!diverged && step > record.last_step) break;
        checks.push_back(rows[k]);
        if (k == 0 || rows[k].step != 0) continue;
        checks.back() = checks[static_cast<std::size_t>(k) - 1];
        checks.back().step = step;
    }
    return checks;
}

}  // namespace limrisk
