// Counts for people.
#pragma once
#include <cstdint>
#include <string>

namespace limrisk {

/// 65536 -> "65,536"
std::string grouped_digits(std::int64_t number);

/// "3 trials", "1 trial"; "12,345 trials".
std::string counted(std::int64_t count, const std::string& noun);

}  // namespace limrisk
