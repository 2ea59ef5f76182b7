// How many trials each stratum should have, so that the interval of the share of all trials becomes short.
#pragma once
#include <cstdint>
#include <vector>

namespace limrisk {

/// What is known of a stratum beforehand: its probability, and the outcomes of its pilot, which count for nothing else.
struct PilotedStratum {
    double probability = 0;
    std::int64_t reached = 0, trials = 0;  ///< of the pilot
};

/// Shares `trials` out over the strata: each at least one, the rest so that the sum over strata of P(J) times the length of the interval of
/// P(reach | J), as it is to be expected from the pilot, becomes small (docs/statistics.md section 10). Function of the arguments alone,
/// by additions, multiplications, divisions and square roots only, with probabilities rounded to float: the same on every machine. [strata]
/// Throws Defect for counts that do not fit, and for fewer trials than strata.
std::vector<std::int64_t> trial_shares(const std::vector<PilotedStratum>& strata, std::int64_t trials);

}  // namespace limrisk
