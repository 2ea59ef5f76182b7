// Where two runs of the same trial differ, in words: replay and self test compare every bit.
#pragma once
#include <cstdint>
#include <string>

#include "backend/backend.hpp"

namespace limrisk::cli {

/// "final_risk is 0.25 (0x3fd0000000000000) in LEFT, 0.5 (0x3fe0000000000000) in RIGHT" for the first field that differs in any bit;
/// empty if none does.
std::string record_difference(const TrialRecord& left, const char* left_name, const TrialRecord& right, const char* right_name);

/// The same of a record that is in a store, which may be of before validation risks of averages: what it lacks is no difference.
std::string stored_difference(TrialRecord now, const char* name, const TrialRecord& stored);

/// The same for a check of a trajectory.
std::string check_difference(const CheckRecord& left, const char* left_name, const CheckRecord& right, const char* right_name);

/// The same for initial parameters, parameters and optimizer states; places as in the fingerprint of docs/numerics.md, and by neuron if
/// width and dimension are given (dimension > 0).
std::string state_difference(const FinalState& left, const char* left_name, const FinalState& right, const char* right_name,
                             std::int64_t width = 0, std::int64_t dimension = 0);

}  // namespace limrisk::cli
