// Random small campaigns for the self test, as TOML: what fails can be run again by hand.
#pragma once
#include <cstdint>
#include <string>

namespace limrisk::cli {

struct RandomCell {
    std::string toml;         ///< a campaign of one cell
    std::int64_t trials = 0;  ///< to run; multiples of nothing
};

/// Number `index` of the sequence of `seed`. Every 98 in a row hold each activation with each optimizer in both precisions.
RandomCell random_cell(std::uint64_t seed, std::int64_t index);

}  // namespace limrisk::cli
