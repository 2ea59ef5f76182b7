// All that limrisk shows of a store.
#pragma once
#include <filesystem>
#include <string>

namespace limrisk::fuzz {

/// What summary, report (without gnuplot), export and replay show, in one text. `scratch` is a file that may be written. Throws as they do.
std::string everything_shown(const std::filesystem::path& store, const std::filesystem::path& scratch);

}  // namespace limrisk::fuzz
