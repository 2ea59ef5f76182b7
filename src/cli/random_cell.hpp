// Random small campaigns for the self test, as TOML: what fails can be run again by hand.
#pragma once
#include <cstdint>
#include <string>

#include "kernels/kinds.hpp"

namespace limrisk::cli {

struct RandomCell {
    std::string toml;         ///< a campaign of one cell
    std::int64_t trials = 0;  ///< to run; multiples of nothing
};

inline constexpr std::int64_t random_cell_combinations = std::int64_t{2} * kernels::activation_count * kernels::optimizer_count;

/// Number `index` of the sequence of `seed`. Every `random_cell_combinations` in a row hold each activation with each optimizer in both
/// precisions.
///   on_cpu  with what only the CPU backend has
RandomCell random_cell(std::uint64_t seed, std::int64_t index, bool on_cpu = true);

}  // namespace limrisk::cli
