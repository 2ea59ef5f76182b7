// The time as stores write it.
#pragma once
#include <string>

namespace limrisk {

/// "2026-11-26T17:43:07Z"
std::string utc_now();

}  // namespace limrisk
