// A block from a backend against the scalar reference, every bit.
#pragma once
#include <string>

#include "backend/backend.hpp"
#include "reference/trial.hpp"

namespace limrisk::test {

/// Tables of the reference for a cell, from the same node sets that the plan uses.
reference::Tables reference_tables(const CellConfig& config);

/// The first difference between one trial of a block and the reference (field, check or parameter, and both values); empty if there is
/// none.
std::string first_difference(const BlockResult& block, std::size_t i, const reference::TrialResult& truth);

/// The first difference between two blocks of the same trials; empty if there is none.
std::string first_difference(const BlockResult& a, const BlockResult& b);

}  // namespace limrisk::test
