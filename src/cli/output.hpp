// Writing results so that nothing gets lost silently: a full disk is an error, a closed pipe a quiet end.
#pragma once
#include <string_view>

#include "files/output_file.hpp"

namespace limrisk::cli {

using limrisk::PipeClosed;

/// Writes text for people, CSV or JSON to stdout, without control characters: names come from files of unknown origin. Throws PipeClosed or
/// Error(InputOutput).
void print(std::string_view text);

/// Writes to stderr, without control characters. What cannot be written there within two seconds is dropped.
void note(std::string_view text);

/// The same for lines of which another comes soon: waits for nobody, and escape sequences stay.
void note_progress(std::string_view text);

}  // namespace limrisk::cli
