// Writing results so that nothing gets lost silently: a full disk is an error, a closed pipe a quiet end.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace limrisk::cli {

/// Thrown when the reader of stdout has gone (`limrisk summary x.db | head -1`): no error of anybody.
struct PipeClosed {};

/// Writes to stdout and flushes. Throws PipeClosed or Error(InputOutput).
void print(std::string_view text);

/// Writes to stderr; what cannot be written there is dropped.
void note(std::string_view text);

/// Writes a whole file, or throws Error(InputOutput) with its name and the reason.
void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace limrisk::cli
