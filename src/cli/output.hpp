// Writing results so that nothing gets lost silently: a full disk is an error, a closed pipe a quiet end.
#pragma once
#include <string_view>

#include "files/output_file.hpp"

namespace limrisk::cli {

using limrisk::PipeClosed;

/// Writes to stdout and flushes. Throws PipeClosed or Error(InputOutput).
void print(std::string_view text);

/// Writes to stderr; what cannot be written there is dropped.
void note(std::string_view text);

}  // namespace limrisk::cli
